"""A whole capture made of recorded bytes, without a browser; copies of it, and forging either with every digest right."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from tempfile import TemporaryFile
from typing import Any, BinaryIO, cast

import pyrage

from evidence_desk.core.capture.actions import START
from evidence_desk.core.capture.connection import Connection, Ending, encode_connection, stream_name
from evidence_desk.core.capture.lookup import Lookup, Outcome, encode_lookup
from evidence_desk.core.capture.manifest import (
    MANIFEST,
    SECRETS,
    FileDigest,
    Manifest,
    MarkResult,
    encode_manifest,
    parse_manifest,
)
from evidence_desk.core.capture.marks import (
    STARTED,
    STARTED_LEAF,
    Mark,
    MarkKind,
    Started,
    encode_mark,
    encode_started,
)
from evidence_desk.core.capture.plan import CapturePlan
from evidence_desk.core.capture.redaction import (
    ARCHIVE,
    REDACTION,
    Redaction,
    Why,
    Withheld,
    encode_redaction,
    parse_redaction,
)
from evidence_desk.core.capture.rows import CaptureResult
from evidence_desk.core.capture.story import LIMITS
from evidence_desk.core.capture.stream import Chunk, Direction, encode_chunk
from evidence_desk.core.digests import DigestPair, sha256
from evidence_desk.core.job import Job
from evidence_desk.core.leaf import Leaf, LeafType
from evidence_desk.core.merkle import leaf_hash
from evidence_desk.core.moment import format_moment
from evidence_desk.core.package.zip_writer import ZipWriter
from evidence_desk.core.trust import NO_TRUST
from evidence_desk.core.verdict import Dimension, Status
from evidence_desk.errors import MalformedError
from evidence_desk.verify.capture import CaptureVerdict, verify_capture
from evidence_desk.verify.captured import Bond
from evidence_desk.wacz.build import BUILT, build
from evidence_desk.wacz.copy import write_copy
from evidence_desk.wacz.layout import Page
from evidence_desk.wacz.members import HEADER, TRAILER
from evidence_desk.wacz.pack import About, pack_wacz
from evidence_desk.wacz.read import WaczReader
from evidence_desk.wacz.record import Bytes
from evidence_desk.wacz.stored import read_record
from evidence_desk.wacz.warc import Written, describe
from evidence_desk.wacz.withhold import Wish, choose
from tests.fixed import ORIGIN
from tests.unit.wacz.samples import get, plain
from tests.unit.wacz.tls_recording import AT, connection, record

NOTHING = Wish()
BEGUN = datetime(2026, 2, 2, 2, 40, tzinfo=UTC)
SOFTWARE = "Evidence Desk 0.1.0"
PAGE = "<!doctype html><meta charset=utf-8><p>正文".encode() * 30
COOKIE = "session=s3cret-cookie"
PAGES = [Page(id="page-001", url="https://site.test/", title="证据", at=format_moment(BEGUN))]
ABOUT = About(title="证据", created="2026-02-02T02:45:00Z", software=SOFTWARE)

Answers = Mapping[str, bytes]
ANSWERS: Answers = {
    "/": plain(PAGE, "Content-Type: text/html"),
    "/login": plain(b"", f"Set-Cookie: {COOKIE}; HttpOnly", status="303 See Other"),
    "/account": plain(PAGE[::-1], "Content-Type: text/html"),
}


def with_cookie(path: str) -> bytes:
    return get(path).replace(b"\r\n\r\n", f"\r\nCookie: {COOKIE}\r\n\r\n".encode())


def asked(path: str) -> str:
    return path.split(" ")[1]


@dataclass
class Memory:
    """A workspace in memory."""

    files: dict[str, bytes] = field(default_factory=dict)

    def names(self) -> list[str]:
        return sorted(self.files)

    def size(self, name: str) -> int:
        return len(self.files[name])

    def open(self, name: str) -> BinaryIO:
        return io.BytesIO(self.files[name])

    def create(self, name: str) -> BinaryIO:
        files = self.files

        class Sink(io.BytesIO):
            def close(self) -> None:
                files[name] = self.getvalue()
                super().close()

        return Sink()

    def append(self, name: str, data: bytes) -> None:
        self.files[name] = self.files.get(name, b"") + data

    def replace(self, name: str, data: bytes) -> None:
        self.files[name] = data

    def discard(self, name: str) -> None:
        self.files.pop(name, None)

    def spool(self) -> BinaryIO:
        return spool()


@dataclass(frozen=True)
class Captured:
    """A capture: its WACZ, its key log, and what the exhibit says of it."""

    wacz: bytes
    key_log: bytes
    bond: Bond

    @property
    def manifest(self) -> Manifest:
        return parse_manifest(WaczReader(io.BytesIO(self.wacz)).open(MANIFEST).read())


def spool() -> BinaryIO:
    return cast("BinaryIO", TemporaryFile("w+b"))


def recorded(answers: Answers = ANSWERS) -> tuple[dict[str, bytes], bytes]:
    """Streams and index: TLS with a log-in; the same page in the clear, with a cookie; key log."""
    tls = record([get("/"), get("/login", "POST", body=b"word=geheim"), with_cookie("/account")], lambda data: answers[asked(data.decode())])  # fmt: skip
    clear = tuple(
        Chunk(direction=way, at=AT + at, data=data)
        for at, (way, data) in enumerate(
            [(Direction.OUT, with_cookie("/account")), (Direction.IN, answers["/account"])]
        )
    )
    open_ = (Chunk(direction=Direction.OUT, at=AT, data=get("/", host="plain.test")), Chunk(direction=Direction.IN, at=AT, data=answers["/"]))  # fmt: skip
    plain_site: dict[str, Any] = {"host": "plain.test", "port": 80}
    connections = [
        connection(1, tls.chunks), connection(2, clear, **plain_site), connection(3, open_, **plain_site),
    ]  # fmt: skip
    files = {
        "network.jsonl": b"", "connections.jsonl": b"".join(map(encode_connection, connections)),
        "opened.jsonl": b"".join(encode_connection(as_opened(item)) for item in connections),
        "lookups.jsonl": b"".join(encode_lookup(looked_up(item)) for item in connections if item.answers),
    }  # fmt: skip
    for item, chunks in zip(connections, (tls.chunks, clear, open_), strict=True):
        files[stream_name(item.number)] = b"".join(map(encode_chunk, chunks))
    return files, tls.keylog


def built(streams: Mapping[str, bytes], key_log: bytes, software: str = SOFTWARE) -> dict[str, bytes]:
    """What follows from streams."""
    workspace = Memory({**streams, "keylog.txt": key_log})
    build(workspace, software=software, at=AT, job=Job())
    return {name: workspace.files[name] for name in BUILT}


def sealed(
    files: Mapping[str, bytes],
    private: Mapping[str, bytes],
    software: str = SOFTWARE,
    *,
    change: Callable[[Manifest], Manifest] = lambda manifest: manifest,
    end: bool = False,
) -> tuple[bytes, Bond]:
    """Files of a capture with marks, manifest and container, and the bond of its exhibit.

    `change` is made to the manifest before anything commits to it; with `end` the recorder came to its end.
    """
    started = Started(
        id=bytes(16), case_number="案一", at=format_moment(BEGUN), plan=CapturePlan(urls=("https://site.test/",)),
        environment=None, nonce=bytes(32), header=None,
    )  # fmt: skip
    document = encode_started(started)
    leaf = Leaf(
        log=ORIGIN, seq=0, type=LeafType.CAPTURE_STARTED, at=BEGUN,
        facts={"commitment": {**DigestPair.of(document).to_json()}},
    ).encode()  # fmt: skip
    mark = Mark(
        kind=MarkKind.END if end else MarkKind.START, started=sha256(document), at=format_moment(BEGUN), streams=(), actions=0,
        head=START, environment_after=None,
    )  # fmt: skip
    public = {
        **files, STARTED: document, STARTED_LEAF: leaf, "mark-000.json": encode_mark(mark),
        **({SECRETS: files.get(SECRETS) or enveloped(zipped(private))} if private else {}),
        "page-001.txt": "正文".encode(), "actions.jsonl": b"",
    }  # fmt: skip
    manifest = Manifest(
        id=bytes(16), started=leaf_hash(leaf), software=software, result=CaptureResult.PARTIAL, reasons=(), begun=BEGUN, ended=BEGUN,
        browser={}, pages=(), counts=counted(files, private), before=None, after=None, checks=(),
        marks=(MarkResult(name="mark-000.json", token=False, gen_time=None),), actions=0, head=START, limits=LIMITS,
        files=_digests(public), private=_digests(private),
    )  # fmt: skip
    data = encode_manifest(change(manifest))
    bond = Bond(manifest=DigestPair.of(data), environment=None, started=leaf_hash(leaf))
    return packed(public[ARCHIVE], {**public, MANIFEST: data}), bond


def counted(streams: Mapping[str, bytes], private: Mapping[str, bytes]) -> Mapping[str, int]:
    """What is counted while streams are read; nothing for streams that cannot be."""
    workspace = Memory({name: data for name, data in streams.items() if name not in BUILT})
    workspace.files["keylog.txt"] = private.get("keylog.txt", b"")
    try:
        return build(workspace, software=SOFTWARE, at=AT, job=Job()).counts
    except MalformedError:
        return {}


def as_opened(item: Connection) -> Connection:
    """Its line in ``opened.jsonl``."""
    nothing = sha256(b"")
    return replace(
        item, ending=Ending.UNKNOWN, reason=None, closed_at=None, sent=0, received=0, sent_sha256=nothing,
        received_sha256=nothing,
    )  # fmt: skip


def looked_up(item: Connection) -> Lookup:
    """What the resolver answered before it was opened."""
    return Lookup(
        host=item.host, kind="system", server=None, transport="system", asked_at=item.opened_at, microseconds=1,
        outcome=Outcome.ANSWERED, answers=item.answers,
    )  # fmt: skip


def zipped(files: Mapping[str, bytes]) -> bytes:
    """The container inside ``secrets.age``."""
    out = io.BytesIO()
    writer = ZipWriter(out)
    for name in sorted(files):
        writer.add(name, io.BytesIO(files[name]), len(files[name]))
    writer.finish()
    return out.getvalue()


def enveloped(data: bytes, keys: int = 1) -> bytes:
    """An age file for so many keys."""
    return bytes(pyrage.encrypt(data, [pyrage.x25519.Identity.generate().to_public() for _ in range(keys)]))


def _digests(files: Mapping[str, bytes]) -> tuple[FileDigest, ...]:
    return tuple(
        FileDigest(name=name, size=len(files[name]), digests=DigestPair.of(files[name]))
        for name in sorted(files)
    )


def members_of(warc: bytes) -> list[bytes]:
    """The gzip members of an archive."""
    found: list[bytes] = []
    while warc:
        inflate = zlib.decompressobj(-15)
        inflate.decompress(warc[len(HEADER) :])
        size = len(warc) - len(inflate.unused_data) + TRAILER.size
        found.append(warc[:size])
        warc = warc[size:]
    return found


def described(members: list[bytes]) -> list[Written]:
    """Where they lie, one after the other."""
    result: list[Written] = []
    place = 0
    for member in members:
        item = read_record(io.BytesIO(member))
        result.append(describe(place, len(member), sha256(member), item.header, item.head))
        place += len(member)
    return result


def packed(warc: bytes, files: Mapping[str, bytes]) -> bytes:
    """A container with its own lists right."""
    out = io.BytesIO()
    pack_wacz(
        out, warc=Bytes(warc), records=described(members_of(warc)), pages=PAGES,
        evidence={name: Bytes(data) for name, data in files.items() if name != ARCHIVE}, about=ABOUT,
    )  # fmt: skip
    return out.getvalue()


@cache
def capture() -> Captured:
    """The capture of these tests."""
    streams, key_log = recorded()
    private = {"keylog.txt": key_log, "cookies.json": b"[]"}
    wacz, bond = sealed({**streams, **built(streams, key_log)}, private)
    return Captured(wacz, key_log, bond)


def copy_of(
    source: Captured,
    wish: Wish = NOTHING,
    opened: Mapping[str, bytes] | None = None,
    reason: str = "",
) -> bytes:
    """A disclosure copy."""
    reader = WaczReader(io.BytesIO(source.wacz))
    data = reader.open(MANIFEST).read()
    manifest = parse_manifest(data)
    chosen = choose(reader, manifest, wish)
    redaction = Redaction(
        manifest=DigestPair.of(data), at=BEGUN, reason=reason, files=chosen.files, records=chosen.records,
        opened=tuple(sorted(opened or {})),
    )  # fmt: skip
    out = io.BytesIO()
    write_copy(out, reader, manifest, redaction, kept=chosen.kept, opened=opened or {})
    return out.getvalue()


@dataclass
class Parts:
    """What lies in a WACZ, to be changed."""

    members: list[bytes]
    files: dict[str, bytes]

    def redact(self, change: Callable[[Redaction], Redaction]) -> None:
        """Another redaction."""
        self.files[REDACTION] = encode_redaction(change(parse_redaction(self.files[REDACTION])))


def forged(data: bytes, change: Callable[[Parts], object]) -> bytes:
    """`data` with `change` made and every digest of the container right again."""
    reader = WaczReader(io.BytesIO(data))
    parts = Parts(
        members_of(reader.open_archive().read()), {name: reader.open(name).read() for name in reader.evidence}
    )
    change(parts)
    return packed(b"".join(parts.members), parts.files)


def judged(data: bytes, bond: Bond | None, **more: Any) -> CaptureVerdict:
    """The verifier's findings."""
    return verify_capture(
        io.BytesIO(data), bond=bond, trust=NO_TRUST, now=datetime.now(UTC), job=Job(), spool=spool, **more
    )


def codes(verdict: CaptureVerdict, status: Status) -> set[str]:
    """Codes of the findings; of the manifest's own story (``capture.told``) nothing, these captures have none."""
    return {
        item.code
        for item in verdict.findings
        if item.status is status and not item.code.startswith("capture.told")
    }


def broken(verdict: CaptureVerdict) -> set[str]:
    """Codes of what speaks against it."""
    return {
        item.code
        for item in verdict.findings
        if item.status is Status.FAILED
        and item.dimension is Dimension.INTEGRITY
        and not item.code.startswith("capture.told")
    }


def withhold(name: str, why: Why = Why.CHOSEN) -> Callable[[Redaction], Redaction]:
    """Declare one more file."""
    return lambda item: replace(
        item, files=tuple(sorted((*item.files, Withheld(name=name, why=why)), key=lambda one: one.name))
    )
