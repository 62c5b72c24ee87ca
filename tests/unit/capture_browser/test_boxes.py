"""What a page says in a box, and a page that opens one after the other."""

from typing import Any

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QDialog

from evidence_desk.texts import Language
from ui.capture_browser.boxes import MAX_ROW, Person, harmless
from ui.language import Tongue
from ui.look.look import Look
from ui.notice import Question

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


@pytest.mark.parametrize("mark", ["\u202e", "\u2066", "\u200b", "\x1b", "\u2028x\u202e"])
def test_no_character_turns_or_hides_what_we_say(mark):
    said = harmless(f"付款 {mark}exe.pdf")
    assert all(line.isprintable() for line in said.split("\n"))
    assert "exe.pdf" in said


def test_lines_push_no_button_off_the_screen():
    said = harmless("\n" * 1000 + "网页 https://court.example 提示：")
    assert said.count("\n") == 15
    assert said.endswith("…")
    assert "court.example" not in said


def test_lines_of_a_page_are_kept():
    assert harmless("第一行\n第二行") == "第一行\n第二行"


class Office:
    """A person whose boxes are answered at once."""

    def __init__(self, application: QApplication) -> None:
        self.hushed = self.seen = 0
        self.person = Person(Tongue(Language.ZH), Look(application), self.hush)
        self.answer = QDialog.DialogCode.Accepted
        self.timer = QTimer()
        self.timer.timeout.connect(self.deal)
        self.timer.start(5)

    def hush(self) -> None:
        self.hushed += 1

    def deal(self) -> None:
        for box in QApplication.topLevelWidgets():
            if isinstance(box, Question) and box.isVisible():
                self.seen += 1
                box.done(self.answer)


@pytest.fixture
def office(qapp: QApplication) -> Any:
    office = Office(qapp)
    yield office
    office.timer.stop()


def test_a_row_of_boxes_ends(office):
    answers = [office.person.confirm("https://a.example", "?", leaving=False) for _ in range(MAX_ROW + 3)]
    assert answers == [True] * MAX_ROW + [False] * 3
    assert (office.seen, office.hushed) == (MAX_ROW, 3)
    assert not office.person.by_user
    assert office.person.confirm("https://a.example", "", leaving=True), "the page may always be left"
    assert office.person.prompt("https://a.example", "", "") is None
    assert office.person.credentials("https://a.example", "") is None
    office.person.alert("https://a.example", "")
    assert office.seen == MAX_ROW


def test_after_a_pause_the_person_is_asked_again(office):
    for _ in range(MAX_ROW + 1):
        office.person.alert("https://a.example", "!")
    office.person._closed_at -= 2
    assert office.person.confirm("https://a.example", "?", leaving=False)
    assert office.person.by_user


def test_at_the_end_nobody_is_asked_or_said_to_have_answered(office):
    office.person.leave()
    assert not office.person.confirm("https://a.example", "?", leaving=False)
    assert not office.person.by_user
    assert (office.seen, office.hushed) == (0, 0)
