from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.crypto.guomi import verify_sm2
from evidence_desk.errors import ConfigurationError, IntegrityError, MalformedError, UsageError
from evidence_desk.vault.keys import DeskKeys, KdfParameters, VaultKey, unwrap, wrap

ORIGIN = "desk.test.evidence/00000000-0000-4000-8000-000000000001/1"


@given(st.binary(max_size=200), st.binary(max_size=20))
def test_wrap_opens_only_with_key_and_context(data, aad):
    key = os.urandom(32)
    box = wrap(key, data, aad)
    assert unwrap(key, box, aad) == data
    assert unwrap(os.urandom(32), box, aad) is None
    assert unwrap(key, box, aad + b"x") is None
    assert unwrap(key, box[:-1] + bytes([box[-1] ^ 1]), aad) is None


@given(st.binary(max_size=100))
def test_foreign_boxes_are_refused(box):
    assert unwrap(bytes(32), box, b"") is None


@pytest.mark.parametrize(
    "costs",
    [
        {"memory_kib": 7},
        {"memory_kib": 2**40},
        {"iterations": 0},
        {"iterations": 10**9},
        {"lanes": 0},
        {"lanes": 1000},
    ],
)
def test_hostile_costs_are_refused(costs):
    with pytest.raises(MalformedError, match=r"malformed\.vault_file"):
        KdfParameters(**costs)


def test_full_width_digits_are_the_same_passphrase():
    kdf = KdfParameters(memory_kib=64, iterations=1)
    salt = bytes(16)
    assert kdf.stretch("口令１２３", salt) == kdf.stretch("口令123", salt)
    assert kdf.stretch("口令123", salt) != kdf.stretch("口令124", salt)
    assert kdf.stretch("口令123", salt) != kdf.stretch("口令123", os.urandom(16))
    with pytest.raises(UsageError, match=r"vault\.passphrase_empty"):
        kdf.stretch("", salt)


def test_a_wiped_key_derives_nothing():
    key = VaultKey(os.urandom(32))
    assert key.subkey("a") != key.subkey("b")
    key.wipe()
    with pytest.raises(ConfigurationError, match=r"vault\.closed"):
        key.subkey("a")


def test_a_key_of_wrong_size_is_damage():
    with pytest.raises(IntegrityError, match=r"vault\.damaged"):
        VaultKey(b"short")


def test_signer_signs_with_both_keys_and_comes_back(tmp_path):
    key = VaultKey(os.urandom(32))
    keys = DeskKeys(tmp_path / "desk.keys", lambda: key.subkey("desk.keys"))
    keys.create_signer(ORIGIN)
    signer = keys.signer(ORIGIN)
    again = DeskKeys(tmp_path / "desk.keys", lambda: key.subkey("desk.keys")).signer(ORIGIN)
    assert (again.ed25519_public, again.sm2_public) == (signer.ed25519_public, signer.sm2_public)
    assert again.sign_ed25519(b"m") == signer.sign_ed25519(b"m")
    assert verify_sm2(signer.sm2_public, b"m", again.sign_sm2(b"m"))
    keys.create_signer(ORIGIN)
    assert keys.signer(ORIGIN).ed25519_public == signer.ed25519_public
    with pytest.raises(ConfigurationError, match=r"vault\.keys_missing"):
        keys.signer(ORIGIN + "1")


def test_secrets_are_kept_in_the_file_and_unreadable(tmp_path):
    path = tmp_path / "desk.keys"
    keys = DeskKeys(path, lambda: b"k" * 32)
    assert keys.secret("demo-ca") is None
    keys.set_secret("demo-ca", b"PRIVATE-BLOB")
    assert DeskKeys(path, lambda: b"k" * 32).secret("demo-ca") == b"PRIVATE-BLOB"
    assert b"PRIVATE" not in path.read_bytes()
    with pytest.raises(IntegrityError, match=r"vault\.damaged"):
        DeskKeys(path, lambda: b"x" * 32).secret("demo-ca")


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(ConfigurationError, match=r"vault\.keys_missing"):
        DeskKeys(tmp_path / "desk.keys", lambda: bytes(32)).signer(ORIGIN)


@pytest.mark.parametrize("content", [b"[]", b"{}", b'{"secrets":{},"signers":{"o":{}}}', b"\xff"])
def test_foreign_content_under_our_key_is_damage(tmp_path, content):
    path = tmp_path / "desk.keys"
    path.write_bytes(wrap(bytes(32), content, b"evidence-desk/desk.keys/1"))
    with pytest.raises(IntegrityError, match=r"vault\.damaged"):
        DeskKeys(path, lambda: bytes(32)).signer("o")
