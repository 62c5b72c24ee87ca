"""A guide that ends at the recovery key leaves a vault that says so, and gives a new key: after kill -9 as after leaving."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from shiboken6 import isValid

from evidence_desk.bootstrap.opening import key_seen, renew_recovery_key
from evidence_desk.core.job import Job
from evidence_desk.errors import PermissionDeniedError
from evidence_desk.services.audit import audit
from evidence_desk.services.certify import certify
from evidence_desk.services.seal import SealRequest, seal
from evidence_desk.services.timestamp import timestamp
from evidence_desk.settings import load_key_unseen
from evidence_desk.texts import Language
from evidence_desk.vault.passphrase import unlock_by_recovery
from tests.gui.conftest import PASSPHRASE
from tests.gui.start.test_single import start
from tests.gui.sweep import nameless, untranslated
from ui.preferences import load_preferences
from ui.start.gate import Gate
from ui.start.new_key import NewKeyDialog

KILLED = """
import sys
from pathlib import Path
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from tests.gui.conftest import CHEAP, PASSPHRASE
from ui.app import make_program
from ui.preferences import PreferenceStore
from ui.start.guide import Guide
from ui.start.step_name import StepName
app = QApplication([])
program = make_program(app, PreferenceStore())
guide = Guide(program.context, program.window, first=StepName.VAULT, kdf=CHEAP)
guide.open()
guide.vault.folder.setText(sys.argv[1])
for field in (guide.vault.passphrases.first, guide.vault.passphrases.second):
    field.setText(PASSPHRASE)
