"""Holds the browser's own log against what was recorded on the wire: every answer it saw must have been recorded.

The two come by different ways: the browser tells decoded answers, the record holds bytes. What one has and the other has
not, and what differs, is listed with its reason; nothing is left out.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from typing import BinaryIO, Final

from evidence_desk.core.capture.stream import Direction
from evidence_desk.wacz.browser_log import CUT_URL, BrowserLog, Seen, read_what_can_be
from evidence_desk.wacz.differences import MAX_TEXT, Comparison, Difference, Reason
from evidence_desk.wacz.http.exchange import MessageKind, WebSocketMessage
from evidence_desk.wacz.recorded import Recorded

NETWORK: Final = "network.jsonl"
"""The browser's own log, in a workspace."""
_USER: Final = re.compile(r"\A(https?://)[^/?#]*@")
_BODILESS: Final = frozenset((204, 304))
_OPCODES: Final = {MessageKind.TEXT: 1, MessageKind.BINARY: 2}

Key = tuple[str, str]
"""Method (``socket`` for WebSockets), address."""


def compare(
    source: BinaryIO | None, exchanges: Sequence[Recorded], messages: Iterable[WebSocketMessage] = ()
) -> Comparison:
    """Match requests by method and address, in order, same status first; compare status, length, body, messages.

    Args:
        source: the browser's log, None when there is none. What of it cannot be read is not compared (`Comparison.torn`).
        exchanges: made by `recorded`, one connection after the other.
        messages: of all WebSockets.
    """
    log = BrowserLog(seen=(), torn=False) if source is None else read_what_can_be(source)
    work = _Work(exchanges, messages)
    for seen in log.seen:
        work.take(seen)
    for exchange in work.left():
        work.only_wire(exchange)
    return Comparison(
        requests=len(log.seen), responses=sum(item.status is not None for item in log.seen), exchanges=len(exchanges), matched=work.matched, equal=work.equal, text=work.text,
        unchecked=work.unchecked, torn=log.torn, differences=tuple(work.differences),
    )  # fmt: skip


class _Waiting:
    """Recorded exchanges of one address that have no partner yet."""

    def __init__(self) -> None:
        self._exchanges: dict[int, Recorded] = {}
        self._by_status: dict[int | None, deque[int]] = defaultdict(deque)

    def add(self, exchange: Recorded) -> None:
        """One more, in the order of time."""
        number = len(self._exchanges)
        self._exchanges[number] = exchange
        self._by_status[exchange.status].append(number)

    def take(self, statuses: Sequence[int | None]) -> Recorded | None:
        """The first with one of these statuses, in their order; else the first."""
        for status in statuses:
            if waiting := self._by_status.get(status):
                return self._exchanges.pop(waiting.popleft())
        rest = [waiting for waiting in self._by_status.values() if waiting]
        if not rest:
            return None
        return self._exchanges.pop(min(rest, key=lambda waiting: waiting[0]).popleft())

    def left(self) -> Iterable[Recorded]:
        """Those that found none."""
        return self._exchanges.values()


