"""Certificates under veraPDF: set VERAPDF_JARS to a folder with its jars.

``mvn dependency:copy-dependencies -DoutputDirectory=FOLDER`` in tests/conformance/java/verapdf puts them there.
"""

import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reports.certificate_document import certificate_document
from reports.documents import render as render_case_document
from reports.drawing import draw
from reports.layout import lay_out
from tests.unit.reports.samples import (
    CAPTURE,
    RARE,
    a_certificate,
    a_court,
    a_file,
    an_exhibit,
    make_signing,
    render,
)
from tests.unit.reports.test_documents_pdf import EVERY, SAMPLES

JARS = os.environ.get("VERAPDF_JARS", "")
PROGRAM = Path(__file__).parent / "java" / "verapdf" / "Check.java"
pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(shutil.which("java") is None, reason="java is not installed"),
    pytest.mark.skipif(not Path(JARS or "-").is_dir(), reason="VERAPDF_JARS names no folder"),
]


def check(*paths: Path) -> list[str]:
    out = subprocess.run(
        ["java", "-cp", f"{JARS}/*", PROGRAM, *paths], capture_output=True, text=True, check=False
    )
    return [line[:4] for line in out.stdout.splitlines() if line.startswith(("PASS ", "FAIL "))]


def test_certificates_are_pdf_a_3b_before_and_after_signing(tmp_path):
    signing = make_signing(datetime.now(UTC))
    certificates = [
        a_certificate(an_exhibit(court=a_court()), CAPTURE),
        a_certificate(an_exhibit(files=tuple(a_file(index) for index in range(1, 120)))),
        a_certificate(an_exhibit(title=f"{RARE}😀\u202e"), issuer=RARE, demo=()),
        a_certificate(CAPTURE, language="en"),
    ]
    paths = []
    for index, certificate in enumerate(certificates):
        for kind, pdf in (("u", render(certificate).pdf), ("s", signing.issue_certificate(certificate))):
            paths.append(tmp_path / f"{index}{kind}.pdf")
            paths[-1].write_bytes(pdf)
    assert check(*paths) == ["PASS"] * len(paths)


def test_documents_of_a_case_are_pdf_a_3b(tmp_path):
    paths = []
    for name, language in EVERY:
        paths.append(tmp_path / f"{name}-{language.value}.pdf")
        paths[-1].write_bytes(render_case_document(SAMPLES[name], language))
    assert check(*paths) == ["PASS"] * len(paths)


def test_the_check_can_fail(tmp_path):
    document = certificate_document(a_certificate())
    path = tmp_path / "raw.pdf"
    path.write_bytes(draw(document, lay_out(document)))
    assert check(path) == ["FAIL"]
