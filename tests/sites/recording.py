"""Recordings of the test sites: the real blind proxy before them, and afterwards everything decoded and held against their logs."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from evidence_desk.bootstrap.reader import SystemClock
from evidence_desk.capture.folder import FolderWorkspace
from evidence_desk.capture.guard import Guard, Refusal
from evidence_desk.capture.proxy import BlindProxy
from evidence_desk.core.capture.connection import Connection, Fate, parse_index, stream_name
from evidence_desk.core.capture.lookup import Lookup, Outcome
from evidence_desk.core.capture.notice import Notice
from evidence_desk.core.capture.stream import Direction, StreamReader
from evidence_desk.core.moment import format_moment
from evidence_desk.wacz.decode import Decoded, decode_connection
from evidence_desk.wacz.http.body import Body
from evidence_desk.wacz.http.exchange import Exchange, MessageKind
from evidence_desk.wacz.tls import KeyLog
from tests.sites.record import Sending, Sent
from tests.sites.server import Server
from tests.sites.town import Town

KEY_LOG = "keylog.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors(Guard):
    """The real guard, with a door to each site: whatever a page tries, nothing but the sites can be reached.

    Attributes:
        doors: ports of 127.0.0.1 at which sites listen.
    """

    doors: frozenset[int] = frozenset()

    def refuses(self, address: str, port: int, *, own: bool = False) -> Refusal | None:
        """As the real one, but for the doors."""
        if address == "127.0.0.1" and port in self.doors - self.ports:
            return None
        return Guard.refuses(self, address, port, own=own)


@dataclass(frozen=True, slots=True, kw_only=True)
class TownResolver:
    """Answers for the names of the sites; all others are unknown."""

    addresses: Mapping[str, Sequence[str]]

    def resolve(self, host: str, port: int) -> Lookup:  # noqa: ARG002 - the port plays no part
        """What the town says."""
        answers = tuple(self.addresses.get(host.rstrip(".").lower(), ()))
        return Lookup(
            host=host, kind="system", server=None, transport="system", asked_at=format_moment(SystemClock().now()),
            microseconds=1, outcome=Outcome.ANSWERED if answers else Outcome.UNKNOWN_NAME, answers=answers,
        )  # fmt: skip


class Tape:
    """One recording of a town: `running` while it goes on, then `connections` and `decoded`; `close` at the end."""

    def __init__(self, town: Town, folder: Path) -> None:
        self.town, self.folder = town, folder
        self.workspace = FolderWorkspace(folder)
        self.notices: list[Notice] = []
        self.port = 0
        self._decoded: list[Decoded] = []

    @property
    def key_log(self) -> Path:
        """Where the client is to write its secrets."""
        return self.folder / KEY_LOG

    @contextmanager
    def running(self, guard: Guard | None = None) -> Iterator[BlindProxy]:
        """Record until left; by default the sites alone can be reached. This process may use the proxy."""
        doors = frozenset(site.port for site in self.town.sites.values())
        proxy = BlindProxy(
            self.workspace, guard or Doors(doors=doors), SystemClock(),
            resolver=TownResolver(addresses=self.town.addresses), events=self.notices.append,
        )  # fmt: skip
        self.port = proxy.start()
        proxy.allow_pid(os.getpid())
        try:
            yield proxy
        finally:
            proxy.stop(5)
        assert proxy.failure is None

    def connections(self) -> tuple[Connection, ...]:
        """The index, in order of numbers."""
        with self.workspace.open("connections.jsonl") as file:
            return parse_index(file.read())

    def decoded(self) -> list[Decoded]:
        """Every opened connection, decoded."""
        if not self._decoded:
            secrets = KeyLog.parse(self.key_log.read_bytes() if self.key_log.exists() else b"")
            opened = (one for one in self.connections() if one.fate is Fate.OPENED)
            self._decoded = [self._one(connection, secrets) for connection in opened]
        return self._decoded

    def close(self) -> None:
        """Give back the spool files of what was decoded."""
        for one in self._decoded:
            one.close()

    def _one(self, connection: Connection, secrets: KeyLog) -> Decoded:
        with self.workspace.open(stream_name(connection.number)) as file:
            return decode_connection(connection, StreamReader(file), secrets, self.workspace.spool)


@dataclass(slots=True)
class Comparison:
    """What came of holding a recording against the logs.

    Attributes:
        whole: targets whose response is equal to what was sent, to the last byte.
        begun: the same for what arrived of a response that was cut short, or that the client gave up.
        unsent: requests that the server had not answered at all.
        wrong: every difference, in words.
    """

    whole: list[str] = field(default_factory=list)
    begun: list[str] = field(default_factory=list)
    unsent: list[str] = field(default_factory=list)
    messages: int = 0
    wrong: list[str] = field(default_factory=list)

    def add(self, other: Comparison) -> None:
        """Take in another one."""
        self.whole += other.whole
        self.begun += other.begun
        self.unsent += other.unsent
        self.messages += other.messages
        self.wrong += other.wrong


def compare(town: Town, decoded: Sequence[Decoded]) -> Comparison:
    """Hold every connection against the log of the site that it reached, and every log against the connections."""
    result, seen = Comparison(), set()
    sites = {site.port: site for site in town.sites.values()}
    for one in decoded:
        peer, port = peer_of(one.connection), one.connection.port
        seen.add((port, peer))
        if port in sites:
            result.add(compare_connection(one, sites[port], peer))
        elif one.exchanges:
            result.wrong.append(f"connection {one.connection.number}: no site knows of it")
    result.wrong += [
        f"{sent.site}{sent.target.decode()}: sent, but on no recorded connection"
        for sent in town.sent
        if (town.sites[sent.site].port, sent.peer) not in seen
    ]
    return result


def peer_of(connection: Connection) -> int:
    """Port of the proxy's own end, which is how the site sees the connection."""
    assert connection.local is not None
    return int(connection.local.rpartition(":")[2])


