"""Look at a captured exhibit: what its WACZ holds, as a program shows it. Everything lazily, within bounds; nothing is run.

The file is foreign until it was compared with what was sealed: what cannot be read raises `MalformedError`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import BinaryIO, Final

from evidence_desk.core.capture.actions import NAME as ACTIONS
from evidence_desk.core.capture.actions import ActionChain, verify_actions
from evidence_desk.core.capture.environment import EnvironmentReport, When
from evidence_desk.core.capture.environment_codec import parse as parse_environment
from evidence_desk.core.capture.manifest import MANIFEST, MAX_MANIFEST, Manifest, parse_manifest
from evidence_desk.core.capture.marks import MAX_STARTED, STARTED, Started, parse_started
from evidence_desk.core.job import Job
from evidence_desk.core.rows import ObjectRow
from evidence_desk.errors import MalformedError, NotFoundError
from evidence_desk.services.capture_requests import Answer, Request, RequestIndex
from evidence_desk.services.capture_sessions import Chain, Session, read_certificates, read_sessions
from evidence_desk.services.custody import CustodyNote, record
from evidence_desk.services.decrypt import decrypt
from evidence_desk.services.desk import Desk
from evidence_desk.wacz.differences import MAX_SIZE, Comparison, parse_comparison
from evidence_desk.wacz.read import WaczReader

AFTER: Final = "environment-after.json"
BEFORE: Final = "environment-before.json"
CLEANLINESS: Final = "cleanliness-report.pdf"
DIFFERENCES: Final = "differences.json"
ARCHIVE: Final = "data.warc.gz"
MAX_PICTURE: Final = 128 << 20
MAX_TEXT: Final = 4 << 20
"""Bytes of a text that are shown; the rest can be saved."""
_MAX_ACTIONS: Final = 256 << 20
_MAX_REPORT: Final = 64 << 20
_PIECE: Final = 1 << 20
_MEDIA: Final = "application/wacz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """The beginning of a text; `cut` when there is more."""

    text: str
    cut: bool


class CaptureView:
    """An opened capture; safe from any thread. Close it: its plain copy is gone then.

    Args:
        source: the WACZ, seekable; closed with this.

    Raises:
        MalformedError: it is no capture of ours.
    """

    def __init__(self, source: BinaryIO) -> None:
        self._lock = threading.RLock()
        self._source = source
        self._reader = WaczReader(source)
        self.title: str = self._reader.package.title
        self.manifest: Manifest = parse_manifest(self._read(MANIFEST, MAX_MANIFEST))
        self.started: Started = parse_started(self._read(STARTED, MAX_STARTED))

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._source.close()

    @property
    def files(self) -> Mapping[str, int]:
        """Names of all files with their sizes in bytes."""
        return self._reader.evidence

    def picture(self, name: str) -> bytes:
        """A picture of a page.

        Raises:
            NotFoundError: ``capture.no_file``. MalformedError.
        """
        return self._read(name, MAX_PICTURE)

    def text(self, name: str) -> Text:
        """The beginning of a text of ours; see `picture`."""
        with self._lock, self._open(name) as stream:
            data = stream.read(MAX_TEXT + 1)
        return Text(text=data[:MAX_TEXT].decode("utf-8", "replace"), cut=len(data) > MAX_TEXT)

    def save(self, name: str, out: BinaryIO, job: Job) -> None:
        """Write a file as it lies in the capture; `ARCHIVE` too. See `picture`."""
        size = self.files.get(name, 0)
        done = 0
        with self._lock, self._open(name) as stream:
            while piece := stream.read(_PIECE):
                out.write(piece)
                done += len(piece)
                job.step("save", min(done, size or done), size or done)

    # --- what was asked and answered ------------------------------------------------------------------------------

    def requests(self, job: Job | None = None) -> tuple[Request, ...]:
        """All requests in the order of their connections; reads the archive through once.

        Raises:
            MalformedError: ``malformed.capture_list`` and the codes of the archive.
        """
        with self._lock:
            return self._index.read(job or Job())

    def answer(self, number: int) -> Answer:
        """Heads and beginning of the decoded body of a request; `requests` comes before.

        Raises:
            NotFoundError: ``capture.no_file``. MalformedError.
        """
        with self._lock:
            return self._index.answer(number)

    def save_body(self, number: int, out: BinaryIO, job: Job) -> str | None:
        """Write the decoded body; the code of what is wrong with it. See `answer`."""
        with self._lock:
            return self._index.save(number, out, job)

    @cached_property
    def _index(self) -> RequestIndex:
        return RequestIndex(self._reader)

    # --- the rest ---------------------------------------------------------------------------------------------------

    def sessions(self) -> tuple[Session, ...]:
        """TLS sessions by connection.

        Raises:
            MalformedError: ``malformed.capture_list``.
        """
        with self._lock:
            return read_sessions(self._reader)

    def chain(self, session: Session) -> Chain:
        """Certificates that the server sent in this session.

        Raises:
            MalformedError: of the archive.
        """
        with self._lock:
            return read_certificates(self._reader, session.certificates)

    def differences(self) -> Comparison | None:
        """How browser and record differ; None where it was left out.

        Raises:
            MalformedError: ``malformed.differences``.
        """
        if DIFFERENCES not in self.files:
            return None
        return parse_comparison(self._read(DIFFERENCES, MAX_SIZE))

    def actions(self) -> ActionChain | None:
        """The action log.

        Raises:
            MalformedError: ``malformed.actions``.
        """
        if ACTIONS not in self.files:
            return None
        return verify_actions(self._read(ACTIONS, _MAX_ACTIONS))

    def environment(self, when: When) -> EnvironmentReport | None:
        """A report on the machine, None when it was not made.

        Raises:
            MalformedError: ``malformed.environment``.
        """
        name = BEFORE if when is When.BEFORE else AFTER
        return parse_environment(self._read(name, _MAX_REPORT)) if name in self.files else None

    def cleanliness(self) -> bytes:
        """Both reports as PDF; see `picture`."""
        return self._read(CLEANLINESS, _MAX_REPORT)

    def _read(self, name: str, limit: int) -> bytes:
        if self.files.get(name, 0) > limit:
            raise MalformedError("malformed.too_large", what=name, limit=limit)
        with self._lock, self._open(name) as stream:
            return stream.read()

    def _open(self, name: str) -> BinaryIO:
        if name == ARCHIVE:
            return self._reader.open_archive()
        if name not in self.files:
            raise NotFoundError("capture.no_file", name=name)
        return self._reader.open(name)


def is_capture(item: ObjectRow) -> bool:
    """Whether a file of an exhibit is the WACZ of a capture."""
    return item.media_type == _MEDIA or item.path.lower().endswith(".wacz")


def open_exhibit(
    desk: Desk, leaf_hash: bytes, spool: Callable[[], BinaryIO], *, job: Job, operator: str = ""
) -> CaptureView:
    """Decrypt the WACZ of an exhibit into `spool`, an anonymous file, and open it. The custody record says so before.

    Raises:
        NotFoundError: ``find.exhibit``, ``vault.case_erased``, ``capture.no_file`` when it is no capture.
        IntegrityError: ``vault.object_damaged``. MalformedError. HostError.
    """
    row = desk.store.exhibits.exhibit(leaf_hash)
    if row is None:
        raise NotFoundError("find.exhibit", number=leaf_hash.hex())
    if row.erased:
        raise NotFoundError("vault.case_erased")
    item = next((item for item in row.objects if is_capture(item)), None)
    if item is None:
        raise NotFoundError("capture.no_file", name="*.wacz")
    note = CustodyNote(
        exhibit=leaf_hash, action="opened", operator=operator, details={"file": item.position + 1}
    )
    record(desk, [note])
    plain = spool()
    try:
        decrypt(desk.store.objects, item.stored, row.case_number, plain, job=job, stage="view")
        plain.seek(0)
        return CaptureView(plain)
    except BaseException:
        plain.close()
        raise
