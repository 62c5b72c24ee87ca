"""Unlocking: wrong passphrases, recovery, other vaults, and what the disk may be like."""

from __future__ import annotations

import os
import shutil
import stat

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from evidence_desk.bootstrap.opening import init_session, unlocked
from evidence_desk.errors import PermissionDeniedError
from evidence_desk.texts import Language
from evidence_desk.vault.attempts import remaining
from tests.gui.conftest import CHEAP, PASSPHRASE
from ui.start.gate import Gate
from ui.window import Window


@pytest.fixture
def recovery_key(vault_folder):
    session, key = init_session(vault_folder, PASSPHRASE, office="test", demo=False, kdf=CHEAP)
    session.close()
    return key


@pytest.fixture
def gate(context, recovery_key, vault_folder, qtbot):
    context.preferences.remember_vault(vault_folder)
    window = Window(context)
    qtbot.addWidget(window)
    window.show()
    return window.gate


def try_passphrase(gate: Gate, text: str, qtbot: QtBot) -> None:
    pane = gate.unlocking
    qtbot.waitUntil(lambda: not pane.waiting.left and not pane._busy, timeout=30_000)
    pane.passphrase.setText(text)
    pane.unlock.click()
    qtbot.waitUntil(lambda: not pane._busy, timeout=30_000)


def test_welcome_while_no_vault_is_known(context, qtbot):
    gate = Gate(context)
    qtbot.addWidget(gate)
    assert gate.pane is gate.welcome


def test_the_right_passphrase_opens(context, gate, qtbot):
    with qtbot.waitSignal(context.desk.opened, timeout=30_000):
        try_passphrase(gate, PASSPHRASE, qtbot)
    assert gate.passphrase.text() == ""


def test_a_wrong_passphrase_is_told_and_its_wait_counted_down(context, gate, vault_folder, qtbot):
    try_passphrase(gate, "wrong", qtbot)
    pane = gate.unlocking
    assert "口令不正确" in pane.fault.text
    assert not pane.unlock.isEnabled()
    assert pane.countdown.isVisible()
    assert remaining(vault_folder) <= 0.5
    qtbot.waitUntil(pane.unlock.isEnabled, timeout=10_000)
    assert not pane.countdown.isVisible()
    with qtbot.waitSignal(context.desk.opened, timeout=30_000):
        try_passphrase(gate, PASSPHRASE, qtbot)


def test_the_wait_of_another_process_is_shown(context, gate, vault_folder, qtbot):
    for _ in range(6):
        with pytest.raises(PermissionDeniedError):
            unlocked(vault_folder, "wrong", sleep=lambda _seconds: None)
        (vault_folder / "attempts").write_text(
            (vault_folder / "attempts").read_text().replace('"not_before": "2', '"not_before": "1')
        )
    with pytest.raises(PermissionDeniedError):
        unlocked(vault_folder, "wrong", sleep=lambda _seconds: None)
    gate.show_vault(vault_folder)
    qtbot.waitUntil(gate.unlocking.countdown.isVisible, timeout=10_000)
    assert gate.unlocking.waiting.left > 5


def test_the_error_follows_the_language(context, gate, qtbot):
    try_passphrase(gate, "wrong", qtbot)
    context.tongue.set_language(Language.EN)
    assert "passphrase" in gate.unlocking.fault.text.lower()
    assert "口令" not in gate.unlocking.fault.text


def test_a_forgotten_passphrase(context, gate, recovery_key, vault_folder, qtbot, messages):
    gate._on_recovery()
    pane = gate.recovering
    assert gate.pane is pane
    pane.key.setPlainText(recovery_key.lower().replace("-", " "))
    for field in (pane.passphrases.first, pane.passphrases.second):
        field.setText("a wholly new sentence")
    with qtbot.waitSignal(context.desk.opened, timeout=30_000):
        pane.reset.click()
    assert pane.key.toPlainText() == ""
    context.desk.lock()
    qtbot.waitUntil(lambda: context.desk.folder is None, timeout=10_000)
    unlocked(vault_folder, "a wholly new sentence").close()


def test_a_mistyped_recovery_key(gate, recovery_key, qtbot):
    gate._on_recovery()
    pane = gate.recovering
    pane.key.setPlainText(recovery_key[:-1] + ("0" if recovery_key[-1] != "0" else "1"))
    for field in (pane.passphrases.first, pane.passphrases.second):
        field.setText("a wholly new sentence")
    pane.reset.click()
    qtbot.waitUntil(pane.fault.isVisible, timeout=30_000)
    assert pane.isEnabled()
    assert "14 组" in pane.fault.text


