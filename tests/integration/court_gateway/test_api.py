"""The API as desks and judges use it; every answer is verified from the trust folder and compared with its schema."""

import json
from importlib.resources import files

import httpx
import pytest

from evidence_desk.core.digests import DigestPair
from evidence_desk.core.evidence_number import Prefix, format_number
from evidence_desk.core.leaf import LeafType
from evidence_desk.core.merkle import leaf_hash
from evidence_desk.core.verdict import Status
from evidence_desk.court.protocol.actions import Envelope
from evidence_desk.court.protocol.anchor import AnchorAnswer, parse_anchor_answer
from evidence_desk.court.protocol.light_block import from_base64
from evidence_desk.court.protocol.search import parse_leaf_answer, parse_numbers
from evidence_desk.court.protocol.tx_codes import TxCode
from tests.integration.court_gateway.asking import Asker, refusal
from tests.integration.court_node.network import wait_until
from tests.schema import mismatch
from tests.unit.court_node.chain import Desk

pytestmark = pytest.mark.engine
DOCUMENT = json.loads(files("evidence_desk.court.node.gateway").joinpath("openapi.json").read_text("utf-8"))


def of_schema(answer: httpx.Response, name: str) -> httpx.Response:
    assert mismatch(answer.json(), {"$ref": f"#/components/schemas/{name}"}, DOCUMENT) == ""
    return answer


@pytest.fixture
def desk(asker):
    return asker.registered()


def test_the_network_tells_who_it_is(network, asker):
    for index in range(4):
        told = of_schema(asker.get("/v1/network", index), "Network").json()
        assert told["chain_id"] == network.chain_id
        assert told["demo"] is True
        assert told["registration"] == "automatic"
        assert {item["institution"] for item in told["validators"]} == {
            f"demo-court-{number}" for number in range(4)
        }
    file = of_schema(asker.get("/v1/trust/network.json"), "NetworkFile")
    assert file.content == asker.roots.networks[network.chain_id], "the same as in the trust folder"
    assert asker.get("/v1/openapi.json").json() == DOCUMENT


def test_every_answer_has_its_security_headers(asker):
    for path in ("/v1/network", "/v1/nothing", "/"):
        headers = asker.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "server" not in headers


def test_a_desk_is_registered_once(asker):
    stranger = Desk(name="nobody registered this one")
    assert asker.entry(stranger.origin) is None, "proven"
    desk = asker.registered()
    wait_until(lambda: asker.entry(desk.origin, 3) is not None)
    entry = asker.entry(desk.origin, 3)
    assert entry is not None
    assert entry.keys == desk.keys
    of_schema(asker.get(f"/v1/logs/{desk.origin}"), "Desk")
    again = of_schema(
        asker.post("/v1/registrations", desk.sign(desk.registration(), expires=999)), "Registration"
    )
    assert again.json()["status"] == "approved", "asked twice, registered once"


def test_registrations_that_are_none(asker):
    one, two = (Desk(name=name, chain_id=asker.network.chain_id) for name in ("first", "second"))
    by_another = two.sign(one.registration())
    for body in (by_another, b"", b"garbage", one.submission(0) if one.leaf(b"x") else b""):
        assert refusal(asker.post("/v1/registrations", body)) == (422, "court.tx_refused")
    assert refusal(asker.post("/v1/registrations", bytes(20_000))) == (413, "malformed.too_large")
    assert asker.entry(one.origin) is None


def test_from_submission_to_a_proof_that_stands(asker, desk):
    answer = asker.anchored(desk, b"one", b"two", index=1)
    for leaf in desk.leaves:
        verdict = asker.judged(desk, answer, leaf)
        assert verdict.status is Status.PASSED, verdict.findings
        assert verdict.anchored_at is not None
    assert answer.current is None
    path = f"/v1/proofs/{desk.origin}/2"
    of_schema(asker.get(path), "Anchor")
    body = {"leaves": [leaf_hash(leaf).hex() for leaf in desk.leaves]}
    fresh = parse_anchor_answer(asker.post(path, body, 2, fresh="1").content)
    assert set(fresh.leaves) == {leaf_hash(leaf) for leaf in desk.leaves}
    for leaf in desk.leaves:
        assert asker.judged(desk, fresh, leaf).status is Status.PASSED


