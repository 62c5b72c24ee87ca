"""Verify a web capture (WACZ): container, manifest, streams against marks and tokens, action log, environment reports.

What is said of the machine and of how the capture came out rests on the desk alone. Never raises on foreign input.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO, Final

from evidence_desk.core.capture.actions import verify_actions
from evidence_desk.core.capture.connection import parse_index, stream_name
from evidence_desk.core.capture.environment import Outcome
from evidence_desk.core.capture.environment_codec import parse as parse_environment
from evidence_desk.core.capture.manifest import (
    MANIFEST,
    MAX_MANIFEST,
    FileDigest,
    Manifest,
    parse_manifest,
    place,
)
from evidence_desk.core.capture.marks import (
    MAX_MARK,
    MAX_STARTED,
    STARTED,
    STARTED_LEAF,
    Mark,
    StreamMark,
    parse_mark,
    parse_started,
    token_name,
)
from evidence_desk.core.capture.rows import CaptureResult
from evidence_desk.core.capture.stream import Direction, StreamReader
from evidence_desk.core.digests import DigestPair, PairHasher, sha256
from evidence_desk.core.job import Job
from evidence_desk.core.leaf import MAX_LEAF, LeafType, parse_leaf
from evidence_desk.core.merkle import leaf_hash
from evidence_desk.core.moment import format_moment
from evidence_desk.core.trust import Trust
from evidence_desk.core.verdict import (
    Caveat,
    Dimension,
    Finding,
    Parameter,
    Status,
    Vouches,
    unique_caveats,
    worst,
)
from evidence_desk.crypto import oids
from evidence_desk.errors import MalformedError
from evidence_desk.verify.captured import Bond
from evidence_desk.verify.time_proof import token_trust
from evidence_desk.wacz.layout import EVIDENCE, WARC
from evidence_desk.wacz.read import WaczReader
from tsa.response import RESPONSE_LIMIT
from tsa.verify import verify_token

MAX_TOKENS: Final = 2_000
_MAX_SMALL: Final = 64 << 20
_PIECE: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureVerdict:
    """Findings on one capture; `manifest` is None when it could not be read."""

    findings: tuple[Finding, ...]
    caveats: tuple[Caveat, ...] = ()
    manifest: Manifest | None = None


def verify_capture(
    source: BinaryIO, *, bond: Bond | None, trust: Trust, now: datetime, job: Job
) -> CaptureVerdict:
    """Findings on a WACZ of ours.

    Args:
        source: seekable.
        bond: of the exhibit it belongs to; None when it is judged by itself, which leaves undetermined whose it is.
        trust: for the tokens over the marks.
        now: moment of judgment (UTC).
        job: told stage ``verify`` in bytes.
    """
    work = _Work(bond, trust, now)
    try:
        reader = WaczReader(source)
        reader.check(job)
    except MalformedError as error:
        work.failed(Dimension.INTEGRITY, "capture.form", "wrong", reason=_reason(error))
        return work.verdict(None)
    work.passed(Dimension.INTEGRITY, "capture.form", files=len(reader.evidence))
    try:
        data = _read(reader, MANIFEST, MAX_MANIFEST)
        manifest = parse_manifest(data)
    except MalformedError as error:
        work.failed(Dimension.INTEGRITY, "capture.manifest", "malformed", reason=_reason(error))
        return work.verdict(None)
    _manifest(work, data, bond)
    _files(work, reader, manifest)
    _started(work, reader, manifest)
    marks = _marks(work, reader, manifest)
    _streams(work, reader, marks)
    _actions(work, reader, manifest, marks)
    _environment(work, reader, manifest)
    _result(work, manifest)
    return work.verdict(manifest)


@dataclass(slots=True)
class _Work:
    """Findings of one verification, as they come."""

    bond: Bond | None
    trust: Trust
    now: datetime
    findings: list[Finding] = field(default_factory=list)
    caveats: list[Caveat] = field(default_factory=list)

    def add(
        self, dimension: Dimension, check: str, status: Status, reason: str,
        who: Vouches = Vouches.COMPUTATION, /, **facts: Parameter,
    ) -> None:  # fmt: skip
        self.findings.append(
            Finding(
                dimension=dimension, check=check, status=status, code=f"{check}.{reason}", parameters=facts,
                who_vouches=who,
            )
        )  # fmt: skip

    def passed(self, dimension: Dimension, check: str, /, **facts: Parameter) -> None:
        self.add(dimension, check, Status.PASSED, "right", **facts)

    def failed(self, dimension: Dimension, check: str, reason: str, /, **facts: Parameter) -> None:
        self.add(dimension, check, Status.FAILED, reason, **facts)

    def unknown(self, dimension: Dimension, check: str, reason: str, /, **facts: Parameter) -> None:
        self.add(dimension, check, Status.UNDETERMINED, reason, Vouches.NOBODY, **facts)

    def verdict(self, manifest: Manifest | None) -> CaptureVerdict:
        """All of it."""
        return CaptureVerdict(
            findings=tuple(self.findings), caveats=unique_caveats(self.caveats), manifest=manifest
        )


def _manifest(work: _Work, data: bytes, bond: Bond | None) -> None:
    """The statement commits to this manifest."""
    if bond is None:
        work.unknown(Dimension.INTEGRITY, "capture.manifest", "alone")
    elif bond.manifest is None:
        work.unknown(Dimension.INTEGRITY, "capture.manifest", "no_statement")
    elif bond.manifest.matches(DigestPair.of(data)):
        work.passed(Dimension.INTEGRITY, "capture.manifest")
    else:
        work.failed(Dimension.INTEGRITY, "capture.manifest", "other")


def _files(work: _Work, reader: WaczReader, manifest: Manifest) -> None:
    """The files are those of the manifest, none more, none less, by size and both digests."""
    listed = {item.name: item for item in manifest.files}
    here = {*reader.evidence, WARC.removeprefix("archive/")} - {MANIFEST}
    for name in sorted(here ^ set(listed)):
        work.failed(
            Dimension.INTEGRITY, "capture.files", "unlisted" if name in here else "missing", name=name
        )
    wrong = [name for name in sorted(here & set(listed)) if not _matches(reader, listed[name])]
    for name in wrong:
        work.failed(Dimension.INTEGRITY, "capture.files", "differs", name=name)
    if not wrong and here == set(listed):
        work.passed(Dimension.INTEGRITY, "capture.files", count=len(here))


def _matches(reader: WaczReader, item: FileDigest) -> bool:
    hasher = PairHasher()
    path = place(item.name)
    try:
        with reader.open(item.name) if path.startswith(EVIDENCE) else reader.open_archive() as stream:
            while piece := stream.read(_PIECE):
                hasher.update(piece)
    except MalformedError:
        return False
    return hasher.size == item.size and item.digests.matches(hasher.digest())


def _started(work: _Work, reader: WaczReader, manifest: Manifest) -> None:
    """``capture.started`` was in the log first: its leaf is the one referred to, and commits to ``started.json``."""
    check = "capture.started"
    try:
        document, leaf_bytes = _read(reader, STARTED, MAX_STARTED), _read(reader, STARTED_LEAF, MAX_LEAF)
        started, leaf = parse_started(document), parse_leaf(leaf_bytes)
    except MalformedError as error:
        work.failed(Dimension.INTEGRITY, check, "malformed", reason=_reason(error))
        return
    bond = work.bond
    digest = leaf_hash(leaf_bytes)
    commitment = leaf.facts.get("commitment")
    if (
        leaf.type is not LeafType.CAPTURE_STARTED
        or digest != manifest.started
        or started.id != manifest.id
        or commitment != DigestPair.of(document).to_json()
        or started.environment != manifest.before
    ):
        work.failed(Dimension.INTEGRITY, check, "other")
    elif bond is not None and bond.started is not None and bond.started != digest:
        work.failed(Dimension.INTEGRITY, check, "not_referred")
    elif bond is None or bond.started is None:
        work.unknown(Dimension.INTEGRITY, check, "alone", at=started.at)
    else:
        work.passed(Dimension.INTEGRITY, check, at=started.at)


def _marks(work: _Work, reader: WaczReader, manifest: Manifest) -> list[Mark]:
    """Every mark is about this capture; each token covers its mark."""
    marks: list[Mark] = []
    try:
        started = sha256(_read(reader, STARTED, MAX_STARTED))
        for item in manifest.marks:
            mark = parse_mark(_read(reader, item.name, MAX_MARK))
            if mark.started != started:
                work.failed(Dimension.INTEGRITY, "capture.marks", "other", name=item.name)
                return []
            marks.append(mark)
    except MalformedError as error:
        work.failed(Dimension.INTEGRITY, "capture.marks", "malformed", reason=_reason(error))
        return []
    _tokens(work, reader, manifest)
    return marks


def _tokens(work: _Work, reader: WaczReader, manifest: Manifest) -> None:
    """Tokens over the marks: how many hold, and the first and last time they show.

    They tell how the capture went; that it existed, the exhibit's own token shows. Only a false one speaks against that.
    """
    statuses: list[Status] = []
    moments: list[datetime] = []
    missing = 0
    for index, item in enumerate(manifest.marks[:MAX_TOKENS]):
        if not item.token:
            missing += 1
            continue
        try:
            token = _read(reader, token_name(index), RESPONSE_LIMIT)
            imprint = sha256(_read(reader, item.name, MAX_MARK))
        except MalformedError:
            statuses.append(Status.FAILED)
            continue
        verdict = verify_token(
            token, hash_oid=oids.SHA256, imprint=imprint, trust=token_trust(work.trust), now=work.now,
            proof_of_existence=None if work.bond is None else work.bond.existed,
        )  # fmt: skip
        statuses.append(verdict.status)
        work.caveats.extend(verdict.caveats)
        if verdict.facts is not None:
            moments.append(verdict.facts.gen_time)
    facts: dict[str, Parameter] = {"count": len(statuses), "missing": missing}
    if moments:
        facts |= {"first": format_moment(min(moments)), "last": format_moment(max(moments))}
    status = worst(statuses)
    if not statuses:
        work.unknown(Dimension.ENVIRONMENT, "capture.tokens", "none", missing=missing)
    elif status is Status.PASSED:
        reason = "some" if missing else "right"
        work.add(Dimension.ENVIRONMENT, "capture.tokens", Status.PASSED, reason, Vouches.AUTHORITY, **facts)
    elif status is Status.FAILED:
        work.failed(Dimension.TIME, "capture.tokens", "wrong", **facts)
    else:
        work.unknown(Dimension.ENVIRONMENT, "capture.tokens", "unknown", **facts)


def _streams(work: _Work, reader: WaczReader, marks: Sequence[Mark]) -> None:
    """Streams and their index agree, and every mark is a prefix of the streams."""
    check = "capture.streams"
    wanted: dict[int, list[StreamMark]] = {}
    for mark in marks:
        for item in mark.streams:
            wanted.setdefault(item.number, []).append(item)
    try:
        connections = parse_index(_read(reader, "connections.jsonl", _MAX_SMALL))
        names = {name for name in reader.evidence if name.startswith("stream-")}
        count = 0
        for connection in connections:
            name = stream_name(connection.number)
            if name not in names:
                if connection.sent or connection.received:
                    work.failed(Dimension.INTEGRITY, check, "missing", name=name)
                    return
                continue
            names.discard(name)
            count += 1
            whole = StreamMark(
                number=connection.number, sent=connection.sent, received=connection.received,
                sent_sha256=connection.sent_sha256, received_sha256=connection.received_sha256,
            )  # fmt: skip
            with reader.open(name) as stream:
                if not _passes(StreamReader(stream), [*wanted.pop(connection.number, []), whole]):
                    work.failed(Dimension.INTEGRITY, check, "differs", name=name)
                    return
    except MalformedError as error:
        work.failed(Dimension.INTEGRITY, check, "malformed", reason=_reason(error))
        return
    left = [number for number, items in wanted.items() if any(item.sent or item.received for item in items)]
    if names or left:
        work.failed(
            Dimension.INTEGRITY, check, "unlisted", name=min(names) if names else stream_name(min(left))
        )
    else:
        work.passed(Dimension.INTEGRITY, check, count=count, marks=len(marks))


def _passes(chunks: StreamReader, marks: Sequence[StreamMark]) -> bool:
    """Whether a stream goes through all of `marks`: at so many bytes each way, it had these digests."""
    sides = {Direction.OUT: _Side(), Direction.IN: _Side()}
    for mark in marks:
        sides[Direction.OUT].want(mark.sent, mark.sent_sha256)
        sides[Direction.IN].want(mark.received, mark.received_sha256)
    for side in sides.values():
        side.begin()
    for chunk in chunks:
        sides[chunk.direction].update(chunk.data)
    return all(side.passed for side in sides.values())


class _Side:
    """One direction of a stream, hashed up to each place where a mark says what the digest was."""

    def __init__(self) -> None:
        self._wanted: dict[int, bytes] = {}
        self._places: list[int] = []
        self._hash = hashlib.sha256()
        self._size = 0
        self._right = True

    def want(self, place: int, digest: bytes) -> None:
        """A mark."""
        if self._wanted.setdefault(place, digest) != digest:
            self._right = False

    def begin(self) -> None:
        """All marks are known."""
        self._places = sorted(self._wanted, reverse=True)
        self._compare()

    def update(self, data: bytes) -> None:
        """The next bytes."""
        view = memoryview(data)
        while self._places and self._size + len(view) >= self._places[-1]:
            part = self._places[-1] - self._size
            self._hash.update(view[:part])
            self._size += part
            view = view[part:]
            self._compare()
        self._hash.update(view)
        self._size += len(view)

    def _compare(self) -> None:
        while self._places and self._places[-1] == self._size:
            self._right = self._right and self._wanted[self._places.pop()] == self._hash.digest()

    @property
    def passed(self) -> bool:
        """Whether all marks were met, the last one at the end."""
        return self._right and not self._places and self._size == max(self._wanted, default=0)


def _actions(work: _Work, reader: WaczReader, manifest: Manifest, marks: Sequence[Mark]) -> None:
    """The action log is one chain that ends where manifest and last mark say."""
    check = "capture.actions"
    try:
        log = verify_actions(_read(reader, "actions.jsonl", _MAX_SMALL))
    except MalformedError as error:
        work.failed(Dimension.INTEGRITY, check, "malformed", reason=_reason(error))
        return
    heads = {item.number - 1: item.previous for item in log.actions} | {len(log.actions): log.head}
    expected = [(manifest.actions, manifest.head), *((mark.actions, mark.head) for mark in marks)]
    wrong = log.broken is not None or len(log.actions) != manifest.actions
    if wrong or any(heads.get(count) != head for count, head in expected):
        work.failed(Dimension.INTEGRITY, check, "differs")
    else:
        work.passed(Dimension.INTEGRITY, check, count=manifest.actions)


def _environment(work: _Work, reader: WaczReader, manifest: Manifest) -> None:
    """The environment reports are those committed to; what they say is the desk's word."""
    check = "capture.environment"
    bond = work.bond
    if bond is not None and bond.environment is not None and bond.environment != manifest.before:
        work.failed(Dimension.INTEGRITY, check, "other")
        return
    counts: dict[Outcome, int] = dict.fromkeys(Outcome, 0)
    for name, digests in (
        ("environment-before.json", manifest.before),
        ("environment-after.json", manifest.after),
    ):
        if digests is None:
            continue
        try:
            data = _read(reader, name, _MAX_SMALL)
            report = parse_environment(data)
        except MalformedError as error:
            work.failed(Dimension.INTEGRITY, check, "malformed", reason=_reason(error))
            return
        if not digests.matches(DigestPair.of(data)):
            work.failed(Dimension.INTEGRITY, check, "other")
            return
        for outcome in Outcome:
            counts[outcome] += report.count(outcome)
    facts: dict[str, Parameter] = {outcome.value: count for outcome, count in counts.items()}
    if counts[Outcome.FAIL]:
        status, reason = Status.FAILED, "failed"
    elif counts[Outcome.WARN] or counts[Outcome.UNCHECKED] or manifest.after is None:
        status, reason = Status.UNDETERMINED, "doubtful"
    else:
        status, reason = Status.PASSED, "right"
    work.add(Dimension.ENVIRONMENT, check, status, reason, Vouches.DESK, **facts)


def _result(work: _Work, manifest: Manifest) -> None:
    """How the capture came out, as the desk says."""
    status = Status.PASSED if manifest.result is CaptureResult.COMPLETE else Status.UNDETERMINED
    work.add(
        Dimension.ENVIRONMENT, "capture.result", status, manifest.result.value, Vouches.DESK,
        pages=len(manifest.pages), reasons=len(manifest.reasons), begun=format_moment(manifest.begun),
        ended=format_moment(manifest.ended),
    )  # fmt: skip


def _read(reader: WaczReader, name: str, limit: int) -> bytes:
    if reader.evidence.get(name, 0) > limit:
        raise MalformedError("malformed.too_large", what=name, limit=limit)
    with reader.open(name) as stream:
        return stream.read()


def _reason(error: MalformedError) -> str:
    return str(error.parameters.get("reason", error.code))
