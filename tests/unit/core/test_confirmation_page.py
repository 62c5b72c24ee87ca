"""The worked example of docs/spec/confirmation.md, followed as a stranger would."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from evidence_desk.core.canonical import encode
from evidence_desk.core.certificate import parse_printed
from evidence_desk.core.confirmation import SIGNATURE_LIMIT, parse_confirmation
from evidence_desk.core.digests import DigestPair
from evidence_desk.crypto.detached import check_detached
from tests.spec_examples import CREDENTIAL, PAGES, blocks, proof

EXAMPLES = blocks((PAGES / "confirmation.md").read_text("utf-8"))


def record() -> bytes:
    return encode(json.loads(EXAMPLES["confirmation"]))


def signature() -> bytes:
    return base64.b64decode(EXAMPLES["confirmation.p7s"].replace("\n", ""), validate=True)


def test_the_record_binds_document_and_attachment():
    confirmation = parse_confirmation(record())
    document = EXAMPLES["confirmation.document"].removesuffix("\n").encode()
    assert confirmation.document == DigestPair.of(document)
    assert confirmation.number == parse_printed(document).number
    assert confirmation.attachments == {"proof-001.json": DigestPair.of(proof().encode())}


def test_the_signature_is_over_the_record():
    found = check_detached(signature(), record(), what="example", limit=SIGNATURE_LIMIT)
    assert found.wrong == ""
    assert found.certificate is not None
    assert found.certificate.encoded == CREDENTIAL.read_bytes()
    credential = parse_confirmation(record()).confirmed.credential
    assert (credential.subject, credential.serial) == (
        found.certificate.subject.text,
        found.certificate.serial,
    )
    assert (
        check_detached(signature(), record() + b" ", what="example", limit=SIGNATURE_LIMIT).wrong == "digest"
    )


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_agrees(tmp_path: Path):
    (tmp_path / "confirmation.json").write_bytes(record())
    (tmp_path / "confirmation.p7s").write_bytes(signature())
    root = CREDENTIAL.with_name("root.der")
    commands = (PAGES / "confirmation.md").read_text("utf-8")
    (line,) = [item for item in commands.splitlines() if item.startswith("openssl cms")]
    script = f"openssl x509 -inform DER -in {root} -out CA.pem && {line}"
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, record()), done.stderr
    serial = subprocess.run(
        ["openssl", "x509", "-inform", "DER", "-in", CREDENTIAL, "-noout", "-serial"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert serial == f"serial={parse_confirmation(record()).confirmed.credential.serial_text}\n"
