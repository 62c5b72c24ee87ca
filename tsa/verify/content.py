"""Steps 10 to 14: what the token is about, when it was made, and whether it answers the request."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import timedelta

from evidence_desk.core.verdict import Finding, Vouches
from evidence_desk.crypto.suites import DIGESTS
from tsa.verify.case import Case
from tsa.verify.outcome import failed, passed, unknown


def content(case: Case) -> Finding:
    """Step 3: TSTInfo version 1 in SignedData (checked when read), with nothing critical we do not know."""
    if case.token.info.critical:
        return failed("token.content", "critical_extension", oid=case.token.info.critical[0])
    if case.token.info.serial < 0 or case.token.info.serial.bit_length() > 160:
        return failed("token.content", "serial")
    return passed("token.content")


def imprint(case: Case) -> Finding:
    """Step 10: digest algorithm and digest, both (RFC 3161 §2.2)."""
    check = "token.imprint"
    info = case.token.info
    if case.request is not None and (case.request.hash_oid, case.request.imprint) != (
        case.hash_oid,
        case.imprint,
    ):
        return failed(check, "request_differs")
    if info.hash_oid != case.hash_oid:
        return failed(check, "algorithm", expected=case.hash_oid, found=info.hash_oid)
    if not hmac.compare_digest(info.imprint, case.imprint):
        return failed(check, "differs")
    known = DIGESTS.get(info.hash_oid)
    if known is None:
        return failed(check, "unknown_digest", oid=info.hash_oid)
    if len(info.imprint) != known.size:
        return failed(check, "size")
    since = case.weak_since(info.hash_oid)
    if since is not None:
        make = failed if info.gen_time >= since else unknown
        return make(check, "weak_digest", oid=info.hash_oid, since=since.date().isoformat())
    return passed(check, digest=known.name)


def nonce(case: Case) -> Finding | None:
    """Step 11: the nonce of the request, neither missing nor added (RFC 3161 §2.4.2)."""
    if case.request is None:
        return None
    if case.token.info.nonce != case.request.nonce:
        return failed("token.nonce", "missing" if case.token.info.nonce is None else "differs")
    return passed("token.nonce", code="absent" if case.request.nonce is None else "passed")


def policy(case: Case) -> Finding:
    """Step 12: the policy asked for, and an allowed one."""
    found = case.token.info.policy
    if case.request is not None and case.request.policy is not None and case.request.policy != found:
        return failed("token.policy", "differs", expected=case.request.policy, found=found)
    if case.trust.policies is not None and found not in case.trust.policies:
        return failed("token.policy", "not_allowed", found=found)
    return passed("token.policy", found=found)


def time(case: Case) -> Finding:
    """Step 13: genTime against request, clock, proof of existence and certificate; its accuracy."""
    check = "token.time"
    info, trust = case.token.info, case.trust
    tolerance = timedelta(milliseconds=trust.clock_tolerance_ms)
    at = info.gen_time.strftime("%Y-%m-%dT%H:%M:%SZ")
    if info.accuracy_ms is not None and info.accuracy_ms > trust.absolute_accuracy_ms:
        return failed(check, "accuracy", milliseconds=info.accuracy_ms, limit=trust.absolute_accuracy_ms)
    if info.gen_time - case.accuracy > case.now + tolerance:
        return failed(check, "future", at=at)
    if case.sent is not None and info.gen_time + case.accuracy + tolerance < case.sent:
        return failed(check, "before_request", at=at)
    if case.proof is not None and info.gen_time - case.accuracy > case.proof:
        return failed(check, "after_proof", at=at)
    if case.signer is not None and not case.signer.valid_at(info.gen_time):
        return failed(check, "outside_certificate", at=at)
    if info.accuracy_ms is not None and info.accuracy_ms > trust.max_accuracy_ms:
        return unknown(check, "coarse", milliseconds=info.accuracy_ms, limit=trust.max_accuracy_ms)
    return passed(check, vouches=Vouches.AUTHORITY, at=at)


def serial(case: Case, seen: Mapping[tuple[bytes, int], bytes] | None) -> Finding | None:
    """Step 14: a serial number of the same key seen before with other content is an alarm (RFC 3161 §2.4.2)."""
    if seen is None or case.signer is None:
        return None
    before = seen.get((case.signer.spki_sha256, case.token.info.serial))
    if before is not None and before != hashlib.sha256(case.token.info.encoded).digest():
        return failed("token.serial", "reused", serial=hex(case.token.info.serial))
    return passed("token.serial", serial=hex(case.token.info.serial))
