"""Images of every accepted format, as a viewer shows them; broken and monstrous ones are said to be such."""

from __future__ import annotations

import io
import struct
import zlib
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from reports.bundle import pictures
from tests.unit.reports.bundle.printing import Result, print_file


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def halves(mode: str = "RGB", size: tuple[int, int] = (300, 200)) -> Image.Image:
    """Red above, blue below."""
    image = Image.new("RGB", size, (255, 0, 0))
    image.paste((0, 0, 255), (0, size[1] // 2, *size))
    return image.convert(mode)


def colors(result: Result, page: int = 0) -> dict[str, int]:
    """Pixels that are about red, blue, black and so on."""
    found = {"red": 0, "blue": 0, "green": 0, "gray": 0}
    for count, pixel in result.picture(result.body.start + page).getcolors(1 << 22) or []:
        red, green, blue = pixel  # type: ignore[misc]
        if red > 200 and green < 70 and blue < 70:
            found["red"] += count
        elif blue > 180 and red < 80 and green < 90:
            found["blue"] += count
        elif green > 200 and red < 70 and blue < 70:
            found["green"] += count
        elif 90 < red < 170 and abs(red - green) < 8 and abs(red - blue) < 8:
            found["gray"] += count
    return found


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP"])
def test_formats(kind):
    result = print_file(f"图.{kind.lower()}", encoded(halves(), kind))
    assert result.reasons == []
    found = colors(result)
    assert found["red"] > 20_000
    assert found["red"] == pytest.approx(found["blue"], rel=0.1)
    assert f"图.{kind.lower()}" in result.texts[result.body.start]


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("L", "PNG"),
        ("P", "PNG"),
        ("1", "TIFF"),
        ("CMYK", "JPEG"),
        ("CMYK", "TIFF"),
        ("YCbCr", "TIFF"),
        ("LAB", "TIFF"),
    ],
)
def test_modes(mode, kind):
    result = print_file(
        "图",
        encoded(
            Image.new("RGB", (200, 200), "white").convert("L").convert("RGB").convert(mode)
            if mode != "LAB"
            else Image.new("LAB", (200, 200)),
            kind,
        ),
    )
    assert result.reasons == []
    assert result.printed.pages == 3


def test_wide_gray_keeps_its_shade():
    image = Image.new("I;16", (200, 200), 32768)
    assert colors(print_file("深.png", encoded(image, "PNG")))["gray"] > 30_000


def test_transparency_is_on_white():
    image = Image.new("RGBA", (200, 200), (255, 0, 0, 0))
    image.paste((0, 0, 255, 255), (50, 50, 150, 150))
    found = colors(print_file("透明.png", encoded(image, "PNG")))
    assert found["red"] == 0
    assert found["blue"] > 5_000


def test_the_camera_s_turn_is_followed():
    upright = print_file("一.jpg", encoded(halves(), "JPEG"))
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = print_file("二.jpg", encoded(halves().rotate(90, expand=True), "JPEG", exif=exif))
    first, second = upright.picture(upright.body.start), turned.picture(turned.body.start)
    middle = first.width // 2
    for y in (80, 150, 220):
        box = (middle, y, middle + 1, y + 1)
        far = ImageChops.difference(first.crop(box), second.crop(box))
        assert max(high for _, high in cast("list[tuple[int, int]]", far.getextrema())) < 12


def test_every_page_of_a_fax_but_one_of_an_animation():
    pages = [halves(), Image.new("RGB", (300, 200), (0, 255, 0)), halves("L")]
    fax = print_file("传真.tif", encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    assert fax.printed.pages == 5
    assert colors(fax, 1)["green"] > 20_000
    assert "（第2幅，共3幅）" in fax.texts[fax.body.start + 1]
    film = print_file("动画.gif", encoded(pages[0], "GIF", save_all=True, append_images=pages[1:]))
    assert film.printed.pages == 3


def test_a_long_screenshot_is_cut_into_pieces_that_overlap():
    image = Image.new("RGB", (1080, 12_000), "white")
    for y in range(0, 12_000, 400):
        image.paste((255, 0, 0) if y % 800 else (0, 0, 255), (0, y, 1080, y + 400))
    result = print_file("长图.png", encoded(image, "PNG"))
    count = result.printed.pages - 2
    assert count > 5
    assert f"（第1幅，共{count}幅）" in result.texts[result.body.start]
    assert all(sum(colors(result, page).values()) > 100_000 for page in range(count - 1))


def test_a_photograph_is_not_finer_than_print():
    noise = Image.effect_noise((6000, 4000), 80).convert("RGB")
    data = encoded(noise, "JPEG", quality=95)
    result = print_file("照片.jpg", data)
    assert len(result.pdf) < len(data) / 2


def test_too_many_pages(monkeypatch):
    monkeypatch.setattr(pictures, "MOST_FRAMES", 2)
    data = encoded(halves(), "TIFF", save_all=True, append_images=[halves()] * 3)
    result = print_file("多.tif", data)
    assert result.reasons == ["too_many_pages"]
    assert "以上为前2页" in result.texts[-1]


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


@pytest.mark.parametrize(("side", "reason"), [(60_000, "too_large"), (9_500, "too_large"), (0, "broken")])
def test_monsters(side, reason):
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    data = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )
    assert print_file("怪.png", data).reasons == [reason]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP"])
def test_cut_short(kind):
    data = encoded(Image.effect_noise((200, 200), 90).convert("RGB"), kind)
    assert print_file("半.img", data[: len(data) // 2]).reasons == ["broken"]


SAMPLES = {
    kind: encoded(Image.effect_noise((40, 30), 90).convert("RGB"), kind)
    for kind in ("PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP")
}


@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(SAMPLES)), st.data())
def test_any_damage_is_survived(kind, data):
    damaged = bytearray(SAMPLES[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(4, len(damaged) - 1))
        damaged[at : at + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
    assert print_file("图", bytes(damaged)).printed.pages >= 3
