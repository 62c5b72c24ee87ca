"""The authority over HTTP (RFC 3161 §3.4): POST a query, get a reply; a page for people; its CA and revocation list."""

from __future__ import annotations

import asyncio
import html
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from evidence_desk.errors import HostError
from evidence_desk.texts import Language, sentence
from tsa.authority.responder import Responder

QUERY: Final = "application/timestamp-query"
REPLY: Final = "application/timestamp-reply"
MAX_BODY: Final = 64 << 10
BODY_SECONDS: Final = 10
"""Time a client has to send its request."""
_CONNECTIONS: Final = 512
_SAFE: Final = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """What the authority tells about itself.

    Attributes:
        ca_pem: certificates a client may pin, PEM.
        crl: DER revocation list, b"" when the authority has none.
        policy: policy OID of its tokens.
        accuracy_ms: stated accuracy in milliseconds.
        demo: whether to mark everything 演示/非第三方.
    """

    ca_pem: str
    crl: bytes
    policy: str
    accuracy_ms: int
    demo: bool


def create_app(
    responder: Responder, publication: Publication, *, on_ready: Callable[[], None] | None = None
) -> Starlette:
    """ASGI application; `on_ready` is called once when it begins to serve."""

    async def answer(request: Request) -> Response:
        kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if kind != QUERY:
            return _refuse(415, f"Content-Type must be {QUERY}")
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await _read(request)
        except TimeoutError:
            return _refuse(408, "the request took too long")
        except ClientDisconnect:
            return _refuse(400, "the request broke off")
        if body is None:
            return _refuse(413, f"the request is larger than {MAX_BODY} bytes")
        reply = await run_in_threadpool(responder.respond, body)
        return Response(reply, media_type=REPLY, headers=_SAFE)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        if on_ready is not None:
            on_ready()
        yield
        responder.close()

    return Starlette(
        routes=[
            Route("/", answer, methods=["POST"]),
            Route("/", _fixed(HTMLResponse(_page(publication), headers=_SAFE))),
            Route(
                "/ca.pem",
                _fixed(Response(publication.ca_pem, media_type="application/x-pem-file", headers=_SAFE)),
            ),
            Route("/crl.der", _crl(publication.crl)),
        ],
        lifespan=lifespan,
    )


def serve(app: Starlette, listener: socket.socket) -> None:
    """Serve on an open listening socket until SIGTERM or SIGINT; requests under way are answered first."""
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        limit_concurrency=_CONNECTIONS,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=10,
        lifespan="on",
    )
    # uvicorn raises the signal again after it has shut down; a clean stop shall end with status 0.
    previous = {name: signal.signal(name, _ignore) for name in (signal.SIGTERM, signal.SIGINT)}
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        for name, handler in previous.items():
            signal.signal(name, handler)


def listen(host: str, port: int) -> socket.socket:
    """Listening socket; port 0 takes a free one.

    Raises:
        HostError: ``authority.listen``.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        made = socket.create_server((host, port), family=family, backlog=256)
    except (OSError, OverflowError, UnicodeError) as error:
        raise HostError("authority.listen", host=host[:80], port=port) from error
    # asyncio turns Nagle's delay off only where the socket names its protocol; else each reply waits 40 ms.
    return socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, fileno=made.detach())


def _ignore(_number: int, _frame: object) -> None:
    return


async def _read(request: Request) -> bytes | None:
    """The body, or None when it is larger than `MAX_BODY`."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return None
    return bytes(body)


def _refuse(status: int, reason: str) -> Response:
    return PlainTextResponse(reason + "\n", status_code=status, headers={**_SAFE, "Connection": "close"})


def _fixed(response: Response) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(_: Request) -> Response:
        return response

    return endpoint


def _crl(crl: bytes) -> Callable[[Request], Awaitable[Response]]:
    if not crl:
        return _fixed(_refuse(404, "this authority publishes no revocation list here"))
    return _fixed(Response(crl, media_type="application/pkix-crl", headers=_SAFE))


def _page(publication: Publication) -> str:
    parts = [_section(publication, language) for language in Language]
    return (
        '<!doctype html><html lang="zh-CN"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{_text('authority.page.title', Language.ZH)}</title>"
        "<style>body{font:16px/1.6 sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}"
        "pre{background:#f2f2f2;padding:.8rem;overflow:auto}.demo{border:2px solid #b00;padding:.6rem}</style>"
        + "".join(parts)
        + "</html>"
    )


def _section(publication: Publication, language: Language) -> str:
    facts: dict[str, str | int] = {"policy": publication.policy, "accuracy": publication.accuracy_ms}
    demo = f'<p class="demo">{_text("authority.page.demo", language)}</p>' if publication.demo else ""
    commands = (
        "openssl ts -query -data FILE -sha256 -cert -out request.tsq\n"
        f'curl -H "Content-Type: {QUERY}" --data-binary @request.tsq URL -o response.tsr\n'
        "openssl ts -verify -queryfile request.tsq -in response.tsr -CAfile ca.pem"
    )
    return (
        f'<section lang="{language.value}"><h1>{_text("authority.page.title", language)}</h1>{demo}'
        f"<p>{html.escape(sentence('authority.page.about', facts, language))}</p>"
        f"<pre>{html.escape(commands)}</pre>"
        '<p><a href="/ca.pem">ca.pem</a> · <a href="/crl.der">crl.der</a></p></section>'
    )


def _text(code: str, language: Language) -> str:
    return html.escape(sentence(code, {}, language))
