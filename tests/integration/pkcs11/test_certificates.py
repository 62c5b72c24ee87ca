"""Certificates signed inside a real token, by the commands that people use, judged by the verifier."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from evidence_desk import verifier
from evidence_desk.bootstrap.opening import init_session, open_session
from evidence_desk.bootstrap.session import Session
from evidence_desk.cli.main import main
from evidence_desk.core.job import Job
from evidence_desk.crypto import pki
from evidence_desk.crypto.pki import KeyKind
from evidence_desk.errors import EvidenceDeskError
from evidence_desk.pkcs11.choosing import choose_signer
from evidence_desk.pkcs11.keys import list_keys
from evidence_desk.services.certify import certify
from evidence_desk.services.seal import SealRequest, seal
from evidence_desk.services.timestamp import timestamp
from evidence_desk.settings import load_pkcs11
from tests.integration.pkcs11.conftest import PIN, TOKEN, Certified, Hsm, Person, certified
from tests.unit.vault.rows import CHEAP

NAME = "云岚市星湖公证处"


@pytest.fixture
def office(hsm: Hsm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A vault of its own with one sealed, timestamped file."""
    session, _ = init_session(tmp_path / "vault", "口令", office="test", demo=True, kdf=CHEAP)
    original = tmp_path / "合同.txt"
    original.write_text("甲方乙方", "utf-8")
    seal(session.desk, [original], SealRequest(case_number="（2026）沪01民初1号"), job=Job())
    timestamp(session.desk, session.authorities, job=Job())
    session.close()
    for name, value in {"VAULT": str(tmp_path / "vault"), "PASSPHRASE": "口令", "PIN": PIN}.items():
        monkeypatch.setenv(f"EVIDENCE_DESK_{name}", value)
    assert hsm.folder.is_dir()
    return tmp_path / "vault"


def run(capsys: pytest.CaptureFixture[str], *arguments: object, expect: int = 0) -> Any:
    capsys.readouterr()
    status = main([*map(str, arguments), "--json"])
    said = capsys.readouterr()
    assert status == expect, said
    return json.loads(said.out)


def set_up(hsm: Hsm, folder: Path, kind: KeyKind) -> tuple[Certified, Path]:
    """A key made in the token, and the file with its certificate."""
    hsm.make_key(kind)
    made = certified(hsm.spki())
    file = folder / "证书链.pem"
    file.write_text(made.pem)
    return made, file


@pytest.mark.parametrize("kind", [KeyKind.RSA, KeyKind.P256])
def test_from_the_token_to_the_verdict(hsm, office, tmp_path, capsys, kind):
    made, file = set_up(hsm, tmp_path, kind)
    (token,) = run(capsys, "signer", "tokens", "--module", hsm.path)["tokens"]
    assert (token["label"], token["ready"], token["pin_locked"]) == (TOKEN, True, False)
    told = run(
        capsys,
        "signer",
        "pkcs11",
        "--module",
        hsm.path,
        "--token",
        TOKEN,
        "--key",
        "签名",
        "--certificate",
        file,
    )
    assert (told["signer"], told["token"]["serial"]) == (NAME, token["serial"])
    assert run(capsys, "signer", "show")["token"]["key_label"] == "签名"
    number = run(capsys, "list")["exhibits"][0]["number"]
    pdf = tmp_path / "证书.pdf"
    run(capsys, "certify", number, "-o", pdf)
    roots = tmp_path / "roots"
    shutil.copytree(office / "trust", roots)
    status = verifier.main([str(pdf), "--trust", str(roots), "--file", str(tmp_path / "合同.txt"), "--json"])
    verdict = json.loads(capsys.readouterr().out)
    signer = {item["check"]: item["status"] for item in verdict["findings"] if item["dimension"] == "signer"}
    assert signer
    assert set(signer.values()) == {"passed"}
    assert verdict["overall"] == "passed"
    assert status == 0
    assert made.certificate in pdf.read_bytes() or made.certificate.hex().encode() in pdf.read_bytes().lower()


@pytest.mark.skipif(shutil.which("pdfsig") is None, reason="poppler-utils is not installed")
def test_an_independent_reader_agrees(hsm, office, tmp_path, capsys):
    _, file = set_up(hsm, tmp_path, KeyKind.P256)
    run(capsys, "signer", "pkcs11", "--module", hsm.path, "--certificate", file)
    pdf = tmp_path / "c.pdf"
    run(capsys, "certify", run(capsys, "list")["exhibits"][0]["number"], "-o", pdf)
    out = subprocess.run(["pdfsig", "-nocert", pdf], capture_output=True, text=True, check=False).stdout
    assert "Signature is Valid." in out
    assert office.is_dir()


def test_the_pin_is_nowhere_in_the_setting(hsm, office, tmp_path, capsys):
    _, file = set_up(hsm, tmp_path, KeyKind.P256)
    run(capsys, "signer", "pkcs11", "--module", hsm.path, "--certificate", file)
    with open_session(office, "口令", read_only=True) as session:
        stored = b"".join(session.vault.exhibits.settings().values())
        assert TOKEN.encode() in stored
        assert PIN.encode() not in stored


