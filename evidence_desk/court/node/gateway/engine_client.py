"""The engine's RPC on loopback, asked by the gateway alone. What it answers is read strictly and believed by nobody."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Final, Generic, TypeVar, cast

import httpx

from evidence_desk.core.canonical import JSON
from evidence_desk.court.node.app.queries import QueryCode
from evidence_desk.court.protocol.block import Commit, Header, ValidatorSet
from evidence_desk.court.protocol.block_time import BlockTime
from evidence_desk.court.protocol.rpc import (
    MAX_ANSWER,
    RPC,
    read_answer,
    read_header,
    read_signed_header,
    read_validators,
)
from evidence_desk.errors import MalformedError, RemoteError

T = TypeVar("T")
PAGE: Final = 100
"""Validators a page; the engine gives no more."""
HEADERS: Final = 20
"""Headers in one answer; the engine gives no more."""
_SECONDS: Final = 10.0
_CONNECTIONS: Final = 64
_AGE: Final = 0.05
"""How old, in seconds, an answer about the engine's own state may be: many ask at once, and one question will do."""


class EngineRefusal(Exception):  # noqa: N818 - an answer of the engine, not an error of ours
    """The engine answered with an error; `text` is for our decisions only, it never goes to a client."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineTip:
    """Where the engine stands."""

    network: str
    height: int
    time: BlockTime
    catching_up: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Transactions in the engine's pool."""

    count: int
    size: int


