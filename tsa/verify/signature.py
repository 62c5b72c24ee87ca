"""Steps 4 to 8: who signed, what was signed, and whether the certificate may sign timestamps."""

from __future__ import annotations

from typing import Final

from evidence_desk.core.verdict import Caveat, Finding
from evidence_desk.crypto import cms, der, oids
from evidence_desk.crypto.suites import Outcome, digest, sm3_with_identity, verify_signature
from evidence_desk.crypto.x509 import DIGITAL_SIGNATURE, NON_REPUDIATION, Certificate
from evidence_desk.errors import MalformedError
from tsa.verify.case import Case
from tsa.verify.outcome import failed, passed, unknown
from tsa.verify.path import unprocessed

_SIGNING: Final = frozenset({DIGITAL_SIGNATURE, NON_REPUDIATION})
_SM2_SIGNATURES: Final = frozenset({oids.SM2_SM3, oids.SM2_SIGN, oids.SM2_CURVE})


def signer(case: Case) -> Finding:
    """Step 4: exactly one SignerInfo, naming a certificate at hand (RFC 3161 §2.4.2)."""
    if len(case.token.signed.signers) != 1:
        return failed("token.signer", "count", count=len(case.token.signed.signers))
    if case.signer is None:
        return unknown("token.signer", "no_certificate")
    return passed("token.signer", subject=case.signer.subject.text)


def attributes(case: Case) -> Finding:
    """Step 5: contentType and messageDigest once each and right; the digest announced (RFC 5652 §5.3, §11)."""
    check = "token.attributes"
    one = case.token.signed.signers[0]
    if one.signed_attributes is None:
        return failed(check, "missing")
    if one.digest_oid not in case.token.signed.digest_oids:
        return failed(check, "digest_not_announced")
    content_type, message_digest = _single(one, oids.CONTENT_TYPE), _single(one, oids.MESSAGE_DIGEST)
    if content_type is None or message_digest is None:
        return failed(check, "not_once")
    if der.oid(der.parse(content_type, what="contentType", limit=256, tag=der.OID)) != oids.TST_INFO:
        return failed(check, "content_type")
    try:
        expected = {digest(case.signer_digest, case.token.signed.content)}
    except MalformedError:
        return failed(check, "digest_unknown", oid=one.digest_oid)
    if case.signer_digest == oids.SM3 and case.signer is not None:
        expected |= _with_identity(case.signer, case.token.signed.content)
    if (
        der.parse(message_digest, what="messageDigest", limit=256, tag=der.OCTET_STRING).content
        not in expected
    ):
        return failed(check, "digest_wrong")
    if not _protected(one):
        return failed(check, "algorithm_protection")
    return passed(check)


def _single(one: cms.SignerInfo, kind: str) -> bytes | None:
    """The only value of the only attribute of a kind, else None."""
    found = one.values(kind)
    return found[0][0] if len(found) == 1 and len(found[0]) == 1 else None


def _with_identity(certificate: Certificate, content: bytes) -> set[bytes]:
    try:
        return {sm3_with_identity(certificate.spki, content)}
    except MalformedError:
        return set()


def digest_caveats(case: Case) -> tuple[Caveat, ...]:
    """Whether the signer wrote SM3(ZA ‖ content) where CMS wants the plain digest; it binds the content as well."""
    one = case.token.signed.signers[0]
    value = _single(one, oids.MESSAGE_DIGEST)
    if case.signer is None or value is None or case.signer_digest != oids.SM3:
        return ()
    if value[2:] in _with_identity(case.signer, case.token.signed.content):
        return (Caveat(code="token.attributes.za_digest"),)
    return ()


def _protected(one: cms.SignerInfo) -> bool:
    """CMSAlgorithmProtection, when present, names the algorithms in use (RFC 6211 §3)."""
    found = one.values(oids.ALGORITHM_PROTECTION)
    if not found:
        return True
    value = _single(one, oids.ALGORITHM_PROTECTION)
    if value is None:
        return False
    parts = der.parse(value, what="CMSAlgorithmProtection", limit=4096).children()
    return (
        len(parts) == 2
        and parts[0].encoded == one.digest_encoded
        and parts[1].tag == 0xA1
        and b"\x30" + parts[1].encoded[1:] == one.algorithm.encoded
    )


