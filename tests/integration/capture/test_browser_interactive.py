"""The capture browser with a person who browses."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from evidence_desk.core.capture.events import Deed, Dialog, Ended, Fault, Navigated, Popup, Snapped, Step
from evidence_desk.core.capture.plan import CaptureMode
from tests.integration.capture.browsing import Browsing, browser, plan_for
from tests.sites import Town
from tests.sites.recording import Tape
from tests.sites.town import SITE

CHILD = str(Path(__file__).parent / "interactive_child.py")


@pytest.fixture(scope="module")
def town():
    with Town() as town:
        yield town


def act(town: Town, tape: Tape, story: str) -> Browsing:
    plan = replace(plan_for(town, (SITE, "/login")), mode=CaptureMode.INTERACTIVE)
    with browser(tape, plan, command=(sys.executable, "-P", CHILD, story)) as browsing:
        browsing.ended()
    assert browsing.of(Fault) == []
    return browsing


@pytest.fixture(scope="module")
def logged_in(town, tmp_path_factory):
    tape = Tape(town, tmp_path_factory.mktemp("logged-in") / "capture")
    yield act(town, tape, "log_in")
    tape.close()


def test_a_person_logs_in_looks_and_finishes(town, logged_in):
    browsing = logged_in
    done = browsing.departure.done if browsing.departure else None
    assert done is not None
    assert done.reason is Ended.FINISHED
    steps = browsing.of(Step)
    assert [step.number for step in steps] == list(range(1, len(steps) + 1))
    assert done.steps == len(steps)
    deeds = [step.deed for step in steps]
    assert (
        deeds.index(Deed.SUBMIT)
        < deeds.index(Deed.SNAPSHOT)
        < deeds.index(Deed.ADDRESS)
        < deeds.index(Deed.RELOAD)
    )
    assert deeds[-1] is Deed.FINISH
    assert deeds.count(Deed.ADDRESS) == 1, "what is no address is no step"
    (address,) = [step for step in steps if step.deed is Deed.ADDRESS]
    assert address.target == town.url(SITE, "/popup.html")
    assert any(event.why == "form" for event in browsing.of(Navigated))
    assert browsing.of(Popup)
    assert len(browsing.of(Snapped)) == 2, "one that was wished, one of the page in front at the end"


def test_what_is_typed_is_told_but_not_its_words(logged_in):
    typed = [step.target for step in logged_in.of(Step) if step.deed is Deed.TYPE]
    assert len(typed) == 2, "once a field"
    assert "password" in typed[1]
    told = "".join(str(event) for event in logged_in.events)
    assert "correct horse" not in told


def test_abandoning_takes_no_snapshot(town, tape):
    browsing = act(town, tape, "abandon")
    assert browsing.departure is not None
    assert browsing.departure.done is not None
    assert browsing.departure.done.reason is Ended.ABANDONED
    assert browsing.of(Snapped) == []
    assert [step.deed for step in browsing.of(Step)] == [Deed.ABANDON]


def test_a_box_that_stands_does_not_keep_the_capture_from_ending(town, tape):
    plan = replace(plan_for(town, (SITE, "/login"), max_seconds=3), mode=CaptureMode.INTERACTIVE)
    with browser(tape, plan, command=(sys.executable, "-P", CHILD, "leave_open")) as browsing:
        departure = browsing.ended()
    assert browsing.of(Fault) == []
    assert departure.done is not None
    assert departure.done.reason is Ended.LIMIT
    assert departure.exit_code == 0
    assert [dialog.form for dialog in browsing.of(Dialog)][:1] == ["alert"]


def test_the_window_can_be_used_by_keyboard_and_read_aloud(town, tape):
    browsing = act(town, tape, "look")
    assert browsing.of(Step)[-1].deed is Deed.FINISH
    assert [snapped.url for snapped in browsing.of(Snapped)] == [town.url(SITE, "/login")]
