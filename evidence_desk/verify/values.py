"""The values that a verified proof covers, in the shape a certificate prints: made here for issuer and verifier alike."""

from __future__ import annotations

from evidence_desk.core import certificate as model
from evidence_desk.core.canonical import JSON
from evidence_desk.core.derivation import derivation_of
from evidence_desk.core.digests import DigestPair, sha256
from evidence_desk.errors import MalformedError
from evidence_desk.verify.exhibit import ExhibitFacts


def file_facts(facts: ExhibitFacts) -> tuple[model.FileFacts, ...]:
    """The exhibit's files as the disclosed statement lists them, in order; withheld ones are left out."""
    if facts.disclosed is None:
        return ()
    return tuple(
        model.FileFacts(
            name=entry.name, size=entry.size, media_type=entry.media_type, digests=entry.digests,
            modified=entry.modified,
        )
        for _, entry in sorted(facts.disclosed.files.items())
    )  # fmt: skip


def token_facts(facts: ExhibitFacts) -> model.TokenFacts | None:
    """What the first token over the exhibit says; None while there is none (or it is unreadable)."""
    for item, time in zip(facts.proof.times, facts.times, strict=True):
        token = time.token
        if token is not None and token.signer_certificate is not None:
            return model.TokenFacts(
                tsa=token.tsa_name,
                policy=token.policy,
                serial=token.serial,
                gen_time=token.gen_time,
                accuracy_us=None if token.accuracy_ms is None else token.accuracy_ms * 1000,
                token_sha256=sha256(item.token),
                certificate_sha256=sha256(token.signer_certificate),
            )
    return None


def checkpoint_facts(facts: ExhibitFacts) -> model.CheckpointFacts:
    """The checkpoint that the inclusion path leads to.

    Raises:
        MalformedError: ``malformed.checkpoint`` when the proof has no readable one.
    """
    if facts.checkpoint is None:
        raise MalformedError("malformed.checkpoint")
    return model.CheckpointFacts(
        origin=facts.checkpoint.origin, size=facts.checkpoint.size, root=facts.checkpoint.root
    )


def court_facts(facts: ExhibitFacts) -> model.CourtFacts | None:
    """What the proof's court part says, validators as the verdict names them; None when there is no readable one.

    Whether it holds is for the findings to tell; an issuer prints it only when it does (`CourtJudgment.anchored_at`).
    """
    part = facts.court.part
    if part is None:
        return None
    header = part.anchor.header.block.header
    signers = () if facts.court.verdict is None else facts.court.verdict.signers
    return model.CourtFacts(
        chain_id=part.chain_id,
        height=part.record.height,
        block_hash=header.last_block_id.hash,
        time=header.time.moment(),
        validators=tuple((item.institution or item.address.hex(), item.signed) for item in signers),
    )


def covered_values(facts: ExhibitFacts) -> dict[str, JSON]:
    """`proven_values` of an exhibit, from its proof alone.

    Raises:
        MalformedError: when the proof lacks what every certificate prints.
    """
    return model.proven_values(
        number=facts.proof.number,
        leaf_hash=facts.leaf_hash,
        seq=facts.leaf.seq,
        statement=statement_digests(facts),
        files=file_facts(facts),
        checkpoint=checkpoint_facts(facts),
        token=token_facts(facts),
        court=court_facts(facts),
        derivation=None if facts.disclosed is None else derivation_of(facts.disclosed.values.get("/source")),
    )


def statement_digests(facts: ExhibitFacts) -> DigestPair:
    """The statement's digest pair as the leaf holds it."""
    if facts.leaf.statement is None:
        raise MalformedError("malformed.leaf", reason="statement")
    return facts.leaf.statement