def test_a_transaction_that_is_sent_again(asker, desk):
    desk.leaf(b"again")
    tx = desk.submission(0)
    first = of_schema(asker.post("/v1/transactions", tx), "Submitted")
    assert (first.status_code, first.json()["code"]) == (202, 0)
    asker.final(desk)
    for index in range(2):
        second = of_schema(asker.post("/v1/transactions", tx, index), "Submitted")
        assert (second.status_code, second.json()["code"]) == (200, TxCode.KNOWN)
        assert second.json()["id"] == first.json()["id"]
    told = of_schema(asker.get(f"/v1/transactions/{first.json()['id']}"), "Transaction").json()
    assert told["executed"] == asker.final(desk).record.height
    assert of_schema(asker.get(f"/v1/transactions/{'0' * 64}"), "Transaction").json()["executed"] is None


def test_transactions_that_are_refused(asker, desk):
    stranger = Desk(name="nobody approved this one", chain_id=desk.chain_id)
    for body, code in (
        (b"", TxCode.MALFORMED),
        (b"garbage", TxCode.MALFORMED),
        (Desk(name="x").sign(desk.registration()), TxCode.MALFORMED),  # of another chain
        (stranger.sign(stranger.registration()), TxCode.APPROVAL),
    ):
        answer = asker.post("/v1/transactions", body)
        assert refusal(answer) == (422, "court.tx_refused")
        assert answer.json()["parameters"] == {"code": code, "reason": code.name.lower()}


def test_a_log_is_read_back(asker, desk):
    for number in range(5):
        desk.leaf(b"file %d" % number)
    secret = Envelope(seq=3, ciphertext=b"\x07" * 100)
    assert asker.post("/v1/transactions", desk.submission(0, envelopes=(secret,))).status_code == 202
    asker.final(desk)
    path = f"/v1/logs/{desk.origin}/leaves"
    page = of_schema(asker.get(path, 1, start="2", count="2"), "Leaves").json()
    rows = [(from_base64(leaf), envelope and from_base64(envelope)) for leaf, envelope in page["leaves"]]
    assert rows == [(desk.leaves[2], None), (desk.leaves[3], b"\x07" * 100)]
    assert len(asker.get(path).json()["leaves"]) == 5
    assert asker.get(path, start="5").json()["leaves"] == []
    note = of_schema(asker.get(f"/v1/logs/{desk.origin}/notes/3"), "Note").json()
    assert (note["size"], from_base64(note["note"])) == (5, desk.note())
    assert refusal(asker.get(f"/v1/logs/{desk.origin}/notes/6")) == (404, "api.not_found")


def test_a_file_is_found_by_both_digests_and_another_one_is_not_there(asker, desk):
    content = b"content of " + desk.origin.encode()
    asker.anchored(desk, content)
    digests = DigestPair.of(content)
    of_schema(asker.get(f"/v1/lookup/{digests.sha256.hex()}"), "Search")
    for digest in (digests.sha256, digests.sm3):
        verdict = asker.searched(digest, 2)
        assert verdict.status is Status.PASSED
        assert verdict.present
        [found] = verdict.found
        assert found.status is Status.PASSED
        assert found.leaf_hash == leaf_hash(desk.leaves[0])
    absent = asker.searched(DigestPair.of(content + b"!").sha256, 3)
    assert absent.status is Status.PASSED
    assert not absent.present


def test_a_number_and_a_leaf(asker, desk):
    asker.anchored(desk, b"numbered")
    digest = leaf_hash(desk.leaves[0])
    number = format_number(Prefix.EVIDENCE, digest)
    answer = of_schema(asker.get(f"/v1/numbers/{number.lower().replace('-', '')}", 1), "Numbers")
    text, found = parse_numbers(answer.content)
    assert text == number
    assert [leaf_hash(item.leaf) for item in found] == [digest]
    single = of_schema(asker.get(f"/v1/leaves/{digest.hex()}"), "Leaf")
    assert parse_leaf_answer(single.content).court.record.size == 1
    unknown = format_number(Prefix.EVIDENCE, b"\x00" * 32)
    assert parse_numbers(asker.get(f"/v1/numbers/{unknown}").content) == (unknown, ())
    assert refusal(asker.get(f"/v1/leaves/{'0' * 64}")) == (404, "api.not_found")


