"""Decode a capture's streams once more, with its key log, and hold what comes out against what it holds.

Nothing is written: what a builder would write is only hashed.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import BinaryIO, Final, Self, cast

from evidence_desk.core.canonical import JSON, decode
from evidence_desk.core.capture.manifest import Manifest
from evidence_desk.core.job import Job
from evidence_desk.errors import BugError, MalformedError, NotFoundError
from evidence_desk.wacz.build import BUILT, DIFFERENCES, KEYLOG, RECORDS, SESSIONS, WARC_NAME, build
from evidence_desk.wacz.compare import NETWORK
from evidence_desk.wacz.listing import parse_listing
from evidence_desk.wacz.read import WaczReader
from evidence_desk.wacz.record import RecordType

_MAX_INFO: Final = 1 << 20
_MAX_LINE: Final = 64 << 20
_BUFFER: Final = 1 << 20
_KEPT: Final = (RECORDS, SESSIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshakes:
    """TLS sessions on which something was said.

    Attributes:
        signed: the server's signature over the handshake and its Finished are right.
        resumed: its Finished is right, no certificate was shown: an earlier session was resumed.
        wrong: signature or Finished are wrong.
        unchecked: signed by an algorithm that is not checked here, or not decrypted to that point.
    """

    signed: int
    resumed: int
    wrong: int
    unchecked: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rechecked:
    """What came of it.

    Attributes:
        differs: files that came out otherwise.
        records: number of those that were made anew; `counts`: what was counted meanwhile, by name.
        partial: the browser's log is left out, so that it could not be compared.
    """

    differs: tuple[str, ...]
    records: int
    counts: Mapping[str, int]
    partial: bool
    handshakes: Handshakes


def recheck(
    reader: WaczReader, manifest: Manifest, key_log: bytes, spool: Callable[[], BinaryIO], job: Job
) -> Rechecked:
    """Make all that follows from the streams anew.

    Args:
        reader: of a capture, or of a copy that leaves out no stream.
        manifest: of it; what a copy leaves out is held against this.
        key_log: the browser's secrets.
        spool: makes an anonymous file ("w+b") for bodies.
        job: stage ``capture.build`` in bytes of streams.

    Raises:
        MalformedError: key log, index or a stream are none.
    """
    made = made_by(reader)
    if made is None:
        raise MalformedError("malformed.records", reason="warcinfo")
    workspace = _Sealed(reader, key_log, spool)
    try:
        built = build(workspace, software=manifest.software, at=made[1], job=job)
    except BugError as error:  # a stranger's manifest may name software as no archive does
        raise MalformedError("malformed.records", reason=error.code) from error
    differs = [name for name in BUILT if _differs(name, workspace, manifest)]
    partial = NETWORK not in reader.evidence and any(item.name == NETWORK for item in manifest.files)
    if partial:
        differs = [name for name in differs if name != DIFFERENCES]  # nothing to compare with
    if WARC_NAME in differs and _same_records(workspace.kept(RECORDS), reader):
        differs = [name for name in differs if name not in (WARC_NAME, RECORDS)]  # deflated by another zlib
    return Rechecked(
        differs=tuple(differs), records=len(built.records),
        counts=built.counts, partial=partial, handshakes=_handshakes(workspace.kept(SESSIONS)),
    )  # fmt: skip


def made_by(reader: WaczReader) -> tuple[str, int] | None:
    """Software and moment (microseconds of the Unix epoch) that the archive's first record names; None when none does.

    Raises:
        MalformedError: of a broken record.
    """
    for record in reader.records():
        if record.header.type is not RecordType.WARCINFO:
            break
        for line in record.body.read(_MAX_INFO).split(b"\r\n"):
            name, _, value = line.partition(b": ")
            if name == b"software":
                return value.decode("utf-8", "replace"), record.header.at
        break
    return None


def _differs(name: str, workspace: _Sealed, manifest: Manifest) -> bool:
    listed = next((item for item in manifest.files if item.name == name), None)
    return listed is None or workspace.made(name) != (listed.size, listed.digests.sha256)


def _same_records(made: bytes, reader: WaczReader) -> bool:
    """Whether all records have the same ids: each is derived from place, fields and digest of the block."""
    return [item.id for item in parse_listing(made)] == [item.id for item in reader.listing()]


def _handshakes(data: bytes) -> Handshakes:
    found = {"signed": 0, "resumed": 0, "wrong": 0, "unchecked": 0}
    for line in data.splitlines():
        value = decode(line, what=SESSIONS, limit=_MAX_LINE)
        if isinstance(value, dict) and value.get("suite") is not None:
            found[_handshake(value)] += 1
    return Handshakes(**found)


def _handshake(value: Mapping[str, JSON]) -> str:
    signature = value.get("certificate_verify")
    status = signature.get("status") if isinstance(signature, dict) else None
    finished = value.get("finished_server")
    if status == "invalid" or finished is False:
        return "wrong"
    if finished is not True:
        return "unchecked"
    if status == "valid":
        return "signed"
    return "resumed" if status is None and value.get("resumed") is True else "unchecked"


@dataclass(slots=True)
class _Sealed:
    """A sealed capture as the workspace that it was; what is written is hashed and forgotten.

    A builder reads in two threads; the reader's one source is not made for that.
    """

    reader: WaczReader
    key_log: bytes
    make: Callable[[], BinaryIO]
    _sinks: dict[str, _Sink] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def names(self) -> Sequence[str]:
        """What a builder starts from."""
        return sorted({*self.reader.evidence, KEYLOG} - set(BUILT))

    def size(self, name: str) -> int:
        """Bytes of a file."""
        return len(self.key_log) if name == KEYLOG else self.reader.evidence.get(name, 0)

    def open(self, name: str) -> BinaryIO:
        """Read a file."""
        if name == KEYLOG:
            return io.BytesIO(self.key_log)
        if name not in self.reader.evidence:
            raise NotFoundError("capture.no_file", name=name)
        with self._lock:
            return io.BufferedReader(_Shared(self.reader.open(name), self._lock), _BUFFER)

    def create(self, name: str) -> BinaryIO:
        """A file that is only hashed."""
        self._sinks[name] = _Sink(keep=name in _KEPT)
        return cast("BinaryIO", self._sinks[name])

    def append(self, name: str, data: bytes) -> None:  # noqa: ARG002 - of the protocol
        """Nothing is written."""
        raise BugError("bug.workspace_exists", name=name)

    def replace(self, name: str, data: bytes) -> None:  # noqa: ARG002 - of the protocol
        """Nothing is written."""
        raise BugError("bug.workspace_exists", name=name)

    def discard(self, name: str) -> None:
        """Nothing is there."""

    def spool(self) -> BinaryIO:
        """Place for bodies."""
        return self.make()

    def made(self, name: str) -> tuple[int, bytes]:
        """Size and SHA-256 of what a builder wrote."""
        return self._sinks[name].size, self._sinks[name].digest

    def kept(self, name: str) -> bytes:
        """What a builder wrote, of a file in `_KEPT`."""
        return self._sinks[name].data.getvalue()


class _Shared(io.RawIOBase):
    """A file of which a piece is read at a time, while no other file of the same container is read."""

    def __init__(self, stream: BinaryIO, lock: Lock) -> None:
        super().__init__()
        self._stream, self._lock = stream, lock

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Next bytes; 0 at the end. MalformedError ``malformed.wacz``."""
        with self._lock:
            data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class _Sink:
    """Takes what is written."""

    def __init__(self, *, keep: bool) -> None:
        self._hash = hashlib.sha256()
        self._keep = keep
        self.size = 0
        self.data = io.BytesIO()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""

    @property
    def digest(self) -> bytes:
        """SHA-256."""
        return self._hash.digest()

    def write(self, data: bytes) -> int:
        """Take bytes."""
        self._hash.update(data)
        self.size += len(data)
        if self._keep:
            self.data.write(data)
        return len(data)
