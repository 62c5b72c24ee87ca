"""The values a certificate prints that the attached proofs cover, in one machine-readable shape.

The issuer builds it from the model (`exhibit_values`), the verifier from the attached proof, statement and token by
the same `proven_values`; the two must be equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from evidence_desk.core.canonical import JSON, encode
from evidence_desk.core.certificate.model import (
    Certificate,
    CheckpointFacts,
    CourtFacts,
    Exhibit,
    FileFacts,
    TokenFacts,
)
from evidence_desk.core.confirmation import printed_members
from evidence_desk.core.derivation import MEMBER, Derivation
from evidence_desk.core.digests import DigestPair, sha256
from evidence_desk.core.evidence_number import Prefix, format_number

_NUMBER_CONTEXT: Final = b"evidence-desk/certificate-number/1\x00"


def utc_text(moment: datetime) -> str:
    """``2026-01-31T08:00:00.123456Z``; microseconds only when there are any."""
    text = moment.astimezone(UTC).isoformat()
    return text.replace("+00:00", "Z")


def certificate_number(*, exhibits: Sequence[bytes], version: int, issued: datetime, origin: str) -> str:
    """``EC-…``: addresses the digest over leaf hashes, version, time of issue and log origin."""
    facts = encode(
        {
            "exhibits": [leaf_hash.hex() for leaf_hash in exhibits],
            "issued": utc_text(issued),
            "origin": origin,
            "version": version,
        }
    )
    return format_number(Prefix.CERTIFICATE, sha256(_NUMBER_CONTEXT + facts))


def proven_values(
    *,
    number: str,
    leaf_hash: bytes,
    seq: int,
    statement: DigestPair,
    files: Sequence[FileFacts],
    checkpoint: CheckpointFacts,
    token: TokenFacts | None,
    court: CourtFacts | None,
    derivation: Derivation | None = None,
) -> dict[str, JSON]:
    """Values of one exhibit; of `files` name, size and digests count, of `court` all but the validators.

    What it was made from is a member of derived exhibits only.
    """
    derived: dict[str, JSON] = {} if derivation is None else {MEMBER: derivation.to_json()}
    return {
        "number": number,
        "leaf_sha256": leaf_hash.hex(),
        "seq": seq,
        "statement": dict[str, JSON](statement.to_json()),
        "files": [{"name": entry.name, "size": entry.size, **entry.digests.to_json()} for entry in files],
        "checkpoint": {
            "origin": checkpoint.origin,
            "size": checkpoint.size,
            "root": checkpoint.root.hex(),
        },
        "token": None if token is None else _token_values(token),
        "court": None if court is None else _court_values(court),
        **derived,
    }


def _token_values(token: TokenFacts) -> dict[str, JSON]:
    return {
        "tsa": token.tsa,
        "policy": token.policy,
        "serial": str(token.serial),
        "gen_time": utc_text(token.gen_time),
        "accuracy_us": token.accuracy_us,
        "token_sha256": token.token_sha256.hex(),
        "certificate_sha256": token.certificate_sha256.hex(),
    }


def _court_values(court: CourtFacts) -> dict[str, JSON]:
    return {
        "chain_id": court.chain_id,
        "height": court.height,
        "block_hash": court.block_hash.hex(),
        "time": utc_text(court.time),
    }


def exhibit_values(exhibit: Exhibit) -> dict[str, JSON]:
    """Values of one exhibit as the model has them."""
    return proven_values(
        number=exhibit.number,
        leaf_hash=exhibit.leaf_hash,
        seq=exhibit.seq,
        statement=exhibit.statement,
        files=exhibit.files,
        checkpoint=exhibit.checkpoint,
        token=exhibit.token,
        court=exhibit.court,
        derivation=exhibit.source.derivation,
    )


def certificate_values(certificate: Certificate) -> dict[str, JSON]:
    """``exhibits``: what proofs cover; ``declared``: what rests on the issuer's word, the confirmation if there is one."""
    confirmation: dict[str, JSON] = {}
    if certificate.handler is not None and certificate.confirmed is not None:
        confirmation["confirmation"] = printed_members(certificate.handler, certificate.confirmed)
    return {
        "exhibits": [exhibit_values(exhibit) for exhibit in certificate.exhibits],
        "declared": {
            "number": certificate.number,
            "version": certificate.version,
            "issued": utc_text(certificate.issued),
            "issuer": certificate.issuer,
            "case": certificate.case.number,
            "demo": [reason.value for reason in certificate.demo],
            **confirmation,
        },
    }