def test_wrong_pin_from_the_environment_is_given_once(hsm, office, tmp_path, capsys, monkeypatch):
    _, file = set_up(hsm, tmp_path, KeyKind.P256)
    run(capsys, "signer", "pkcs11", "--module", hsm.path, "--certificate", file)
    number = run(capsys, "list")["exhibits"][0]["number"]
    pdf = tmp_path / "c.pdf"
    monkeypatch.setenv("EVIDENCE_DESK_PIN", "111222")
    codes = [run(capsys, "certify", number, "-o", pdf, expect=77)["error"]["code"] for _ in range(3)]
    assert codes == ["signer.pin_wrong", "signer.pin_unattended", "signer.pin_unattended"]
    monkeypatch.delenv("EVIDENCE_DESK_PIN")
    assert run(capsys, "certify", number, "-o", pdf, expect=77)["error"]["code"] == "signer.pin_needed"
    assert not pdf.exists()
    with open_session(office, "口令", read_only=True) as session:
        (row,) = session.vault.exhibits.exhibits()
        assert not session.vault.exhibits.certificates(row.leaf_hash)


def test_away_and_back(hsm, office, tmp_path, capsys):
    _, file = set_up(hsm, tmp_path, KeyKind.P256)
    run(capsys, "signer", "pkcs11", "--module", hsm.path, "--certificate", file)
    number = run(capsys, "list")["exhibits"][0]["number"]
    pdf = tmp_path / "c.pdf"
    hsm.take_away()
    error = run(capsys, "certify", number, "-o", pdf, expect=74)["error"]
    assert error["code"] == "signer.token_missing"
    assert error["advice"]
    assert run(capsys, "signer", "show")["signer"] == NAME  # needs no token
    hsm.bring_back()
    run(capsys, "certify", number, "-o", pdf)
    assert office.is_dir()


def test_back_to_the_key_file(hsm, office, tmp_path, capsys):
    _, file = set_up(hsm, tmp_path, KeyKind.P256)
    run(capsys, "signer", "pkcs11", "--module", hsm.path, "--certificate", file)
    run(capsys, "signer", "pkcs11", "--remove")
    shown = run(capsys, "signer", "show")
    assert "token" not in shown
    assert shown["demo"] is True
    assert run(capsys, "signer", "pkcs11", expect=64)["error"]["code"] == "signer.module_missing"
    assert (
        len(list((office / "trust").glob("signer-*.pem"))) == 2
    )  # what was signed meanwhile stays verifiable


def test_pkcs12_takes_the_place_of_the_token(hsm, office, tmp_path):
    made, _ = set_up(hsm, tmp_path, KeyKind.P256)
    with open_session(office, "口令") as session:
        session.set_token_signer(choose_signer(hsm.path, Person(), certificates=(made.certificate,)))
        key = pki.generate_key(KeyKind.P256)
        start = datetime.now(UTC) - timedelta(days=1)
        session.set_signer(pki.make_signer_certificate("另一机构", key, made.ca, not_before=start, years=1))
        assert load_pkcs11(session.vault.exhibits) is None
        assert session.issuer().name == "另一机构"


def issue(session: Session, person: Person | None, *, keep: bool) -> int:
    rows = list(session.vault.exhibits.exhibits())
    outcome = certify(
        session.desk, rows, session.issuer(person, keep_login=keep), trust=session.trust, job=Job()
    )
    return len(outcome.certificate.pdf)


def test_batch_asks_once_and_closing_logs_out(hsm, office, tmp_path):
    made, _ = set_up(hsm, tmp_path, KeyKind.P256)
    person = Person()
    with open_session(office, "口令") as session:
        session.set_token_signer(choose_signer(hsm.path, Person(), certificates=(made.certificate,)))
        for _ in range(3):
            assert issue(session, person, keep=True)
        assert len(person.asked) == 1
        assert hsm.module.logins
    assert hsm.module.logins == []
    with open_session(office, "口令") as session:
        for _ in range(2):
            assert issue(session, person, keep=False)
        assert len(person.asked) == 3
        with pytest.raises(EvidenceDeskError) as caught:
            issue(session, None, keep=False)
        assert caught.value.code == "signer.pin_needed"


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_the_pin_is_typed_at_a_terminal(hsm, office, tmp_path, monkeypatch):
    _, file = set_up(hsm, tmp_path, KeyKind.P256)
    monkeypatch.delenv("EVIDENCE_DESK_PIN")
    with hsm.module.lock, pytest.raises(EvidenceDeskError):
        list_keys(hsm.token(), "111222")  # so that the person is warned
    line = [Path(sys.executable).with_name("evidence-desk"), "signer", "pkcs11", "--module", hsm.path]
    ours, theirs = os.openpty()
    try:
        program = subprocess.Popen(
            [*line, "--certificate", file],
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        assert program.stderr is not None
        said = b""
        while "的 PIN 码：".encode() not in said:
            part = os.read(program.stderr.fileno(), 4096)
            assert part, said.decode()
            said += part
        os.write(ours, f"{PIN}\n".encode())
        out, _ = program.communicate(timeout=60)
    finally:
        os.close(ours)
        os.close(theirs)
    assert program.returncode == 0
    assert "此前输错过 PIN 码" in said.decode()
    assert NAME in out.decode()
    assert PIN not in out.decode()
    with open_session(office, "口令", read_only=True) as session:
        assert session.signer.setting is not None
