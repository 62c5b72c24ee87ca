"""The same vault in other looks: English, dark, high contrast; run at 200 %."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evidence_desk.texts import Language
from tests.e2e.desktop.hands import Hands
from tests.e2e.desktop.notary import unlock
from ui.app import Program
from ui.look.tokens import Scheme
from ui.page import PageName


def looks(hands: Hands, program: Program, folder: Path) -> dict[str, Any]:
    """Pictures of every page."""
    del folder
    hands.picture("18-gate-zh-light-200")
    unlock(hands, program)
    context = program.context
    for number, (name, language, scheme) in enumerate(
        (
            (PageName.SEAL, Language.EN, Scheme.LIGHT), (PageName.CASES, Language.ZH, Scheme.LIGHT),
            (PageName.CASES, Language.EN, Scheme.DARK), (PageName.CERTIFY, Language.EN, Scheme.DARK),
            (PageName.STATUS, Language.EN, Scheme.CONTRAST), (PageName.SETTINGS, Language.ZH, Scheme.DARK),
        ),
        start=19,
    ):  # fmt: skip
        context.tongue.set_language(language)
        context.look.set_scheme(scheme)
        program.window.show_page(name)
        hands.until(lambda: not context.tasks.busy(), 60)
        hands.wait(300)
        hands.picture(f"{number}-{name.value}-{language.value}-{scheme.value}-200")
    return {}