timer = QTimer(interval=20)
timer.timeout.connect(lambda: (print("PAPER", flush=True), timer.stop()) if guide.name is StepName.PAPER else None)
timer.start()
guide.next.click()
app.exec()
"""


def leave(folder: Path, config: Path) -> None:
    """The guide, killed while the key stands on the screen."""
    with start(config, str(folder), script=KILLED) as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline().strip() == "PAPER"
        killed.send_signal(signal.SIGKILL)
        killed.wait(30)


def write_down(dialog: NewKeyDialog) -> str:
    groups = dialog.made.recovery_key.split("-")
    for field, at in zip(dialog.paper.fields, dialog.paper.asked, strict=True):
        field.setText(groups[at])
    return "-".join(groups)


def unlock(gate: Gate, context, qtbot) -> None:
    gate.passphrase.setText(PASSPHRASE)
    with qtbot.waitSignal(context.desk.opened, timeout=30_000):
        gate.unlock.click()
    qtbot.waitUntil(lambda: not context.tasks.busy(), timeout=30_000)


def test_a_guide_killed_at_the_paper_is_told_and_mended(context, qtbot, messages, tmp_path):
    folder = tmp_path / "存证库"
    leave(folder, tmp_path / "config")
    assert load_preferences(tmp_path / "config" / "desktop.json").vault == str(folder), (
        "the next start finds it"
    )
    gate = Gate(context)
    qtbot.addWidget(gate)
    gate.show_vault(folder)
    unlock(gate, context, qtbot)
    assert [code for code, _ in messages.asked] == ["ui_start.unseen"]
    dialog = gate.findChild(NewKeyDialog)
    assert isinstance(dialog, NewKeyDialog)
    dialog.again.passphrase.setText(PASSPHRASE)
    dialog.next.click()
    qtbot.waitUntil(lambda: dialog.step is dialog.paper, timeout=30_000)
    assert not dialog.next.isEnabled()
    key = write_down(dialog)
    with qtbot.waitSignal(dialog.finished, timeout=30_000):
        dialog.next.click()
    session = context.desk.session
    assert not load_key_unseen(session.vault.exhibits)
    unlock_by_recovery(folder, key)
    session.vault.prepare_rotation(key)  # the log that goes on names its next keys
    assert audit(session.desk, job=Job()).faults == ()
    assert session.vault.origin.endswith("/2")
    assert messages.said[-1][0] == "ui_start.new_key.done"
    context.desk.lock()
    gate.show_vault(folder)
    unlock(gate, context, qtbot)
    assert len(messages.asked) == 1, "told once, mended, told no more"


@pytest.fixture
def dialog(open_context) -> Iterator[NewKeyDialog]:
    made = NewKeyDialog(open_context)
    made.open()
    yield made
    if isValid(made):
        made.deleteLater()


def test_a_wrong_passphrase_changes_nothing(dialog, context, vault_folder, qtbot):
    before = (vault_folder / "vault.toml").read_bytes()
    dialog.again.passphrase.setText("not this one")
    dialog.next.click()
    qtbot.waitUntil(dialog.again.fault.isVisible, timeout=30_000)
    assert (vault_folder / "vault.toml").read_bytes() == before
    assert not load_key_unseen(context.desk.session.vault.exhibits)
    assert dialog.step is dialog.again


def test_closed_or_locked_before_it_was_typed_the_vault_goes_on_to_tell(dialog, context, vault_folder, qtbot):
    dialog.again.passphrase.setText(PASSPHRASE)
    dialog.next.click()
    qtbot.waitUntil(lambda: dialog.step is dialog.paper, timeout=30_000)
    key = write_down(dialog)
    made = dialog.made
    with qtbot.waitSignal(dialog.finished):
        dialog.reject()
    assert made.recovery_key == ""
    assert load_key_unseen(context.desk.session.vault.exhibits)
    unlock_by_recovery(vault_folder, key)


def test_records_keep_the_next_keys_of_the_paper_before(open_context, vault_folder, tmp_path):
    session = open_context.desk.session
    file = tmp_path / "a.txt"
    file.write_text("a")
    seal(session.desk, [file], SealRequest(case_number="案"), job=Job())
    origin, first = session.vault.origin, renew_recovery_key(session, PASSPHRASE)
    assert session.vault.origin == origin
    with pytest.raises(PermissionDeniedError, match="wrong_recovery_key"):
        session.vault.prepare_rotation(first)
    second = renew_recovery_key(session, PASSPHRASE)
    with pytest.raises(PermissionDeniedError, match="wrong_recovery_key"):
        unlock_by_recovery(vault_folder, first)
    unlock_by_recovery(vault_folder, second)
    assert load_key_unseen(session.vault.exhibits)
    key_seen(session)
    assert not load_key_unseen(session.vault.exhibits)


def test_leaving_the_guide_at_the_paper_is_told_at_the_next_unlocking(context, guide, make_vault, messages):
    make_vault(guide)
    guide.reject()
    assert load_key_unseen(context.desk.session.vault.exhibits)


@pytest.mark.parametrize("language", list(Language))
def test_the_dialog_is_whole_in_both_languages(dialog, context, language, qtbot):
    context.tongue.set_language(language)
    dialog.again.passphrase.setText(PASSPHRASE)
    assert (nameless(dialog), untranslated(dialog)) == ([], [])
    dialog.next.click()
    qtbot.waitUntil(lambda: dialog.step is dialog.paper, timeout=30_000)
    assert (nameless(dialog), untranslated(dialog)) == ([], [])


def test_while_files_are_entered_the_log_goes_on_as_it_is(open_context):
    session = open_context.desk.session
    origin = session.vault.origin
    with session.desk.working:
        renew_recovery_key(session, PASSPHRASE)
    assert session.vault.origin == origin
    key = renew_recovery_key(session, PASSPHRASE)
    assert session.vault.origin != origin
    session.vault.prepare_rotation(key)


def test_after_a_new_key_the_vault_is_worked_with_as_before(open_context, tmp_path):
    session = open_context.desk.session
    renew_recovery_key(session, PASSPHRASE)
    file = tmp_path / "a.txt"
    file.write_text("a")
    (outcome,) = seal(session.desk, [file], SealRequest(case_number="案"), job=Job())
    timestamp(session.desk, session.authorities, job=Job())
    assert outcome.exhibit is not None
    made = certify(
        session.desk,
        [session.vault.exhibits.exhibit(outcome.exhibit.leaf_hash)],
        session.issuer(),
        trust=session.trust,
        job=Job(),
    )
    assert made.certificate.pdf
    assert audit(session.desk, job=Job()).faults == ()
