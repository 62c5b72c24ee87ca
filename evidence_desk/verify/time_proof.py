"""Verify the time part of a proof: records, token as received, attesting leaf, and the checkpoint of the same batch.

Steps are those of «Bindings» (docs/spec/verdict.md). Never raises on foreign input.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from evidence_desk.core.checkpoint import Checkpoint, parse_checkpoint
from evidence_desk.core.digests import sha256
from evidence_desk.core.leaf import Leaf, LeafType, attested_ranges, parse_leaf
from evidence_desk.core.moment import format_moment
from evidence_desk.core.proof import Proof, ProvenLeaf, ProvenNote, TimeProof
from evidence_desk.core.time_record import parse_record, token_differs_only_in_crls
from evidence_desk.core.trust import Trust
from evidence_desk.core.verdict import Caveat, Dimension, Finding, Parameter, Status, Vouches, worst
from evidence_desk.errors import MalformedError
from evidence_desk.verify.checkpoint import check_signature
from evidence_desk.verify.time_record import RecordVerdict, verify_record
from tsa.policy import TokenTrust
from tsa.response import TokenFacts

Groups = tuple[tuple[bytes, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeFacts:
    """One token's findings and, where readable, what it says."""

    findings: tuple[Finding, ...]
    token: TokenFacts | None
    attested: Leaf | None


def token_trust(trust: Trust) -> TokenTrust:
    """Trust of the token verifier from a trust folder's authorities."""
    return TokenTrust(
        roots=tuple(item for roots in trust.authorities for item in roots.certificates),
        crls=tuple(item for roots in trust.authorities for item in roots.crls),
    )


def verify_times(
    proof: Proof,
    *,
    leaf: Leaf,
    checkpoint: Checkpoint | None,
    groups: Groups | None,
    included: Callable[[ProvenLeaf], bool],
    trust: Trust,
    now: datetime,
) -> tuple[tuple[TimeFacts, ...], tuple[Caveat, ...]]:
    """Judge every token of a proof; `groups` are the exhibit's SHA-256 hashes, None when not known."""
    results: list[TimeFacts] = []
    caveats: dict[str, Caveat] = {}
    for item in proof.times:
        findings, verdicts = _records(item, groups, trust, now)
        attested = None
        if item.attested is None:
            findings.append(_finding(Dimension.LOG, "time.attested", Status.UNDETERMINED, "missing"))
        else:
            attested, more = _attested(item, item.attested, leaf, verdicts, included)
            findings += more
        if item.checkpoint is not None:
            findings += _checkpoint(item.checkpoint, item.token, checkpoint, trust, now)
        for verdict in verdicts:
            caveats.update({caveat.code: caveat for caveat in verdict.caveats})
        results.append(TimeFacts(findings=tuple(findings), token=_token_facts(verdicts), attested=attested))
    return tuple(results), tuple(caveats.values())


def _records(
    item: TimeProof, groups: Groups | None, trust: Trust, now: datetime
) -> tuple[list[Finding], list[RecordVerdict]]:
    """One record a group, each over exactly its group, all under the token as received."""
    if groups is None:
        return [_finding(Dimension.TIME, "time.objects", Status.UNDETERMINED, "unknown")], []
    findings: list[Finding] = []
    if len(groups) != len(item.records):
        status = Status.FAILED if len(item.records) > len(groups) else Status.UNDETERMINED
        findings.append(
            _finding(
                Dimension.TIME, "time.groups", status, "wrong", records=len(item.records), groups=len(groups)
            )
        )
    verdicts: list[RecordVerdict] = []
    for record, group in zip(item.records, groups, strict=False):
        verdicts.append(
            verify_record(
                record, objects=[{"sha256": digest} for digest in group], trust=token_trust(trust), now=now
            )
        )
        if not _same_token(record, item.token):
            findings.append(_finding(Dimension.TIME, "time.token", Status.FAILED, "differs"))
    findings += _merged(verdicts)
    return findings, verdicts


def _merged(verdicts: Sequence[RecordVerdict]) -> list[Finding]:
    """Findings of many groups' records: equal ones once, the worst of each check kept."""
    merged: dict[tuple[str, str, object], Finding] = {}
    for verdict in verdicts:
        for finding in verdict.findings:
            key = (finding.check, finding.code, finding.parameters.get("stamp"))
            merged.setdefault(key, finding)
    spoiled = {item.check for item in merged.values() if item.status is not Status.PASSED}
    return [item for item in merged.values() if item.status is not Status.PASSED or item.check not in spoiled]


