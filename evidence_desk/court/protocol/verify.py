"""Verify the court part of a proof, off-line, step by step (docs/spec/court-protocol.md).

1 chain, 2 headers and validators, 3 tokens, 4 rules, 5 state, 6 checkpoint, 7 desk, 8 events. A step that has nothing
sound to stand on is not taken. Nothing here raises on what it reads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from evidence_desk.core.checkpoint import Checkpoint
from evidence_desk.core.leaf import LeafType
from evidence_desk.core.moment import format_moment
from evidence_desk.core.verdict import Caveat, Finding, Status
from evidence_desk.court.protocol.header import demo_caveats
from evidence_desk.court.protocol.history import NetworkTrust, Walk, walk
from evidence_desk.court.protocol.light import MAX_CLOCK_DRIFT
from evidence_desk.court.protocol.part import CourtPart, StateView
from evidence_desk.court.protocol.registry import CheckpointRecord, DeskEntry, DeskStatus, desk_family
from evidence_desk.court.protocol.state import APP_VERSION, check_desk, check_lookup, check_record, events_key
from evidence_desk.court.protocol.tokens import judge_tokens
from evidence_desk.court.protocol.verdict import (
    CourtSigner,
    CourtVerdict,
    TokenCheck,
    finding,
    refusal,
)
from evidence_desk.errors import IntegrityError, MalformedError


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    part: CourtPart
    trust: NetworkTrust
    checkpoint: Checkpoint
    leaf_hash: bytes
    token: TokenCheck
    now: datetime

    @property
    def views(self) -> tuple[StateView, ...]:
        return self.part.views

    @property
    def newest(self) -> StateView:
        return self.part.newest


def verify_court(
    part: CourtPart,
    *,
    trust: NetworkTrust | None,
    checkpoint: Checkpoint,
    leaf_hash: bytes,
    token: TokenCheck,
    now: datetime,
) -> CourtVerdict:
    """Judge a court part.

    Args:
        part: as parsed.
        trust: the network of that chain ID in the verifier's trust root, None when it has none.
        checkpoint: the checkpoint of the proof, in which the leaf is included.
        leaf_hash: SHA-256(0x00 ‖ leaf) of the exhibit's leaf.
        token: judge of RFC 3161 tokens.
        now: moment of judgment, UTC.
    """
    if trust is None:
        unknown = finding("court.chain", Status.UNDETERMINED, "no_trust", chain=part.chain_id)
        return CourtVerdict(chain_id=part.chain_id, findings=(unknown,), caveats=demo_caveats(part.chain_id))
    case = _Case(part=part, trust=trust, checkpoint=checkpoint, leaf_hash=leaf_hash, token=token, now=now)
    headers, walked = _headers(case)
    findings = [_chain(case), headers]
    if walked is None or findings[0].status is not Status.PASSED:
        return CourtVerdict(
            chain_id=part.chain_id, findings=tuple(findings), caveats=demo_caveats(part.chain_id)
        )
    findings.append(_tokens(case))
    findings += _state(case)
    return _verdict(case, findings, walked)


def _verdict(case: _Case, findings: list[Finding], walked: Walk) -> CourtVerdict:
    part = case.part
    block = part.anchor.header.block
    signed = {item.address for item in walked.signers[block.header.height].signed}
    disputed = [
        Caveat(code="court.signature_disputed", parameters={"height": height, "count": len(item.disputed)})
        for height, item in walked.signers.items()
        if item.disputed
    ]
    known = _registered(findings)
    return CourtVerdict(
        chain_id=part.chain_id,
        findings=tuple(findings),
        caveats=(*demo_caveats(part.chain_id), *disputed, *(_corrections(case) if known else ())),
        height=part.record.height,
        block_hash=block.header.last_block_id.hash,
        header_hash=block.header.hash,
        anchored_at=block.header.time.moment() if known else None,
        as_of=case.newest.header.block.header.height - 1,
        desk=case.newest.desk if known else None,
        desk_keys=part.anchor.desk.keys.note_keys(part.anchor.desk.origin) if known else None,
        events=part.events.events if known else (),
        signers=tuple(
            CourtSigner(
                address=item.address,
                institution=case.trust.institutions.get(item.address, ""),
                power=item.power,
                signed=item.address in signed,
            )
            for item in block.validators.validators
        ),
    )


def _registered(findings: list[Finding]) -> bool:
    """Whether entry and events are proven, though the network's word on them may be doubted (revoked, …)."""
    doubted = {"court.desk.suspect", "court.events.revoked"}
    return all(item.status is Status.PASSED or item.code in doubted for item in findings)


# --- 1 chain, 2 headers, 3 tokens -----------------------------------------------------------------------------


def _chain(case: _Case) -> Finding:
    """The part, its headers and the trust root speak of one chain."""
    named = {case.part.chain_id, case.trust.chain_id}
    named |= {view.header.block.header.chain_id for view in case.views}
    if len(named) != 1:
        return finding("court.chain", Status.FAILED, "other", chain=case.trust.chain_id)
    return finding("court.chain", Status.PASSED, "right", chain=case.trust.chain_id)


