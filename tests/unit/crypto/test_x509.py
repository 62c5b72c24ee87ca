"""Certificates: our reading agrees with cryptography's, and odd ones are refused."""

from __future__ import annotations

import pytest
from cryptography import x509 as library
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.crypto import oids
from evidence_desk.crypto.suites import Outcome
from evidence_desk.crypto.x509 import CERTIFICATE_LIMIT, load_certificate, signed_by
from evidence_desk.errors import MalformedError
from tests.unit.tsa import forge
from tests.unit.tsa.forge import extension, name, num, octets, seq, tlv


def make(*extensions: bytes, subject: bytes | None = None) -> bytes:
    key = forge.key("p256")
    return forge.certificate(subject or name("主体"), name("颁发"), of=key, by=key, extensions=extensions)


@pytest.mark.parametrize("kind", ["rsa", "p256", "ed25519", "sm2"])
def test_agrees_with_cryptography(kind: str) -> None:
    pki = forge.pki(kind)
    for encoded in (pki.root, pki.leaf):
        ours, theirs = load_certificate(encoded), library.load_der_x509_certificate(encoded)
        assert ours.serial == theirs.serial_number
        assert (ours.not_before, ours.not_after) == (theirs.not_valid_before_utc, theirs.not_valid_after_utc)
        assert ours.tbs == theirs.tbs_certificate_bytes
        assert ours.signature == theirs.signature
        assert ours.algorithm.oid == theirs.signature_algorithm_oid.dotted_string
        assert ours.issuer.encoded == theirs.issuer.public_bytes()


def test_fields() -> None:
    leaf, root = load_certificate(forge.pki().leaf), load_certificate(forge.pki().root)
    assert (leaf.is_ca, leaf.path_length, leaf.key_usage, leaf.purposes) == (
        False,
        None,
        frozenset({0}),
        frozenset({oids.TIME_STAMPING}),
    )
    assert (root.is_ca, root.key_usage, root.purposes) == (True, frozenset({5, 6}), None)
    assert root.self_issued
    assert not leaf.self_issued
    assert leaf.subject.text == "O=伪造所, CN=伪造时间戳"
    assert signed_by(leaf, root).outcome is Outcome.RIGHT
    assert signed_by(root, leaf).outcome is Outcome.WRONG
    assert leaf != root
    assert leaf == load_certificate(bytes(bytearray(forge.pki().leaf)))
    assert leaf.valid_at(forge.START)
    assert leaf.valid_at(forge.END)
    assert not leaf.valid_at(forge.NOW.replace(year=2040))


def test_identifiers() -> None:
    both = load_certificate(
        make(extension("2.5.29.14", octets(b"me")), extension("2.5.29.35", seq(tlv(0x80, b"above"))))
    )
    assert (both.subject_key_id, both.authority_key_id) == (b"me", b"above")
    assert load_certificate(make(extension("2.5.29.35", seq()))).authority_key_id is None
    bare = load_certificate(make())
    assert (bare.subject_key_id, bare.authority_key_id, bare.key_usage) == (None, None, None)


def test_default_written_out_is_tolerated_in_a_certificate() -> None:
    basic = extension("2.5.29.19", seq(b"\x01\x01\x00"))
    assert load_certificate(make(basic)).is_ca is False


def rdn(kind: str, value: bytes) -> bytes:
    return seq(forge.set_of(seq(forge.oid(kind), value)))


def test_names_of_unusual_kinds() -> None:
    certificate = load_certificate(make(subject=rdn("1.2.3", tlv(0x03, b"\x00\xab"))))
    assert certificate.subject.text == "1.2.3=00ab"
    wide = load_certificate(make(subject=rdn("2.5.4.3", tlv(0x1E, "宽".encode("utf-16-be")))))
    assert wide.subject.text == "CN=宽"


@pytest.mark.parametrize(
    "encoded",
    [
        b"",
        b"\x30\x00",
        bytes(CERTIFICATE_LIMIT + 1),
        forge.pki().leaf + b"\0",
        make(extension("1.2.3", b"\x05\x00"), extension("1.2.3", b"\x05\x00")),
        make(extension("2.5.29.19", seq(b"\x01\x01\xff", num(-1)))),
        make(extension("2.5.29.19", b"\x30\x00\x00")),
        make(extension("2.5.29.15", octets(b""))),
        make(subject=rdn("2.5.4.3", tlv(0x0C, b"\xff"))),
        make(subject=seq(tlv(0x31))),
        forge.pki().leaf.replace(forge.algorithm(oids.ECDSA_SHA256), forge.algorithm(oids.ECDSA_SHA384), 1),
        forge.pki().leaf.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x05"),
    ],
)
def test_refused(encoded: bytes) -> None:
    with pytest.raises(MalformedError) as caught:
        load_certificate(encoded)
    assert caught.value.code in ("malformed.certificate", "malformed.too_large")


@given(st.integers(0, 600), st.integers(1, 255))
def test_changed_byte_is_refused_or_breaks_the_signature(position: int, flip: int) -> None:
    encoded = bytearray(forge.pki().leaf)
    encoded[position % len(encoded)] ^= flip
    try:
        changed = load_certificate(bytes(encoded))
    except MalformedError:
        return
    assert signed_by(changed, load_certificate(forge.pki().root)).outcome is not Outcome.RIGHT


@given(st.binary(max_size=300))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        load_certificate(data)
