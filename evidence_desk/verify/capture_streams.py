"""Verify the recorded streams of a capture: against their index, and every mark as a place that each of them passed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from evidence_desk.core.capture.connection import parse_index, stream_name
from evidence_desk.core.capture.marks import Mark, StreamMark
from evidence_desk.core.capture.redaction import INDEX
from evidence_desk.core.capture.stream import Chunk, Direction, StreamReader
from evidence_desk.core.moment import format_moment
from evidence_desk.core.verdict import Dimension
from evidence_desk.errors import MalformedError
from evidence_desk.verify.capture_work import Work, read, reason_of
from evidence_desk.wacz.read import WaczReader

_MAX_INDEX: Final = 512 << 20
_TOLERANCE: Final = timedelta(minutes=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def check_streams(
    work: Work, reader: WaczReader, marks: Sequence[Mark], begun: datetime, ended: datetime
) -> None:
    """Streams and their index agree, every mark is a prefix of the streams, and chunks lie between beginning and end."""
    check = "capture.streams"
    wanted: dict[int, list[StreamMark]] = {}
    span = _Span()
    for mark in marks:
        for item in mark.streams:
            wanted.setdefault(item.number, []).append(item)
    try:
        # nothing came to the recorder: the browser did not start
        connections = parse_index(read(reader, INDEX, _MAX_INDEX)) if INDEX in reader.evidence else ()
        names = {name for name in reader.evidence if name.startswith("stream-")}
        count = withheld = 0
        for connection in connections:
            name = stream_name(connection.number)
            if name in work.withheld:
                withheld += 1
                wanted.pop(connection.number, None)
                continue
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
                if not _passes(span.over(StreamReader(stream)), [*wanted.pop(connection.number, []), whole]):
                    work.failed(Dimension.INTEGRITY, check, "differs", name=name)
                    return
    except MalformedError as error:
        work.failed(Dimension.INTEGRITY, check, "malformed", reason=reason_of(error))
        return
    left = [number for number, items in wanted.items() if any(item.sent or item.received for item in items)]
    if names or left:
        work.failed(
            Dimension.INTEGRITY, check, "unlisted", name=min(names) if names else stream_name(min(left))
        )
    elif withheld:
        work.unknown(Dimension.INTEGRITY, check, "withheld", count=count, marks=len(marks), withheld=withheld)
    else:
        work.passed(Dimension.INTEGRITY, check, count=count, marks=len(marks))
    if span.outside(begun, ended):
        work.unknown(
            Dimension.ENVIRONMENT, "capture.moments", "outside", first=span.text(0), last=span.text(1)
        )


class _Span:
    """First and last moment of the chunks that were read."""

    def __init__(self) -> None:
        self._ends: tuple[int, int] | None = None

    def over(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        """The same chunks, their moments noted."""
        for chunk in chunks:
            first, last = self._ends or (chunk.at, chunk.at)
            self._ends = min(first, chunk.at), max(last, chunk.at)
            yield chunk

    def outside(self, begun: datetime, ended: datetime) -> bool:
        """Whether any lies before the beginning or after the end."""
        if self._ends is None:
            return False
        low, high = begun - _TOLERANCE, ended + _TOLERANCE
        return self._ends[0] < low.timestamp() * 1_000_000 or self._ends[1] > high.timestamp() * 1_000_000

    def text(self, end: int) -> str:
        """One of them, in UTC; the number itself where no calendar has it."""
        at = 0 if self._ends is None else self._ends[end]
        try:
            return format_moment(_EPOCH + timedelta(microseconds=at))
        except OverflowError:
            return str(at)


def _passes(chunks: Iterable[Chunk], marks: Sequence[StreamMark]) -> bool:
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
            wanted = self._wanted[self._places.pop()]
            self._right = self._right and wanted == self._hash.digest()

    @property
    def passed(self) -> bool:
        """Whether all marks were met, the last one at the end."""
        return self._right and not self._places and self._size == max(self._wanted, default=0)
