"""The workflow files are YAML of the expected form, name targets and commands that exist, and do not boast."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from evidence_desk.cli.main import COMMANDS

ROOT = Path(__file__).parents[3]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def steps(path: Path) -> list[dict[str, Any]]:
    told = yaml.safe_load(path.read_text("utf-8"))
    assert told["permissions"] == {"contents": "read"}
    return [step for job in told["jobs"].values() for step in job["steps"]]


def test_both_are_there():
    assert [path.name for path in FILES] == ["packages.yml", "test.yml"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_workflow(path: Path):
    asked = []
    for step in steps(path):
        assert ("uses" in step) != ("run" in step)
        asked += re.findall(r"\bmake ([a-z-]+)", step.get("run", ""))
        if "uses" in step:
            assert re.fullmatch(r"actions/[a-z-]+@(v\d+|[0-9a-f]{40})", step["uses"])
    assert asked
    assert set(asked) <= TARGETS
    assert "not run by the authors" in path.read_text("utf-8").lower()


def test_ubuntu_makes_what_windows_uses():
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "packages.yml").read_text("utf-8"))["jobs"]
    assert (jobs["build"]["runs-on"], jobs["windows"]["runs-on"], jobs["windows"]["needs"]) == (
        "ubuntu-latest",
        "windows-latest",
        "build",
    )
    text = "\n".join(step.get("run", "") for step in jobs["windows"]["steps"])
    commands = set(re.findall(r"\bevidence-desk ([a-z]+)", text))
    assert {"selftest", "init", "seal", "capture", "audit"} <= commands <= set(COMMANDS)
    assert text.count("$LASTEXITCODE -ne 0") == len(
        re.findall(r"^(?:\$sealed = )?(?:evidence-desk |& )", text, re.MULTILINE)
    )
