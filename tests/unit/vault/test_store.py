from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from evidence_desk.core.checkpoint import check_origin
from evidence_desk.crypto.guomi import verify_sm2
from evidence_desk.errors import (
    BusyError,
    ConfigurationError,
    EvidenceDeskError,
    IntegrityError,
    MalformedError,
    NotFoundError,
    PermissionDeniedError,
    UsageError,
)
from evidence_desk.vault.recovery import (
    format_recovery_key,
    new_recovery_key,
    next_key_digests,
    parse_recovery_key,
)
from evidence_desk.vault.store import Vault, change_passphrase, reset_passphrase
from tests.unit.vault.rows import CASE, CHEAP, ORIGIN, PASSPHRASE, put, seal


def test_a_new_vault_opens_by_passphrase_and_by_paper(created, clock):
    vault, paper = created
    keys = vault.signer.ed25519_public, vault.signer.sm2_public
    row = seal(vault, b"x")
    vault.close()
    ways: list[Callable[[], Vault]] = [
        lambda: Vault.open(vault.folder, PASSPHRASE, clock=clock),
        lambda: Vault.open_with_recovery(vault.folder, paper, clock=clock),
        lambda: Vault.open(vault.folder, PASSPHRASE, clock=clock, read_only=True),
        lambda: Vault.open_with_recovery(vault.folder, paper.lower(), clock=clock, read_only=True),
    ]
    for open_it in ways:
        with open_it() as again:
            assert again.origin == check_origin(ORIGIN)
            assert (again.signer.ed25519_public, again.signer.sm2_public) == keys
            assert verify_sm2(keys[1], b"m", again.signer.sign_sm2(b"m"))
            assert again.exhibits.exhibit(row.leaf_hash) is not None
            assert again.next_key_digests == next_key_digests(parse_recovery_key(paper), ORIGIN)


def test_wrong_keys_open_nothing(created, clock):
    vault, _ = created
    vault.close()
    for wrong in ("wrong", "", PASSPHRASE + " "):
        with pytest.raises(PermissionDeniedError, match=r"vault\.wrong_passphrase"):
            Vault.open(vault.folder, wrong, clock=clock, sleep=clock.sleep)
    assert clock.slept == [0.5, 1, 2]
    with pytest.raises(PermissionDeniedError, match=r"vault\.wrong_recovery_key"):
        Vault.open_with_recovery(vault.folder, format_recovery_key(new_recovery_key()), clock=clock)
    with pytest.raises(MalformedError, match=r"malformed\.recovery_key"):
        Vault.open_with_recovery(vault.folder, "ABCD-EFGH", clock=clock)
    Vault.open(vault.folder, PASSPHRASE, clock=clock, sleep=clock.sleep).close()
    assert len(clock.slept) == 3
    assert not (vault.folder / "attempts").exists()


def test_one_writer_many_readers(vault, clock):
    with pytest.raises(BusyError, match=r"vault\.in_use"):
        Vault.open(vault.folder, PASSPHRASE, clock=clock)
    with (
        Vault.open(vault.folder, PASSPHRASE, clock=clock, read_only=True) as one,
        Vault.open(vault.folder, PASSPHRASE, clock=clock, read_only=True) as two,
    ):
        row = seal(vault, b"while they read")
        for reader in (one, two):
            assert reader.exhibits.exhibit(row.leaf_hash) is not None
            assert reader.objects.open(row.objects[0].stored, case_number=CASE).read() == b"while they read"
    vault.close()
    Vault.open(vault.folder, PASSPHRASE, clock=clock).close()


def test_a_reader_changes_nothing(vault, clock):
    seal(vault, b"x")
    with Vault.open(vault.folder, PASSPHRASE, clock=clock, read_only=True) as reader:
        actions: list[Callable[[], object]] = [
            lambda: reader.transaction().__enter__(),
            lambda: reader.set_secret("a", b"b"),
            lambda: reader.set_origin(ORIGIN[:-1] + "2"),
            lambda: reader.erase_case(CASE),
        ]
        for action in actions:
            with pytest.raises(ConfigurationError, match=r"vault\.read_only"):
                action()


def test_passphrases_change_and_are_reset(created, clock):
    vault, paper = created
    change_passphrase(vault.folder, PASSPHRASE, "新口令", clock=clock, sleep=clock.sleep)
    vault.close()
    with pytest.raises(PermissionDeniedError):
        Vault.open(vault.folder, PASSPHRASE, clock=clock, sleep=clock.sleep)
    Vault.open(vault.folder, "新口令", clock=clock, sleep=clock.sleep).close()
    with pytest.raises(PermissionDeniedError):
        change_passphrase(vault.folder, PASSPHRASE, "x", clock=clock, sleep=clock.sleep)
    with pytest.raises(UsageError, match=r"vault\.passphrase_empty"):
        change_passphrase(vault.folder, "新口令", "", clock=clock, sleep=clock.sleep)
    reset_passphrase(vault.folder, paper, "第三", clock=clock)
    Vault.open(vault.folder, "第三", clock=clock, sleep=clock.sleep).close()
    Vault.open_with_recovery(vault.folder, paper, clock=clock).close()
    with pytest.raises(PermissionDeniedError, match=r"vault\.wrong_recovery_key"):
        reset_passphrase(vault.folder, format_recovery_key(new_recovery_key()), "x", clock=clock)


