"""Make of a recording what its WACZ holds: archive, lists of exchanges, sessions and messages, packet capture, differences.

One connection after the other, bodies in spool files: memory does not grow with the recording.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from io import SEEK_END
from typing import BinaryIO, Final, cast

from evidence_desk.core.canonical import JSON, encode
from evidence_desk.core.capture.connection import Connection, Ending, Fate, parse_index, stream_name
from evidence_desk.core.capture.environment import Reason, because
from evidence_desk.core.capture.stream import Chunk, StreamReader
from evidence_desk.core.capture.workspace import Workspace
from evidence_desk.core.job import Job
from evidence_desk.errors import CanceledError, MalformedError
from evidence_desk.wacz.archive import FILENAME, URN, Resource, write_warc
from evidence_desk.wacz.compare import NETWORK, compare
from evidence_desk.wacz.decode import Decoded, decode_connection
from evidence_desk.wacz.http.exchange import Exchange, MessageKind, WebSocketMessage
from evidence_desk.wacz.listing import listed, listed_json
from evidence_desk.wacz.pcapng import write_pcapng
from evidence_desk.wacz.recorded import Recorded, recorded
from evidence_desk.wacz.tls import KeyLog, TlsFacts, first_sessions
from evidence_desk.wacz.warc import Written

INDEX: Final = "connections.jsonl"
KEYLOG: Final = "keylog.txt"
EXCHANGES: Final = "exchanges.jsonl"
SESSIONS: Final = "tls.jsonl"
MESSAGES: Final = "messages.jsonl"
RECORDS: Final = "records.jsonl"
DIFFERENCES: Final = "differences.json"
PACKETS: Final = "session.pcapng"
WARC_NAME: Final = FILENAME
BUILT: Final = (WARC_NAME, EXCHANGES, SESSIONS, MESSAGES, RECORDS, DIFFERENCES, PACKETS)
MAX_INDEX: Final = 512 << 20
MAX_MESSAGES: Final = 100_000
"""Messages of WebSockets that become records: a page decides how many there are, and an index has bounds."""
_GUARDED: Final = frozenset(
    {"loopback", "private", "link-local", "shared", "own-address", "own-port", "local-name", "metadata"}
)
"""Reasons of refused connections that are about this machine and its networks; the others are limits and odd spellings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What was made.

    Attributes:
        records: of the archive, for its index.
        counts: numbers for people, by name.
        reasons: what is wrong with the recording, so that it is not complete.
        refused: hosts and ports that the guard refused, being of this machine or of a private network.
    """

    records: tuple[Written, ...]
    counts: Mapping[str, int]
    reasons: tuple[Reason, ...]
    refused: frozenset[tuple[str, int]]


def build(workspace: Workspace, *, software: str, at: int, job: Job) -> Built:
    """Write the files of `BUILT`, none of which may be there.

    Args:
        workspace: with index, streams, key log and the browser's own log, as far as there are.
        software: name and version for the archive.
        at: beginning of the capture, microseconds of the Unix epoch.
        job: stage ``capture.build`` in bytes of streams.

    Raises:
        MalformedError: index, stream or key log are not what the recorder writes.
        HostError: the disk.
    """
    connections = parse_index(_read(workspace, INDEX)) if INDEX in workspace.names() else ()
    with workspace.spool() as spool, ThreadPoolExecutor(1, "capture-packets") as beside:
        making = _Making(workspace, connections, frozenset(workspace.names()), job, spool)
        packets = beside.submit(making.packets)
        try:
            with workspace.create(WARC_NAME) as out:
                records = write_warc(out, making.connections(), making.messages(), software=software, at=at)
            making.finish(records)
        except BaseException:
            making.over = True
            raise
        packets.result()
    refused = frozenset(
        (item.host, item.port)
        for item in connections
        if item.fate is Fate.REFUSED and item.reason in _GUARDED
    )
    return Built(records=records, counts=making.counts, reasons=tuple(making.reasons()), refused=refused)


@dataclass(slots=True)
class _Making:
    """One call of `build`."""

    workspace: Workspace
    index: tuple[Connection, ...]
    names: frozenset[str]
    job: Job
    spool: BinaryIO
    over: bool = False
    """The packet capture, which is made beside the rest, is not wanted any more."""
    counts: Counter[str] = field(default_factory=Counter)
    _exchanges: list[Exchange] = field(default_factory=list)
    _messages: list[WebSocketMessage] = field(default_factory=list)
    _recorded: list[Recorded] = field(default_factory=list)
    _sessions: dict[int, tuple[TlsFacts, tuple[str, ...]]] = field(default_factory=dict)
    _torn: int = 0
    _undecrypted: int = 0
    _contradictions: int = 0
    _log_torn: bool = False

    def connections(self) -> Iterator[Decoded]:
        """Every connection, decoded; its bodies can be read until all is written."""
        secrets = _key_log(self.workspace)
        total = sum(item.sent + item.received for item in self.index)
        done = 0
        for connection in self.index:
            self.job.step("capture.build", done, total)
            self.counts["connections"] += 1
            if connection.fate in (Fate.REFUSED, Fate.STRANGER):
                self.counts["refused_connections"] += 1
            elif connection.fate is not Fate.OPENED:
                self.counts["failed_connections"] += 1
            decoded = decode_connection(connection, self.chunks(connection), secrets, self._segment)
            self._note(decoded)
            yield decoded
            done += connection.sent + connection.received
        self.job.step("capture.build", done, total)

    def _segment(self) -> BinaryIO:
        """The bodies of the next connection go to the end of the one spool file."""
        return cast("BinaryIO", _Segment(self.spool, self.spool.seek(0, SEEK_END)))

    def packets(self) -> None:
        """Write the packet capture."""
        with self.workspace.create(PACKETS) as out:
            write_pcapng(out, [(item, self._wanted(item)) for item in self.index])

    def _wanted(self, connection: Connection) -> Iterator[Chunk]:
        for chunk in self.chunks(connection):
            if self.over:
                raise CanceledError("job.canceled", stage="capture.build")
            yield chunk

    def chunks(self, connection: Connection) -> Iterator[Chunk]:
        """Chunks of a connection, its stream opened at the first; none for one that has no stream."""
        name = stream_name(connection.number)
        if name in self.names:
            with self.workspace.open(name) as source:
                yield from StreamReader(source)

    def _note(self, decoded: Decoded) -> None:
        self._exchanges += decoded.exchanges
        self._messages += decoded.messages
        self._recorded += map(recorded, decoded.exchanges)
        self._torn += decoded.connection.ending is Ending.UNKNOWN or not decoded.recorded
        tls = decoded.tls
        if tls is not None:
            self.counts["tls_connections"] += 1
            unread = bool(tls.fault_server or tls.fault_client)
            self._undecrypted += unread
            self._sessions[decoded.connection.number] = (tls, decoded.faults)

    def messages(self) -> Iterator[Resource]:
        """Messages of WebSockets, as records of the archive; asked for when all connections were."""
        for number, message in enumerate(self._messages[:MAX_MESSAGES], 1):
            text = message.kind is MessageKind.TEXT
            yield Resource(
                uri=f"{URN}websocket:{message.connection}:{number}",
                content_type="text/plain; charset=utf-8" if text else "application/octet-stream",
                at=message.at,
                source=message.body,
            )

    def finish(self, records: tuple[Written, ...]) -> None:
        """Lists, and the comparison with what the browser saw."""
        self.counts["exchanges"] = len(self._exchanges)
        self.counts["incomplete_exchanges"] = sum(not item.complete for item in self._exchanges)
        self.counts["websocket_messages"] = len(self._messages)
        _lines(self.workspace, EXCHANGES, map(_exchange_json, self._exchanges))
        _lines(self.workspace, SESSIONS, self._session_lines())
        _lines(self.workspace, MESSAGES, (_message_json(n, m) for n, m in enumerate(self._messages, 1)))
        _lines(self.workspace, RECORDS, (listed_json(listed(item)) for item in records))
        with ExitStack() as stack:
            seen = stack.enter_context(self.workspace.open(NETWORK)) if NETWORK in self.names else None
            comparison = compare(seen, self._recorded, self._messages)
        self.counts["browser_requests"] = comparison.requests
        self.counts["matched_requests"] = comparison.matched
        self.counts["differences"] = len(comparison.differences)
        self._log_torn = comparison.torn or (NETWORK not in self.names and bool(self._exchanges))
        self._contradictions = sum(item.reason.contradicts for item in comparison.differences)
        with self.workspace.create(DIFFERENCES) as out:
            out.write(encode(comparison.to_json()))

    def _session_lines(self) -> Iterator[JSON]:
        """TLS sessions; `first` is the connection whose handshake showed the certificate that a resumed one rests on."""
        first = first_sessions({number: tls for number, (tls, _) in self._sessions.items()})
        for number, (tls, faults) in self._sessions.items():
            yield {
                "connection": number, "first": first.get(number), **tls.to_json(),
                "http_faults": list[JSON](faults),
            }  # fmt: skip

    def reasons(self) -> Iterator[Reason]:
        """What makes the recording incomplete."""
        if self._undecrypted:
            yield because("capture.reason.undecrypted", count=self._undecrypted)
        if self._torn:
            yield because("capture.reason.torn_streams", count=self._torn)
        if self._log_torn:
            yield because("capture.reason.log_torn")
        if len(self._messages) > MAX_MESSAGES:
            yield because("capture.reason.many_messages", count=len(self._messages), kept=MAX_MESSAGES)
        if self._contradictions:
            yield because("capture.reason.contradictions", count=self._contradictions)


@dataclass(slots=True)
class _Segment:
    """The end of the spool file as a file of its own, for bodies of one connection. One connection writes at a time."""

    file: BinaryIO
    base: int

    def seek(self, offset: int) -> int:
        """Go to a place in the segment."""
        return self.file.seek(self.base + offset) - self.base

    def read(self, size: int) -> bytes:
        """Bytes from there."""
        return self.file.read(size)

    def write(self, data: bytes) -> int:
        """Bytes to there."""
        return self.file.write(data)

    def close(self) -> None:
        """The file stays open for the others."""


def _key_log(workspace: Workspace) -> KeyLog:
    return KeyLog.parse(_read(workspace, KEYLOG) if KEYLOG in workspace.names() else b"")


def _exchange_json(item: Exchange) -> JSON:
    return {
        "connection": item.connection, "stream": item.stream, "protocol": item.protocol, "method": item.method,
        "url": item.url, "status": item.status, "framing": item.framing.value, "started": item.started_at,
        "head": item.head_at, "ended": item.ended_at, "complete": item.complete, "fault": item.fault,
        "reset": item.reset, "pushed": item.pushed, "upgraded": item.upgraded,
        "request": {"size": item.request_body.size, "sha256": item.request_body.sha256.hex()},
        "response": None if item.response_body is None
        else {"size": item.response_body.size, "sha256": item.response_body.sha256.hex()},
        "payload": None if item.payload is None
        else {"size": item.payload.size, "sha256": item.payload.sha256.hex()},
    }  # fmt: skip


def _message_json(number: int, item: WebSocketMessage) -> JSON:
    return {
        "number": number, "connection": item.connection, "stream": item.stream, "direction": item.direction.value,
        "at": item.at, "kind": item.kind.value, "size": item.body.size, "sha256": item.body.sha256.hex(),
        "complete": item.complete, "fault": item.fault,
    }  # fmt: skip


def _lines(workspace: Workspace, name: str, items: Iterator[JSON]) -> None:
    with workspace.create(name) as out:
        for item in items:
            out.write(encode(item) + b"\n")


def _read(workspace: Workspace, name: str) -> bytes:
    size = workspace.size(name)
    if size > MAX_INDEX:
        raise MalformedError("malformed.too_large", what=name, limit=MAX_INDEX)
    source: BinaryIO
    with workspace.open(name) as source:
        return source.read()
