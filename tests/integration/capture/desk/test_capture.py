"""The whole use case with real browser, proxy, authority and vault: recorded, bound, sealed, verified; any change is noticed."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import pytest

from evidence_desk.core.capture.manifest import parse_manifest
from evidence_desk.core.capture.rows import CaptureResult, CaptureState
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.job import Job
from evidence_desk.core.leaf import LeafType, parse_leaf
from evidence_desk.core.package.zip_reader import ZipReader
from evidence_desk.core.statement import parse_statement
from evidence_desk.core.verdict import Dimension, Status
from evidence_desk.services.capture import CaptureControl
from evidence_desk.services.certify import draft, issue
from evidence_desk.services.describe import failed_captures
from evidence_desk.services.documents import obtaining_record
from evidence_desk.services.export import export
from evidence_desk.services.timestamp import timestamp
from evidence_desk.verify.capture import verify_capture
from evidence_desk.verify.captured import Bond
from evidence_desk.verify.package import verify_package
from evidence_desk.wacz.read import WaczReader

NOW = datetime.now(UTC)
pytestmark = pytest.mark.timeout(120)


def wacz_of(session, exhibit) -> bytes:
    stored = exhibit.objects[0].stored
    with session.vault.objects.open(stored, case_number=exhibit.case_number) as stream:
        return bytes(stream.read())


def bond_of(session, exhibit) -> Bond:
    statement = parse_statement(exhibit.statement)
    leaf = parse_leaf(session.vault.log.leaf(exhibit.seq).leaf)
    return Bond(manifest=statement.capture, environment=statement.environment, started=leaf.ref)


def verdict(session, data: bytes, bond: Bond | None):
    return verify_capture(io.BytesIO(data), bond=bond, trust=session.trust, now=datetime.now(UTC), job=Job())


def test_a_page_is_recorded_bound_sealed_and_verified(kept):
    session, captured = kept
    exhibit, row = captured.exhibit, captured.capture
    assert (captured.result, captured.reasons) == (CaptureResult.COMPLETE, ())
    assert (row.state, row.result, row.ended_leaf) == (
        CaptureState.SEALED,
        CaptureResult.COMPLETE,
        exhibit.leaf_hash,
    )
    started = session.vault.log.leaf_by_hash(row.started_leaf)
    assert (started.type, parse_leaf(session.vault.log.leaf(exhibit.seq).leaf).type) == (
        LeafType.CAPTURE_STARTED, LeafType.CAPTURE_SEALED,
    )  # fmt: skip
    assert started.seq < exhibit.seq
    names = [item.path for item in exhibit.objects]
    assert names[0].endswith(".wacz")
    assert {"cleanliness-report.pdf", "page-001-viewport.png", "page-001.pdf", "page-002-full-01.png"} <= set(
        names
    )
    assert not (session.vault.folder / "captures" / row.id.hex()).exists()

    data = wacz_of(session, exhibit)
    found = verdict(session, data, bond_of(session, exhibit))
    assert [
        item.code
        for item in found.findings
        if item.status is Status.FAILED and item.dimension is Dimension.INTEGRITY
    ] == []
    passed = {item.check for item in found.findings if item.status is Status.PASSED}
    assert passed >= {
        "capture.form", "capture.manifest", "capture.files", "capture.started", "capture.streams", "capture.actions",
        "capture.tokens", "capture.result",
    }  # fmt: skip
    manifest = parse_manifest(row.manifest)
    assert manifest == found.manifest
    assert [page.title for page in manifest.pages] == ["证据台取证测试页", "证据台取证测试页"]
    assert manifest.counts["differences"] == 0
    assert manifest.counts["matched_requests"] == manifest.counts["browser_requests"] > 20

    reader = WaczReader(io.BytesIO(data))
    assert not {"keylog.txt", "cookies.json", "storage.json", "request.json"} & set(reader.evidence)
    text = reader.open("page-001.txt").read().decode()
    assert "刘䶮、㛃、陈𬱖、𠮷野" in text
    secrets = session.vault.objects.unwrap(reader.open("secrets.age").read(), case_number=exhibit.case_number)
    inside = ZipReader(io.BytesIO(secrets))
    private = {item.name: item for item in manifest.private}
    assert set(inside.names) == set(private) >= {"keylog.txt", "cookies.json"}
    key_log = inside.read("keylog.txt", 1 << 20)
    assert private["keylog.txt"].digests.matches(DigestPair.of(key_log))
    assert b"CLIENT_TRAFFIC_SECRET_0" in key_log
    assert b"TRAFFIC_SECRET" not in data


def test_certificate_record_and_package_of_a_capture(kept, tmp_path):
    session, captured = kept
    timestamp(session.desk, session.authorities, job=Job())
    exhibit = session.vault.exhibits.exhibit(captured.exhibit.leaf_hash)
    record = obtaining_record(session.desk, [exhibit], trust=session.trust, job=Job())
    assert record.exhibits[0].by_capture
    assert record.exhibits[0].exhibit.capture == parse_manifest(captured.capture.manifest)
    issuer = session.issuer()
    drafted = draft(session.desk, [exhibit], issuer, trust=session.trust, job=Job())
    assert drafted.certificate.failed_captures == 0
    everything = drafted.certificate.all_captures
    assert everything is not None
    assert (everything.started, everything.sealed, everything.unsealed) == (1, 1, 0)
    assert everything.leaves == session.vault.log.size() > 2
    issue(session.desk, drafted, None, issuer)
    with (tmp_path / "package.asice").open("w+b") as out:
        export(session.desk, exhibit, out, trust=session.trust, job=Job())
        result = verify_package(out, trust=session.trust, now=datetime.now(UTC), job=Job())
    assert result.overall is Status.PASSED, [item for item in result.findings if item.status is Status.FAILED]
    assert "capture.manifest" in {item.check for item in result.findings}


def test_any_changed_byte_is_noticed(kept):
    session, captured = kept
    data = wacz_of(session, captured.exhibit)
    bond = bond_of(session, captured.exhibit)
    for step in range(60):
        place = (step * 7919 + 31) % len(data)
        changed = bytearray(data)
        changed[place] ^= 1 << (step % 8)
        found = verdict(session, bytes(changed), bond)
        failed = [item for item in found.findings if item.status is Status.FAILED]
        assert any(item.dimension is Dimension.INTEGRITY for item in failed), place


def test_a_capture_of_another_exhibit_is_noticed(kept):
    session, captured = kept
    data = wacz_of(session, captured.exhibit)
    bond = bond_of(session, captured.exhibit)
    other = DigestPair.of(b"other")
    for wrong, check in (
        (Bond(manifest=other, environment=bond.environment, started=bond.started), "capture.manifest"),
        (Bond(manifest=bond.manifest, environment=other, started=bond.started), "capture.environment"),
        (Bond(manifest=bond.manifest, environment=bond.environment, started=bytes(32)), "capture.started"),
    ):
        failed = {
            item.check for item in verdict(session, data, wrong).findings if item.status is Status.FAILED
        }
        assert check in failed
    alone = verdict(session, data, None)
    assert {item.check for item in alone.findings if item.status is Status.UNDETERMINED} >= {
        "capture.manifest", "capture.started",
    }  # fmt: skip


def test_what_does_not_open_is_sealed_as_failed_and_counted(session, take):
    outcome = take("expired.test/", "self-signed.test/", "wrong-host.test/")
    assert outcome.result is CaptureResult.FAILED
    manifest = parse_manifest(outcome.capture.manifest)
    assert manifest.counts["certificate_errors"] == 3
    assert {page.state.value for page in manifest.pages} == {"failed"}
    assert failed_captures(session.desk, "案一") == 1
    reader = WaczReader(io.BytesIO(wacz_of(session, outcome.exhibit)))
    actions = [json.loads(line) for line in reader.open("actions.jsonl").read().splitlines()]
    errors = [item["facts"] for item in actions if item["kind"] == "certificate-error"]
    assert {(item["host"], item["accepted"]) for item in errors} == {
        (name, False) for name in ("expired.test", "self-signed.test", "wrong-host.test")
    }
    sessions = [json.loads(line) for line in reader.open("tls.jsonl").read().splitlines()]
    assert all(item["certificates"] for item in sessions if item["suite"])


def test_a_capture_given_up_stays_in_the_log(session, take):
    control = CaptureControl()
    control.told = lambda _event: control.abandon()
    outcome = take("site.test/endless.html", control=control)
    assert (outcome.exhibit, outcome.capture.state) == (None, CaptureState.ABANDONED)
    leaf = session.vault.log.leaf_by_hash(outcome.capture.ended_leaf)
    assert (leaf.type, parse_leaf(leaf.leaf).ref) == (
        LeafType.CAPTURE_ABANDONED,
        outcome.capture.started_leaf,
    )
    assert failed_captures(session.desk, "案一") == 1


def test_an_endless_page_is_partial_and_kept(session, take):
    outcome = take("site.test/endless.html", page_seconds=4)
    assert outcome.result is CaptureResult.PARTIAL
    manifest = parse_manifest(outcome.capture.manifest)
    assert manifest.pages[0].names
    assert manifest.counts["incomplete_exchanges"] >= 1
    found = verdict(session, wacz_of(session, outcome.exhibit), bond_of(session, outcome.exhibit))
    assert not [
        item
        for item in found.findings
        if item.status is Status.FAILED and item.dimension is Dimension.INTEGRITY
    ]
