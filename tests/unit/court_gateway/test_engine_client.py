"""What an engine could answer, read strictly: anything else is an error of ours, never a crash."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.court.node.app.queries import QueryCode
from evidence_desk.court.node.gateway.engine_client import EngineClient, EngineRefusal
from evidence_desk.errors import MalformedError, RemoteError

CALLS: dict[str, Callable[[EngineClient], Awaitable[Any]]] = {
    "tip": lambda engine: engine.tip(),
    "waiting": lambda engine: engine.waiting(),
    "signed_header": lambda engine: engine.signed_header(1),
    "validators": lambda engine: engine.validators(1),
    "headers": lambda engine: engine.headers(1, 2),
    "query": lambda engine: engine.query("/state", b""),
    "broadcast": lambda engine: engine.broadcast(b"tx"),
}


def ask(name: str, respond: Callable[[httpx.Request], httpx.Response]) -> Any:
    async def run() -> Any:
        engine = EngineClient("http://engine", httpx.MockTransport(respond))
        try:
            return await CALLS[name](engine)
        finally:
            await engine.close()

    return asyncio.run(run())


def answering(result: Any) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: httpx.Response(200, json={"jsonrpc": "2.0", "id": 0, "result": result})


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(
            [
                "sync_info", "node_info", "network", "latest_block_height", "latest_block_time", "catching_up", "total",
                "total_bytes", "signed_header", "header", "commit", "validators", "block_metas", "response", "code",
                "value", "log",
            ]
        ),
        inner,
        max_size=5,
    ),
    max_leaves=12,
)  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
@given(values)
def test_any_result(name, result):
    with suppress(RemoteError, EngineRefusal):
        ask(name, answering(result))


@pytest.mark.parametrize("name", CALLS)
@given(st.binary(max_size=40))
def test_any_bytes(name, data):
    with pytest.raises(RemoteError):
        ask(name, lambda _: httpx.Response(200, content=data))


@pytest.mark.parametrize("name", CALLS)
def test_too_much(name):
    with pytest.raises(MalformedError) as told:
        ask(name, lambda _: httpx.Response(200, content=b" " * (4 << 20) + b"{}"))
    assert told.value.code == "malformed.too_large"


@pytest.mark.parametrize("name", CALLS)
def test_no_answer(name):
    def silent(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("", request=request)

    with pytest.raises(RemoteError) as told:
        ask(name, silent)
    assert told.value.code == "api.engine_silent"


def refusing(_: httpx.Request) -> httpx.Response:
    return httpx.Response(500, json={"error": {"code": -32603, "message": "Internal error", "data": "no"}})


def test_refusals_of_the_engine():
    assert ask("signed_header", refusing) is None, "a height that is not there yet"
    with pytest.raises(EngineRefusal, match="Internal error: no"):
        ask("broadcast", refusing)
    for name in ("tip", "waiting", "validators", "headers", "query"):
        with pytest.raises(RemoteError):
            ask(name, refusing)


def test_refusals_of_the_application():
    for code in QueryCode:
        assert ask("query", answering({"response": {"code": code}})) is code
    with pytest.raises(RemoteError):
        ask("query", answering({"response": {"code": 77}}))
    value = base64.b64encode(b'{"height":7}').decode()
    assert ask("query", answering({"response": {"code": 0, "value": value}})) == {"height": 7}


def test_validators_come_in_pages():
    """151 validators: two pages, asked for one after the other."""
    asked: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        given = json.loads(request.content)["params"]
        asked.append(given["page"])
        assert given["per_page"] == "100"
        first = 100 * (int(given["page"]) - 1)
        page = [validator(number) for number in range(first, min(first + 100, 151))]
        return answering({"validators": page, "total": "151"})(request)

    found = ask("validators", respond)
    assert asked == ["1", "2"]
    assert len(found.validators) == 151


def validator(number: int) -> dict[str, Any]:
    from hashlib import sha256  # noqa: PLC0415

    key = number.to_bytes(32, "big")
    return {
        "address": sha256(key).hexdigest()[:40].upper(),
        "pub_key": {"type": "tendermint/PubKeyEd25519", "value": base64.b64encode(key).decode()},
        "voting_power": "1",
        "proposer_priority": "0",
    }


def test_many_ask_and_one_question_is_put():
    count = 0

    def respond(request: httpx.Request) -> httpx.Response:
        nonlocal count
        count += 1
        return answering({"total": "3", "total_bytes": "500"})(request)

    async def run() -> None:
        engine = EngineClient("http://engine", httpx.MockTransport(respond))
        found = await asyncio.gather(*(engine.waiting() for _ in range(50)))
        assert {item.count for item in found} == {3}
        await engine.close()

    asyncio.run(run())
    assert count == 1
