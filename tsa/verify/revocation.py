"""Whether the certificates of a path were revoked, judged at the earliest independent proof of existence.

A stolen key chooses genTime as it likes. So a revocation for a compromised key counts whatever genTime says, unless
something independent proves that the token existed before the key was in doubt; one for an administrative reason
leaves earlier tokens good (RFC 3161 §4 items 1 and 2). Unknown stays undetermined.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final

from evidence_desk.core.verdict import Finding, Status, Vouches, worst
from evidence_desk.crypto.x509 import Certificate
from tsa.verify.crl import Answer, Revocation, ask_crl
from tsa.verify.ocsp import ask_ocsp
from tsa.verify.outcome import failed, passed, unknown

CHECK: Final = "token.revocation"
ADMINISTRATIVE: Final = frozenset({"unspecified", "affiliationChanged", "superseded", "cessationOfOperation"})
"""Reasons that leave what was signed before good; an absent reason is not among them (RFC 3161 §4 item 1)."""
ON_HOLD: Final = "certificateHold"
_ORDER: Final = (Status.PASSED, Status.UNDETERMINED, Status.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Stored revocation data and the times it is judged by.

    Attributes:
        moment: earliest independent proof of existence, else now.
        proof: that proof, None without one.
        latest: genTime plus its accuracy.
    """

    crls: tuple[bytes, ...]
    ocsps: tuple[bytes, ...]
    latest: datetime
    moment: datetime
    proof: datetime | None


def check_path(path: tuple[Certificate, ...], sources: Sources) -> Finding:
    """One finding for a path, its worst; the root itself is trusted by the caller's word."""
    findings = [_check(certificate, issuer, sources) for certificate, issuer in pairwise(path)]
    status = worst(item.status for item in findings)
    return next(item for item in findings if item.status is status)


def best(findings: list[Finding]) -> Finding:
    """The most favorable of several paths: each alone leads to a trusted root."""
    return min(findings, key=lambda item: _ORDER.index(item.status))


def _check(certificate: Certificate, issuer: Certificate, sources: Sources) -> Finding:
    asked = [ask_crl(crl, certificate, issuer) for crl in sources.crls]
    asked += [ask_ocsp(item, certificate, issuer) for item in sources.ocsps]
    answers = [item for item in asked if item is not None]
    revoked = [item.revocation for item in answers if item.revocation is not None]
    name = certificate.subject.text
    if revoked:
        judged = [_judge(item, name, sources) for item in revoked]
        return max(judged, key=lambda item: _ORDER.index(item.status))
    if any(_is_fresh(item, certificate, sources.moment) for item in answers):
        return passed(CHECK, vouches=Vouches.AUTHORITY)
    if answers:
        newest = max(item.next_update or item.this_update for item in answers)
        return unknown(CHECK, "stale", subject=name, until=_text(newest))
    return unknown(CHECK, "no_source", subject=name)


def _is_fresh(answer: Answer, certificate: Certificate, moment: datetime) -> bool:
    """Whether "not revoked" holds for `moment`: issued later, or not yet due for replacement then.

    A list made after a certificate's end may have dropped it, and says nothing (RFC 5280 §3.3).
    """
    if answer.this_update > certificate.not_after:
        return False
    return answer.this_update >= moment or (answer.next_update is not None and moment <= answer.next_update)


def _judge(revocation: Revocation, name: str, sources: Sources) -> Finding:
    facts = {"subject": name, "at": _text(revocation.at), "reason": revocation.reason or "none"}
    if revocation.reason == ON_HOLD:
        return unknown(CHECK, "on_hold", **facts)
    if revocation.reason in ADMINISTRATIVE:
        if sources.latest < revocation.at:
            return passed(CHECK, code="ended_later", vouches=Vouches.AUTHORITY, **facts)
        return failed(CHECK, "revoked", **facts)
    doubt = min(revocation.at, revocation.invalid_since or revocation.at)
    if sources.proof is not None and sources.proof < doubt:
        return passed(CHECK, code="proven_before", vouches=Vouches.AUTHORITY, **facts)
    return failed(CHECK, "revoked", **facts)


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
