from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence_desk.errors import BugError, ConfigurationError, EvidenceDeskError, IntegrityError
from evidence_desk.vault.database import Database
from evidence_desk.vault.store import Vault
from tests.unit.vault.rows import CASE, PASSPHRASE, add_leaves, seal

KEY = bytes(range(32))


@pytest.fixture
def database(tmp_path):
    database = Database.create(tmp_path / "t.db", KEY)
    database.script("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT UNIQUE) STRICT")
    yield database
    database.close()


def test_a_transaction_is_whole_or_nothing(database):
    with database.transaction():
        database.write("INSERT INTO t VALUES (1, 'x')")
    for error in (ValueError("mine"), KeyboardInterrupt()):
        with pytest.raises(type(error)), database.transaction():  # noqa: PT012 - two steps of one transaction
            database.write("INSERT INTO t VALUES (2, 'y')")
            raise error
    with pytest.raises(IntegrityError, match=r"vault\.constraint"), database.transaction():  # noqa: PT012 - as above
        database.write("INSERT INTO t VALUES (3, 'z')")
        database.write("INSERT INTO t VALUES (4, 'x')")
    assert database.rows("SELECT a FROM t") == [(1,)]


def test_transactions_do_not_nest_but_may_follow(database):
    with (
        pytest.raises(BugError, match=r"bug\.nested_transaction"),
        database.transaction(),
        database.transaction(),
    ):
        pass
    with database.transaction():
        database.write("INSERT INTO t VALUES (1, 'x')")
    assert database.row("SELECT count(*) FROM t") == (1,)


def test_another_thread_waits_for_the_transaction(database):
    seen = []
    with database.transaction():
        database.write("INSERT INTO t VALUES (1, 'x')")
        reader = threading.Thread(target=lambda: seen.append(database.row("SELECT count(*) FROM t")))
        reader.start()
        reader.join(0.05)
        assert seen == []
        database.write("INSERT INTO t VALUES (2, 'y')")
    reader.join()
    assert seen == [(2,)]


def test_errors_of_the_library_stay_inside(database):
    with pytest.raises(BugError, match=r"bug\.database"):
        database.rows("SELECT * FROM nowhere")
    with pytest.raises(BugError, match=r"bug\.database"), database.transaction():
        database.write("INSERT INTO t VALUES (?, 'x')", (2**70,))
    database.close()
    with pytest.raises(ConfigurationError, match=r"vault\.closed"):
        database.rows("SELECT 1")


def test_a_key_that_is_not_raw_is_never_taken_for_a_passphrase(tmp_path):
    for key in (b"", b"short", bytes(31), bytes(33)):
        with pytest.raises(BugError, match=r"bug\.raw_key"):
            Database.create(tmp_path / f"{len(key)}.db", key)


def test_settings_that_durability_rests_on(vault):
    pragma = {
        name: vault.database.row(f"PRAGMA {name}")[0]
        for name in ("synchronous", "journal_mode", "foreign_keys")
    }
    assert pragma == {"synchronous": 2, "journal_mode": "wal", "foreign_keys": 1}
    assert vault.database.row("PRAGMA temp_store") == (2,)
    assert vault.database.row("PRAGMA recursive_triggers") == (1,)
    tables = vault.database.rows(
        "SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND type = 'table'"
    )
    assert [name for name, strict in tables if not strict and not name.startswith("sqlite_")] == []


def closed(vault: Vault) -> Path:
    seal(vault, b"sealed original")
    with vault.transaction():
        add_leaves(vault, *(os.urandom(900) for _ in range(200)))
    vault.close()
    return vault.folder / "vault.db"


@pytest.mark.parametrize(
    "damage",
    [
        "empty",
        "text",
        "random",
        "cut page",
        "cut middle",
        "odd size",
        "gone",
        "other key",
        "first byte",
        "last byte",
    ],
)
@pytest.mark.parametrize("read_only", [False, True])
def test_a_database_that_is_not_ours_is_damage(vault, clock, damage, read_only):
    path = closed(vault)
    data = path.read_bytes()
    content = {
        "empty": b"",
        "text": b"SQLite format 3\0" + bytes(4096 - 16),
        "random": os.urandom(8192),
        "cut page": data[:-4096],
        "cut middle": data[:4096],
        "odd size": data[:-1],
        "first byte": bytes([data[0] ^ 1]) + data[1:],
        "last byte": data[:-1] + bytes([data[-1] ^ 1]),
    }.get(damage)
    if damage == "gone":
        path.unlink()
    elif damage == "other key":
        path.unlink()
        other = Database.create(path, KEY)
        other.script("CREATE TABLE t (a INTEGER)")
        other.close()
    else:
        path.write_bytes(content or b"")
    with pytest.raises(IntegrityError, match=r"vault\.damaged"):
        Vault.open(vault.folder, PASSPHRASE, clock=clock, read_only=read_only)
    if damage != "gone":
        path.write_bytes(data)
        with Vault.open(vault.folder, PASSPHRASE, clock=clock) as again:
            assert len(list(again.exhibits.exhibits())) == 1


def test_every_page_is_authenticated(vault, clock):
    path = closed(vault)
    data = path.read_bytes()
    for page in range(0, len(data), 4096):
        place = page + 2000
        path.write_bytes(data[:place] + bytes([data[place] ^ 0x10]) + data[place + 1 :])
        with pytest.raises(IntegrityError, match=r"vault\.damaged"):
            Vault.open(vault.folder, PASSPHRASE, clock=clock, read_only=True)


@given(st.binary(min_size=1, max_size=5000))
@settings(max_examples=25, deadline=None)
def test_any_bytes_in_place_of_the_database_give_our_error(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("db") / "t.db"
    path.write_bytes(data)
    with pytest.raises(EvidenceDeskError):
        Database.open(path, KEY, read_only=False)


def test_a_newer_database_is_left_alone(vault, clock):
    seal(vault, b"x")
    vault.database.script("PRAGMA user_version = 999")
    vault.close()
    before = (vault.folder / "vault.db").read_bytes()
    with pytest.raises(ConfigurationError, match=r"vault\.newer_version") as caught:
        Vault.open(vault.folder, PASSPHRASE, clock=clock)
    assert caught.value.parameters["version"] == 999
    assert (vault.folder / "vault.db").read_bytes() == before


def test_a_database_of_another_program_is_refused(vault, clock):
    vault.database.script("PRAGMA application_id = 7")
    vault.close()
    with pytest.raises(IntegrityError, match=r"vault\.damaged"):
        Vault.open(vault.folder, PASSPHRASE, clock=clock)


def test_after_damage_to_the_journal_what_was_committed_before_it_is_there(vault, clock, tmp_path):
    seal(vault, b"first")
    vault.database.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    seal(vault, b"second")
    copy = tmp_path / "copy"
    shutil.copytree(vault.folder, copy)
    journal = copy / "vault.db-wal"
    data = journal.read_bytes()
    journal.write_bytes(data[: len(data) // 2])
    with Vault.open(copy, PASSPHRASE, clock=clock) as again:
        assert [row.seq for row in again.exhibits.exhibits(case_number=CASE)] in ([0], [0, 1])
        again.check_database()
