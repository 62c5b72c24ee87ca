"""A backup older than what the network holds: it is completed, never contradicted."""

from __future__ import annotations

import shutil

import pytest

from evidence_desk.bootstrap.opening import open_session
from evidence_desk.bootstrap.restoring import Secret, settle
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.checkpoint import parse_checkpoint
from evidence_desk.core.job import Job
from evidence_desk.core.leaf import LeafType, parse_leaf
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.errors import ConfigurationError, IntegrityError
from evidence_desk.services.assess import assess
from evidence_desk.services.restore import prove_log
from tests.integration.court_restore.office import PASSPHRASE, Office

pytestmark = pytest.mark.engine


def told(session: Session, row: ExhibitRow) -> ExhibitRow:
    found = session.vault.exhibits.exhibit(row.leaf_hash)
    assert found is not None, row.title
    return found


def predecessors(session: Session) -> list[object]:
    leaves = [parse_leaf(row.leaf) for row in session.vault.log.leaves(0, session.vault.log.size())]
    return [leaf.facts["predecessor"] for leaf in leaves if leaf.type is LeafType.LOG_SUCCEEDS]


@pytest.mark.parametrize("by_paper", [False, True])
def test_what_came_after_the_backup_is_fetched(office: Office, by_paper: bool):
    early = office.seal("a.txt")
    office.timestamp()
    office.anchor()
    kept = office.backup()
    same_case = office.seal("b.txt", blinded=True)
    new_case = office.seal("c.txt", "d/", case="备份之后的案件", blinded=True)
    office.timestamp()
    number = office.certify(new_case)
    office.anchor()
    head = parse_checkpoint(office.session.desk.log.note)[0]
    before = {row.number: told(office.session, row) for row in (*early, *same_case, *new_case)}
    trees = office.session.vault.exhibits.time_records(new_case[1].leaf_hash)
    office.lose_disk()

    restored = office.from_backup(kept, by_paper=by_paper)
    session = restored.session
    assert restored.offline is None
    assert restored.joined is not None
    assert restored.joined.status == "approved"
    assert prove_log(session.vault.archived_log(head.origin)) == head
    assert predecessors(session) == [{"origin": head.origin, "size": head.size, "root": head.root.hex()}]
    assert restored.earlier is not None
    assert restored.earlier.closed == 0
    office.anchor(session)
    assert {row.number: told(session, row) for row in (*early, *same_case, *new_case)} == before
    assert session.vault.exhibits.time_records(new_case[1].leaf_hash) == trees
    assert session.vault.exhibits.certificate(number) is not None
    for row in (*early, *same_case, *new_case):
        assess(session.desk, told(session, row), session.trust)
    # the new case goes on where it was
    again = office.seal("e.txt", case="备份之后的案件", session=session)
    assert again[0].exhibit_no == "证据3"


def test_first_without_the_network(office: Office):
    office.seal("a.txt")
    kept = office.backup()
    later = office.seal("b.txt", case="后来的案件")
    office.anchor()
    head = parse_checkpoint(office.session.desk.log.note)[0]
    office.lose_disk()
    restored = office.from_backup(kept, offline=True)
    session = restored.session
    assert restored.earlier is None
    assert restored.joined is None
    assert session.vault.exhibits.exhibit(later[0].leaf_hash) is None
    office.seal("c.txt", session=session)
    office.anchor(session)
    assert told(session, later[0]).anchored is not None
    assert prove_log(session.vault.archived_log(head.origin)) == head
    told_heads = predecessors(session)
    assert len(told_heads) == 2
    assert told_heads[1] == {"origin": head.origin, "size": head.size, "root": head.root.hex()}
    # nothing is left to be done
    again = settle(session, session.court(), secret=None, job=Job())
    assert again is not None
    assert again.earlier is not None
    assert (again.earlier.leaves, again.earlier.anchors, again.earlier.logs) == (0, 0, {})
    assert len(predecessors(session)) == 2


def test_restored_in_two_places(office: Office):
    office.seal("a.txt")
    office.anchor()
    kept = office.backup()
    office.session.close()
    one = office.from_backup(kept, "one").session
    of_one = office.seal("b.txt", case="另一处的案件", session=one)
    office.timestamp(one)
    office.anchor(one)

    with pytest.raises(ConfigurationError, match=r"restore\.origin_taken"):
        office.from_backup(kept, "two")
    assert not (office.folder / "two").exists()
    two = office.from_backup(kept, "two", further=True).session
    assert [item.rpartition("/")[2] for item in two.vault.origins] == ["1", "2", "3"]
    office.anchor(two)
    assert told(two, of_one[0]).origin == one.vault.origin
    assert two.vault.exhibits.time_records(of_one[0].leaf_hash)
    assert predecessors(two)[0] == {
        "origin": one.vault.origin,
        "size": one.desk.log.size,
        "root": parse_checkpoint(one.desk.log.note)[0].root.hex(),
    }
    office.seal("c.txt", session=one)
    with pytest.raises(ConfigurationError, match=r"anchor\.closed"):
        office.anchor(one)  # its place was taken, on purpose

    blind = office.from_backup(kept, "three", offline=True).session
    with pytest.raises(ConfigurationError, match=r"anchor\.other_keys"):
        office.anchor(blind)


def test_leaves_that_never_reached_the_network(office: Office):
    office.seal("a.txt")
    office.anchor()
    unanchored = office.seal("b.txt")
    kept = office.backup()
    head = parse_checkpoint(office.session.desk.log.note)[0]
    office.lose_disk()
    session = office.from_backup(kept).session
    assert predecessors(session) == [{"origin": head.origin, "size": head.size, "root": head.root.hex()}]
    office.anchor(session)
    assert told(session, unanchored[0]).anchored is None
    assess(session.desk, told(session, unanchored[0]), session.trust)


def test_a_backup_that_contradicts_the_network(office: Office):
    """A copied folder wrote other leaves: the network's log is not a continuation of the backup's."""
    office.seal("a.txt")
    office.anchor()
    office.session.close()
    copied = office.folder / "copied"
    shutil.copytree(office.session.vault.folder, copied)
    with open_session(copied, PASSPHRASE) as other:
        office.seal("b.txt", session=other)
        office.anchor(other)
    with open_session(office.session.vault.folder, PASSPHRASE) as forked:
        office.session = forked
        office.seal("c.txt")
        kept = office.backup()
    with pytest.raises(IntegrityError, match=r"restore\.log_differs"):
        office.from_backup(kept)
    assert not (office.folder / "again").exists()
    session = office.from_backup(kept, offline=True).session
    assert len(list(session.vault.exhibits.exhibits())) == 2


def test_the_wrong_secret_opens_no_copy(office: Office):
    office.seal("a.txt")
    kept = office.backup()
    late = office.seal("b.txt", case="后来的案件")
    office.anchor()
    office.lose_disk()
    session = office.from_backup(kept, offline=True).session
    settle(session, session.court(), secret=lambda: Secret(passphrase="wrong"), job=Job())
    assert session.vault.exhibits.exhibit(late[0].leaf_hash) is None
