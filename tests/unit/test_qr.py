"""QR codes are read out of pictures and scans; what is no picture, too large or broken is nothing, never a crash."""

from __future__ import annotations

import io
import struct
import zlib
from itertools import pairwise

import pytest
import segno
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from evidence_desk import qr
from evidence_desk.core.job import Job
from evidence_desk.core.qr_payload import CodePayload
from evidence_desk.errors import CanceledError, MalformedError
from evidence_desk.qr import QrReader, read_codes

TEXT = CodePayload(leaf_hash=bytes(range(32)), chain_id="demo-court-7f3a").encode()


def picture(text: str = TEXT, scale: int = 4) -> Image.Image:
    out = io.BytesIO()
    segno.make(text, error="m").save(out, kind="png", scale=scale, border=4)
    with Image.open(out) as image:
        return image.convert("L")


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def read(data: bytes) -> tuple[str, ...] | None:
    found = QrReader().read(io.BytesIO(data), Job())
    return None if found is None else found.texts


@pytest.mark.parametrize("angle", [0, 90, 180, 13])
def test_gray_pixels(angle):
    image = picture().rotate(angle, expand=True, fillcolor=255)
    assert read_codes(image.tobytes(), *image.size) == (TEXT,)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP"])
def test_pictures(kind):
    assert read(saved(picture(), kind)) == (TEXT,)


def test_transparent_paper_is_white():
    dark = picture()
    clear = Image.new("RGBA", dark.size, (0, 0, 0, 0))
    clear.putalpha(dark.point(lambda value: 255 - value))
    assert read(saved(clear, "PNG")) == (TEXT,)


def test_pages_of_scans_each_code_once():
    images = [picture(), picture("https://evil.example/"), picture()]
    for kind in ("TIFF", "PDF"):
        data = saved(images[0], kind, save_all=True, append_images=images[1:])
        found = QrReader().read(io.BytesIO(data), Job())
        assert found is not None
        assert (found.texts, found.read, found.pages) == ((TEXT, "https://evil.example/"), 3, 3)


def test_only_so_many_pages(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(qr, "MAX_PAGES", 1)
    data = saved(Image.new("L", (300, 300), 255), "PDF", save_all=True, append_images=[picture()])
    found = QrReader().read(io.BytesIO(data), Job())
    assert found is not None
    assert (found.texts, found.read, found.pages) == ((), 1, 2)


def test_canceled_between_pages():
    job = Job()
    job.cancel()
    with pytest.raises(CanceledError):
        QrReader().read(io.BytesIO(saved(picture(), "PDF")), job)


@pytest.mark.parametrize(("size", "width", "height"), [(10, 3, 3), (0, 0, 0), (4, -2, -2), (4, 4, 0)])
def test_pixels_of_another_size(size, width, height):
    with pytest.raises(MalformedError, match=r"malformed\.picture"):
        read_codes(bytes(size), width, height)


def test_too_many_pixels():
    with pytest.raises(MalformedError, match="pixels"):
        read_codes(bytes(qr.MAX_PIXELS + 10_000), 10_000, qr.MAX_PIXELS // 10_000 + 1)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def test_a_picture_that_claims_to_be_huge():
    """One row of pixels is given; two billion are announced."""
    for side in (8_000, 46_000, 2**31 - 1):
        head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
        data = (
            b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", head)
            + chunk(b"IDAT", zlib.compress(bytes(1000)))
            + chunk(b"IEND", b"")
        )
        assert read(data) is None


@pytest.mark.parametrize("box", ["0 0 1e9 1e9", "0 0 0 0", "0 0 1 100000", "0 0 -5 -5", "1 2 3"])
def test_a_pdf_page_of_any_size(box):
    pdf = (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[" + box.encode() + b"]>>endobj\ntrailer<</Root 1 0 R>>\n"
    )
    assert read(pdf) in {None, ()}


def test_what_is_neither_picture_nor_pdf():
    for data in (b"", b"text", b"PK\x03\x04", b"\x30\x82"):
        assert read(data) is None


WHOLE = [saved(picture(), kind) for kind in ("PNG", "JPEG", "GIF", "TIFF", "PDF")]


@given(st.sampled_from(WHOLE), st.lists(st.integers(0, 10**6), max_size=4), st.binary(max_size=8))
def test_broken_files_never_crash(data, cuts, noise):
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    pieces = [data[start:stop] for start, stop in pairwise(places)]
    found = read(noise.join(pieces))
    assert found is None or set(found) <= {TEXT}


@given(
    st.sampled_from(
        [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM", b"GIF89a", b"II*\x00", b"RIFF", b"%PDF-1.4\n"]
    ),
    st.binary(max_size=400),
)
def test_noise_behind_a_head_never_crashes(head, noise):
    assert read(head + noise) in {None, ()}
