"""Requests in, responses out: every field of the token, every reason to refuse."""

from datetime import UTC, datetime, timedelta

import pytest
import rfc3161ng
from asn1crypto import cms as asn1_cms
from asn1crypto import core, tsp, x509
from hypothesis import given, settings
from hypothesis import strategies as st
from pyasn1.codec.der import decoder

from evidence_desk.core.digests import sha256, sm3
from evidence_desk.crypto import der, oids, pki
from evidence_desk.errors import ConfigurationError
from tsa.authority.issue import Failure, Issuer, Refusal, encode_time, issue, oid_der, refuse
from tsa.request import build_request
from tsa.response import parse_response

START = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
NOW = START + timedelta(days=2, milliseconds=120)
DIGEST = sha256(b"evidence")
SERIAL = 77 << 64 | 5


def make_identity(kind: pki.KeyKind) -> pki.Identity:
    ca = pki.make_ca("根", pki.generate_key(kind), not_before=START, years=10)
    return pki.make_tsa_certificate("时间戳", pki.generate_key(kind), ca, not_before=START, years=5)


IDENTITIES = {kind: make_identity(kind) for kind in pki.KeyKind}


def make_issuer(
    kind: pki.KeyKind = pki.KeyKind.P256, *, milliseconds: int = 1000, national: bool = False
) -> Issuer:
    return Issuer(
        IDENTITIES[kind],
        policy=oids.DEMO_TSA_POLICY,
        other_policies=frozenset({"1.2.3.4"}),
        accuracy=timedelta(milliseconds=milliseconds),
        national=national,
    )


def request(**changes) -> bytes:
    wanted = {
        "hash_oid": oids.SHA256,
        "imprint": DIGEST,
        "nonce": 0x1234567890ABCDEF,
        "cert_req": True,
        "policy": None,
    }
    return build_request(**(wanted | changes))  # type: ignore[arg-type]


def raw_answer(issuer: Issuer, query: bytes, time: datetime = NOW) -> bytes:
    encoded = issue(issuer, query, serial=SERIAL, time=time)
    der.check(der.parse(encoded, what="response", limit=1 << 16))
    return encoded


def answer(issuer: Issuer, query: bytes) -> tsp.TimeStampResp:
    return tsp.TimeStampResp.load(raw_answer(issuer, query), strict=True)


def failure(encoded: bytes) -> str | None:
    response = parse_response(encoded)
    assert response.status == 2
    assert response.token is None
    assert response.status_text
    return response.failure


def tst_info(response: tsp.TimeStampResp) -> tsp.TSTInfo:
    return response["time_stamp_token"]["content"]["encap_content_info"]["content"].parsed


def test_token_fields():
    response = answer(make_issuer(), request())
    assert response["status"]["status"].native == "granted"
    info = tst_info(response)
    assert info["version"].native == "v1"
    assert info["policy"].native == oids.DEMO_TSA_POLICY
    assert info["message_imprint"]["hashed_message"].native == DIGEST
    assert info["message_imprint"]["hash_algorithm"]["algorithm"].native == "sha256"
    assert info["serial_number"].native == SERIAL
    assert info["gen_time"].native == NOW
    assert info["accuracy"]["seconds"].native == 1
    assert info["nonce"].native == 0x1234567890ABCDEF
    assert info["ordering"].native is False


@pytest.mark.parametrize("kind", list(pki.KeyKind))
def test_cms_shape(kind):
    identity = IDENTITIES[kind]
    signed = answer(make_issuer(kind), request())["time_stamp_token"]["content"]
    assert signed["version"].native == "v3"
    (signer,) = signed["signer_infos"]
    assert [item.chosen.dump() for item in signed["certificates"]] == [identity.certificate]
    attributes = {item["type"].native: item["values"] for item in signer["signed_attrs"]}
    assert set(attributes) == {"content_type", "message_digest", "signing_certificate_v2"}
    hasher = sm3 if kind is pki.KeyKind.SM2 else sha256
    content = signed["encap_content_info"]["content"].contents
    assert attributes["message_digest"][0].native == hasher(content)
    (cert_id,) = attributes["signing_certificate_v2"][0]["certs"]
    certificate = x509.Certificate.load(identity.certificate)
    assert cert_id["cert_hash"].native == hasher(identity.certificate)
    assert cert_id["issuer_serial"]["serial_number"].native == certificate.serial_number
    assert cert_id["issuer_serial"]["issuer"][0].chosen.untag().dump() == certificate.issuer.dump()
    assert signer["sid"].chosen["serial_number"].native == certificate.serial_number


