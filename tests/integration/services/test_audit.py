"""Audit of a real log: sound, and with each kind of tampering by somebody who holds the database key."""

from __future__ import annotations

from pathlib import Path

import pytest

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.services.audit import audit
from evidence_desk.services.certify import certify
from evidence_desk.services.recheck import recheck
from evidence_desk.services.seal import SealRequest, seal
from evidence_desk.services.timestamp import timestamp


@pytest.fixture
def busy(session: Session, tmp_path: Path) -> Session:
    """A desk with 300 exhibits, tokens, custody events and a certificate."""
    paths = [tmp_path / f"{number}.txt" for number in range(300)]
    for path in paths:
        path.write_text(path.name)
    rows = [item.exhibit for item in seal(session.desk, paths, SealRequest(case_number="案"), job=Job())]
    timestamp(session.desk, session.authorities, job=Job())
    first = rows[0]
    assert first is not None
    recheck(session.desk, [first], job=Job())
    certify(session.desk, [first], session.issuer(), trust=session.trust, job=Job())
    return session


def test_sound(busy: Session):
    outcome = audit(busy.desk, job=Job())
    assert outcome.faults == ()
    assert outcome.exhibits == 300
    assert outcome.checkpoints == len(list(busy.vault.log.checkpoints()))
    assert outcome.size == busy.desk.log.size
    assert busy.desk.log.checkpoint is not None
    assert outcome.root == busy.desk.log.checkpoint.root


TAMPERING = {
    "leaf bytes": (
        "UPDATE leaves SET leaf = CAST(replace(leaf, 'sealed', 'sealeD') AS BLOB) WHERE seq = 7", "audit.leaf"
    ),
    "leaf swapped": ("UPDATE leaves SET leaf = (SELECT leaf FROM leaves WHERE seq = 8) WHERE seq = 7", "audit.leaf"),
    "leaf gone": ("DELETE FROM leaves WHERE seq = 7", "audit.leaf"),
    "last leaf gone": ("DELETE FROM leaves WHERE seq = (SELECT max(seq) FROM leaves)", "audit.newest"),
    "tile": ("UPDATE tiles SET hashes = zeroblob(length(hashes)) WHERE level = 0 AND position = 0", "audit.tile"),
    "tile gone": ("DELETE FROM tiles WHERE level = 0 AND position = 1", "audit.tile"),
    "upper tile": ("UPDATE tiles SET hashes = zeroblob(length(hashes)) WHERE level = 1", "audit.tile"),
    "old checkpoint": (
        "UPDATE checkpoints SET note = (SELECT max(note) FROM checkpoints) WHERE size = 1",
        "audit.size",
    ),
    "checkpoint signature": ("UPDATE checkpoints SET note = CAST(replace(note, '— ', '—  ') AS BLOB)", "audit.signature"),
    "newest checkpoint gone": ("DELETE FROM checkpoints WHERE size = (SELECT max(size) FROM checkpoints)", "audit.newest"),
    "statement": ("UPDATE exhibits SET statement = CAST(replace(statement, '案', '安') AS BLOB) WHERE id = 5", "audit.statement"),
    "exhibits swapped": ("UPDATE exhibits SET seq = 100000 WHERE seq = 249", "audit.exhibit"),
    "custody text": ("UPDATE custody SET operator = '他人' WHERE action = 'rechecked'", "audit.custody"),
    "custody gone": ("DELETE FROM custody WHERE action = 'rechecked'", "audit.custody"),
    "custody added": (
        "INSERT INTO custody SELECT NULL, exhibit, at, 'opened', operator, details, log_id, leaf_seq FROM custody LIMIT 1",
        "audit.custody",
    ),
    "token": ("UPDATE tokens SET token = zeroblob(length(token))", "audit.token"),
    "certificate": ("UPDATE certificates SET pdf = zeroblob(length(pdf))", "audit.certificate"),
}  # fmt: skip


@pytest.mark.parametrize("what", TAMPERING)
def test_tampering_is_found(busy: Session, what: str):
    sql, code = TAMPERING[what]
    database = busy.vault._database
    triggers = database.rows("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
    columns = [str(row[1]) for row in database.rows("PRAGMA table_info(custody)")]
    if what == "custody added":
        kept = ", ".join(
            "NULL" if name == "id" else "'opened'" if name == "action" else name for name in columns
        )
        sql = f"INSERT INTO custody ({', '.join(columns)}) SELECT {kept} FROM custody LIMIT 1"
    database.script("PRAGMA foreign_keys = OFF")
    for (name,) in triggers:
        database.script(f"DROP TRIGGER {name}")
    database.script(sql)
    busy.desk._log = None
    codes = {fault.code for fault in audit(busy.desk, job=Job()).faults}
    assert code in codes
