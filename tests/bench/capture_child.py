"""A process that captures a small body and then a large one, and says how much memory each stage took at most.

``python -m tests.bench.capture_child ORDER``; resident size of this process alone (Linux), which records, decodes and seals.
"""

from __future__ import annotations

import base64
import json
import sys
import time
from pathlib import Path

from evidence_desk.core.capture.plan import CapturePlan
from evidence_desk.core.job import Job
from evidence_desk.services.capture import capture
from evidence_desk.services.seal import SealRequest
from tests.bench.capture import bench_tools
from tests.bench.files import demo_session

MB = 1_000_000


def resident(name: str) -> float:
    """``VmRSS`` or ``VmHWM``, MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024 / MB
    raise AssertionError(name)


class Stages:
    """Peak resident size by what was being done."""

    def __init__(self) -> None:
        self.peaks: dict[str, float] = {}
        self._stage = "capture.look"
        self.reset()

    def reset(self) -> None:
        Path("/proc/self/clear_refs").write_text("5")

    def told(self, stage: str, _done: int, _total: int) -> None:
        if stage != self._stage:
            self.close()
            self._stage = stage

    def close(self) -> None:
        self.peaks[self._stage] = max(self.peaks.get(self._stage, 0), resident("VmHWM"))
        self.reset()


def main() -> None:
    """Capture both and print the figures as JSON."""
    order = json.loads(sys.argv[1])
    session = demo_session(Path(order["vault"]))
    said: dict[str, object] = {}
    for name in ("small", "large"):
        before, stages, start = resident("VmRSS"), Stages(), time.monotonic()
        plan = CapturePlan(
            urls=(order[name],), allow_private=True, extra_ca=(base64.b64decode(order["root"]),), page_seconds=300
        )  # fmt: skip
        outcome = capture(
            session.desk, bench_tools(session), plan, SealRequest(case_number="案"), job=Job(stages.told)
        )
        stages.close()
        assert outcome.result is not None
        peaks = {stage: round(peak - before, 1) for stage, peak in stages.peaks.items()}
        said[name] = {
            "before": before, "peaks": peaks, "seconds": time.monotonic() - start, "result": outcome.result.value,
            "reasons": [item.code for item in outcome.reasons],
        }  # fmt: skip
    session.close()
    print(json.dumps(said))


if __name__ == "__main__":
    main()
