"""Whether a certificate may sign documents and leads to a given root: for who signed, and for who confirmed."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from evidence_desk.core.verdict import Finding, Status, Vouches
from evidence_desk.crypto.x509 import DIGITAL_SIGNATURE, NON_REPUDIATION, Certificate
from evidence_desk.verify.certificate.outcome import signer
from evidence_desk.verify.certificate.trust import CertificateTrust
from tsa.verify.path import build_paths, first_outside
from tsa.verify.revocation import Sources, best, check_path

_PURPOSES: Final = frozenset(
    {
        "1.3.6.1.5.5.7.3.4",  # emailProtection
        "1.3.6.1.5.5.7.3.36",  # documentSigning, RFC 9336
        "1.3.6.1.4.1.311.10.3.12",  # Microsoft document signing
        "2.5.29.37.0",
    }
)


def judge_path(
    certificate: Certificate,
    name: str,
    others: tuple[bytes, ...],
    *,
    trust: CertificateTrust,
    stamped: datetime | None,
    now: datetime,
    check: str,
) -> Finding:
    """Usage, path to a given root at the time of the signature, revocation.

    Args:
        certificate: of the signer.
        name: of the signer, for people.
        others: certificates that came with it (DER); not trusted.
        trust: given roots.
        stamped: proven time at which the signature existed, None without one.
        now: moment of judgement.
        check: ``certificate.signer`` or ``confirmation.signer``; begins the codes.
    """
    usage = certificate.key_usage
    if usage is not None and not usage & {DIGITAL_SIGNATURE, NON_REPUDIATION}:
        return signer(check, Status.FAILED, f"{check}.unfit", name=name, what="keyUsage")
    if certificate.purposes is not None and not certificate.purposes & _PURPOSES:
        return signer(check, Status.FAILED, f"{check}.unfit", name=name, what="extendedKeyUsage")
    if not trust.roots:
        return signer(check, Status.UNDETERMINED, f"{check}.no_roots", name=name)
    moment = stamped or now
    built = build_paths(certificate, (*trust.certificates, *others), trust.roots)
    if not built.found:
        return signer(check, Status.UNDETERMINED, f"{check}.untrusted", name=name)
    good = [path for path in built.found if first_outside(path, moment) is None]
    if not good:
        status = Status.FAILED if stamped else Status.UNDETERMINED
        return signer(check, status, f"{check}.expired", name=name)
    sources = Sources(crls=trust.crls, ocsps=(), latest=moment, moment=moment, proof=stamped)
    outcome = best([check_path(path, sources) for path in good])
    match outcome.status:
        case Status.PASSED:
            root = good[0][-1].subject.text
            return signer(
                check, Status.PASSED, f"{check}.trusted", vouches=Vouches.SIGNER, name=name, root=root
            )
        case Status.FAILED:
            return signer(check, Status.FAILED, f"{check}.revoked", name=name)
        case Status.UNDETERMINED:
            return signer(check, Status.UNDETERMINED, f"{check}.revocation_unknown", name=name)
