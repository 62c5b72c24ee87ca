"""Anchoring against gateways that are honest, silent, slow, lying, or hold another log than ours."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evidence_desk.bootstrap.opening import open_session
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.canonical import encode
from evidence_desk.core.checkpoint import parse_checkpoint
from evidence_desk.core.job import Job
from evidence_desk.core.leaf import Leaf, LeafType
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.core.verdict import Dimension, Status
from evidence_desk.court.protocol.network_file import encode_network
from evidence_desk.court.protocol.part import read_court_part
from evidence_desk.court.protocol.state import LookupKind, lookup_key
from evidence_desk.court.protocol.transactions import parse_transaction
from evidence_desk.errors import ConfigurationError, IntegrityError, RemoteError, UsageError
from evidence_desk.services import anchor as anchoring
from evidence_desk.services.anchor import AnchorOutcome, anchor
from evidence_desk.services.anchor_batches import next_batch
from evidence_desk.services.anchor_records import own_checkpoint
from evidence_desk.services.audit import audit
from evidence_desk.services.court_query import GatewayFault, ask_anchor
from evidence_desk.services.prove import prove
from evidence_desk.services.revoke import MAX_CORRECTIONS, correct
from evidence_desk.services.timestamp import timestamp
from evidence_desk.verify.exhibit import ExhibitInput, ExhibitVerdict, verify_exhibit
from tests.fixed import FixedSigner
from tests.unit.court_node.chain import CHAIN
from tests.unit.services.conftest import seal_files
from tests.unit.services.court import CourtClock, HandMadeCourt, HandMadeGateway, court_of, forged


class Pauses:
    """Time passes by being counted."""

    def __init__(self) -> None:
        self.slept = 0.0

    def __call__(self, seconds: float) -> None:
        self.slept += seconds


def run(
    session: Session,
    network: HandMadeCourt,
    *gateways: HandMadeGateway,
    wait: bool = True,
    stamp: bool = False,
) -> AnchorOutcome:
    return anchor(
        session.desk, court_of(network, *gateways, roots=session.trust), session.authorities if stamp else (),
        wait=wait, job=Job(), pause=Pauses(),
    )  # fmt: skip


def verdict_of(session: Session, network: HandMadeCourt, row: ExhibitRow) -> ExhibitVerdict:
    trust = replace(session.trust, networks={CHAIN: encode_network(network.trust)})
    return verify_exhibit(
        ExhibitInput(
            proof=prove(session.desk, row).encode(), statement=row.statement, disclosures=row.disclosures
        ),
        trust=trust,
        now=CourtClock(network).now(),
    )


def anchored_under(session: Session, row: ExhibitRow) -> int:
    found = session.vault.court.exhibit_anchor(row.leaf_hash)
    assert found is not None
    return found.anchor.size


def heartbeats(session: Session, count: int) -> None:
    """One append of many leaves under one checkpoint."""
    with session.desk.appending() as appender:
        appender.append(
            [
                lambda seq, at: Leaf(log=session.desk.origin, seq=seq, type=LeafType.HEARTBEAT, at=at)
                for _ in range(count)
            ]
        )


# --- the straight way -----------------------------------------------------------------------------------------


def test_what_is_sealed_is_anchored_with_its_proof(joined, network, gateway, tmp_path):
    rows = seal_files(joined, tmp_path, "a.txt", "b.txt")
    outcome = run(joined, network, gateway)
    assert (outcome.before, outcome.size, outcome.waiting, outcome.proofs) == (0, 3, 0, 2)
    assert outcome.faults == []
    for row in rows:
        kept = joined.vault.exhibits.exhibit(row.leaf_hash)
        assert kept is not None
        assert kept.anchored == outcome.anchored[-1].header_time
    assert joined.vault.court.outbox().waiting == 0
    again = run(joined, network, gateway)
    assert (again.before, again.size, again.anchored, again.proofs) == (3, 3, [], 0)


def test_the_proof_of_an_anchored_exhibit_passes_once_its_header_is_stamped(
    joined, network, gateway, tmp_path
):
    (row,) = seal_files(joined, tmp_path, "a.txt")
    timestamp(joined.desk, joined.authorities, job=Job())
    run(joined, network, gateway)
    part = read_court_part(prove(joined.desk, row).court)
    assert part.anchor.header.token == b""
    outcome = run(joined, network, gateway, stamp=True)
    assert (outcome.tokens.stored, outcome.tokens.missing) == (1, 0)
    found = verdict_of(joined, network, row)
    court = {item.check: item.code for item in found.findings if item.dimension is Dimension.COURT}
    assert court["court.token"] == "court.token.timely"
    assert all(item.status is Status.PASSED for item in found.findings if item.dimension is Dimension.COURT)
    assert all(item.status is not Status.FAILED for item in found.findings)


def test_a_missing_token_is_asked_for_again(joined, network, gateway, tmp_path):
    seal_files(joined, tmp_path, "a.txt")
    outcome = run(joined, network, gateway)
    assert outcome.tokens.missing == 1
    assert outcome.tokens.error is not None
    assert outcome.tokens.error.code == "client.no_authority"
    assert run(joined, network, gateway, stamp=True).tokens.stored == 1
    assert run(joined, network, gateway, stamp=True).tokens.stored == 0


def test_the_proof_moves_to_the_checkpoint_that_covers_its_token(joined, network, gateway, tmp_path):
    (row,) = seal_files(joined, tmp_path, "a.txt")
    run(joined, network, gateway)
    first = joined.vault.exhibits.exhibit(row.leaf_hash)
    assert first is not None
    assert anchored_under(joined, row) == 2
    timestamp(joined.desk, joined.authorities, job=Job())
    # Not anchored yet: the token is shown, its attesting leaf is not in the anchored checkpoint.
    proof = prove(joined.desk, row)
    assert parse_checkpoint(proof.checkpoint)[0].size == 2
    assert (proof.times[0].attested, proof.times[0].checkpoint is not None) == (None, True)
    run(joined, network, gateway)
    assert anchored_under(joined, row) == 3
    proof = prove(joined.desk, row)
    assert proof.times[0].attested is not None
    later = joined.vault.exhibits.exhibit(row.leaf_hash)
    assert later is not None
    assert later.anchored == first.anchored, "the earliest anchoring stands"


def test_a_correction_renews_the_events_of_an_anchored_exhibit(joined, network, gateway, tmp_path):
    (row,) = seal_files(joined, tmp_path, "a.txt")
    run(joined, network, gateway)
    for _ in range(20):  # the anchor's own state can no longer be proven anew
        network.block()
    correct(joined.desk, row, note="页码有误")
    run(joined, network, gateway, stamp=True)
    part = read_court_part(prove(joined.desk, row).court)
    assert part.record.size == 2
    assert part.current is not None
    assert len(part.events.events) == 1
    caveats = verdict_of(joined, network, row).facts
    assert caveats is not None
    assert "court.corrected" in {item.code for item in verdict_of(joined, network, row).caveats}


def test_a_gateway_that_lags_behind_tells_of_no_events(joined, network, gateway, tmp_path):
    (row,) = seal_files(joined, tmp_path, "a.txt")
    run(joined, network, gateway)
    checkpoint = own_checkpoint(joined.desk, 2)
    court = court_of(network, gateway, roots=joined.trust)
    faults: list[GatewayFault] = []
    anchored = joined.vault.court.anchors(CHAIN)[-1]
    for least, found in ((0, True), (anchored.height, True), (anchored.height + 50, False)):
        answer = ask_anchor(court, checkpoint, [row.leaf_hash], faults, fresh=True, least=least)
        assert (answer is not None) is found
    assert faults == []


def test_a_correction_is_not_missed_because_a_gateway_lags_behind(joined, network, gateway, tmp_path):
    (row,) = seal_files(joined, tmp_path, "a.txt")
    run(joined, network, gateway)
    late = HandMadeGateway(network, url="http://late.example", frozen=network.height - 1)
    correct(joined.desk, row, note="页码有误")
    run(joined, network, late, gateway)
    part = read_court_part(prove(joined.desk, row).court)
    assert len(part.events.events) == 1


def test_a_desk_writes_no_more_corrections_than_the_network_takes(joined, network, gateway, tmp_path):
    (row,) = seal_files(joined, tmp_path, "a.txt")
    for number in range(MAX_CORRECTIONS):
        correct(joined.desk, row, note=f"第 {number} 次")
    with pytest.raises(UsageError) as refused:
        correct(joined.desk, row, note="再一次")
    assert refused.value.code == "correct.too_many"
    run(joined, network, gateway)
    part = read_court_part(prove(joined.desk, row).court)
    assert len(part.events.events) == MAX_CORRECTIONS


def test_an_append_that_is_too_large_goes_by_checkpoints_of_beginnings(joined, network, gateway):
    heartbeats(joined, 900)
    outcome = run(joined, network, gateway)
    assert [row.size for row in outcome.anchored] == [1, 401, 801, 901]
    sizes = [size for size, _ in joined.vault.log.checkpoints()]
    assert sizes == [1, 401, 801, 901]
    assert audit(joined.desk, job=Job()).faults == (), "checkpoints signed later are of the same tree"


def test_batches_are_bounded_by_bytes(joined, network, gateway, monkeypatch):
    heartbeats(joined, 100)

    def small(*arguments: Any, **named: Any) -> Any:
        return next_batch(*arguments, **named, limit=16 * 1024 + 4_000)

    monkeypatch.setattr("evidence_desk.services.anchor.next_batch", small)
    outcome = run(joined, network, gateway)
    assert outcome.waiting == 0
    assert len(outcome.anchored) > 4
    assert all(len(tx) < 5_000 for tx, _ in network.executed[1:])


def test_files_of_a_large_exhibit_can_be_looked_up(joined, network, gateway, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    for number in range(20):
        (folder / f"{number:02}.txt").write_text(f"page {number}", "utf-8")
    from evidence_desk.services.seal import SealRequest, seal  # noqa: PLC0415

    (done,) = seal(joined.desk, [folder], SealRequest(case_number="案一"), job=Job())
    assert done.exhibit is not None
    outcome = run(joined, network, gateway)
    assert outcome.unlisted == 0
    digests = done.exhibit.objects[7].stored.digests
    for kind, digest in ((LookupKind.OBJECT_SHA256, digests.sha256), (LookupKind.OBJECT_SM3, digests.sm3)):
        assert len(network.ask("/lookup", lookup_key(kind, digest))["entries"]) == 1


# --- gateways that misbehave ----------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["/v1/logs/", "/v1/proofs/"])
def test_a_lying_gateway_is_told_and_another_one_used(joined, network, gateway, tmp_path, part):
    seal_files(joined, tmp_path, "a.txt")
    liar = HandMadeGateway(network, url="http://liar.example", mend=forged(part))
    outcome = run(joined, network, liar, gateway)
    assert outcome.waiting == 0
    assert {(item.gateway, item.code, item.lied) for item in outcome.faults} == {
        ("http://liar.example", "court.commit_signature", True)
    }


@pytest.mark.parametrize("part", ["/v1/logs/", "/v1/proofs/"])
def test_nothing_is_believed_from_liars_alone(joined, network, tmp_path, part):
    (row,) = seal_files(joined, tmp_path, "a.txt")
    liar = HandMadeGateway(network, url="http://liar.example", mend=forged(part))
    if part == "/v1/logs/":
        with pytest.raises(RemoteError, match=r"network\.unverified"):
            run(joined, network, liar)
    else:
        outcome = run(joined, network, liar, wait=False)
        assert outcome.waiting == 2
        assert [item.code for item in outcome.faults] == ["court.commit_signature"]
    kept = joined.vault.exhibits.exhibit(row.leaf_hash)
    assert kept is not None
    assert kept.anchored is None
    assert joined.vault.court.outbox().waiting == 2


def other_leaf(path: str, data: bytes) -> bytes:
    """Answers about other leaves than those asked for."""
    if "/v1/proofs/" not in path:
        return data
    value = json.loads(data)
    value["leaves"][0][0] = base64.b64encode(bytes(32)).decode()
    return encode(value)


def other_size(path: str, data: bytes) -> bytes:
    """Hides events by calling them none, under a proof of something."""
    if "/v1/proofs/" not in path:
        return data
    value = json.loads(data)
    value["index"] += 1
    return encode(value)


@pytest.mark.parametrize(
    "mend", [other_leaf, other_size, lambda _path, _data: b"{}", lambda _p, data: data[:-9]]
)
def test_answers_that_do_not_hold_are_lies(joined, network, gateway, tmp_path, mend):
    seal_files(joined, tmp_path, "a.txt")
    liar = HandMadeGateway(network, url="http://liar.example", mend=mend)
    outcome = run(joined, network, liar, gateway)
    assert outcome.waiting == 0
    assert {item.gateway for item in outcome.faults if item.lied} == {"http://liar.example"}


def test_a_silent_gateway_is_told_and_another_one_used(joined, network, gateway, tmp_path):
    seal_files(joined, tmp_path, "a.txt")
    outcome = run(joined, network, HandMadeGateway(network, url="http://deaf.example", deaf=True), gateway)
    assert outcome.waiting == 0
    assert {(item.code, item.lied) for item in outcome.faults} == {("gateway.silent", False)}


def test_when_all_are_silent_what_waits_goes_on_waiting(joined, network, gateway, tmp_path):
    seal_files(joined, tmp_path, "a.txt")
    with pytest.raises(RemoteError, match=r"network\.unverified"):
        run(joined, network, HandMadeGateway(network, deaf=True))
    seal_files(joined, tmp_path, "b.txt")
    assert joined.vault.court.outbox().waiting == 3
    assert run(joined, network, gateway).waiting == 0


def test_a_withheld_transaction_is_sent_again(joined, network, gateway, tmp_path):
    seal_files(joined, tmp_path, "a.txt")
    thief = HandMadeGateway(network, url="http://thief.example", withholds=True)
    outcome = run(joined, network, thief, wait=False)
    assert (outcome.waiting, outcome.anchored) == (2, [])
    assert joined.vault.court.outbox().attempts == 1
    assert len([item for item in thief.asked if item.startswith("POST /v1/transactions")]) > 1
    assert run(joined, network, thief, gateway).waiting == 0


def test_one_gateway_that_refuses_does_not_stop_the_others(joined, network, gateway, tmp_path):
    seal_files(joined, tmp_path, "a.txt")
    assert run(joined, network, HandMadeGateway(network, refuses=4), gateway).waiting == 0


def test_a_refusal_by_all_is_an_error(joined, network, tmp_path):
    seal_files(joined, tmp_path, "a.txt")
    with pytest.raises(RemoteError, match=r"anchor\.refused.*number=4"):
        run(joined, network, HandMadeGateway(network, refuses=4))


def test_batches_shrink_when_they_are_too_much_for_a_block(joined, network):
    heartbeats(joined, 300)
    shy = HandMadeGateway(network, refuses=11, refuses_from=10_000)
    outcome = run(joined, network, shy)
    assert outcome.waiting == 0
    assert all(len(tx) <= 10_000 for tx, _ in network.executed)
    heartbeats(joined, 1)
    shy.refuses_from = 0
    with pytest.raises(RemoteError, match=r"number=11"):
        run(joined, network, shy)


def test_a_gateway_that_lags_behind_is_outvoted_by_proof(joined, network, gateway, tmp_path):
    late = HandMadeGateway(network, url="http://late.example", frozen=network.height - 1)
    seal_files(joined, tmp_path, "a.txt")
    run(joined, network, gateway)
    seal_files(joined, tmp_path, "b.txt")
    outcome = run(joined, network, late, gateway)
    assert (outcome.before, outcome.size) == (2, 3)


# --- crashes --------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """The process is gone."""


def test_killed_between_submission_and_storing(joined, network, gateway, tmp_path, monkeypatch):
    (row,) = seal_files(joined, tmp_path, "a.txt")

    def killed(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(anchoring, "keep", killed)
    with pytest.raises(Killed):
        run(joined, network, gateway)
    monkeypatch.undo()
    folder = joined.vault.folder
    joined.close()
    with open_session(folder, "unit") as again:
        again.desk.clock = CourtClock(network)
        outcome = run(again, network, gateway)
        assert outcome.before == 2, "it was on chain already"
        assert [item.size for item in outcome.anchored] == [2]
        kept = again.vault.exhibits.exhibit(row.leaf_hash)
        assert kept is not None
        assert kept.anchored == outcome.anchored[-1].header_time
    assert [code for _, code in network.executed].count(0) == 2, "registration and a checkpoint, not twice"


def test_the_same_checkpoint_twice_is_harmless(joined, network, gateway, tmp_path):
    seal_files(joined, tmp_path, "a.txt")
    run(joined, network, gateway)
    transactions = [tx for tx, _ in network.executed[1:]]
    for tx in transactions:
        assert gateway.submit(tx).code == 3
    assert run(joined, network, gateway).size == 2


# --- another log ----------------------------------------------------------------------------------------------


@contextmanager
def copied(session: Session, tmp_path: Path, network: HandMadeCourt) -> Iterator[Session]:
    """What somebody gets who copies the folder of a vault."""
    folder = session.vault.folder
    session.vault.database.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copytree(folder, tmp_path / "copy", ignore=shutil.ignore_patterns("*.lock"))
    with open_session(tmp_path / "copy", "unit") as opened:
        opened.desk.clock = CourtClock(network)
        yield opened


def test_a_forked_log_is_told_and_never_overwrites(joined, network, gateway, tmp_path):
    with copied(joined, tmp_path, network) as other:
        seal_files(joined, tmp_path, "a.txt")
        run(joined, network, gateway)
        seal_files(other, tmp_path, "b.txt", "c.txt")
        executed = len(network.executed)
        for _ in range(2):
            with pytest.raises(IntegrityError, match=r"anchor\.conflict"):
                run(other, network, gateway)
        assert len(network.executed) == executed
        (kept,) = other.vault.court.conflicts()
        assert (kept.code, kept.size) == ("anchor.conflict", 2)
        answer = json.loads(kept.answer)
        assert answer["note"] is not None
        assert answer["desk"]["origin"] == other.vault.origin


def test_an_old_copy_is_told(joined, network, gateway, tmp_path):
    with copied(joined, tmp_path, network) as other:
        seal_files(joined, tmp_path, "a.txt")
        run(joined, network, gateway)
        with pytest.raises(IntegrityError, match=r"anchor\.ahead"):
            run(other, network, gateway)
        assert [item.code for item in other.vault.court.conflicts()] == ["anchor.ahead"]


def test_a_desk_that_is_not_registered_is_told(session, network, gateway):
    with pytest.raises(ConfigurationError, match=r"anchor\.not_registered"):
        run(session, network, gateway)


def test_a_closed_log_is_told(joined, network, gateway):
    keys = replace(joined.registry_keys(), ed25519=FixedSigner(b"restored").ed25519_public)
    from evidence_desk.court.protocol.actions import RegisterDesk  # noqa: PLC0415
    from tests.unit.court_node.chain import signed  # noqa: PLC0415

    family, _, epoch = joined.vault.origin.rpartition("/")
    payload = RegisterDesk(
        origin=f"{family}/{int(epoch) + 1}", office="test", keys=keys, succeeds=joined.vault.origin
    )
    network.mempool.append(signed(payload, *network.chain.governors).encode())
    network.block()
    with pytest.raises(ConfigurationError, match=r"anchor\.closed"):
        run(joined, network, gateway)


def test_transactions_name_the_chain_and_an_end(joined, network, gateway):
    run(joined, network, gateway)
    transaction = parse_transaction(network.executed[-1][0], chain_id=CHAIN)
    assert transaction.expires_height <= network.height + anchoring.LIFETIME
