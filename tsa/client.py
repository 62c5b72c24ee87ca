"""An RFC 3161 authority over HTTP (§3.4). Everything sent and received is kept: transfer is evidence too.

The server is not believed in anything: type, size and duration of its answer are bounded, and the token is returned
only after the strict verification. Retries happen for transport faults alone; an answer is never asked for twice.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final, Protocol

import httpx
import stamina
from stamina import instrumentation

from evidence_desk.core.ports import Clock
from evidence_desk.core.rows import TimestampReply
from evidence_desk.crypto import der
from evidence_desk.errors import MalformedError, RemoteError, UsageError
from tsa.acceptance import accept, make_question
from tsa.policy import TokenTrust

MAX_REPLY: Final = 256 << 10
MAX_CRL: Final = 16 << 20
TOTAL_SECONDS: Final = 30.0
"""For everything together: connecting, sending, receiving, trying again."""
SILENCE_SECONDS: Final = 10.0
CRL_SECONDS: Final = 10.0
"""For one revocation list; the token does not wait for long."""
ATTEMPTS: Final = 3
_QUERY: Final = "application/timestamp-query"
_REPLIES: Final = frozenset({"application/timestamp-reply", "application/timestamp-response"})
_HTML: Final = frozenset({"text/html", "application/xhtml+xml"})
_OK: Final = 200
_MAX_PORT: Final = 65535

# The default hook writes a line for each retry to standard output, which belongs to our own results.
instrumentation.set_on_retry_hooks(())


class _HasSocket(Protocol):
    def get_extra_info(self, info: str) -> object: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    status: int
    content_type: str
    body: bytes
    sent: datetime
    received: datetime
    attempts: int


class HttpAuthority:
    """`core.ports.TimestampAuthority` over HTTP.

    Args:
        name: name given by the person who configured it.
        url: http or https address; a password in it needs https.
        trust: roots and demands for the strict verification; without roots tokens are accepted as undetermined.
        http: client with proxy and TLS settings of the program.
        policy: policy OID to ask for.
        crl_urls: where to fetch revocation lists with each token; one that can't be had is left out.
        total_seconds: limit for one call of `timestamp`, fetching of lists not included.

    Raises:
        UsageError: ``client.url``, ``client.password_in_clear``.
    """

    def __init__(
        self,
        name: str,
        url: str,
        trust: TokenTrust,
        http: httpx.Client,
        clock: Clock,
        *,
        policy: str | None = None,
        crl_urls: tuple[str, ...] = (),
        total_seconds: float = TOTAL_SECONDS,
    ) -> None:
        self._name = name
        self._url = _checked_url(url, http)
        self._trust = trust
        self._http = http
        self._clock = clock
        self._policy = policy
        self._crl_urls = tuple(_checked_url(item, http) for item in crl_urls)
        self._total = total_seconds

    @property
    def name(self) -> str:
        """Name given by the person who configured it."""
        return self._name

    def timestamp(self, digest: bytes) -> TimestampReply:
        """Token over a SHA-256 digest, strictly verified before it is returned.

        Raises:
            RemoteError: ``client.…``: silent, slow, refusing or wrong authority.
        """
        question = make_question(digest, policy=self._policy, now=self._clock.now())
        answer = self._fetch(
            lambda: self._http.build_request(
                "POST",
                self._url,
                content=question.encoded,
                headers={"Content-Type": _QUERY, "Accept": "application/timestamp-reply"},
            ),
            limit=MAX_REPLY,
            seconds=self._total,
        )
        self._check_answer(answer)
        crls = self._fetch_crls()
        accepted = accept(
            question,
            answer.body,
            authority=self._name,
            trust=self._trust,
            received=answer.received,
            crls=crls,
        )
        return TimestampReply(
            authority=self._name,
            token=accepted.token,
            request=question.encoded,
            response=answer.body,
            gen_time=accepted.gen_time,
            tsa=accepted.tsa,
            transport=self._transport(answer, len(crls)),
            crls=crls,
        )

    def _transport(self, answer: _Answer, crls: int) -> Mapping[str, str | int]:
        return {
            # A password must not get into the evidence.
            "url": str(self._url.copy_with(userinfo=b"")),
            "sent": answer.sent.astimezone(UTC).isoformat(timespec="milliseconds"),
            "received": answer.received.astimezone(UTC).isoformat(timespec="milliseconds"),
            "round_trip_ms": (answer.received - answer.sent) // timedelta(milliseconds=1),
            "status": answer.status,
            "content_type": answer.content_type,
            "attempts": answer.attempts,
            "crls": crls,
        }

    def _check_answer(self, answer: _Answer) -> None:
        if answer.status != _OK:
            raise RemoteError("client.http_status", authority=self._name, status=answer.status)
        if answer.content_type in _HTML:
            raise RemoteError("client.html", authority=self._name)
        if answer.content_type not in _REPLIES:
            raise RemoteError("client.content_type", authority=self._name, found=answer.content_type or "-")
        if not answer.body:
            raise RemoteError("client.empty", authority=self._name)

    def _fetch_crls(self) -> tuple[bytes, ...]:
        """Lists that could be had; whether they are right and fresh is judged by the verification."""
        found: list[bytes] = []
        for url in self._crl_urls:
            try:
                answer = self._fetch(
                    partial(self._http.build_request, "GET", url),
                    limit=MAX_CRL,
                    seconds=min(CRL_SECONDS, self._total),
                )
                if answer.status == _OK:
                    der.parse(answer.body, what="CRL", limit=MAX_CRL)
                    found.append(answer.body)
            except (RemoteError, MalformedError):
                continue
        return tuple(found)

    def _fetch(self, build: Callable[[], httpx.Request], *, limit: int, seconds: float) -> _Answer:
        deadline = time.monotonic() + seconds
        number = 0
        try:
            for attempt in stamina.retry_context(
                on=httpx.TransportError,
                attempts=ATTEMPTS,
                timeout=seconds,
                wait_initial=0.2,
                wait_max=2.0,
                wait_jitter=0.2,
            ):
                with attempt:
                    number = attempt.num
                    return self._once(build(), limit=limit, deadline=deadline, number=number)
        except httpx.HTTPError as error:
            raise RemoteError(_transport_code(error), authority=self._name, attempts=number) from error
        raise AssertionError  # pragma: no cover - retry_context ends with a result or an error

    def _once(self, request: httpx.Request, *, limit: int, deadline: float, number: int) -> _Answer:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise RemoteError("client.timeout", authority=self._name, attempts=number)
        watchdog = _Watchdog(remaining)
        request.headers["Accept-Encoding"] = "identity"
        request.headers["Connection"] = "close"
        silence = min(SILENCE_SECONDS, remaining)
        request.extensions = {
            **request.extensions,
            "trace": watchdog.trace,
            "timeout": httpx.Timeout(silence).as_dict(),
        }
        sent = self._clock.now()
        try:
            with watchdog.watching():
                response = self._http.send(request, stream=True, follow_redirects=False)
                try:
                    body = self._read(response, limit)
                finally:
                    response.close()
        except httpx.TransportError as error:
            if watchdog.barked:
                raise RemoteError("client.timeout", authority=self._name, attempts=number) from error
            raise
        if watchdog.barked:
            raise RemoteError("client.timeout", authority=self._name, attempts=number)
        return _Answer(
            status=response.status_code,
            content_type=response.headers.get("Content-Type", "").split(";")[0].strip().lower()[:80],
            body=body,
            sent=sent,
            received=self._clock.now(),
            attempts=number,
        )

    def _read(self, response: httpx.Response, limit: int) -> bytes:
        announced = response.headers.get("Content-Length", "")
        if announced.isdecimal() and len(announced) < 20 and int(announced) > limit:
            raise RemoteError("client.too_large", authority=self._name, limit=limit)
        if response.headers.get("Content-Encoding", "identity").lower() not in ("", "identity"):
            raise RemoteError("client.content_type", authority=self._name, found="compressed")
        body = bytearray()
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > limit:
                raise RemoteError("client.too_large", authority=self._name, limit=limit)
        return bytes(body)


class _Watchdog:
    """Ends a connection after a time, however slowly its bytes drip: httpx's own limits start anew with each byte."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._mutex = threading.Lock()
        self._sockets: list[socket.socket] = []
        self.barked = False

    def trace(self, event: str, info: Mapping[str, object]) -> None:
        """Called by httpcore; notes each new socket of the request."""
        if not event.endswith(("connect_tcp.complete", "start_tls.complete")):
            return
        stream: _HasSocket = info["return_value"]  # type: ignore[assignment]
        found = stream.get_extra_info("socket")
        if isinstance(found, socket.socket):
            with self._mutex:
                self._sockets.append(found)
                if self.barked:
                    _shut(found)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Bark when the block takes longer."""
        timer = threading.Timer(self._seconds, self._bark)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _bark(self) -> None:
        with self._mutex:
            self.barked = True
            for item in self._sockets:
                _shut(item)


def _shut(item: socket.socket) -> None:
    try:
        # Straight on the descriptor: an SSLSocket would first want to say goodbye.
        socket.socket.shutdown(item, socket.SHUT_RDWR)
    except OSError:
        return


def _checked_url(url: str, http: httpx.Client) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, TypeError) as error:
        raise UsageError("client.url") from error
    port = 1 if parsed.port is None else parsed.port
    # httpx escapes what can be no host name ("http://[") instead of refusing it.
    named = parsed.host and "%" not in parsed.host
    if parsed.scheme not in ("http", "https") or not named or not 1 <= port <= _MAX_PORT:
        raise UsageError("client.url")
    if parsed.scheme == "http" and (parsed.userinfo or http.auth is not None):
        raise UsageError("client.password_in_clear", host=parsed.host)
    return parsed


def _transport_code(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "client.timeout"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return "client.tls"
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.ProxyError):
        return "client.proxy"
    return "client.unreachable" if isinstance(error, httpx.ConnectError) else "client.interrupted"
