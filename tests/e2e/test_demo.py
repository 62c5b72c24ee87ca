"""The demo as a newcomer runs it: every step by the real programs, and the failure at its end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.engine
@pytest.mark.timeout(600)
def test_demo_does_the_main_job(tmp_path: Path):
    out = tmp_path / "演示 demo"
    done = subprocess.run(
        [sys.executable, "scripts/demo.py"],
        cwd=ROOT, env={**os.environ, "EVIDENCE_DEMO_OUT": str(out)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("\n  passed: ") == 10
    assert done.stdout.count("court network: passed") == 7
    assert "passed: 网页取证.asice" in done.stdout
    assert "门户 portal: 已登记 演示/非第三方" in done.stdout
    assert done.stdout.count("\n  failed: ") == 3
    assert "\n  undetermined: " in done.stdout
    assert "演示/非第三方" in done.stdout
    packages = sorted((out / "results").glob("*.asice"))
    assert len(packages) == 7
    verifier = Path(sys.executable).with_name("evidence-verify")
    again = subprocess.run(
        [verifier, packages[0], "--trust", out / "vault" / "trust", "--strict", "--json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert again.returncode == 2, "a demo authority is a caveat, and --strict counts caveats"
    assert json.loads(again.stdout)["overall"] == "passed"
