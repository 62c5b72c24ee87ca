"""Requests and answers of the test sites, apart from how they travel."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from tests.sites.record import Header

BLOCK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Pause:
    """Silence between two pieces of a body, in seconds."""

    seconds: float


Piece = bytes | Pause
Pieces = Callable[[], Iterable[Piece]]


class Framing(StrEnum):
    """How HTTP/1.1 tells the end of a body."""

    LENGTH = "length"
    CHUNKED = "chunked"
    CLOSE = "close"
    NONE = "none"


class Ending(StrEnum):
    """What becomes of the connection (HTTP/2: of the stream) after an answer."""

    KEEP = "keep"
    CLOSE = "close"
    """With close_notify and FIN."""
    CUT = "cut"
    """FIN alone: TLS is truncated."""
    RESET = "reset"
    """RST, or RST_STREAM."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a handler is told of a request."""

    scheme: str
    host: str
    method: str
    target: str
    headers: tuple[Header, ...]
    body: bytes
    protocol: str

    @property
    def path(self) -> str:
        """Target without query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """What follows the question mark."""
        return self.target.partition("?")[2]

    def header(self, name: str) -> str:
        """The first such header, or empty text."""
        wanted = name.lower().encode()
        return next((value.decode("latin-1") for key, value in self.headers if key.lower() == wanted), "")

    @property
    def origin(self) -> str:
        """Scheme and authority as the client wrote it."""
        return f"{self.scheme}://{self.host}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer that either protocol can carry. A body given as bytes has a length; one of pieces is chunked.

    Attributes:
        size: length of a body of pieces; None means chunked (HTTP/1.1) or untold (HTTP/2).
    """

    status: int = 200
    headers: tuple[Header, ...] = ()
    body: bytes | Pieces = b""
    size: int | None = None
    framing: Framing | None = None
    trailers: tuple[Header, ...] = ()
    informational: tuple[tuple[int, tuple[Header, ...]], ...] = ()
    ending: Ending = Ending.KEEP
    reset_code: int = 0x2  # INTERNAL_ERROR, RFC 9113 §7

    def pieces(self) -> Iterator[Piece]:
        """The body, from its start."""
        if isinstance(self.body, bytes):
            yield from blocks(self.body)
        else:
            yield from self.body()


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """An answer for HTTP/1.1 given as its exact bytes.

    Attributes:
        before: whole heads of 1xx answers, sent first.
        payload: the body without framing, when that differs.
    """

    head: bytes
    body: bytes | Pieces = b""
    before: tuple[bytes, ...] = ()
    payload: bytes | None = None
    trailers: tuple[Header, ...] = ()
    ending: Ending = Ending.KEEP

    def pieces(self) -> Iterator[Piece]:
        """The framed body, from its start."""
        if isinstance(self.body, bytes):
            yield from blocks(self.body)
        else:
            yield from self.body()


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgrade:
    """The connection becomes a WebSocket; `speak` says which conversation."""

    speak: str
    deflate: bool = False


Reply = Answer | Raw | Upgrade
Handler = Callable[[Request], Reply]
Routes = Mapping[str, Handler]
"""By path; ``/name/*`` takes all below it."""


def find(routes: Routes, path: str) -> Handler:
    """The handler of a path."""
    if path in routes:
        return routes[path]
    parts = path.split("/")
    for length in range(len(parts) - 1, 0, -1):
        above = "/".join([*parts[:length], "*"])
        if above in routes:
            return routes[above]
    return _missing


def _missing(request: Request) -> Answer:
    return text(f"没有这一页：{request.path}\n", status=404)


def content(kind: str, body: bytes, *more: Header, status: int = 200) -> Answer:
    """An answer with a length and a media type."""
    return Answer(status=status, headers=((b"Content-Type", kind.encode()), *more), body=body)


def html(body: str, *more: Header, status: int = 200) -> Answer:
    """A page in UTF-8."""
    return content("text/html; charset=utf-8", body.encode(), *more, status=status)


def text(body: str, *more: Header, status: int = 200) -> Answer:
    """Plain text in UTF-8."""
    return content("text/plain; charset=utf-8", body.encode(), *more, status=status)


def script(body: str, *more: Header) -> Answer:
    """JavaScript."""
    return content("text/javascript; charset=utf-8", body.encode(), *more)


def redirect(to: str, *more: Header, status: int = 302) -> Answer:
    """A redirect, with a short body."""
    return Answer(
        status=status,
        headers=((b"Location", to.encode()), (b"Content-Type", b"text/plain; charset=utf-8"), *more),
        body="转往他处。\n".encode(),
    )


def always(answer: Reply) -> Handler:
    """A handler that gives the same each time."""
    return lambda _request: answer


def blocks(data: bytes, size: int = BLOCK) -> Iterator[bytes]:
    """The data in blocks."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


def noise(name: str, size: int) -> Iterator[bytes]:
    """Incompressible bytes that are the same each time, in blocks: SHAKE-128 over name and block number."""
    for number, start in enumerate(range(0, size, BLOCK)):
        seed = hashlib.shake_128(name.encode() + number.to_bytes(8, "big"))
        yield seed.digest(min(BLOCK, size - start))
