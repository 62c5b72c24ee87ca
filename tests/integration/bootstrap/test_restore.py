"""A restored desk goes on in a successor log, and what the lost one did stays verifiable."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from evidence_desk.bootstrap.opening import init_session
from evidence_desk.bootstrap.restoring import restore_session
from evidence_desk.core.job import Job
from evidence_desk.core.leaf import LeafType
from evidence_desk.core.verdict import Status
from evidence_desk.services.audit import audit
from evidence_desk.services.certify import certify
from evidence_desk.services.export import export
from evidence_desk.services.seal import SealRequest, seal
from evidence_desk.services.timestamp import timestamp
from evidence_desk.vault.backup import backup
from evidence_desk.verify.files import Originals, read_trust, verify_path
from tests.unit.vault.rows import CHEAP

REQUEST = SealRequest(case_number="（2026）测2号")


def test_restored_desk(tmp_path: Path):
    original = tmp_path / "原件.txt"
    original.write_bytes(b"original")
    lost, recovery_key = init_session(tmp_path / "lost", "x", office="test", demo=True, kdf=CHEAP)
    (sealed,) = seal(lost.desk, [original], REQUEST, job=Job())
    assert sealed.exhibit is not None
    timestamp(lost.desk, lost.authorities, job=Job())
    issued = certify(lost.desk, [sealed.exhibit], lost.issuer(), trust=lost.trust, job=Job())
    old_origin, old_size = lost.desk.origin, lost.desk.log.size
    backup(lost.vault, tmp_path / "backup")
    # What comes after the backup is lost with the disk; the restored desk must not be able to contradict it.
    late = tmp_path / "late.txt"
    late.write_bytes(b"late")
    seal(lost.desk, [late], REQUEST, job=Job())
    lost.close()

    found = restore_session(
        tmp_path / "backup", tmp_path / "found", passphrase=None, recovery_key=recovery_key, job=Job()
    )
    desk = found.desk
    assert desk.origin != old_origin
    assert [row.type for row in found.vault.log.leaves(0, 2)] == [LeafType.LOG_OPENED, LeafType.LOG_SUCCEEDS]
    assert f'"origin":"{old_origin}"'.encode() in found.vault.log.leaf(1).leaf
    assert f'"size":{old_size}'.encode() in found.vault.log.leaf(1).leaf
    assert audit(desk, job=Job()).faults == ()
    row = found.vault.exhibits.exhibit(sealed.exhibit.leaf_hash)
    assert row is not None
    assert row.origin == old_origin

    package, certificate = tmp_path / "old.asice", tmp_path / "old.pdf"
    with package.open("xb") as stream:
        export(desk, row, stream, trust=found.trust, job=Job())
    certificate.write_bytes(issued.certificate.pdf)
    (new,) = seal(desk, [late], REQUEST, job=Job())
    assert new.exhibit is not None
    timestamp(desk, found.authorities, job=Job())
    newer = tmp_path / "new.asice"
    with newer.open("xb") as stream:
        export(desk, new.exhibit, stream, trust=found.trust, job=Job())
    trust = read_trust(tmp_path / "found" / "trust")
    found.close()
    for path in (package, certificate, newer):
        judged = verify_path(
            path, originals=Originals([original] if path is certificate else [], Job()), trust=trust,
            now=datetime.now(UTC), job=Job(),
        )  # fmt: skip
        wrong = [item.code for item in judged.verdict.findings if item.status is Status.FAILED]
        assert wrong == []
        assert judged.verdict.overall is Status.PASSED, path.name
