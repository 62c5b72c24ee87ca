"""Addresses, events in words, bodies, pictures: without a window."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.core.capture.events import Deed, Denied, Ended, Event, PageState
from evidence_desk.core.capture.plan import MAX_URLS, is_address
from evidence_desk.core.capture.rows import CaptureResult, CaptureState
from evidence_desk.core.job import Job
from evidence_desk.errors import MalformedError
from evidence_desk.texts import Language, has, sentences
from tests.gui.capture.staged import png
from ui.capture.feed import Feed, Stage
from ui.capture.order import options_from, read_addresses
from ui.capture.sayings import result_sign, say_event
from ui.capture.view.bodies import Form, as_hex, as_text, usual_form
from ui.capture.view.pictures import decoded
from ui.language import Tongue


@given(st.text(max_size=400))
def test_addresses_never_crash_and_are_addresses(text: str):
    found = read_addresses(text)
    assert all(is_address(url) for url in found.urls)
    assert len(set(found.urls)) == len(found.urls)


def test_more_addresses_than_a_capture_takes():
    found = read_addresses("\n".join(f"a{number}.test" for number in range(MAX_URLS + 1)))
    assert found.beyond
    assert len(found.urls) == MAX_URLS


def test_a_kept_form_that_cannot_be_meant():
    order, text = options_from({"page_seconds": True, "authorities": "x", "addresses": 3, "max_seconds": -1})
    assert text == ""
    assert (order.page_seconds, order.max_seconds, order.authorities) == (60, 1800, ())


def _made(kind: type[Event]) -> Event:
    """An event whose texts try to turn the line around."""
    values: dict[str, object] = {}
    for field in fields(kind):
        hint = str(field.type)
        if hint == "str":
            values[field.name] = "\u202eevil\n<b>"
        elif hint == "int":
            values[field.name] = 1
        elif hint == "bool":
            values[field.name] = True
        elif hint == "PageState":
            values[field.name] = PageState.PARTIAL
        elif hint == "Ended":
            values[field.name] = Ended.LIMIT
        elif hint == "Denied":
            values[field.name] = Denied.PROTOCOL
        elif hint == "Deed":
            values[field.name] = Deed.CLICK
        else:
            values[field.name] = ("capture.snapshot.pdf",)
    make: Any = kind
    made: Event = make(**values)
    return made


@pytest.mark.parametrize("kind", get_args(Event), ids=lambda kind: kind.kind)
@pytest.mark.parametrize("language", Language)
def test_every_event_has_words(kind: type[Event], language: Language):
    tongue = Tongue(language)
    event = _made(kind)
    said = say_event(tongue, event)
    if kind.kind not in {"fault", "download"}:  # their codes and states come from the browser
        assert "ui_capture." not in said.text
        assert "capture." not in said.text
    assert "\n" not in said.text
    assert "\u202e" not in said.text


@pytest.mark.parametrize("language", Language)
def test_lists_are_whole(language: Language):
    codes = [
        *(f"ui_capture.deed.{item.value}" for item in Deed),
        *(f"capture.denied.{item.value}" for item in Denied),
        *(f"ui_capture.event.done.{item.value}" for item in Ended),
        *(f"ui_capture.page.{item.value}" for item in PageState),
        *(
            f"ui_capture.event.download.{state}"
            for state in ("started", "completed", "interrupted", "canceled")
        ),
        *(f"ui_capture.{form}.{item.value}" for item in CaptureResult for form in ("result", "view")),
        *(f"ui_capture.step.{stage.name.lower()}" for stage in Stage),
        *(f"ui_capture.note.{stage.name.lower()}" for stage in Stage),
        *(result_sign(state, None, cut=cut)[2] for state in CaptureState for cut in (True, False)),
        *(result_sign(CaptureState.SEALED, result, cut=False)[2] for result in CaptureResult),
    ]
    assert [code for code in codes if not has(code, language)] == []
    assert all(text.strip() for code, text in sentences(language).items() if code.startswith("ui_capture."))


def test_stages_only_go_forward():
    feed = Feed()
    feed.reach(Stage.READ, 0.5)
    feed.reach(Stage.LOOK)
    assert feed.now.stage is Stage.READ
    assert feed.now.part == 0.5


@given(st.binary(max_size=300), st.text(max_size=40))
def test_any_body_can_be_looked_at(data: bytes, content_type: str):
    assert usual_form(content_type, data) in Form
    assert isinstance(as_text(data, content_type), str)
    assert len(as_hex(data).splitlines()) == (len(data) + 15) // 16


def test_bodies_by_their_encoding():
    text = "第一条 中文内容"
    assert as_text(text.encode("gb18030"), "text/html; charset=GB2312") == text
    assert as_text(text.encode("gb18030"), "text/html") == text
    assert as_text(text.encode(), "text/html; charset=idna") == text
    assert usual_form("image/png", b"x") is Form.PICTURE
    assert usual_form("image/svg+xml", b"<svg/>") is Form.TEXT
    assert usual_form("application/octet-stream", b"\x00") is Form.HEX


def test_pictures_are_bounded_and_never_scripts(qapp):
    small = decoded([png(400, 300)], 50, 1000, 1.0, Job())
    assert (small[0].width(), small[0].height()) == (200, 150)
    fitting = decoded([png(400, 300)], 0, 200, 1.0, Job())
    assert fitting[0].width() == 200
    for data in (
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>",
        png()[:60],
        b"GIF89a",
    ):
        with pytest.raises(MalformedError):
            decoded([data], 100, 100, 1.0, Job())
