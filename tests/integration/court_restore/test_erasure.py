"""An erased case: nothing opens its envelopes any more, its leaves and its tombstone stay."""

from __future__ import annotations

import pytest

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.canonical import decode
from evidence_desk.core.envelope import parse_envelope
from evidence_desk.core.job import Job
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.errors import HostError, NotFoundError, UsageError
from evidence_desk.services.assess import assess
from evidence_desk.services.audit import audit
from evidence_desk.services.erase import erase
from evidence_desk.services.fetch_log import ask_leaves
from evidence_desk.services.keybag_copy import fetch_copies, requester
from evidence_desk.services.open_envelopes import open_envelope
from evidence_desk.services.restore import prove_log
from evidence_desk.vault.keybag_copy import open_copy
from evidence_desk.vault.recovery import parse_recovery_key
from tests.integration.court_restore.office import PASSPHRASE, Office

pytestmark = pytest.mark.engine

GONE = "要删除的案件"


def envelopes(session: Session, origin: str, stop: int) -> list[bytes | None]:
    court = session.court()
    return [envelope for _, envelope in ask_leaves(court.gateways[0], origin, 0, stop)]


def opened(session: Session, origin: str, seq: int, stop: int) -> list[str | None]:
    """Whose boxes in the envelope of a leaf our keys open, None for the desk's own."""
    leaf = session.vault.archived_log(origin).leaf(seq).leaf_hash
    return [
        owner
        for owner, _ in open_envelope(session.vault, leaf, envelopes(session, origin, stop)[seq]).contents
    ]


def two_cases(office: Office) -> tuple[list[ExhibitRow], list[ExhibitRow]]:
    gone = office.seal("私密.txt", "gone/", case=GONE, blinded=True)
    kept = office.seal("b.txt", "kept/", blinded=True)
    office.timestamp()
    office.certify(gone[:1])
    office.anchor()
    return gone, kept


def test_keys_gone_everywhere(office: Office):
    gone, kept = two_cases(office)
    session = office.session
    origin, size = session.vault.origin, session.desk.log.size
    stored = {item.stored.name for row in gone for item in row.objects}
    assert opened(session, origin, gone[0].seq, size) == [GONE, None]

    outcome = erase(session.desk, GONE, reason="当事人要求", operator="王五", court=session.court())
    assert (outcome.exhibits, len(outcome.certificates)) == (2, 1)
    assert outcome.copies is not None
    assert outcome.copies.whole
    assert opened(session, origin, gone[0].seq, size) == [None], "only the nodes of the hash tree"
    assert opened(session, origin, kept[0].seq, size) == ["案一", None]
    for data in fetch_copies(session.court(), requester(session.desk), []):
        copy = decode(open_copy(data, passphrase=PASSPHRASE).keybag, what="keybag", limit=1 << 20)
        assert isinstance(copy, dict)
        assert (copy["erased"], list(copy["cases"])) == ([GONE], ["案一"])  # type: ignore[arg-type]

    for name in stored:
        assert not (session.vault.folder / "objects" / name).exists()
    left = session.vault.exhibits.exhibit(gone[0].leaf_hash)
    assert left is not None
    assert (left.erased, left.title, left.objects, left.number) == (True, "", (), gone[0].number)
    assert [row.action for row in session.vault.exhibits.custody(gone[0].leaf_hash)] == [
        "certified",
        "erased",
    ]
    assert audit(session.desk, job=Job()).faults == ()
    with pytest.raises(NotFoundError, match=r"vault\.case_erased"):
        assess(session.desk, left, session.trust)
    with pytest.raises(UsageError, match=r"erase\.already"):
        erase(session.desk, GONE, reason="again", court=None)
    assess(session.desk, session.vault.exhibits.exhibit(kept[0].leaf_hash) or kept[0], session.trust)
    office.anchor()