def compare_connection(one: Decoded, site: Server, peer: int) -> Comparison:
    """Hold one connection against the log of its site."""
    result = Comparison()
    sent = {
        item.stream if item.stream is not None else at: item for at, item in enumerate(site.log.on_peer(peer))
    }
    got = {item.stream if item.stream is not None else at: item for at, item in enumerate(one.exchanges)}
    if not one.recorded or one.torn:
        result.wrong.append(f"{site.name} connection {one.connection.number}: not all of it is recorded")
    for key in sorted(sent.keys() | got.keys()):
        if key not in got:
            result.wrong.append(f"{site.name}{sent[key].target.decode()}: sent, but not decoded")
        elif key not in sent:
            if got[key].status is not None:
                result.wrong.append(f"{got[key].url}: decoded, but not sent")
            result.unsent.append(got[key].url)
        else:
            compare_exchange(got[key], sent[key], result)
    _compare_messages(one, site, peer, result)
    return result


def compare_exchange(got: Exchange, sent: Sent, result: Comparison) -> None:
    """One request and its response."""
    assert sent.settled.wait(20), f"{sent.target.decode()} is still being sent"
    what = f"{sent.site}{sent.target.decode()[:80]}"
    faults = [name for name, same in _requests(got, sent).items() if not same]
    if sent.status is None and sent.head is None:
        result.unsent.append(what)
    elif got.status is None:
        (result.begun if not got.complete else faults).append("response missing" if got.complete else what)
    else:
        faults += [name for name, same in _heads(got, sent).items() if not same]
        if got.upgraded is not None:
            result.whole.append(what)  # its frames are compared as messages
            result.wrong += [f"{what}: {fault}" for fault in faults]
            return
        assert got.response_body is not None
        assert got.payload is not None
        if got.complete and sent.completed:
            bodies = {"body": (got.response_body, sent.body), "payload": (got.payload, sent.payload)}
            faults += [name for name, (ours, theirs) in bodies.items() if not equal(ours, theirs)]
            faults += ["trailers"] if tuple(got.trailers) != sent.trailers else []
            result.whole.append(what)
        else:
            if sent.prefix_sha256(got.response_body.size) != got.response_body.sha256:
                faults.append("beginning of body")
            result.begun.append(what)
    result.wrong += [f"{what}: {fault}" for fault in faults]


def equal(body: Body, sent: Sending) -> bool:
    """Whether a decoded body is what was sent, read again from its spool."""
    digest = hashlib.sha256()
    with body.open() as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return (body.size, body.sha256, digest.digest()) == (sent.size, sent.sha256, sent.sha256)


def _requests(got: Exchange, sent: Sent) -> dict[str, bool]:
    with got.request_payload.open() as file:
        body = file.read()
    same = {"method": got.method.encode() == sent.method, "request body": body == sent.request_body}
    if sent.stream is None:
        same["request head"] = got.request_head == sent.request_head
    else:
        plain = [item for item in sent.request_headers if not item[0].startswith(b":")]
        same["request fields"] = [item for item in got.request_headers if item[0] != b"host"] == [
            item for item in plain if item[0] != b"host"
        ]
    return same


def _heads(got: Exchange, sent: Sent) -> dict[str, bool]:
    same = {"status": got.status == sent.status, "protocol": got.protocol in (sent.protocol, "http/1.0")}
    if sent.stream is None:
        same["head"] = got.response_head == sent.head
        same["informational"] = list(got.informational) == sent.informational
    else:
        same["fields"] = tuple(got.response_headers) == sent.headers[1:]
        same["informational"] = len(got.informational) == len(sent.informational)
    return same


def _compare_messages(one: Decoded, site: Server, peer: int, result: Comparison) -> None:
    kinds = (MessageKind.TEXT, MessageKind.BINARY)
    for direction in Direction:
        got = [
            (item.kind is MessageKind.TEXT, _read(item.body))
            for item in one.messages
            if item.direction is direction and item.kind in kinds
        ]
        sent = [
            (item.text, item.data)
            for item in site.log.messages
            if item.peer == peer and item.direction == direction.value
        ]
        if got != sent:
            result.wrong.append(
                f"{site.name} WebSocket {direction.value}: {len(got)} of {len(sent)} messages or not equal"
            )
        result.messages += len(got)


def _read(body: Body) -> bytes:
    with body.open() as file:
        return file.read()
