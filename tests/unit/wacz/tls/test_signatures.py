import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evidence_desk.wacz.tls.signatures import SCHEMES, Validity, check_signature, has_embedded_timestamps
from tests.unit.wacz.tls.ends import keep

KINDS = ("rsa", "p256", "p384", "p521", "ed25519")
SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scheme", [*SCHEMES, 0xFFFF])
@pytest.mark.parametrize("is_13", [True, False])
def test_nothing_signed_is_never_valid(identity, kind, scheme, is_13):
    certificate = x509.load_pem_x509_certificate(identity(kind).read_bytes()).public_bytes(Encoding.DER)
    for signature in (b"", b"\0", bytes(64), bytes(256), bytes.fromhex("3006020100020100")):
        made = check_signature(certificate, scheme, b"content", signature, is_13=is_13)
        assert made.status is not Validity.VALID
        assert made.reason


@pytest.mark.parametrize("kind", KINDS)
@SLOW
@given(data=st.data())
def test_damaged_certificates_raise_nothing(identity, kind, data):
    certificate = bytearray(
        x509.load_pem_x509_certificate(identity(kind).read_bytes()).public_bytes(Encoding.DER)
    )
    for _ in range(data.draw(st.integers(1, 3))):
        certificate[data.draw(st.integers(0, len(certificate) - 1))] = data.draw(st.integers(0, 255))
    scheme = data.draw(st.sampled_from(list(SCHEMES)))
    is_13 = data.draw(st.booleans())
    made = check_signature(bytes(certificate), scheme, b"content", bytes(256), is_13=is_13)
    assert made.status is not Validity.VALID
    assert has_embedded_timestamps(bytes(certificate)) in (True, False)


@given(st.binary(max_size=400))
def test_random_certificates_raise_nothing(data):
    assert check_signature(data, 0x0403, b"content", b"", is_13=True).reason == "certificate"
    assert not has_embedded_timestamps(data)


def test_embedded_timestamps(tmp_path):
    pem = keep(
        tmp_path,
        "p256",
        x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2"), b"\4\0"),
    )
    certificate = x509.load_pem_x509_certificate(pem.read_bytes()).public_bytes(Encoding.DER)
    assert has_embedded_timestamps(certificate)
    assert not has_embedded_timestamps(certificate[:-1])
