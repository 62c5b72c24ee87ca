"""A thousand pages of pictures: what is printed goes to the file, not into memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pikepdf
import pytest

from tests.unit.reports.bundle.printing import A, N, add_page

ROOT = Path(__file__).parents[4]
PAGES = 1000
PICTURE = 160 << 10
"""Bytes of each page's own picture: 160 MB in all."""
MOST = 130 << 20
"""Bytes of memory that printing may take beyond the start."""
CHILD = """
import resource, sys
from contextlib import contextmanager
from pathlib import Path
import tests.unit.reports.bundle.printing as printing
from evidence_desk.core.job import Job
from reports.bundle import PdfBundlePrinter

source, target = Path(sys.argv[1]), Path(sys.argv[2])

class OnDisk:
    def head(self, size):
        with source.open("rb") as stream:
            return stream.read(size)

    @contextmanager
    def checked(self):
        with source.open("rb") as stream:
            yield stream

printing.print_file("暖机.txt", b"warm\\n")
item = printing.item({"长.pdf": b"%PDF-1.7"})
object.__setattr__(item, "originals", (OnDisk(),))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
with target.open("wb") as out:
    printed = PdfBundlePrinter().print(printing.bundle_of([item]), out, job=Job())
print(printed.pages, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no resource module")
def test_a_thousand_pages(tmp_path):
    source, target = tmp_path / "长.pdf", tmp_path / "卷宗.pdf"
    with pikepdf.Pdf.new() as document:
        for index in range(PAGES):
            page = add_page(
                document, b"q 500 0 0 500 50 100 cm /I Do Q BT /F1 20 Tf 50 700 Td (P%d) Tj ET" % index
            )
            data = index.to_bytes(4, "big") * (PICTURE // 4)
            picture = document.make_stream(data, Type=N.XObject, Subtype=N.Image, Width=400, Height=409)
            picture.ColorSpace, picture.BitsPerComponent = N.DeviceGray, 8
            page.Resources.XObject = pikepdf.Dictionary(I=picture)
            page.CropBox = A([0, 0, 595, 842])
        document.save(source, compress_streams=False)
    assert source.stat().st_size > PAGES * PICTURE
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(source), str(target)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    pages, grown = (int(value) for value in done.stdout.split())
    assert pages == PAGES + 2
    assert target.stat().st_size > PAGES * PICTURE
    assert grown < MOST
    with pikepdf.open(target) as document:
        assert len(document.pages) == pages
