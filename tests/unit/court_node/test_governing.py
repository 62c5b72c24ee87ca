"""What operators are told before they sign, and that it is what they sign."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.core.canonical import JSON
from evidence_desk.court.node.abci.application import Query
from evidence_desk.court.node.governing import (
    find_proposal,
    proposing,
    read_application,
    read_governance,
    report_words,
    sign,
    words,
)
from evidence_desk.court.protocol.actions import (
    AddValidator,
    Govern,
    Parameter,
    Proposal,
    RemoveValidator,
    ReportEquivocation,
    RevokeDesk,
    RotateDeskKeys,
    SetParameter,
    Upgrade,
    Vote,
)
from evidence_desk.errors import EvidenceDeskError, IntegrityError, MalformedError, NotFoundError, UsageError
from evidence_desk.texts import Language, sentence, sentences
from tests.unit.court_node.chain import CHAIN, FAR, Chain, Desk, key, public, signed


def shown(chain: Chain) -> JSON:
    result = chain.machine.query(Query(path="/governance", data=b"", height=0))
    assert result.code == 0
    value: JSON = json.loads(result.value)
    return value


def proposal(**action: object) -> Proposal:
    made = proposing(**action).propose
    assert made is not None
    return made


def all_actions() -> list[Proposal]:
    desk, second = Desk(), Desk(epoch=2)
    return [
        proposal(
            add=AddValidator(
                consensus_key=public(key("c")), governance_key=public(key("g")), institution="court-9"
            )
        ),
        proposal(remove=RemoveValidator(consensus_key=public(key("consensus 1")))),
        proposal(parameter=SetParameter(parameter=Parameter.LOOKUP_QUOTA, value=7)),
        proposal(upgrade=Upgrade(height=9, app_version=2)),
        proposal(register=desk.registration()),
        proposal(register=second.registration(succeeds=desk.origin)),
        proposal(rotate=RotateDeskKeys(origin=desk.origin, keys=second.keys)),
        proposal(revoke=RevokeDesk(origin=desk.origin, effective_height=9, suspect_from=3)),
    ]


@pytest.mark.parametrize("made", all_actions())
@pytest.mark.parametrize("language", Language)
def test_every_action_has_words(made, language):
    told = words(made)
    assert told
    for word in told:
        assert word.code in sentences(language)
        text = sentence(word.code, word.facts, language)
        assert "—" not in text
        assert all(str(fact) in text for fact in word.facts.values())


def test_a_proposal_is_shown_with_its_votes():
    chain = Chain()
    made = proposing(parameter=SetParameter(parameter=Parameter.LOOKUP_QUOTA, value=7))
    tx = sign(made, chain_id=CHAIN, expires_height=50, key=chain.governors[0])
    assert chain.run(tx.encode()) == [0]
    governance = read_governance(shown(chain), CHAIN)
    (item,) = governance.proposals
    assert item.number == tx.id
    assert item.proposal == made.propose
    assert [governance.name_of(vote) for vote in item.votes] == ["court-0"]
    assert find_proposal(governance, tx.id.hex()[:8]) == item
    assert governance.open_at(49) == (item,)
    assert governance.open_at(50) == ()
    assert governance.institution("court-2").governance_key == public(chain.governors[2])
    vote = Govern(vote=Vote(proposal=item.number))
    for governor in chain.governors[1:3]:
        voted = sign(vote, chain_id=CHAIN, expires_height=item.expires_height, key=governor)
        assert chain.run(voted.encode()) == [0]
    after = read_governance(shown(chain), CHAIN)
    assert after.parameters["lookup_quota"] == 7
    assert after.proposals[0].executed == 3
    assert after.open_at(3) == ()
    assert after.name_of(public(key("nobody"))) == "—"


def test_a_node_cannot_show_another_proposal_under_an_id():
    chain = Chain()
    good = proposing(parameter=SetParameter(parameter=Parameter.LOOKUP_QUOTA, value=7))
    evil = proposing(remove=RemoveValidator(consensus_key=public(chain.validators[1])))
    for payload in (good, evil):
        chain.run(sign(payload, chain_id=CHAIN, expires_height=50, key=chain.governors[0]).encode())
    value = json.loads(json.dumps(shown(chain)))
    first, second = value["proposals"]
    first["govern"], second["govern"] = second["govern"], first["govern"]
    with pytest.raises(IntegrityError) as caught:
        read_governance(value, CHAIN)
    assert caught.value.code == "governance.proposal_id"
    with pytest.raises(IntegrityError):
        read_governance(shown(chain), "demo-other-00000000")


def test_what_is_not_there():
    chain = Chain()
    chain.run()
    governance = read_governance(shown(chain), CHAIN)
    for beginning in ("", "0" * 8, "zz", "0" * 64):
        with pytest.raises(NotFoundError):
            find_proposal(governance, beginning)
    with pytest.raises(NotFoundError):
        governance.institution("court-9")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["institutions", "parameters", "proposals", "govern", "id"]) | st.text(), inner),
)  # fmt: skip


@given(_JSON)
def test_foreign_answers(value):
    with pytest.raises(MalformedError):
        read_governance(value, CHAIN)


def test_applications():
    desk, thief = Desk(), key("thief")
    registration = desk.registration()
    assert read_application(desk.sign(registration), CHAIN) == registration
    with pytest.raises(IntegrityError) as caught:
        read_application(signed(registration, thief).encode(), CHAIN)
    assert caught.value.code == "governance.application_key"
    with pytest.raises(UsageError):
        read_application(
            signed(RevokeDesk(origin=desk.origin, effective_height=2, suspect_from=1), thief).encode(), CHAIN
        )
    with pytest.raises(MalformedError):
        read_application(desk.sign(registration), "demo-other-00000000")
    flipped = bytearray(desk.sign(registration))
    flipped[-1] ^= 1
    with pytest.raises(IntegrityError):
        read_application(bytes(flipped), CHAIN)


@given(st.binary(max_size=300))
def test_foreign_applications(data):
    with pytest.raises(EvidenceDeskError):
        read_application(data, CHAIN)


def test_a_report_in_words_needs_no_key():
    desk = Desk()
    desk.leaf(b"x")
    report = ReportEquivocation(first=desk.note(), second=desk.note(root=bytes(32)))
    assert [word.code for word in report_words(report)] == [
        "governance.word.report", "governance.word.note", "governance.word.note",
    ]  # fmt: skip
    assert sign(report, chain_id=CHAIN, expires_height=FAR, key=None).signatures == ()
    with pytest.raises(MalformedError):
        report_words(ReportEquivocation(first=b"no note"))


def test_numbers_tell_equal_proposals_apart():
    action = SetParameter(parameter=Parameter.LOOKUP_QUOTA, value=7)
    assert len({base64.b64encode(repr(proposing(parameter=action)).encode()) for _ in range(20)}) == 20
