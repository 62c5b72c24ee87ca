"""Leaves of a hostile desk in a real gateway's answers: a wrong one, one that cannot be shown, very many."""

import base64
import json

import pytest

from evidence_desk.core.digests import DigestPair
from evidence_desk.core.merkle import leaf_hash
from evidence_desk.core.note import Note, NoteSignature, parse_note
from evidence_desk.core.verdict import Status
from evidence_desk.court.node.app.queries import QueryCode
from evidence_desk.court.protocol.search import MAX_FOUND, parse_search_answer
from tests.integration.court_gateway.asking import Asker, refusal
from tests.integration.court_gateway.test_lying import ask, in_answer

pytestmark = pytest.mark.engine
__all__ = ["ask"]


@pytest.fixture(scope="module")
def two(network):
    """A file registered by an honest desk, then by a hostile one under a note whose SM2 signature is over something else."""
    asker = Asker(network)
    honest, hostile = asker.registered(), asker.registered()
    content = honest.origin.encode()
    asker.anchored(honest, content)
    hostile.leaf(content)
    good = parse_note(hostile.note())
    other = NoteSignature(
        name=hostile.origin, key_id=good.signatures[1].key_id, signature=hostile.signer.sign_sm2(b"other")
    )
    note = Note(text=good.text, signatures=(good.signatures[0], other)).encode()
    assert asker.post("/v1/transactions", hostile.submission(0, note=note)).status_code == 202
    asker.final(hostile)
    asker.close()
    return DigestPair.of(content).sha256, leaf_hash(honest.leaves[0]), leaf_hash(hostile.leaves[0])


def test_a_wrong_note_counts_for_nothing(asker, two):
    digest, honest, hostile = two
    verdict = asker.searched(digest)
    assert verdict.present
    assert {item.leaf_hash: item.status for item in verdict.found} == {
        honest: Status.PASSED,
        hostile: Status.FAILED,
    }


def no_events_of(leaf: bytes):
    """The application has more events about a leaf than it answers with."""

    def lie(method, parameters, result):
        if method == "abci_query" and parameters["path"] == "/events" and leaf.hex() in parameters["data"]:
            result["response"] = {"code": int(QueryCode.KEY), "log": "key"}

    return lie


def test_a_leaf_that_cannot_be_shown_is_left_out(ask, two):
    digest, honest, hostile = two
    questions = [("GET", f"/v1/lookup/{digest.hex()}", b""), ("GET", f"/v1/leaves/{hostile.hex()}", b"")]

    def long_note(value):
        text, _, lines = base64.b64decode(value["note"]).decode().partition("\n\n")
        if leaf_origin.encode() == text.encode().split(b"\n")[0]:
            more = lines.splitlines()[1][:-1] + "A" * 9000 + "\n"
            value["note"] = base64.b64encode(f"{text}\n\n{lines}{more}".encode()).decode()

    [first] = ask(lambda *_: None, questions[1])
    leaf_origin = json.loads(base64.b64decode(first.json()["found"]["leaf"]))["log"]
    for lie in (no_events_of(hostile), in_answer("/note", long_note)):
        found, single = ask(lie, *questions)
        answer = parse_search_answer(found.content)
        assert [leaf_hash(item.leaf) for item in answer.found] == [honest]
        assert {entry.leaf_hash for item in answer.lookups for entry in item.entries} == {honest, hostile}
        assert refusal(single)[0] == 503, "never that there is nothing"
    [_, single] = ask(no_events_of(hostile), *questions)
    assert refusal(single) == (503, "api.too_many_events")


def test_the_oldest_and_the_newest_of_many(asker):
    first, second = asker.registered(), asker.registered()
    content = b"many " + first.origin.encode()
    asker.anchored(first, content)
    asker.anchored(first, *[content] * 10)
    asker.anchored(second, *[content] * 10)
    asker.anchored(second, content)
    verdict = asker.searched(DigestPair.of(content).sha256)
    assert len(verdict.heights) == MAX_FOUND + 2
    shown = [item.leaf_hash for item in verdict.found]
    assert len(shown) == MAX_FOUND
    assert shown[0] == leaf_hash(first.leaves[0])
    assert shown[-1] == leaf_hash(second.leaves[-1])
    heights = [verdict.heights[item] for item in shown]
    assert heights == sorted(heights)
    assert {item.status for item in verdict.found} == {Status.PASSED}
