"""The signing key in a real token: chosen, PIN asked for in the window, wrong, canceled; and from a PKCS#12 file."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from evidence_desk.core.job import Job
from evidence_desk.core.verdict import Dimension, Status
from evidence_desk.texts import Language
from evidence_desk.verify.files import Originals, read_trust, verify_path
from tests.gui.certify.conftest import NAMES, P12_PASS, ended, look, pkcs12_file
from tests.integration.pkcs11.conftest import PIN, PLACES, TOKEN, certified
from tests.integration.pkcs11.conftest import hsm as hsm  # noqa: PLC0414 - a fixture
from ui.certify.signer_dialogs import FileSignerDialog, TokenSignerDialog

needs_token = pytest.mark.skipif(
    shutil.which("softhsm2-util") is None or not any(Path(place).is_file() for place in PLACES),
    reason="SoftHSM2 is not installed (Debian: softhsm2)",
)


def institution(name: str) -> bytes:
    """PKCS#12 of a key whose certificate does not name the demo policy."""
    start = datetime.now(UTC) - timedelta(days=1)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in ("试验根", name)]
    made = []
    for at, root in ((0, True), (1, False)):
        builder = (
            x509.CertificateBuilder()
            .subject_name(names[at])
            .issuer_name(names[0])
            .public_key(keys[at].public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + timedelta(days=700))
            .add_extension(x509.BasicConstraints(ca=root, path_length=None), critical=True)
        )
        made.append(builder.sign(keys[0], hashes.SHA256()).public_bytes(Encoding.DER))
    pkcs8 = keys[1].private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return pkcs12_file(pkcs8, made[1], made[:1])


def give_pin(page, qtbot, pin: str | None) -> None:
    qtbot.waitUntil(lambda: page.work.pin.dialog is not None, timeout=20_000)
    dialog = page.work.pin.dialog
    if pin is None:
        dialog.cancel.click()
    else:
        dialog.pin.setText(pin)
        dialog.deed.click()
    qtbot.waitUntil(lambda: page.work.pin.dialog is not dialog, timeout=20_000)


@pytest.fixture
def token_page(page, hsm, qtbot, tmp_path, messages):
    """The key of the token chosen in the dialog."""
    hsm.make_key()
    path = tmp_path / "机构.pem"
    path.write_text(certified(hsm.spki()).pem, "utf-8")
    dialog = TokenSignerDialog(page.context, page.work.pin)
    dialog.accepted.connect(page.keys.changed)
    dialog.open()
    dialog.module.setText(str(hsm.path))
    dialog._on_look()
    qtbot.waitUntil(lambda: dialog.token.count() == 1, timeout=20_000)
    assert TOKEN in dialog.token.itemText(0)
    dialog._on_keys()
    give_pin(page, qtbot, PIN)
    qtbot.waitUntil(lambda: dialog.key.count() == 1, timeout=20_000)
    dialog.certificate.setText(str(path))
    dialog.deed.click()
    give_pin(page, qtbot, PIN)
    qtbot.waitUntil(
        lambda: page.office.signer is not None and page.office.signer.token == TOKEN, timeout=20_000
    )
    assert messages.asked[-1][0] == "ui_certify.key.sure"
    assert page.office.signer.root == page.office.signer.issuer
    return page


@needs_token
def test_a_batch_asks_for_the_pin_once(token_page, leaves, qtbot, tmp_path, messages):
    page = token_page
    folder = tmp_path / "证书"
    folder.mkdir()
    page.choose.model.check(leaves)
    page.choose.each.click()
    look(page, qtbot)
    messages.folders.append(folder)
    page.sign.deed.click()
    give_pin(page, qtbot, PIN)
    ended(page, qtbot)
    assert len(page.work.issued) == 3
    session = page.context.desk.session
    assert session.signer._kept is None  # logged out
    trust = read_trust(session.vault.folder / "trust")
    found = verify_path(
        page.work.issued[0].path, originals=Originals([tmp_path / "originals" / NAMES[0]], Job()), trust=trust,
        now=session.clock.now(), job=Job(),
    ).verdict  # fmt: skip
    signer = [item for item in found.findings if item.dimension is Dimension.SIGNER]
    assert Status.FAILED not in {item.status for item in signer}
    assert found.overall is Status.PASSED


