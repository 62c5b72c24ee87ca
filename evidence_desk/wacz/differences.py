"""What the browser said and what was recorded, held against each other: the result, and its bytes (``differences.json``)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.errors import MalformedError

MAX_SIZE: Final = 256 << 20
MAX_TEXT: Final = 16_384


class Reason(StrEnum):
    """Why something has no partner, or differs from it. Sentences: ``difference.…`` in the texts."""

    LOCAL = "local"
    """Content without network: data:, blob:, about:."""
    CACHE = "cache"
    SERVICE_WORKER = "service_worker"
    """A service worker made the answer; what it fetched itself is a request of its own."""
    INTERNAL_REDIRECT = "internal_redirect"
    """The browser redirected by itself (HSTS)."""
    BLOCKED = "blocked"
    CANCELED = "canceled"
    NOT_SENT = "not_sent"
    """Failed before anything was sent: name, connection, certificate."""
    UNANSWERED = "unanswered"
    """Neither answer nor failure was told before the capture ended."""
    ONLY_BROWSER = "only_browser"
    """The browser had an answer that was not recorded."""
    PREFLIGHT = "preflight"
    FAVICON = "favicon"
    PUSHED = "pushed"
    RETRIED = "retried"
    """The browser sent it again on another connection and told of one."""
    ONLY_WIRE = "only_wire"
    FAILED_IN_BROWSER = "failed_in_browser"
    """Recorded whole, but the browser gave it up: canceled, forbidden by its rules, not decodable, a download."""
    BOTH_FAILED = "both_failed"
    INCOMPLETE = "incomplete"
    """The browser took as whole what was cut short on the wire."""
    UNFINISHED = "unfinished"
    """The browser was still reading when the capture ended."""
    STATUS = "status"
    LENGTH = "length"
    BODY = "body"
    MESSAGES = "messages"
    """WebSocket messages."""

    @property
    def contradicts(self) -> bool:
        """Whether record and browser cannot both be right, or the record lacks what the browser had."""
        return self in _CONTRADICTIONS


_CONTRADICTIONS: Final = frozenset(
    (Reason.ONLY_BROWSER, Reason.STATUS, Reason.LENGTH, Reason.BODY, Reason.MESSAGES)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One difference.

    Attributes:
        request: the browser's name of the request, None when only the wire has it.
        connection, stream: of the recorded exchange, None when only the browser has it.
        ours, theirs: what was recorded and what the browser said: status, size, digest, or name of the fault.
    """

    reason: Reason
    url: str
    method: str
    request: str | None = None
    connection: int | None = None
    stream: int | None = None
    ours: str | None = None
    theirs: str | None = None

    def to_json(self) -> dict[str, JSON]:
        """Member of the list."""
        return {
            "reason": self.reason.value, "url": self.url, "method": self.method, "request": self.request,
            "connection": self.connection, "stream": self.stream, "ours": self.ours, "theirs": self.theirs,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The whole result.

    Attributes:
        requests: requests of the browser, each hop of a redirect counted; `responses` those that were answered.
        exchanges: recorded ones.
        matched: pairs found.
        equal: pairs whose bodies are byte for byte what the browser had, told by digest (or, in ``text``, character for
            character after decoding).
        unchecked: pairs whose answer came whole but for whose body the browser gave no digest that could be compared.
        torn: the browser's log ends inside a line.
    """

    requests: int
    responses: int
    exchanges: int
    matched: int
    equal: int
    text: int
    unchecked: int
    torn: bool
    differences: tuple[Difference, ...]

    @property
    def counts(self) -> Mapping[Reason, int]:
        """How many differences of each kind."""
        return Counter(difference.reason for difference in self.differences)

    @property
    def contradictions(self) -> tuple[Difference, ...]:
        """Those that cannot be explained by how browsers work."""
        return tuple(item for item in self.differences if item.reason.contradicts)

    def to_json(self) -> dict[str, JSON]:
        """Members of ``differences.json``."""
        return {
            "v": 1, "requests": self.requests, "responses": self.responses, "exchanges": self.exchanges,
            "matched": self.matched, "equal": self.equal, "text": self.text, "unchecked": self.unchecked,
            "torn": self.torn, "differences": [item.to_json() for item in self.differences],
        }  # fmt: skip

    def encode(self) -> bytes:
        """``differences.json``."""
        return encode(self.to_json())


def parse_comparison(data: bytes) -> Comparison:
    """Read ``differences.json`` strictly.

    Raises:
        MalformedError: ``malformed.differences``, or of its JSON.
    """
    value = decode(data, what="differences.json", limit=MAX_SIZE)
    if not isinstance(value, dict) or not isinstance(value.get("differences"), list) or value.get("v") != 1:
        raise _refuse()
    listed = value["differences"]
    if not isinstance(listed, list) or not isinstance(value.get("torn"), bool):
        raise _refuse()
    result = Comparison(
        requests=_count(value, "requests"), responses=_count(value, "responses"), exchanges=_count(value, "exchanges"), matched=_count(value, "matched"),
        equal=_count(value, "equal"), text=_count(value, "text"), unchecked=_count(value, "unchecked"),
        torn=value["torn"] is True, differences=tuple(_difference(item) for item in listed),
    )  # fmt: skip
    if result.encode() != data:
        raise _refuse()
    return result


def _difference(value: JSON) -> Difference:
    if not isinstance(value, dict):
        raise _refuse()
    try:
        reason = Reason(_text(value, "reason") or "")
    except ValueError as error:
        raise _refuse() from error
    connection, stream = (
        None if value.get(name) is None else _count(value, name) for name in ("connection", "stream")
    )
    return Difference(
        reason=reason, url=_text(value, "url") or "", method=_text(value, "method") or "",
        request=_text(value, "request"), connection=connection, stream=stream,
        ours=_text(value, "ours"), theirs=_text(value, "theirs"),
    )  # fmt: skip


def _text(value: dict[str, JSON], name: str) -> str | None:
    item = value.get(name)
    if item is not None and not isinstance(item, str):
        raise _refuse()
    return item


def _count(value: dict[str, JSON], name: str) -> int:
    item = value.get(name)
    if type(item) is not int or item < 0:
        raise _refuse()
    return item


def _refuse() -> MalformedError:
    return MalformedError("malformed.differences")
