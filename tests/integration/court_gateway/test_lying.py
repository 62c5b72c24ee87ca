"""A gateway in front of an engine that lies: of another chain, forged, altered, or silent. Nothing of it is served."""

import asyncio
import base64
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from evidence_desk.core.digests import DigestPair
from evidence_desk.core.merkle import leaf_hash
from evidence_desk.court.node.gateway.app import create_app
from evidence_desk.court.node.gateway.context import open_context
from evidence_desk.court.node.home import NodeHome
from tests.integration.court_gateway.asking import refusal
from tests.integration.court_node.network import Network, running
from tests.unit.court_node.chain import Desk

pytestmark = pytest.mark.engine
Lie = Callable[[str, dict[str, Any], dict[str, Any]], None]


class Liar(httpx.AsyncBaseTransport):
    """The real engine, some of whose answers are changed on the way."""

    def __init__(self, lie: Lie) -> None:
        self._inner = httpx.AsyncHTTPTransport()
        self._lie = lie

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content)
        response = await self._inner.handle_async_request(request)
        value = json.loads(await response.aread())
        if "result" in value:
            self._lie(asked["method"], asked["params"], value["result"])
        return httpx.Response(response.status_code, json=value)

    async def aclose(self) -> None:
        await self._inner.aclose()


def honest(_method: str, _parameters: dict[str, Any], _result: dict[str, Any]) -> None:
    return


@pytest.fixture
def ask(network, tmp_path):
    """Questions to a gateway of its own in this process, in front of the engine of node 0."""

    def asking(lie: Lie, *questions: tuple[str, str, bytes], rpc_port: int = 0) -> list[httpx.Response]:
        source = network.home(0)
        home = NodeHome((tmp_path / "node").resolve())
        if not home.path.exists():
            (home.path / "config").mkdir(parents=True)
            shutil.copy(source.genesis_file, home.genesis_file)
        settings = source.settings()
        gateway = replace(settings.gateway, governance="", demo_authority="")
        home.write_settings(replace(settings, gateway=gateway, rpc_port=rpc_port or settings.rpc_port))

        async def run() -> list[httpx.Response]:
            context = open_context(home, Liar(lie))
            try:
                transport = httpx.ASGITransport(app=create_app(context))
                async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
                    return [
                        await client.request(method, path, content=body) for method, path, body in questions
                    ]
            finally:
                await context.close()

        return asyncio.run(run())

    return asking


@pytest.fixture(scope="module")
def known(network):
    """A desk with an anchored exhibit."""
    from tests.integration.court_gateway.asking import Asker  # noqa: PLC0415

    asker = Asker(network)
    desk = asker.registered()
    asker.anchored(desk, b"known")
    asker.close()
    return desk


def questions(desk: Desk) -> list[tuple[str, str, bytes]]:
    leaf = leaf_hash(desk.leaves[0]).hex()
    return [
        ("GET", path, b"")
        for path in (
            f"/v1/logs/{desk.origin}",
            f"/v1/proofs/{desk.origin}/1?leaf={leaf}",
            f"/v1/proofs/{desk.origin}/1?leaf={leaf}&fresh=1",
            f"/v1/lookup/{DigestPair.of(b'known').sha256.hex()}",
            f"/v1/leaves/{leaf}",
        )
    ]


def test_the_truth_is_served(ask, known):
    answers = ask(honest, *questions(known))
    assert [answer.status_code for answer in answers] == [200] * 5


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    with running(Network(tmp_path_factory.mktemp("other") / "net", 1)) as net:
        yield net


def test_an_engine_of_another_chain(ask, known, other):
    port = other.home(0).settings().rpc_port
    asked = [*questions(known), ("GET", "/v1/network", b""), ("GET", "/v1/headers/1", b"")]
    assert {refusal(answer) for answer in ask(honest, *asked, rpc_port=port)} == {
        (503, "api.engine_wrong"), (404, "api.not_found"),
    }  # fmt: skip


def in_answer(path: str, change: Callable[[dict[str, Any]], None]) -> Lie:
    """Change what the application answers under a path."""

    def lie(method: str, parameters: dict[str, Any], result: dict[str, Any]) -> None:
        if method == "abci_query" and parameters["path"] == path and result["response"].get("value"):
            value = json.loads(base64.b64decode(result["response"]["value"]))
            change(value)
            result["response"]["value"] = base64.b64encode(json.dumps(value).encode()).decode()

    return lie


def in_method(name: str, change: Callable[[dict[str, Any]], None]) -> Lie:
    """Change what the engine answers."""

    def lie(method: str, _parameters: dict[str, Any], result: dict[str, Any]) -> None:
        if method == name:
            change(result)

    return lie


def flipped(text: str) -> str:
    data = bytearray(base64.b64decode(text))
    data[-1] ^= 1
    return base64.b64encode(data).decode()


def flip(*names: str) -> Callable[[dict[str, Any]], None]:
    """Flip a bit in a member."""

    def change(value: Any) -> None:
        for name in names[:-1]:
            value = value[int(name) if isinstance(value, list) else name]
        value[names[-1]] = flipped(value[names[-1]])

    return change


def spoil(result: dict[str, Any]) -> None:
    """Flip a bit of the first signature that is there: a slow validator's is absent."""
    signed = next(item for item in result["signed_header"]["commit"]["signatures"] if item["signature"])
    signed["signature"] = flipped(signed["signature"])


def forget(name: str) -> Callable[[dict[str, Any]], None]:
    def change(value: dict[str, Any]) -> None:
        value[name] = []

    return change


