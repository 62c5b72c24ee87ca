"""What a disclosure copy of a capture leaves out: records by what they hold or where they came from, files that repeat them.

Leaves out too much rather than too little; what a page itself shows or a site answers in a body is not judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from evidence_desk.core.canonical import JSON, decode
from evidence_desk.core.capture.connection import stream_name
from evidence_desk.core.capture.manifest import SECRETS, Manifest
from evidence_desk.core.capture.redaction import Why, Withheld
from evidence_desk.core.capture.stream import Direction
from evidence_desk.errors import MalformedError
from evidence_desk.wacz.build import EXCHANGES, MESSAGES, PACKETS, SESSIONS
from evidence_desk.wacz.compare import NETWORK
from evidence_desk.wacz.read import WaczReader
from evidence_desk.wacz.record import RecordType
from evidence_desk.wacz.stored import StoredRecord
from evidence_desk.wacz.warc import Written

SENSITIVE: Final = re.compile(rb"cookie|auth|token|api-?key|secret|session|passw|credential", re.IGNORECASE)
"""Names of HTTP fields that hold what opens an account, or may."""
_HARMLESS: Final = re.compile(
    rb"www-authenticate\Z|proxy-authenticate\Z|:?authority\Z|access-control-|sec-ch-|sec-fetch-|timing-allow-",
    re.IGNORECASE,
)
_SOCKET: Final = re.compile(r"urn:x-evidence-desk:websocket:([0-9]{1,9}):([0-9]{1,9})\Z")
_MAX_FACTS: Final = 8 << 20
_MAX_LINES: Final = 512 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be left out.

    Attributes:
        credentials: everything that holds, or may hold, what opens an account.
        addresses: patterns of record targets, ``*`` stands for anything.
        names: files.
    """

    credentials: bool = False
    addresses: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What that comes to: files by name, records in their order; `kept` are those that stay.

    Attributes:
        unmatched: patterns that no record has.
    """

    files: tuple[Withheld, ...]
    records: tuple[Withheld, ...]
    kept: tuple[Written, ...]
    unmatched: tuple[str, ...]


def choose(reader: WaczReader, manifest: Manifest, wish: Wish) -> Chosen:
    """Read the whole archive of a capture and settle what a copy leaves out.

    Args:
        reader: of the capture as it was sealed.
        manifest: of it.
        wish: what a person wants.

    Raises:
        MalformedError: the capture is none of ours.
    """
    work = _Choosing(reader, wish)
    work.read()
    listed = {item.name for item in manifest.files}
    files = dict.fromkeys(wish.names, Why.CHOSEN)
    if wish.credentials:
        files = {NETWORK: Why.CREDENTIALS, SECRETS: Why.CREDENTIALS, **files}
    if work.withheld:
        files.setdefault(NETWORK, Why.REPEATS)
    for name in work.repeats():
        files.setdefault(name, Why.REPEATS)
    return Chosen(
        files=tuple(Withheld(name=name, why=files[name]) for name in sorted(files) if name in listed),
        records=tuple(
            Withheld(name=item.id, why=work.withheld[item.id])
            for item in work.all
            if item.id in work.withheld
        ),
        kept=tuple(item for item in work.all if item.id not in work.withheld),
        unmatched=tuple(text for text, used in work.patterns.items() if not used),
    )


@dataclass(slots=True)
class _Choosing:
    """One call of `choose`."""

    reader: WaczReader
    wish: Wish
    all: list[Written] = field(default_factory=list)
    withheld: dict[str, Why] = field(default_factory=dict)
    patterns: dict[str, bool] = field(init=False)
    _matchers: list[tuple[str, re.Pattern[str]]] = field(init=False)
    _connections: dict[str, int] = field(default_factory=dict)
    """Connection of each request and response, by record id."""

    def __post_init__(self) -> None:
        self.patterns = dict.fromkeys(self.wish.addresses, False)
        self._matchers = [(text, _pattern(text)) for text in self.wish.addresses]

    def read(self) -> None:
        """All records."""
        connections = iter(_numbers(self.reader, EXCHANGES, "connection"))
        sent = _sent_messages(self.reader) if self.wish.credentials else frozenset[int]()
        for record, written in self.reader.walk():
            if written is not None:
                self.all.append(written)
                continue
            self._judge(record, connections, sent)

    def _judge(self, record: StoredRecord, connections: Iterator[int], sent: frozenset[int]) -> None:
        header = record.header
        if header.type is RecordType.REQUEST:
            number = next(connections, None)
            if number is None:
                raise MalformedError("malformed.records", reason="exchanges")
            self._connections |= dict.fromkeys((header.id, *header.concurrent), number)
        socket = _SOCKET.match(header.uri or "")
        if socket is not None:
            self._connections[header.id] = int(socket[1])
        for text, matcher in self._matchers:
            if header.uri is not None and matcher.fullmatch(header.uri):
                self.patterns[text] = True
                self.withheld.setdefault(header.id, Why.ADDRESS)
        if not self.wish.credentials:
            return
        if socket is not None and int(socket[2]) in sent:
            self.withheld[header.id] = Why.CREDENTIALS
        elif _tells(record):
            self.withheld[header.id] = Why.CREDENTIALS
            if header.type is RecordType.METADATA:  # fields after the body stand in the response too
                self.withheld |= dict.fromkeys(header.concurrent, Why.CREDENTIALS)

    def repeats(self) -> set[str]:
        """Streams that hold a record that is left out in the clear, and with them the packets."""
        encrypted = set(_numbers(self.reader, SESSIONS, "connection"))
        touched = {self._connections[item] for item in self.withheld if item in self._connections}
        clear = touched - encrypted
        return {*map(stream_name, clear), PACKETS} if clear else set()


def _tells(record: StoredRecord) -> bool:
    """Whether a record holds, or may hold, what opens an account."""
    match record.header.type:
        case RecordType.REQUEST:
            # what a person typed is sent in bodies; a head that cannot be read may hold anything
            return not record.head or _sensitive(record.head) or bool(record.body.read(1))
        case RecordType.RESPONSE:
            return not record.head or _sensitive(record.head)
        case RecordType.METADATA:
            return _facts_tell(record.body.read(_MAX_FACTS + 1))
        case _:
            return False


def _sensitive(head: bytes) -> bool:
    names = (line.partition(b":")[0].strip() for line in head.split(b"\n")[1:])
    return any(SENSITIVE.search(name) and not _HARMLESS.match(name) for name in names)


def _facts_tell(data: bytes) -> bool:
    """Trailers and heads of informational answers in a metadata record."""
    if len(data) > _MAX_FACTS:
        return True
    value = decode(data, what="metadata", limit=_MAX_FACTS)
    if not isinstance(value, dict):
        return True
    heads = value.get("informational", [])
    named: list[JSON] = []
    for key in ("trailers", "request_trailers"):
        found = value.get(key, [])
        named += found if isinstance(found, list) else []
    trailers = b"".join(
        str(item[0]).encode("latin-1", "replace") + b": x\r\n"
        for item in named
        if isinstance(item, list) and item
    )
    text = (
        [item.encode("latin-1", "replace") for item in heads if isinstance(item, str)]
        if isinstance(heads, list)
        else []
    )
    return any(map(_sensitive, (b"trailers\r\n" + trailers + b"\r\n", *text)))


def _sent_messages(reader: WaczReader) -> frozenset[int]:
    """Numbers of the WebSocket messages that the browser sent."""
    return frozenset(
        number
        for line in _lines(reader, MESSAGES)
        if line.get("direction") != Direction.IN.value and type(number := line.get("number")) is int
    )


def _numbers(reader: WaczReader, name: str, member: str) -> list[int]:
    found: list[int] = []
    for line in _lines(reader, name):
        value = line.get(member)
        if type(value) is not int:
            raise MalformedError("malformed.records", reason=name)
        found.append(value)
    return found


def _lines(reader: WaczReader, name: str) -> Iterable[dict[str, JSON]]:
    if reader.evidence.get(name, 0) > _MAX_LINES:
        raise MalformedError("malformed.too_large", what=name, limit=_MAX_LINES)
    with reader.open(name) as stream:
        data = stream.read()
    for line in data.splitlines():
        value = decode(line, what=name, limit=_MAX_LINES)
        if not isinstance(value, dict):
            raise MalformedError("malformed.records", reason=name)
        yield value


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, text.split("*"))), re.DOTALL)


def spans(kept: Sequence[Written]) -> list[tuple[int, int]]:
    """Places of records in the archive, neighbors together."""
    found: list[tuple[int, int]] = []
    for item in kept:
        if found and sum(found[-1]) == item.offset:
            found[-1] = (found[-1][0], found[-1][1] + item.length)
        else:
            found.append((item.offset, item.length))
    return found
