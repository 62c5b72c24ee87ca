"""Replay a captured exhibit in an isolated browser: what the command line and the window call."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, Final, cast

from evidence_desk.bootstrap.capturing import WITHOUT_DISPLAY, has_display
from evidence_desk.bootstrap.session import Session
from evidence_desk.bootstrap.unfinished import noted, temporary_for
from evidence_desk.capture.replay_process import ReplayProcess
from evidence_desk.core.capture.replay import ReplayFailed, ReplayMessage, ReplayOrder
from evidence_desk.core.job import Job
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.errors import ConfigurationError, HostError, MalformedError, NotFoundError, UsageError
from evidence_desk.launch import Role, command_for
from evidence_desk.services.captured import opened_capture
from evidence_desk.services.custody import CustodyNote, record
from evidence_desk.texts import Language

_ARCHIVE: Final = "capture.wacz"
_START_SECONDS: Final = 60.0


class Replay:
    """A replay browser that is open; its plain copy is gone when it is closed.

    On systems that let an open file be deleted, the copy is gone from the disk's folder before the first page is shown;
    elsewhere when the browser ends, or, after both were killed, at the next start.
    """

    def __init__(self, process: ReplayProcess) -> None:
        self._process = process

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the person closes it; False when that has not happened within `timeout` seconds.

        Raises:
            HostError: ``capture_replay.ended`` or ``capture_replay.fault`` when it did not end in order.
        """
        if not self._process.wait(timeout):
            return False
        _raise_failure(self._process)
        return True

    def close(self) -> None:
        """Close it now, as when the vault is locked; harmless twice."""
        self._process.close()

    @property
    def errors(self) -> tuple[str, ...]:
        """Last lines of its error stream, for diagnostics."""
        return self._process.errors


def open_replay(
    session: Session,
    exhibit: ExhibitRow,
    language: Language,
    *,
    page: int = 1,
    scripts: bool = True,
    save: Path | None = None,
    job: Job,
    operator: str = "",
    told: Callable[[ReplayMessage], None] = lambda _message: None,
) -> Replay:
    """Decrypt the capture of an exhibit to a private copy, check every byte, and show it; returns once it is shown.

    Args:
        session: the open desk; custody of the exhibit records the opening.
        exhibit: one that holds a capture.
        language: of the window.
        page: number of the page to begin with; with `save` the only one, 0 for all.
        scripts: whether scripts of the pages run.
        save: an empty folder for what pages show; no window is needed then, and the browser ends by itself.
        job: stages ``capture.open`` and ``capture.check`` in bytes.
        operator: who looks at it.
        told: hears the browser's messages, in another thread.

    Raises:
        UsageError: ``capture_disclose.no_capture``, ``capture_replay.no_page``. NotFoundError: ``vault.case_erased``.
        MalformedError: the archive is not what was written. IntegrityError: ``vault.object_damaged``.
        ConfigurationError: ``capture_replay.no_display``, ``capture.browser_missing``.
        HostError: ``host.disk_full``, ``output.unwritable``, ``capture_replay.ended``.
    """
    environment = _surroundings(needs_display=save is None)
    with ExitStack() as cleaning:
        folder = cleaning.enter_context(_private_folder(session.vault.folder))
        archive = folder / _ARCHIVE
        _copy(session, exhibit, archive, page, job, one_of=save is None or page != 0)
        record(
            session.desk,
            [CustodyNote(exhibit=exhibit.leaf_hash, action="opened", operator=operator, details={"file": 1})],
        )
        order = ReplayOrder(
            archive=str(archive.absolute()), number=exhibit.number, page=page, scripts=scripts,
            save="" if save is None else str(save.absolute()), debug_port=0, tongue=language.value,
        )  # fmt: skip
        later = cleaning.pop_all()
    return _started(order, environment, told, later)


def _started(
    order: ReplayOrder, environment: dict[str, str], told: Callable[[ReplayMessage], None], later: ExitStack
) -> Replay:
    process = ReplayProcess(
        command_for(Role.CAPTURE_REPLAY), order, told=told, gone=later.close, environment=environment
    )
    try:
        process.start()
    except BaseException:
        later.close()
        raise
    if not process.opened(_START_SECONDS) or isinstance(process.first, ReplayFailed):
        process.close()
        _raise_failure(process)
        raise HostError("capture_replay.ended", status=process.status or 0)
    return Replay(process)


def _raise_failure(process: ReplayProcess) -> None:
    failure = process.failure
    if failure is not None and failure.code.startswith("malformed."):
        raise MalformedError(failure.code, reason=failure.reason, name=_ARCHIVE)
    if failure is not None:
        raise HostError(failure.code, reason=failure.reason)
    if process.status not in (0, None) and not process.closed:
        raise HostError("capture_replay.ended", status=process.status or 0)


def _surroundings(*, needs_display: bool) -> dict[str, str]:
    """Variables for the browser: without a display it can still save what pages show."""
    if has_display():
        return {}
    if needs_display:
        raise ConfigurationError("capture_replay.no_display")
    return dict(WITHOUT_DISPLAY)


@contextmanager
def _private_folder(beside: Path) -> Iterator[Path]:
    """A new folder of this user alone, removed at the end of the block, or by the next start of the program."""
    folder = temporary_for(beside / f"replay-{secrets.token_hex(6)}")
    with noted(folder):
        try:
            folder.mkdir(mode=0o700)
        except OSError as error:
            raise HostError("output.unwritable", path=str(folder), reason=error.strerror or "") from error
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _copy(session: Session, exhibit: ExhibitRow, archive: Path, page: int, job: Job, *, one_of: bool) -> None:
    """The plain archive, every byte of it checked."""

    def created() -> BinaryIO:
        try:
            descriptor = os.open(
                archive, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600
            )
        except OSError as error:
            raise HostError("output.unwritable", path=str(archive), reason=error.strerror or "") from error
        return cast("BinaryIO", os.fdopen(descriptor, "w+b"))

    with opened_capture(session.desk, exhibit, created, job) as captured:
        captured.reader.check(job)
        numbers = [item.number for item in captured.manifest.pages]
        if not numbers:
            raise NotFoundError("capture_replay.no_pages", number=exhibit.number)
        if one_of and page not in numbers:
            raise UsageError("capture_replay.no_page", page=page, pages=len(numbers))
