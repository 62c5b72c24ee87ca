"""What a command says: one JSON document or text for people on stdout, progress and errors on stderr."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from evidence_desk.core.job import Job
from evidence_desk.errors import BugError, EvidenceDeskError
from evidence_desk.texts import Language, error_sentences, sentence

Document = Mapping[str, Any]
"""A JSON document; values of json.dumps."""

PARTLY = 3
"""Exit status when part of a batch failed."""


class ErrorTold(Exception):  # noqa: N818 - it is not an error any more
    """An error was told to the person; what remains is the exit status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Output:
    """The voice of one command; as a context manager it tells our errors and leaves with `ErrorTold`."""

    def __init__(self, language: Language, *, as_json: bool) -> None:
        self.language = language
        self.as_json = as_json
        self.console = Console(soft_wrap=True, highlight=False, markup=False)
        self.errors = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)
        self._said = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, EvidenceDeskError):
            self.fail(error)
            raise ErrorTold(error.exit_status) from error
        if isinstance(error, MemoryError):
            self.fail(BugError("host.memory"))
            raise ErrorTold(BugError.exit_status) from error

    def text(self, code: str, /, **parameters: str | int) -> str:
        """A sentence of ``texts``."""
        return sentence(code, parameters, self.language)

    def line(self, text: str = "") -> None:
        """One line for people; nothing in JSON mode."""
        if not self.as_json:
            self.console.print(text)

    def say(self, code: str, /, **parameters: str | int) -> None:
        """A sentence for people; nothing in JSON mode."""
        self.line(self.text(code, **parameters))

    def document(self, document: Document) -> None:
        """The one JSON document; nothing in text mode."""
        if self.as_json and not self._said:
            sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
            sys.stdout.flush()
            self._said = True

    def warn(self, error: EvidenceDeskError) -> None:
        """An error that does not end the command, on stderr."""
        title, advice = error_sentences(error, self.language)
        self.errors.print(self.text("cli.warning", title=title), style="yellow")
        if advice:
            self.errors.print(f"  {advice}")

    def fail(self, error: EvidenceDeskError) -> None:
        """The error that ends the command."""
        title, advice = error_sentences(error, self.language)
        self.errors.print(self.text("cli.error", title=title), style="red")
        if advice:
            self.errors.print(f"  {advice}")
        self.document({"error": error_json(error, self.language)})

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
    title, advice = error_sentences(error, language)
    return {"code": error.code, "parameters": error.parameters, "title": title, "advice": advice}


@contextmanager
def _cancels_on_interrupt(job: Job) -> Iterator[Job]:
    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        job.cancel()

    previous = signal.signal(signal.SIGINT, interrupt)
    try:
        yield job
    finally:
        signal.signal(signal.SIGINT, previous)
