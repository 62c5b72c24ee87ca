"""Revoke a certificate, or note a correction to an exhibit: new leaves, nothing is taken back silently."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from evidence_desk.core.canonical import JSON, encode
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.leaf import Leaf, LeafType
from evidence_desk.core.rows import CertificateRow, ExhibitRow
from evidence_desk.court.protocol.part import MAX_EVENTS
from evidence_desk.errors import NotFoundError, UsageError
from evidence_desk.services.custody import CustodyNote, append_custody
from evidence_desk.services.desk import Desk

MAX_CORRECTIONS: Final = MAX_EVENTS - 1
"""Of one exhibit: the court network takes no more events about a leaf, and a log that has more could not be anchored."""


def revoke(desk: Desk, certificate: CertificateRow, *, why: str, operator: str = "") -> CertificateRow:
    """Append ``certificate.revoked`` for a certificate and mark it.

    Raises:
        UsageError: ``revoke.already``, ``revoke.no_reason``.
    """
    if not why.strip():
        raise UsageError("revoke.no_reason")
    if certificate.revoked is not None:
        raise UsageError("revoke.already", number=certificate.number)
    facts: dict[str, JSON] = {"certificate": {**certificate.digests.to_json()}}

    def revoked(seq: int, at: datetime) -> Leaf:
        return Leaf(
            log=desk.origin, seq=seq, type=LeafType.CERTIFICATE_REVOKED, at=at, ref=certificate.leaf_hash,
            facts=facts,
        )  # fmt: skip

    now = desk.clock.now()
    with desk.appending() as appender:
        appender.append([revoked])
        desk.store.exhibits.revoke_certificate(certificate.number, now, why)
        append_custody(
            desk,
            appender,
            [
                CustodyNote(
                    exhibit=leaf_hash, action="revoked", operator=operator,
                    details={"certificate": certificate.number, "why": why},
                )
                for leaf_hash in certificate.exhibits
            ],
        )  # fmt: skip
    found = desk.store.exhibits.certificate(certificate.number)
    return found if found is not None else certificate


def correct(desk: Desk, exhibit: ExhibitRow, *, note: str, operator: str = "") -> None:
    """Append ``correction.noted``: the log commits to the salted text, which stays in the custody record.

    Raises:
        UsageError: ``correct.no_note``, ``correct.too_many``. NotFoundError: ``vault.case_erased``.
    """
    if not note.strip():
        raise UsageError("correct.no_note")
    if exhibit.erased:
        raise NotFoundError("vault.case_erased")
    earlier = sum(event.action == "corrected" for event in desk.store.exhibits.custody(exhibit.leaf_hash))
    if earlier >= MAX_CORRECTIONS:
        raise UsageError("correct.too_many", limit=MAX_CORRECTIONS)
    details: dict[str, JSON] = {"note": note, "commitment_salt": desk.random(32).hex()}
    commitment: JSON = {**DigestPair.of(encode(details)).to_json()}

    def noted(seq: int, at: datetime) -> Leaf:
        return Leaf(
            log=desk.origin, seq=seq, type=LeafType.CORRECTION_NOTED, at=at, ref=exhibit.leaf_hash,
            facts={"commitment": commitment},
        )  # fmt: skip

    with desk.appending() as appender:
        appender.append([noted])
        append_custody(
            desk,
            appender,
            [CustodyNote(exhibit=exhibit.leaf_hash, action="corrected", operator=operator, details=details)],
        )
