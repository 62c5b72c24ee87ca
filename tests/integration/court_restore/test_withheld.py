"""Gateways that withhold envelopes: a restore through them says that it is not complete, and heals by another one."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from typing import Any

import pytest

from evidence_desk.bootstrap.restoring import Secret, opener
from evidence_desk.cli.main import main
from evidence_desk.core.job import Job
from evidence_desk.services.earlier_logs import EarlierOutcome, complete_earlier
from evidence_desk.services.earlier_marks import unopened
from evidence_desk.texts import Language, sentence
from evidence_desk.vault.recovery import format_recovery_key, new_recovery_key
from tests.integration.court_restore.between import withholding
from tests.integration.court_restore.office import PASSPHRASE, Office
from tests.integration.court_restore.test_commands import Run, run
from tests.integration.court_restore.test_lying_gateways import UNOPENED, Liar

pytestmark = pytest.mark.engine

__all__ = ["run"]


def complete(office: Office, *liars: str) -> EarlierOutcome:
    """Complete with one liar for each name, and the honest second gateway when there is none."""
    session = office.restored[-1]
    court = session.court()
    gateways = tuple(
        Liar(court.gateways[number % 2], UNOPENED[how], f"liar{number}") for number, how in enumerate(liars)
    )
    return complete_earlier(
        session.desk, replace(court, gateways=gateways or court.gateways),
        take_copies=opener(session.vault, Secret(passphrase=PASSPHRASE)), job=Job(),
    )  # fmt: skip


@pytest.mark.parametrize("how", UNOPENED)
def test_what_one_gateway_withholds_comes_with_the_next(office: Office, how: str):
    office.seal("early.txt")
    kept = office.backup()
    rows = office.seal("a.txt", "b.txt")
    office.timestamp()
    office.anchor()
    office.lose_disk()
    session = office.from_backup(kept, offline=True).session
    for _ in range(2):
        found = complete(office, how)
        assert found.withheld > 0
        assert found.closed == unopened(session.desk) >= len(rows)
    healed = complete(office)
    assert (healed.withheld, healed.closed, unopened(session.desk)) == (0, 0, 0)
    assert all(session.vault.exhibits.exhibit(row.leaf_hash) is not None for row in rows)


def test_what_two_gateways_have_alike_is_settled(office: Office):
    kept = office.backup()
    office.seal("a.txt", leaves_only=True)
    office.timestamp()
    office.anchor()
    office.lose_disk()
    session = office.from_backup(kept).session
    assert office.restored[-1] is session
    found = complete(office)
    assert (found.withheld, unopened(session.desk)) == (0, 1)
    assert complete(office, "no envelopes").logs == {}, "it is not asked for again"


def test_what_is_refused_before_the_key_is_asked_for(office: Office, run: Run):
    run("seal", office.file("a.txt"))
    origin = run("list")["exhibits"][0]["log"]
    run("anchor", "--wait")
    given = ["restore", "--from-network", "--trust", office.trust, "--gateway", office.gateways[0]]

    def refused(*more: str, vault: str = "new", status: int = 64) -> dict[str, Any]:
        error: dict[str, Any] = run(*given, *more, vault=vault, status=status)["error"]
        return error

    assert refused("--origin", "desk.test/1")["code"] == "restore.origin"
    occupied = refused("--origin", origin, "--yes", vault="vault")
    assert (occupied["code"], occupied["parameters"]["folder"]) == (
        "vault.exists",
        str(office.folder / "vault"),
    )
    assert refused("--origin", origin)["code"] == "restore.not_confirmed"
    lacking = refused("--origin", origin, "--yes", status=77)
    assert lacking["code"] == "cli.no_recovery_key"
    assert "恢复密钥" in lacking["title"]
    assert not (office.folder / "new").exists()
    assert run("anchor", "--wait"), "the desk goes on"


@pytest.mark.parametrize(("said", "code"), [("", "restore.canceled"), ("y", "vault.wrong_recovery_key")])
def test_a_desk_in_use_is_asked_about(
    office: Office, run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], said: str,
    code: str,
):  # fmt: skip
    run("seal", office.file("a.txt"))
    origin = run("list")["exhibits"][0]["log"]
    run("anchor", "--wait")
    given = ["restore", "--from-network", "--trust", office.trust, "--gateway", office.gateways[0]]
    terminal = StringIO(said + "\n")
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)
    monkeypatch.setenv("EVIDENCE_DESK_RECOVERY_KEY", format_recovery_key(new_recovery_key()))
    arguments = [*given, "--origin", origin, "--vault", office.folder / "new"]
    assert main([str(item) for item in arguments]) != 0
    captured = capsys.readouterr()
    assert "仍在使用中" in captured.out
    assert sentence(code, {}, Language.ZH) in captured.err.replace("\n", "")


def test_the_command_says_so(
    office: Office, run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    run("seal", office.file("a.txt"), "--case", "案一")
    origin = run("list")["exhibits"][0]["log"]
    run("anchor", "--wait")
    monkeypatch.setenv("EVIDENCE_DESK_RECOVERY_KEY", office.recovery_key)
    wanted = ["restore", "--from-network", "--trust", office.trust, "--origin", origin, "--yes"]
    with withholding(office.gateways[0]) as url:
        found = run(*wanted, "--gateway", url, vault="new", status=3)
        assert found["exhibits"] == 0
        assert found["network"]["withheld"] == found["network"]["closed"] > 0
        said = run("anchor", vault="new", text=True)
        assert "可能隐瞒" in said
    folder = office.folder / "new"
    given = ["--gateway", office.gateways[1], "--trust", office.trust, "--vault", folder]
    assert main([str(item) for item in ("network", "join", *given)]) == 0
    capsys.readouterr()
    with withholding(office.gateways[0]):
        assert "原件齐全" not in run("anchor", vault="new", text=True)
    assert run("list", vault="new")["exhibits"][0]["title"] == "a.txt"
