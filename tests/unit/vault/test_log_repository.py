from __future__ import annotations

import pytest

from evidence_desk.core.digests import sha256
from evidence_desk.core.rows import LeafRow, LogAppend
from evidence_desk.errors import BugError, ConfigurationError, IntegrityError, MalformedError, NotFoundError
from tests.unit.vault.rows import ORIGIN, add_leaves, seal
from tests.unit.vault.test_exhibit_repository import custody

NEXT = ORIGIN[:-1] + "2"


def test_an_empty_log(vault):
    assert vault.log.size() == 0
    assert vault.log.checkpoint() == b""
    assert list(vault.log.checkpoints()) == []
    assert list(vault.log.leaves(0, 10)) == []
    assert vault.log.tile(0, 0) == b""
    assert vault.log.leaf_by_hash(bytes(32)) is None
    with pytest.raises(NotFoundError, match=r"vault\.no_leaf"):
        vault.log.leaf(0)


def test_appended_leaves_are_read_back(vault):
    with vault.transaction():
        first = add_leaves(vault, b"a", b"b")
    with vault.transaction():
        second = add_leaves(vault, b"c")
    rows = first + second
    assert vault.log.size() == 3
    assert [vault.log.leaf(seq) for seq in range(3)] == rows
    assert vault.log.leaf_by_hash(rows[1].leaf_hash) == rows[1]
    assert list(vault.log.leaves(1, 99)) == rows[1:]
    assert list(vault.log.leaves(1, 2)) == rows[1:2]
    assert list(vault.log.checkpoints()) == [(2, b"note 2"), (3, b"note 3")]
    assert vault.log.checkpoint() == b"note 3"
    assert vault.log.tile(0, 0) == b"".join(row.leaf_hash for row in rows)
    outbox = vault.database.rows("SELECT kind, size, done FROM outbox ORDER BY id")
    assert outbox == [("checkpoint", 2, None), ("checkpoint", 3, None)]


def test_many_leaves_are_streamed_in_order(vault):
    with vault.transaction():
        rows = add_leaves(vault, *(b"%d" % n for n in range(256)))
    assert list(vault.log.leaves(0, 256)) == rows


def leaf(seq: int, data: bytes = b"x") -> LeafRow:
    return LeafRow(seq=seq, type="t", leaf_hash=sha256(data), leaf=data)


@pytest.mark.parametrize(
    ("old_size", "leaves"),
    [(0, (leaf(0),)), (2, (leaf(2),)), (1, (leaf(2),)), (1, (leaf(1), leaf(3, b"y"))), (1, ())],
)
def test_a_gap_or_overlap_is_refused_and_nothing_written(vault, old_size, leaves):
    with vault.transaction():
        add_leaves(vault, b"a")
    append = LogAppend(old_size=old_size, leaves=leaves, tiles={}, checkpoint=b"forged")
    with pytest.raises(IntegrityError, match=r"vault\.log_size"), vault.transaction():
        vault.log.write(append)
    assert (vault.log.size(), vault.log.checkpoint()) == (1, b"note 1")


def test_a_rewritten_tile_is_refused(vault):
    with vault.transaction():
        add_leaves(vault, b"a")
    append = LogAppend(old_size=1, leaves=(leaf(1),), tiles={(0, 0): bytes(64)}, checkpoint=b"n")
    with pytest.raises(IntegrityError, match=r"vault\.constraint"), vault.transaction():
        vault.log.write(append)
    assert vault.log.size() == 1


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE leaves SET leaf = x'00'",
        "DELETE FROM leaves",
        "UPDATE checkpoints SET note = x'00'",
        "DELETE FROM checkpoints",
        "DELETE FROM tiles",
        "UPDATE tiles SET hashes = zeroblob(32)",
        "UPDATE logs SET origin = 'x'",
        "DELETE FROM logs",
        "DELETE FROM custody",
        "INSERT OR REPLACE INTO leaves SELECT log_id, seq, type, leaf_hash, x'00' FROM leaves",
        "INSERT OR REPLACE INTO checkpoints SELECT log_id, size, x'00' FROM checkpoints",
    ],
)
def test_the_database_itself_refuses_to_rewrite(vault, sql):
    seal(vault, b"x")
    with vault.transaction():
        vault.exhibits.add_custody([custody(vault)])
    with pytest.raises(IntegrityError, match=r"vault\.constraint"), vault.transaction():
        vault.database.write(sql)
    assert vault.log.size() == 1


def test_writing_needs_a_transaction(vault):
    with pytest.raises(BugError, match=r"bug\.no_transaction"):
        add_leaves(vault, b"a")


def test_a_successor_starts_empty_with_new_keys(vault):
    before = vault.signer.ed25519_public
    old = seal(vault, b"x", number="ED-OLD")
    digests = vault.next_key_digests
    vault.set_origin(NEXT)
    assert vault.origins == [ORIGIN, NEXT]
    assert (vault.origin, vault.log.size(), vault.log.checkpoint()) == (NEXT, 0, b"")
    assert vault.signer.ed25519_public != before
    assert vault.next_key_digests != digests
    archived = vault.archived_log(ORIGIN)
    assert archived.leaf(0).leaf_hash == old.leaf_hash
    with pytest.raises(ConfigurationError, match=r"vault\.log_archived"), vault.transaction():
        archived.write(LogAppend(old_size=1, leaves=(leaf(1),), tiles={}, checkpoint=b""))
    new = seal(vault, b"y", number="ED-NEW")
    assert new.seq == 0
    assert [(row.number, row.origin) for row in vault.exhibits.exhibits()] == [
        ("ED-OLD", ORIGIN),
        ("ED-NEW", NEXT),
    ]
    assert vault.log.leaf_by_hash(old.leaf_hash) is None


def test_origins_are_checked(vault):
    with pytest.raises(MalformedError, match=r"malformed\.origin"):
        vault.set_origin("somewhere/2")
    with pytest.raises(ConfigurationError, match=r"vault\.recovery_key_needed"):
        vault.set_origin(ORIGIN[:-1] + "999")
    with pytest.raises(IntegrityError, match=r"vault\.constraint"):
        vault.set_origin(ORIGIN)
    with pytest.raises(NotFoundError, match=r"vault\.no_log"):
        vault.archived_log(NEXT)
    assert vault.origins == [ORIGIN]