class EngineClient:
    """The engine's RPC.

    Args:
        url: address on loopback.
        transport: of httpx, for tests.

    Every method may raise RemoteError ``api.engine_silent`` or ``api.engine_wrong``, and MalformedError
    ``malformed.too_large`` for an answer beyond 4 MiB: less has to be asked for at once.
    """

    def __init__(self, url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        limits = httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS)
        self._url = url
        self._http = httpx.AsyncClient(timeout=_SECONDS, limits=limits, trust_env=False, transport=transport)
        self._tip: _Shared[EngineTip] = _Shared(_AGE)
        self._waiting: _Shared[Waiting] = _Shared(5 * _AGE)

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def tip(self) -> EngineTip:
        """Newest block the engine has; RemoteError ``api.engine_silent``."""
        return await self._tip.get(self._ask_tip)

    async def waiting(self) -> Waiting:
        """Transactions that wait for a block; RemoteError."""
        return await self._waiting.get(self._ask_waiting)

    async def signed_header(self, height: int) -> tuple[Header, Commit] | None:
        """Header and commit of a height, None when there is none yet; RemoteError."""
        try:
            result = await self._call("commit", height=str(height))
        except EngineRefusal:
            return None
        return _read(lambda: read_signed_header(result["signed_header"]))

    async def validators(self, height: int) -> ValidatorSet:
        """Validators of a height, all pages; RemoteError."""
        found: list[RPC] = []
        total = 1
        while len(found) < total:
            page = str(len(found) // PAGE + 1)
            try:
                result = await self._call("validators", height=str(height), per_page=str(PAGE), page=page)
            except EngineRefusal as refusal:
                raise _wrong() from refusal
            items, total = result.get("validators"), _number(result.get("total"))
            if not isinstance(items, list) or not items or total > 100 * PAGE:
                raise _wrong()
            found += items
        return _read(lambda: read_validators(found))

    async def headers(self, first: int, last: int) -> list[Header]:
        """Headers first…last, at most 20, ascending; RemoteError."""
        try:
            result = await self._call("blockchain", minHeight=str(first), maxHeight=str(last))
        except EngineRefusal as refusal:
            raise _wrong() from refusal
        metas = result.get("block_metas")
        if not isinstance(metas, list):
            raise _wrong()
        headers = _read(lambda: [read_header(_member(meta, "header")) for meta in metas])
        headers.sort(key=lambda header: header.height)
        if [header.height for header in headers] != list(range(first, last + 1)):
            raise _wrong()
        return headers

    async def query(self, path: str, data: bytes, height: int = 0) -> dict[str, JSON] | QueryCode:
        """Answer of the application, or why there is none; RemoteError."""
        try:
            result = await self._call("abci_query", path=path, data=data.hex(), height=str(height))
        except EngineRefusal as refusal:
            raise _silent() from refusal
        response = result.get("response")
        if not isinstance(response, dict):
            raise _wrong()
        code = response.get("code", 0)
        if code:
            return _read(lambda: QueryCode(cast("int", code)))
        return _read(lambda: _value(response.get("value")))

    async def broadcast(self, tx: bytes) -> tuple[int, str]:
        """Hand a transaction to the engine; code and name of the application's judgment.

        Raises:
            EngineRefusal: it did not take it to the application: known already, or no room.
            RemoteError: no answer.
        """
        result = await self._call("broadcast_tx_sync", tx=base64.b64encode(tx).decode())
        code, log = result.get("code"), result.get("log")
        if type(code) is not int or not isinstance(log, str):
            raise _wrong()
        return code, log

    async def _ask_tip(self) -> EngineTip:
        try:
            result = await self._call("status")
        except EngineRefusal as refusal:
            raise _silent() from refusal
        sync, node = _member(result, "sync_info"), _member(result, "node_info")
        catching_up = _member(sync, "catching_up")
        if not isinstance(catching_up, bool):
            raise _wrong()
        return EngineTip(
            network=str(_member(node, "network")),
            height=_number(_member(sync, "latest_block_height")),
            time=_read(lambda: BlockTime.parse(_member(sync, "latest_block_time"), exact=False)),
            catching_up=catching_up,
        )

    async def _ask_waiting(self) -> Waiting:
        try:
            result = await self._call("num_unconfirmed_txs")
        except EngineRefusal as refusal:
            raise _silent() from refusal
        return Waiting(count=_number(result.get("total")), size=_number(result.get("total_bytes")))

    async def _call(self, method: str, **parameters: str) -> dict[str, RPC]:
        request = {"jsonrpc": "2.0", "id": 0, "method": method, "params": parameters}
        try:
            answer = await self._http.post(self._url, json=request)
        except httpx.HTTPError as error:
            raise _silent() from error
        if len(answer.content) > MAX_ANSWER:
            raise MalformedError("malformed.too_large", what="answer", limit=MAX_ANSWER)
        value = _read(lambda: read_answer(answer.content))
        if not isinstance(value, dict):
            raise _wrong()
        result = value.get("result")
        if isinstance(result, dict):
            return result
        failure = value.get("error")
        if not isinstance(failure, dict):
            raise _wrong()
        raise EngineRefusal(f"{failure.get('message')}: {failure.get('data')}")


class _Shared(Generic[T]):
    """One answer for all who ask within a short time; who asks while a question is under way waits for its answer."""

    def __init__(self, age: float) -> None:
        self._age = age
        self._since = -age
        self._task: asyncio.Task[T] | None = None

    async def get(self, ask: Callable[[], Coroutine[None, None, T]]) -> T:
        """The answer, asked anew when it is old or failed."""
        now = asyncio.get_running_loop().time()
        task = self._task
        if task is None or (task.done() and (now - self._since > self._age or task.exception() is not None)):
            self._since = now
            task = self._task = asyncio.create_task(ask())
        return await asyncio.shield(task)


def _read(reader: Callable[[], T]) -> T:
    """What the engine said, read; nonsense is the engine's fault, not the client's."""
    try:
        return reader()
    except (MalformedError, ValueError, KeyError) as error:
        raise _wrong() from error


def _value(value: RPC) -> dict[str, JSON]:
    if not isinstance(value, str):
        raise MalformedError("malformed.court_rpc", reason="value")
    answer = read_answer(base64.b64decode(value, validate=True))
    if not isinstance(answer, dict):
        raise MalformedError("malformed.court_rpc", reason="value")
    return answer


def _member(value: RPC, name: str) -> RPC:
    if not isinstance(value, dict) or name not in value:
        raise _wrong()
    return value[name]


def _number(value: RPC) -> int:
    if not isinstance(value, str) or not value.isdecimal() or len(value) > 18:
        raise _wrong()
    return int(value)


def _silent() -> RemoteError:
    return RemoteError("api.engine_silent")


def _wrong() -> RemoteError:
    return RemoteError("api.engine_wrong")
