"""The self-test passes here, and does not pass when a part is broken."""

from __future__ import annotations

import json
import sys

import pytest

from evidence_desk.bootstrap.selftest import parts
from evidence_desk.bootstrap.selftest.parts import PARTS
from evidence_desk.bootstrap.selftest.steps import Result, Step, expect, run
from evidence_desk.bootstrap.selftest.whole_job import WholeJob
from evidence_desk.cli.main import main
from evidence_desk.errors import HostError
from evidence_desk.texts import Language, has

NAMES = [step.name for step in (*PARTS, *WholeJob(Language.ZH).steps())]


@pytest.fixture(autouse=True)
def folder_of_temporary_files(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")


def test_everything_passes_here(capsys, tmp_path):
    """All of it: the window in its process, the capture browser, the main job."""
    result = tmp_path / "结果.json"
    assert main(["selftest", "--json", "-o", str(result)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == json.loads(result.read_text("utf-8"))
    assert told["passed"]
    assert [item["name"] for item in told["steps"]] == NAMES
    assert {item["result"] for item in told["steps"]} == {"passed"}
    assert list(tmp_path.iterdir()) == [result]


@pytest.mark.parametrize("language", Language)
def test_a_broken_part_is_told(capfd, monkeypatch, language):
    monkeypatch.setattr(parts, "_SM3_ABC", "00")
    others = [option for name in NAMES if name != "guomi" for option in ("--skip", name)]
    assert main(["selftest", "--lang", language, *others]) == 78
    said = capfd.readouterr().out
    assert "SM3" in said
    assert has("selftest.failed", language)


def test_broken_window_is_told(capfd, monkeypatch):
    monkeypatch.setattr(
        parts, "command_for", lambda _role: (sys.executable, "-c", "raise SystemExit('no Qt')")
    )
    others = [option for name in NAMES if name != "window" for option in ("--skip", name)]
    assert main(["selftest", "--json", *others]) == 78
    told = json.loads(capfd.readouterr().out)
    (window,) = [item for item in told["steps"] if item["result"] != "skipped"]
    assert (window["result"], "no Qt" in window["fact"]) == ("failed", True)


def test_wrong_steps_and_existing_files_are_refused(capfd, tmp_path):
    assert main(["selftest", "--skip", "stranger"]) == 64
    assert "sqlcipher" in capfd.readouterr().err
    (tmp_path / "there").write_text("x")
    assert main(["selftest", "-o", str(tmp_path / "there")]) != 0


def test_what_rests_on_a_failed_step_is_not_tried(tmp_path):
    def broken(_folder):
        raise HostError("host.disk_full", path="x")

    def zero(_folder):
        expect(0, "zero")

    plan = (
        Step(name="a", work=broken),
        Step(name="b", work=lambda _: "", needs=("a",)),
        Step(name="c", work=zero),
        Step(name="d", work=lambda _: "fact"),
        Step(name="e", work=lambda _: "", needs=("d",)),
    )
    outcomes = list(run(plan, tmp_path, skip=["d"]))
    assert [item.result for item in outcomes] == [
        Result.FAILED, Result.NOT_TRIED, Result.FAILED, Result.SKIPPED, Result.NOT_TRIED,
    ]  # fmt: skip
    assert isinstance(outcomes[0].error, HostError)
    assert outcomes[2].fact == "SelftestError: zero"


@pytest.mark.parametrize("language", Language)
def test_every_step_has_its_name(language):
    assert all(has(f"selftest.{name}", language) for name in NAMES)
    assert all(has(f"selftest.result.{result.value}", language) for result in Result)
