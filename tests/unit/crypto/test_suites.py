"""Signatures of every suite, and each reason not to accept one."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.crypto import der, guomi, oids
from evidence_desk.crypto.suites import (
    DIGESTS,
    Algorithm,
    Checked,
    Outcome,
    digest,
    read_algorithm,
    read_digest,
    sm3_with_identity,
    verify_signature,
)
from evidence_desk.errors import IntegrityError, MalformedError
from tests.unit.tsa import forge

MESSAGE = b"message"
NULL = b"\x05\x00"


def algorithm(encoded: bytes) -> Algorithm:
    return read_algorithm(der.parse(encoded, what="test", limit=1000))


def check(
    key: forge.Key, signature: bytes | None = None, *, by: bytes | None = None, beside: str = ""
) -> Checked:
    return verify_signature(
        algorithm=algorithm(key.algorithm if by is None else by),
        spki=key.spki,
        message=MESSAGE,
        signature=key.sign(MESSAGE) if signature is None else signature,
        digest_oid=beside,
    )


@pytest.mark.parametrize("kind", ["rsa", "pss", "p256", "p384", "ed25519", "sm2"])
def test_right_and_wrong(kind: str) -> None:
    key = forge.key(kind)
    assert check(key) == Checked(outcome=Outcome.RIGHT, digest_oid=key.digest_oid)
    assert check(key, key.sign(b"other")).outcome is Outcome.WRONG


def test_bare_rsa_takes_the_digest_beside_it() -> None:
    key, bare = forge.key("rsa"), forge.algorithm(oids.RSA, NULL)
    assert check(key, by=bare, beside=oids.SHA256).outcome is Outcome.RIGHT
    assert check(key, by=bare, beside=oids.SHA512).outcome is Outcome.WRONG
    assert check(key, by=bare).outcome is Outcome.UNSUPPORTED


@pytest.mark.parametrize("dotted", [oids.SM2_SM3, oids.SM2_SIGN, oids.SM2_CURVE])
@pytest.mark.parametrize("parameters", [b"", NULL])
def test_names_of_the_sm2_signature(dotted: str, parameters: bytes) -> None:
    assert check(forge.key("sm2"), by=forge.algorithm(dotted, parameters)).outcome is Outcome.RIGHT


def test_sm2_signature_must_be_der() -> None:
    key = forge.key("sm2")
    assert check(key, key.sign(MESSAGE) + b"\0").outcome is Outcome.UNSUPPORTED
    assert check(key, by=forge.algorithm(oids.SM2_SM3, forge.num(1))).outcome is Outcome.MISMATCH


def test_disagreement_of_the_sm2_implementations(monkeypatch: pytest.MonkeyPatch) -> None:
    def disagree(*_: object) -> bool:
        raise IntegrityError("sm2.disagreement")

    monkeypatch.setattr(guomi, "verify_sm2", disagree)
    assert check(forge.key("sm2")).outcome is Outcome.DISAGREEMENT


@pytest.mark.parametrize("kind", ["rsa", "pss", "p256", "ed25519"])
def test_algorithm_of_another_kind_of_key(kind: str) -> None:
    for other in {"rsa", "p256", "ed25519"} - {kind, "rsa" if kind == "pss" else ""}:
        assert check(forge.key(kind), by=forge.key(other).algorithm).outcome is Outcome.MISMATCH
    assert check(forge.key(kind), by=forge.key("sm2").algorithm).outcome is Outcome.UNSUPPORTED


@pytest.mark.parametrize("kind", ["rsa", "p256", "ed25519"])
def test_parameters_that_do_not_belong(kind: str) -> None:
    key = forge.key(kind)
    dotted = algorithm(key.algorithm).oid
    assert check(key, by=forge.algorithm(dotted, forge.num(1))).outcome is Outcome.MISMATCH


def test_small_rsa_key() -> None:
    assert check(forge.key("rsa1024")).outcome is Outcome.WEAK_KEY


def spki(public: object) -> bytes:
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined,no-any-return]


def test_curve_that_is_not_accepted() -> None:
    private = ec.generate_private_key(ec.SECP224R1())
    checked = verify_signature(
        algorithm=algorithm(forge.algorithm(oids.ECDSA_SHA256)),
        spki=spki(private.public_key()),
        message=MESSAGE,
        signature=private.sign(MESSAGE, ec.ECDSA(hashes.SHA256())),
    )
    assert checked.outcome is Outcome.WEAK_KEY


def test_unknown_algorithm_and_unreadable_key() -> None:
    key = forge.key("p256")
    assert check(key, by=forge.algorithm("1.2.3")).outcome is Outcome.UNSUPPORTED
    for bad in (b"", b"\x30\x00", bytes(5000), spki(ed448.Ed448PrivateKey.generate().public_key())):
        checked = verify_signature(
            algorithm=algorithm(forge.algorithm("1.2.3")), spki=bad, message=MESSAGE, signature=b""
        )
        assert checked.outcome is Outcome.UNSUPPORTED


PSS = oids.RSA_PSS


def pss(
    digest_oid: str = oids.SHA256, mask: str = oids.SHA256, salt: int = 32, trailer: bytes = b""
) -> bytes:
    return forge.algorithm(
        PSS,
        forge.seq(
            forge.tlv(0xA0, forge.algorithm(digest_oid)),
            forge.tlv(0xA1, forge.algorithm(oids.MGF1, forge.algorithm(mask))),
            forge.tlv(0xA2, forge.num(salt)),
            trailer,
        ),
    )


def test_pss_parameters() -> None:
    key = forge.key("pss")
    assert check(key, by=pss(trailer=forge.tlv(0xA3, forge.num(1)))).outcome is Outcome.RIGHT
    assert check(key, by=pss(salt=20)).outcome is Outcome.WRONG
    assert check(key, by=pss(oids.SHA512, oids.SHA512)).outcome is Outcome.WRONG
    for bad in (
        pss(mask=oids.SHA512),
        pss(salt=-1),
        pss("1.2.3", "1.2.3"),
        pss(trailer=forge.tlv(0xA3, forge.num(2))),
        forge.algorithm(PSS),
        forge.algorithm(PSS, forge.seq(forge.tlv(0xA1, forge.algorithm("1.2.3")))),
    ):
        assert check(key, by=bad).outcome is Outcome.UNSUPPORTED


def test_pss_defaults_are_sha1_and_twenty() -> None:
    private = rsa.generate_private_key(65537, 2048)
    signature = private.sign(MESSAGE, padding.PSS(padding.MGF1(hashes.SHA1()), 20), hashes.SHA1())
    checked = verify_signature(
        algorithm=algorithm(forge.algorithm(PSS, forge.seq())),
        spki=spki(private.public_key()),
        message=MESSAGE,
        signature=signature,
    )
    assert checked == Checked(outcome=Outcome.RIGHT, digest_oid=oids.SHA1)


@pytest.mark.parametrize("dotted", DIGESTS)
def test_digest_sizes(dotted: str) -> None:
    assert len(digest(dotted, b"abc")) == DIGESTS[dotted].size


def test_digest_values() -> None:
    assert digest(oids.SHA256, b"abc") == hashlib.sha256(b"abc").digest()
    assert digest(oids.SM3, b"abc").hex().startswith("66c7f0f462eeedd9")  # GB/T 32905 A.1
    with pytest.raises(MalformedError):
        digest("1.2.3", b"")


def test_digest_with_identity_is_what_sm2_signs() -> None:
    _, point = guomi.generate_sm2()
    assert sm3_with_identity(guomi.sm2_spki(point), MESSAGE) == guomi._message_digest(
        point, MESSAGE, guomi.SM2_USER_ID
    )
    with pytest.raises(MalformedError):
        sm3_with_identity(forge.key("p256").spki, MESSAGE)


def test_digest_parameters_are_absent_or_null() -> None:
    for parameters in (b"", NULL):
        element = der.parse(forge.algorithm(oids.SHA256, parameters), what="test", limit=100)
        assert read_digest(element) == oids.SHA256
    for bad in (forge.algorithm(oids.SHA256, forge.num(1)), forge.seq(forge.oid("1.2.3"), NULL, NULL)):
        with pytest.raises(MalformedError):
            read_digest(der.parse(bad, what="test", limit=100))


@given(st.sampled_from(["rsa", "pss", "p256", "ed25519"]), st.binary(max_size=300))
def test_any_signature_is_judged(kind: str, signature: bytes) -> None:
    assert check(forge.key(kind), signature).outcome in (Outcome.WRONG, Outcome.UNSUPPORTED)
