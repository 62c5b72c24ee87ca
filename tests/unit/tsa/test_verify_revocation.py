"""Step 9: revocation by stored lists and responses, judged at the earliest independent proof of existence."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.tsa import forge
from tests.unit.tsa.forge import GEN, NOW, extension, oid, seq, tlv
from tests.unit.tsa.judge import judge, not_passed

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
SERIAL = 7


def by_list(
    *entries: bytes, token: bytes | None = None, demands: dict[str, Any] | None = None, **changes: Any
):
    pki = forge.pki()
    listed = forge.crl(pki.root_name, changes.pop("by", pki.root_key), *entries, **changes)
    return not_passed(judge(token or forge.token(), trust=pki.trust(crls=(listed,)), **(demands or {})))


HARD = "token.revocation.revoked"


@pytest.mark.parametrize("reason", [None, 1, 2, 9, 10])
def test_compromise_or_no_reason_fails_whatever_the_token_says(reason: int | None) -> None:
    assert by_list(forge.revoked(SERIAL, GEN + HOUR, reason)) == {HARD: "failed"}


@pytest.mark.parametrize("reason", [0, 3, 4, 5])
def test_administrative_reason_leaves_earlier_tokens_good(reason: int) -> None:
    assert by_list(forge.revoked(SERIAL, GEN + HOUR, reason)) == {}
    assert by_list(forge.revoked(SERIAL, GEN - HOUR, reason)) == {HARD: "failed"}
    # within the stated accuracy the order is not known
    assert by_list(forge.revoked(SERIAL, GEN + timedelta(seconds=1), reason)) == {HARD: "failed"}


def test_hold_is_undetermined() -> None:
    assert by_list(forge.revoked(SERIAL, GEN + HOUR, 6)) == {"token.revocation.on_hold": "undetermined"}


def test_proof_of_existence_before_the_revocation_saves_the_token() -> None:
    entry = forge.revoked(SERIAL, GEN + HOUR, 1)
    demands = {"now": GEN + 2 * HOUR, "proof_of_existence": GEN + timedelta(seconds=5)}
    assert by_list(entry, demands=demands) == {}
    assert by_list(entry, demands={**demands, "proof_of_existence": GEN + HOUR}) == {HARD: "failed"}


def test_invalidity_date_counts_before_the_revocation_date() -> None:
    entry = forge.revoked(SERIAL, GEN + HOUR, 1, since=GEN - DAY)
    demands = {"now": GEN + 2 * HOUR, "proof_of_existence": GEN + timedelta(seconds=5)}
    assert by_list(entry, demands=demands) == {HARD: "failed"}


def test_revocation_of_another_certificate_says_nothing() -> None:
    assert by_list(forge.revoked(8, GEN - HOUR)) == {}


NONE = {"token.revocation.no_source": "undetermined"}


def test_no_list() -> None:
    assert not_passed(judge(forge.token(), trust=forge.pki().trust(crls=()))) == NONE


def test_unreadable_list() -> None:
    for bad in (b"", b"\x30\x00", forge.pki().crl[:-1], forge.pki().crl + b"\0"):
        assert not_passed(judge(forge.token(), trust=forge.pki().trust(crls=(bad,)))) == NONE


def test_list_with_a_wrong_signature() -> None:
    assert by_list(by=forge.key("p256", "other")) == NONE


def test_list_of_another_issuer() -> None:
    pki = forge.pki()
    listed = forge.crl(forge.name("别家"), pki.root_key)
    assert not_passed(judge(forge.token(), trust=pki.trust(crls=(listed,)))) == NONE


def test_stale_list() -> None:
    assert by_list(until=GEN) == {"token.revocation.stale": "undetermined"}
    assert by_list(until=None) == {"token.revocation.stale": "undetermined"}
    assert by_list(until=NOW) == {}
    assert by_list(until=GEN + HOUR, demands={"now": GEN + DAY}) == {"token.revocation.stale": "undetermined"}
    proven = {"now": GEN + DAY, "proof_of_existence": GEN + timedelta(seconds=5)}
    assert by_list(until=GEN + HOUR, demands=proven) == {}


def test_later_list_without_end_is_enough() -> None:
    assert by_list(this=NOW + HOUR, until=None) == {}


def test_stale_list_still_tells_of_a_revocation() -> None:
    assert by_list(forge.revoked(SERIAL, GEN - HOUR), until=GEN - HOUR) == {HARD: "failed"}


def test_list_made_after_the_certificate_ended_says_nothing() -> None:
    pki = forge.Pki(leaf_end=GEN + HOUR)
    listed = forge.crl(pki.root_name, pki.root_key, this=GEN + DAY)
    verdict = judge(
        forge.token(pki=pki),
        trust=pki.trust(crls=(listed,)),
        now=GEN + 2 * DAY,
        proof_of_existence=GEN + timedelta(minutes=1),
    )
    assert not_passed(verdict) == {"token.revocation.stale": "undetermined"}


def test_embedded_list_serves() -> None:
    pki = forge.pki()
    assert not_passed(judge(forge.token(crls=[pki.crl]), trust=pki.trust(crls=()))) == {}


def test_any_list_that_tells_of_a_revocation_wins() -> None:
    pki = forge.pki()
    bad = forge.crl(pki.root_name, pki.root_key, forge.revoked(SERIAL, GEN - HOUR, 1))
    for crls in ((pki.crl, bad), (bad, pki.crl)):
        assert not_passed(judge(forge.token(), trust=pki.trust(crls=crls))) == {HARD: "failed"}
    assert not_passed(judge(forge.token(crls=[bad]), trust=pki.trust())) == {HARD: "failed"}


IDP = "2.5.29.28"
POINT = tlv(0xA0, tlv(0xA0, tlv(0x86, b"http://a.example/1.crl")))


@pytest.mark.parametrize(
    ("extensions", "expected"),
    [
        ([extension("2.5.29.20", b"\x02\x01\x05")], {}),
        ([extension("2.5.29.27", b"\x02\x01\x05", critical=True)], NONE),
        ([extension("1.3.6.1.4.1.99999.1", b"\x05\x00", critical=True)], NONE),
        ([extension(IDP, seq(b"\x81\x01\xff"), critical=True)], {}),
        ([extension(IDP, seq(b"\x82\x01\xff"), critical=True)], NONE),
        ([extension(IDP, seq(b"\x83\x02\x06\x40"), critical=True)], NONE),
        ([extension(IDP, seq(b"\x84\x01\xff"), critical=True)], NONE),
        ([extension(IDP, seq(POINT), critical=True)], NONE),
    ],
    ids=["number", "delta", "unknown", "users", "authorities", "reasons", "indirect", "partition"],
)
def test_scope_of_a_list(extensions: list[bytes], expected: dict[str, str]) -> None:
    assert by_list(extensions=extensions) == expected


def test_partition_named_in_the_certificate_serves() -> None:
    pki = forge.Pki(leaf_extensions=(*forge.LEAF, extension("2.5.29.31", seq(seq(POINT)))))
    listed = forge.crl(pki.root_name, pki.root_key, extensions=[extension(IDP, seq(POINT), critical=True)])
    assert not_passed(judge(forge.token(pki=pki), trust=pki.trust(crls=(listed,)))) == {}


def test_sm2_list() -> None:
    pki = forge.pki("sm2")
    revoking = forge.crl(pki.root_name, pki.root_key, forge.revoked(SERIAL, GEN - HOUR, 1))
    verdict = judge(forge.token(pki=pki), trust=pki.trust(crls=(revoking,)))
    assert not_passed(verdict) == {HARD: "failed"}


# --- OCSP -------------------------------------------------------------------------------------------------------

RESPONDER = (
    forge.purposes("1.3.6.1.5.5.7.3.9", critical=False),
    extension("1.3.6.1.5.5.7.48.1.5", b"\x05\x00"),
)


def answer(
    status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD,
    *,
    at: datetime | None = None,
    reason: x509.ReasonFlags | None = None,
    responder: tuple[bytes, forge.Key] | None = None,
    until: datetime | None = GEN + DAY,
    about: bytes | None = None,
) -> bytes:
    pki = forge.pki()
    certificate, key = responder or (pki.root, pki.root_key)
    loaded = x509.load_der_x509_certificate(certificate)
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=x509.load_der_x509_certificate(about or pki.leaf),
        issuer=x509.load_der_x509_certificate(pki.root),
        algorithm=hashes.SHA256(),
        cert_status=status,
        this_update=(GEN - HOUR),
        next_update=until,
        revocation_time=at,
        revocation_reason=reason,
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, loaded)
    if responder is not None:
        builder = builder.certificates([loaded])
    return builder.sign(key._key, hashes.SHA256()).public_bytes(Encoding.DER)


def by_response(*responses: bytes) -> dict[str, str]:
    return not_passed(judge(forge.token(), trust=forge.pki().trust(crls=(), ocsps=responses)))


def delegated(*extensions: bytes, by: forge.Key | None = None) -> tuple[bytes, forge.Key]:
    pki, key = forge.pki(), forge.key("p256", "responder")
    made = forge.certificate(
        forge.name("应答"), pki.root_name, of=key, by=by or pki.root_key, serial=9, extensions=extensions
    )
    return made, key


def test_good_response() -> None:
    assert by_response(answer()) == {}
    assert not_passed(judge(forge.token(ocsps=[answer()], version=5), trust=forge.pki().trust(crls=()))) == {}


def test_revoked_response() -> None:
    status = ocsp.OCSPCertStatus.REVOKED
    assert by_response(answer(status, at=GEN + HOUR)) == {HARD: "failed"}
    assert by_response(answer(status, at=GEN + HOUR, reason=x509.ReasonFlags.superseded)) == {}


def test_response_that_does_not_know() -> None:
    assert by_response(answer(ocsp.OCSPCertStatus.UNKNOWN)) == NONE


def test_stale_response() -> None:
    assert by_response(answer(until=GEN)) == {"token.revocation.stale": "undetermined"}


def test_delegated_responder() -> None:
    assert by_response(answer(responder=delegated(*RESPONDER))) == {}


@pytest.mark.parametrize(
    "responder",
    [
        delegated(RESPONDER[1]),
        delegated(RESPONDER[0]),
        delegated(*RESPONDER, by=forge.key("p256", "other")),
    ],
    ids=["no purpose", "may be revoked itself", "certified by a stranger"],
)
def test_unauthorized_responder(responder: tuple[bytes, forge.Key]) -> None:
    assert by_response(answer(responder=responder)) == NONE


def test_response_about_another_certificate() -> None:
    pki = forge.pki()
    other = forge.certificate(forge.name("他"), pki.root_name, of=pki.key, by=pki.root_key, serial=8)
    assert by_response(answer(about=other)) == NONE


def test_unreadable_response() -> None:
    unsuccessful = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER)
    for bad in (b"", b"\x30\x00", answer()[:-1], bytes(300_000), unsuccessful.public_bytes(Encoding.DER)):
        assert by_response(bad) == NONE


def test_other_revocation_information_is_refused() -> None:
    token = forge.Recipe(ocsps=[]).token()
    assert not_passed(judge(token)) == {}
    odd = forge.token(crls=[tlv(0xA1, oid("1.2.3"), seq())])
    assert not_passed(judge(odd)) == {"token.der.malformed": "failed"}
    assert not_passed(judge(forge.token(crls=[tlv(0xA2, seq())]))) == {"token.der.malformed": "failed"}


def test_list_by_a_ca_that_may_not_sign_lists() -> None:
    pki = forge.Pki()
    basic = extension("2.5.29.19", seq(b"\x01\x01\xff"), critical=True)
    pki.root = forge.certificate(
        pki.root_name, pki.root_name, of=pki.root_key, by=pki.root_key, extensions=(basic, forge.key_usage(5))
    )
    assert not_passed(judge(forge.token(pki=pki), trust=pki.trust())) == NONE


def test_list_of_another_version_or_with_two_algorithms() -> None:
    pki = forge.pki()
    head = pki.root_key.algorithm
    other = forge.algorithm("1.2.840.10045.4.3.3")
    for changed in (
        pki.crl.replace(forge.num(1) + head, forge.num(2) + head, 1),
        pki.crl.replace(head, other, 1),
    ):
        assert changed != pki.crl
        assert not_passed(judge(forge.token(), trust=pki.trust(crls=(changed,)))) == NONE


def test_malformed_distribution_points_match_nothing() -> None:
    for value in (b"\x30\x01", seq(seq()), seq(seq(tlv(0xA0, tlv(0xA1, forge.num(1)))))):
        pki = forge.Pki(leaf_extensions=(*forge.LEAF, extension("2.5.29.31", value)))
        listed = forge.crl(
            pki.root_name, pki.root_key, extensions=[extension(IDP, seq(POINT), critical=True)]
        )
        assert not_passed(judge(forge.token(pki=pki), trust=pki.trust(crls=(listed,)))) == NONE


def test_entry_that_cannot_be_read_is_a_revocation_without_a_reason() -> None:
    odd = seq(forge.num(SERIAL), forge.generalized(GEN + HOUR), seq(extension("2.5.29.21", b"\x0a\x01\x63")))
    assert by_list(odd) == {HARD: "failed"}
    harmless = seq(
        forge.num(SERIAL),
        forge.generalized(GEN + HOUR),
        seq(extension("1.2.3", b"\x05\x00"), extension("2.5.29.21", b"\x0a\x01\x04")),
    )
    assert by_list(harmless) == {}


@given(st.data())
def test_altered_list_is_never_taken(data: st.DataObject) -> None:
    pki = forge.pki()
    at = data.draw(st.integers(0, len(pki.crl) - 1))
    mask = data.draw(st.integers(1, 255))
    changed = pki.crl[:at] + bytes([pki.crl[at] ^ mask]) + pki.crl[at + 1 :]
    assert not_passed(judge(forge.token(), trust=pki.trust(crls=(changed,)))) == NONE


def test_responder_certificate_that_we_cannot_read() -> None:
    odd = forge.certificate(
        forge.name("应答"),
        forge.pki().root_name,
        of=forge.key("p256", "responder"),
        by=forge.pki().root_key,
        extensions=(*RESPONDER, extension("2.5.29.19", b"\x30\x00\x00")),
    )
    assert by_response(answer(responder=(odd, forge.key("p256", "responder")))) == NONE


def test_response_with_an_unknown_digest_in_its_identifier() -> None:
    sha256 = bytes.fromhex("608648016503040201")
    response = answer()
    assert response.count(sha256) == 1
    odd = response.replace(sha256, bytes.fromhex("608648016503040279"))
    assert by_response(odd) == NONE


def test_entry_with_an_impossible_date_or_a_negative_serial() -> None:
    assert by_list(seq(forge.num(SERIAL), tlv(0x18, b"00000101000000Z"))) == NONE
    pki = forge.Pki()
    pki.leaf = forge.certificate(pki.leaf_name, pki.root_name, of=pki.key, by=pki.root_key, serial=-5)
    token = forge.token(pki=pki, sid=seq(pki.root_name, forge.num(-5)))
    assert not_passed(judge(token, trust=pki.trust())) == NONE
