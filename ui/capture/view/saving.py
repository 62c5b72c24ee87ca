"""Save something of a capture where the user says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from PySide6.QtCore import QObject

from evidence_desk.bootstrap.files import written
from evidence_desk.core.job import Job
from evidence_desk.services.capture_view import CaptureView
from ui.context import Context
from ui.tasks import Lane


def save_file(context: Context, owner: QObject, view: CaptureView, name: str) -> None:
    """One of its files, as it lies in the capture."""
    _save(context, owner, name, lambda out, job: view.save(name, out, job))


def save_body(context: Context, owner: QObject, view: CaptureView, number: int, name: str) -> None:
    """The decoded body of a request; what is wrong with it is told."""

    def write(out: BinaryIO, job: Job) -> str | None:
        return view.save_body(number, out, job)

    _save(context, owner, name, write)


def _save(context: Context, owner: QObject, name: str, write: Callable[[BinaryIO, Job], str | None]) -> None:
    def chosen(path: Path) -> None:
        def work(job: Job) -> str | None:
            with written(path, force=True) as stream:  # the dialog asked before a file is replaced
                return write(stream, job)

        def done(fault: str | None) -> None:
            context.messages.inform("ui_capture.view.saved", path=str(path))
            if fault:
                context.messages.inform(fault)

        context.tasks.run(Lane.CPU, work, owner=owner, done=done, title="ui_capture.work.save")

    context.messages.save_as(name, chosen, code="ui_capture.view.save")