def test_restored_as_a_tombstone(office: Office):
    gone, kept = two_cases(office)
    trees = office.session.vault.exhibits.time_records(kept[1].leaf_hash)
    erase(office.session.desk, GONE, reason="当事人要求", court=office.session.court())
    office.anchor()
    origin = office.session.vault.origin
    office.lose_disk()

    restored = office.from_network()
    session = restored.session
    case = session.vault.exhibits.case(GONE)
    assert case is not None
    assert case.erased is not None
    assert session.vault.erased_cases() == {GONE}
    for row in gone:
        found = session.vault.exhibits.exhibit(row.leaf_hash)
        assert found is not None
        assert (found.erased, found.number, found.seq, found.title) == (True, row.number, row.seq, "")
        (tombstone,) = session.vault.exhibits.custody(row.leaf_hash)
        details = decode(tombstone.details, what="custody", limit=4096)
        assert isinstance(details, dict)
        assert (tombstone.action, details["why"]) == ("erased", "当事人要求")
    prove_log(session.vault.archived_log(origin))
    assert session.vault.exhibits.time_records(kept[1].leaf_hash) == trees, (
        "with the nodes of the erased ones"
    )
    office.anchor(session)
    for row in kept:
        assess(session.desk, session.vault.exhibits.exhibit(row.leaf_hash) or row, session.trust)
    with pytest.raises(NotFoundError, match=r"vault\.case_erased"):
        office.seal("c.txt", case=GONE, session=session)


def test_an_old_copy_does_not_bring_the_case_back(office: Office):
    """Somebody kept the copy from before the erasure: the tombstone on chain is honored."""
    gone, _ = two_cases(office)
    kept = office.backup()
    origin = office.session.vault.origin
    erase(office.session.desk, GONE, reason="当事人要求", court=office.session.court())
    office.anchor()
    office.lose_disk()
    restored = office.from_backup(kept)  # its keybag still holds the key
    session = restored.session
    assert restored.earlier is not None
    assert restored.earlier.erased == [GONE]
    assert session.vault.erased_cases() == {GONE}
    found = session.vault.exhibits.exhibit(gone[0].leaf_hash)
    assert found is not None
    assert found.erased
    for row in gone:
        for item in row.objects:
            assert not session.vault.objects.present(item.stored)
    prove_log(session.vault.archived_log(origin))


def test_what_lies_on_chain_shows_nothing(office: Office):
    """No name, number or text of a case can be read from an envelope, nor which boxes are of one case."""
    one = office.seal("甲.txt", "乙.txt", case=GONE)
    office.anchor()
    size = office.session.desk.log.size
    found = envelopes(office.session, office.session.vault.origin, size)
    ids: set[bytes] = set()
    for row in one:
        data = found[row.seq]
        assert data is not None
        for word in (GONE, "张三", "甲.txt", "某法院"):
            assert word.encode() not in data
        ids |= {box.key_id for box in parse_envelope(data)}
    assert len(ids) == 2, "the same key, never the same name"


def test_gateways_away(office: Office):
    office.seal("a.txt", case=GONE)
    office.anchor()
    session = office.session
    court = session.court()
    nobody = type(court)(
        trust=court.trust,
        roots=court.roots,
        gateways=(session.gateway("http://127.0.0.1:9"),),
        clock=court.clock,
    )
    outcome = erase(session.desk, GONE, reason="x", court=nobody)
    assert outcome.copies is not None
    assert not outcome.copies.whole
    copies = fetch_copies(court, requester(session.desk), [])
    paper = parse_recovery_key(office.recovery_key)
    assert all(GONE.encode() in open_copy(data, recovery_key=paper).keybag for data in copies)
    office.anchor()
    for data in fetch_copies(court, requester(session.desk), []):
        copy = decode(open_copy(data, recovery_key=paper).keybag, what="keybag", limit=1 << 20)
        assert isinstance(copy, dict)
        assert copy["cases"] == {}


def test_cut_short_and_finished(office: Office, monkeypatch: pytest.MonkeyPatch):
    """A full disk between the tombstone and the deletion of the keys: the second call finishes, with one tombstone."""
    rows = office.seal("a.txt", case=GONE)
    vault = office.session.vault
    with monkeypatch.context() as patch:

        def full(_case: str) -> None:
            raise HostError("host.disk_full", what="keybag")

        patch.setattr(vault.keybag, "erase", full)
        with pytest.raises(HostError):
            erase(office.session.desk, GONE, reason="x", court=None)
    assert vault.exhibits.exhibit(rows[0].leaf_hash) is not None
    assert not (vault.exhibits.exhibit(rows[0].leaf_hash) or rows[0]).erased
    erase(office.session.desk, GONE, reason="x", court=None)
    assert [row.action for row in vault.exhibits.custody(rows[0].leaf_hash)] == ["erased"]
    assert vault.erased_cases() == {GONE}
    assert audit(office.session.desk, job=Job()).faults == ()
