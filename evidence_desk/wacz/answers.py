"""What a stored capture answers to a browser that asks again: by method and address, in the order of the recording.

Nothing is guessed: another query, method or range is not answered. Answers are as recorded, but for framing and content
codings, which are taken off with the fields that speak of them.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO, Final

from evidence_desk.errors import MalformedError
from evidence_desk.wacz.cdx import Entry
from evidence_desk.wacz.http.content import ContentLimits, codings
from evidence_desk.wacz.http.heads import Field, first, status_line
from evidence_desk.wacz.read import Found, WaczReader
from evidence_desk.wacz.record import archive_uri
from evidence_desk.wacz.replay import content, headers, payload

MAX_BODY: Final = 64 << 20
"""Bytes of a body that is given as a whole."""
MAX_PART: Final = 32 << 20
"""Bytes of a range that are given at once; the rest is asked for again."""
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_TAKEN_OFF: Final = frozenset(
    {b"content-encoding", b"content-length", b"transfer-encoding", b"connection", b"keep-alive", b"trailer"}
)
_WHOLE: Final = frozenset({"content.checksum", "content.trailing", "content.unknown"})
"""Faults of bodies of which a browser shows everything all the same."""
_RANGE: Final = re.compile(r"bytes=([0-9]{1,15})-([0-9]{0,15})\Z")
_CONTENT_RANGE: Final = re.compile(rb"bytes ([0-9]{1,15})-([0-9]{1,15})/([0-9]{1,15}|\*)\Z")
_NOT_MODIFIED: Final = 304
_PARTIAL: Final = 206
_PIECE: Final = 1 << 20


class Miss(StrEnum):
    """Why there is no answer."""

    ABSENT = "absent"
    """The archive has none to this method and address."""
    SPENT = "spent"
    """Every recorded answer was given, and repeating one would invent an event."""
    RANGE = "range"
    """The part asked for was not recorded."""
    TOO_LARGE = "too_large"
    """More than `MAX_BODY`."""
    BROKEN = "broken"
    """The record cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer.

    Attributes:
        at: moment of its request, 17 digits.
        fields: of the head, in order.
        body: without framing and codings.
        fault: code of what is wrong with the recorded body, None when it is whole.
    """

    at: str
    status: int
    fields: tuple[Field, ...]
    body: bytes
    fault: str | None


@dataclass(frozen=True, slots=True)
class _Part:
    """Range of a partial answer; `total` is None when the server did not tell."""

    first: int
    last: int
    total: int | None


class Answers:
    """The answers of one archive, asked in the order in which a browser asks. Not safe from several threads."""

    def __init__(self, reader: WaczReader) -> None:
        self._reader = reader
        self._entries: Mapping[tuple[str, str], Sequence[Entry]] = _by_request(reader)
        self._from = ""
        self._given: dict[tuple[str, str], int] = {}
        self._parts: dict[Entry, _Part | None] = {}

    def begin(self, at: str) -> None:
        """From here on, answers are those at or after `at` (17 digits, or "")."""
        self._from = at
        self._given.clear()

    def moment(self, url: str, after: str = "") -> str | None:
        """When a page was asked for the first time after `after`; else the last time; None when it never was."""
        entries = self._entries.get(("GET", archive_uri(url)), ())
        if not entries:
            return None
        place = bisect_right([entry.at for entry in entries], after)
        return entries[min(place, len(entries) - 1)].at

    def answer(
        self, method: str, url: str, *, part: str | None = None, page: bool = False, once: bool = False
    ) -> Answer | Miss:
        """The next recorded answer to a request; the last again for safe methods when there is no other.

        Args:
            method: of HTTP.
            url: absolute.
            part: value of the field Range.
            page: whether a window goes there: later answers are those after this one.
            once: never give the last answer again.
        """
        key = (method, archive_uri(url))
        entries = self._entries.get(key, ())
        try:
            if part is not None and method == "GET" and (wanted := _RANGE.match(part)):
                found = self._ranged(entries, int(wanted[1]), int(wanted[2]) if wanted[2] else None)
                if found is not None:
                    return found
            entry = self._next(key, entries, once=once or method not in _SAFE)
            if isinstance(entry, Miss):
                return entry
            if page:
                self.begin(entry.at)
                self._given[key] = entries.index(entry)
            return self._whole(entry)
        except MalformedError:
            return Miss.BROKEN

    def _next(self, key: tuple[str, str], entries: Sequence[Entry], *, once: bool) -> Entry | Miss:
        usable = [place for place, entry in enumerate(entries) if self._part(entry) is None]
        if not usable:
            return Miss.RANGE if entries else Miss.ABSENT
        if key in self._given:
            later = [place for place in usable if place > self._given[key]]
            if not later and once:
                return Miss.SPENT
            place = later[0] if later else self._given[key]
        else:
            begun = bisect_left([entry.at for entry in entries], self._from)
            place = next((item for item in usable if item >= begun), usable[-1])
        self._given[key] = place
        return entries[place]

    def _whole(self, entry: Entry) -> Answer | Miss:
        found = self._reader.fetch(entry)
        limits = ContentLimits(size=MAX_BODY + 1)
        stream = content(found, limits)
        body = stream.read(MAX_BODY + 1)
        if len(body) > MAX_BODY or stream.fault == "content.too_large":
            return Miss.TOO_LARGE
        fault = None if stream.fault in _WHOLE else stream.fault
        if fault is None and found.record.header.truncated is not None:
            fault = "http.truncated"
        return Answer(at=entry.at, status=_status(found), fields=_kept(found), body=body, fault=fault)

    def _ranged(self, entries: Sequence[Entry], begin: int, end: int | None) -> Answer | Miss | None:
        """The recorded part that reaches furthest from `begin`; None when whole answers were recorded instead."""
        parts = [(entry, self._part(entry)) for entry in entries]
        fitting = [(entry, part) for entry, part in parts if part and part.first <= begin <= part.last]
        if not fitting:
            return None if any(part is None for _, part in parts) or not parts else Miss.RANGE
        entry, part = max(fitting, key=lambda item: (item[1].last, item[0].at))
        last = min(part.last, begin + MAX_PART - 1, part.last if end is None else end)
        if last < begin:
            return Miss.RANGE
        found = self._reader.fetch(entry)
        body = _slice(payload(found), begin - part.first, last - begin + 1)
        if not body:
            return Miss.RANGE
        total = "*" if part.total is None else str(part.total)
        told = f"bytes {begin}-{begin + len(body) - 1}/{total}".encode()
        kept = [item for item in _kept(found) if item[0].lower() != b"content-range"]
        fields = (*kept, (b"Content-Range", told))
        return Answer(at=entry.at, status=_PARTIAL, fields=fields, body=body, fault=None)

    def _part(self, entry: Entry) -> _Part | None:
        """Range of an entry that is a partial answer without codings."""
        if entry.status != _PARTIAL:
            return None
        if entry not in self._parts:
            found = headers(self._reader.fetch(entry))
            told = _CONTENT_RANGE.match(first(found, b"content-range") or b"")
            usable = told is not None and not codings(found)
            self._parts[entry] = (
                _Part(int(told[1]), int(told[2]), None if told[3] == b"*" else int(told[3]))
                if told is not None and usable
                else None
            )
        return self._parts[entry]


def _by_request(reader: WaczReader) -> dict[tuple[str, str], list[Entry]]:
    found: dict[tuple[str, str], list[Entry]] = {}
    for entry in reader.entries():
        if entry.status is not None and entry.url.startswith(("http://", "https://")):
            found.setdefault((entry.method or "GET", entry.url), []).append(entry)
    for key, entries in found.items():
        told = [entry for entry in entries if entry.status != _NOT_MODIFIED] or entries
        found[key] = sorted(told, key=lambda entry: (entry.at, entry.offset))
    return found


def _status(found: Found) -> int:
    return status_line(found.head)[0]


def _kept(found: Found) -> tuple[Field, ...]:
    return tuple(item for item in headers(found) if item[0].lower() not in _TAKEN_OFF)


def _slice(stream: BinaryIO, skip: int, size: int) -> bytes:
    while skip > 0:
        passed = len(stream.read(min(skip, _PIECE)))
        if not passed:
            return b""
        skip -= passed
    pieces: list[bytes] = []
    while size > 0 and (piece := stream.read(min(size, _PIECE))):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