def test_a_revocation_is_shown_with_a_later_state(asker, desk):
    asker.anchored(desk, b"to be revoked")
    leaf = desk.leaves[0]
    old = len(desk.leaves)
    facts = {"certificate": {**DigestPair.of(b"certificate").to_json()}}
    desk.leaf(
        b"", type=LeafType.CERTIFICATE_REVOKED, ref=leaf_hash(leaf), objects=(), statement=None, facts=facts
    )
    assert asker.post("/v1/transactions", desk.submission(old)).status_code == 202
    asker.final(desk)

    def told() -> AnchorAnswer:
        answer = asker.get(f"/v1/proofs/{desk.origin}/1", leaf=leaf_hash(leaf).hex(), fresh="1")
        return parse_anchor_answer(answer.content)

    wait_until(lambda: told().current is not None and bool(told().leaves[leaf_hash(leaf)].events))
    verdict = asker.judged(desk, told(), leaf)
    assert verdict.status is Status.UNDETERMINED
    assert any(item.code == "court.events.revoked" for item in verdict.findings)
    found = parse_leaf_answer(asker.get(f"/v1/leaves/{leaf_hash(leaf).hex()}").content)
    assert found.court.record.size == 1


def test_headers(asker, desk):
    height = asker.anchored(desk, b"header").record.height
    answer = of_schema(asker.get(f"/v1/headers/{height}", 1), "HeaderAnswer")
    assert answer.json()["timed"]["block"]["header"]["height"] == height
    for beyond in (0, 10**9, 2**53 - 1):
        assert refusal(asker.get(f"/v1/headers/{beyond}")) == (404, "api.not_found")


ORIGIN = "desk.a.evidence/00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize(
    "path",
    [
        "/v1/network?x=1",
        f"/v1/logs/desk.A.evidence/{ORIGIN[16:]}/1",
        f"/v1/logs/{ORIGIN}/01",
        f"/v1/logs/{ORIGIN}/1?from=-1",
        f"/v1/logs/{ORIGIN}/1?from=1&from=2",
        f"/v1/logs/{ORIGIN}/1?from=99999999999999999",
        f"/v1/logs/{ORIGIN}/1/leaves?count=0",
        f"/v1/logs/{ORIGIN}/1/leaves?count=1001",
        f"/v1/logs/{ORIGIN}/1/leaves?start=1e3",
        f"/v1/proofs/{ORIGIN}/1/x",
        f"/v1/proofs/{ORIGIN}/1/1?fresh=0",
        f"/v1/proofs/{ORIGIN}/1/1?leaf=zz",
        f"/v1/proofs/{ORIGIN}/1/1?" + "&".join(f"leaf={number:064x}" for number in range(17)),
        "/v1/lookup/abc",
        "/v1/lookup/" + "A" * 64,
        "/v1/numbers/ED-0000",
        "/v1/numbers/%F0%9F%A6%8A",
        "/v1/leaves/" + "0" * 63,
        "/v1/headers/1.0",
        "/v1/transactions/xyz",
        "/v1/lookup/" + "0" * 64 + "?" + "a" * 5000,
    ],
)
def test_questions_that_cannot_be_meant(asker, path):
    status, code = refusal(asker.clients[0].get(path))
    assert status == 400
    assert code.startswith("malformed.")


def test_nothing_of_an_unknown_log(asker):
    assert refusal(asker.get(f"/v1/proofs/{ORIGIN}/1/1")) == (404, "api.not_found")
    assert refusal(asker.get(f"/v1/logs/{ORIGIN}/1/notes/1")) == (404, "api.not_found")
    assert asker.get(f"/v1/logs/{ORIGIN}/1/leaves").json()["leaves"] == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"leaves":1}',
        b'{"leaves":["00"]}',
        b'{"leaves":[],"more":1}',
        b"\xff",
        b"[" * 9000,
    ],
)
def test_bodies_that_are_no_list_of_leaves(asker: Asker, body: bytes):
    status, code = refusal(asker.post(f"/v1/proofs/{ORIGIN}/1/1", body))
    assert (status, code.split(".")[0]) == (400, "malformed")
    many = {"leaves": [f"{number:064x}" for number in range(257)]}
    assert refusal(asker.post(f"/v1/proofs/{ORIGIN}/1/1", many)) == (400, "malformed.api_leaves")


def test_the_engine_is_not_behind_this_door(asker):
    for path in (
        "/status",
        "/abci_query",
        "/broadcast_tx_sync",
        "/v1/status",
        "/websocket",
        "/v1/network/",
        "/v1",
    ):
        assert refusal(asker.get(path)) == (404, "api.no_route")
    answer = asker.clients[0].put("/v1/network")
    assert refusal(answer) == (405, "api.no_route")
    call = {"jsonrpc": "2.0", "id": 0, "method": "status", "params": {}}
    assert refusal(asker.post("/", call))[0] == 405
