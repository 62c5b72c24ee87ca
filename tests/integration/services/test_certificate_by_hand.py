"""The shell lines that a certificate prints really work on what is attached to it."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.certificate import parse_printed
from evidence_desk.core.job import Job
from evidence_desk.services.certify import certify
from evidence_desk.services.seal import SealRequest, seal
from evidence_desk.services.timestamp import timestamp


@pytest.mark.skipif(shutil.which("pdfdetach") is None, reason="poppler-utils is not installed")
def test_printed_commands(session: Session, tmp_path: Path):
    folder = tmp_path / "by hand"
    folder.mkdir()
    original = folder / "ORIGINAL"
    original.write_bytes("内容".encode())
    (outcome,) = seal(session.desk, [original], SealRequest(case_number="案"), job=Job())
    assert outcome.exhibit is not None
    timestamp(session.desk, session.authorities, job=Job())
    issued = certify(session.desk, [outcome.exhibit], session.issuer(), trust=session.trust, job=Job())
    (folder / "CERTIFICATE.pdf").write_bytes(issued.certificate.pdf)
    (folder / "CA.pem").write_text(session.settings[0].roots)

    def run(line: str) -> str:
        done = subprocess.run(line, shell=True, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, line + done.stdout + done.stderr
        return done.stdout

    run("pdfdetach -saveall CERTIFICATE.pdf")
    printed = parse_printed((folder / "certificate.json").read_bytes())
    text = "\n".join(line for page in printed.pages for line in page)
    commands = [line for line in text.split("\n") if line.startswith(("pdfdetach", "sha256sum", "openssl"))]
    assert len(commands) == 5
    answers = "".join(run(line) for line in commands[1:])
    digest = hashlib.sha256("内容".encode()).hexdigest()
    assert digest in answers
    assert digest in (folder / "timestamp-001-001.path.txt").read_text()
    assert "Time stamp: " in answers
    assert "Policy OID: " in answers
    assert outcome.exhibit.objects[0].stored.digests.sm3.hex() in answers
    spoiled = folder / "timestamp-001.preimage"
    spoiled.write_bytes(spoiled.read_bytes()[::-1])
    failed = subprocess.run(commands[3], shell=True, cwd=folder, capture_output=True, text=True, check=False)
    assert failed.returncode != 0
