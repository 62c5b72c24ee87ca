"""``captures disclose``, ``captures check`` and the offline verifier on what they write, as processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.integration.capture.desk.conftest import open_desk, taken

pytestmark = pytest.mark.timeout(240)
DESK = "from evidence_desk.cli.main import run; run()"
VERIFIER = "from evidence_desk.verifier import run; run()"


def called(program: str, *arguments: object, vault: Path | None = None) -> tuple[int, Any]:
    """Exit status, and the one JSON document that was printed."""
    given = [str(item) for item in (*arguments, "--json")]
    environment = {**os.environ, "EVIDENCE_DESK_PASSPHRASE": "capture"}
    if vault is not None:
        environment["EVIDENCE_DESK_VAULT"] = str(vault)
    done = subprocess.run(
        [sys.executable, "-c", program, *given],
        capture_output=True,
        env=environment,
        check=False,
        timeout=120,
    )
    return done.returncode, json.loads(done.stdout)


@pytest.fixture(scope="module")
def desk(tmp_path_factory, town):
    """Folder of a vault with one capture of a log-in, and its evidence number."""
    folder = tmp_path_factory.mktemp("disclosing")
    opened = open_desk(folder)
    exhibit = taken(opened, town, "site.test/login-auto.html").exhibit
    assert exhibit is not None
    opened.close()
    return folder / "vault", exhibit.number


@pytest.fixture(scope="module")
def copy(desk, tmp_path_factory):
    vault, number = desk
    path = tmp_path_factory.mktemp("copies") / "副本.wacz"
    status, told = called(
        DESK, "captures", "disclose", number, "-o", path, "--withhold-credentials", "--reason", "凭据与本案无关",
        "--operator", "李四", vault=vault,
    )  # fmt: skip
    assert (status, told["path"]) == (0, str(path))
    return path, told


@pytest.fixture(scope="module")
def proof(desk, tmp_path_factory):
    """proof.json with statement.json and disclosures.json beside it, out of the exported package."""
    vault, number = desk
    folder = tmp_path_factory.mktemp("proof")
    assert called(DESK, "timestamp", vault=vault)[0] == 0
    assert called(DESK, "export", number, "-o", folder / "package.asice", vault=vault)[0] == 0
    with zipfile.ZipFile(folder / "package.asice") as package:
        for name in package.namelist():
            plain = name.rpartition("/")[2]
            if plain in ("proof.json", "statement.json", "disclosures.json"):
                (folder / plain).write_bytes(package.read(name))
    return folder / "proof.json"


def codes(document, status: str) -> set[str]:
    return {
        item["code"]
        for item in document["findings"]
        if item["status"] == status and (status != "failed" or item["dimension"] == "integrity")
    }


def test_a_copy_is_written_told_and_recorded(desk, copy):
    vault, number = desk
    path, told = copy
    assert told["size"] == path.stat().st_size
    assert told["reason"] == "凭据与本案无关"
    assert {item["why"] for item in told["files"]} <= {"credentials", "repeats"}
    assert told["records"]
    assert told["opened"] == []
    status, custody = called(DESK, "custody", number, vault=vault)
    assert status == 0
    assert [
        item for item in custody["events"] if item["action"] == "disclosed" and item["operator"] == "李四"
    ]
    again, refused = called(
        DESK, "captures", "disclose", number, "-o", path, "--withhold-credentials", vault=vault
    )
    assert (again, refused["error"]["code"]) == (64, "output.exists")


def test_wishes_against_each_other_leave_nothing(desk, tmp_path):
    vault, number = desk
    path = tmp_path / "copy.wacz"
    status, told = called(
        DESK,
        "captures",
        "disclose",
        number,
        "-o",
        path,
        "--withhold-credentials",
        "--open-secrets",
        vault=vault,
    )
    assert (status, told["error"]["code"]) == (64, "capture_disclose.credentials_open")
    assert list(tmp_path.iterdir()) == []


def test_a_copy_by_itself(copy):
    status, told = called(VERIFIER, copy[0])
    assert (status, told["kind"]) == (2, "capture")
    assert codes(told, "failed") == set()
    assert codes(told, "undetermined") >= {"capture.manifest.alone", "capture.records.withheld"}


def test_a_copy_beside_proof_and_certificate(desk, copy, proof, tmp_path):
    vault, number = desk
    trust = ("--trust", vault / "trust")
    status, told = called(VERIFIER, proof, "--file", copy[0], *trust)
    assert codes(told, "failed") == set()
    assert codes(told, "passed") >= {"object.digest.copy", "capture.manifest.right", "capture.started.right"}
    assert (status, told["overall"]) == (2, "undetermined"), "the rest of the exhibit is not there"

    broken = tmp_path / "broken.wacz"
    data = bytearray(copy[0].read_bytes())
    data[len(data) // 2] ^= 1
    broken.write_bytes(data)
    status, told = called(VERIFIER, proof, "--file", broken, *trust)
    assert status == 1
    assert codes(told, "failed") & {"capture.form.wrong", "object.digest.wrong"}

    package = proof.with_name("package.asice")
    status, told = called(VERIFIER, package, "--file", copy[0], *trust)
    assert status == 2
    assert codes(told, "failed") == set()
    assert "object.digest.copy" in codes(told, "passed")
    status, told = called(VERIFIER, package, "--file", broken, *trust)
    assert (status, bool(codes(told, "failed"))) == (1, True)

    certificate = tmp_path / "certificate.pdf"
    assert called(DESK, "certify", number, "-o", certificate, vault=vault)[0] == 0
    status, told = called(VERIFIER, certificate, "--file", copy[0], *trust)
    assert status == 2
    assert codes(told, "failed") == set()
    assert codes(told, "passed") >= {"object.digest.belongs", "capture.manifest.right"}


def test_opened_secrets_are_used_by_the_verifier(desk, proof, tmp_path):
    vault, number = desk
    path = tmp_path / "open.wacz"
    status, told = called(DESK, "captures", "disclose", number, "-o", path, "--open-secrets", vault=vault)
    assert status == 0
    assert "keylog.txt" in told["opened"]
    _, told = called(VERIFIER, proof, "--file", path, "--trust", vault / "trust")
    assert codes(told, "failed") == set()
    assert codes(told, "passed") >= {
        "capture.opened.right",
        "capture.decryption.right",
        "capture.handshake.right",
    }


def test_the_desk_checks_its_capture(desk, town, tmp_path):
    vault, number = desk
    root = tmp_path / "root.pem"
    root.write_bytes(town.ca.root_pem)
    status, told = called(DESK, "captures", "check", number, "--ca", root, vault=vault)
    assert (status, told["overall"], told["policy"]) == (0, "passed", "capture/1")
    assert codes(told, "passed") >= {
        "capture.decryption.right", "capture.server.right", "capture.private.right", "capture.report.right",
        "capture.limits.right", "capture.lookups.right", "capture.opened_lines.right",
    }  # fmt: skip
    assert "capture.count.told" in codes(told, "undetermined")
    status, told = called(DESK, "captures", "check", "E-UNKNOWN", vault=vault)
    assert status != 0
    assert "error" in told
