"""The whole job by three people at the desktop program, under Xvfb, with real court nodes. ``make e2e`` runs this alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.gui.screens import FOLDER

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(shutil.which("Xvfb") is None, reason="needs Xvfb (scripts/setup.sh installs it)"),
]


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """A screen nobody sees."""
    read, write = os.pipe()
    with subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "2560x1700x24", "-nolisten", "tcp"],
        pass_fds=(write,), stderr=subprocess.DEVNULL,
    ) as server:  # fmt: skip
        os.close(write)
        with os.fdopen(read, encoding="ascii") as told:  # open till the end: it writes more than one piece
            yield f":{told.readline().strip()}"
            server.terminate()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the sample case."""
    folder = tmp_path_factory.mktemp("stage")
    evidence = folder / "证据"
    evidence.mkdir()
    for path in sorted((ROOT / "assets" / "sample_case").rglob("*")):
        if path.is_file() and path.suffix not in {".md", ".json"} and not path.name.startswith("."):
            shutil.copy(path, evidence / path.name)
    return folder


def play(scene: str, stage: Path, display: str, person: str, scale: str = "1") -> dict[str, Any]:
    """One scene in a process of its own; its last line."""
    environment = {
        **os.environ, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb", "EVIDENCE_DESK_CONFIG": str(stage / person),
        "EVIDENCE_DESK_STATE": str(stage / f"{person}-state"), "QT_SCALE_FACTOR": scale, "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "error", "QT_LOGGING_RULES": "",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "tests.e2e.desktop.play", str(stage), scene], env=environment, capture_output=True,
        text=True, timeout=420, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    assert "Traceback" not in done.stderr, done.stderr[-4000:]
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert said["complaints"] == []
    print(f"{scene}: {', '.join(said['pictures'])}")
    return said


@contextmanager
def nodes(stage: Path) -> Iterator[None]:
    """The court nodes that the lawyer's program had started, up again."""
    command = [sys.executable, "-m", "evidence_desk.court.node", "localnet", "4", "--dir", str(stage / "存证库-demo-court"), "--until-eof"]  # fmt: skip
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["gateways"]
        yield
        process.terminate()


def test_a_lawyer_seals_a_notary_certifies_a_judge_verifies(stage: Path, display: str):
    shutil.rmtree(FOLDER, ignore_errors=True)
    sealed = play("lawyer", stage, display, "lawyer")
    assert sealed["sealed"] == len(list((stage / "证据").iterdir()))
    (stage / "lawyer.json").write_text(json.dumps(sealed), "utf-8")
    issued = play("notary", stage, display, "lawyer")
    (stage / "notary.json").write_text(json.dumps(issued), "utf-8")
    assert issued["second"] == "passed"
    with nodes(stage):
        judged = play("judge", stage, display, "judge")
    assert judged["blind"] == "undetermined"
    assert judged["dimensions"]["integrity"] == "passed"
    assert judged["dimensions"]["time"] == "passed"
    assert judged["dimensions"]["court"] == "passed"
    assert judged["flipped"] == "failed"
    assert judged["number_found"]
    doubled = play("looks", stage, display, "lawyer", scale="2")
    assert len(sealed["pictures"] + issued["pictures"] + judged["pictures"] + doubled["pictures"]) >= 15
