"""Real papers of a demo vault: certificate, package, proof, token, originals, scan; and what was done to some of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pypdfium2
import pytest
from pytestqt.qtbot import QtBot

from evidence_desk.bootstrap.opening import init_session, unlocked
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.core.rows import CertificateRow, ExhibitRow
from evidence_desk.services.certify import certify
from evidence_desk.services.examination import Examination
from evidence_desk.services.export import export
from evidence_desk.services.seal import SealRequest, seal
from evidence_desk.services.timestamp import timestamp
from tests.unit.vault.rows import CHEAP
from ui.context import Context
from ui.page import PageName
from ui.verify.page import VerifyPage
from ui.window import Window

CONTENTS = {"合同.txt": "甲方乙方".encode(), "附件.txt": b"annex"}
PASSPHRASE = "verify"


@dataclass(frozen=True)
class Papers:
    """Files in `folder`, the desk that made them (closed: its folder can be opened)."""

    folder: Path
    row: ExhibitRow
    certificate: CertificateRow

    @property
    def vault(self) -> Path:
        return self.folder / "vault"

    @property
    def trust(self) -> Path:
        return self.folder / "trust"

    @property
    def originals(self) -> list[Path]:
        return [self.folder / "originals" / name for name in CONTENTS]

    @property
    def pdf(self) -> Path:
        return self.folder / "papers" / "证书.pdf"

    @property
    def tampered(self) -> Path:
        return self.folder / "papers" / "改动的证书.pdf"

    @property
    def package(self) -> Path:
        return self.folder / "papers" / "包.asice"

    @property
    def token(self) -> Path:
        return self.folder / "papers" / "timestamp.tsr"

    @property
    def photo(self) -> Path:
        return self.folder / "papers" / "照片.png"


@pytest.fixture(scope="session")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    folder = tmp_path_factory.mktemp("verify")
    session, _ = init_session(folder / "vault", PASSPHRASE, office="test", demo=True, kdf=CHEAP)
    for part in ("originals", "papers"):
        (folder / part).mkdir()
    for name, data in CONTENTS.items():
        (folder / "originals" / name).write_bytes(data)
    (outcome,) = seal(
        session.desk, [folder / "originals"], SealRequest(case_number="(2026)渝0103民初1号"), job=Job()
    )
    assert outcome.exhibit is not None
    timestamp(session.desk, session.authorities, job=Job())
    row = session.vault.exhibits.exhibit(outcome.exhibit.leaf_hash)
    assert row is not None
    issued = certify(session.desk, [row], session.issuer(), trust=session.trust, job=Job()).certificate
    made = Papers(folder, row, issued)
    made.pdf.write_bytes(issued.pdf)
    made.tampered.write_bytes(flipped(issued.pdf))
    with made.package.open("w+b") as stream:
        export(session.desk, row, stream, trust=session.trust, job=Job())
    made.token.write_bytes(next(iter(session.vault.exhibits.tokens())).token)
    document = pypdfium2.PdfDocument(issued.pdf)
    document[0].render(scale=150 / 72).to_pil().convert("L").save(made.photo)
    document.close()
    shutil.copytree(made.vault / "trust", made.trust)
    session.close()
    return made


def flipped(data: bytes) -> bytes:
    """One bit of one byte is another, in the middle of what was signed."""
    at = data.index(b"stream\n") + 40
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.fixture
def page(context: Context, qtbot: QtBot) -> VerifyPage:
    """The page without vault, trust and network."""
    return shown(context, qtbot)


def shown(context: Context, qtbot: QtBot) -> VerifyPage:
    window = Window(context, PageName.VERIFY)
    window.resize(1180, 760)  # as on a usual screen; that of the tests is small
    qtbot.addWidget(window)
    window.show()
    qtbot.waitUntil(lambda: not context.tasks.running)
    made = window.page
    assert isinstance(made, VerifyPage)
    return made


@pytest.fixture
def settled(qtbot: QtBot) -> Callable[[VerifyPage], None]:
    def wait(page: VerifyPage) -> None:
        qtbot.waitUntil(lambda: not page.context.tasks.running and not page.progress.lines, timeout=60_000)

    return wait


@pytest.fixture
def with_trust(page: VerifyPage, papers: Papers, settled: Callable[[VerifyPage], None]) -> VerifyPage:
    """The page with the trust roots of the papers chosen by hand."""
    page.basis.take_folder(papers.trust)
    settled(page)
    return page


@pytest.fixture
def own_vault(papers: Papers, tmp_path: Path) -> Session:
    """A copy of the vault that made the papers, open."""
    folder = tmp_path / "own"
    shutil.copytree(papers.vault, folder)
    return unlocked(folder, PASSPHRASE, sleep=None)


def result(page: VerifyPage, row: int = 0) -> Examination:
    return page.model.entries[row].examination


def said(page: VerifyPage) -> str:
    """Everything that the notices of the shown result say."""
    return "\n".join(f"{item.head} {item.said}" for item in page.detail.notices)
