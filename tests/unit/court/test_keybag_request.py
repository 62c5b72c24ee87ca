"""Requests for a desk's keybag copy: whose they are, about what, and when."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.core.canonical import JSON, encode
from evidence_desk.core.digests import DigestPair, sha256
from evidence_desk.court.protocol.keybag_request import (
    SCHEME,
    KeybagAction,
    KeybagRequest,
    KeybagRule,
    SignedKeybagRequest,
    family_of,
    make_keybag_request,
    may_ask,
    parse_keybag_request,
    verify_keybag_request,
)
from evidence_desk.court.protocol.registry import DeskKeys
from evidence_desk.errors import EvidenceDeskError, MalformedError, PermissionDeniedError
from tests.fixed import ORIGIN, SIGNER

NOW = datetime(2026, 3, 4, 5, 6, 7, 891000, tzinfo=UTC)
CHAIN = "demo-court-7f3a"
BODY = b"sealed keybag"
PRESENT = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NEXT = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(range(2, 34)))


def public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def both(digests: DigestPair) -> bytes:
    return digests.sha256 + digests.sm3


KEYS = DeskKeys(
    ed25519=public(PRESENT),
    sm2=SIGNER.sm2_public,
    next_ed25519=both(DigestPair.of(public(NEXT))),
    next_sm2=bytes(64),
)
RULE = KeybagRule(
    action=KeybagAction.PUT, chain_id=CHAIN, family=family_of(ORIGIN), body=BODY, keys=KEYS, now=NOW
)


def request(key: Ed25519PrivateKey = PRESENT, **changes: object) -> SignedKeybagRequest:
    plain = KeybagRequest(
        action=KeybagAction.PUT, chain_id=CHAIN, family=family_of(ORIGIN), at=NOW, body=sha256(BODY), key=public(key)
    )  # fmt: skip
    return make_keybag_request(replace(plain, **changes), key.sign)  # type: ignore[arg-type]


@pytest.mark.parametrize("key", [PRESENT, NEXT])
def test_the_desk_and_the_holder_of_the_paper_may_ask(key):
    signed = parse_keybag_request(request(key).header())
    assert signed == request(key)
    verify_keybag_request(signed, RULE)


@pytest.mark.parametrize(
    ("code", "signed"),
    [
        ("other", request(action=KeybagAction.DELETE)),
        ("other", request(chain_id="demo-court-7f3b")),
        ("other", request(family=family_of(ORIGIN).replace("5f0c", "5f0d"))),
        ("other", request(body=sha256(b"older keybag"))),
        ("time", request(at=NOW - timedelta(minutes=5, milliseconds=1))),
        ("time", request(at=NOW + timedelta(minutes=5, milliseconds=1))),
        ("key", request(STRANGER)),
        ("signature", replace(request(), signature=bytes(64))),
        ("signature", replace(request(), signature=STRANGER.sign(b"x"))),
        ("signature", replace(request(), request=request(at=NOW + timedelta(seconds=1)).request)),
    ],
)
def test_what_is_refused(code, signed):
    with pytest.raises(PermissionDeniedError) as caught:
        verify_keybag_request(signed, RULE)
    assert caught.value.code == f"keybag_request.{code}"


def test_the_signature_is_of_this_domain_alone():
    plain = request().request
    with pytest.raises(PermissionDeniedError, match="signature"):
        verify_keybag_request(
            SignedKeybagRequest(request=plain, signature=PRESENT.sign(plain.encode())), RULE
        )


@pytest.mark.parametrize(("earlier", "good"), [(-1, True), (0, False), (1, False)])
def test_a_change_is_not_replayed(earlier, good):
    rule = replace(RULE, after=NOW + timedelta(milliseconds=earlier))
    if good:
        verify_keybag_request(request(), rule)
        return
    with pytest.raises(PermissionDeniedError, match="replayed"):
        verify_keybag_request(request(), rule)


def test_reading_may_be_repeated():
    rule = replace(RULE, action=KeybagAction.GET, body=b"", after=NOW)
    verify_keybag_request(request(action=KeybagAction.GET, body=sha256(b"")), rule)


def test_a_key_whose_sha256_alone_fits_may_not_ask():
    halves = DigestPair.of(public(NEXT))
    assert may_ask(public(NEXT), KEYS)
    assert not may_ask(public(NEXT), replace(KEYS, next_ed25519=halves.sha256 + bytes(32)))


def header_of(value: object, signature: bytes = bytes(64)) -> str:
    data = value if isinstance(value, bytes) else encode(value)  # type: ignore[arg-type]
    return f"{SCHEME} {base64.b64encode(data).decode()}.{base64.b64encode(signature).decode()}"


GOOD: dict[str, JSON] = {
    "v": "keybag-request/1", "action": "get", "chain_id": CHAIN, "family": family_of(ORIGIN),
    "at": "2026-03-04T05:06:07.891Z", "sha256": "00" * 32, "key": base64.b64encode(public(PRESENT)).decode(),
}  # fmt: skip


@pytest.mark.parametrize(
    "header",
    [
        "", SCHEME, f"{SCHEME} ", f"{SCHEME} .", f"Bearer {request().header()[13:]}", request().header() + "\n",
        request().header() + " ", request().header().replace(".", " "), request().header() * 9,
        header_of(GOOD, b"x" * 63), header_of(GOOD, b"x" * 65), header_of([]), header_of({**GOOD, "v": "keybag-request/2"}),
        header_of({**GOOD, "more": 1}), header_of({k: v for k, v in GOOD.items() if k != "at"}),
        header_of({**GOOD, "action": "steal"}), header_of({**GOOD, "action": ["put"]}), header_of({**GOOD, "action": None}),
        header_of({**GOOD, "family": ORIGIN}), header_of({**GOOD, "family": 1}), header_of({**GOOD, "chain_id": "A B"}),
        header_of({**GOOD, "key": "AA=="}), header_of({**GOOD, "key": "é"}), header_of({**GOOD, "key": str(GOOD["key"])[:-2] + "9="}),
        header_of({**GOOD, "sha256": "00"}), header_of({**GOOD, "at": "yesterday"}), header_of(b"{}x"),
        header_of(encode(GOOD) + b" "),
    ],
)  # fmt: skip
def test_malformed_headers(header):
    assert parse_keybag_request(header_of(GOOD)).request.action is KeybagAction.GET
    with pytest.raises(MalformedError):
        parse_keybag_request(header)


@given(st.one_of(st.text(), st.binary().map(header_of)))
def test_anything_is_read_or_refused(header):
    try:
        signed = parse_keybag_request(header)
    except EvidenceDeskError:
        return
    assert signed.header() == header


@given(
    at=st.integers(min_value=len(SCHEME) + 1, max_value=len(request().header()) - 1),
    letter=st.sampled_from("AQgw+/=.9"),
)
def test_no_changed_letter_is_accepted(at, letter):
    good = request().header()
    changed = good[:at] + letter + good[at + 1 :]
    if changed == good:
        return
    with pytest.raises((MalformedError, PermissionDeniedError)):
        verify_keybag_request(parse_keybag_request(changed), RULE)
