"""A desk whose disk is gone comes back from network, recovery key and keybag copy."""

from __future__ import annotations

import pytest

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.checkpoint import parse_checkpoint
from evidence_desk.core.job import Job
from evidence_desk.core.leaf import LeafType, parse_leaf
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.court.protocol.registry import DeskStatus
from evidence_desk.errors import NotFoundError, PermissionDeniedError, RemoteError, UsageError
from evidence_desk.services.assess import assess
from evidence_desk.services.court_query import ask_desk
from evidence_desk.services.keybag_copy import delete_copies
from evidence_desk.services.recheck import recheck
from evidence_desk.services.restore import prove_log
from evidence_desk.services.revoke import correct, revoke
from evidence_desk.vault.backup import backup, fill_from_backup, missing_originals
from evidence_desk.vault.recovery import format_recovery_key, new_recovery_key
from tests.integration.court_restore.office import Office

pytestmark = pytest.mark.engine


def everything(session: Session, rows: list[ExhibitRow]) -> dict[str, object]:
    """All that the vault knows of these exhibits, but for file contents and the ids of rows."""
    store = session.vault.exhibits
    known: dict[str, object] = {}
    for row in rows:
        leaf = row.leaf_hash
        known[row.number] = (
            store.exhibit(leaf),
            store.time_records(leaf),
            [(item.at, item.action, item.operator, item.details, item.leaf_seq) for item in store.custody(leaf)],
            [(item.number, item.leaf_hash, item.exhibits, item.digests, item.issued, item.revoked, item.reason)
             for item in store.certificates(leaf)],
            store.case(row.case_number),
        )  # fmt: skip
    known["tokens"] = list(store.tokens())
    return known


def test_everything_but_the_originals_comes_back(office: Office):
    plain = office.seal("合同.txt", "借条.txt")
    blinded = office.seal("聊天记录.txt", "blinded/", case="案二", blinded=True)
    folder = office.seal("many/", case="案三")
    office.timestamp()
    number = office.certify(plain)
    certificate = office.session.vault.exhibits.certificate(number)
    assert certificate is not None
    revoke(office.session.desk, certificate, why="打印错误")
    correct(office.session.desk, blinded[0], note="更正说明")
    rows = [*plain, *blinded, *folder]
    recheck(office.session.desk, rows, job=Job(), operator="王五")
    office.anchor()
    origin, size = office.session.vault.origin, office.session.desk.log.size
    head = parse_checkpoint(office.session.desk.log.note)[0]
    kept = office.backup()
    before = everything(office.session, rows)
    office.lose_disk()

    restored = office.from_network()
    session = restored.session
    assert restored.earlier is not None
    assert (restored.earlier.leaves, restored.earlier.closed) == (size, 0)
    log = restored.earlier.logs[origin]
    assert (log.exhibits, log.tokens, log.untimed, log.refused) == (len(rows), 1, 0, 0)
    assert restored.joined is not None
    assert (restored.joined.status, restored.joined.succeeds) == ("approved", origin)
    assert prove_log(session.vault.archived_log(origin)) == head

    office.anchor(session)  # fetches the proofs again
    assert everything(session, rows) == before
    first = [parse_leaf(row.leaf) for row in session.vault.log.leaves(0, 2)]
    assert [leaf.type for leaf in first] == [LeafType.LOG_OPENED, LeafType.LOG_SUCCEEDS]
    assert first[1].facts["predecessor"] == {"origin": origin, "size": size, "root": head.root.hex()}
    state = ask_desk(session.court(), origin, []).entry
    assert state is not None
    assert (state.status, state.successor) == (DeskStatus.CLOSED, session.vault.origin)
    for row in rows:
        assess(session.desk, session.vault.exhibits.exhibit(row.leaf_hash) or row, session.trust)

    missing = {item.stored.name for item, _ in missing_originals(session.vault)}
    assert len(missing) == len({item.stored.name for row in rows for item in row.objects})
    outcome = recheck(session.desk, rows[:1], job=Job())[0]
    assert (outcome.action, outcome.damaged) == ("missing", outcome.missing)
    backup(session.vault, office.folder / "without originals")
    assert fill_from_backup(session.vault, kept) == len(missing)
    assert list(missing_originals(session.vault)) == []
    assert recheck(session.desk, rows[:1], job=Job())[0].action == "rechecked"


def test_a_case_of_leaves_only_does_not_come_back(office: Office):
    kept = office.seal("a.txt", "b.txt", blinded=True)
    hashed = office.seal("c.txt", case="仅哈希案", leaves_only=True, blinded=True)
    office.timestamp()
    office.anchor()
    origin, size = office.session.vault.origin, office.session.desk.log.size
    trees = office.session.vault.exhibits.time_records(kept[1].leaf_hash)
    office.lose_disk()
    restored = office.from_network()
    store = restored.session.vault
    assert store.exhibits.exhibit(hashed[0].leaf_hash) is None
    assert store.archived_log(origin).leaf_by_hash(hashed[0].leaf_hash) is not None
    assert store.archived_log(origin).size() == size
    assert restored.earlier is not None
    assert restored.earlier.closed == 1
    assert store.exhibits.time_records(kept[1].leaf_hash) == trees


def test_who_may_not(office: Office):
    office.seal("a.txt")
    office.anchor()
    origin = office.session.vault.origin
    with pytest.raises(PermissionDeniedError, match="wrong_recovery_key"):
        office.from_network(paper=format_recovery_key(new_recovery_key()))
    with pytest.raises(NotFoundError, match=r"restore\.not_registered"):
        office.from_network(origin=origin.replace("desk.test", "desk.other"))
    assert delete_copies(office.session.desk, office.session.court()).whole
    with pytest.raises(RemoteError, match=r"restore\.no_copy"):
        office.from_network()
    (office.folder / "again").mkdir()
    (office.folder / "again" / "a file").touch()
    assert office.send_copies().whole
    with pytest.raises(UsageError, match=r"vault\.not_empty"):
        office.from_network()


def test_lost_twice(office: Office):
    first = office.seal("a.txt")
    office.timestamp()
    office.anchor()
    office.lose_disk()
    once = office.from_network("once").session
    second = office.seal("b.txt", case="案二", session=once)
    office.timestamp(once)
    office.anchor(once)
    once.close()
    twice = office.from_network("twice", origin=office.session.vault.origin)
    origins = twice.session.vault.origins
    assert [item.rpartition("/")[2] for item in origins] == ["1", "2", "3"]
    for row in (*first, *second):
        found = twice.session.vault.exhibits.exhibit(row.leaf_hash)
        assert found is not None
        assert found.timestamped is not None
        assert found.origin == row.origin
