from __future__ import annotations

import pytest

from evidence_desk.errors import BugError, ConfigurationError
from evidence_desk.vault import migrations
from evidence_desk.vault.database import Database
from evidence_desk.vault.migrations import Migration, migrate, shipped, version
from evidence_desk.vault.store import Vault
from tests.unit.vault.rows import PASSPHRASE, seal

NEXT = Migration(
    number=2,
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
        assert version(again.database) == 2
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
        number=2, sql="CREATE TABLE extra (a INTEGER) STRICT;\nINSERT INTO nowhere VALUES (1);"
    )
    with pytest.raises(BugError, match=r"bug\.database"):
        migrate(database, (*shipped(), broken))
    assert version(database) == 1
    assert database.rows("SELECT sql FROM sqlite_schema") == schema
    assert migrate(database, (*shipped(), NEXT)) == 1
    assert migrate(database, (*shipped(), NEXT)) == 2
    database.close()
