"""An institution's own key signs certificates, and a forgotten passphrase is set anew by the recovery key."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from cryptography.x509.oid import NameOID

from evidence_desk import verifier
from evidence_desk.cli.main import main

Key = ec.EllipticCurvePrivateKey


def certificate(name: str, key: Key, issuer: x509.Name, issuer_key: Key, *, ca: bool) -> x509.Certificate:
    now = datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    usage = x509.KeyUsage(
        digital_signature=not ca, content_commitment=not ca, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=ca, crl_sign=ca, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=30))
    builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    return builder.add_extension(usage, critical=True).sign(issuer_key, hashes.SHA256())


@pytest.fixture
def institution(tmp_path: Path) -> Path:
    """A PKCS#12 file of an invented notary, issued by an invented CA that is not a demo."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "云岚测试根")])
    root = certificate("云岚测试根", ca_key, root_name, ca_key, ca=True)
    leaf = certificate("云岚市星湖公证处", key, root_name, ca_key, ca=False)
    data = pkcs12.serialize_key_and_certificates(b"n", key, leaf, [root], BestAvailableEncryption(b"p12"))
    path = tmp_path / "notary.p12"
    path.write_bytes(data)
    return path


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "EVIDENCE_DESK_VAULT": str(tmp_path / "vault"),
        "EVIDENCE_DESK_PASSPHRASE": "first",
        "EVIDENCE_DESK_KEY_PASSPHRASE": "p12",
    }.items():
        monkeypatch.setenv(name, value)


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path, expect: int = 0) -> dict[str, object]:
    assert main([*map(str, arguments), "--json"]) == expect
    value = json.loads(capsys.readouterr().out)
    assert isinstance(value, dict)
    return value


@pytest.mark.usefixtures("environment")
def test_own_key(tmp_path: Path, institution: Path, capsys: pytest.CaptureFixture[str]):
    run(capsys, "init", "--demo")
    original = tmp_path / "a.txt"
    original.write_bytes(b"a")
    sealed = run(capsys, "seal", original)["exhibits"]
    assert isinstance(sealed, list)
    assert run(capsys, "signer", "show")["demo"] is True
    assert run(capsys, "signer", "use", institution) == {"signer": "云岚市星湖公证处", "demo": False}
    assert run(capsys, "signer", "show")["signer"] == "云岚市星湖公证处"
    output = tmp_path / "c.pdf"
    run(capsys, "certify", sealed[0]["number"], "-o", output)
    trust = tmp_path / "vault" / "trust"
    status = verifier.main([str(output), "--trust", str(trust), "--file", str(original), "--json"])
    verdict = json.loads(capsys.readouterr().out)
    signer = [item for item in verdict["findings"] if item["dimension"] == "signer"]
    assert all(item["status"] != "failed" for item in signer)
    again = tmp_path / "again.pdf"
    number = run(capsys, "lookup", output)["certificates"]
    assert isinstance(number, list)
    run(capsys, "reprint", number[0]["number"], "-o", again)
    assert again.read_bytes() == output.read_bytes()
    # The invented CA publishes no revocation list: unknown is undetermined, not passed.
    assert (status, verdict["overall"]) == (2, "undetermined")
    assert "demo.signer" not in {item["code"] for item in verdict["caveats"]}


@pytest.mark.usefixtures("environment")
def test_wrong_key_file(
    tmp_path: Path, institution: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    run(capsys, "init", "--demo")
    broken = tmp_path / "broken.p12"
    broken.write_bytes(institution.read_bytes()[:-40])
    run(capsys, "signer", "use", broken, expect=77)  # a damaged file and a wrong passphrase look alike
    run(capsys, "signer", "use", tmp_path / "missing.p12", expect=66)
    monkeypatch.setenv("EVIDENCE_DESK_KEY_PASSPHRASE", "wrong")
    error = run(capsys, "signer", "use", institution, expect=77)["error"]
    assert isinstance(error, dict)
    assert error["advice"]
    assert run(capsys, "signer", "show")["demo"] is True


@pytest.mark.usefixtures("environment")
def test_forgotten_passphrase(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    recovery_key = str(run(capsys, "init")["recovery_key"])
    monkeypatch.setenv("EVIDENCE_DESK_NEW_PASSPHRASE", "second")
    monkeypatch.setenv("EVIDENCE_DESK_RECOVERY_KEY", recovery_key)
    run(capsys, "passphrase", "--recovery-key")
    monkeypatch.setenv("EVIDENCE_DESK_PASSPHRASE", "second")
    assert run(capsys, "list") == {"exhibits": []}
    monkeypatch.setenv("EVIDENCE_DESK_PASSPHRASE", "first")
    run(capsys, "list", expect=77)
