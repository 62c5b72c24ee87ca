"""The court part of a proof: its size, and checking a certificate that carries it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from evidence_desk.core.job import Job
from evidence_desk.core.verdict import CERTIFICATE_POLICY, Status, Verdict
from evidence_desk.services.certify import certify
from evidence_desk.verify.certified import verify_certified
from tests.bench.report import Figure, median
from tests.unit.verify.court_evidence import keep, make_bench
from tests.unit.verify.evidence import Scene

CHANGES = 10


def part_size(folder: Path, small: bool) -> Iterator[Figure]:
    """Canonical bytes of a court part of 7 validators, in a state of many look-up keys and accepted checkpoints."""
    keys = 2_000 if small else 1_000_000
    scene = Scene(folder)
    bench = make_bench(scene, lookups=keys, records=keys)
    size = len(bench.court.anchor(scene.item("single"), stamp=False).encode())
    scene.session.close()
    yield Figure("court part, 7 validators, no history, no tokens", size / 1024, "KiB", 12,
                 f"{keys:,} look-up keys, {keys:,} checkpoints")  # fmt: skip


def certificate(folder: Path, small: bool) -> Iterator[Figure]:
    """A certificate whose proof follows 10 changes of the validators, checked whole in a warm process."""
    scene = Scene(folder)
    bench = make_bench(scene, changes=CHANGES)
    keep(scene.session, bench.item("single"))
    row, session = scene.rows["single"], scene.session
    pdf = certify(session.desk, [row], session.issuer(), trust=bench.trust, job=Job()).certificate.pdf

    def check() -> None:
        verdict = verify_certified(
            pdf, files=scene.item("single").files, trust=bench.trust, now=datetime.now(UTC)
        )
        passed = Verdict(policy=CERTIFICATE_POLICY, findings=verdict.findings).overall is Status.PASSED
        anchored = any(item.code == "court.anchor.right" for item in verdict.findings)
        if not (passed and anchored):
            raise AssertionError("the certificate under measurement does not pass")

    check()
    took = median(check, 3 if small else 15)
    item = scene.item("single")
    alone = median(lambda: item.judge(bench.trust), 3 if small else 15)
    session.close()
    yield Figure("certificate with 10 validator-set changes, checked, warm", took, "s", 0.3,
                 f"median; all of it: PDF, signature, text, values, proof; the proof alone {alone * 1000:.0f} ms, certificate {len(pdf) / 1024:.0f} KiB")  # fmt: skip