@needs_token
def test_no_pin_no_certificate(token_page, leaves, qtbot, tmp_path, messages):
    page = token_page
    page.choose.model.check(leaves[:1])
    look(page, qtbot)
    target = tmp_path / "证书.pdf"
    messages.saves.append(target)
    page.sign.deed.click()
    give_pin(page, qtbot, None)
    qtbot.waitUntil(lambda: not page.work.working, timeout=20_000)
    assert messages.said[-1][0] == "ui_certify.pin_canceled"
    assert messages.errors == []
    assert not target.exists()
    assert page.context.desk.session.vault.exhibits.certificates() == []


@needs_token
def test_a_wrong_pin_is_told_and_warned_of(token_page, leaves, qtbot, tmp_path, messages):
    page = token_page
    page.choose.model.check(leaves[:1])
    look(page, qtbot)
    messages.saves += [tmp_path / "证书.pdf", tmp_path / "证书.pdf"]
    page.sign.deed.click()
    give_pin(page, qtbot, "000000")
    qtbot.waitUntil(lambda: bool(messages.errors), timeout=20_000)
    assert messages.errors[0].code == "signer.pin_wrong"
    assert not (tmp_path / "证书.pdf").exists()
    page.choose.model.check(leaves[:1])
    look(page, qtbot)
    page.sign.deed.click()
    qtbot.waitUntil(lambda: page.work.pin.dialog is not None, timeout=20_000)
    page.context.tongue.set_language(Language.EN)
    assert page.work.pin.dialog.windowTitle() == "PIN of the token"
    give_pin(page, qtbot, PIN)
    ended(page, qtbot)
    assert len(page.work.issued) == 1


@needs_token
def test_locked_while_the_pin_is_asked_for(token_page, leaves, qtbot, tmp_path, messages):
    page, context = token_page, token_page.context
    page.choose.model.check(leaves[:1])
    look(page, qtbot)
    messages.saves.append(tmp_path / "证书.pdf")
    page.sign.deed.click()
    qtbot.waitUntil(lambda: page.work.pin.dialog is not None, timeout=20_000)
    context.desk.lock()
    qtbot.waitUntil(lambda: not context.tasks.busy() and context.desk.folder is None, timeout=20_000)
    assert not (tmp_path / "证书.pdf").exists()


@needs_token
def test_work_canceled_while_the_pin_is_asked_for(token_page, leaves, qtbot, tmp_path, messages):
    page = token_page
    page.choose.model.check(leaves[:1])
    look(page, qtbot)
    messages.saves.append(tmp_path / "证书.pdf")
    page.sign.deed.click()
    qtbot.waitUntil(lambda: page.work.pin.dialog is not None, timeout=20_000)
    page.work.cancel()
    qtbot.waitUntil(lambda: not page.work.working and page.work.pin.dialog is None, timeout=20_000)


@needs_token
def test_back_to_the_key_file(token_page, qtbot):
    token_page.keys.leave_token.click()
    qtbot.waitUntil(lambda: token_page.office.signer.token == "", timeout=20_000)
    assert token_page.office.signer.demo


def test_a_pkcs12_file_and_back_to_the_demo_key(page, qtbot, tmp_path, messages):
    path = tmp_path / "机构.p12"
    path.write_bytes(institution("云岚市星湖公证处"))
    dialog = FileSignerDialog(page.context)
    dialog.accepted.connect(page.keys.changed)
    dialog.open()
    assert not dialog.deed.isEnabled()
    messages.files.append([path])
    dialog.choose.click()
    dialog.passphrase.setText("falsch")
    dialog.deed.click()
    qtbot.waitUntil(dialog.fault.isVisible, timeout=20_000)
    messages.accept = False
    dialog.passphrase.setText(P12_PASS)
    dialog.deed.click()
    qtbot.waitUntil(lambda: not dialog.busy, timeout=20_000)
    assert page.office.signer.demo  # not agreed to
    messages.accept = True
    dialog.deed.click()
    qtbot.waitUntil(lambda: page.office.signer.name == "云岚市星湖公证处", timeout=20_000)
    assert not page.office.signer.demo
    assert "试验根" in page.keys.facts["root"].text()
    page.keys.use_demo.click()
    qtbot.waitUntil(lambda: page.office.signer.demo, timeout=20_000)


@needs_token
def test_a_module_that_is_none(page, qtbot, tmp_path):
    dialog = TokenSignerDialog(page.context, page.work.pin)
    dialog.open()
    dialog.module.setText(str(tmp_path / "fehlt.so"))
    dialog._on_look()
    qtbot.waitUntil(dialog.fault.isVisible, timeout=20_000)
    assert not dialog.deed.isEnabled()
    dialog.reject()
