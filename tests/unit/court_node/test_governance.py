import pytest

from evidence_desk.court.node.abci.application import Validator
from evidence_desk.court.node.app.desks import desk as desk_entry
from evidence_desk.court.node.app.records import institutions, parameters
from evidence_desk.court.protocol.actions import (
    AddValidator,
    Govern,
    Parameter,
    Proposal,
    RemoveValidator,
    RevokeDesk,
    SetParameter,
    Upgrade,
    Vote,
)
from evidence_desk.court.protocol.transactions import Transaction
from evidence_desk.court.protocol.tx_codes import TxCode
from tests.unit.court_node.chain import Chain, Desk, key, public, signed

NEW, NEW_GOVERNOR = key("new consensus"), key("new governance")
ADD = AddValidator(consensus_key=public(NEW), governance_key=public(NEW_GOVERNOR), institution="new-court")


def propose(
    chain: Chain, *governors: int, expires: int = 50, number: int = 1, **action: object
) -> Transaction:
    payload = Govern(propose=Proposal(number=number, **action))  # type: ignore[arg-type]
    return signed(payload, *(chain.governors[index] for index in governors), expires=expires)


def vote(chain: Chain, proposal: Transaction, *governors: int) -> bytes:
    payload = Govern(vote=Vote(proposal=proposal.id))
    return signed(payload, *(chain.governors[index] for index in governors)).encode()


def test_a_proposal_is_executed_by_the_vote_that_completes_it():
    chain = Chain()
    proposal = propose(chain, 0, add=ADD)
    assert chain.run(proposal.encode(), vote(chain, proposal, 1)) == [0, 0]
    assert len(institutions(chain.store).members) == 4
    result = chain.block(vote(chain, proposal, 2))
    assert result.validators == (Validator(public_key=public(NEW), power=1),)
    assert len(institutions(chain.store).members) == 5
    assert chain.block().validators == ()
    assert chain.run(vote(chain, proposal, 3)) == [TxCode.PROPOSAL]


def test_votes_count_once_and_only_those_of_members():
    chain = Chain()
    proposal = propose(chain, 0, add=ADD)
    assert chain.run(proposal.encode()) == [0]
    payload = Govern(vote=Vote(proposal=proposal.id))
    assert chain.run(vote(chain, proposal, 0)) == [TxCode.KNOWN]
    assert chain.run(signed(payload, key("stranger")).encode()) == [TxCode.SIGNATURE]
    assert chain.run(signed(payload, chain.governors[1], key("stranger")).encode()) == [TxCode.SIGNATURE]
    assert chain.run(signed(payload).encode()) == [TxCode.SIGNATURE]
    assert chain.run(signed(Govern(vote=Vote(proposal=bytes(32))), chain.governors[1]).encode()) == [
        TxCode.PROPOSAL
    ]
    assert chain.run(proposal.encode()) == [TxCode.KNOWN]


def test_a_proposal_lapses():
    chain = Chain()
    proposal = propose(chain, 0, 1, add=ADD, expires=2)
    assert chain.run(proposal.encode()) == [0]
    chain.block()
    assert chain.run(vote(chain, proposal, 2)) == [TxCode.PROPOSAL]


def test_votes_of_those_who_left_do_not_count():
    chain = Chain(count=7)
    proposal = propose(chain, 0, 1, add=ADD)
    assert chain.run(proposal.encode()) == [0]
    gone = RemoveValidator(consensus_key=public(chain.validators[0]))
    assert chain.run(propose(chain, 1, 2, 3, 4, 5, remove=gone).encode()) == [0]
    # Six are left: five are needed, and the vote of the one who left is not among them.
    assert chain.run(vote(chain, proposal, 2, 3, 4)) == [0]
    assert len(institutions(chain.store).members) == 6
    assert chain.run(vote(chain, proposal, 5)) == [0]
    assert len(institutions(chain.store).members) == 7


def test_removal_against_the_pending_set():
    chain = Chain()
    target = RemoveValidator(consensus_key=public(chain.validators[3]))
    result = chain.block(propose(chain, 0, 1, 2, remove=target).encode())
    assert result.validators == (Validator(public_key=public(chain.validators[3]), power=0),)
    # The engine still has it for two blocks; removing it again would stop the chain.
    assert chain.run(propose(chain, 0, 1, 2, remove=target, number=2).encode()) == [TxCode.VALIDATORS]
    absent = RemoveValidator(consensus_key=public(NEW))
    assert chain.run(propose(chain, 0, 1, 2, remove=absent).encode()) == [TxCode.VALIDATORS]


