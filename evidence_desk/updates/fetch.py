"""One GET of one address. What goes out is the request line and ``Host``; nothing tells who asks, from which version, or why."""

from __future__ import annotations

import ssl
import time
from typing import Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from evidence_desk.core.note import MAX_NOTE
from evidence_desk.errors import RemoteError

SECONDS: Final = 20.0
"""For the whole answer."""
_SILENCE: Final = 10.0
_OK: Final = 200


def fetch(address: str, *, seconds: float = SECONDS) -> bytes:
    """The bytes behind an address, at most `MAX_NOTE`. Not forwarded, no cookies, no credentials of the machine.

    Raises:
        RemoteError: ``updates.unreachable``, ``updates.answer``, ``updates.too_large``, ``updates.slow``.
    """
    try:
        # trust_env would send what a .netrc holds for the host.
        with httpx.Client(
            trust_env=False, proxy=_proxy(address), follow_redirects=False, timeout=_SILENCE, verify=_roots()
        ) as client:
            # A request made by the client would name the library and what it reads.
            response = client.send(httpx.Request("GET", address), stream=True)
            try:
                return _body(response, time.monotonic() + seconds)
            finally:
                response.close()
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, ImportError) as error:
        raise RemoteError("updates.unreachable", reason=type(error).__name__) from error


def _body(response: httpx.Response, end: float) -> bytes:
    if response.status_code != _OK or response.headers.get("content-encoding", "identity") != "identity":
        raise RemoteError("updates.answer", status=response.status_code)
    body = b""
    for piece in response.iter_raw(4096):
        body += piece
        if len(body) > MAX_NOTE:
            raise RemoteError("updates.too_large", limit=MAX_NOTE)
        if time.monotonic() > end:
            raise RemoteError("updates.slow")
    return body


def _proxy(address: str) -> str | None:
    """The proxy of the system."""
    parts = urlsplit(address)
    return None if proxy_bypass(parts.netloc) else getproxies().get(parts.scheme)


def _roots() -> ssl.SSLContext:
    """The roots of the system, to which an institution adds its own, and those of the library."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context
