"""What every request passes: rate limit, number at once, time limit, headers; and the uniform answer to every failure."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from evidence_desk.court.node.gateway.limits import Places, RateLimit
from evidence_desk.court.node.gateway.refusals import TOO_MANY, RefusalError, refusal
from evidence_desk.errors import BusyError, EvidenceDeskError, MalformedError, RemoteError

_log = structlog.get_logger()

AT_ONCE: Final = 256
REQUEST_SECONDS: Final = 40.0
_DRAINED: Final = 64 << 20
"""A refused body up to this size is read to its end and dropped, so that its sender gets to see the answer."""
_COSTS: Final = {
    "/v1/registrations": 20,
    "/v1/keybags": 10,
    "/v1/lookup": 4,
    "/v1/numbers": 4,
    "/v1/leaves": 2,
}
_SECURITY: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
_TRANSPORT: Final = "max-age=31536000"


class Door:
    """ASGI middleware.

    Args:
        limit: requests by client.
        tls: whether this process does TLS.
    """

    def __init__(self, app: ASGIApp, limit: RateLimit, *, tls: bool) -> None:
        self._app = app
        self._limit = limit
        self._places = Places(AT_ONCE)
        self._headers = {**_SECURITY, **({"Strict-Transport-Security": _TRANSPORT} if tls else {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            self._admit(scope)
            _check_framing(scope)
            with self._places:
                async with asyncio.timeout(REQUEST_SECONDS):
                    await self._app(scope, receive, sending)
        except TimeoutError:
            await self._fail(RemoteError("api.timeout"), scope, receive, sending, begun=begun)
        except Exception as error:  # noqa: BLE001 - a client never sees an exception, only a uniform answer
            await self._fail(error, scope, receive, sending, begun=begun)

    def _admit(self, scope: Scope) -> None:
        client = scope.get("client")
        name = client[0] if client else ""

        def charge(tokens: int) -> None:
            wait = self._limit.take(name, tokens)
            if wait:
                raise RefusalError(BusyError("api.too_many", seconds=wait), TOO_MANY, retry_after=wait)

        charge(cost(scope["path"]))
        # For work that shows only while it is done: `request.state.charge`.
        scope.setdefault("state", {})["charge"] = charge

    async def _fail(
        self, error: Exception, scope: Scope, receive: Receive, send: Send, *, begun: bool
    ) -> None:
        if not isinstance(error, EvidenceDeskError | RefusalError):
            _log.error("gateway.bug", kind=type(error).__name__, where=_where(error))
        if begun:
            return  # what was said can't be taken back; an answer that is not whole ends its connection
        response = refusal(error)
        if not _ends(scope):
            response.headers["Connection"] = "close"
        await response(scope, receive, send)


def cost(path: str) -> int:
    """Tokens that a request takes."""
    return next((cost for prefix, cost in _COSTS.items() if path.startswith(prefix)), 1)


def make_door(rate: int, burst: int, *, tls: bool) -> Callable[[ASGIApp], Door]:
    """Middleware with its own buckets."""
    return lambda app: Door(app, RateLimit(rate, burst, time.monotonic), tls=tls)


def _check_framing(scope: Scope) -> None:
    """Refuse a body of two lengths (RFC 9112 §6.1): a proxy in front might see another end than we do."""
    names = {name for name, _ in scope["headers"]}
    if {b"transfer-encoding", b"content-length"} <= names:
        raise MalformedError("malformed.api_framing")


def _ends(scope: Scope) -> bool:
    """Whether the body of a request is announced to end soon enough to be read to its end."""
    headers = dict(scope["headers"])
    announced = headers.get(b"content-length", b"0")
    return b"transfer-encoding" not in headers and announced.isdigit() and int(announced[:15]) <= _DRAINED


def _where(error: Exception) -> str:
    """Last line of ours on the way of an exception; never its text, which may quote what a client sent."""
    where = ""
    trace = error.__traceback__
    while trace is not None:
        name = str(trace.tb_frame.f_globals.get("__name__", ""))
        if name.startswith(("evidence_desk", "tsa")):
            where = f"{name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return where