def _same_token(record: bytes, received: bytes) -> bool:
    """The record's first token is the one received, but for added revocation lists."""
    try:
        first = parse_record(record).first.token
        return token_differs_only_in_crls(first, received)
    except MalformedError:
        return False


def _token_facts(verdicts: Sequence[RecordVerdict]) -> TokenFacts | None:
    first = verdicts[0].first if verdicts else None
    return first.facts if first else None


def _attested(
    item: TimeProof,
    proven: ProvenLeaf,
    leaf: Leaf,
    verdicts: Sequence[RecordVerdict],
    included: Callable[[ProvenLeaf], bool],
) -> tuple[Leaf | None, list[Finding]]:
    """Digest, genTime and authority of ``time.attested`` are the token's; it lies in the same log and names the exhibit."""
    check = "time.attested"
    try:
        attested = parse_leaf(proven.leaf)
    except MalformedError as error:
        return None, [_finding(Dimension.LOG, check, Status.FAILED, "malformed", reason=error.code)]
    if attested.type is not LeafType.TIME_ATTESTED:
        return None, [_finding(Dimension.LOG, check, Status.FAILED, "type")]
    reasons: list[str] = []
    if attested.facts["token_sha256"] != sha256(item.token).hex():
        reasons.append("token")
    facts = _token_facts(verdicts)
    if facts is not None:
        if attested.facts["gen_time"] != format_moment(facts.gen_time):
            reasons.append("gen_time")
        if facts.signer_spki_sha256 is None or attested.facts["tsa"] != facts.signer_spki_sha256.hex():
            reasons.append("tsa")
    if not any(first <= leaf.seq <= last for first, last in attested_ranges(attested.facts)):
        reasons.append("ranges")
    if attested.log != leaf.log or attested.seq != proven.seq:
        reasons.append("place")
    if not included(proven):
        reasons.append("path")
    if reasons:
        return attested, [_finding(Dimension.LOG, check, Status.FAILED, reason) for reason in reasons]
    if facts is None:
        return attested, [_finding(Dimension.LOG, check, Status.UNDETERMINED, "unknown")]
    return attested, [_finding(Dimension.LOG, check, Status.PASSED, "right", seq=attested.seq)]


def _checkpoint(
    proven: ProvenNote, token: bytes, checkpoint: Checkpoint | None, trust: Trust, now: datetime
) -> list[Finding]:
    """The checkpoint of the batch: same log, not larger than the proof's, signed, and under the same token."""
    check = "time.checkpoint"
    try:
        stamped, note = parse_checkpoint(proven.data)
    except MalformedError as error:
        return [_finding(Dimension.LOG, check, Status.FAILED, "malformed", reason=error.code)]
    if checkpoint is not None and (stamped.origin != checkpoint.origin or stamped.size > checkpoint.size):
        return [_finding(Dimension.LOG, check, Status.FAILED, "origin")]
    if checkpoint is not None and stamped.size == checkpoint.size and stamped.root != checkpoint.root:
        return [_finding(Dimension.LOG, check, Status.FAILED, "fork", size=stamped.size)]
    verdict = verify_record(
        proven.record, objects=[{"sha256": sha256(proven.data)}], trust=token_trust(trust), now=now
    )
    tree = worst(item.status for item in verdict.findings if item.dimension is Dimension.INTEGRITY)
    if tree is not Status.PASSED or not _same_token(proven.record, token):
        return [_finding(Dimension.LOG, check, Status.FAILED, "record")]
    if check_signature(note, stamped.origin, trust).status is Status.FAILED:
        return [_finding(Dimension.LOG, check, Status.FAILED, "signature")]
    return [_finding(Dimension.LOG, check, Status.PASSED, "right", size=stamped.size)]


def _finding(
    dimension: Dimension, check: str, status: Status, why: str, /, **parameters: Parameter
) -> Finding:
    who = Vouches.NOBODY if status is Status.UNDETERMINED else Vouches.COMPUTATION
    return Finding(
        dimension=dimension, check=check, status=status, code=f"{check}.{why}",
        parameters=parameters, who_vouches=who,
    )  # fmt: skip