def _headers(case: _Case) -> tuple[Finding, Walk | None]:
    """Each header is signed by more than two thirds of validators who lead back to the trust root."""
    part = case.part
    newest = case.newest.header.block.header
    try:
        walked = walk(
            case.trust,
            [step.block for step in part.history],
            [view.header.block for view in case.views],
        )
    except IntegrityError as error:
        unreached = error.code == "court.trust_unreached"
        status = Status.UNDETERMINED if unreached else Status.FAILED
        return refusal("court.header", status, error), None
    if newest.time.moment() > case.now + MAX_CLOCK_DRIFT:
        future = finding(
            "court.header", Status.UNDETERMINED, "future", time=format_moment(newest.time.moment())
        )
        return future, walked
    header = part.anchor.header.block.header
    signers = walked.signers[header.height]
    right = finding(
        "court.header", Status.PASSED, "right", height=header.height, signed=len(signers.signed),
        validators=len(part.anchor.header.block.validators.validators), changes=len(part.history), start=walked.start,
    )  # fmt: skip
    return right, walked


def _tokens(case: _Case) -> Finding:
    """Each header was timestamped while its validators' keys were still guarded."""
    return judge_tokens(case.trust, case.part.headers, case.token, case.now)


# --- 4 rules, 5 state, 6 checkpoint, 7 desk, 8 events ----------------------------------------------------------


def _state(case: _Case) -> list[Finding]:
    for view in case.views:
        header = view.header.block.header
        if header.app_version != APP_VERSION:
            return [finding("court.rules", Status.UNDETERMINED, "unknown", version=header.app_version)]
        if view.roots.app_hash != header.app_hash:
            return [finding("court.state", Status.FAILED, "wrong", height=header.height)]
    findings = [
        finding("court.state", Status.PASSED, "right", height=case.newest.header.block.header.height - 1)
    ]
    return findings + [step(case) for step in _STEPS]


def _checkpoint(case: _Case) -> Finding:
    """The network accepted this very checkpoint at height H, and the header is H+1."""
    part, checkpoint = case.part, case.checkpoint
    record, header = part.record, part.anchor.header.block.header
    if (record.origin, record.size, record.root) != (checkpoint.origin, checkpoint.size, checkpoint.root):
        return finding("court.checkpoint", Status.FAILED, "other", height=record.height)
    if header.height != record.height + 1 or not header.last_block_id.complete:
        return finding("court.checkpoint", Status.FAILED, "height", height=record.height)
    try:
        check_record(part.anchor.roots, record, index=part.index, path=part.path)
    except IntegrityError:
        return finding("court.checkpoint", Status.FAILED, "wrong", height=record.height)
    return finding("court.checkpoint", Status.PASSED, "right", height=record.height, size=record.size)


def _desk(case: _Case) -> Finding:
    """The desk's entry, and whether its checkpoint stands."""
    origin, record = case.checkpoint.origin, case.part.record
    for view in case.views:
        try:
            check_desk(view.roots, origin, view.desk, view.desk_proof)
        except IntegrityError:
            return finding("court.desk", Status.FAILED, "wrong", origin=origin)
        if _contradicts(view.desk, record):
            return finding("court.desk", Status.FAILED, "contradiction", origin=origin)
    entry, as_of = case.newest.desk, case.newest.header.block.header.height - 1
    match entry.status:
        case DeskStatus.ACTIVE:
            return finding("court.desk", Status.PASSED, "active", origin=origin, height=as_of)
        case DeskStatus.CLOSED:
            return finding("court.desk", Status.PASSED, "closed", origin=origin, height=entry.status_since)
        case DeskStatus.REVOKED:
            since, suspect = entry.status_since, entry.suspect_from
            if record.height < suspect:
                return finding(
                    "court.desk", Status.PASSED, "revoked_later", origin=origin, height=since, suspect=suspect
                )
            return finding(
                "court.desk", Status.UNDETERMINED, "suspect", origin=origin, height=since, suspect=suspect
            )


def _contradicts(entry: DeskEntry, record: CheckpointRecord) -> bool:
    """Whether a desk's entry and an accepted checkpoint cannot both be true."""
    ended_before = entry.status is not DeskStatus.ACTIVE and entry.status_since < record.height
    same_size = entry.size == record.size
    return (
        entry.registered > record.height
        or entry.size < record.size
        or (same_size and entry.root != record.root)
        or ended_before
    )


def _events(case: _Case) -> Finding:
    """All events about the leaf; a revocation takes the network's word back."""
    key, events = events_key(case.checkpoint.origin, case.leaf_hash), case.part.events
    try:
        check_lookup(case.newest.roots, key, [event.entry for event in events.events], events.proof)
        leaves = [event.parsed() for event in events.events]
    except (IntegrityError, MalformedError):
        return finding("court.events", Status.FAILED, "wrong")
    family = desk_family(case.checkpoint.origin)
    if any(leaf.ref != case.leaf_hash or desk_family(leaf.log) != family for leaf in leaves):
        return finding("court.events", Status.FAILED, "other")
    revoked = sum(leaf.type is LeafType.CERTIFICATE_REVOKED for leaf in leaves)
    as_of, count = case.newest.header.block.header.height - 1, len(leaves)
    if revoked:
        return finding("court.events", Status.UNDETERMINED, "revoked", height=as_of, count=revoked)
    if count:
        return finding("court.events", Status.PASSED, "some", height=as_of, count=count)
    return finding("court.events", Status.PASSED, "none", height=as_of)


def _corrections(case: _Case) -> tuple[Caveat, ...]:
    """What a reader must know although the data stand."""
    return tuple(
        Caveat(code="court.corrected", parameters={"height": event.height})
        for event in case.part.events.events
        if event.parsed().type is LeafType.CORRECTION_NOTED
    )


_STEPS: Final[tuple[Callable[[_Case], Finding], ...]] = (_checkpoint, _desk, _events)
