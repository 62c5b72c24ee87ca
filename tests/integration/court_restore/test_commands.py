"""The commands, as a person or a script gives them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evidence_desk.cli.main import main
from tests.integration.court_restore.office import PASSPHRASE, Office

pytestmark = pytest.mark.engine

Run = Callable[..., Any]


@pytest.fixture
def run(office: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("EVIDENCE_DESK_PASSPHRASE", PASSPHRASE)
    monkeypatch.delenv("EVIDENCE_DESK_RECOVERY_KEY", raising=False)
    office.session.close()

    def command(*arguments: str | Path, status: int = 0, vault: str = "vault", text: bool = False) -> Any:
        given = [str(item) for item in (*arguments, "--vault", office.folder / vault)]
        assert main(given if text else [*given, "--json"]) == status, capsys.readouterr()
        captured = capsys.readouterr()
        return captured.out + captured.err if text else json.loads(captured.out)

    return command


def test_erase_then_restore_from_the_network(office: Office, run: Run, monkeypatch: pytest.MonkeyPatch):
    run("seal", office.file("a.txt"), "--case", "案一")
    run("seal", office.file("b.txt"), "--case", "案二", "--leaves-only")
    run("seal", office.file("c.txt"), "--case", "案三", "--blind")
    shown = run("list")["exhibits"]
    assert run("anchor", "--wait")["keybag"]["whole"]
    kept = office.folder / "backup"
    run("backup", kept)

    assert run("erase", "案三", "--reason", "x", status=64)["error"]["code"] == "erase.not_confirmed"
    assert run("erase", "案三", "--yes", status=64)["error"]["code"] == "erase.no_reason"
    assert run("erase", "案九", "--yes", "--reason", "x", status=66)["error"]["code"] == "erase.no_case"
    erased = run("erase", "案三", "--yes", "--reason", "当事人要求", "--operator", "王五")
    assert (erased["exhibits"], len(erased["keybag"]["replaced"])) == (1, 2)
    assert len(erased["remains"]) == 3
    assert [item["title"] for item in run("list")["exhibits"]] == ["a.txt", "b.txt", ""]
    assert run("audit")["faults"] == []
    number = shown[2]["number"]
    assert [item["action"] for item in run("custody", number)["events"]] == ["sealed", "erased"]
    assert (
        run("export", number, "-o", office.folder / "x.asice", status=66)["error"]["code"]
        == "vault.case_erased"
    )
    assert "案件已删除" in run("show", number, text=True)
    run("anchor", "--wait")

    monkeypatch.setenv("EVIDENCE_DESK_RECOVERY_KEY", office.recovery_key)
    gateways = [part for url in office.gateways for part in ("--gateway", url)]
    assert run("restore", "--from-network", *gateways, "--trust", office.trust, vault="new", status=64)[
        "error"
    ]["code"]
    assert run("restore", vault="new", status=64)["error"]["code"] == "restore.nothing"
    restored = run(
        "restore",
        "--from-network",
        *gateways,
        "--trust",
        office.trust,
        "--origin",
        shown[0]["log"],
        "--yes",
        vault="new",
    )
    assert restored["log"] == shown[0]["log"][:-1] + "2"
    assert (restored["exhibits"], restored["erased"], restored["originals"]) == (2, ["案三"], {"missing": 1})
    assert restored["network"]["registration"]["status"] == "approved"
    assert restored["network"]["logs"][shown[0]["log"]]["closed"] == 2
    monkeypatch.delenv("EVIDENCE_DESK_RECOVERY_KEY")
    assert run("recheck", vault="new", status=1)["exhibits"][0]["missing"] == [0]
    filled = run("restore", "--originals", kept, vault="new")
    assert filled["originals"] == {"filled": 1, "missing": 0}
    assert run("anchor", "--wait", vault="new")["earlier"]["registration"]["status"] == "registered"
    assert run("certify", shown[0]["number"], "-o", office.folder / "c.pdf", vault="new")["certificate"]


def test_restore_by_words(office: Office, run: Run):
    run("seal", office.file("a.txt"))
    run("anchor", "--wait")
    run("backup", office.folder / "backup")
    run("seal", office.file("b.txt"))
    run("anchor", "--wait")
    said = run("restore", office.folder / "backup", vault="new", text=True)
    assert "取回 2 条" in said
    assert "后继日志" in said
    again = run("restore", office.folder / "backup", vault="third", status=78)
    assert again["error"]["code"] == "restore.origin_taken"
    further = run("restore", office.folder / "backup", "--further-epoch", vault="third")
    assert further["log"].endswith("/3")


def test_after_rotations_of_the_keys(office: Office, run: Run, monkeypatch: pytest.MonkeyPatch):
    for name in ("a.txt", "b.txt", "c.txt"):
        run("seal", office.file(name))
        run("anchor", "--wait")
        monkeypatch.setenv("EVIDENCE_DESK_RECOVERY_KEY", office.recovery_key)
        run("identity", "rotate", "--recovery-key")
        monkeypatch.delenv("EVIDENCE_DESK_RECOVERY_KEY")
    run("seal", office.file("d.txt"))
    shown = run("list")["exhibits"]
    run("anchor", "--wait")
    monkeypatch.setenv("EVIDENCE_DESK_RECOVERY_KEY", office.recovery_key)
    gateways = [part for url in office.gateways for part in ("--gateway", url)]
    restored = run(
        "restore",
        "--from-network",
        *gateways,
        "--trust",
        office.trust,
        "--origin",
        shown[0]["log"],
        "--yes",
        vault="new",
    )
    assert restored["exhibits"] == 4
    monkeypatch.delenv("EVIDENCE_DESK_RECOVERY_KEY")
    assert run("anchor", "--wait", vault="new")["earlier"]["leaves"] == 0
    assert all(item["states"]["anchored"] for item in run("list", vault="new")["exhibits"])


def test_copies_by_hand(office: Office, run: Run):
    assert len(run("network", "keybag", "--delete")["deleted"]) == 2
    assert run("network", "keybag", "--delete")["faults"] == [], "there need not be one"
    assert len(run("network", "keybag")["sent"]) == 2
    assert "2 个网关" in run("network", "keybag", text=True)
    assert office.gateways
