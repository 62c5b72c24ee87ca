"""A few kilobytes of PDF that would keep PDFium busy for hours are not drawn."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pikepdf import Array, Dictionary, Name

from evidence_desk.core.job import Job
from evidence_desk.errors import MalformedError
from evidence_desk.qr import QrReader
from evidence_desk.verify.pdf_cost import affordable
from tests.fixed import refusal

Resources = Callable[[pikepdf.Pdf], pikepdf.Object]
LINE = b"0 0 m 600 800 l S "


def form(document: pikepdf.Pdf, content: bytes, **more: Any) -> pikepdf.Object:
    made = document.make_stream(content)
    made.Type, made.Subtype, made.BBox = Name.XObject, Name.Form, Array([0, 0, 600, 800])
    for key, value in more.items():
        made[f"/{key}"] = value
    return made


def pdf(content: bytes, resources: Resources | None = None, pages: int = 1) -> bytes:
    with pikepdf.new() as document:
        for _ in range(pages):
            page = document.add_blank_page(page_size=(600, 800))
            page.obj.Contents = document.make_stream(content)
            if resources is not None:
                page.obj.Resources = resources(document)
        out = io.BytesIO()
        document.save(out)
        return out.getvalue()


def nested(document: pikepdf.Pdf) -> pikepdf.Object:
    """Ten times ten times … the same rectangle."""
    inner = form(document, b"0 0 600 800 re f")
    for _ in range(8):
        inner = form(document, b"/X Do " * 10, Resources=Dictionary(XObject=Dictionary(X=inner)))
    return Dictionary(XObject=Dictionary(X=inner))


def drawing_itself(document: pikepdf.Pdf) -> pikepdf.Object:
    loop = document.make_indirect(form(document, b"/X Do /X Do"))
    loop.Resources = Dictionary(XObject=Dictionary(X=loop))
    return Dictionary(XObject=Dictionary(X=loop))


def tiled(document: pikepdf.Pdf) -> pikepdf.Object:
    return Dictionary(Pattern=Dictionary(P=form(document, LINE * 1_000, PatternType=1)))


def masked(document: pikepdf.Pdf) -> pikepdf.Object:
    mask = Dictionary(S=Name.Luminosity, G=form(document, LINE * 1_000))
    return Dictionary(ExtGState=Dictionary(G=Dictionary(SMask=mask)))


def huge_picture(document: pikepdf.Pdf) -> pikepdf.Object:
    return Dictionary(
        XObject=Dictionary(X=form(document, b"", Subtype=Name.Image, Width=100_000, Height=100_000))
    )


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("content", "resources"),
    [
        (LINE * 200_000, None),
        (LINE * 20_000_000, None),
        (b"/X Do", nested),
        (b"/X Do", drawing_itself),
        (b"", tiled),
        (b"", masked),
        (b"/X Do", huge_picture),
        (b"[0.0001] 0 d " + LINE, None),
    ],
)
def test_pages_that_would_take_hours(content, resources):
    data = pdf(content, resources)
    with refusal("malformed.picture", MalformedError):
        affordable(data, 30)
    assert QrReader().read(io.BytesIO(data), Job()) is None


def test_as_many_pages_as_can_be_afforded():
    copy, read, pages = affordable(pdf(LINE * 4_000, pages=9), 30)
    assert (read, pages) == (4, 9)
    with pikepdf.open(io.BytesIO(copy)) as document:
        assert len(document.pages) == 4
    assert affordable(pdf(b"", pages=9), 3)[1:] == (3, 9)


@given(st.binary(max_size=200))
def test_any_content(noise):
    with suppress(MalformedError):
        assert affordable(pdf(noise), 1)[1:] == (1, 1)
