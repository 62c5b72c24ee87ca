"""The browser's own view of what it fetched: ``network.jsonl``, read strictly, put together request by request.

Written by the capture browser; a redirect is one more hop of the same request. The last line may be torn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from evidence_desk.core.canonical import JSON, decode
from evidence_desk.core.digests import parse_hex
from evidence_desk.errors import MalformedError

MAX_LINE: Final = 16 << 20
MAX_REQUESTS: Final = 200_000
MAX_FRAMES: Final = 1_000_000
CUT_URL: Final = 16_384
"""The browser's log cuts addresses at this length, and those that hold their own content at 200."""

Members = dict[str, JSON]


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserBody:
    """Body as the browser decoded it. `text` says that it was also decoded to characters, and these taken as UTF-8."""

    sha256: bytes
    size: int
    text: bool


@dataclass(slots=True, kw_only=True)
class Seen:
    """One request, or one hop of a redirected one; a WebSocket too.

    Attributes:
        key: the request by Chromium's name; hops share it.
        at: microseconds of the Unix epoch.
        status: what scripts see; `wire_status` what Chromium's network layer got, where it says.
        cached: from memory or disk, not from the network.
        service_worker: a service worker made the answer.
        error: Chromium's name of the error, None when nothing failed.
        size: bytes of the decoded body, None when it did not come to an end; `arrived` bytes that came for the answer,
            sometimes with its head.
        sent, received: WebSocket messages, (opcode, SHA-256).
    """

    key: str
    session: str
    at: int
    url: str
    method: str
    type: str = ""
    socket: bool = False
    status: int | None = None
    wire_status: int | None = None
    internal: bool = False
    cached: bool = False
    service_worker: bool = False
    error: str | None = None
    blocked: str = ""
    canceled: bool = False
    finished: bool = False
    size: int | None = None
    arrived: int = 0
    body: BrowserBody | None = None
    sent: list[tuple[int, bytes]] = field(default_factory=list)
    received: list[tuple[int, bytes]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserLog:
    """All requests in the order in which they began; `torn`: what came after them could not be read."""

    seen: tuple[Seen, ...]
    torn: bool


def read_browser_log(source: BinaryIO) -> BrowserLog:
    """Read ``network.jsonl``.

    Raises:
        MalformedError: ``malformed.network``, or of its JSON.
    """
    reader = _Reader()
    return BrowserLog(torn=_read(reader, source), seen=tuple(reader.seen))


def read_what_can_be(source: BinaryIO) -> BrowserLog:
    """As `read_browser_log`, up to the first line that is wrong or beyond the bounds: pages decide how much there is."""
    reader = _Reader()
    try:
        torn = _read(reader, source)
    except MalformedError:
        torn = True
    return BrowserLog(seen=tuple(reader.seen), torn=torn)


def _read(reader: _Reader, source: BinaryIO) -> bool:
    """Whether it ends inside a line."""
    for line in _lines(source):
        if not line.endswith(b"\n"):
            return True
        value = decode(line[:-1], what="network.jsonl", limit=MAX_LINE)
        if not isinstance(value, dict):
            raise _refuse("line")
        reader.take(value)
    return False


def _lines(source: BinaryIO) -> Iterator[bytes]:
    while line := source.readline(MAX_LINE + 2):
        if len(line) > MAX_LINE + 1:
            raise _refuse("line_length")
        yield line


class _Reader:
    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self._hops: dict[str, list[Seen]] = {}
        self._statuses: dict[str, list[int]] = {}
        self._frames = 0
        self._handlers: dict[str, Callable[[Members, str], None]] = {
            "requestWillBeSent": self._on_request,
            "redirected": self._on_response,
            "responseReceived": self._on_response,
            "responseReceivedExtraInfo": self._on_extra,
            "requestServedFromCache": self._on_cached,
            "loadingFinished": self._on_finished,
            "loadingFailed": self._on_failed,
            "body": self._on_body,
            "webSocketCreated": self._on_socket,
            "webSocketHandshakeResponseReceived": self._on_handshake,
            "webSocketFrameSent": self._on_frame,
            "webSocketFrameReceived": self._on_frame,
            "webSocketFrameError": self._on_socket_error,
        }

    def take(self, value: Members) -> None:
        """One line; events that tell nothing about requests are passed over."""
        handler = self._handlers.get(_text(value, "event"))
        if handler is not None:
            handler(value, _text(value, "requestId"))

    def _last(self, key: str) -> Seen | None:
        """The hop that an event is about; None when the log began in the middle of it."""
        hops = self._hops.get(key)
        return hops[-1] if hops else None

    def _begin(self, seen: Seen) -> None:
        if len(self.seen) >= MAX_REQUESTS:
            raise _refuse("too_many")
        hops = self._hops.setdefault(seen.key, [])
        hops.append(seen)
        self.seen.append(seen)
        self._assign(seen.key)

    def _assign(self, key: str) -> None:
        """Extra information has no hop of its own: the first goes to the first, and so on."""
        for hop, status in zip(self._hops.get(key, ()), self._statuses.get(key, ()), strict=False):
            hop.wire_status = status

    def _on_request(self, value: Members, key: str) -> None:
        self._begin(
            Seen(
                key=key, session=_text(value, "session"), at=_number(value, "at"), url=_text(value, "url"),
                method=_text(value, "method"), type=_text(value, "type"),
            )
        )  # fmt: skip

    def _on_response(self, value: Members, key: str) -> None:
        seen = self._last(key)
        if seen is None:
            return
        seen.status = _number(value, "status")
        seen.cached = seen.cached or _flag(value, "cached")
        seen.service_worker = _flag(value, "service_worker")
        headers = value.get("headers")
        if not isinstance(headers, dict):
            raise _refuse("headers")
        seen.internal = any(name.lower() == "non-authoritative-reason" for name in headers)

    def _on_extra(self, value: Members, key: str) -> None:
        self._statuses.setdefault(key, []).append(_number(value, "status"))
        self._assign(key)

    def _on_cached(self, _value: Members, key: str) -> None:
        if (seen := self._last(key)) is not None:
            seen.cached = True

    def _on_finished(self, value: Members, key: str) -> None:
        if (seen := self._last(key)) is not None:
            seen.finished, seen.size = True, _number(value, "size")
            seen.arrived = _number(value, "encoded")

    def _on_failed(self, value: Members, key: str) -> None:
        if (seen := self._last(key)) is not None:
            seen.error, seen.blocked = _text(value, "error"), _text(value, "blocked")
            seen.canceled = _flag(value, "canceled")

    def _on_body(self, value: Members, key: str) -> None:
        seen = self._last(key)
        if value.get("sha256") is None or seen is None:
            return
        seen.body = BrowserBody(
            sha256=parse_hex(value["sha256"], what="network.jsonl"), size=_number(value, "size"),
            text=_text(value, "form") == "text",
        )  # fmt: skip

    def _on_socket(self, value: Members, key: str) -> None:
        self._begin(
            Seen(
                key=key, session=_text(value, "session"), at=_number(value, "at"), url=_text(value, "url"),
                method="GET", type="WebSocket", socket=True,
            )
        )  # fmt: skip

    def _on_handshake(self, value: Members, key: str) -> None:
        if (seen := self._last(key)) is not None:
            seen.status = _number(value, "status")

    def _on_socket_error(self, value: Members, key: str) -> None:
        if (seen := self._last(key)) is not None:
            seen.error = _text(value, "error")

    def _on_frame(self, value: Members, key: str) -> None:
        seen = self._last(key)
        if seen is None:
            return
        self._frames += 1
        if self._frames > MAX_FRAMES:
            raise _refuse("too_many")
        sent = _text(value, "event") == "webSocketFrameSent"
        digest = parse_hex(value.get("sha256"), what="network.jsonl")
        (seen.sent if sent else seen.received).append((_number(value, "opcode"), digest))


def _text(value: Members, name: str) -> str:
    item = value.get(name, "")
    if not isinstance(item, str):
        raise _refuse(name)
    return item


def _number(value: Members, name: str) -> int:
    item = value.get(name)
    if type(item) is not int or item < 0:
        raise _refuse(name)
    return item


def _flag(value: Members, name: str) -> bool:
    item = value.get(name)
    if not isinstance(item, bool):
        raise _refuse(name)
    return item


def _refuse(reason: str) -> MalformedError:
    return MalformedError("malformed.network", reason=reason)
