"""The guide of the first start, by the three kinds of user."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from pypdfium2 import PdfDocument
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from evidence_desk.bootstrap.opening import unlocked
from evidence_desk.settings import AuthorityKind
from evidence_desk.texts import Language
from tests.gui.conftest import CHEAP, PASSPHRASE
from ui.look.tokens import Scheme
from ui.preferences import Role, load_preferences, preferences_file
from ui.start.guide import Guide
from ui.start.operator import operator_name
from ui.start.step_name import StepName


def walk_to_try(guide: Guide, make_vault: Callable[[Guide], None], walk_on: Callable[[Guide], None]) -> None:
    make_vault(guide)
    walk_on(guide)
    assert guide.name is StepName.TRY


@pytest.mark.parametrize("role", [Role.LAWYER, Role.NOTARY])
def test_lawyer_and_notary_make_a_vault_and_get_the_sample_case(
    context, guide, make_vault, walk_on, qtbot, role, messages, documents
):
    guide.who.roles[role].setChecked(True)
    guide.next.click()
    assert guide.stack.currentWidget().widget() is guide.vault
    guide.vault.operator.setText("钱知微")
    make_vault(guide)
    assert context.desk.folder is None, "nobody has the vault before its key is on paper"
    assert not guide.next.isEnabled()
    walk_on(guide)
    assert context.desk.session is not None
    with qtbot.waitSignal(guide.finished, timeout=30_000):
        guide.next.click()
    qtbot.waitUntil(lambda: any(code == "ui_start.sample.done" for code, _ in messages.said), timeout=120_000)
    session = context.desk.session
    rows = list(session.vault.exhibits.exhibits())
    assert len(rows) == 6
    assert all(row.timestamped for row in rows)
    assert [item.kind for item in session.settings] == [AuthorityKind.EMBEDDED]
    assert operator_name(session) == "钱知微"
    assert session.vault.folder.parent == documents
    assert load_preferences(preferences_file()).role is role
    assert load_preferences(preferences_file()).vault == str(session.vault.folder)
    assert messages.errors == []


def test_a_judge_needs_no_vault(context, guide, qtbot):
    guide.who.roles[Role.JUDGE].setChecked(True)
    assert guide.more.isVisible()
    with qtbot.waitSignal(guide.finished, timeout=5_000):
        guide.next.click()
    assert context.preferences.value.role is Role.JUDGE
    assert context.desk.folder is None


def test_by_keyboard_alone(context, guide, qtbot):
    guide.activateWindow()
    qtbot.keyClick(guide.who.roles[Role.LAWYER], Qt.Key.Key_Down)
    assert guide.who.role is Role.NOTARY
    qtbot.keyClick(guide, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: guide.name is StepName.VAULT)
    for field in (guide.vault.passphrases.first, guide.vault.passphrases.second):
        qtbot.keyClicks(field, PASSPHRASE)
    qtbot.keyClick(guide.vault.passphrases.second, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: guide.name is StepName.PAPER, timeout=30_000)


def test_without_authority_nothing_is_configured(context, guide, make_vault, walk_on, qtbot):
    walk_to_try(guide, make_vault, walk_on)
    guide.trying.later.setChecked(True)
    guide.trying.sample.setChecked(False)
    with qtbot.waitSignal(guide.finished, timeout=30_000):
        guide.next.click()
    assert context.desk.session.settings == ()


def test_two_wrong_groups_do_not_go_on(guide, make_vault):
    make_vault(guide)
    for field in guide.paper.fields:
        field.setText("0000")
    assert not guide.next.isEnabled()


def test_nothing_of_the_key_stays_on_the_screen(guide, make_vault, walk_on):
    make_vault(guide)
    groups = set(guide.made.recovery_key.split("-"))
    walk_on(guide)
    shown = " ".join(label.text() for label in guide.findChildren(QLabel))
    assert not any(group in shown for group in groups)
    assert guide.made.recovery_key == ""


def test_leaving_the_paper_is_asked_for_and_keeps_the_vault(context, guide, make_vault, messages):
    make_vault(guide)
    messages.accept = False
    guide.reject()
    assert guide.isVisible()
    assert messages.asked[-1][0] == "ui_start.paper.leave"
    messages.accept = True
    guide.reject()
    assert context.desk.session is not None


def test_a_weak_passphrase_is_asked_about(guide, messages):
    guide.show_step(StepName.VAULT)
    messages.accept = False
    for field in (guide.vault.passphrases.first, guide.vault.passphrases.second):
        field.setText("password1")
    guide.next.click()
    assert messages.asked[-1][0] == "ui_start.weak"
    assert guide.name is StepName.VAULT


def test_passphrases_that_differ_do_not_go_on(guide):
    guide.show_step(StepName.VAULT)
    guide.vault.passphrases.first.setText(PASSPHRASE)
    guide.vault.passphrases.second.setText("correct house")
    assert guide.vault.passphrases.differ.isVisible()
    assert not guide.next.isEnabled()


@pytest.mark.parametrize("office", ["", "Müller", "a b", "-x"])
def test_an_office_code_that_cannot_be_meant_is_told_at_once(guide, office):
    guide.show_step(StepName.VAULT)
    guide.vault.office.setText(office)
    assert guide.vault.office_fault.isVisible()
    assert not guide.next.isEnabled()


def test_a_folder_that_holds_something_is_refused(guide, tmp_path, qtbot):
    folder = tmp_path / "full"
    folder.mkdir()
    (folder / "file").write_text("x")
    guide.show_step(StepName.VAULT)
    guide.vault.folder.setText(str(folder))
    for field in (guide.vault.passphrases.first, guide.vault.passphrases.second):
        field.setText(PASSPHRASE)
    guide.next.click()
    qtbot.waitUntil(guide.vault.fault.isVisible, timeout=30_000)
    assert str(folder) in guide.vault.fault.text
    assert guide.name is StepName.VAULT
    assert guide.vault.isEnabled()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="a folder that nobody can write to, on Linux")
def test_a_read_only_folder_is_told(guide, qtbot):
    guide.show_step(StepName.VAULT)
    guide.vault.folder.setText("/proc/vault")
    for field in (guide.vault.passphrases.first, guide.vault.passphrases.second):
        field.setText(PASSPHRASE)
    guide.next.click()
    qtbot.waitUntil(guide.vault.fault.isVisible, timeout=30_000)
    assert guide.name is StepName.VAULT


def test_the_sheet_can_be_saved_but_not_into_the_vault(guide, make_vault, messages, tmp_path, qtbot):
    make_vault(guide)
    messages.saves.append(guide.made.folder / "key.pdf")
    guide.paper.save.click()
    assert [error.code for error in messages.errors] == ["ui_start.paper_in_vault"]
    target = tmp_path / "key.pdf"
    messages.saves.append(target)
    guide.paper.save.click()
    qtbot.waitUntil(lambda: any(code == "ui_start.paper.saved" for code, _ in messages.said), timeout=30_000)
    text = PdfDocument(target)[0].get_textpage().get_text_range()
    for group in guide.made.recovery_key.split("-"):
        assert group in text
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_a_sheet_that_cannot_be_written_is_told(guide, make_vault, messages, tmp_path, qtbot):
    make_vault(guide)
    messages.saves.append(tmp_path / "missing" / "key.pdf")
    guide.paper.save.click()
    qtbot.waitUntil(lambda: bool(messages.errors), timeout=30_000)
    assert messages.errors[0].code == "host.io"


def test_no_printer_is_told(guide, make_vault, messages, monkeypatch, qtbot):
    monkeypatch.setattr("PySide6.QtPrintSupport.QPrinterInfo.availablePrinterNames", list)
    make_vault(guide)
    guide.paper.print.click()
    qtbot.waitUntil(lambda: bool(messages.errors), timeout=20_000)
    assert messages.errors[-1].code == "ui_start.no_printer"


@pytest.mark.parametrize("step", StepName)
def test_language_and_look_change_with_the_guide_open(context, guide, make_vault, walk_on, step):
    if step in {StepName.PAPER, StepName.TRY}:
        make_vault(guide)
    if step is StepName.TRY:
        walk_on(guide)
    guide.show_step(step) if step not in {StepName.PAPER, StepName.TRY} else None
    before = guide.next.text()
    context.tongue.set_language(Language.EN)
    context.look.set_scheme(Scheme.DARK)
    assert guide.next.text() != before
    assert all(ord(character) < 0x2E80 for character in guide.windowTitle() + guide.next.text())
    context.tongue.set_language(Language.ZH)
    assert guide.next.text() == before


def test_choosing_language_and_look_takes_effect_at_once(context, guide):
    guide.who.language.setCurrentIndex(1)
    guide.who.language.activated.emit(1)
    guide.who.scheme.setCurrentIndex(2)
    guide.who.scheme.activated.emit(2)
    assert context.tongue.language is Language.EN
    assert context.look.scheme is Scheme.DARK
    assert load_preferences(preferences_file()).language is Language.EN


def test_the_proposed_folder_follows_the_language_until_it_is_chosen(context, guide, documents):
    assert guide.vault.folder.text() == str(documents / "证据台存证库")
    context.tongue.set_language(Language.EN)
    assert guide.vault.folder.text() == str(documents / "Evidence Desk vault")
    guide.vault.folder.setText("/chosen")
    context.tongue.set_language(Language.ZH)
    assert guide.vault.folder.text() == "/chosen"


def test_an_existing_vault_is_handed_to_the_gate(guide, messages, tmp_path, qtbot):
    guide.show_step(StepName.VAULT)
    messages.folders.append(tmp_path)
    with qtbot.waitSignal(guide.existing_chosen) as chosen:
        guide.vault.existing.click()
    assert chosen.args == [tmp_path]


def test_locking_ends_the_guide(context, guide, make_vault, walk_on, qtbot):
    walk_to_try(guide, make_vault, walk_on)
    folder = context.desk.folder
    with qtbot.waitSignal(guide.finished):
        context.desk.lock()
    unlocked(folder, PASSPHRASE).close()


def test_a_second_guide_over_a_vault_that_still_works(open_context, qtbot, make_vault, walk_on):
    """A vault made while another is locked and at work stays closed until that one's work has ended."""
    guide = Guide(open_context, first=StepName.VAULT, kdf=CHEAP)
    guide.open()
    make_vault(guide)
    before, made = open_context.desk.folder, guide.made.folder
    walk_on(guide)
    assert open_context.desk.folder == before
    assert made is not None
    unlocked(made, PASSPHRASE).close()
