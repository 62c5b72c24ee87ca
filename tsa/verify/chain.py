"""Steps 8 and 9: the way to a pinned CA at genTime, and revocation at the moment of judgment."""

from __future__ import annotations

from itertools import pairwise

from evidence_desk.core.verdict import Finding, Status, Vouches
from evidence_desk.crypto.x509 import Certificate, signed_by
from tsa.verify import revocation
from tsa.verify.case import Case
from tsa.verify.outcome import failed, passed, unknown
from tsa.verify.path import Paths, build_paths, first_outside

Path = tuple[Certificate, ...]


def chain_and_revocation(case: Case) -> tuple[Finding, Finding]:
    """Both findings; revocation is judged on the paths that the chain step accepts."""
    if case.signer is None:
        return unknown("token.chain", "unchecked"), unknown("token.revocation", "unchecked")
    if not case.trust.roots:
        return unknown("token.chain", "no_root"), unknown("token.revocation", "unchecked")
    signed = case.token.signed
    pool = (*case.trust.certificates, *signed.certificates)
    built = build_paths(case.signer, pool, case.trust.roots)
    good, finding = _judge(built, case)
    if not good:
        return finding, unknown("token.revocation", "unchecked")
    sources = revocation.Sources(
        crls=(*case.trust.crls, *signed.crls),
        ocsps=(*case.trust.ocsps, *signed.ocsps),
        latest=case.token.info.gen_time + case.accuracy,
        moment=case.moment,
        proof=case.proof,
    )
    return finding, revocation.best([revocation.check_path(path, sources) for path in good])


def _judge(built: Paths, case: Case) -> tuple[list[Path], Finding]:
    """The paths to look at further, and the finding; expired ones only when there is nothing better."""
    check = "token.chain"
    if not built.found:
        return [], failed(check, "untrusted", rule=built.rule)
    at = case.token.info.gen_time
    valid = [path for path in built.found if first_outside(path, at) is None]
    if not valid:
        outside = first_outside(built.found[0], at)
        return [], failed(check, "outside_validity", subject="" if outside is None else outside.subject.text)
    strong = [path for path in valid if not _weak_since(path, case)]
    if not strong:
        status, since = _weak_since(valid[0], case) or (Status.UNDETERMINED, "")
        make = failed if status is Status.FAILED else unknown
        return (valid if status is Status.UNDETERMINED else []), make(check, "weak_digest", since=since)
    current = [path for path in strong if first_outside(path, case.moment) is None]
    if not current:
        ended = first_outside(strong[0], case.moment)
        # A key may have leaked after its certificate ended, and nobody would say so; only a proof from before helps.
        facts = ("", "") if ended is None else (ended.subject.text, ended.not_after.date().isoformat())
        return strong, unknown(check, "expired", subject=facts[0], until=facts[1])
    return current, passed(check, vouches=Vouches.AUTHORITY, root=current[0][-1].subject.text)


def _weak_since(path: Path, case: Case) -> tuple[Status, str] | None:
    """A digest past its cut-off date in a signature of the path; the root's own signature says nothing."""
    for certificate, issuer in pairwise(path):
        since = case.weak_since(signed_by(certificate, issuer).digest_oid)
        if since is not None:
            late = case.token.info.gen_time >= since
            return (Status.FAILED if late else Status.UNDETERMINED), since.date().isoformat()
    return None
