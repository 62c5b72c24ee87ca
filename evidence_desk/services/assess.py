"""Verify our own exhibit before anything is printed or exported: what a document says is what was verified."""

from __future__ import annotations

from dataclasses import replace

from evidence_desk.core.proof import Proof
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.core.trust import Trust
from evidence_desk.core.verdict import Status
from evidence_desk.errors import IntegrityError, NotFoundError
from evidence_desk.services.desk import Desk
from evidence_desk.services.prove import prove
from evidence_desk.verify.court import NOT_ANCHORED
from evidence_desk.verify.exhibit import ExhibitFacts, ExhibitInput, verify_exhibit


def assess(desk: Desk, exhibit: ExhibitRow, trust: Trust) -> tuple[Proof, ExhibitFacts]:
    """Proof of an exhibit and the facts its bytes state.

    Raises:
        NotFoundError: ``vault.case_erased``.
        IntegrityError: ``certify.unsound`` when any check failed (undetermined ones are left to the reader).
    """
    if exhibit.erased:
        raise NotFoundError("vault.case_erased")
    proof = prove(desk, exhibit)
    keyed = replace(trust, desks={desk.origin: desk.keys, **trust.desks})
    verdict = verify_exhibit(
        ExhibitInput(proof=proof.encode(), statement=exhibit.statement, disclosures=exhibit.disclosures),
        trust=keyed,
        now=desk.clock.now(),
    )
    wrong = [item.code for item in verdict.findings if item.status is Status.FAILED]
    if wrong or verdict.facts is None:
        raise IntegrityError("certify.unsound", number=exhibit.number, code=wrong[0] if wrong else "proof")
    return proof, verdict.facts


def assess_for_print(desk: Desk, exhibit: ExhibitRow, trust: Trust) -> tuple[Proof, ExhibitFacts]:
    """`assess`, without a court part that does not show the anchoring: a certificate prints what its proof proves.

    Raises:
        IntegrityError: see `assess`.
    """
    proof, facts = assess(desk, exhibit, trust)
    if proof.court is None or facts.court.anchored_at is not None:
        return proof, facts
    bare = replace(proof, court=None)
    return bare, replace(facts, proof=bare, court=NOT_ANCHORED)
