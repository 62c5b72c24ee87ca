"""The gateway as an ASGI application: API and portal behind the door."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from evidence_desk.court.node.gateway.api import Api
from evidence_desk.court.node.gateway.context import GatewayContext
from evidence_desk.court.node.gateway.door import make_door
from evidence_desk.court.node.gateway.refusals import RefusalError, error_response, refusal
from evidence_desk.court.node.portal import routes as portal
from evidence_desk.errors import EvidenceDeskError, UserError


def create_app(context: GatewayContext, *, on_ready: Callable[[], None] | None = None) -> ASGIApp:
    """ASGI application that owns `context` and closes it; `on_ready` is called once when it begins to serve."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        tasks = [
            asyncio.create_task(context.chain.keep_following()),
            asyncio.create_task(context.tokens.keep_stamping(context.chain)),
        ]
        if on_ready is not None:
            on_ready()
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            await context.close()

    inner = Starlette(
        routes=[*Api(context).routes(), *portal.routes(context)],
        lifespan=lifespan,
        exception_handlers=HANDLERS,
    )
    inner.router.redirect_slashes = False
    settings = context.settings
    return make_door(settings.rate, settings.burst, tls=bool(settings.certificate))(inner)


def _refuse(_: Request, error: Exception) -> Response:
    return refusal(error)


def _not_served(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    response = error_response(UserError("api.no_route"), status)
    if isinstance(error, HTTPException) and error.headers:
        response.headers.update(error.headers)
    return response


HANDLERS: Final[Mapping[Any, Callable[[Request, Exception], Response]]] = {
    RefusalError: _refuse,
    EvidenceDeskError: _refuse,
    HTTPException: _not_served,
    Exception: _refuse,
}
"""How exceptions of handlers are answered."""
