"""Ways to the view: an exhibit of the open vault, or a file that somebody has."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from PySide6.QtWidgets import QWidget

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.errors import UnreadableError
from ui.context import Context
from ui.start.operator import operator_name
from ui.tasks import Lane

if TYPE_CHECKING:
    from evidence_desk.services.capture_view import CaptureView


def show_exhibit(context: Context, owner: QWidget, leaf_hash: bytes) -> None:
    """Decrypt the capture of an exhibit and show it; the custody record says so."""

    def work(session: Session, job: Job) -> CaptureView:
        from evidence_desk.services.capture_view import open_exhibit  # noqa: PLC0415 - large

        return open_exhibit(session.desk, leaf_hash, _anonymous, job=job, operator=operator_name(session))

    def done(view: CaptureView) -> None:
        _show(context, owner, view, leaf_hash)

    context.desk.run(
        work, owner=owner, done=done, lane=Lane.VAULT, title="ui_capture.work.view", changes=True
    )


def show_file(context: Context, owner: QWidget, path: Path) -> None:
    """Show a WACZ that lies somewhere; needs no vault."""

    def work(_job: Job) -> CaptureView:
        from evidence_desk.services.capture_view import CaptureView  # noqa: PLC0415 - large

        try:
            source = path.open("rb")
        except OSError as error:
            raise UnreadableError("input.unreadable", path=str(path), reason=type(error).__name__) from error
        try:
            return CaptureView(source)
        except BaseException:
            source.close()
            raise

    def done(view: CaptureView) -> None:
        _show(context, owner, view, None)

    context.tasks.run(Lane.CPU, work, owner=owner, done=done, title="ui_capture.work.view")


def _show(context: Context, owner: QWidget, view: CaptureView, exhibit: bytes | None) -> None:
    from ui.capture.view.window import CaptureWindow  # noqa: PLC0415 - large

    CaptureWindow(context, owner.window(), view, exhibit=exhibit).show()


def _anonymous() -> BinaryIO:
    """A file without a name, gone when it is closed."""
    return cast("BinaryIO", tempfile.TemporaryFile())
