"""A desk with a real vault and demo authority, its evidence as files, and scans of its certificate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pypdfium2
import pytest

from evidence_desk.bootstrap.opening import init_session
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.core.rows import CertificateRow, ExhibitRow
from evidence_desk.services.certify import certify
from evidence_desk.services.export import export
from evidence_desk.services.seal import SealRequest, seal
from evidence_desk.services.timestamp import timestamp
from tests.unit.vault.rows import CHEAP

CONTENTS = {"合同.txt": "甲方乙方".encode(), "附件.txt": b"annex"}


@dataclass(frozen=True)
class Made:
    """Files in `folder`: originals/, 证书.pdf, 包.asice, proof.json with its parts, 扫描.pdf, 照片.png."""

    folder: Path
    session: Session
    row: ExhibitRow
    certificate: CertificateRow

    @property
    def trust(self) -> Path:
        return self.folder / "vault" / "trust"

    @property
    def originals(self) -> Path:
        return self.folder / "originals"

    @property
    def pdf(self) -> Path:
        return self.folder / "papers" / "证书.pdf"

    @property
    def package(self) -> Path:
        return self.folder / "papers" / "包.asice"

    @property
    def scan(self) -> Path:
        return self.folder / "papers" / "扫描.pdf"

    @property
    def photo(self) -> Path:
        return self.folder / "papers" / "照片.png"


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    folder = tmp_path_factory.mktemp("examine")
    session, _ = init_session(folder / "vault", "examine", office="test", demo=True, kdf=CHEAP)
    for part in ("originals", "papers"):
        (folder / part).mkdir()
    for name, data in CONTENTS.items():
        (folder / "originals" / name).write_bytes(data)
    (outcome,) = seal(session.desk, [folder / "originals"], SealRequest(case_number="案一"), job=Job())
    assert outcome.exhibit is not None
    timestamp(session.desk, session.authorities, job=Job())
    issued = certify(session.desk, [outcome.exhibit], session.issuer(), trust=session.trust, job=Job())
    made = Made(folder, session, outcome.exhibit, issued.certificate)
    made.pdf.write_bytes(issued.certificate.pdf)
    with made.package.open("w+b") as stream:
        export(session.desk, outcome.exhibit, stream, trust=session.trust, job=Job())
    document = pypdfium2.PdfDocument(issued.certificate.pdf)
    pages = [document[index].render(scale=150 / 72).to_pil().convert("L") for index in range(len(document))]
    document.close()
    pages[0].save(made.photo)
    pages[0].save(made.scan, save_all=True, append_images=pages[1:])
    yield made
    session.close()
