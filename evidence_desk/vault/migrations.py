"""Numbered schema migrations: each runs in one transaction and sets ``user_version``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Final

from evidence_desk.errors import ConfigurationError, IntegrityError
from evidence_desk.vault.backfill import FILLS
from evidence_desk.vault.database import FILE_NAME, Database

APPLICATION_ID: Final = 0x45564431  # "EVD1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """SQL that leads from schema `number` − 1 to `number`, without BEGIN and COMMIT; `fill` writes what SQL cannot."""

    number: int
    sql: str
    fill: Callable[[Database], None] | None = None


def shipped() -> tuple[Migration, ...]:
    """Migrations of this release, in order, from ``schema/NNN.sql``."""
    folder = resources.files("evidence_desk.vault") / "schema"
    found = sorted(
        (entry for entry in folder.iterdir() if entry.name.endswith(".sql")), key=lambda entry: entry.name
    )
    return tuple(
        Migration(
            number=int(entry.name.removesuffix(".sql")),
            sql=entry.read_text(encoding="utf-8"),
            fill=FILLS.get(entry.name),
        )
        for entry in found
    )


def version(database: Database) -> int:
    """Schema number of a database, 0 for an empty one."""
    row = database.row("PRAGMA user_version")
    return 0 if row is None else int(row[0])


def migrate(database: Database, migrations: Sequence[Migration] | None = None) -> int:
    """Bring a database to the newest schema; returns the number it had before.

    Raises:
        ConfigurationError: ``vault.newer_version``, or ``vault.needs_migration`` when opened for reading only.
        IntegrityError: ``vault.damaged`` for a database of another program.
    """
    steps = shipped() if migrations is None else migrations
    before = version(database)
    newest = steps[-1].number
    if before > newest:
        raise ConfigurationError("vault.newer_version", what=FILE_NAME, version=before, known=newest)
    if before and database.row("PRAGMA application_id") != (APPLICATION_ID,):
        raise IntegrityError("vault.damaged", what=FILE_NAME)
    todo = [step for step in steps if step.number > before]
    if todo and database.read_only:
        raise ConfigurationError("vault.needs_migration", version=before, known=newest)
    for step in todo:
        _run(database, step)
    return before


def _run(database: Database, step: Migration) -> None:
    try:
        database.script(f"BEGIN IMMEDIATE;\n{step.sql}")
        if step.fill is not None:
            step.fill(database)
        for sql in (
            f"PRAGMA application_id = {APPLICATION_ID}",
            f"PRAGMA user_version = {step.number}",
            "COMMIT",
        ):
            database.rows(sql)
    except BaseException:
        database.roll_back()
        raise
