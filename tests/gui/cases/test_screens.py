"""Pictures of the page for people to look at."""

from __future__ import annotations

import pytest

from evidence_desk.services import annotate
from evidence_desk.texts import Language
from tests.gui.cases.acting import CASE, choose, settled
from tests.gui.screens import save_screen
from ui.look.tokens import Scheme

PICTURES = {
    "list": (1180, 760, Language.ZH, Scheme.LIGHT),
    "detail": (1180, 760, Language.ZH, Scheme.LIGHT),
    "detail_dark_en": (1600, 860, Language.EN, Scheme.DARK),
    "detail_contrast": (1180, 760, Language.ZH, Scheme.CONTRAST),
    "narrow": (640, 600, Language.ZH, Scheme.LIGHT),
    "narrow_detail": (640, 600, Language.EN, Scheme.LIGHT),
}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures(page, window, qtbot, session, filled, name):
    width, height, language, scheme = PICTURES[name]
    annotate.add_tag(session.desk, filled[0].leaf_hash, "重要")
    annotate.add_note(session.desk, filled[0].leaf_hash, "原件在张三手机内，庭前核对", author="李律师")
    window.context.tongue.set_language(language)
    window.context.look.set_scheme(scheme)
    window.resize(width, height)
    page.cases.choose(CASE)
    settled(page, qtbot)
    if "detail" in name:
        choose(page, "买卖合同.pdf", qtbot)
    qtbot.wait(50)  # layouts come after their events
    assert save_screen(window, f"cases_{name}").stat().st_size > 10_000


def test_picture_of_the_empty_page(window, open_page, qtbot):
    window.resize(1180, 760)
    open_page()
    qtbot.wait(50)
    assert save_screen(window, "cases_empty").stat().st_size > 10_000
