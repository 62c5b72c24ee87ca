"""`evidence-desk identity`: nothing without confirmation, a custody event before the key, a file that age takes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from evidence_desk.cli.main import main
from evidence_desk.errors import CanceledError

CASE = "（2026）虚0102民初371号"
CONTENT = "内容：age 可以取回\n".encode() * 5000


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("identity")
    (folder / "一.txt").write_bytes(CONTENT)
    (folder / "二.txt").write_bytes(b"other case")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVIDENCE_DESK_VAULT", str(folder / "vault"))
        patch.setenv("EVIDENCE_DESK_PASSPHRASE", "pw")
        assert main(["init", "--json"]) == 0
        assert main(["seal", str(folder / "一.txt"), "--case", CASE, "--json"]) == 0
        assert main(["seal", str(folder / "二.txt"), "--case", "other", "--json"]) == 0
    return folder


@pytest.fixture
def desk(sealed, tmp_path, monkeypatch, capsys) -> Path:
    folder: Path = shutil.copytree(sealed, tmp_path / "desk")
    monkeypatch.setenv("EVIDENCE_DESK_VAULT", str(folder / "vault"))
    monkeypatch.setenv("EVIDENCE_DESK_PASSPHRASE", "pw")
    capsys.readouterr()
    return folder


def said(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> dict[str, Any]:
    assert main([*words, "--json"]) == status
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def actions(capsys: pytest.CaptureFixture[str], title: str) -> list[str]:
    listed = said(capsys, "list")["exhibits"]
    number = next(item["number"] for item in listed if item["objects"][0]["path"] == title)
    return [event["action"] for event in said(capsys, "custody", number)["events"]]


@pytest.mark.usefixtures("desk")
def test_without_confirmation_there_is_no_key(capsys):
    assert main(["identity", CASE]) == 64
    told = capsys.readouterr()
    assert "AGE-SECRET-KEY" not in told.out + told.err
    assert "identity_shown" not in actions(capsys, "一.txt")


@pytest.mark.usefixtures("desk")
def test_unknown_case(capsys):
    assert said(capsys, "identity", "没有此案", "--yes", status=66)["error"]["code"] == "vault.case_unknown"


@pytest.mark.usefixtures("desk")
def test_it_warns_and_enters_the_custody_record_of_this_case_alone(capsys):
    assert main(["identity", CASE, "--yes", "--operator", "钱知微"]) == 0
    told = capsys.readouterr()
    assert "AGE-SECRET-KEY-1" in told.out
    assert "AGE-SECRET-KEY" not in told.err
    assert told.err.strip()
    assert actions(capsys, "一.txt")[-1] == "identity_shown"
    assert "identity_shown" not in actions(capsys, "二.txt")
    assert main(["audit", "--json"]) == 0


@pytest.mark.usefixtures("desk")
def test_no_key_when_it_cannot_be_recorded(capsys, monkeypatch):
    def refuse(*_: object) -> None:
        raise CanceledError("job.canceled")

    monkeypatch.setattr("evidence_desk.cli.identity.record", refuse)
    assert main(["identity", CASE, "--yes"]) == 130
    told = capsys.readouterr()
    assert "AGE-SECRET-KEY" not in told.out + told.err


@pytest.mark.skipif(shutil.which("age") is None, reason="age is not installed")
def test_age_recovers_the_original(desk, capsys):
    assert main(["identity", CASE, "--yes"]) == 0
    key = desk / "key.txt"
    key.write_text(capsys.readouterr().out, encoding="utf-8")
    (stored,) = said(capsys, "identity", CASE, "--yes")["objects"]
    done = subprocess.run(
        ["age", "--decrypt", "-i", key, desk / "vault" / "objects" / stored["stored"]],
        capture_output=True,
        env={**os.environ},
        check=True,
    )
    assert done.stdout == CONTENT
    shown = said(capsys, "show", stored["number"])
    assert shown["objects"][0]["stored"] == stored["stored"]
