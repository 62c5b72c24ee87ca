"""Requests of a capture and their answers: the list of exchanges put together with the records of the archive."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO, Final

from evidence_desk.core.canonical import JSON, decode
from evidence_desk.core.job import Job
from evidence_desk.errors import MalformedError, NotFoundError
from evidence_desk.wacz.archive import target
from evidence_desk.wacz.build import EXCHANGES, RECORDS
from evidence_desk.wacz.cdx import Entry
from evidence_desk.wacz.http.content import Content
from evidence_desk.wacz.http.heads import first
from evidence_desk.wacz.read import Found, WaczReader
from evidence_desk.wacz.record import Header, RecordType
from evidence_desk.wacz.replay import content, headers

MAX_LINES: Final = 200_000
MAX_BODY: Final = 8 << 20
"""Bytes of a decoded body that are shown; the rest can be saved."""
_MAX_LINE: Final = 4 << 20
_PIECE: Final = 1 << 20
_TYPE: Final = re.compile(rb"^content-type:[ \t]*([!-:<-~]{1,127})", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A record of the archive."""

    uri: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request.

    Attributes:
        number: from 1, in the order of connections.
        size: bytes of the answer's body as it passed, None without an answer. `kind`: its media type, "" when not told.
        fault: code of what is wrong, ``http.truncated``…
        started: microseconds of the Unix epoch.
        asked, answered: where the records lie; None for none, or one that a disclosure copy leaves out.
    """

    number: int
    connection: int
    stream: int | None
    protocol: str
    method: str
    url: str
    status: int | None
    size: int | None
    kind: str
    complete: bool
    fault: str | None
    pushed: bool
    started: int
    asked: Place | None = None
    answered: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Heads as they passed, and the beginning of the body without framing and codings.

    Attributes:
        cut: the body is longer than `data`.
        fault: code of why it could not be decoded to its end.
    """

    request_head: bytes
    head: bytes
    data: bytes
    cut: bool
    fault: str | None
    content_type: str


class RequestIndex:
    """Reads lists and archive once; `read` comes first."""

    def __init__(self, reader: WaczReader) -> None:
        self._reader = reader
        self._requests: tuple[Request, ...] | None = None

    def read(self, job: Job) -> tuple[Request, ...]:
        """All requests."""
        if self._requests is None:
            found = [
                _request(number, value) for number, value in enumerate(_lines(self._reader, EXCHANGES), 1)
            ]
            self._requests = tuple(_placed(found, self._reader, job))
        return self._requests

    def answer(self, number: int) -> Answer:
        """One of them with heads and body."""
        request = self._request(number)
        asked = b"" if request.asked is None else _found(self._reader, request.asked).head
        if request.answered is None:
            return Answer(
                request_head=asked, head=b"", data=b"", cut=False, fault=request.fault, content_type=""
            )
        found = _found(self._reader, request.answered)
        named = first(headers(found), b"content-type") or b""
        body = content(found)
        data = _read(body, MAX_BODY + 1)
        return Answer(
            request_head=asked, head=found.head, data=data[:MAX_BODY], cut=len(data) > MAX_BODY, fault=body.fault,
            content_type=named.decode("latin-1"),
        )  # fmt: skip

    def save(self, number: int, out: BinaryIO, job: Job) -> str | None:
        """Write the decoded body."""
        request = self._request(number)
        if request.answered is None:
            raise NotFoundError("capture.no_file", name=request.url[:200])
        body, done = content(_found(self._reader, request.answered)), 0
        while piece := body.read(_PIECE):
            out.write(piece)
            done += len(piece)
            job.step("save", done, done)
        return body.fault

    def _request(self, number: int) -> Request:
        requests = self.read(Job())
        if not 1 <= number <= len(requests):
            raise NotFoundError("capture.no_file", name=str(number))
        return requests[number - 1]


def _read(body: Content, limit: int) -> bytes:
    pieces: list[bytes] = []
    left = limit
    while left and (piece := body.read(min(left, _PIECE))):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _found(reader: WaczReader, place: Place) -> Found:
    return reader.fetch(
        Entry(
            url=place.uri, at="0" * 17, mime=None, status=None, digest=None, record_digest="", method=None,
            offset=place.offset, length=place.length,
        )
    )  # fmt: skip


def _placed(requests: list[Request], reader: WaczReader, job: Job) -> list[Request]:
    """Each request record belongs to the next exchange of its moment and address; an answer stands just before it."""
    lengths = {_text(value, "id"): _number(value, "length") for value in _lines(reader, RECORDS)}
    before: tuple[Header, Place, str] | None = None
    offset, at = 0, 0
    for record in reader.records():
        job.step("capture.check", offset, max(offset, 1))
        header = record.header
        if header.id not in lengths:
            raise _malformed(RECORDS)
        place = Place(uri=header.uri or "", offset=offset, length=lengths[header.id])
        offset += place.length
        if header.type is RecordType.REQUEST:
            while at < len(requests) and not _same(requests[at], header):
                at += 1
            if at == len(requests):
                raise _malformed(EXCHANGES)
            answered = before if before is not None and before[0].id in header.concurrent else None
            requests[at] = replace(
                requests[at], asked=place, answered=None if answered is None else answered[1],
                kind="" if answered is None else answered[2],
            )  # fmt: skip
            at += 1
        before = (header, place, _kind(record.head)) if header.type is RecordType.RESPONSE else None
    return requests


def _same(request: Request, header: Header) -> bool:
    return request.started == header.at and target(request.url) == header.uri


def _kind(head: bytes) -> str:
    found = _TYPE.search(head)
    return found[1].decode("ascii").lower() if found else ""


def _lines(reader: WaczReader, name: str) -> Iterator[dict[str, JSON]]:
    if name not in reader.evidence:
        return
    with reader.open(name) as stream:
        for number, line in enumerate(iter(lambda: stream.readline(_MAX_LINE + 1), b""), 1):
            if number > MAX_LINES or not line.endswith(b"\n"):
                raise _malformed(name)
            value = decode(line[:-1], what=name, limit=_MAX_LINE)
            if not isinstance(value, dict):
                raise _malformed(name)
            yield value


def _request(number: int, value: dict[str, JSON]) -> Request:
    response = value.get("response")
    return Request(
        number=number, connection=_number(value, "connection"), stream=_optional_number(value, "stream"),
        protocol=_text(value, "protocol"), method=_text(value, "method"), url=_text(value, "url"),
        status=_optional_number(value, "status"), size=_number(response, "size") if isinstance(response, dict) else None,
        kind="", complete=value.get("complete") is True, fault=_optional_text(value, "fault"),
        pushed=value.get("pushed") is True, started=_number(value, "started"),
    )  # fmt: skip


def _text(value: dict[str, JSON], name: str) -> str:
    item = value.get(name)
    if not isinstance(item, str):
        raise _malformed(name)
    return item


def _optional_text(value: dict[str, JSON], name: str) -> str | None:
    return None if value.get(name) is None else _text(value, name)


def _number(value: dict[str, JSON], name: str) -> int:
    item = value.get(name)
    if type(item) is not int or item < 0:
        raise _malformed(name)
    return item


def _optional_number(value: dict[str, JSON], name: str) -> int | None:
    return None if value.get(name) is None else _number(value, name)


def _malformed(what: str) -> MalformedError:
    return MalformedError("malformed.capture_list", what=what)