@pytest.mark.usefixtures("vault")
def test_a_vault_is_never_made_over_something(folder, tmp_path, clock):
    def make(where: Path) -> tuple[Vault, str]:
        return Vault.create(where, PASSPHRASE, clock=clock, origin=ORIGIN, kdf=CHEAP)

    with pytest.raises(UsageError, match=r"vault\.exists"):
        make(folder)
    other = tmp_path / "other"
    other.mkdir()
    (other / "letter.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"vault\.not_empty"):
        make(other)
    with pytest.raises(UsageError, match=r"vault\.not_empty"):
        make(other / "letter.txt")
    assert [path.name for path in other.iterdir()] == ["letter.txt"]
    empty = tmp_path / "deep" / "空 #文件夹?%41"
    empty.mkdir(parents=True)
    made, _ = make(empty)
    seal(made, b"x")
    made.close()
    with pytest.raises(MalformedError, match=r"malformed\.origin"):
        Vault.create(tmp_path / "bad", PASSPHRASE, clock=clock, origin="x", kdf=CHEAP)
    with pytest.raises(UsageError, match=r"vault\.passphrase_empty"):
        Vault.create(tmp_path / "bad", "", clock=clock, origin=ORIGIN, kdf=CHEAP)
    assert not (tmp_path / "bad").exists()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_folder_without_vault(tmp_path, clock):
    for where in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(NotFoundError, match=r"vault\.missing"):
            Vault.open(where, PASSPHRASE, clock=clock)
    assert list(tmp_path.iterdir()) == []


def test_lost_signing_keys_leave_the_vault_readable(vault, clock):
    row = seal(vault, b"x")
    vault.close()
    (vault.folder / "desk.keys").unlink()
    with Vault.open(vault.folder, PASSPHRASE, clock=clock) as again:
        assert again.objects.open(row.objects[0].stored, case_number=CASE).read() == b"x"
        with pytest.raises(ConfigurationError, match=r"vault\.keys_missing"):
            _ = again.signer


@pytest.mark.parametrize("name", ["keybag", "desk.keys", "vault.toml"])
def test_damaged_parts_are_named(vault, clock, name):
    row = seal(vault, b"x")
    vault.close()
    path = vault.folder / name
    path.write_bytes(path.read_bytes()[:-9])

    def use() -> None:
        with Vault.open(vault.folder, PASSPHRASE, clock=clock) as again:
            assert again.signer
            again.objects.open(row.objects[0].stored, case_number=CASE)

    with pytest.raises(IntegrityError, match=r"vault\.damaged") as caught:
        use()
    assert caught.value.parameters["what"] == name


def test_a_closed_vault_answers_with_our_errors(vault):
    row = seal(vault, b"x")
    signer = vault.signer
    assert signer is vault.signer
    vault.close()
    vault.close()
    for action in (
        vault.log.size,
        lambda: vault.signer,
        lambda: vault.objects.open(row.objects[0].stored, case_number=CASE),
        lambda: put(vault, b"y"),
        lambda: vault.transaction().__enter__(),
        lambda: vault.secret("a"),
        lambda: vault.envelope_key(CASE),
    ):
        with pytest.raises(EvidenceDeskError):
            action()


def test_envelope_keys_belong_to_cases(vault, clock):
    key = vault.envelope_key(CASE)
    assert len(key) == 32
    assert vault.envelope_key("案二") != key
    with Vault.open(vault.folder, PASSPHRASE, clock=clock, read_only=True) as reader:
        assert reader.envelope_key(CASE) == key
        with pytest.raises(NotFoundError, match=r"vault\.case_unknown"):
            reader.envelope_key("案三")


def test_secrets_survive_and_stay_out_of_the_database(vault, clock):
    vault.set_secret("demo-ca", b"blob")
    assert vault.secret("demo-ca") == b"blob"
    assert vault.secret("none") is None
    vault.close()
    with Vault.open(vault.folder, PASSPHRASE, clock=clock) as again:
        assert again.secret("demo-ca") == b"blob"
        tables = [
            row[0]
            for row in again.database.rows(
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"
            )
        ]
        for table in tables:
            assert b"blob" not in repr(again.database.rows(f"SELECT * FROM {table}")).encode()


def test_leftovers_of_a_crash_are_swept(vault, clock):
    old, young = vault.folder / "tmp-aaaa", vault.folder / "tmp-bbbb"
    for path in (old, young):
        path.write_bytes(b"x")
    os.utime(old, (1, 1))
    vault.close()
    with Vault.open(vault.folder, PASSPHRASE, clock=clock):
        assert not old.exists()
        assert young.exists()
