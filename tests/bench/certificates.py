"""Issuing certificates, and the cold verifier."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from evidence_desk.core.job import Job
from evidence_desk.services.certify import certify
from evidence_desk.services.export import export
from evidence_desk.services.seal import SealRequest, seal
from evidence_desk.services.timestamp import timestamp
from tests.bench.files import demo_session
from tests.bench.report import Figure, median, percentile


def issuing(folder: Path, small: bool) -> Iterator[Figure]:
    """Certificates of one exhibit each, PAdES B-T, demo keys, authority in-process; logged one by one."""
    count = 20 if small else 1_000
    session = demo_session(folder / "vault")
    paths = [folder / f"{number}.bin" for number in range(count)]
    for path in paths:
        path.write_bytes(os.urandom(512))
    rows = [item.exhibit for item in seal(session.desk, paths, SealRequest(case_number="bench"), job=Job())]
    timestamp(session.desk, session.authorities, job=Job())
    issuer, trust = session.issuer(), session.trust
    times: list[float] = []
    for row in rows:
        assert row is not None
        start = time.perf_counter()
        certify(session.desk, [row], issuer, trust=trust, job=Job())
        times.append(time.perf_counter() - start)
    session.close()
    warm = times[5:]
    yield Figure("certificate B-T, warm, p50", percentile(warm, 0.5) * 1000, "ms", 120,
                 f"{len(warm)} runs; first {times[0] * 1000:.0f} ms; p99 {percentile(warm, 0.99) * 1000:.0f} ms")  # fmt: skip
    yield Figure(f"{count:,} certificates", sum(times), "s", 100 * count / 1000, "one after another")


def cold_verification(folder: Path, small: bool) -> Iterator[Figure]:
    """``evidence-verify`` of a package with a certificate inside, a new process each time."""
    session = demo_session(folder / "vault")
    original = folder / "original.bin"
    original.write_bytes(os.urandom(1 << 20))
    (outcome,) = seal(session.desk, [original], SealRequest(case_number="bench"), job=Job())
    assert outcome.exhibit is not None
    timestamp(session.desk, session.authorities, job=Job())
    trust = folder / "vault" / "trust"
    for name, certified in (("package", False), ("package with certificate", True)):
        if certified:
            certify(session.desk, [outcome.exhibit], session.issuer(), trust=session.trust, job=Job())
        package = folder / f"{certified}.asice"
        with package.open("xb") as stream:
            export(session.desk, outcome.exhibit, stream, trust=session.trust, job=Job())
        program = str(Path(sys.executable).with_name("evidence-verify"))
        command = [program, str(package), "--trust", str(trust)]
        took = median(partial(subprocess.run, command, check=True, capture_output=True), 3 if small else 9)
        yield Figure(f"evidence-verify, cold process, {name}", took, "s", 1, "median of new processes")
    session.close()
