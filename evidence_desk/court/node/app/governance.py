"""Institutions decide: approval by signatures at once, or by proposal and votes. Version 1 of the rules.

Whatever changes the validator set is judged against the *pending* set, because an update that removes an absent
validator, or leaves none, would halt the chain.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from evidence_desk.court.node.abci.application import Validator
from evidence_desk.court.node.app import desks
from evidence_desk.court.node.app.codes import RefusedError
from evidence_desk.court.node.app.records import (
    MAX_INSTITUTIONS,
    PARAMETER_RANGES,
    Institution,
    PlannedUpgrade,
    ProposalRecord,
    institutions,
    parameters,
    planned_upgrade,
    proposal,
    set_institutions,
    set_parameters,
    set_planned_upgrade,
    set_proposal,
)
from evidence_desk.court.node.app.rules import BlockEnd, Moment
from evidence_desk.court.node.app.store import Overlay, Reader
from evidence_desk.court.protocol.actions import (
    AddValidator,
    Govern,
    Proposal,
    RemoveValidator,
    SetParameter,
    Upgrade,
    Vote,
)
from evidence_desk.court.protocol.ed25519 import is_sound_key
from evidence_desk.court.protocol.transactions import SignatureScheme, TransactionSignature
from evidence_desk.court.protocol.tx_codes import TxCode

CHANGES: Final = "validator_changes"
"""Space: height (8 bytes) ‖ consensus key → power, for the block being executed."""
_COUNT: Final = "validator_change_count"
VERSION: Final = 1
"""Of these rules: an upgrade leads to the one after it."""
UPGRADE_REACH: Final = 10_000_000
"""Blocks: a plan further ahead is a slip of the pen."""


def signers(signatures: tuple[TransactionSignature, ...]) -> frozenset[bytes]:
    """Ed25519 keys that signed."""
    return frozenset(item.key for item in signatures if item.scheme is SignatureScheme.ED25519)


def require_quorum(rows: Reader, signatures: tuple[TransactionSignature, ...]) -> None:
    """Refuse what is not signed by more than two thirds of the institutions."""
    if not institutions(rows).quorum(signers(signatures)):
        raise RefusedError(TxCode.APPROVAL)


def govern(
    rows: Overlay, action: Govern, number: bytes, expires_height: int,
    signatures: tuple[TransactionSignature, ...], moment: Moment,
) -> None:  # fmt: skip
    """Take up a proposal or votes; a proposal that has enough of them is executed at once."""
    members = institutions(rows)
    voters = frozenset(key for key in signers(signatures) if members.is_member(key))
    if not voters or len(voters) != len(signatures):
        raise RefusedError(TxCode.SIGNATURE)
    if action.propose is not None:
        record = ProposalRecord(govern=action, expires_height=expires_height, votes=tuple(sorted(voters)))
    else:
        number, record = _voted(rows, action.vote, voters, moment)
    if members.quorum(frozenset(record.votes)):
        _execute(rows, record.proposal, moment)
        record = replace(record, executed=moment.height)
    set_proposal(rows, number, record)


def _voted(
    rows: Reader, vote: Vote | None, voters: frozenset[bytes], moment: Moment
) -> tuple[bytes, ProposalRecord]:
    record = None if vote is None else proposal(rows, vote.proposal)
    if vote is None or record is None or record.executed or record.expires_height < moment.height:
        raise RefusedError(TxCode.PROPOSAL)
    members = institutions(rows)
    after = record.with_votes(voters, members)
    # Where members left, the votes that are there may have become enough: whoever repeats his has it executed.
    if voters <= set(record.votes) and not members.quorum(frozenset(after.votes)):
        raise RefusedError(TxCode.KNOWN)
    return vote.proposal, after


def _execute(rows: Overlay, decided: Proposal, moment: Moment) -> None:
    height = moment.height
    if decided.add is not None:
        _add(rows, decided.add, height)
    elif decided.remove is not None:
        _remove(rows, decided.remove, height)
    elif decided.parameter is not None:
        _set_parameter(rows, decided.parameter)
    elif decided.upgrade is not None:
        _plan_upgrade(rows, decided.upgrade, height)
    elif decided.register is not None:
        desks.register(rows, decided.register, height)
    elif decided.rotate is not None:
        desks.rotate(rows, decided.rotate, height)
    elif decided.revoke is not None:
        desks.revoke(rows, decided.revoke, height)


def _add(rows: Overlay, action: AddValidator, height: int) -> None:
    members = institutions(rows)
    used = {key for item in members.members for key in (item.consensus_key, item.governance_key)}
    taken = action.institution in {item.institution for item in members.members}
    new = {action.consensus_key, action.governance_key}
    # The engine takes edge-case keys (ZIP 215) that other verifiers refuse: such a vote could not be counted by all.
    if taken or used & new or len(members.members) >= MAX_INSTITUTIONS or not all(map(is_sound_key, new)):
        raise RefusedError(TxCode.VALIDATORS)
    _change(rows, action.consensus_key, 1, height)
    set_institutions(
        rows,
        members.with_member(
            Institution(
                institution=action.institution,
                consensus_key=action.consensus_key,
                governance_key=action.governance_key,
            )
        ),
    )


def _remove(rows: Overlay, action: RemoveValidator, height: int) -> None:
    members = institutions(rows)
    remaining = members.without(action.consensus_key)
    if len(remaining.members) == len(members.members) or not remaining.members:
        raise RefusedError(TxCode.VALIDATORS)
    _change(rows, action.consensus_key, 0, height)
    set_institutions(rows, remaining)


def _change(rows: Overlay, consensus_key: bytes, power: int, height: int) -> None:
    """Note a change of the set for the end of the block, before the members are changed.

    At most a third of the power that the block began with, and each key once.
    """
    block = height.to_bytes(8, "big")
    changed = _changed(rows, height)
    added = sum(changed.values())
    began = len(institutions(rows).members) - added + (len(changed) - added)
    if consensus_key in changed or len(changed) + 1 > max(1, began // 3):
        raise RefusedError(TxCode.VALIDATORS)
    rows.set(CHANGES, block + len(changed).to_bytes(2, "big"), consensus_key + bytes([power]))
    rows.set(_COUNT, block, (len(changed) + 1).to_bytes(2, "big"))


def _changed(rows: Reader, height: int) -> dict[bytes, int]:
    block = height.to_bytes(8, "big")
    count = int.from_bytes(rows.get(_COUNT, block) or b"", "big")
    values = [rows.get(CHANGES, block + number.to_bytes(2, "big")) or b"" for number in range(count)]
    return {value[:-1]: value[-1] for value in values}


def _set_parameter(rows: Overlay, action: SetParameter) -> None:
    if action.value not in PARAMETER_RANGES[action.parameter]:
        raise RefusedError(TxCode.VALUE)
    set_parameters(rows, parameters(rows).with_value(action.parameter, action.value))


def _plan_upgrade(rows: Overlay, action: Upgrade, height: int) -> None:
    """Plan the next version of the rules; a plan may be replaced until the block in which it is due."""
    planned = planned_upgrade(rows)
    due = planned is not None and planned.height <= height
    in_reach = height < action.height <= height + UPGRADE_REACH
    if due or not in_reach or action.app_version != VERSION + 1:
        raise RefusedError(TxCode.VALUE)
    set_planned_upgrade(rows, PlannedUpgrade(height=action.height, app_version=action.app_version))


def end_block(rows: Reader, moment: Moment) -> BlockEnd:
    """Changes of the validator set in this block, and the upgrade that is due."""
    changed = _changed(rows, moment.height)
    planned = planned_upgrade(rows)
    due = planned is not None and planned.height == moment.height
    return BlockEnd(
        validators=tuple(Validator(public_key=key, power=power) for key, power in changed.items()),
        app_version=planned.app_version if planned is not None and due else None,
    )
