"""Copies of originals to look at: decrypted, compared with both digests, read-only.

They lie in a private folder that is removed when the vault locks or the program ends. The custody record says that they
were opened, before they are.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

from PySide6.QtCore import QCoreApplication, QLockFile, QObject, QUrl
from PySide6.QtGui import QDesktopServices

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.core.rows import ExhibitRow, ObjectRow
from evidence_desk.errors import EvidenceDeskError, HostError, NotFoundError, UsageError
from evidence_desk.services.custody import CustodyNote, record
from evidence_desk.services.decrypt import decrypt
from ui.context import Context
from ui.start.operator import operator_name
from ui.tasks import Lane, Running

PREFIX: Final = "evidence-desk-view-"
_NAME: Final = "viewing"
_LOCK: Final = ".lock"
_PIECE: Final = 1 << 20
VIEWED: Final = frozenset(
    [
        ".bmp",
        ".csv",
        ".doc",
        ".docx",
        ".eml",
        ".flac",
        ".gif",
        ".jpeg",
        ".jpg",
        ".log",
        ".m4a",
        ".md",
        ".mkv",
        ".mov",
        ".mp3",
        ".mp4",
        ".odp",
        ".ods",
        ".odt",
        ".ofd",
        ".ogg",
        ".pdf",
        ".png",
        ".ppt",
        ".pptx",
        ".rtf",
        ".tif",
        ".tiff",
        ".txt",
        ".wav",
        ".webm",
        ".webp",
        ".wps",
        ".xls",
        ".xlsx",
    ]
)
"""Kinds that are handed to the system's program for them. Evidence may be a program: nothing else is ever started."""


class Viewing(QObject):
    """One for each open program; pages come and go."""

    def __init__(self, context: Context) -> None:
        super().__init__(context.desk)
        self.setObjectName(_NAME)
        self._context = context
        self._folder: Path | None = None
        self._guard: QLockFile | None = None
        self._making: set[Running[Path]] = set()
        context.desk.locked.connect(self._on_locked)
        application = QCoreApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.remove)

    @property
    def folder(self) -> Path | None:
        """The private folder, None before anything was opened."""
        return self._folder

    def open(self, leaf_hash: bytes, position: int) -> None:
        """Decrypt one file of an exhibit and show it with the program that the system has for it."""
        if self._context.desk.session is None:
            return

        def done(path: Path) -> None:
            withdrawn = task not in self._making
            self._making.discard(task)
            if withdrawn:  # locked meanwhile: nothing plain is left
                remove_folder(path.parent)
                if self._context.desk.session is None:
                    self.remove()
                return
            known = path.suffix.lower() in VIEWED
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(path if known else path.parent)))
            self._context.messages.inform("ui_cases.view.opened" if known else "ui_cases.view.folder")

        def work(session: Session, job: Job) -> Path:
            return decrypted(session, leaf_hash, position, self._place(), job)

        def failed(error: EvidenceDeskError) -> None:
            self._making.discard(task)
            self._context.tasks.on_unhandled(error)

        # not the page's: a copy is removed also when the page is gone before it is made
        task = self._context.desk.run(
            work, owner=self, done=done, failed=failed, lane=Lane.VAULT, title="ui_cases.work.view", changes=True
        )  # fmt: skip
        self._making.add(task)

    def remove(self) -> None:
        """Remove every copy now."""
        folder, guard = self._folder, self._guard
        self._folder = self._guard = None
        if guard is not None:
            guard.unlock()
        if folder is not None:
            remove_folder(folder)

    def _place(self) -> Path:
        """A new private folder for one copy, inside that of this program."""
        if self._folder is None or not self._folder.is_dir():
            remove_leftovers()
            self._folder = Path(tempfile.mkdtemp(prefix=PREFIX))
            self._guard = QLockFile(str(self._folder / _LOCK))
            self._guard.tryLock(0)
        return Path(tempfile.mkdtemp(dir=self._folder))

    def _on_locked(self) -> None:
        for task in self._making:
            task.cancel()
        self._making.clear()
        folder, guard = self._folder, self._guard
        self._folder = self._guard = None
        if guard is not None:
            guard.unlock()
        if folder is not None:
            # a video of many gigabytes takes its time to be unlinked
            self._context.tasks.run(
                Lane.CPU, lambda _job: remove_folder(folder), owner=self, done=lambda _: None,
                failed=lambda _: remove_folder(folder),
            )  # fmt: skip


def viewing(context: Context) -> Viewing:
    """The program's one `Viewing`."""
    found = context.desk.findChild(Viewing, _NAME)
    return found if isinstance(found, Viewing) else Viewing(context)


def decrypted(session: Session, leaf_hash: bytes, position: int, folder: Path, job: Job) -> Path:
    """Write a read-only copy of one original (`position` from 0) into `folder`, which is removed when that fails.

    Raises:
        NotFoundError: ``find.exhibit``, ``vault.case_erased``. IntegrityError: ``vault.object_damaged``.
        HostError: ``host.disk_full``, ``output.unwritable``.
    """
    try:
        row, item = _original(session, leaf_hash, position)
        path = folder / safe_name(item)
        _copy(session, row, item, path, job)
        note = CustodyNote(
            exhibit=leaf_hash, action="opened", operator=operator_name(session), details={"file": position + 1}
        )  # fmt: skip
        record(session.desk, [note])
    except BaseException:
        remove_folder(folder)
        raise
    return path


def _original(session: Session, leaf_hash: bytes, position: int) -> tuple[ExhibitRow, ObjectRow]:
    row = session.vault.exhibits.exhibit(leaf_hash)
    if row is None:
        raise NotFoundError("find.exhibit", number=leaf_hash.hex())
    if row.erased:
        raise NotFoundError("vault.case_erased")
    if not 0 <= position < len(row.objects):
        raise UsageError("derive.position", number=row.number, files=len(row.objects))
    return row, row.objects[position]


def _copy(session: Session, row: ExhibitRow, item: ObjectRow, path: Path, job: Job) -> None:
    try:
        with _created(path) as copy:
            decrypt(session.vault.objects, item.stored, row.case_number, copy, job=job, stage="view")
    except OSError as error:
        raise HostError("output.unwritable", path=str(path), reason=error.strerror or "") from error
    path.chmod(stat.S_IRUSR)


def _created(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def safe_name(item: ObjectRow) -> str:
    """The file's own name as far as every system takes it: at most 80 characters, no paths, nothing invisible."""
    kept = "".join(
        char if char.isprintable() and char not in '\\/:*?"<>|' else "_"
        for char in item.path.rpartition("/")[2]
    )
    suffix = Path(kept).suffix
    stem = kept.removesuffix(suffix)
    name = f"{stem[:64].strip(' .') or 'file'}{suffix[:16].rstrip(' .')}"
    return f"{item.position + 1:04d}-{name}"


def remove_folder(folder: Path) -> None:
    """Remove a folder of copies; what another program holds open stays and is removed at the next start."""
    for path in [*folder.rglob("*"), folder]:
        with suppress(OSError):
            path.chmod(stat.S_IRWXU if path.is_dir() else stat.S_IRUSR | stat.S_IWUSR)
    shutil.rmtree(folder, ignore_errors=True)


def remove_leftovers() -> None:
    """Remove copies that a crashed run of this user left behind; those of a running program are guarded."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):
            own = not hasattr(os, "getuid") or folder.lstat().st_uid == os.getuid()
            if not own or folder.is_symlink() or not (folder / _LOCK).exists():
                continue
            guard = QLockFile(str(folder / _LOCK))
            if guard.tryLock(0):
                guard.unlock()
                remove_folder(folder)
