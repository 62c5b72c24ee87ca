"""Keys stolen, keys rotated: the owner's rotation holds, the thief has nothing."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from evidence_desk.bootstrap.opening import init_session, open_session
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.job import Job
from evidence_desk.core.verdict import Dimension, Status
from evidence_desk.court.protocol.network_file import encode_network
from evidence_desk.court.protocol.registry import DESK_ENTRY, DeskEntry
from evidence_desk.errors import IntegrityError, PermissionDeniedError, RemoteError
from evidence_desk.services.anchor import anchor
from evidence_desk.services.anchor_batches import next_batch
from evidence_desk.services.audit import audit
from evidence_desk.services.log_keys import key_generations
from evidence_desk.services.network import register
from evidence_desk.services.prove import prove
from evidence_desk.services.rotate import rotate
from evidence_desk.verify.exhibit import ExhibitInput, verify_exhibit
from evidence_desk.verify.files import read_trust
from tests.unit.court_node.chain import CHAIN, signed
from tests.unit.services.conftest import seal_files
from tests.unit.services.court import CourtClock, HandMadeCourt, HandMadeGateway, court_of
from tests.unit.vault.rows import CHEAP


@pytest.fixture
def owned(tmp_path, network, gateway):
    """A registered desk and its recovery key."""
    session, paper = init_session(tmp_path / "vault", "unit", office="test", demo=True, kdf=CHEAP)
    session.desk.clock = CourtClock(network)
    register(session.desk, court_of(network, gateway), session.registry_keys(), job=Job())
    yield session, paper
    session.close()


def turn(session: Session, paper: str, network: HandMadeCourt, gateway: HandMadeGateway) -> None:
    signer, following = session.vault.prepare_rotation(paper)
    rotate(
        session.desk,
        signer,
        {"ed25519": following.ed25519, "sm2": following.sm2},
        court_of(network, gateway),
        store_next=lambda: session.vault.set_next_keys(following),
        job=Job(),
        pause=lambda _: None,
    )
    session.vault.finish_rotation()
    session.write_trust()


def run(session: Session, network: HandMadeCourt, gateway: HandMadeGateway) -> int:
    outcome = anchor(session.desk, court_of(network, gateway), (), wait=True, job=Job(), pause=lambda _: None)
    assert outcome.waiting == 0
    return outcome.size


def entry_of(session: Session, network: HandMadeCourt) -> DeskEntry:
    import base64  # noqa: PLC0415

    value = network.ask("/desk", session.vault.origin.encode())["entry"]
    return DESK_ENTRY.decode(base64.b64decode(value))


def test_the_network_the_log_and_the_disk_take_the_new_keys(owned, network, gateway, tmp_path):
    session, paper = owned
    (before,) = seal_files(session, tmp_path, "before.txt")
    run(session, network, gateway)
    old = session.desk.keys
    for turns in (1, 2):
        turn(session, paper, network, gateway)
        assert session.desk.keys != old
        assert entry_of(session, network).keys.ed25519 == session.desk.keys.ed25519
        assert len(key_generations(session.vault.log, session.vault.origin)) == turns + 1
    (after,) = seal_files(session, tmp_path, "after.txt")
    assert run(session, network, gateway) == 5
    assert audit(session.desk, job=Job()).faults == ()
    folder = session.vault.folder
    session.close()
    with open_session(folder, "unit") as again:
        again.desk.clock = CourtClock(network)
        assert again.desk.log.size == 5
        trust = replace(read_trust(folder / "trust"), networks={CHAIN: encode_network(network.trust)})
        assert len(trust.former[again.vault.origin]) == 2
        for row in (before, after):
            verdict = verify_exhibit(
                ExhibitInput(
                    proof=prove(again.desk, row).encode(),
                    statement=row.statement,
                    disclosures=row.disclosures,
                ),
                trust=trust,
                now=again.desk.clock.now(),
            )
            log = {item.code: item.status for item in verdict.findings if item.dimension is Dimension.LOG}
            assert set(log.values()) == {Status.PASSED}, log


def test_a_thief_with_the_old_keys_has_nothing(owned, network, gateway, tmp_path):
    session, paper = owned
    stolen = tmp_path / "stolen"
    session.vault.database.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copytree(session.vault.folder, stolen, ignore=shutil.ignore_patterns("*.lock"))
    turn(session, paper, network, gateway)
    with open_session(stolen, "unit") as thief:
        thief.desk.clock = CourtClock(network)
        seal_files(thief, tmp_path, "forged.txt")
        batch = next_batch(thief.desk, 0, chain_id=CHAIN, expires=network.height + 100)
        assert gateway.submit(batch.transaction.encode()).code == 4, "the old key no longer signs"
        # Keys of the thief's own, signed by the old one: not those that were committed to.
        from evidence_desk.court.protocol.actions import RotateDeskKeys  # noqa: PLC0415
        from tests.fixed import FixedSigner  # noqa: PLC0415

        own = FixedSigner(b"thief")
        keys = replace(thief.registry_keys(), ed25519=own.ed25519_public, sm2=own.sm2_public)
        transaction = signed(RotateDeskKeys(origin=thief.vault.origin, keys=keys), sm2=(own,))
        assert gateway.submit(transaction.encode()).code == 5, "not more than two thirds of the institutions"
    run(session, network, gateway)


def test_a_wrong_recovery_key_changes_nothing(owned, tmp_path):
    session, _ = owned
    other, wrong = init_session(tmp_path / "other", "x", office="test", demo=False, kdf=CHEAP)
    other.close()
    keys = session.desk.keys
    with pytest.raises(PermissionDeniedError, match=r"vault\.wrong_recovery_key"):
        session.vault.prepare_rotation(wrong)
    assert session.desk.keys == keys


def test_the_network_is_asked_first(owned, network, gateway):
    session, paper = owned
    keys, size = session.desk.keys, session.desk.log.size
    with pytest.raises(RemoteError):
        turn(session, paper, network, HandMadeGateway(network, deaf=True))
    with pytest.raises(RemoteError, match=r"rotate\.not_confirmed"):
        turn(session, paper, network, HandMadeGateway(network, withholds=True))
    assert (session.desk.keys, session.desk.log.size) == (keys, size)
    turn(session, paper, network, gateway)
    assert session.desk.keys != keys


class Killed(BaseException):
    """The process is gone."""


def test_killed_before_the_leaf_and_before_the_old_keys_are_forgotten(owned, network, gateway, monkeypatch):
    session, paper = owned
    folder, old = session.vault.folder, session.desk.keys

    def killed(*_: object) -> None:
        raise Killed

    monkeypatch.setattr("evidence_desk.services.rotate._append", killed)
    with pytest.raises(Killed):
        turn(session, paper, network, gateway)
    monkeypatch.undo()
    assert entry_of(session, network).keys.ed25519 != old.ed25519
    assert session.desk.keys == old
    monkeypatch.setattr(type(session.vault), "finish_rotation", killed)
    with pytest.raises(Killed):
        turn(session, paper, network, gateway)
    monkeypatch.undo()
    session.close()
    with open_session(folder, "unit", read_only=True) as reader:
        assert reader.desk.log.size == 2
    with open_session(folder, "unit") as again:
        again.desk.clock = CourtClock(network)
        assert again.desk.keys.ed25519 == entry_of(again, network).keys.ed25519
        assert run(again, network, gateway) == 2


def test_unanchored_notes_under_replaced_keys_are_undetermined(owned, network, gateway, tmp_path: Path):
    session, paper = owned
    (row,) = seal_files(session, tmp_path, "a.txt")
    early = prove(session.desk, row).encode()
    turn(session, paper, network, gateway)
    verdict = verify_exhibit(
        ExhibitInput(proof=early, statement=row.statement, disclosures=row.disclosures),
        trust=read_trust(session.vault.folder / "trust"),
        now=session.desk.clock.now(),
    )
    found = {item.code: item.status for item in verdict.findings if item.check == "log.signature"}
    assert found == {"log.signature.former": Status.UNDETERMINED}


def test_a_rotation_that_was_not_committed_to_is_refused(owned):
    session, _ = owned
    from tests.fixed import FixedSigner  # noqa: PLC0415

    stranger = FixedSigner(b"stranger")
    following = {"ed25519": DigestPair.of(b"a"), "sm2": DigestPair.of(b"b")}
    rotate(session.desk, stranger, following, None, store_next=lambda: None, job=Job())
    with pytest.raises(IntegrityError, match=r"log\.rotation_uncommitted"):
        key_generations(session.vault.log, session.vault.origin)
