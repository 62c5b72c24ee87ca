"""Verify the time part of a proof: records, token as received, attesting leaf, and the checkpoint of the same batch.

Steps are those of «Bindings» (docs/spec/verdict.md). Never raises on foreign input.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from evidence_desk.core.checkpoint import Checkpoint, parse_checkpoint
from evidence_desk.core.digests import sha256
from evidence_desk.core.leaf import Leaf, LeafType, attested_ranges, parse_leaf
from evidence_desk.core.merkle import verify_consistency
from evidence_desk.core.moment import format_moment
from evidence_desk.core.note import Note
from evidence_desk.core.proof import Proof, ProvenLeaf, ProvenNote, TimeProof
from evidence_desk.core.time_record import (
    TokenImprint,
    parse_record,
    token_differs_only_in_crls,
    token_imprint,
)
from evidence_desk.core.trust import Trust
from evidence_desk.core.verdict import (
    Caveat,
    Dimension,
    Finding,
    Parameter,
    Status,
    Vouches,
    unique_caveats,
    worst,
)
from evidence_desk.errors import MalformedError
from evidence_desk.verify.checkpoint import KnownKeys, check_signature
from evidence_desk.verify.time_record import RecordVerdict, TokenJudge, verify_record
from tsa.policy import TokenTrust
from tsa.response import TokenFacts
from tsa.verify import TokenVerdict, verify_token

Groups = tuple[tuple[bytes, ...], ...]
MAX_TOKENS: Final = 256
"""Judgments of different tokens in one proof: a bound on the work that a stranger's file can ask for."""

CLOCKS: Final = timedelta(minutes=10)
"""How far the clocks of honest validators and of an honest authority may lie apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeFacts:
    """One token's findings and, where readable, what it says."""

    findings: tuple[Finding, ...]
    token: TokenFacts | None
    attested: Leaf | None

    @property
    def proven(self) -> bool:
        """Whether the token passed in every respect over exactly this exhibit."""
        summed = (Dimension.TIME, Dimension.INTEGRITY)
        statuses = [item.status for item in self.findings if item.dimension in summed]
        return worst(statuses) is Status.PASSED


@dataclass(slots=True)
class _Tokens:
    """Judges tokens, each once: all records of one token share it, and a token costs more than its records."""

    known: dict[tuple[bytes, str, bytes, datetime | None], TokenVerdict] = field(default_factory=dict)

    def __call__(
        self,
        token: bytes,
        *,
        hash_oid: str,
        imprint: bytes,
        trust: TokenTrust,
        now: datetime,
        proof_of_existence: datetime | None,
    ) -> TokenVerdict:
        """`verify_token`, remembered; trust and moment are the same within one proof."""
        key = (sha256(token), hash_oid, imprint, proof_of_existence)
        if key not in self.known:
            if len(self.known) == MAX_TOKENS:
                refused = _finding(
                    Dimension.TIME, "time.token", Status.UNDETERMINED, "too_many", limit=MAX_TOKENS
                )
                return TokenVerdict(findings=(refused,), facts=None)
            self.known[key] = verify_token(
                token,
                hash_oid=hash_oid,
                imprint=imprint,
                trust=trust,
                now=now,
                proof_of_existence=proof_of_existence,
            )
        return self.known[key]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Around:
    """What all tokens of one proof are judged in.

    Attributes:
        keys: of the log that signed the checkpoints.
        anchored: when the court network is shown to have accepted the proof's checkpoint, None when it is not.
    """

    leaf: Leaf
    checkpoint: Checkpoint | None
    included: Callable[[ProvenLeaf], bool]
    keys: KnownKeys
    anchored: datetime | None
    tokens: TokenTrust
    judge: TokenJudge
    now: datetime


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
    keys: KnownKeys,
    anchored: datetime | None = None,
) -> tuple[tuple[TimeFacts, ...], tuple[Caveat, ...]]:
    """Judge every token of a proof.

    Args:
        proof: as parsed.
        leaf: of the exhibit.
        checkpoint: of the proof, None when it cannot be read.
        groups: the exhibit's SHA-256 hashes, None when not known.
        included: whether a leaf is in the checkpoint.
        trust: roots of authorities.
        now: moment of judgment (UTC).
        keys: of the log, see `KnownKeys`.
        anchored: anchoring time of the proof's checkpoint where that is shown: the tokens that its leaves name existed.
    """
    around = _Around(
        leaf=leaf, checkpoint=checkpoint, included=included, keys=keys, anchored=anchored,
        tokens=token_trust(trust), judge=_Tokens(), now=now,
    )  # fmt: skip
    results: list[TimeFacts] = []
    caveats: list[Caveat] = []
    for item in proof.times:
        findings, verdicts = _records(item, groups, around)
        attested = None
        if item.attested is None:
            findings.append(_finding(Dimension.LOG, "time.attested", Status.UNDETERMINED, "missing"))
        else:
            attested, more = _attested(item, item.attested, verdicts, around)
            findings += [*more, *_order(item, around)]
        if item.checkpoint is not None:
            findings.append(_checkpoint(item.checkpoint, item, attested, around))
        for verdict in verdicts:
            caveats += verdict.caveats
        results.append(TimeFacts(findings=tuple(findings), token=_token_facts(verdicts), attested=attested))
    return tuple(results), unique_caveats(caveats)