class _Work:
    def __init__(self, exchanges: Sequence[Recorded], messages: Iterable[WebSocketMessage]) -> None:
        self.matched = self.equal = self.text = self.unchecked = 0
        self.differences: list[Difference] = []
        self._count: dict[Key, int] = defaultdict(int)
        self._waiting: dict[Key, _Waiting] = defaultdict(_Waiting)
        for exchange in sorted(exchanges, key=lambda item: item.started_at):
            self._count[_key(exchange)] += 1
            self._waiting[_key(exchange)].add(exchange)
        self._messages: dict[tuple[int, int | None], list[WebSocketMessage]] = defaultdict(list)
        for message in messages:
            self._messages[message.connection, message.stream].append(message)

    def left(self) -> list[Recorded]:
        """Recordeds without partner, by time."""
        rest = [exchange for waiting in self._waiting.values() for exchange in waiting.left()]
        return sorted(rest, key=lambda item: (item.started_at, item.connection, item.stream or 0))

    def take(self, seen: Seen) -> None:
        """Find the partner of a request, and compare."""
        address = _address(seen.url)
        if address is None:
            self._add(Reason.LOCAL, seen, None)
            return
        if seen.service_worker:
            self._add(Reason.SERVICE_WORKER, seen, None)
            return
        waiting = self._waiting.get(("socket" if seen.socket else seen.method, address))
        if seen.cached and seen.wire_status != 304:
            self._add(Reason.CACHE, seen, None)
            return
        statuses = [seen.wire_status, seen.status] if seen.wire_status is not None else [seen.status]
        exchange = None if waiting is None or seen.internal else waiting.take(statuses)
        if exchange is None:
            self._only_browser(seen)
            return
        self.matched += 1
        if seen.socket:
            self._compare_sockets(seen, exchange)
        else:
            self._compare(seen, exchange)

    def _only_browser(self, seen: Seen) -> None:
        answered = seen.status is not None
        if seen.internal:
            reason = Reason.INTERNAL_REDIRECT
        elif answered:
            reason = Reason.ONLY_BROWSER
        elif seen.blocked:
            reason = Reason.BLOCKED
        elif seen.error is not None:
            reason = Reason.CANCELED if seen.canceled else Reason.NOT_SENT
        else:
            reason = Reason.UNANSWERED
        said = seen.blocked or seen.error or (str(seen.status) if answered else None)
        self._add(reason, seen, None, theirs=said)

    def only_wire(self, exchange: Recorded) -> None:
        """An exchange that the browser's log does not have."""
        if exchange.pushed:
            reason = Reason.PUSHED
        elif exchange.preflight:
            reason = Reason.PREFLIGHT
        elif exchange.status is None and self._count[_key(exchange)] > 1:
            reason = Reason.RETRIED
        elif exchange.icon:
            reason = Reason.FAVICON
        else:
            reason = Reason.ONLY_WIRE
        self._add(reason, None, exchange, ours=None if exchange.status is None else str(exchange.status))

    def _compare(self, seen: Seen, exchange: Recorded) -> None:
        if seen.cached:
            return  # revalidated: the answer was 304, the body is an earlier one
        cut = not seen.finished and seen.wire_status is None  # a log may end before the answer
        silent = seen.status is None and (seen.error is not None or cut)
        if not silent and exchange.status not in (seen.status, seen.wire_status):
            self._add(Reason.STATUS, seen, exchange, ours=_said(exchange.status), theirs=_said(seen.status))
            return
        if seen.error is not None:
            reason = Reason.FAILED_IN_BROWSER if exchange.complete else Reason.BOTH_FAILED
            self._add(reason, seen, exchange, ours=exchange.fault, theirs=seen.blocked or seen.error)
            return
        if not seen.finished:
            if not _redirected(seen):
                self._add(Reason.UNFINISHED, seen, exchange, ours=exchange.fault)
            return
        if not exchange.complete:
            self._add(Reason.INCOMPLETE, seen, exchange, ours=exchange.fault)
        if exchange.method != "HEAD" and exchange.status not in _BODILESS:
            self._compare_bodies(seen, exchange)

    def _compare_bodies(self, seen: Seen, exchange: Recorded) -> None:
        ours = exchange.content
        if ours is None or _untold(seen, exchange):
            self.unchecked += 1
        elif seen.body is None:
            self.unchecked += 1  # without digest only the length can be compared
            if ours.fault is None and seen.size is not None and ours.size != seen.size:
                self._add(Reason.LENGTH, seen, exchange, ours=str(ours.size), theirs=str(seen.size))
        elif (ours.sha256, ours.size) == (seen.body.sha256, seen.body.size):
            self.equal += 1
        elif seen.body.text and seen.body.sha256 in exchange.texts:
            self.text += 1
        elif ours.fault is not None or (seen.body.text and not exchange.readable):
            self.unchecked += (
                1  # nothing to compare with: not decodable here, or not the way the browser guessed
            )
        else:
            self._add(Reason.BODY, seen, exchange, ours=ours.sha256.hex(), theirs=seen.body.sha256.hex())

    def _compare_sockets(self, seen: Seen, exchange: Recorded) -> None:
        opened = {seen.status, exchange.status} <= {101, 200}  # 200 over HTTP/2 (RFC 8441)
        if seen.status not in (None, exchange.status) and not opened:
            self._add(Reason.STATUS, seen, exchange, ours=_said(exchange.status), theirs=_said(seen.status))
            return
        ours: dict[Direction, list[tuple[int, bytes]]] = {Direction.OUT: [], Direction.IN: []}
        for message in self._messages.get((exchange.connection, exchange.stream), ()):
            if message.kind in _OPCODES and message.complete:
                ours[message.direction].append((_OPCODES[message.kind], message.body.sha256))
        for way, theirs in ((Direction.OUT, seen.sent), (Direction.IN, seen.received)):
            if not _agree(ours[way], [item for item in theirs if item[0] in _OPCODES.values()]):
                said = f"{way.value}{len(theirs)}"
                self._add(Reason.MESSAGES, seen, exchange, ours=f"{way.value}{len(ours[way])}", theirs=said)

    def _add(
        self, reason: Reason, seen: Seen | None, exchange: Recorded | None, *,
        ours: str | None = None, theirs: str | None = None,
    ) -> None:  # fmt: skip
        url = seen.url if seen is not None else exchange.url if exchange is not None else ""
        method = seen.method if seen is not None else exchange.method if exchange is not None else ""
        self.differences.append(
            Difference(
                reason=reason, url=url[:MAX_TEXT], method=method[:100], request=None if seen is None else seen.key,
                connection=None if exchange is None else exchange.connection,
                stream=None if exchange is None else exchange.stream,
                ours=None if ours is None else ours[:500], theirs=None if theirs is None else theirs[:500],
            )
        )  # fmt: skip


def _agree(ours: list[tuple[int, bytes]], theirs: list[tuple[int, bytes]]) -> bool:
    """The same messages in the same order; the last ones may have passed while the browser's log had ended."""
    return ours[: len(theirs)] == theirs


def _untold(seen: Seen, exchange: Recorded) -> bool:
    """Whether the browser passed the body on without telling of it: what workers fetch shows as empty.

    An empty body beside fewer bytes than were recorded is another matter.
    """
    if seen.size != 0:
        return False
    return seen.body is None or (seen.body.size == 0 and 0 < exchange.received <= seen.arrived)


def _redirected(seen: Seen) -> bool:
    """A hop of a redirect has no end of its own in the browser's log."""
    return seen.status is not None and 300 <= seen.status < 400 and seen.size is None


def _address(url: str) -> str | None:
    """Address as requests are matched by: http(s), no fragment, no user, as long as the browser's log gives it."""
    if url.startswith(("ws://", "wss://")):
        url = "http" + url.removeprefix("ws")
    if not url.startswith(("http://", "https://")):
        return None
    return _USER.sub(r"\1", url.partition("#")[0])[:CUT_URL]


def _key(exchange: Recorded) -> Key:
    return "socket" if exchange.socket else exchange.method, _address(exchange.url) or exchange.url


def _said(status: int | None) -> str | None:
    return None if status is None else str(status)
