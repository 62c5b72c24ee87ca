from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.errors import ConfigurationError, IntegrityError, MalformedError, NotFoundError
from evidence_desk.vault.vault_file import Secrets, VaultFile
from tests.unit.vault.rows import CHEAP

NOW = datetime(2026, 11, 21, tzinfo=UTC)
SECRETS = Secrets.generate()
PAPER = os.urandom(32)
FILE = VaultFile.create(SECRETS, "口令", PAPER, CHEAP, NOW)


def test_both_keys_open_it_and_no_other():
    file = VaultFile.decode(FILE.encode())
    assert file.unlock("口令") == SECRETS
    assert file.unlock_by_recovery(PAPER) == SECRETS
    assert file.unlock("口令 ") is None
    assert file.unlock("") is None
    assert file.unlock_by_recovery(os.urandom(32)) is None


def test_a_new_passphrase_ends_the_old_one():
    file = FILE.with_passphrase(SECRETS, "新口令")
    assert file.unlock("新口令") == SECRETS
    assert file.unlock("口令") is None
    assert file.unlock_by_recovery(PAPER) == SECRETS
    assert file.salt != FILE.salt


def test_costs_are_bound_to_the_box():
    weaker = FILE.encode().replace(b"iterations = 1", b"iterations = 2")
    assert VaultFile.decode(weaker).unlock("口令") is None


def test_a_newer_format_asks_for_a_newer_program():
    with pytest.raises(ConfigurationError, match=r"vault\.newer_version"):
        VaultFile.decode(FILE.encode().replace(b"format = 1", b"format = 2"))


@given(st.binary(max_size=300))
def test_foreign_bytes_are_refused(data):
    with pytest.raises(MalformedError, match=r"malformed\.vault_file"):
        VaultFile.decode(data)


@given(st.integers(0, len(FILE.encode()) - 1), st.integers(1, 255))
def test_a_changed_byte_is_refused_or_locks(place, flip):
    data = bytearray(FILE.encode())
    data[place] ^= flip
    try:
        file = VaultFile.decode(bytes(data))
    except (MalformedError, ConfigurationError):
        return
    opened = (file.kdf == CHEAP and file.unlock("口令") == SECRETS, file.unlock_by_recovery(PAPER) == SECRETS)
    assert opened != (True, True)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'name = "argon2id"', b'name = "scrypt"'),
        (b"memory_kib = 64", b"memory_kib = 99999999999"),
        (b"memory_kib = 64", b'memory_kib = "64"'),
        (b"[passphrase]", b"[passphrases]"),
        (b'vault = "', b'vault = "zz'),
        (b"[kdf]", b"# note\n[kdf]"),
        (b'box = "', b'box = "A'),
    ],
)
def test_other_forms_are_refused(old, new):
    data = FILE.encode()
    assert old in data
    with pytest.raises(MalformedError, match=r"malformed\.vault_file"):
        VaultFile.decode(data.replace(old, new, 1))


def test_reading_a_folder(tmp_path):
    with pytest.raises(NotFoundError, match=r"vault\.missing"):
        VaultFile.read(tmp_path)
    FILE.write(tmp_path)
    assert VaultFile.read(tmp_path) == FILE
    (tmp_path / "vault.toml").write_bytes(b"[" * 100_000)
    with pytest.raises(IntegrityError, match=r"vault\.damaged"):
        VaultFile.read(tmp_path)
