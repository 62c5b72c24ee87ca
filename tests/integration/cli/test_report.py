"""The verification report says what was compared, against which roots, that it is unsigned, and that a demo is a demo."""

from __future__ import annotations

import json
from pathlib import Path

import pypdfium2
import pytest
from asn1crypto import pem

from evidence_desk.cli.main import main
from evidence_desk.core.digests import DigestPair, sha256


def text_of(path: Path) -> str:
    document = pypdfium2.PdfDocument(path)
    try:
        pages = [document[index].get_textpage().get_text_range() for index in range(len(document))]
    finally:
        document.close()
    return "".join("".join(pages).split())


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path, expect: int = 0) -> dict[str, object]:
    assert main([*map(str, arguments), "--json"]) == expect
    value = json.loads(capsys.readouterr().out)
    assert isinstance(value, dict)
    return value


def test_report(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("EVIDENCE_DESK_VAULT", str(tmp_path / "vault"))
    monkeypatch.setenv("EVIDENCE_DESK_PASSPHRASE", "report")
    run(capsys, "init", "--demo")
    original = tmp_path / "原件.txt"
    original.write_bytes(b"original")
    sealed = run(capsys, "seal", original)["exhibits"]
    assert isinstance(sealed, list)
    certificate = tmp_path / "c.pdf"
    run(capsys, "certify", sealed[0]["number"], "-o", certificate)
    trust = tmp_path / "vault" / "trust"
    reports = {}
    for name, more in (("whole", ("--file", original, "--trust", trust)), ("bare", ())):
        report = tmp_path / f"{name}.pdf"
        run(capsys, "verify", certificate, *more, "--report", report, expect=0 if more else 2)
        reports[name] = text_of(report)
    root = pem.unarmor((trust / "tsa-1.pem").read_bytes().split(b"-----BEGIN X509 CRL")[0])[2]
    digests = DigestPair.of(b"original")
    for shown in (
        sha256(root).hex(),
        digests.sha256.hex(),
        digests.sm3.hex(),
        "演示/非第三方",
        "未经签名",
        "VR-",
    ):
        assert shown in reports["whole"]
    for shown in ("未提供信任根", "没有一并核对原始文件", "无法判断", "未经签名"):
        assert shown in reports["bare"]
    assert "未提供信任根" not in reports["whole"]
    assert "数字签名的可视部分" not in reports["whole"]
