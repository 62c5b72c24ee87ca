"""Demo certificates and revocation lists, checked by openssl and by cryptography."""

import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import core
from asn1crypto import crl as asn1_crl
from asn1crypto import pkcs12 as asn1_pkcs12
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.crypto import guomi, pki
from evidence_desk.crypto.oids import DEMO_PDF_POLICY, SM2_SM3
from evidence_desk.crypto.pkcs12_cost import MAX_ITERATIONS, most_iterations
from evidence_desk.errors import BugError, MalformedError, PermissionDeniedError

OPENSSL = shutil.which("openssl") or ""
START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DISTID = ("-vfyopt", "distid:1234567812345678")


@pytest.fixture(scope="module", params=list(pki.KeyKind), ids=lambda kind: kind.value)
def family(request):
    key = pki.generate_key(request.param)
    ca = pki.make_ca("演示时间戳根", key, not_before=START, years=10)
    tsa = pki.make_tsa_certificate(
        "演示时间戳", pki.generate_key(request.param), ca, not_before=START, years=5
    )
    signer = pki.make_signer_certificate(
        "演示签名", pki.generate_key(request.param), ca, not_before=START, years=2
    )
    return ca, tsa, signer


def write(folder: Path, **files: tuple[bytes, str]) -> None:
    for name, (data, label) in files.items():
        (folder / f"{name}.pem").write_text(pki.to_pem(data, label))


