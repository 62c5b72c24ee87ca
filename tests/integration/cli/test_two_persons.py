"""Two-person mode as a notary's office uses it: persons, draft, confirmation, what is refused."""

from __future__ import annotations

from pathlib import Path

import pypdfium2
import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, load_der_private_key, pkcs12
from cryptography.x509 import load_der_x509_certificate

from evidence_desk import verifier
from evidence_desk.core.moment import parse_moment
from evidence_desk.crypto import pki
from tests.integration.cli.conftest import SECRET, Runs

OWN = "本人口令-own-1"
FIRST, SECOND = "钱知微", "刘子熙"


@pytest.fixture
def office(run: Runs, monkeypatch: pytest.MonkeyPatch) -> Runs:
    """A vault with an enrolled second person, in two-person mode."""
    monkeypatch.setenv("EVIDENCE_DESK_PERSON_PASSPHRASE", OWN)
    monkeypatch.setenv("EVIDENCE_DESK_NEW_PERSON_PASSPHRASE", OWN)
    assert run("person", "add", SECOND, "--role", "公证员", "--identification", "工作证").status == 0
    assert run("settings", "two-person", "on", "--json").document == {"two_person": True}
    return run


def codes(said_document: dict, status: str) -> set[str]:
    return {item["code"] for item in said_document["findings"] if item["status"] == status}


def test_two_persons(office: Runs, number: str, vault: Path, tmp_path: Path):
    path = tmp_path / "证书.pdf"
    refused = office("certify", number, "-o", path, "--operator", FIRST, "--json")
    assert (refused.status, refused.document["error"]["code"]) == (77, "certify.two_person")
    assert not path.exists()
    done = office("certify", number, "-o", path, "--operator", FIRST, "--confirm-by", SECOND, "--json")
    assert done.status == 0
    assert done.document["confirmed_by"]["name"] == SECOND
    assert done.document["confirmed_by"]["credential"]["demo"] is True
    verdict = office(path, "--trust", vault / "trust", "--json", program=verifier.main).document
    assert "confirmation.binding.right" in codes(verdict, "passed")
    assert codes(verdict, "failed") == set()
    assert "demo.confirmation" in {item["code"] for item in verdict["caveats"]}


def test_draft(office: Runs, number: str, tmp_path: Path):
    path = tmp_path / "草稿.pdf"
    said = office("certify", number, "-o", path, "--operator", FIRST, "--draft")
    assert (said.status, "不是证书" in said.out) == (0, True)
    page = pypdfium2.PdfDocument(path)[0].get_textpage().get_text_range()
    assert "草稿" in page
    assert "尚未复核" in page
    assert office("show", number, "--json").document["certificates"] == []
    assert (
        office("certify", number, "-o", path, "--operator", FIRST, "--draft").status != 0
    )  # never over a file


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--operator", SECOND, "--confirm-by", SECOND], "confirm.same_person"),
        (["--confirm-by", SECOND], "confirm.no_first"),
        (["--operator", FIRST, "--confirm-by", "赵六"], "person.unknown"),
        (["--operator", FIRST, "--confirm-p12", "x.p12"], "confirm.no_second"),
    ],
)
def test_refused(office: Runs, number: str, tmp_path: Path, options: list[str], code: str):
    path = tmp_path / "证书.pdf"
    said = office("certify", number, "-o", path, *options, "--json")
    assert said.document["error"]["code"] == code
    assert not path.exists()


def test_the_vaults_passphrase_does_not_confirm(
    office: Runs, number: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("EVIDENCE_DESK_PERSON_PASSPHRASE", SECRET)
    said = office(
        "certify", number, "-o", tmp_path / "c.pdf", "--operator", FIRST, "--confirm-by", SECOND, "--json"
    )
    assert (said.status, said.document["error"]["code"]) == (77, "person.wrong_passphrase")


def test_without_terminal_or_variable(
    office: Runs, number: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("EVIDENCE_DESK_PERSON_PASSPHRASE")
    said = office(
        "certify", number, "-o", tmp_path / "c.pdf", "--operator", FIRST, "--confirm-by", SECOND, "--json"
    )
    assert said.document["error"]["code"] == "cli.no_passphrase"


def test_retire_and_change(office: Runs, number: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("EVIDENCE_DESK_NEW_PERSON_PASSPHRASE", "本人口令-own-2")
    assert office("person", "passphrase", SECOND).status == 0
    monkeypatch.setenv("EVIDENCE_DESK_PERSON_PASSPHRASE", "本人口令-own-2")
    one = ["certify", number, "-o", tmp_path / "c.pdf", "--operator", FIRST, "--confirm-by", SECOND, "--json"]
    assert office(*one).status == 0
    assert office("person", "retire", SECOND).status == 0
    one[3] = tmp_path / "d.pdf"
    assert office(*one).document["error"]["code"] == "person.unknown"
    (listed,) = office("person", "list", "--json").document["persons"]
    assert parse_moment(listed["retired"], what="retired") >= parse_moment(
        listed["enrolled"], what="enrolled"
    )
    assert "已停用" in office("person", "list").out
    assert office("settings", "two-person", "off", "--json").document == {"two_person": False}
    assert office("settings", "two-person", "--json").document == {"two_person": False}


def test_credential_in_a_file(office: Runs, number: str, vault: Path, tmp_path: Path):
    """A person's own PKCS#12: its key stays out of the vault."""
    now = parse_moment("2026-01-01T00:00:00.000Z", what="start")
    ca = pki.make_ca("某证书机构", pki.generate_key(pki.KeyKind.P256), not_before=now, years=9)
    own = pki.make_signer_certificate("赵六", pki.generate_key(pki.KeyKind.P256), ca, not_before=now, years=9)
    key = load_der_private_key(own.key.pkcs8, None)
    packed = pkcs12.serialize_key_and_certificates(
        b"z", key, load_der_x509_certificate(own.certificate),  # type: ignore[arg-type]
        [load_der_x509_certificate(ca.certificate)], BestAvailableEncryption(OWN.encode()),
    )  # fmt: skip
    file = tmp_path / "赵六.p12"
    file.write_bytes(packed)
    added = office("person", "add", "赵六", "--role", "公证员", "--p12", file, "--json")
    assert added.document["person"]["credential"]["kind"] == "given"
    path = tmp_path / "证书.pdf"
    without = office("certify", number, "-o", path, "--operator", FIRST, "--confirm-by", "赵六", "--json")
    assert without.document["error"]["code"] == "person.no_key"
    done = office(
        "certify",
        number,
        "-o",
        path,
        "--operator",
        FIRST,
        "--confirm-by",
        "赵六",
        "--confirm-p12",
        file,
        "--json",
    )
    assert done.status == 0
    verdict = office(path, "--trust", vault / "trust", "--json", program=verifier.main).document
    # Its authority publishes no revocation list here: unknown is undetermined, not passed.
    assert "confirmation.signer.revocation_unknown" in codes(verdict, "undetermined")
    assert codes(verdict, "failed") == set()
    other = office(
        "certify", number, "-o", tmp_path / "d.pdf", "--operator", FIRST, "--confirm-by", SECOND, "--confirm-p12",
        file, "--json",
    )  # fmt: skip
    assert other.document["error"]["code"] == "person.other_credential"


def test_english(office: Runs):
    said = office("person", "list", "--lang", "en")
    assert SECOND in said.out
    assert "Two-person mode: on." in office("settings", "two-person", "--lang", "en").out