def _records(
    item: TimeProof, groups: Groups | None, around: _Around
) -> tuple[list[Finding], list[RecordVerdict]]:
    """One record a group, each over exactly its group, all under the token as received.

    When the objects are not known, the records and the token are judged all the same: what is false is said.
    """
    findings: list[Finding] = []
    if groups is None:
        findings.append(_finding(Dimension.TIME, "time.objects", Status.UNDETERMINED, "unknown"))
    elif len(groups) != len(item.records):
        status = Status.FAILED if len(item.records) > len(groups) else Status.UNDETERMINED
        findings.append(
            _finding(
                Dimension.TIME, "time.groups", status, "wrong", records=len(item.records), groups=len(groups)
            )
        )
    existence = _existence(item, around)
    verdicts = [
        verify_record(
            record,
            objects=[{"sha256": digest} for digest in group],
            trust=around.tokens,
            now=around.now,
            proof_of_existence=existence,
            judge=around.judge,
        )
        for record, group in zip(item.records, groups or ((),) * len(item.records), strict=False)
    ]
    if not all(_same_token(record, item.token) for record in item.records):
        findings.append(_finding(Dimension.TIME, "time.token", Status.FAILED, "differs"))
    findings += [found for found in _merged(verdicts) if found.code != "record.group.nothing"]
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
    item: TimeProof, proven: ProvenLeaf, verdicts: Sequence[RecordVerdict], around: _Around
) -> tuple[Leaf | None, list[Finding]]:
    """Digest, genTime and authority of ``time.attested`` are the token's; it stands in the same log, after the exhibit."""
    check = "time.attested"
    try:
        attested = parse_leaf(proven.leaf)
    except MalformedError as error:
        return None, [_finding(Dimension.LOG, check, Status.FAILED, "malformed", reason=error.code)]
    if attested.type is not LeafType.TIME_ATTESTED:
        return None, [_finding(Dimension.LOG, check, Status.FAILED, "type")]
    facts = _token_facts(verdicts)
    reasons = [
        *_other_token(attested, item.token, facts),
        *_other_place(attested, proven, around.leaf),
        *([] if around.included(proven) else ["path"]),
    ]
    if reasons:
        return attested, [_finding(Dimension.LOG, check, Status.FAILED, reason) for reason in reasons]
    if facts is None:
        return attested, [_finding(Dimension.LOG, check, Status.UNDETERMINED, "unknown")]
    return attested, [_finding(Dimension.LOG, check, Status.PASSED, "right", seq=attested.seq)]


def _other_token(attested: Leaf, received: bytes, facts: TokenFacts | None) -> list[str]:
    reasons = [] if attested.facts["token_sha256"] == sha256(received).hex() else ["token"]
    if facts is not None:
        if attested.facts["gen_time"] != format_moment(facts.gen_time):
            reasons.append("gen_time")
        if facts.signer_spki_sha256 is None or attested.facts["tsa"] != facts.signer_spki_sha256.hex():
            reasons.append("tsa")
    return reasons


def _other_place(attested: Leaf, proven: ProvenLeaf, leaf: Leaf) -> list[str]:
    reasons = []
    ranges = attested_ranges(attested.facts)
    if not any(first <= leaf.seq <= last for first, last in ranges):
        reasons.append("ranges")
    # What is attested was in the log before; a range that reaches further names leaves not yet written.
    if attested.log != leaf.log or attested.seq != proven.seq or ranges[-1][1] >= attested.seq:
        reasons.append("place")
    return reasons


