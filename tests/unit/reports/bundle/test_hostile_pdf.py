"""PDF files that are broken, locked or mean harm: never an error, never anything active, always said."""

from __future__ import annotations

import io
import re
import zlib
from typing import Any

import pikepdf
import pypdfium2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reports.bundle import copying, pdf_pages, rendering
from reports.bundle.problem import UnprintableError
from tests.unit.reports.bundle.printing import A, D, N, add_page, print_file, saved, words

ACTIVE = (
    b"JavaScript", b"/JS", b"Launch", b"/URI", b"/Annots", b"/AcroForm", b"EmbeddedFile", b"/AA", b"/OpenAction", b"evil",
    b"SubmitForm", b"GoToR", b"/XFA", b"RichMedia", b"Filespec", b"/Metadata", b"/Names",
)  # fmt: skip


TREE = (
    b"%%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Kids%b/Count 9>>\nendobj\n"
    b"trailer<</Root 1 0 R>>"
)


def harmless(pdf: bytes) -> list[bytes]:
    """Active names in a file, streams decoded."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        for key in ("/AcroForm", "/Names", "/OpenAction", "/AA", "/AF"):
            assert key not in document.Root
        plain = saved(document, qdf=True, stream_decode_level=pikepdf.StreamDecodeLevel.generalized)
    return [name for name in ACTIVE if name in plain]


def simple(text: str = "SOUND", **options: Any) -> bytes:
    with pikepdf.Pdf.new() as document:
        add_page(document, words(text))
        return saved(document, **options)


def widget(document: pikepdf.Pdf, text: str, **more: Any) -> pikepdf.Object:
    look = document.make_stream(f"BT /F1 14 Tf 4 6 Td ({text}) Tj ET".encode())
    look.Type, look.Subtype, look.BBox = N.XObject, N.Form, A([0, 0, 200, 24])
    look.Resources = D(Font=D(F1=D(Type=N.Font, Subtype=N.Type1, BaseFont=N.Helvetica)))
    return document.make_indirect(
        D(
            Type=N.Annot,
            Subtype=N.Widget,
            FT=N.Tx,
            T="field",
            V=text,
            F=4,
            Rect=A([100, 500, 300, 524]),
            AP=D(N=look),
            **more,
        )
    )


def active() -> bytes:
    with pikepdf.Pdf.new() as document:
        page = add_page(document, words("VISIBLE"))
        script = D(S=N.JavaScript, JS="evil()")
        page.AA = D(O=script)
        link = D(
            Type=N.Annot, Subtype=N.Link, Rect=A([0, 0, 500, 500]), A=D(S=N.URI, URI="http://evil.example")
        )
        field = widget(document, "FILLED", A=D(S=N.Launch, F="evil.exe"), AA=D(K=script))
        page.Annots = A([document.make_indirect(link), field])
        document.Root.AcroForm = D(Fields=A([field]))
        document.Root.OpenAction = script
        document.Root.AA = D(WC=script)
        document.Root.Names = D(JavaScript=D(Names=A(["evil", document.make_indirect(script)])))
        document.attachments["evil.exe"] = b"MZ evil"
        # What hides among the resources that a page draws with.
        hidden = document.make_stream(b"evil payload")
        hidden.Type = N.EmbeddedFile
        image = document.make_stream(
            bytes(3), Type=N.XObject, Subtype=N.Image, Width=1, Height=1, BitsPerComponent=8
        )
        image.ColorSpace = N.DeviceRGB
        image.AF = A([D(Type=N.Filespec, F="evil", EF=D(F=hidden))])
        image.Metadata = document.make_stream(b"evil metadata", Type=N.Metadata, Subtype=N.XML)
        image.OPI = D(evil=script)
        page.Resources.XObject = D(
            Im=image, Js=document.make_indirect(script), Back=document.pages[0].obj, File=hidden
        )
        page.Resources.Properties = D(P=D(Type=N.Action, S=N.SubmitForm, F="http://evil.example"))
        return saved(document)


def test_only_what_is_seen_is_copied():
    source = active()
    with pikepdf.open(io.BytesIO(source)) as document:
        plain = saved(document, qdf=True, stream_decode_level=pikepdf.StreamDecodeLevel.generalized)
    assert {b"JavaScript", b"Launch", b"/URI", b"EmbeddedFile", b"evil", b"SubmitForm"} <= {
        name for name in ACTIVE if name in plain
    }
    result = print_file("有害.pdf", source)
    assert harmless(result.pdf) == []
    page = result.texts[result.body.start]
    assert "VISIBLE" in page
    assert "FILLED" in page, "what a field shows on paper is kept"
    assert result.reasons == []


def test_hidden_and_screen_only_annotations_stay_away():
    with pikepdf.Pdf.new() as document:
        page = add_page(document, words("VISIBLE"))
        hidden = widget(document, "HIDDEN")
        hidden.F = 2 | 4
        screen = widget(document, "SCREEN")
        screen.F = 0
        page.Annots = A([hidden, screen])
        document.Root.AcroForm = D(Fields=A([hidden, screen]))
        result = print_file("注释.pdf", saved(document))
    text = result.texts[result.body.start]
    assert "VISIBLE" in text
    assert "HIDDEN" not in text
    assert "SCREEN" not in text


def test_encrypted():
    locked = print_file("锁.pdf", simple(encryption=pikepdf.Encryption(user="secret", owner="owner")))
    assert locked.reasons == ["encrypted"]
    note = locked.texts[locked.body.start]
    assert "文件已加密，没有口令不能打开" in note
    assert "不能打印，另附光盘/存储介质" in note
    restricted = print_file(
        "限.pdf",
        simple(encryption=pikepdf.Encryption(user="", owner="o", allow=pikepdf.Permissions(extract=False))),
    )
    assert restricted.reasons == []
    assert "SOUND" in restricted.texts[restricted.body.start]


def cyclic() -> bytes:
    with pikepdf.Pdf.new() as document:
        page = add_page(document, words("LOOP"))
        state = document.make_indirect(D(Type=N.ExtGState))
        state.Loop = state
        form = document.make_stream(b"/Me Do", Type=N.XObject, Subtype=N.Form, BBox=A([0, 0, 9, 9]))
        form.Resources = D(XObject=D(Me=form))
        page.Resources.ExtGState = D(G=state)
        page.Resources.XObject = D(Me=form)
        return saved(document)


def test_cycles_among_resources_end():
    result = print_file("环.pdf", cyclic())
    assert "LOOP" in result.texts[result.body.start]


@pytest.mark.parametrize(
    "data",
    [
        b"%PDF-1.7\n", b"%PDF-1.4\ngarbage", b"%PDF-1.7\n" + bytes(range(256)) * 50, simple()[:300],
        TREE % b"[2 0 R]", TREE % b"[]",
        b"%PDF-1.7\n1 0 obj\n" + b"[" * 5000 + b"\nendobj\ntrailer<</Root 1 0 R>>",
    ],
)  # fmt: skip
def test_broken(data):
    result = print_file("坏.pdf", data)
    assert result.reasons == ["broken"]
    note = result.texts[result.body.start]
    assert "坏.pdf" in note
    assert "文件不完整，或者不符合其格式" in note


def test_names_and_strings_that_are_objects_of_their_own():
    with pikepdf.Pdf.new() as document:
        page = add_page(document, words("INDIRECT"))
        page.Resources.Font.F1.BaseFont = document.make_indirect(N.Courier)
        page.Resources.ExtGState = D(
            G=document.make_indirect(D(Note=document.make_indirect(pikepdf.String("a (5 0 R) b"))))
        )
        result = print_file("间接.pdf", saved(document))
    with pikepdf.open(io.BytesIO(result.pdf)) as document:
        form = document.pages[result.body.start].obj.Resources.XObject.P
        assert form.Resources.Font.F1.BaseFont == N.Courier
        assert str(form.Resources.ExtGState.G.Note) == "a (5 0 R) b"


def test_lost_cross_references_are_found_again():
    data = re.sub(rb"startxref\n\d+", b"startxref\n7", simple())
    result = print_file("修.pdf", data)
    assert "SOUND" in result.texts[result.body.start]


def test_one_broken_page_does_not_take_the_others_along():
    with pikepdf.Pdf.new() as document:
        add_page(document, words("FIRST"))
        bad = add_page(document, words("BAD"))
        deep = A([])
        for _ in range(90):
            deep = A([deep])
        bad.Resources.ColorSpace = D(C=deep)
        add_page(document, words("THIRD"))
        result = print_file("一页坏.pdf", saved(document))
    assert "FIRST" in result.texts[result.body.start]
    assert result.reasons == ["broken"]
    assert "以上为前1页；其余部分未打印" in result.texts[result.body.start + 1]


def test_a_bomb_of_content_is_not_lit():
    with pikepdf.Pdf.new() as document:
        page = add_page(document, b"")
        page.Contents = document.make_stream(zlib.compress(bytes(200 << 20), 9), Filter=N.FlateDecode)
        data = saved(document)
    assert len(data) < 1 << 20
    result = print_file("炸弹.pdf", data)
    assert result.reasons == ["too_large"]


def test_a_bomb_in_a_bomb_is_not_lit():
    with pikepdf.Pdf.new() as document:
        page = add_page(document, b"")
        inner = zlib.compress(zlib.compress(bytes(60 << 20), 9), 9)
        page.Contents = document.make_stream(inner, Filter=A([N.FlateDecode, N.FlateDecode]))
        result = print_file("双层.pdf", saved(document, compress_streams=False))
    assert result.reasons == ["too_large"]


def test_old_filters_and_split_content():
    with pikepdf.Pdf.new() as document:
        page = add_page(document, b"")
        first = document.make_stream(b"BT /F1 24 Tf 60 400 Td")
        page.Contents = A([first, document.make_stream(b"(SPLIT) Tj ET")])
        add_page(document, b"").Contents = document.make_stream(
            words("HEXED").hex().encode() + b">", Filter=N.ASCIIHexDecode
        )
        result = print_file(
            "旧.pdf",
            saved(document, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none),
        )
    texts = result.texts[result.body]
    assert "SPLIT" in texts[0]
    assert "HEXED" in texts[1]


def test_damaged_compression_shows_what_is_left():
    body = words("EARLY") + words("x" * 40, 60, 300) * 400
    whole = zlib.compress(body, 1)
    with pikepdf.Pdf.new() as document:
        add_page(document, b"").Contents = document.make_stream(
            whole[: len(whole) // 2], Filter=N.FlateDecode
        )
        data = saved(document, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)
    result = print_file("截断.pdf", data)
    assert "EARLY" in result.texts[result.body.start]


def test_attributes_of_the_page_tree_are_inherited():
    with pikepdf.Pdf.new() as document:
        page = add_page(document, words("INHERITED", 20, 100), (300, 200))
        tree = document.Root.Pages
        for key in ("/MediaBox", "/Resources"):
            tree[key] = page[key]
            del page[key]
        tree.Rotate = 90
        result = print_file("继承.pdf", saved(document))
    assert "INHERITED" in result.texts[result.body.start]


@pytest.mark.parametrize(
    "box", [[0, 0, 0, 0], [0, 0], ["a", 1, 2, 3], [0, 0, 1e9, 1e9], [600, 800, 0, 0], None]
)
def test_senseless_boxes(box):
    with pikepdf.Pdf.new() as document:
        page = add_page(document, words("STILL", 60, 400))
        if box is None:
            del page.MediaBox
        else:
            page.MediaBox = A(box)
        page.Rotate = N.Foo
        page.UserUnit = -3
        result = print_file("框.pdf", saved(document))
    assert "STILL" in result.texts[result.body.start]


def layered(**default: Any) -> bytes:
    with pikepdf.Pdf.new() as document:
        page = add_page(document, words("SHOWN"))
        group = document.make_indirect(D(Type=N.OCG, Name="layer"))
        page.Resources.Properties = D(L=group)
        page.Contents = A([page.Contents, document.make_stream(b"/OC /L BDC 1 0 0 rg 0 0 600 850 re f EMC")])
        shown = {f"/{name}": A([group]) if value == "group" else value for name, value in default.items()}
        document.Root.OCProperties = D(OCGs=A([group]), D=D(shown))
        return saved(document)


@pytest.mark.parametrize("default", [{"OFF": "group"}, {"BaseState": N.OFF}], ids=["off", "base"])
def test_hidden_layers_stay_hidden(default):
    result = print_file("图层.pdf", layered(**default))
    colors = result.picture(result.body.start).getcolors(1 << 20) or []
    assert not any(color == (255, 0, 0) for _, color in colors)
    assert harmless(result.pdf) == []


def test_layers_that_show_are_copied_as_text():
    result = print_file("图层.pdf", layered())
    assert "SHOWN" in result.texts[result.body.start]
    assert any(c == (255, 0, 0) for _, c in result.picture(result.body.start).getcolors(1 << 20) or [])


def test_forms_that_a_reader_must_draw_are_drawn():
    with pikepdf.Pdf.new() as document:
        page = add_page(document, b"0 0 1 rg 100 100 50 50 re f")
        field = widget(document, "x")
        page.Annots = A([field])
        document.Root.AcroForm = D(Fields=A([field]), NeedAppearances=True)
        result = print_file("表单.pdf", saved(document))
    assert result.reasons == []
    assert any(c == (0, 0, 255) for _, c in result.picture(result.body.start).getcolors(1 << 20) or [])
    assert harmless(result.pdf) == []


def test_dynamic_forms_are_said_to_be_such():
    with pikepdf.Pdf.new() as document:
        add_page(document, words("Please wait"))
        document.Root.NeedsRendering = True
        document.Root.AcroForm = D(Fields=A([]), XFA=document.make_stream(b"<xdp/>"))
        result = print_file("动态.pdf", saved(document))
    assert result.reasons == ["dynamic_form"]


def test_more_pages_than_are_printed(monkeypatch):
    monkeypatch.setattr(pdf_pages, "MOST_PAGES", 3)
    with pikepdf.Pdf.new() as document:
        for index in range(5):
            add_page(document, words(f"P{index}"))
        result = print_file("长.pdf", saved(document))
    texts = result.texts[result.body]
    assert [f"P{index}" in text for index, text in enumerate(texts[:3])] == [True] * 3
    assert "以上为前3页；其余部分未打印" in texts[3]
    assert result.reasons == ["too_many_pages"]
    first, last = result.printed.ranges[0]
    assert last - first == 4


def test_a_stream_too_large_for_memory(monkeypatch):
    monkeypatch.setattr(copying, "MOST_STREAM", 1000)
    with pikepdf.Pdf.new() as document:
        page = add_page(document, words("BIG"))
        page.Resources.XObject = D(
            I=document.make_stream(b"x" * 2000, Type=N.XObject, Subtype=N.Image, Width=1, Height=1)
        )
        data = saved(document, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)
    assert print_file("大.pdf", data).reasons == ["too_large"]


def test_the_renderer_is_bounded_too():
    source = io.BytesIO(simple(encryption=pikepdf.Encryption(user="u", owner="o")))
    with pytest.raises(UnprintableError) as caught:
        rendering.Renderer(source)
    assert caught.value.reason.value == "encrypted"


_SOUND = active()


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_damage_is_survived(data):
    """Bytes overwritten, cut out, doubled: whatever happens, there is a bundle and it is harmless."""
    damaged = bytearray(_SOUND)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(9, len(damaged) - 1))
        size = data.draw(st.integers(0, 40))
        damaged[at : at + size] = data.draw(st.binary(max_size=60))
    result = print_file("变.pdf", bytes(damaged))
    assert result.printed.pages >= 3
    with pikepdf.open(io.BytesIO(result.pdf)) as document:
        for key in ("/AcroForm", "/Names", "/OpenAction", "/AA"):
            assert key not in document.Root
        assert not any("/Annots" in page.obj or "/AA" in page.obj for page in document.pages)


def hiding(policy: str, pages: int) -> bytes:
    """A black form on every page that its membership dictionary hides or shows while the only layer is on."""
    with pikepdf.Pdf.new() as document:
        layer = document.make_indirect(D(Type=N.OCG, Name="L"))
        document.Root.OCProperties = D(OCGs=A([layer]), D=D(Order=A([layer])))
        form = document.make_stream(b"0 0 0 rg 0 0 600 800 re f")
        form.Type, form.Subtype, form.BBox = N.XObject, N.Form, A([0, 0, 600, 800])
        form.OC = document.make_indirect(D(Type=N.OCMD, OCGs=A([layer]), P=N(policy)))
        shared = document.make_indirect(D(X=form))
        for _ in range(pages):
            page = document.add_blank_page(page_size=(600, 800))
            page.obj.Resources = D(XObject=shared)
            page.obj.Contents = document.make_stream(b"/X Do")
        return saved(document)


@pytest.mark.parametrize(("policy", "black"), [("/AnyOn", True), ("/AllOff", False), ("/AnyOff", False)])
def test_what_a_layer_hides_stays_hidden_on_every_page(policy, black):
    """What pages share is not half copied where the first of them had to be drawn."""
    pages = print_file("a.pdf", hiding(policy, 7))
    with pypdfium2.PdfDocument(pages.pdf) as document:
        for index in range(2, 9):
            picture = document[index].render(scale=0.2, grayscale=True).to_pil()
            assert (picture.getpixel((picture.width // 2, picture.height // 2)) < 50) == black
