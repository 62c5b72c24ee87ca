"""A gateway over the network made by hand: the portal's real routes, answers in the real formats, on loopback."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from evidence_desk.core.evidence_number import Prefix, format_number, parse_number
from evidence_desk.core.merkle import leaf_hash
from evidence_desk.court.node.portal.routes import routes
from evidence_desk.court.protocol.block_time import BlockTime
from evidence_desk.court.protocol.history import NetworkTrust
from evidence_desk.court.protocol.network_file import encode_network
from evidence_desk.court.protocol.search import FoundLeaf, SearchAnswer, encode_leaf_answer, encode_numbers
from evidence_desk.errors import NotFoundError
from tests.unit.court.network import trust
from tests.unit.portal.answers import FOUR, State

NAMES = ("北京互联网法院（演示）", "杭州互联网法院（演示）", "某市公证处（演示）", "某司法鉴定中心（演示）")
Spoil = Callable[[str, bytes], bytes]


def as_is(path: str, body: bytes) -> bytes:  # noqa: ARG001
    return body


@dataclass
class HandFinder:
    """Finds leaves in a state that was just agreed on."""

    state: State

    async def search(self, digest: bytes) -> SearchAnswer:
        empty = self.state.search(digest)
        entries = {entry.leaf_hash for item in empty.lookups for entry in item.entries}
        found = [self._found(seq) for seq, item in enumerate(self.state.digests) if item in entries]
        return self.state.search(digest, *found)

    async def numbers(self, text: str) -> tuple[str, tuple[FoundLeaf, ...]]:
        prefix = parse_number(text, Prefix.EVIDENCE)
        found = [self._found(seq) for seq, item in enumerate(self.state.digests) if item[:10] == prefix]
        return format_number(Prefix.EVIDENCE, prefix), tuple(found)

    async def leaf(self, digest: bytes) -> FoundLeaf:
        for seq, item in enumerate(self.state.digests):
            if item == digest:
                return self._found(seq)
        raise NotFoundError("api.not_found")

    def _found(self, seq: int) -> FoundLeaf:
        found = self.state.found(seq)
        assert leaf_hash(found.leaf) == self.state.digests[seq]
        return found


@dataclass
class HandGateway:
    """Serves `state`; `spoil` is what a lying gateway, or somebody in between, does to API answers."""

    state: State
    spoil: Spoil = as_is
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def __post_init__(self) -> None:
        names = dict(zip([item.address for item in FOUR.validators], NAMES, strict=True))
        self.trust: NetworkTrust = trust(FOUR, institutions=names)
        self.network = encode_network(self.trust)

    @property
    def finder(self) -> HandFinder:
        return HandFinder(self.state)

    def app(self) -> Starlette:
        async def answer(request: Request) -> Response:
            self.asked.append(request.url.path)
            try:
                body = await self._body(request)
            except NotFoundError:
                return Response(b'{"error":"api.not_found"}', status_code=404, media_type="application/json")
            return Response(self.spoil(request.url.path, body), media_type="application/json")

        paths = ("/v1/trust/network.json", "/v1/lookup/{digest}", "/v1/numbers/{number}", "/v1/leaves/{leaf}")
        return Starlette(routes=[*(Route(path, answer) for path in paths), *routes(self)])

    async def _body(self, request: Request) -> bytes:
        match request.path_params:
            case {"digest": digest}:
                return (await self.finder.search(bytes.fromhex(digest))).encode()
            case {"number": number}:
                return encode_numbers(*await self.finder.numbers(number))
            case {"leaf": leaf}:
                return encode_leaf_answer(await self.finder.leaf(bytes.fromhex(leaf)))
            case _:
                return self.network


def just_now(**changes: object) -> State:
    """A state whose header was agreed on a minute ago."""
    time_ = BlockTime.of(datetime.now(UTC) - timedelta(minutes=1))
    return State(time=time_, **changes)  # type: ignore[arg-type]


@dataclass
class App:
    """Any other application to be served."""

    app: Starlette
    url: str = ""


class Serving:
    """Serves a gateway on a free loopback port in a thread."""

    def __init__(self, served: HandGateway | App) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        served.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        app = served.app if isinstance(served, App) else served.app()
        config = uvicorn.Config(app, log_level="warning", lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)

    def __enter__(self) -> None:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        with suppress(OSError):
            self._socket.close()