def _anchored_imprint(item: TimeProof, around: _Around) -> TokenImprint | None:
    """What the token says of itself, when its digest was in the log that the court network accepted; else None.

    That the rest of the attesting leaf fits is for `_attested` to tell: the network has seen the digest all the same.
    """
    if around.anchored is None or item.attested is None or not around.included(item.attested):
        return None
    try:
        attested = parse_leaf(item.attested.leaf)
        if attested.type is not LeafType.TIME_ATTESTED or attested.log != around.leaf.log:
            return None
        if attested.facts["token_sha256"] != sha256(item.token).hex():
            return None
        return token_imprint(item.token)
    except MalformedError:
        return None


def _existence(item: TimeProof, around: _Around) -> datetime | None:
    """Earliest independent proof that the token existed (formats.md «Verdict»): its digest was anchored."""
    imprint = _anchored_imprint(item, around)
    if imprint is None or around.anchored is None or imprint.gen_time > around.anchored:
        return None
    return around.anchored


def _order(item: TimeProof, around: _Around) -> list[Finding]:
    """The token's time less its accuracy is not after the anchoring of the checkpoint that holds the attesting leaf."""
    imprint, anchored = _anchored_imprint(item, around), around.anchored
    if imprint is None or anchored is None:
        return []
    check = "time.anchored"
    told = {"gen_time": format_moment(imprint.gen_time), "anchored": format_moment(anchored)}
    earliest = imprint.gen_time - (imprint.latest - imprint.gen_time)
    if earliest <= anchored:
        return [_finding(Dimension.COURT, check, Status.PASSED, "right", **told)]
    if earliest <= anchored + CLOCKS:
        return [_finding(Dimension.COURT, check, Status.UNDETERMINED, "clocks", **told)]
    return [_finding(Dimension.COURT, check, Status.FAILED, "later", **told)]


def _checkpoint(proven: ProvenNote, item: TimeProof, attested: Leaf | None, around: _Around) -> Finding:
    """The checkpoint of the batch: same log, between exhibit and attesting leaf, signed, and under the same token."""
    check = "time.checkpoint"
    try:
        stamped, note = parse_checkpoint(proven.data)
    except MalformedError as error:
        return _finding(Dimension.LOG, check, Status.FAILED, "malformed", reason=error.code)
    reason = _contradiction(stamped, proven.path, attested, around)
    if reason:
        return _finding(Dimension.LOG, check, Status.FAILED, reason, size=stamped.size)
    verdict = verify_record(
        proven.record,
        objects=[{"sha256": sha256(proven.data)}],
        trust=around.tokens,
        now=around.now,
        proof_of_existence=_existence(item, around),
        judge=around.judge,
    )
    tree = worst(item.status for item in verdict.findings if item.dimension is Dimension.INTEGRITY)
    if tree is not Status.PASSED or not _same_token(proven.record, item.token):
        return _finding(Dimension.LOG, check, Status.FAILED, "record")
    return _stamped_signature(note, stamped, around)


def _stamped_signature(note: Note, stamped: Checkpoint, around: _Around) -> Finding:
    check = "time.checkpoint"
    signed = check_signature(note, stamped.origin, around.keys)
    if signed.code == "log.signature.wrong" and around.keys.given is None and around.keys.rotated:
        return _finding(Dimension.LOG, check, Status.UNDETERMINED, "former_key")
    if signed.status is Status.FAILED:
        return _finding(Dimension.LOG, check, Status.FAILED, "signature")
    if signed.status is Status.UNDETERMINED:
        return _finding(Dimension.LOG, check, Status.UNDETERMINED, "no_key")
    return _finding(Dimension.LOG, check, Status.PASSED, "right", size=stamped.size)


def _contradiction(
    stamped: Checkpoint, path: tuple[bytes, ...], attested: Leaf | None, around: _Around
) -> str:
    """Why the stamped checkpoint cannot be an earlier state of the proof's log; "" when it can."""
    newest = around.checkpoint
    if stamped.origin != around.leaf.log:
        return "origin"
    if newest is not None and stamped.size > newest.size:
        return "origin"
    if newest is not None and stamped.size == newest.size and stamped.root != newest.root:
        return "fork"
    if stamped.size <= around.leaf.seq or (attested is not None and stamped.size > attested.seq):
        return "order"
    if newest is not None and not verify_consistency(
        old_size=stamped.size, new_size=newest.size, old_root=stamped.root, new_root=newest.root, path=path
    ):
        return "inconsistent"
    return ""


def _finding(
    dimension: Dimension, check: str, status: Status, why: str, /, **parameters: Parameter
) -> Finding:
    who = Vouches.NOBODY if status is Status.UNDETERMINED else Vouches.COMPUTATION
    return Finding(
        dimension=dimension, check=check, status=status, code=f"{check}.{why}",
        parameters=parameters, who_vouches=who,
    )  # fmt: skip
