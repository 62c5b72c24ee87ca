from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from evidence_desk.core.browse_ports import ExhibitQuery, ExhibitStates
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.rows import CertificateRow
from evidence_desk.errors import BugError, ConfigurationError
from evidence_desk.vault import migrations
from evidence_desk.vault.database import Database
from evidence_desk.vault.migrations import Migration, migrate, shipped, version
from evidence_desk.vault.store import Vault
from tests.unit.vault.rows import PASSPHRASE, seal

V1 = Path(__file__).parents[2] / "vectors" / "vault" / "v1.zip"
V1_PASSPHRASE = "第一版 version one"
NEWEST = shipped()[-1].number
NEXT = Migration(
    number=NEWEST + 1,
    sql="ALTER TABLE cases ADD COLUMN note TEXT NOT NULL DEFAULT '';\n"
    "CREATE TRIGGER cases_note AFTER INSERT ON cases BEGIN UPDATE cases SET note = 'new; case' WHERE id = NEW.id; END;",
)


def test_shipped_migrations_are_numbered_without_gap():
    assert [step.number for step in shipped()] == list(range(1, len(shipped()) + 1))


def test_a_later_migration_keeps_the_data(vault, clock, monkeypatch):
    row = seal(vault, b"x")
    vault.close()
    steps = (*shipped(), NEXT)
    monkeypatch.setattr(migrations, "shipped", lambda: steps)
    with pytest.raises(ConfigurationError, match=r"vault\.needs_migration"):
        Vault.open(vault.folder, PASSPHRASE, clock=clock, read_only=True)
    with Vault.open(vault.folder, PASSPHRASE, clock=clock) as again:
        assert version(again.database) == NEXT.number
        kept = again.exhibits.exhibit(row.leaf_hash)
        assert kept is not None
        assert kept.objects == row.objects
        assert again.database.rows("SELECT note FROM cases") == [("",)]
        seal(again, b"y", case="案二")
        assert again.database.rows("SELECT note FROM cases ORDER BY id") == [("",), ("new; case",)]
    monkeypatch.undo()
    with pytest.raises(ConfigurationError, match=r"vault\.newer_version"):
        Vault.open(vault.folder, PASSPHRASE, clock=clock)


def test_a_failing_migration_changes_nothing(tmp_path):
    database = Database.create(tmp_path / "t.db", bytes(32))
    assert migrate(database) == 0
    schema = database.rows("SELECT sql FROM sqlite_schema")
    broken = Migration(
        number=NEXT.number, sql="CREATE TABLE extra (a INTEGER) STRICT;\nINSERT INTO nowhere VALUES (1);"
    )
    with pytest.raises(BugError, match=r"bug\.database"):
        migrate(database, (*shipped(), broken))
    assert version(database) == NEWEST
    assert database.rows("SELECT sql FROM sqlite_schema") == schema
    assert migrate(database, (*shipped(), NEXT)) == NEWEST
    assert migrate(database, (*shipped(), NEXT)) == NEXT.number
    database.close()


def test_a_real_vault_of_version_1_is_brought_up(tmp_path, clock):
    """The vault was made by release 0.1.0: sealed, timestamped, certified, corrected, its outbox never read."""
    folder = tmp_path / "vault"
    with zipfile.ZipFile(V1) as archive:
        archive.extractall(folder)
    (folder / "objects").mkdir(exist_ok=True)
    with pytest.raises(ConfigurationError, match=r"vault\.needs_migration"):
        Vault.open(folder, V1_PASSPHRASE, clock=clock, read_only=True)
    with Vault.open(folder, V1_PASSPHRASE, clock=clock) as vault:
        assert version(vault.database) == NEWEST
        first, second = vault.exhibits.exhibits()
        assert (first.objects[0].path, second.objects[0].path) == ("合同.txt", "b.txt")
        assert first.timestamped is not None
        assert first.anchored is None
        assert vault.log.size() == 8
        assert vault.court.outbox().waiting == 7
        assert vault.court.anchored_size("demo") == 0
        assert vault.court.unproven("demo") == []
        assert vault.court.exhibit_anchor(first.leaf_hash) is None
        assert [line.title for line in vault.browse.page(ExhibitQuery(text="合同"), 0, 9)] == [first.title]
        assert vault.browse.count(ExhibitQuery(text=second.number)) == 1
        assert vault.browse.count(
            ExhibitQuery(states=ExhibitStates(timestamped=True, certified=True))
        ) == sum(1 for row in (first, second) if row.timestamped and row.certified)
        assert [item.exhibits for item in vault.browse.cases()] == [2]


def test_exhibits_whose_certificates_were_revoked_before_are_certified_no_more(vault):
    """Schema 7, over rows as earlier releases left them."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [seal(vault, content) for content in (b"1", b"2", b"3")]
    with vault.transaction():
        for number, covered in (("CE-1", rows[:2]), ("CE-2", rows[1:])):
            vault.exhibits.add_certificate(
                CertificateRow(
                    number=number, leaf_hash=bytes(32), exhibits=tuple(row.leaf_hash for row in covered),
                    digests=DigestPair.of(b"pdf"), pdf=b"%PDF", issued=at,
                )
            )  # fmt: skip
        vault.database.write("UPDATE certificates SET revoked = issued, reason = 'x' WHERE number = 'CE-1'")
    assert [row.certified for row in vault.exhibits.exhibits()] == [at, at, at]
    step = next(item for item in shipped() if item.number == 7)
    with vault.transaction():
        vault.database.write(step.sql.rstrip().removesuffix(";"))
    assert [row.certified for row in vault.exhibits.exhibits()] == [None, at, at]
    assert vault.browse.count(ExhibitQuery(states=ExhibitStates(certified=True))) == 2


def test_a_fill_that_fails_changes_nothing(tmp_path):
    database = Database.create(tmp_path / "t.db", bytes(32))
    migrate(database)

    def fill(inside: Database) -> None:
        inside.write("INSERT INTO settings (name, value) VALUES ('a', x'')")
        raise BugError("bug.database")

    step = Migration(number=NEXT.number, sql="CREATE TABLE extra (a INTEGER) STRICT;", fill=fill)
    with pytest.raises(BugError):
        migrate(database, (*shipped(), step))
    assert version(database) == NEWEST
    assert database.rows("SELECT * FROM settings WHERE name = 'a'") == []
    assert database.rows("SELECT * FROM sqlite_schema WHERE name = 'extra'") == []
    database.close()
