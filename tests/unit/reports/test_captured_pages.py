"""Pages of a capture as a certificate prints them."""

from __future__ import annotations

from dataclasses import replace

from evidence_desk.texts import Language
from reports.exhibit_blocks import _captured_pages
from reports.speak import Speaker
from tests.unit.core.capture.samples import a_manifest

FALSE = "判决书　https://court.example/（已载入）"


def test_a_title_never_stands_where_the_address_does():
    """A page calls itself what it likes: the address comes first, the title last, as a title."""
    page = replace(a_manifest().pages[0], title=FALSE, url="https://shop.example/", reached="")
    (line,) = _captured_pages(replace(a_manifest(), pages=(page,)), Speaker(Language.ZH))
    assert line.startswith(f"{page.number}. https://shop.example/（")
    assert line.endswith(f"网页标题：“{FALSE}”")
