"""Hashes, canonical JSON, numbers and leaves of the portal's JavaScript against the program's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evidence_desk.core import canonical
from evidence_desk.core.digests import sha256, sm3
from evidence_desk.core.evidence_number import Prefix, format_number, parse_number
from evidence_desk.core.leaf import parse_leaf
from evidence_desk.court.protocol.network_file import encode_network, parse_network
from evidence_desk.errors import MalformedError
from tests.fixed import opened_leaf, sealed_leaf
from tests.unit.court.network import digest, trust
from tests.unit.portal.answers import FOUR, certificate_leaf
from tests.unit.portal.engine import Browser

_ANY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@_ANY
@given(st.binary(max_size=300), st.lists(st.integers(0, 130), max_size=5))
def test_hashes_in_pieces(browser: Browser, data: bytes, sizes: list[int]):
    told = browser.ask("hash", data=data, sizes=sizes)
    assert told == {"sha256": sha256(data).hex(), "sm3": sm3(data).hex()}


def test_published_vectors(browser: Browser):
    assert browser.ask("hash", data=b"abc", sizes=[]) == {
        "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",  # FIPS 180-4
        "sm3": "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",  # GB/T 32905 A.1
    }
    assert browser.ask("hash", data=b"abcd" * 16, sizes=[7])["sm3"] == (
        "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"  # GB/T 32905 A.2
    )


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@_ANY
@given(_JSON)
def test_canonical_json_is_read_alike(browser: Browser, value: canonical.JSON):
    data = canonical.encode(value)
    assert browser.ask("canonical", data=data) == {"value": value}


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"a":1}', b'{"b":1,"a":1}', b"1.0", b"1e2", b"-0", b"9007199254740992", b'"\\ud800"', b"[1, 2]",
        b'"\\u0041"', b"[" * 40 + b"]" * 40, b"[" * 200_000, b'"\xff"', b"\xef\xbb\xbf1", b"NaN", b'"\\/"', b"tru",
    ],
)  # fmt: skip
def test_json_that_is_not_canonical_is_refused(browser: Browser, data: bytes):
    assert browser.ask("canonical", data=data)["refused"].startswith("malformed.json")


@_ANY
@given(st.binary(min_size=10, max_size=10), st.sampled_from(Prefix), st.data())
def test_numbers(browser: Browser, prefix_bytes: bytes, prefix: Prefix, data: st.DataObject):
    number = format_number(prefix, prefix_bytes)
    for typed in (number, number.lower().replace("-", " "), number.replace("0", "O").replace("1", "l")):
        assert browser.ask("number", text=typed)["value"] == {"number": number, "prefix": prefix}
    at = data.draw(st.integers(3, len(number) - 1))
    other = data.draw(st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
    mistyped = number[:at] + other + number[at + 1 :]
    if number[at] not in {"-", other}:
        assert browser.ask("number", text=mistyped)["value"] == {"mistyped": True}
        with pytest.raises(MalformedError):
            parse_number(mistyped, prefix)


@pytest.mark.parametrize(
    "text", ["", "ED-1", "XX-0000-0000-0000-0000-0", "ED-0000-0000-0000-0000-U", "é" * 22, "0" * 65]
)
def test_what_is_no_number(browser: Browser, text: str):
    assert browser.ask("number", text=text) == {"value": None}


def test_full_width_numbers(browser: Browser):
    number = format_number(Prefix.EVIDENCE, digest("x"))
    wide = "".join(chr(ord(char) + 0xFEE0) for char in number)
    assert browser.ask("number", text=wide)["value"]["number"] == number


def test_leaves_are_read_alike(browser: Browser):
    for leaf in (opened_leaf(), sealed_leaf(1), certificate_leaf(2)):
        data = leaf.encode()
        assert browser.ask("leafText", data=data) == {"value": leaf.type.value}
        value = json.loads(data)
        changes = [
            {**value, "more": 1},
            {**value, "seq": "1"},
            {**value, "v": "leaf/2"},
            {**value, "type": "x"},
        ]
        changes += [{**value, "at": "2026-02-30T00:00:00.000Z"}, {**value, "log": "desk"}]
        changes += [{name: item for name, item in value.items() if name != gone} for gone in value]
        for changed in changes:
            wrong = canonical.encode(changed)
            with pytest.raises(MalformedError):
                parse_leaf(wrong)
            assert "refused" in browser.ask("leafText", data=wrong)


def _named(address: str, name: str) -> Callable[[dict[str, Any]], None]:
    return lambda item: item["institutions"].update({address: name})


_WRONG: tuple[Callable[[dict[str, Any]], None], ...] = (
    lambda item: item["validators"].reverse(),
    lambda item: item.update(initial_height=0),
    _named("00", "x"),
    _named("00" * 20, "a\u202eb"),
    lambda item: item.update(v="network/2"),
)


def test_network_files(browser: Browser):
    data = encode_network(trust(FOUR, institutions={FOUR.validators[0].address: "示例法院"}))
    assert browser.ask("network", data=data) == {"fingerprint": sha256(data).hex()}
    for edit in _WRONG:
        value = json.loads(data)
        edit(value)
        wrong = canonical.encode(value)
        with pytest.raises(MalformedError):
            parse_network(wrong)
        assert "refused" in browser.ask("network", data=wrong)


def test_ed25519(browser: Browser):
    key = Ed25519PrivateKey.from_private_bytes(digest("key"))
    public, signature = key.public_key().public_bytes_raw(), key.sign(b"message")
    right = {"key": public, "message": b"message", "signature": signature}
    assert browser.ask("ed25519", **right)["value"] == "right"
    assert browser.ask("ed25519", **{**right, "message": b"massage"})["value"] == "wrong"
    # A key of small order and the neutral point: ZIP-215 accepts any such signature, others do not.
    odd = {"key": bytes([1]) + bytes(31), "message": b"", "signature": bytes([1]) + bytes(63)}
    assert browser.ask("ed25519", **odd)["value"] in {"disputed", "right"}
    high = bytearray(signature)
    high[63] |= 0xE0  # s ≥ L
    assert browser.ask("ed25519", **{**right, "signature": bytes(high)})["value"] == "wrong"