def signature(case: Case) -> Finding:
    """Step 6: the signature over the signed attributes."""
    check = "token.signature"
    one = case.token.signed.signers[0]
    if case.signer is None:
        return unknown(check, "unchecked")
    if one.signed_attributes is None:
        return failed(check, "no_attributes")
    checked = verify_signature(
        algorithm=one.algorithm,
        spki=case.signer.spki,
        message=one.signed_bytes,
        signature=one.signature,
        digest_oid=case.signer_digest,
    )
    if checked.outcome is not Outcome.RIGHT:
        return failed(check, checked.outcome.value, oid=one.algorithm.oid)
    # RFC 8419 §3 and GM/T 0009 fix the digest; elsewhere CMS lets the two differ.
    fixed = one.algorithm.oid == oids.ED25519 or one.algorithm.oid in _SM2_SIGNATURES
    if fixed and checked.digest_oid != case.signer_digest:
        return failed(check, "digest", oid=one.algorithm.oid)
    return _weak(case, check, checked.digest_oid) or passed(check, oid=one.algorithm.oid)


def _weak(case: Case, check: str, digest_oid: str) -> Finding | None:
    """Step 13: a digest past its cut-off date; before it, the token needs a proof as old (RFC 3161 §4 item 4)."""
    for oid in (digest_oid, case.signer_digest):
        since = case.weak_since(oid)
        if since is not None:
            make = failed if case.token.info.gen_time >= since else unknown
            return make(check, "weak_digest", oid=oid, since=since.date().isoformat())
    return None


def ess(case: Case) -> Finding:
    """Step 7: ESSCertID or ESSCertIDv2 (or both) name the signer certificate (RFC 3161 §2.4.1, RFC 5816)."""
    check = "token.ess"
    identifiers = cms.ess_identifiers(case.token.signed.signers[0])
    if not identifiers:
        return failed(check, "missing")
    if case.signer is None:
        return unknown(check, "unchecked")
    for item in identifiers:
        try:
            computed = digest(item.hash_oid, case.signer.encoded)
        except MalformedError:
            return failed(check, "digest_unknown", oid=item.hash_oid)
        if computed != item.digest:
            return failed(check, "digest_wrong")
        if item.issuer is not None and (
            item.issuer.key != case.signer.issuer.key or item.serial != case.signer.serial
        ):
            return failed(check, "issuer_serial")
    return passed(check)


def certificate(case: Case) -> Finding:
    """Step 8, the signer's own certificate: extended key usage critical and timestamping alone (RFC 3161 §2.3)."""
    check = "token.certificate"
    if case.signer is None:
        return unknown(check, "unchecked")
    extension = case.signer.extensions.get(oids.EXTENDED_KEY_USAGE)
    if extension is None or case.signer.purposes is None:
        return failed(check, "no_purpose")
    if not extension.critical:
        return failed(check, "purpose_not_critical")
    if case.signer.purposes != {oids.TIME_STAMPING}:
        return failed(check, "other_purpose")
    usage = case.signer.key_usage
    if usage is not None and (not usage & _SIGNING or usage - _SIGNING):
        return failed(check, "key_usage")
    if case.signer.is_ca:
        return failed(check, "is_ca")
    unknown_extension = unprocessed(case.signer)
    if unknown_extension:
        return failed(check, "critical_extension", oid=unknown_extension)
    if not _is_named(case, case.signer):
        return failed(check, "name")
    return passed(check)


def _is_named(case: Case, found: Certificate) -> bool:
    """The tsa field, when present, is one of the certificate's names (RFC 3161 §2.4.2)."""
    info = case.token.info
    if info.tsa is None or info.tsa in found.alternative_names:
        return True
    return info.tsa_directory is not None and info.tsa_directory.key == found.subject.key