def test_the_last_validator_stays():
    chain = Chain(count=1)
    last = RemoveValidator(consensus_key=public(chain.validators[0]))
    assert chain.run(propose(chain, 0, remove=last).encode()) == [TxCode.VALIDATORS]


def test_never_more_than_a_third_of_the_power_in_a_block():
    chain = Chain(count=6)
    removals = [
        propose(
            chain, *signers, remove=RemoveValidator(consensus_key=public(chain.validators[index]))
        ).encode()
        for index, signers in ((0, range(1, 6)), (1, range(1, 6)), (2, range(2, 6)))
    ]
    result = chain.block(*removals)
    assert [item.code for item in result.results] == [0, TxCode.VALIDATORS, TxCode.VALIDATORS]
    # Five are left, so that one may go with the next block.
    assert chain.run(*removals[1:]) == [0, TxCode.VALIDATORS]


def test_each_key_once_in_a_block():
    chain = Chain(count=6)
    add = propose(chain, *range(6), add=ADD).encode()
    remove = propose(chain, *range(6), remove=RemoveValidator(consensus_key=public(NEW))).encode()
    assert chain.run(add, remove) == [0, TxCode.VALIDATORS]
    assert chain.run(remove) == [0]


@pytest.mark.parametrize(
    ("consensus", "governance", "institution"),
    [
        ("new consensus", "new governance", "court-0"),
        ("consensus 0", "new governance", "new-court"),
        ("governance 0", "new governance", "new-court"),
        ("new consensus", "governance 0", "new-court"),
        ("new consensus", "consensus 0", "new-court"),
    ],
)
def test_keys_and_institutions_are_used_once(consensus, governance, institution):
    chain = Chain()
    action = AddValidator(
        consensus_key=public(key(consensus)), governance_key=public(key(governance)), institution=institution
    )
    assert chain.run(propose(chain, 0, 1, 2, add=action).encode()) == [TxCode.VALIDATORS]


@pytest.mark.parametrize("weak", [bytes(32), b"\x01" + bytes(31), b"\xff" * 32])
def test_keys_that_not_all_verifiers_accept(weak):
    chain = Chain()
    action = AddValidator(consensus_key=weak, governance_key=public(NEW_GOVERNOR), institution="new-court")
    assert chain.run(propose(chain, 0, 1, 2, add=action).encode()) == [TxCode.VALIDATORS]


def test_parameters_within_their_range():
    chain = Chain()
    good = SetParameter(parameter=Parameter.LOOKUP_QUOTA, value=7)
    bad = SetParameter(parameter=Parameter.MAX_SUBMIT_BYTES, value=1)
    codes = chain.run(
        propose(chain, 0, 1, 2, parameter=good).encode(), propose(chain, 0, 1, 2, parameter=bad).encode()
    )
    assert codes == [0, TxCode.VALUE]
    assert parameters(chain.store).lookup_quota == 7


def test_desks_by_vote():
    chain, desk = Chain(), Desk()
    proposal = propose(chain, 0, register=desk.registration())
    assert chain.run(proposal.encode()) == [0]
    assert desk_entry(chain.store, desk.origin) is None
    assert chain.run(vote(chain, proposal, 1, 2)) == [0]
    assert desk_entry(chain.store, desk.origin) is not None
    revoke = RevokeDesk(origin=desk.origin, effective_height=9, suspect_from=9)
    assert chain.run(propose(chain, 1, 2, 3, revoke=revoke).encode()) == [0]


def test_an_upgrade_takes_hold_after_its_height():
    chain = Chain()
    plan = Upgrade(height=3, app_version=2)
    assert chain.run(propose(chain, 0, 1, 2, upgrade=plan).encode()) == [0]
    again = propose(chain, 0, 1, 2, upgrade=Upgrade(height=4, app_version=3)).encode()
    assert chain.run(again) == [TxCode.VALUE], "one at a time"
    assert chain.block().app_version == 2
    # This program has no rules of version 2: it must not go on.
    with pytest.raises(Exception, match="court_rules"):
        chain.block()


def test_an_upgrade_in_the_past():
    chain = Chain()
    chain.block()
    plan = propose(chain, 0, 1, 2, upgrade=Upgrade(height=2, app_version=2)).encode()
    assert chain.run(plan) == [TxCode.VALUE]