def set_to(value: Any, *names: str) -> Callable[[dict[str, Any]], None]:
    def change(found: Any) -> None:
        for name in names[:-1]:
            found = found[name]
        found[names[-1]] = value

    return change


def unsign(result: dict[str, Any]) -> None:
    """Leave two of four signatures."""
    signatures = result["signed_header"]["commit"]["signatures"]
    for item in signatures[:2]:
        item |= {
            "block_id_flag": 1, "validator_address": "", "timestamp": "0001-01-01T00:00:00Z", "signature": None,
        }  # fmt: skip


LIES = {
    "another network": in_method("status", set_to("demo-other-00000000", "node_info", "network")),
    "a forged state": in_method("commit", set_to("00" * 32, "signed_header", "header", "app_hash")),
    "a forged time": in_method("commit", set_to("2031-01-01T00:00:00Z", "signed_header", "header", "time")),
    "a header of another height": in_method("commit", set_to("2", "signed_header", "header", "height")),
    "a wrong signature": in_method("commit", spoil),
    "half of the signatures": in_method("commit", unsign),
    "fewer validators": in_method("validators", lambda result: result["validators"].pop()),
    "no validators": in_method("validators", forget("validators")),
    "more power": in_method(
        "validators", lambda result: result["validators"][0].update({"voting_power": "10"})
    ),
    "nonsense": in_method("commit", lambda result: result.clear()),
    "numbers for text": in_method("status", set_to(7, "sync_info", "latest_block_height")),
    "another entry": in_answer("/desk", flip("entry")),
    "no entry": in_answer("/desk", set_to(None, "entry")),
    "a wrong proof": in_answer("/desk", flip("proof")),
    "another record": in_answer("/anchor", flip("record")),
    "another path": in_answer("/anchor", lambda value: value.update({"index": value["index"] + 1})),
    "another height": in_answer("/anchor", lambda value: value.update({"height": value["height"] - 1})),
    "other roots": in_answer("/anchor", flip("roots", "lookup")),
    "an entry of nobody": in_answer("/anchor", flip("entry")),
    "events kept back": in_answer("/events", lambda value: value["events"].pop()),
    "a wrong proof of events": in_answer("/events", flip("events", "0", "proof")),
    "a wrong proof of presence": in_answer("/lookup", flip("proof")),
    "absence": in_answer("/lookup", lambda value: value.update({"entries": []})),
    "another leaf": in_answer("/place", flip("leaf")),
    "another place": in_answer("/place", set_to(7, "seq")),
    "another path in the log": in_answer("/inclusion", set_to(["AAAA"], "path")),
    "an answer that is none": in_answer("/desk", lambda value: value.clear()),
}


@pytest.mark.parametrize("what", LIES)
def test_a_lie_is_not_passed_on(ask, known, what):
    answers = ask(LIES[what], *questions(known))
    refused = [refusal(answer) for answer in answers if answer.status_code != 200]
    assert refused, "some of the answers rest on it"
    assert {status for status, _ in refused} <= {503, 404}
    assert any(status == 503 for status, _ in refused)
    truth = ask(honest, *questions(known))
    served = [
        (answer, right) for answer, right in zip(answers, truth, strict=True) if answer.status_code == 200
    ]
    for answer, right in served:
        if answer.json()["v"] == "search/1" and not answer.json()["found"]:
            assert {**answer.json(), "found": right.json()["found"]} == right.json(), (
                "a leaf left out, no more"
            )
        else:
            assert answer.content == right.content, "the chain is idle: one truth"


def test_a_silent_engine(ask, known):
    import socket  # noqa: PLC0415

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    asked = [*questions(known), ("GET", "/v1/network", b""), ("POST", "/v1/transactions", b"x")]
    answers = ask(honest, *asked, rpc_port=port)
    assert {refusal(answer) for answer in answers} == {(503, "api.engine_silent")}


@pytest.mark.parametrize(
    ("lie", "code"),
    [
        (in_method("status", set_to(True, "sync_info", "catching_up")), "api.catching_up"),
        (in_method("num_unconfirmed_txs", set_to("100000", "total")), "api.overloaded"),
        (in_method("num_unconfirmed_txs", set_to("60000000", "total_bytes")), "api.overloaded"),
    ],
)
def test_no_transactions_while_there_is_no_room(ask, known, lie, code):
    known.leaf(b"not taken")
    tx = known.submission(1)
    known.leaves.pop()
    [refused, *answers] = ask(lie, ("POST", "/v1/transactions", tx), *questions(known))
    assert refusal(refused) == (503, code)
    assert [answer.status_code for answer in answers] == [200] * 5, "questions are answered all the same"


def test_without_governance_keys_registrations_wait_for_people(ask, network, tmp_path):
    desk = Desk(name="waiting for people", chain_id=network.chain_id)
    body = desk.sign(desk.registration())
    answers = ask(
        honest,
        ("POST", "/v1/registrations", body),
        ("POST", "/v1/registrations", body),
        ("GET", "/v1/network", b""),
        ("GET", f"/v1/logs/{desk.origin}", b""),
    )
    assert [answer.status_code for answer in answers] == [202, 202, 200, 200]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["status"] == "pending"
    assert answers[2].json()["registration"] == "vote"
    assert answers[3].json()["entry"] is None
    [kept] = (tmp_path / "node" / "gateway" / "registrations").iterdir()
    assert kept.name == f"{answers[0].json()['id']}.tx"
    assert kept.read_bytes() == body
