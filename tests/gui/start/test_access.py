"""Every dialog and pane in both languages and all looks: nothing unnamed, nothing unsaid, complete by keyboard."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from evidence_desk.texts import Language
from tests.gui.conftest import CHEAP
from tests.gui.screens import save_screen
from tests.gui.start.conftest import discard
from tests.gui.sweep import nameless, untranslated
from ui.help import show_help
from ui.look.tokens import Scheme
from ui.start.guide import Guide
from ui.start.step_name import StepName
from ui.window import Window

LOOKS = [(Language.ZH, Scheme.LIGHT), (Language.EN, Scheme.DARK), (Language.EN, Scheme.CONTRAST)]


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
def test_the_guide(context, make_vault, walk_on, language, scheme):
    context.tongue.set_language(language)
    context.look.set_scheme(scheme)
    guide = Guide(context, kdf=CHEAP)
    guide.open()
    for name in StepName:
        if name is StepName.PAPER:
            make_vault(guide)
        elif name is StepName.TRY:
            walk_on(guide)
        else:
            guide.show_step(name)
        save_screen(guide, f"start-{name.name.lower()}-{language}-{scheme}")
        assert nameless(guide) == []
        assert untranslated(guide) == []
    discard(guide)


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
def test_gate_and_help(context, vault_folder, qtbot, language, scheme):
    context.tongue.set_language(language)
    context.look.set_scheme(scheme)
    window = Window(context)
    qtbot.addWidget(window)
    window.show()
    gate = window.gate
    save_screen(window, f"start-welcome-{language}-{scheme}")
    gate.show_vault(vault_folder)
    save_screen(window, f"start-unlock-{language}-{scheme}")
    gate._on_recovery()
    save_screen(window, f"start-recover-{language}-{scheme}")
    dialog = show_help(window)
    save_screen(dialog, f"start-help-{language}-{scheme}")
    for root in (gate, dialog):
        assert nameless(root) == []
        assert untranslated(root) == []
    dialog.accept()


def test_tab_reaches_every_field_of_the_vault_step(guide, qtbot):
    guide.show_step(StepName.VAULT)
    step = guide.vault
    wanted = {step.office, step.operator, step.passphrases.first, step.passphrases.second, guide.back}
    seen: list[QWidget | None] = []
    for _ in range(20):
        focus = guide.focusWidget()
        seen.append(focus)
        qtbot.keyClick(focus, Qt.Key.Key_Tab)
    assert wanted <= set(seen)
    order = [widget for widget in seen if widget in {step.passphrases.first, step.passphrases.second}]
    assert order[:2] == [step.passphrases.first, step.passphrases.second]
