"""Requests read strictly: bodies within their limits and in time, parameters that are known and said once."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Final

from starlette.requests import ClientDisconnect, Request

from evidence_desk.core.checkpoint import check_origin
from evidence_desk.core.digests import parse_hex
from evidence_desk.errors import MalformedError

BODY_SECONDS: Final = 15.0
"""Time a client has to send its body."""
MAX_LEAVES_URL: Final = 16
MAX_LEAVES: Final = 256
MAX_QUERY: Final = 4_096
_LEAVES_BODY: Final = 32 * 1024
_NUMBER: Final = re.compile(r"(?:0|[1-9][0-9]{0,15})\Z")
_MAX_NUMBER: Final = 2**53 - 1


async def read_body(request: Request, limit: int, *, what: str) -> bytes:
    """The body.

    Raises:
        MalformedError: ``malformed.too_large``, ``malformed.api_body`` for one that breaks off or is too slow.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and (len(announced) > 15 or int(announced) > limit):
        raise MalformedError("malformed.too_large", what=what, limit=limit)
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    raise MalformedError("malformed.too_large", what=what, limit=limit)
    except (TimeoutError, ClientDisconnect) as error:
        raise MalformedError("malformed.api_body") from error
    return bytes(body)


def origin_of(request: Request) -> str:
    """Origin from the three segments of the path; ``malformed.origin``."""
    path = request.path_params
    return check_origin(f"{path['desk']}/{path['id']}/{path['epoch']}")


def number_of(text: str, *, name: str) -> int:
    """A number in its one spelling, up to 2^53 − 1; ``malformed.api_query``."""
    if not _NUMBER.match(text) or int(text) > _MAX_NUMBER:
        raise MalformedError("malformed.api_query", name=name)
    return int(text)


def query_of(request: Request, known: frozenset[str]) -> Mapping[str, list[str]]:
    """Values of the query by name; ``malformed.api_query`` for an unknown name."""
    if len(request.scope["query_string"]) > MAX_QUERY:
        raise MalformedError("malformed.api_query", name="?")
    found: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        if name not in known:
            raise MalformedError("malformed.api_query", name=_printable(name))
        found.setdefault(name, []).append(value)
    return found


def one_number(query: Mapping[str, list[str]], name: str, default: int) -> int:
    """A number that may be left out; ``malformed.api_query``."""
    values = query.get(name, [])
    if len(values) > 1:
        raise MalformedError("malformed.api_query", name=name)
    return number_of(values[0], name=name) if values else default


def flag(query: Mapping[str, list[str]], name: str) -> bool:
    """Whether ``name=1`` was said; ``malformed.api_query`` for anything else."""
    if query.get(name, ["1"]) != ["1"]:
        raise MalformedError("malformed.api_query", name=name)
    return name in query


def leaves_of(query: Mapping[str, list[str]]) -> list[bytes]:
    """Leaf hashes of a URL; ``malformed.digest``, ``malformed.api_query`` for too many."""
    values = query.get("leaf", [])
    if len(values) > MAX_LEAVES_URL:
        raise MalformedError("malformed.api_query", name="leaf")
    return [parse_hex(value, what="leaf") for value in values]


async def read_leaves(request: Request) -> list[bytes]:
    """Leaf hashes of a body ``{"leaves": [hex…]}``.

    Raises:
        MalformedError: ``malformed.api_leaves``, ``malformed.digest`` and those of `read_body`.
    """
    data = await read_body(request, _LEAVES_BODY, what="leaves")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise MalformedError("malformed.api_leaves", limit=MAX_LEAVES) from error
    listed = value["leaves"] if isinstance(value, dict) and set(value) == {"leaves"} else None
    if not isinstance(listed, list) or len(listed) > MAX_LEAVES:
        raise MalformedError("malformed.api_leaves", limit=MAX_LEAVES)
    return [parse_hex(item, what="leaf") for item in listed]


def _printable(text: str) -> str:
    return "".join(sign for sign in text if sign.isprintable())[:40]
