"""From a recorded connection to what was said on it: TLS taken off with the browser's secrets, HTTP read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import BinaryIO

from evidence_desk.core.capture.connection import Connection, Ending
from evidence_desk.core.capture.stream import Chunk, Direction, StreamReader
from evidence_desk.wacz.http.body import Body
from evidence_desk.wacz.http.exchange import Exchange, WebSocketMessage
from evidence_desk.wacz.http.ledger import End
from evidence_desk.wacz.http.limits import DEFAULT_LIMITS, Limits
from evidence_desk.wacz.http.reader import HttpReader, HttpResult
from evidence_desk.wacz.tls import KeyLog, TlsDecoder, TlsFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """One connection, read.

    Attributes:
        tls: None when the connection was not TLS, or nothing was sent.
        exchanges: in the order of their requests.
        messages: WebSocket messages in the order of their ends; `stream` says whose.
        faults: codes about the connection as a whole; those of TLS are in `tls`.
        torn: the stream ended inside a chunk: the recorder was killed there.
        surplus: bytes of the server that answer no request.
        sent, received: bytes of the stream in each direction, before decryption.
        close: gives the spool file back; bodies cannot be read afterwards.
    """

    connection: Connection
    tls: TlsFacts | None
    exchanges: tuple[Exchange, ...]
    messages: tuple[WebSocketMessage, ...]
    faults: tuple[str, ...]
    torn: bool
    surplus: Body | None
    sent: int
    received: int
    close: Callable[[], None] = field(repr=False, compare=False)

    @property
    def recorded(self) -> bool:
        """Whether the stream has as many bytes as the index says."""
        return (self.sent, self.received) == (self.connection.sent, self.connection.received)


def decode_connection(
    connection: Connection,
    chunks: Iterable[Chunk],
    secrets: KeyLog,
    spool: Callable[[], BinaryIO],
    *,
    limits: Limits = DEFAULT_LIMITS,
) -> Decoded:
    """Read one connection in one pass, with bounded memory: bodies go to one file of `spool`.

    Args:
        connection: its line of the index.
        chunks: its stream; a `StreamReader` tells whether it is torn.
        secrets: the browser's key log.
        spool: makes an anonymous file ("w+b"); asked at most once, closed by `Decoded.close`.
        limits: bounds for hostile bytes.

    Raises:
        MalformedError: the stream itself is malformed. What is wrong with TLS or HTTP is told in the result.
    """
    decoder = _Decoder(connection, secrets, spool, limits)
    try:
        for chunk in chunks:
            decoder.feed(chunk)
        return decoder.finish(torn=isinstance(chunks, StreamReader) and chunks.torn)
    except BaseException:
        decoder.abandon()
        raise


class _Decoder:
    """Takes TLS off, if there is any, and hands on to HTTP."""

    def __init__(
        self, connection: Connection, secrets: KeyLog, spool: Callable[[], BinaryIO], limits: Limits
    ) -> None:
        self._connection = connection
        self._tls: TlsDecoder | None = TlsDecoder(secrets)
        self._spool = spool
        self._limits = limits
        self._http: HttpReader | None = None
        self._undecided: list[Chunk] | None = []
        self._sizes = dict.fromkeys(Direction, 0)

    def feed(self, chunk: Chunk) -> None:
        """Next bytes of the stream."""
        self._sizes[chunk.direction] += len(chunk.data)
        if self._tls is None:
            self._reader().feed(chunk.direction, chunk.at, chunk.data)
            return
        for plain in self._tls.feed(chunk.direction, chunk.at, chunk.data):
            self._reader().feed(plain.direction, plain.at, plain.data)
        if self._undecided is not None:
            self._undecided.append(chunk)
            self._recognize()

    def _recognize(self) -> None:
        """Whether it is TLS shows in the browser's first bytes; what is not is given to HTTP from its beginning."""
        known = None if self._tls is None else self._tls.is_tls
        if known is None or self._undecided is None:
            return
        first, self._undecided = self._undecided, None
        if not known:
            self._tls = None
            for chunk in first:
                self._reader().feed(chunk.direction, chunk.at, chunk.data)

    def _reader(self) -> HttpReader:
        if self._http is None:
            self._http = HttpReader(
                number=self._connection.number, scheme="http" if self._tls is None else "https",
                host=self._connection.host, port=self._connection.port, spool=self._spool, limits=self._limits,
            )  # fmt: skip
            self._http.choose(None if self._tls is None else self._tls.facts.alpn)
        return self._http

    def finish(self, *, torn: bool) -> Decoded:
        """The stream is over."""
        if self._undecided:  # fewer bytes than tell: no TLS came about
            self._tls, first, self._undecided = None, self._undecided, None
            for chunk in first:
                self._reader().feed(chunk.direction, chunk.at, chunk.data)
        facts = None
        if self._tls is not None and self._http is None and self._undecided is not None:
            self._tls = None  # nothing was sent
        if self._tls is not None:
            self._tls.finish()
            facts = self._tls.facts
        short = (self._sizes[Direction.OUT], self._sizes[Direction.IN]) != (
            self._connection.sent,
            self._connection.received,
        )
        end = _end(self._connection, facts, whole=not torn and not short)
        result = None if self._http is None else self._http.finish(end)
        return _decoded(self._connection, facts, result, self._sizes, torn=torn)

    def abandon(self) -> None:
        """Give back what was taken."""
        if self._http is not None:
            self._http.finish(End.BROKEN).close()


def _end(connection: Connection, facts: TlsFacts | None, *, whole: bool) -> End:
    """How much the end of the connection says about a body that ends with it; `whole`: the stream is all there."""
    if not whole or connection.ending is not Ending.CLOSED:
        return End.BROKEN
    if facts is None or facts.ended == "close_notify":
        return End.ORDERLY
    return End.UNPROVEN if facts.ended == "truncated" else End.BROKEN


def _decoded(
    connection: Connection,
    facts: TlsFacts | None,
    result: HttpResult | None,
    sizes: dict[Direction, int],
    *,
    torn: bool,
) -> Decoded:
    return Decoded(
        connection=connection, tls=facts, torn=torn, sent=sizes[Direction.OUT], received=sizes[Direction.IN],
        exchanges=() if result is None else result.exchanges, messages=() if result is None else result.messages,
        faults=() if result is None else result.faults, surplus=None if result is None else result.surplus,
        close=_nothing if result is None else result.close,
    )  # fmt: skip


def _nothing() -> None:
    """There is no spool file to give back."""
