"""Routes of the portal, mounted by the gateway: the page, its sentences, its static files. No third party anywhere."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from evidence_desk.core.canonical import encode
from evidence_desk.core.digests import sha256
from evidence_desk.court.node.portal.answer import Finder, Questions
from evidence_desk.court.node.portal.pages import STATIC, Page, say_moment
from evidence_desk.court.protocol.history import NetworkTrust
from evidence_desk.texts import Language, sentences

_FOLDER: Final = Path(__file__).parent / "static"
_MAX_TYPED: Final = 400
_SPOKEN: Final = ("portal.", "court.", "malformed.", "demo.chain", "api.")
_TYPES: Final = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; worker-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Source(Protocol):
    """What the portal needs of a gateway."""

    @property
    def finder(self) -> Finder:
        """Finds leaves."""
        ...

    @property
    def network(self) -> bytes:
        """The network file as served."""
        ...

    @property
    def trust(self) -> NetworkTrust:
        """The same, read."""
        ...


def routes(source: Source, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> list[BaseRoute]:
    """Routes of the portal.

    Args:
        source: the gateway's parts.
        now: clock.
    """

    async def home(request: Request) -> Response:
        language = asked_language(request)
        typed = request.query_params.get("q", "").strip()[:_MAX_TYPED]
        page = Page(language=language, trust=source.trust, fingerprint=sha256(source.network).hex())
        shown = None
        if typed:
            asking = Questions(finder=source.finder, trust=source.trust, now=now(), say=say_moment(language))
            shown = await asking.answer(typed)
        headers = {**_HEADERS, "Cache-Control": "no-store", "Vary": "Accept-Language"}
        return Response(page.render(typed, shown), media_type="text/html", headers=headers)

    return [
        Route("/", home, methods=["GET"]),
        Route("/portal/texts/{language}.json", _texts, methods=["GET"]),
        Route(f"{STATIC}/{{path:path}}", _static, methods=["GET"]),
    ]


def asked_language(request: Request) -> Language:
    """From ``?lang=``, else from Accept-Language (RFC 9110 §12.5.4), else Chinese."""
    given = request.query_params.get("lang")
    if given in {item.value for item in Language}:
        return Language(given)
    best, quality = Language.ZH, 0.0
    for item in request.headers.get("accept-language", "")[:200].split(","):
        name, _, weight = item.strip().partition(";q=")
        try:
            value = float(weight) if weight else 1.0
        except ValueError:
            continue
        language = name.partition("-")[0].lower()
        if value > quality and language in {known.value for known in Language}:
            best, quality = Language(language), value
    return best


async def _texts(request: Request) -> Response:
    known = {item.value: item for item in Language}
    language = known.get(request.path_params["language"])
    if language is None:
        return Response(status_code=404, headers=_HEADERS)
    spoken = {code: text for code, text in sentences(language).items() if code.startswith(_SPOKEN)}
    return _cached(request, encode({**spoken}), "application/json")


async def _static(request: Request) -> Response:
    files = _files()
    path = request.path_params["path"]
    if path not in files:
        return Response(status_code=404, headers=_HEADERS)
    suffix = Path(path).suffix
    kind = _TYPES.get(suffix) or mimetypes.types_map.get(suffix, "application/octet-stream")
    return _cached(request, files[path], kind)


@cache
def _files() -> Mapping[str, bytes]:
    """Only what lies in the folder is served: no path of a request ever reaches the file system."""
    return {
        str(path.relative_to(_FOLDER).as_posix()): path.read_bytes()
        for path in sorted(_FOLDER.rglob("*"))
        if path.is_file()
    }


def _cached(request: Request, content: bytes, kind: str) -> Response:
    """With an ETag, asked for again each time: script and sentences of one version belong together."""
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {**_HEADERS, "ETag": tag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=kind, headers=headers)
