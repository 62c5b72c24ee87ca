"""Strict verification of RFC 3161 responses and tokens, step by step; pure and without network.

Every token is judged by all steps, each of which answers with a finding; nothing here raises on what it reads.
A passed verdict rests on the trust roots that the caller gives. The steps are numbered as in docs/spec/token.md.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from evidence_desk.core.verdict import Caveat, Finding
from evidence_desk.errors import MalformedError
from tsa.policy import TokenTrust, is_demo
from tsa.request import TimestampRequest
from tsa.response import (
    GRANTED,
    GRANTED_WITH_MODS,
    TimestampResponse,
    facts_of,
    find_signer,
    parse_response,
    read_token,
)
from tsa.verify import content, second, signature
from tsa.verify.case import Case
from tsa.verify.chain import chain_and_revocation
from tsa.verify.outcome import TokenVerdict, failed, passed

__all__ = ["TokenVerdict", "verify_response", "verify_token"]

Seen = Mapping[tuple[bytes, int], bytes]
"""(SHA-256 of the signer's SubjectPublicKeyInfo, serial) → SHA-256 of the TSTInfo, of tokens met before."""

_SIGNATURE_STEPS: Final[tuple[tuple[str, Callable[[Case], Finding]], ...]] = (
    ("token.attributes", signature.attributes),
    ("token.signature", signature.signature),
    ("token.ess", signature.ess),
    ("token.certificate", signature.certificate),
)


def verify_response(
    response: bytes,
    *,
    hash_oid: str,
    imprint: bytes,
    trust: TokenTrust,
    now: datetime,
    proof_of_existence: datetime | None = None,
    request: TimestampRequest | None = None,
    sent: datetime | None = None,
    seen: Seen | None = None,
) -> TokenVerdict:
    """Judge a DER TimeStampResp: its status (step 2), then its token as `verify_token` does. Never raises."""
    try:
        parsed = parse_response(response)
    except MalformedError as error:
        return TokenVerdict(findings=(_malformed("token.der", error),), facts=None)
    status = _status(parsed, trust)
    if parsed.token is None:
        return TokenVerdict(findings=(status,), facts=None)
    verdict = verify_token(
        parsed.token,
        hash_oid=hash_oid,
        imprint=imprint,
        trust=trust,
        now=now,
        proof_of_existence=proof_of_existence,
        request=request,
        sent=sent,
        seen=seen,
    )
    return dataclasses.replace(verdict, findings=(status, *verdict.findings))


def _status(response: TimestampResponse, trust: TokenTrust) -> Finding:
    """Step 2: granted, with a token and no failure; with modifications only when allowed (RFC 3161 §2.4.2)."""
    check = "token.status"
    if response.status not in (GRANTED, GRANTED_WITH_MODS):
        if response.token is not None:
            return failed(check, "token_beside_rejection", status=response.status)
        said = "".join(sign for sign in response.status_text if sign.isprintable())[:200]
        return failed(
            check, "rejected", status=response.status, failure=response.failure or "-", text=said or "-"
        )
    if response.token is None:
        return failed(check, "no_token")
    if response.failure is not None:
        return failed(check, "failure_beside_grant", failure=response.failure)
    if response.status == GRANTED_WITH_MODS and not trust.allow_mods:
        return failed(check, "modified")
    return passed(check)


def verify_token(
    token: bytes,
    *,
    hash_oid: str,
    imprint: bytes,
    trust: TokenTrust,
    now: datetime,
    proof_of_existence: datetime | None = None,
    request: TimestampRequest | None = None,
    sent: datetime | None = None,
    seen: Seen | None = None,
) -> TokenVerdict:
    """Judge a DER TimeStampToken (steps 1 and 3 to 14). Never raises on what it reads.

    Args:
        token: DER ContentInfo.
        hash_oid: digest algorithm the token must speak of.
        imprint: the digest itself.
        trust: pinned CAs, further certificates, stored revocation data, demands.
        now: present time, UTC-aware.
        proof_of_existence: earliest time at which something independent shows that the token existed.
        request: the request it answers, when at hand: nonce and policy are compared.
        sent: local time when the request was sent.
        seen: serial numbers met before, for the alarm of step 14.
    """
    try:
        read = read_token(token)
    except MalformedError as error:
        return TokenVerdict(findings=(_malformed("token.der", error),), facts=None)
    signers = read.signed.signers
    candidates = (*read.signed.certificates, *trust.certificates, *trust.roots)
    found = find_signer(signers[0], candidates) if len(signers) == 1 else None
    case = Case(
        token=read,
        signer=found,
        hash_oid=hash_oid,
        imprint=imprint,
        trust=trust,
        now=now,
        proof=proof_of_existence,
        request=request,
        sent=sent,
    )
    findings = (passed("token.der"), *_signed(case), *_said(case, seen))
    return TokenVerdict(findings=findings, facts=facts_of(read, found), caveats=_caveats(case))


def _signed(case: Case) -> tuple[Finding, ...]:
    """Steps 3 to 9."""
    first = (content.content(case), second.compare(case.token.info), signature.signer(case))
    if len(case.token.signed.signers) != 1:
        return first
    steps = []
    for check, step in _SIGNATURE_STEPS:
        try:
            steps.append(step(case))
        except MalformedError as error:
            steps.append(_malformed(check, error))
    return (*first, *steps, *chain_and_revocation(case))


def _said(case: Case, seen: Seen | None) -> tuple[Finding, ...]:
    """Steps 10 to 14."""
    found = (
        content.imprint(case),
        content.nonce(case),
        content.policy(case),
        content.time(case),
        content.serial(case, seen),
    )
    return tuple(item for item in found if item is not None)


def _caveats(case: Case) -> tuple[Caveat, ...]:
    info = case.token.info
    found: list[Caveat] = []
    if is_demo(info.policy):
        found.append(Caveat(code="demo.authority"))
    if info.accuracy_ms is None:
        found.append(Caveat(code="token.time.no_accuracy"))
    if len(case.token.signed.signers) == 1:
        found.extend(signature.digest_caveats(case))
    return tuple(found)


def _malformed(check: str, error: MalformedError) -> Finding:
    return failed(check, "malformed", rule=str(error.parameters.get("rule", error.code)))
