"""No altered token passes, apart from bytes that nobody signs; those are listed here and in docs/spec/token.md."""

from __future__ import annotations

import random
from functools import cache

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence_desk.core.verdict import Status
from tests.unit.tsa import forge
from tests.unit.tsa.judge import REQUEST, judge
from tsa.response import read_token

KINDS = ("p256", "rsa", "pss", "ed25519", "sm2")
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
FREE = "1.3.6.1.4.1.99999.1"


@cache
def good(kind: str) -> bytes:
    return forge.token(pki=forge.pki(kind))


def passes(token: bytes, kind: str) -> bool:
    verdict = judge(token, trust=forge.pki(kind).trust(), request=REQUEST)
    return verdict.status is Status.PASSED


@pytest.mark.parametrize("kind", KINDS)
def test_the_unaltered_token_passes(kind: str) -> None:
    assert passes(good(kind), kind)


def positions(kind: str) -> list[int]:
    """A sample that starts elsewhere in each run; `test_every_byte` takes them all."""
    return random.sample(range(len(good(kind))), 40 if kind == "sm2" else 150)


@pytest.mark.parametrize("kind", KINDS)
def test_some_bytes_flipped(kind: str) -> None:
    passed = [at for at in positions(kind) if passes(flipped(good(kind), at, 1 << at % 8), kind)]
    assert passed == []


@pytest.mark.full
@pytest.mark.parametrize("kind", KINDS)
def test_every_byte_flipped(kind: str) -> None:
    token = good(kind)
    free = [
        (at, bit)
        for at in range(len(token))
        for bit in range(8)
        if passes(flipped(token, at, 1 << bit), kind)
    ]
    assert free == []


def flipped(token: bytes, at: int, mask: int) -> bytes:
    return token[:at] + bytes([token[at] ^ mask]) + token[at + 1 :]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_random_edits_never_crash_and_never_pass(data: st.DataObject) -> None:
    token = good("p256")
    edited = token
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(edited)))
        cut = data.draw(st.integers(0, 4))
        edited = edited[:at] + data.draw(st.binary(max_size=4)) + edited[at + cut :]
    if edited != token:
        assert not passes(edited, "p256")


# --- the unsigned bytes, each shown to be free ------------------------------------------------------------------


def test_certificates_in_another_order_pass() -> None:
    root, leaf = forge.pki().root, forge.pki().leaf
    tokens = [forge.token(certificates=order) for order in ([root, leaf], [leaf, root])]
    raw = [
        tokens[0],
        tokens[0].replace(b"".join(sorted([root, leaf])), b"".join(sorted([root, leaf], reverse=True))),
    ]
    assert raw[0] != raw[1]
    assert all(passes(item, "p256") for item in raw)


def test_unused_certificates_and_lists_are_free() -> None:
    stranger = forge.certificate(
        forge.name("路人"), forge.name("路人"), of=forge.key("p256", "other"), by=forge.key("p256", "other")
    )
    assert passes(forge.token(certificates=[forge.pki().leaf, stranger]), "p256")
    assert passes(forge.token(crls=[forge.seq(forge.num(1))]), "p256")


def test_unsigned_attributes_are_free() -> None:
    unsigned = forge.set_of(forge.attribute(FREE, forge.num(1)), tag=0xA1)
    assert passes(forge.token(unsigned=unsigned), "p256")


def test_other_announced_digests_are_free() -> None:
    assert passes(forge.token(digest_oids=[forge.SHA256, forge.SHA512]), "p256")


def test_two_names_of_the_same_rsa_signature() -> None:
    pki = forge.pki("rsa")
    bare = forge.algorithm("1.2.840.113549.1.1.1", b"\x05\x00")
    assert passes(forge.token(pki=pki, signature_algorithm=bare), "rsa")


def test_absent_and_null_parameters_of_a_digest_are_the_same() -> None:
    token = forge.token(digest_parameters=b"\x05\x00")
    assert token != good("p256")
    assert passes(token, "p256")


def test_names_in_the_signer_identifier_compare_loosely() -> None:
    sid = forge.seq(forge.name("伪造根", organization="伪造所 "), forge.num(7))
    assert passes(forge.token(sid=sid), "p256")


def test_ecdsa_signatures_have_a_twin() -> None:
    signature = read_token(good("p256")).signed.signers[0].signature
    r, s = decode_dss_signature(signature)
    twin = forge.token(signature=encode_dss_signature(r, P256_ORDER - s))
    assert twin != good("p256")
    assert passes(twin, "p256")