def test_national_content_types():
    token = answer(make_issuer(pki.KeyKind.SM2, national=True), request(hash_oid=oids.SM3, imprint=sm3(b"x")))
    data = token["time_stamp_token"]
    assert data["content_type"].dotted == oids.SIGNED_DATA_NATIONAL
    content = der.parse(data.dump(), what="token", limit=1 << 16).children()[1]
    signed = asn1_cms.SignedData.load(content.content, strict=True)
    assert signed["signer_infos"][0]["signature_algorithm"]["algorithm"].dotted == oids.SM2_SIGN
    with pytest.raises(ConfigurationError):
        make_issuer(pki.KeyKind.P256, national=True)


def test_no_certificates_unless_asked():
    token = answer(make_issuer(), request(cert_req=False))["time_stamp_token"]["content"]
    assert token["certificates"].native is None


def test_no_nonce_unless_sent():
    assert tst_info(answer(make_issuer(), request(nonce=None)))["nonce"].native is None


@pytest.mark.parametrize("nonce", [0, 1, 127, 128, 1 << 64, (1 << 500) - 1])
def test_nonce_is_echoed(nonce):
    assert tst_info(answer(make_issuer(), request(nonce=nonce)))["nonce"].native == nonce


def test_asked_policy_is_given():
    assert tst_info(answer(make_issuer(), request(policy="1.2.3.4")))["policy"].native == "1.2.3.4"


def test_imprint_is_echoed_byte_for_byte():
    query = request()
    without_null = query.replace(b"\x30\x31\x30\x0d\x06\x09", b"\x30\x2f\x30\x0b\x06\x09").replace(
        b"\x05\x00\x04\x20", b"\x04\x20"
    )
    without_null = bytes([0x30, without_null[1] - 2]) + without_null[2:]
    for sent in (query, without_null):
        imprint = der.parse(sent, what="request", limit=999).children()[1].encoded
        assert tst_info(answer(make_issuer(), sent))["message_imprint"].dump() == imprint


@pytest.mark.parametrize(("size", "name"), [(48, oids.SHA384), (64, oids.SHA512), (32, oids.SM3)])
def test_other_digests(size, name):
    info = tst_info(answer(make_issuer(), request(hash_oid=name, imprint=bytes(size))))
    assert info["message_imprint"]["hash_algorithm"]["algorithm"].dotted == name


@pytest.mark.parametrize(("size", "name"), [(20, oids.SHA1), (16, oids.MD5), (28, oids.SHA224)])
def test_weak_digest_is_refused(size, name):
    assert failure(raw_answer(make_issuer(), request(hash_oid=name, imprint=bytes(size)))) == "badAlg"


def test_unknown_policy_is_refused():
    assert failure(raw_answer(make_issuer(), request(policy="1.2.3.5"))) == "unacceptedPolicy"


def test_request_extension_is_refused():
    query = tsp.TimeStampReq.load(request())
    query["extensions"] = [{"extn_id": "1.2.3", "extn_value": core.OctetString(b"x")}]
    assert failure(raw_answer(make_issuer(), query.dump())) == "unacceptedExtension"


def test_wrong_version_is_refused():
    query = request().replace(b"\x02\x01\x01", b"\x02\x01\x02", 1)
    assert failure(raw_answer(make_issuer(), query)) == "badRequest"


@pytest.mark.parametrize(
    "query",
    [
        b"",
        b"\x30\x00",
        request() + b"\x00",
        request()[:-1],
        request().replace(b"\x04\x20", b"\x04\x1f"),
        b"\x30\x80" + request()[2:] + b"\x00\x00",
        b"GET / HTTP/1.1",
    ],
)
def test_malformed_request_is_refused(query):
    assert failure(raw_answer(make_issuer(), query)) == "badDataFormat"


