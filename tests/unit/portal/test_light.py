"""The portal's verifier in JavaScript against answers made in Python: what is true is shown, every forgery is refused."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from evidence_desk.core.canonical import JSON, encode
from evidence_desk.core.digests import sha256, sm3
from evidence_desk.core.evidence_number import Prefix, format_number
from evidence_desk.core.leaf import LeafType
from evidence_desk.core.verdict import Status
from evidence_desk.court.protocol.block import VoteFlag
from evidence_desk.court.protocol.block_time import BlockTime
from evidence_desk.court.protocol.history import NetworkTrust
from evidence_desk.court.protocol.network_file import encode_network
from evidence_desk.court.protocol.part import CourtEvent, TimedBlock
from evidence_desk.court.protocol.registry import DeskStatus
from evidence_desk.court.protocol.search import (
    SearchAnswer,
    encode_leaf_answer,
    encode_numbers,
    parse_search_answer,
    verify_search,
)
from tests.fixed import ORIGIN
from tests.unit.court.network import CHAIN, digest, event_leaf, judge_token, make_header, nodes, signed, trust
from tests.unit.portal.answers import CERTIFICATE, CONTENT, FOUR, State, correction, revocation
from tests.unit.portal.engine import Browser

ASKED = sha256(CONTENT)
STATE = State()
TRUST = trust(FOUR)


def codes(findings: list[dict[str, Any]]) -> set[str]:
    return {item["code"] for item in findings if item["status"] != "passed"}


def everything(answer: Any) -> set[str]:
    found = [item for part in answer["found"] for item in part["findings"]]
    lookups = [item["found"] for item in answer["lookups"]]
    return codes([*answer["findings"], *lookups, *found])


# --- what is true --------------------------------------------------------------------------------------------


def test_presence_with_the_whole_proof(browser: Browser):
    told = browser.search(STATE.search(ASKED, STATE.found()).encode(), ASKED, TRUST, STATE.now)
    assert told["shown"]
    answer = told["answer"]
    assert [item["kind"] for item in answer["lookups"] if item["entries"]] == [1]
    proven = answer["found"][0]["proven"]
    block = STATE.block()
    assert (proven["height"], proven["blockHash"]) == (40, block.header.last_block_id.hash.hex())
    assert proven["anchoredAt"] == pytest.approx(block.header.time.moment().timestamp() * 1000, abs=1)
    assert [item["signed"] for item in proven["signers"]] == [True] * 4
    assert [item["code"] for item in answer["caveats"]] == ["demo.chain"]


@pytest.mark.parametrize(
    ("asked", "kind", "seq"), [(sm3(CONTENT), 2, 1), (sha256(CERTIFICATE), 4, 2), (sm3(CERTIFICATE), 5, 2)]
)
def test_every_kind_of_digest(browser: Browser, asked: bytes, kind: int, seq: int):
    told = browser.search(STATE.search(asked, STATE.found(seq)).encode(), asked, TRUST, STATE.now)
    assert told["shown"]
    assert [item["kind"] for item in told["answer"]["lookups"] if item["entries"]] == [kind]


def test_absence_and_what_is_stale(browser: Browser):
    asked = digest("nobody's")
    data = STATE.search(asked).encode()
    fresh = browser.search(data, asked, TRUST, STATE.now)["answer"]
    assert (fresh["status"], everything(fresh)) == ("passed", set())
    assert all(item["entries"] == [] for item in fresh["lookups"])
    stale = browser.search(data, asked, TRUST, STATE.now + 16 * 60 * 1000)["answer"]
    assert (stale["status"], everything(stale)) == ("undetermined", {"court.lookup.stale"})
    assert all(item["entries"] is None for item in stale["lookups"])


def test_by_leaf_and_by_number(browser: Browser):
    given = {"trust": encode_network(TRUST), "now": STATE.now}
    leaf, found = STATE.digests[1], STATE.found()
    assert browser.ask("leaf", data=encode_leaf_answer(found), asked=leaf, **given)["shown"]
    other = browser.ask("leaf", data=encode_leaf_answer(found), asked=STATE.digests[2], **given)
    assert other == {"refused": "malformed.court_block"}
    number = format_number(Prefix.EVIDENCE, leaf)
    told = browser.ask("numbers", data=encode_numbers(number, (found,)), asked=number, **given)
    assert told["shown"]
    assert told["answer"]["found"][0]["number"] == number
    wrong = encode_numbers(number, (STATE.found(2),))
    assert browser.ask("numbers", data=wrong, asked=number, **given) == {"refused": "malformed.court_block"}


def test_events_are_told(browser: Browser):
    corrected = State(events=(correction(),))
    answer = browser.search(corrected.search(ASKED, corrected.found()).encode(), ASKED, TRUST, STATE.now)[
        "answer"
    ]
    assert everything(answer) == set()
    assert "court.corrected" in {item["code"] for item in answer["found"][0]["caveats"]}
    revoked = State(events=(revocation(),))
    answer = browser.search(revoked.search(ASKED, revoked.found()).encode(), ASKED, TRUST, STATE.now)[
        "answer"
    ]
    assert everything(answer) == {"court.events.revoked"}
    assert [item["type"] for item in answer["found"][0]["proven"]["events"]] == ["certificate.revoked"]


def test_a_later_state_and_a_revoked_desk(browser: Browser):
    later = State(height=50, status=DeskStatus.REVOKED, suspect_from=45, events=(correction(48),))
    given = later.search(ASKED, STATE.found(current=later)).encode()
    answer = browser.search(given, ASKED, TRUST, later.now)["answer"]
    assert everything(answer) == set()
    assert answer["found"][0]["proven"]["asOf"] == 50
    suspect = State(height=50, status=DeskStatus.REVOKED, suspect_from=40)
    given = suspect.search(ASKED, STATE.found(current=suspect)).encode()
    answer = browser.search(given, ASKED, TRUST, suspect.now)["answer"]
    assert everything(answer) == {"court.desk.suspect"}


def history() -> tuple[State, list[TimedBlock]]:
    """The validators change at height 10, to others than those of genesis."""
    second = nodes(1, 2, 3, 4)
    change = signed(make_header(10, FOUR, following=second), FOUR, nil=(2,), round_=3)
    return State(validators=second), [TimedBlock(block=change)]


def test_history_of_validators(browser: Browser):
    state, steps = history()
    data = state.search(ASKED, state.found(history=steps), history=steps).encode()
    told = browser.search(data, ASKED, TRUST, state.now)
    assert told["shown"]
    assert told["answer"]["findings"][1]["parameters"]["changes"] == 1
    without = state.search(ASKED, state.found()).encode()
    assert everything(browser.search(without, ASKED, TRUST, state.now)["answer"]) == {"court.trust_unreached"}


def test_a_trusted_header_shortens_the_history(browser: Browser):
    state, _ = history()
    given = replace(TRUST, headers=(make_header(20, state.validators),))
    assert browser.search(state.search(ASKED, state.found()).encode(), ASKED, given, state.now)["shown"]


def test_absent_nil_and_later_rounds(browser: Browser):
    state = State(votes={"absent": (1,)})
    answer = browser.search(state.search(ASKED, state.found()).encode(), ASKED, TRUST, state.now)
    assert answer["shown"]
    assert [item["signed"] for item in answer["answer"]["signers"]] == [True, False, True, True]


# --- one forgery a rule ----------------------------------------------------------------------------------------

Edit = Callable[[Any], None]


def forged(answer: SearchAnswer, edit: Edit) -> bytes:
    value = json.loads(answer.encode())
    edit(value)
    return encode(value)


def _set(path: str, value: JSON | Callable[[Any], Any]) -> Edit:
    def edit(whole: Any) -> None:
        *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        for part in way:
            whole = whole[part]
        whole[last] = value(whole[last]) if callable(value) else value

    return edit


def _other(text: str) -> str:
    """Another base64 text of the same length."""
    return ("B" if text[0] == "A" else "A") + text[1:]


ALTERED: dict[str, tuple[Edit, str]] = {
    "header": (_set("block.header.data_hash", _other), "court.commit_signature"),
    "round": (_set("block.commit.round", 1), "court.commit_signature"),
    "vote time": (
        _set("block.commit.votes.0.1", "2026-03-01T00:40:01.000000008Z"),
        "court.commit_signature",
    ),
    "signature": (_set("block.commit.votes.0.2", _other), "court.commit_signature"),
    "vote said to be nil": (_set("block.commit.votes.0.0", "nil"), "court.commit_signature"),
    "parts": (_set("block.commit.parts", 2), "court.commit_signature"),
    "validator": (_set("block.validators.0.1", 2), "court.validators_hash"),
    "roots": (_set("roots.lookup", _other), "court.state.wrong"),
    "list size": (_set("roots.checkpoints.size", 8), "court.state.wrong"),
    "entry": (_set("answers.0.entries.0.1", 39), "court.lookup.wrong"),
    "entry left out": (_set("answers.0.entries", []), "court.lookup.wrong"),
    "key": (_set("answers.0.key", _other), "court.lookup.other"),
    "kinds swapped": (lambda whole: whole["answers"].reverse(), "court.lookup.other"),
    "kind left out": (lambda whole: whole["answers"].pop(), "court.lookup.incomplete"),
    "chain": (_set("chain_id", "demo-court-7f3b"), "court.chain.other"),
    "leaf's path": (_set("found.0.path.0", _other), "court.leaf.wrong"),
    "leaf's place": (_set("found.0.seq", 0), "court.leaf.wrong"),
    "record's path": (_set("found.0.court.path.0", _other), "court.checkpoint.wrong"),
    "record's index": (_set("found.0.court.index", 5), "court.checkpoint.wrong"),
    "anchor's roots": (_set("found.0.court.anchor.roots.desks", _other), "court.state.wrong"),
    "anchor's header": (
        _set("found.0.court.anchor.header.block.header.evidence_hash", _other),
        "court.commit_signature",
    ),
}


@pytest.mark.parametrize("name", ALTERED)
def test_altered_answers_fail(browser: Browser, name: str):
    edit, code = ALTERED[name]
    data = forged(STATE.search(ASKED, STATE.found()), edit)
    told = browser.search(data, ASKED, TRUST, STATE.now)
    assert not told["shown"]
    assert code in everything(told["answer"])


def _python(data: bytes, now: int, given: NetworkTrust = TRUST) -> set[str]:
    """What the program itself refuses."""
    verdict = verify_search(
        parse_search_answer(data), digest=ASKED, trust=given, token=judge_token,
        now=datetime.fromtimestamp(now / 1000, UTC),
    )  # fmt: skip
    listed = [item.findings for item in verdict.lookups]
    listed += [item.findings for item in verdict.found]
    listed += [item.court.findings for item in verdict.found if item.court]
    return {item.code for part in listed for item in part if item.status is not Status.PASSED}


def _strangers() -> State:
    """Signed by others, who call themselves the validators."""
    return State(validators=nodes(11, 12, 13, 14))


def _trust_above() -> NetworkTrust:
    time = BlockTime(STATE.block().header.time.seconds - 60, 0)
    return replace(TRUST, headers=(make_header(60, FOUR, time=time),))


def _same_height() -> NetworkTrust:
    return replace(TRUST, headers=(make_header(41, FOUR),))


def _about_another() -> State:
    return State(
        events=(CourtEvent(leaf=event_leaf(LeafType.CORRECTION_NOTED, ref=digest("other")), height=20),)
    )


WRONG: dict[str, tuple[State, NetworkTrust, str]] = {
    "exactly two thirds": (
        State(validators=nodes(0, 1, 2), votes={"absent": (2,)}),
        trust(nodes(0, 1, 2)),
        "court.commit_power",
    ),
    "nil votes don't count": (State(votes={"nil": (0, 1)}), TRUST, "court.commit_power"),
    "strangers": (_strangers(), TRUST, "court.trust_unreached"),
    "another header of that height": (STATE, _same_height(), "court.trust_contradiction"),
    "older than a trusted header above": (STATE, _trust_above(), "court.trust_contradiction"),
    "a network of the same name": (STATE, trust(nodes(5, 6, 7, 8)), "court.trust_unreached"),
    "unknown rules": (State(app_version=2), TRUST, "court.rules.unknown"),
    "not header H+1": (State(recorded=39), TRUST, "court.checkpoint.height"),
    "desk suspect": (
        State(status=DeskStatus.REVOKED, suspect_from=30),
        TRUST,
        "court.desk.suspect",
    ),
    "closed in that block": (State(height=41, recorded=41, status=DeskStatus.CLOSED), TRUST, ""),
    "revoked after it was followed": (
        State(
            status=DeskStatus.REVOKED,
            suspect_from=99,
            successor=f"{ORIGIN[:-1]}2",
        ),
        TRUST,
        "",
    ),
    "accepted after the revocation": (
        State(status=DeskStatus.REVOKED, status_since=39, suspect_from=99),
        TRUST,
        "court.desk.contradiction",
    ),
    "an event about another leaf": (_about_another(), TRUST, "court.events.other"),
    "revoked": (State(events=(revocation(),)), TRUST, "court.events.revoked"),
}


@pytest.mark.parametrize("name", WRONG)
def test_both_verifiers_refuse_the_same(browser: Browser, name: str):
    state, given, code = WRONG[name]
    data = state.search(ASKED, state.found()).encode()
    told = browser.search(data, ASKED, given, state.now)
    assert told["shown"] is (not code)
    refused = everything(told["answer"])
    assert refused == _python(data, state.now, given)
    assert not code or code in refused


def test_events_left_out(browser: Browser):
    state = State(events=(revocation(),))
    data = forged(state.search(ASKED, state.found()), _set("found.0.court.events.leaves", []))
    assert "court.events.wrong" in everything(browser.search(data, ASKED, TRUST, state.now)["answer"])


def test_another_desks_signature(browser: Browser):
    found = STATE.found()
    text, _, lines = found.note.decode().partition("\n\n")
    first, second, _ = lines.split("\n")
    for note in (f"{text}\n\n{first}\n{first}\n", f"{text}\n\n{first}\n", f"{text}\n\n{second}\n"):
        given = replace(found, note=note.encode())
        answer = browser.search(STATE.search(ASKED, given).encode(), ASKED, TRUST, STATE.now)["answer"]
        assert everything(answer) == {"court.note.wrong"}
        assert answer["found"][0]["proven"] is None


def test_a_header_of_the_future_is_undetermined(browser: Browser):
    data = STATE.search(ASKED, STATE.found()).encode()
    answer = browser.search(data, ASKED, TRUST, STATE.now - 6 * 60 * 1000)["answer"]
    assert answer["status"] == "undetermined"
    assert "court.header.future" in everything(answer)


def test_retired_validators_without_a_timely_token(browser: Browser):
    data = STATE.search(ASKED, STATE.found()).encode()
    later = STATE.now + int(timedelta(days=31).total_seconds() * 1000)
    answer = browser.search(data, ASKED, TRUST, later)["answer"]
    assert "court.token.missing" in everything(answer)
    assert answer["found"] == []
    given = {"trust": encode_network(TRUST), "now": later, "asked": STATE.digests[1]}
    value = json.loads(encode_leaf_answer(STATE.found()))
    for token, code in ((None, "court.token.missing"), ("dG9rZW4=", "court.token.unchecked")):
        value["found"]["court"]["anchor"]["header"]["token"] = token
        told = browser.ask("leaf", data=encode(value), **given)["answer"]
        assert codes(told["findings"]) == {code}
        assert told["proven"] is None


def test_the_answer_to_another_question(browser: Browser):
    data = STATE.search(ASKED, STATE.found()).encode()
    assert browser.search(data, sm3(CONTENT), TRUST, STATE.now) == {"refused": "malformed.court_block"}


# --- flips -----------------------------------------------------------------------------------------------------


def full_answer() -> tuple[State, bytes]:
    state, steps = history()
    events = (correction(),)
    state = State(validators=state.validators, events=events, votes={"absent": (3,)})
    later = State(validators=state.validators, height=100, recorded=40, events=events)
    found = state.found(history=steps, current=later)
    return later, later.search(ASKED, found, history=steps).encode()


def _flips(browser: Browser, places: list[tuple[int, int]]) -> None:
    state, data = full_answer()
    assert browser.search(data, ASKED, TRUST, state.now)["shown"]
    told = browser.ask(
        "flips",
        of="search",
        data=data,
        asked=ASKED,
        trust=encode_network(TRUST),
        now=state.now,
        places=places,
    )
    assert [(at, bit, data[max(0, at - 40) : at + 10]) for at, bit in told["survivors"]] == []


def test_no_sampled_flip_is_shown(browser: Browser):
    _, data = full_answer()
    choose = random.Random(20261122)
    _flips(browser, [(choose.randrange(len(data)), choose.randrange(8)) for _ in range(600)])


@pytest.mark.full
@pytest.mark.timeout(1800)  # every bit of 15 KB, each time with all signatures
def test_no_flip_is_shown(browser: Browser):
    _, data = full_answer()
    _flips(browser, [(at, bit) for at in range(len(data)) for bit in range(8)])


def test_truncations_and_additions_are_refused(browser: Browser):
    _, data = full_answer()
    for other in (
        data[:-1],
        data + b" ",
        b" " + data,
        b"\xef\xbb\xbf" + data,
        b"",
        b"[]",
        b"null",
        data + data,
    ):
        assert "refused" in browser.search(other, ASKED, TRUST, STATE.now)


def test_votes_are_what_validators_really_signed():
    """The hand-made network is one: its votes verify under the program's own rules."""
    assert STATE.block().commit.signatures[0].flag is VoteFlag.COMMIT
    assert _python(STATE.search(ASKED, STATE.found()).encode(), STATE.now) == set()
    assert CHAIN.startswith("demo-")
