"""The certify page over a demo vault with sealed, timestamped exhibits."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, load_der_private_key, pkcs12
from cryptography.x509 import load_der_x509_certificate

from evidence_desk.core.job import Job
from evidence_desk.services.seal import SealRequest, seal
from evidence_desk.services.timestamp import timestamp
from ui.certify.page import CertifyPage
from ui.context import Context
from ui.page import PageName
from ui.window import Window

P12_PASS = "p12-pass"
CASE = "(2026)渝0103民初1号"
NAMES = ("聊天记录.txt", "合同.txt", "转账回单.txt")


def seal_text(context: Context, folder: Path, name: str, *, case: str = CASE) -> bytes:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"{name}的内容", "utf-8")
    session = context.desk.session
    assert session is not None
    request = SealRequest(
        case_number=case, court="重庆市渝中区人民法院", purpose="合同成立", operator={"name": "钱知微"}
    )
    (outcome,) = seal(session.desk, [path], request, job=Job())
    assert outcome.exhibit is not None
    return outcome.exhibit.leaf_hash


@pytest.fixture
def leaves(open_context: Context, tmp_path: Path) -> list[bytes]:
    """Three exhibits, timestamped."""
    made = [seal_text(open_context, tmp_path / "originals", name) for name in NAMES]
    session = open_context.desk.session
    assert session is not None
    timestamp(session.desk, session.authorities, job=Job())
    return made


@pytest.fixture
def page(leaves: list[bytes], window: Window, qtbot) -> CertifyPage:
    made = window.show_page(PageName.CERTIFY)
    assert isinstance(made, CertifyPage)
    qtbot.waitUntil(lambda: made.choose.model.rowCount() == 3 and made.office is not None, timeout=20_000)
    return made


def look(page, qtbot) -> None:
    """Preview what is checked, until its first page is drawn."""
    page.choose.go.click()
    qtbot.waitUntil(lambda: page.sign.shown is not None, timeout=30_000)
    qtbot.waitUntil(lambda: page.sign.preview.view.settled, timeout=30_000)


def ended(page, qtbot) -> None:
    """The run is over, and whatever is read after it."""
    qtbot.waitUntil(lambda: page.work.issue is not None and not page.work.working, timeout=60_000)
    qtbot.waitUntil(lambda: not page.context.tasks.busy(), timeout=30_000)


def pkcs12_file(pkcs8: bytes, certificate: bytes, above: list[bytes]) -> bytes:
    """A PKCS#12 file with the password `P12_PASS`."""
    key = load_der_private_key(pkcs8, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return pkcs12.serialize_key_and_certificates(
        b"x",
        key,
        load_der_x509_certificate(certificate),
        [load_der_x509_certificate(item) for item in above],
        BestAvailableEncryption(P12_PASS.encode()),
    )
