"""Where content lands: above the foot, upright, whole, on a sheet that a printer has."""

from __future__ import annotations

import io
from itertools import pairwise

import pikepdf
import pytest
from PIL import Image, ImageChops, ImageFilter

from reports.bundle.ink import Ink
from reports.bundle.sheets import A3, A4, STRIP, Foot, FormPage, cuts, own_page, pieces, place, sheet_content
from reports.bundle.writer import PdfWriter
from tests.unit.reports.bundle.printing import A, Result, add_page, item, print_file, print_items, saved

SIZES = {
    "a4": A4, "a4 landscape": A4[::-1], "a3": A3, "a3 landscape": A3[::-1], "letter": (612, 792), "tiny": (40, 30),
    "huge": (14400, 9000), "poster": (5000, 7000), "sliver": (2000, 20), "square": (500, 500),
}  # fmt: skip
COLORS = {
    "red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "pink": (255, 0, 255), "cyan": (0, 255, 255),
}  # fmt: skip


def quarters(width: float, height: float) -> bytes:
    """Red, green, blue, pink from the upper left, clockwise; all of the page, and far beyond it."""
    colors = {(0, 1): "1 0 0", (1, 1): "0 1 0", (1, 0): "0 0 1", (0, 0): "1 0 1"}
    parts = [f"0 1 1 rg -9999 -9999 {width + 19999} {height + 19999} re f"]
    for (x, y), color in colors.items():
        parts.append(f"{color} rg {x * width / 2} {y * height / 2} {width / 2} {height / 2} re f")
    return "\n".join(parts).encode("ascii")


def one_page(
    size: tuple[float, float], *, rotate: int = 0, unit: float = 1, crop: list[float] | None = None
) -> Result:
    with pikepdf.Pdf.new() as document:
        page = add_page(document, quarters(*size), size)
        if rotate:
            page.Rotate = rotate
        if unit != 1:
            page.UserUnit = unit
        if crop:
            page.CropBox = A(crop)
        return print_file("页.pdf", saved(document))


def seen(result: Result) -> tuple[tuple[float, float], dict[str, tuple[float, float, float, float]]]:
    """(sheet size, box of each color on it in points from the lower left); specks do not count."""
    index, scale = result.body.start, 2.0
    picture = result.picture(index, scale)
    boxes = {}
    for name, color in COLORS.items():
        far = ImageChops.difference(picture, Image.new("RGB", picture.size, color))
        bands = [band.point(lambda value: 255 if value < 12 else 0) for band in far.split()]
        near = ImageChops.darker(ImageChops.darker(bands[0], bands[1]), bands[2])
        box = near.filter(ImageFilter.MinFilter(5)).getbbox()
        if box:
            left, top, right, bottom = ((box[0] - 2), (box[1] - 2), (box[2] + 2), (box[3] + 2))
            boxes[name] = (
                left / scale, (picture.height - bottom) / scale, right / scale, (picture.height - top) / scale,
            )  # fmt: skip
    with pikepdf.open(io.BytesIO(result.pdf)) as document:
        wide, high = (float(v) for v in document.pages[index].mediabox.as_list()[2:])
    return (wide, high), boxes


@pytest.mark.parametrize(
    "size", [size for name, size in SIZES.items() if name != "sliver"], ids=lambda s: f"{s[0]}x{s[1]}"
)
def test_the_whole_page_is_above_the_foot(size):
    sheet, boxes = seen(one_page(size))
    assert set(boxes) == {"red", "green", "blue", "pink"}, "nothing of what lies outside of the page"
    assert min(box[1] for box in boxes.values()) >= STRIP - 1
    assert min(box[0] for box in boxes.values()) >= -1
    assert max(box[2] for box in boxes.values()) <= sheet[0] + 2
    wide = boxes["green"][2] - boxes["red"][0]
    high = boxes["red"][3] - boxes["pink"][1]
    assert wide / high == pytest.approx(size[0] / size[1], rel=0.06)
    assert wide <= size[0] + 2, "never enlarged"
    assert (sheet[0] > sheet[1]) == (size[0] > size[1])


@pytest.mark.parametrize(
    ("rotate", "corners"),
    [
        (0, ("red", "green", "blue", "pink")),
        (90, ("pink", "red", "green", "blue")),
        (180, ("blue", "pink", "red", "green")),
        (270, ("green", "blue", "pink", "red")),
        (-90, ("green", "blue", "pink", "red")),
        (450, ("pink", "red", "green", "blue")),
    ],
)
def test_rotated_pages_stand_as_a_reader_shows_them(rotate, corners):
    sheet, boxes = seen(one_page((400, 600), rotate=rotate))
    upper_left, upper_right, lower_right, lower_left = (boxes[name] for name in corners)
    assert upper_left[2] <= upper_right[0] + 1
    assert lower_left[2] <= lower_right[0] + 1
    assert upper_left[1] >= lower_left[3] - 1
    assert upper_right[1] >= lower_right[3] - 1
    assert (sheet[0] > sheet[1]) == (rotate % 180 != 0)


def test_crop_box_and_user_unit():
    _, boxes = seen(one_page((400, 600), crop=[200, 300, 400, 600]))
    assert set(boxes) == {"green"}
    assert boxes["green"][2] - boxes["green"][0] == pytest.approx(200, abs=2)
    _, large = seen(one_page((100, 150), unit=3))
    assert large["green"][2] - large["red"][0] == pytest.approx(300, abs=3)


def test_a_reduced_page_says_so():
    assert "缩印" in "".join(one_page((3000, 4000)).texts)
    assert "缩印" not in "".join(one_page(A4).texts)


def test_a_strip_is_cut_and_nothing_is_lost():
    result = one_page((400, 4000))
    first, last = result.printed.ranges[0]
    count = last - first
    assert count > 5
    page = FormPage(form=1, box=(0, 0, 400, 4000))
    parts = pieces(page)
    assert len(parts) == count
    assert parts[0].box[3] == 4000
    assert parts[-1].box[1] == 0
    for above, below in pairwise(parts):
        assert below.box[3] > above.box[1], "they overlap"
    assert all(place(part).scale == 1 for part in parts)


def test_a_strip_of_a_mile_is_one_page():
    assert cuts(10, 1_000_000, *A4) == [(0, 1_000_000)]


def test_unbalanced_content_does_not_reach_the_foot():
    with pikepdf.Pdf.new() as document:
        size = A4
        add_page(document, b"Q Q Q 1 0 0 rg -9999 -9999 99999 99999 re f q q q 5 0 0 5 0 0 cm", size)
        result = print_file("坏栈.pdf", saved(document))
    _, boxes = seen(result)
    assert boxes["red"][1] >= STRIP - 1
    assert f"第{result.body.start + 1}页" in result.texts[result.body.start]


def test_our_own_pages_keep_their_size():
    result = print_items(item({"一.txt": b"one\n"}))
    with pikepdf.open(io.BytesIO(result.pdf)) as document:
        for page in document.pages:
            assert [float(v) for v in page.mediabox.as_list()] == pytest.approx([0, 0, *A4], abs=0.01)


@pytest.mark.timeout(30)
def test_a_name_without_end_is_cut_at_once():
    """The foot is written on every page: its time must not grow with the square of a case number."""
    ink = Ink(PdfWriter(io.BytesIO()))
    foot = Foot(first="案" * 1_000_000, second="short")
    content = sheet_content(place(own_page(1)), foot, "1 / 1", "", ink)
    assert len(content) < 5_000