@pytest.mark.skipif(not OPENSSL, reason="needs the openssl command")
def test_openssl_verifies_chain_purpose_and_crl(family, tmp_path):
    ca, tsa, signer = family
    write(
        tmp_path,
        ca=(ca.certificate, "CERTIFICATE"),
        tsa=(tsa.certificate, "CERTIFICATE"),
        signer=(signer.certificate, "CERTIFICATE"),
        crl=(ca.crl, "X509 CRL"),
    )
    base = [OPENSSL, "verify", "-x509_strict", "-attime", str(int(START.timestamp()) + 60)]
    chain = ["-CAfile", "ca.pem", "-CRLfile", "crl.pem", "-crl_check"]
    extra = ["-check_ss_sig"]
    if ca.key.kind is pki.KeyKind.SM2:
        # openssl 3.0 gives the signer ID to the certificates it is asked about only: CRL and root are tested below.
        extra, chain = [*DISTID], chain[:2]
    for purpose, name in (("timestampsign", "tsa"), ("any", "signer")):
        done = subprocess.run(
            [*base, *extra, *chain, "-purpose", purpose, f"{name}.pem"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_extensions_and_names(family):
    ca, tsa, signer = (x509.load_der_x509_certificate(item.certificate) for item in family)
    for certificate in (ca, tsa, signer):
        text = certificate.subject.rfc4514_string()
        assert "演示" in text
        assert "DEMO – not a third party" in text
    assert list(tsa.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [
        ExtendedKeyUsageOID.TIME_STAMPING
    ]
    assert tsa.extensions.get_extension_for_class(x509.ExtendedKeyUsage).critical
    usage = tsa.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature
    assert usage.content_commitment
    assert not usage.key_cert_sign
    policies = signer.extensions.get_extension_for_class(x509.CertificatePolicies).value
    assert [item.policy_identifier.dotted_string for item in policies] == [DEMO_PDF_POLICY]
    assert ca.extensions.get_extension_for_class(x509.KeyUsage).value.crl_sign
    assert (
        tsa.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
        == ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    )


def test_certificate_times_after_2049_are_generalized():
    key = pki.generate_key(pki.KeyKind.P256)
    ca = pki.make_ca("远", key, not_before=START, years=30, policy="1.2.3.4")
    certificate = asn1_x509.Certificate.load(ca.certificate)
    validity = certificate["tbs_certificate"]["validity"]
    assert validity["not_before"].name == "utc_time"
    assert validity["not_after"].name == "general_time"
    assert certificate.certificate_policies_value.native[0]["policy_identifier"] == "1.2.3.4"


def test_identity_round_trip(family):
    for identity in family:
        assert pki.Identity.from_bytes(identity.to_bytes()) == identity
        assert identity.root == family[0].certificate


def test_private_key_is_not_in_its_repr(family):
    assert family[0].key.pkcs8.hex() not in repr(family[0])
    assert repr(family[0].key.pkcs8) not in repr(family[0])


@given(st.binary(max_size=200))
def test_identity_reader_never_crashes(data):
    with pytest.raises(MalformedError):
        pki.Identity.from_bytes(data)


def test_identity_reader_is_strict(family):
    data = family[0].to_bytes()
    for broken in (data + b"\x00", data[:-1], b"\x30\x80" + data[4:], b"\x00" * ((4 << 20) + 1)):
        with pytest.raises(MalformedError):
            pki.Identity.from_bytes(broken)
    other = replace(family[0], key=replace(family[0].key))
    record = pki._IdentityRecord.load(other.to_bytes())
    for name, value in (("version", 2), ("kind", "rsa512")):
        changed = record.copy()
        changed[name] = value
        with pytest.raises(MalformedError):
            pki.Identity.from_bytes(changed.dump())


def test_crl_lists_reasons_and_keeps_their_absence():
    key = pki.generate_key(pki.KeyKind.P256)
    ca = pki.make_ca("r", key, not_before=START, years=3)
    revoked = (
        pki.Revoked(serial=5, at=START, reason="key_compromise"),
        pki.Revoked(serial=6, at=START),
    )
    data = pki.make_crl(
        ca, this_update=START, next_update=START + timedelta(days=9), number=7, revoked=revoked
    )
    listed = x509.load_der_x509_crl(data)
    assert listed.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 7
    first = listed.get_revoked_certificate_by_serial_number(5)
    second = listed.get_revoked_certificate_by_serial_number(6)
    assert first is not None
    assert second is not None
    assert (
        first.extensions.get_extension_for_class(x509.CRLReason).value.reason
        is x509.ReasonFlags.key_compromise
    )
    assert len(second.extensions) == 0
    public = x509.load_der_x509_certificate(ca.certificate).public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    assert listed.is_signature_valid(public)


def test_crl_before_its_ca_is_a_bug():
    ca = pki.make_ca("r", pki.generate_key(pki.KeyKind.P256), not_before=START, years=3)
    early = START - timedelta(seconds=1)
    for begin, end in ((early, START + timedelta(days=1)), (START, START)):
        with pytest.raises(BugError):
            pki.make_crl(ca, this_update=begin, next_update=end, number=2)


def test_sm2_root_and_crl_are_signed_with_the_default_id():
    ca = pki.make_ca("国密", pki.generate_key(pki.KeyKind.SM2), not_before=START, years=3)
    listed = asn1_crl.CertificateList.load(ca.crl)
    spki = asn1_x509.Certificate.load(ca.certificate).public_key.dump()
    point = guomi.sm2_point_from_spki(spki)
    signature = listed["signature"].native
    assert listed["signature_algorithm"]["algorithm"].dotted == SM2_SM3
    assert guomi.verify_sm2(point, listed["tbs_cert_list"].dump(), signature)
    root = asn1_x509.Certificate.load(ca.certificate)
    assert guomi.verify_sm2(point, root["tbs_certificate"].dump(), root["signature_value"].native)


def as_pkcs12(key: Any, identity: pki.Identity, passphrase: bytes = b"secret") -> bytes:
    certificates = [x509.load_der_x509_certificate(item) for item in identity.chain]
    return pkcs12.serialize_key_and_certificates(
        b"tsa",
        key,
        x509.load_der_x509_certificate(identity.certificate),
        certificates,
        serialization.BestAvailableEncryption(passphrase),
    )


@pytest.mark.parametrize("kind", [pki.KeyKind.RSA, pki.KeyKind.P256])
def test_pkcs12(kind):
    ca = pki.make_ca("机构", pki.generate_key(pki.KeyKind.P256), not_before=START, years=3)
    tsa = pki.make_tsa_certificate("机构 TSA", pki.generate_key(kind), ca, not_before=START, years=2)
    data = as_pkcs12(serialization.load_der_private_key(tsa.key.pkcs8, None), tsa)
    read = pki.identity_from_pkcs12(data, b"secret")
    assert read.certificate == tsa.certificate
    assert read.chain == tsa.chain
    assert read.key.kind is kind
    assert read.key.spki() == tsa.key.spki()
    with pytest.raises(PermissionDeniedError):
        pki.identity_from_pkcs12(data, b"wrong")


@pytest.mark.timeout(60)
@pytest.mark.parametrize("place", ["mac", "certificates", "key"])
def test_pkcs12_that_would_take_hours_is_refused(place):
    ca = pki.make_ca("x", pki.generate_key(pki.KeyKind.P256), not_before=START, years=2)
    data = as_pkcs12(serialization.load_der_private_key(ca.key.pkcs8, None), ca)
    file = asn1_pkcs12.Pfx.load(data)
    assert 0 < most_iterations(data) <= MAX_ITERATIONS
    if place == "mac":
        file["mac_data"]["iterations"] = 2**40
    else:
        safe = file.authenticated_safe
        for part in safe:
            if place == "certificates" and part["content_type"].native == "encrypted_data":
                content = part["content"]["encrypted_content_info"]
                derive = content["content_encryption_algorithm"]["parameters"]["key_derivation_func"]
                derive["parameters"]["iteration_count"] = 2**40
            elif place == "key" and part["content_type"].native == "data":
                bags = asn1_pkcs12.SafeContents.load(part["content"].native)
                derive = bags[0]["bag_value"]["encryption_algorithm"]["parameters"]["key_derivation_func"]
                derive["parameters"]["iteration_count"] = 2**40
                part["content"] = core.OctetString(bags.dump(force=True))
        file["auth_safe"]["content"] = core.OctetString(safe.dump(force=True))
    with pytest.raises(MalformedError, match=r"pki\.pkcs12"):
        pki.identity_from_pkcs12(file.dump(force=True), b"secret")


@given(st.binary(max_size=300))
def test_iterations_of_any_bytes(data):
    assert most_iterations(data) >= 0


def test_pkcs12_without_use():
    ca = pki.make_ca("机构", pki.generate_key(pki.KeyKind.P256), not_before=START, years=3)
    certificate = x509.load_der_x509_certificate(ca.certificate)
    empty = pkcs12.serialize_key_and_certificates(
        None, None, None, [certificate], serialization.NoEncryption()
    )
    with pytest.raises(MalformedError):
        pki.identity_from_pkcs12(empty, None)
    for data in (b"", b"\x30\x00", empty[:40]):
        with pytest.raises((MalformedError, PermissionDeniedError)):
            pki.identity_from_pkcs12(data, None)


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(65537, 1024),
        ec.generate_private_key(ec.SECP384R1()),
        ed25519.Ed25519PrivateKey.generate(),
    ],
    ids=["rsa1024", "p384", "ed25519"],
)
def test_pkcs12_with_other_keys_is_refused(key):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(START)
        .not_valid_after(START + timedelta(days=1))
        .sign(key, algorithm)
    )
    data = pkcs12.serialize_key_and_certificates(b"x", key, certificate, None, serialization.NoEncryption())
    with pytest.raises(MalformedError, match=r"pki\.key_kind"):
        pki.identity_from_pkcs12(data, None)


def test_serial_numbers_differ_and_are_positive():
    ca = pki.make_ca("r", pki.generate_key(pki.KeyKind.P256), not_before=START, years=3)
    serials = sorted(
        asn1_x509.Certificate.load(
            pki.make_tsa_certificate("t", ca.key, ca, not_before=START, years=1).certificate
        ).serial_number
        for _ in range(5)
    )
    assert serials[0] > 0
    assert all(first != second for first, second in pairwise(serials))
