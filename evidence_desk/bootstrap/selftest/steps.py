"""Steps of the self-test: run one after the other, each timed; what rests on a failed one is not tried."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from evidence_desk.errors import EvidenceDeskError

_FOLDER: Final = "证据台自检-"
_LONGEST: Final = 300


class Result(StrEnum):
    """How a step came out."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    """As the person wished."""
    NOT_TRIED = "not_tried"
    """A step that it rests on did not pass."""


class SelftestError(Exception):
    """Something came out otherwise than it must; the text is for diagnosis."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step; `work` takes the temporary folder and returns a fact to show.

    Attributes:
        name: its sentence is ``selftest.NAME``.
        needs: names of steps before it.
    """

    name: str
    work: Callable[[Path], str]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a step; `fact` tells versions when it passed, and the fault when not."""

    name: str
    result: Result
    seconds: float = 0.0
    fact: str = ""
    error: EvidenceDeskError | None = None


def run(steps: Sequence[Step], folder: Path, *, skip: Collection[str] = ()) -> Iterator[Outcome]:
    """Run all steps; yields each as it ends."""
    passed: set[str] = set()
    for step in steps:
        if step.name in skip:
            yield Outcome(name=step.name, result=Result.SKIPPED)
        elif not passed.issuperset(step.needs):
            yield Outcome(name=step.name, result=Result.NOT_TRIED)
        else:
            outcome = _tried(step, folder)
            if outcome.result is Result.PASSED:
                passed.add(step.name)
            yield outcome


def _tried(step: Step, folder: Path) -> Outcome:
    begun, error = time.perf_counter(), None
    try:
        fact, result = step.work(folder), Result.PASSED
    except EvidenceDeskError as fault:
        fact, result, error = str(fault), Result.FAILED, fault
    except Exception as fault:  # noqa: BLE001 - whatever a broken library does is the answer sought
        fact, result = f"{type(fault).__name__}: {fault}"[:_LONGEST], Result.FAILED
    return Outcome(name=step.name, result=result, seconds=time.perf_counter() - begun, fact=fact, error=error)


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder with a Chinese name that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix=_FOLDER))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def expect(right: object, what: str) -> None:
    """Raise SelftestError with `what` unless it is right."""
    if not right:
        raise SelftestError(what)