def test_certificate_out_of_its_validity_issues_nothing():
    for moment in (START - timedelta(seconds=1), START + timedelta(days=365 * 5 + 1)):
        assert failure(raw_answer(make_issuer(), request(), moment)) == "timeNotAvailable"


@given(st.binary(max_size=200))
@settings(max_examples=200)
def test_any_bytes_get_a_response(query):
    assert parse_response(raw_answer(make_issuer(), query)).status == 2


@given(st.integers(0, 70), st.integers(0, 255))
@settings(max_examples=200)
def test_changed_requests_get_a_response(position, value):
    query = bytearray(request())
    query[position % len(query)] = value
    response = parse_response(raw_answer(make_issuer(), bytes(query)))
    assert (response.status == 0) == (response.token is not None)


@pytest.mark.parametrize("item", list(Failure))
def test_failure_bits(item):
    name = failure(refuse(Refusal(item, "文字")))
    assert name is not None
    assert name.lower() == item.name.replace("_", "").lower()


@pytest.mark.parametrize(
    ("microsecond", "text"),
    [
        (0, b"20260304050607Z"),
        (999, b"20260304050607Z"),
        (120_000, b"20260304050607.12Z"),
        (1_500, b"20260304050607.001Z"),
    ],
)
def test_time_is_in_der_form(microsecond, text):
    assert encode_time(START.replace(microsecond=microsecond))[2:] == text


def test_second_decoder_reads_the_token():
    encoded = issue(make_issuer(milliseconds=1500), request(), serial=SERIAL, time=NOW)
    response, rest = decoder.decode(encoded, asn1Spec=rfc3161ng.TimeStampResp())
    assert not rest
    info = response.time_stamp_token.tst_info
    assert int(info["serialNumber"]) == SERIAL
    assert int(info["accuracy"]["seconds"]) == 1
    assert int(info["accuracy"]["millis"]) == 500


@pytest.mark.parametrize(
    ("milliseconds", "expected"), [(1, (None, 1)), (1000, (1, None)), (60_000, (60, None))]
)
def test_accuracy(milliseconds, expected):
    accuracy = tst_info(answer(make_issuer(milliseconds=milliseconds), request()))["accuracy"]
    assert (accuracy["seconds"].native, accuracy["millis"].native) == expected


@pytest.mark.parametrize("milliseconds", [0, -1, 60_001])
def test_accuracy_out_of_bounds(milliseconds):
    with pytest.raises(ConfigurationError, match=r"authority\.accuracy"):
        make_issuer(milliseconds=milliseconds)


def test_certificate_for_something_else_is_refused():
    ca = pki.make_ca("根", pki.generate_key(pki.KeyKind.P256), not_before=START, years=10)
    signer = pki.make_signer_certificate(
        "s", pki.generate_key(pki.KeyKind.P256), ca, not_before=START, years=1
    )
    with pytest.raises(ConfigurationError, match=r"authority\.certificate_purpose"):
        Issuer(signer, policy="1.2.3", accuracy=timedelta(seconds=1))


@pytest.mark.parametrize("policy", ["", "x", "1", "3.1", "1.40.1", "1.2.03", "1.2.-3", "1..2"])
def test_policy_that_is_no_oid(policy):
    with pytest.raises(ConfigurationError, match=r"authority\.policy"):
        oid_der(policy)


def test_intermediate_is_sent_and_root_is_not():
    root = pki.make_ca("根", pki.generate_key(pki.KeyKind.P256), not_before=START, years=10)
    middle = pki._issue(
        "中",
        pki.generate_key(pki.KeyKind.P256),
        root,
        not_before=START,
        years=9,
        extensions=[pki._extension("basic_constraints", {"ca": True}, critical=True)],
    )
    tsa = pki.make_tsa_certificate("t", pki.generate_key(pki.KeyKind.P256), middle, not_before=START, years=5)
    issuer = Issuer(tsa, policy="1.2.3", accuracy=timedelta(seconds=1))
    sent = [
        item.chosen.dump()
        for item in answer(issuer, request())["time_stamp_token"]["content"]["certificates"]
    ]
    assert sent == sorted([tsa.certificate, middle.certificate])
