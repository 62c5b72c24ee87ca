"""The passphrase in the keyring: only when told to, and never for worse than typing it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backends import fail

from evidence_desk.vault.passphrase import change_passphrase
from tests.integration.cli.conftest import SECRET, Runs
from tests.unit.test_keyring_store import InMemory


@pytest.fixture(autouse=True)
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemory]:
    """A keyring and a configuration folder of this test alone."""
    before, backend = keyring.core._keyring_backend, InMemory()
    keyring.set_keyring(backend)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    yield backend
    keyring.core._keyring_backend = before


def test_remembered_until_forgotten(run: Runs, memory, monkeypatch):
    assert run("passphrase", "--remember", "--json").document["remembered"] is True
    assert list(memory.held.values()) == [SECRET]
    monkeypatch.delenv("EVIDENCE_DESK_PASSPHRASE")
    assert run("list").status == 0
    assert run("passphrase", "--forget").status == 0
    assert memory.held == {}
    assert run("list", "--json").document["error"]["code"] == "cli.no_passphrase"
    assert "没有保存" in run("passphrase", "--forget").out


def test_off_by_default(run: Runs, memory):
    assert run("list").status == 0
    assert memory.held == {}


def test_a_wrong_passphrase_is_not_remembered(run: Runs, memory, monkeypatch):
    monkeypatch.setenv("EVIDENCE_DESK_PASSPHRASE", "wrong")
    assert run("passphrase", "--remember", "--json").document["error"]["code"] == "vault.wrong_passphrase"
    assert memory.held == {}


def test_a_change_is_followed(run: Runs, memory, monkeypatch):
    run("passphrase", "--remember")
    monkeypatch.setenv("EVIDENCE_DESK_NEW_PASSPHRASE", "second")
    assert run("passphrase").status == 0
    assert list(memory.held.values()) == ["second"]
    monkeypatch.delenv("EVIDENCE_DESK_PASSPHRASE")
    assert run("list").status == 0


def test_a_change_made_elsewhere_costs_one_attempt(run: Runs, memory, vault, monkeypatch):
    run("passphrase", "--remember")
    change_passphrase(vault, SECRET, "second")
    monkeypatch.delenv("EVIDENCE_DESK_PASSPHRASE")
    assert run("list", "--json").document["error"]["code"] == "keyring.stale"
    assert memory.held == {}
    assert run("list", "--json").document["error"]["code"] == "cli.no_passphrase"


def test_a_locked_keyring_falls_back_to_asking(run: Runs, memory, monkeypatch):
    run("passphrase", "--remember")
    memory.locked = True
    monkeypatch.delenv("EVIDENCE_DESK_PASSPHRASE")
    said = run("list", "--json")
    assert said.document["error"]["code"] == "cli.no_passphrase"
    assert "KeyringLocked" in said.err


def test_no_keyring_on_this_machine(run: Runs):
    keyring.set_keyring(fail.Keyring())  # type: ignore[no-untyped-call]
    error = run("passphrase", "--remember", "--json").document["error"]
    assert error["code"] == "keyring.none"
    assert error["advice"]


def test_one_thing_at_a_time(run: Runs):
    said = run("passphrase", "--remember", "--forget", "--json")
    assert (said.status, said.document["error"]["code"]) == (64, "passphrase.one_thing")