def test_a_vault_in_use_may_be_looked_at(context, gate, vault_folder, qtbot, messages):
    other = unlocked(vault_folder, PASSPHRASE)
    try:
        try_passphrase(gate, PASSPHRASE, qtbot)
        assert gate.unlocking.look.isVisible()
        with qtbot.waitSignal(context.desk.opened, timeout=30_000):
            gate.unlocking.look.click()
        assert context.desk.session.vault.read_only
        assert "ui_start.read_only" in [code for code, _ in messages.said]
        qtbot.waitUntil(lambda: not context.tasks.busy(), timeout=30_000)
        assert {error.code for error in messages.errors} <= {"vault.read_only"}, "told, nothing worse"
    finally:
        other.close()


def test_two_vaults_one_after_the_other(context, gate, tmp_path, vault_folder, qtbot):
    second = tmp_path / "second"
    session, _ = init_session(second, "another sentence", office="test", demo=False, kdf=CHEAP)
    session.close()
    gate.show_vault(second)
    with qtbot.waitSignal(context.desk.opened, timeout=30_000):
        try_passphrase(gate, "another sentence", qtbot)
    assert context.preferences.value.recent_vaults == (str(second), str(vault_folder))
    context.desk.lock()
    assert gate.unlocking.folder == second
    assert gate.unlocking.vaults.count() == 2


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (shutil.rmtree, "没有存证库"),
        (lambda folder: (folder / "vault.toml").write_bytes(b"\xff\x00"), "vault.toml"),
        (lambda folder: (folder / "vault.toml").write_text("format = 99\n"), "更新版本"),
        (lambda folder: (folder / "vault.db").write_bytes(b"no database" * 1000), "已损坏"),
        (lambda folder: (folder / "keybag").write_bytes(b"?"), "已损坏"),
    ],
    ids=["gone", "no text", "newer", "database", "keybag"],
)
def test_damage_is_told_and_nothing_breaks(context, gate, vault_folder, qtbot, spoil, said):
    spoil(vault_folder)
    try_passphrase(gate, PASSPHRASE, qtbot)
    assert context.desk.session is None
    assert said in gate.unlocking.fault.text
    assert gate.unlocking.passphrase.isEnabled()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_read_only_folder_is_told(context, gate, vault_folder, qtbot):
    for path in (vault_folder, *vault_folder.iterdir()):
        path.chmod(stat.S_IRUSR | (stat.S_IXUSR if path.is_dir() else 0))
    try:
        try_passphrase(gate, PASSPHRASE, qtbot)
        assert gate.unlocking.fault.isVisible()
    finally:
        vault_folder.chmod(0o700)


def test_caps_lock_is_hinted_at(gate, qtbot):
    field = gate.passphrase
    qtbot.keyClick(field, Qt.Key.Key_A, Qt.KeyboardModifier.NoModifier)
    assert not gate.unlocking.caps.isVisible()
    qtbot.keyClicks(field, "A", Qt.KeyboardModifier.NoModifier)
    assert gate.unlocking.caps.isVisible()


def test_the_keyring_opens_where_it_was_asked_for(context, gate, qtbot, monkeypatch, vault_folder):
    """The keyring of the system is a foreign service: here it is a dictionary behind the real store's marks."""
    kept: dict[str, str] = {}
    keyring = gate.unlocking._keyring
    monkeypatch.setattr(keyring, "remember", kept.__setitem__)
    monkeypatch.setattr(keyring, "recall", kept.get)
    monkeypatch.setattr(keyring, "remembers", kept.__contains__)
    monkeypatch.setattr(keyring, "forget", lambda vault_id: kept.pop(vault_id, None) is not None)
    gate.unlocking.remember.setChecked(True)
    with qtbot.waitSignal(context.desk.opened, timeout=30_000):
        try_passphrase(gate, PASSPHRASE, qtbot)
    qtbot.waitUntil(lambda: bool(kept), timeout=10_000)
    context.desk.lock()
    qtbot.waitUntil(gate.unlocking.from_keyring.isVisible, timeout=10_000)
    with qtbot.waitSignal(context.desk.opened, timeout=30_000):
        gate.unlocking.from_keyring.click()
    context.desk.lock()
    gate.unlocking.remember.setChecked(False)
    with qtbot.waitSignal(context.desk.opened, timeout=30_000):
        try_passphrase(gate, PASSPHRASE, qtbot)
    qtbot.waitUntil(lambda: not kept, timeout=10_000)


def test_no_keyring_is_told_and_the_vault_is_open_all_the_same(context, gate, qtbot, messages, monkeypatch):
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    gate.unlocking.remember.setChecked(True)
    with qtbot.waitSignal(context.desk.opened, timeout=30_000):
        try_passphrase(gate, PASSPHRASE, qtbot)
    qtbot.waitUntil(lambda: bool(messages.errors), timeout=10_000)
    assert messages.errors[0].code.startswith("keyring.")
    assert context.desk.session is not None
