"""What a command says: one JSON document or text for people on stdout, progress and errors on stderr."""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Final, NoReturn, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from evidence_desk.core.job import Job
from evidence_desk.errors import BugError, EvidenceDeskError
from evidence_desk.terminal.layout import folded, printable, printable_facts
from evidence_desk.texts import Language, error_sentences, sentence

Document = Mapping[str, Any]
"""A JSON document; values of json.dumps."""

PARTLY = 3
"""Exit status when part of a batch failed."""
_TRACEBACK: Final = "EVIDENCE_DESK_TRACEBACK"
"""Environment variable of developers: show where an internal error arose."""


class _Console(Console):
    """Does not decide the exit status when its reader goes away; `run_program` does."""

    def __init__(self, *, stderr: bool) -> None:
        super().__init__(stderr=stderr, soft_wrap=True, highlight=False, markup=False)

    def on_broken_pipe(self) -> NoReturn:
        """Called by rich."""
        raise BrokenPipeError


class ErrorTold(Exception):  # noqa: N818 - it is not an error any more
    """An error was told to the person; what remains is the exit status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Output:
    """The voice of one command; as a context manager it tells errors and leaves with `ErrorTold`.

    Nothing else leaves a command: even a bug is told in both forms, with exit status 70 and not the 1 of «failed».
    """

    def __init__(self, language: Language, *, as_json: bool) -> None:
        self.language = language
        self.as_json = as_json
        self.console: Console = _Console(stderr=False)
        self.errors: Console = _Console(stderr=True)
        self._said = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not isinstance(error, Exception) or isinstance(error, ErrorTold | BrokenPipeError):
            return
        if type(error).__module__.partition(".")[0] == "typer":  # how typer leaves a command
            return
        if os.environ.get(_TRACEBACK):
            traceback.print_exception(error)
        told = _as_ours(error)
        self.fail(told)
        raise ErrorTold(told.exit_status) from error

    def text(self, code: str, /, **parameters: str | int) -> str:
        """A sentence of ``texts``; what is filled in is made printable."""
        return sentence(code, printable_facts(parameters), self.language)

    def line(self, text: str = "") -> None:
        """One line for people; nothing in JSON mode."""
        if not self.as_json:
            _print(self.console, text)

    def say(self, code: str, /, **parameters: str | int) -> None:
        """A sentence for people; nothing in JSON mode."""
        self.line(self.text(code, **parameters))

    def hint(self, code: str, /, **parameters: str | int) -> None:
        """A sentence about work that goes on, on stderr."""
        _print(self.errors, self.text(code, **parameters))

    def document(self, document: Document) -> None:
        """The one JSON document; nothing in text mode."""
        if self.as_json and not self._said:
            text = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
            # File names may hold bytes that are no UTF-8; the document itself is always UTF-8.
            sys.stdout.write(text.encode("utf-8", errors="replace").decode())
            sys.stdout.flush()
            self._said = True

    def warn(self, error: EvidenceDeskError) -> None:
        """An error that does not end the command, on stderr."""
        self._tell(error, "cli.warning", "yellow")

    def fail(self, error: EvidenceDeskError) -> None:
        """The error that ends the command."""
        self._tell(error, "cli.error", "red")
        self.document({"error": error_json(error, self.language)})

    def _tell(self, error: EvidenceDeskError, code: str, style: str) -> None:
        title, advice = _sentences(error, self.language)
        _print(self.errors, sentence(code, {"title": title}, self.language), style)
        if advice:
            _print(self.errors, f"  {advice}")

    @contextmanager
    def job(self) -> Iterator[Job]:
        """A job with a progress bar on stderr (when it is a terminal) that Ctrl-C cancels."""
        if self.as_json or not self.errors.is_terminal:
            with _cancels_on_interrupt(Job()) as job:
                yield job
            return
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
        with Progress(*columns, TimeRemainingColumn(), console=self.errors, transient=True) as progress:
            tasks: dict[str, TaskID] = {}

            def report(stage: str, done: int, total: int) -> None:
                if stage not in tasks:
                    tasks[stage] = progress.add_task(self.text(f"stage.{stage}"), total=total or None)
                progress.update(tasks[stage], completed=done, total=total or None)

            with _cancels_on_interrupt(Job(report)) as job:
                yield job


def error_json(error: EvidenceDeskError, language: Language) -> dict[str, Any]:
    """An error as JSON: code, parameters, what happened, what to do."""
    title, advice = _sentences(error, language)
    return {"code": error.code, "parameters": error.parameters, "title": title, "advice": advice}


def error_title(error: EvidenceDeskError, language: Language) -> str:
    """What happened, in one printable sentence."""
    return _sentences(error, language)[0]


def _as_ours(error: Exception) -> EvidenceDeskError:
    if isinstance(error, EvidenceDeskError):
        return error
    if isinstance(error, MemoryError):
        return BugError("host.memory")
    place = traceback.extract_tb(error.__traceback__)[-1]
    return BugError(
        "bug.unexpected", kind=type(error).__name__, at=f"{Path(place.filename).name}:{place.lineno}"
    )


def _sentences(error: EvidenceDeskError, language: Language) -> tuple[str, str]:
    title, advice = error_sentences(error, language)
    return printable(title), printable(advice)


def _print(console: Console, text: str, style: str | None = None) -> None:
    for line in folded(text, console.width) if console.is_terminal else (text,):
        console.print(line, style=style)


@contextmanager
def _cancels_on_interrupt(job: Job) -> Iterator[Job]:
    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        job.cancel()

    previous = signal.signal(signal.SIGINT, interrupt)
    try:
        yield job
    finally:
        signal.signal(signal.SIGINT, previous)
