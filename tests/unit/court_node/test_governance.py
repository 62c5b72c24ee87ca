import pytest

from evidence_desk.court.node.abci.application import Validator
from evidence_desk.court.node.app.desks import desk as desk_entry
from evidence_desk.court.node.app.governance import UPGRADE_REACH
from evidence_desk.court.node.app.records import institutions, parameters, planned_upgrade
from evidence_desk.court.node.app.records import proposal as kept_proposal
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


def test_votes_that_became_enough_when_members_left():
    chain = Chain(count=4)
    proposal = propose(chain, 0, 1, parameter=SetParameter(parameter=Parameter.LOOKUP_QUOTA, value=7))
    assert chain.run(proposal.encode()) == [0]
    for index in (3, 2):
        gone = RemoveValidator(consensus_key=public(chain.validators[index]))
        voters = range(index + 1)
        assert chain.run(propose(chain, *voters, number=index, remove=gone).encode()) == [0]
    assert parameters(chain.store).lookup_quota != 7
    assert chain.run(vote(chain, proposal, 0)) == [0]
    assert parameters(chain.store).lookup_quota == 7
    assert chain.run(vote(chain, proposal, 0)) == [TxCode.PROPOSAL]


def test_votes_of_those_who_left_are_dropped():
    chain = Chain(count=4)
    proposed = propose(chain, 3, parameter=SetParameter(parameter=Parameter.LOOKUP_QUOTA, value=7))
    assert chain.run(proposed.encode()) == [0]
    gone = RemoveValidator(consensus_key=public(chain.validators[3]))
    assert chain.run(propose(chain, 0, 1, 2, number=2, remove=gone).encode()) == [0]
    assert chain.run(vote(chain, proposed, 0)) == [0]
    record = kept_proposal(chain.store, proposed.id)
    assert record is not None
    assert record.votes == (public(chain.governors[0]),)


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
    assert [item.code for item in result.results] == [0, 0, TxCode.VALIDATORS]
    # Four are left, so that one may go with the next block.
    assert chain.run(removals[2]) == [0]


def test_those_who_just_came_make_room_for_no_more():
    chain = Chain(count=5)

    def adding(number: int) -> bytes:
        new = AddValidator(
            consensus_key=public(key(f"consensus of {number}")),
            governance_key=public(key(f"governance of {number}")),
            institution=f"new-{number}",
        )
        return propose(chain, *range(5), number=number, add=new).encode()

    gone = RemoveValidator(consensus_key=public(chain.validators[0]))
    remove = propose(chain, *range(5), number=9, remove=gone).encode()
    result = chain.block(adding(1), adding(2), remove)
    assert [item.code for item in result.results] == [0, TxCode.VALIDATORS, TxCode.VALIDATORS]
    assert len(result.validators) == 1
    assert chain.run(adding(2), remove) == [0, 0], "six began this block"


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
    assert chain.block().app_version is None
    late = propose(chain, 0, 1, 2, upgrade=Upgrade(height=9, app_version=2)).encode()
    result = chain.block(late)
    assert [item.code for item in result.results] == [TxCode.VALUE], "it is due in this block"
    assert result.app_version == 2
    # This program has no rules of version 2: it must not go on.
    with pytest.raises(Exception, match="court_rules"):
        chain.block()


def test_an_upgrade_in_the_past():
    chain = Chain()
    chain.block()
    plan = propose(chain, 0, 1, 2, upgrade=Upgrade(height=2, app_version=2)).encode()
    assert chain.run(plan) == [TxCode.VALUE]


def test_a_planned_upgrade_can_be_put_off_and_brought_forward():
    chain = Chain()
    for number, height in enumerate((UPGRADE_REACH, 90, 4)):
        plan = propose(chain, 0, 1, 2, number=number, upgrade=Upgrade(height=height, app_version=2))
        assert chain.run(plan.encode()) == [0]
        planned = planned_upgrade(chain.store)
        assert planned is not None
        assert planned.height == height
    assert chain.block().app_version == 2


@pytest.mark.parametrize(
    ("height", "version"), [(9, 1), (9, 3), (9, 2**53 - 1), (UPGRADE_REACH + 2, 2), (2**53 - 1, 2)]
)
def test_a_slip_of_the_pen_does_not_stop_the_network(height, version):
    chain = Chain()
    plan = propose(chain, 0, 1, 2, upgrade=Upgrade(height=height, app_version=version))
    assert chain.run(plan.encode()) == [TxCode.VALUE]
    assert chain.run(propose(chain, 0, 1, 2, upgrade=Upgrade(height=9, app_version=2)).encode()) == [0]
