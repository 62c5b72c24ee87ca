"""Whom and what a verifier of tokens trusts. Data only; trust is given by the caller, never assumed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from evidence_desk.crypto.oids import DEMO_ARC, DEMO_PDF_POLICY, DEMO_TSA_POLICY

DEMO_POLICY_OID: Final = DEMO_TSA_POLICY

__all__ = ["DEMO_PDF_POLICY", "DEMO_POLICY_OID", "DEMO_TSA_POLICY", "TokenTrust", "is_demo"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenTrust:
    """Trust roots and demands.

    Attributes:
        roots: DER certificates of pinned CAs; a pinned signer certificate is no root (signers rotate).
        certificates: further certificates for path building; not trusted.
        crls: DER CRLs; `ocsps`: DER OCSPResponses (RFC 6960).
        policies: allowed token policies; None allows any.
        allow_mods: whether status grantedWithMods is accepted (RFC 3161 §2.4.2).
        max_accuracy_ms: coarser tokens are undetermined; beyond `absolute_accuracy_ms` they fail.
        clock_tolerance_ms: how far the local clock may lag behind or run ahead of the authority's.
    """

    roots: tuple[bytes, ...] = ()
    certificates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    ocsps: tuple[bytes, ...] = ()
    policies: frozenset[str] | None = None
    allow_mods: bool = False
    max_accuracy_ms: int = 1_000
    absolute_accuracy_ms: int = 60_000
    clock_tolerance_ms: int = 1_000


def is_demo(policy_oid: str) -> bool:
    """Whether a policy OID lies under the demo arc: no independent authority stands behind it (演示/非第三方)."""
    return policy_oid == DEMO_ARC or policy_oid.startswith(DEMO_ARC + ".")
