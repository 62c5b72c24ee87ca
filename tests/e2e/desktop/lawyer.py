"""The lawyer: first start, a vault, files dropped, sealed, anchored, a certificate and a package."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from PySide6.QtWidgets import QFileDialog, QLineEdit, QRadioButton

from evidence_desk.bootstrap.health import Area
from evidence_desk.core.queue_ports import ItemState
from tests.e2e.desktop.hands import Hands
from ui.app import Program
from ui.page import PageName
from ui.seal.page import SealPage
from ui.start.guide import Guide
from ui.start.step_name import StepName
from ui.status.page import StatusPage

PASSPHRASE: Final = "chongqing-7 sycamore LIGHTHOUSE 2026"
CASE: Final = "（2026）虚0102民初371号"


def lawyer(hands: Hands, program: Program, folder: Path) -> dict[str, Any]:
    """Returns what the other scenes need."""
    _first_start(hands, program, folder)
    page = _seal(hands, program, folder)
    _anchor(hands, program)
    certificate, package = folder / "存证证书.pdf", folder / "证据包.asice"
    program.window.show_page(PageName.SEAL)
    page.table.clearSelection()
    page.certificate.click()
    hands.choose(certificate)
    hands.until(certificate.exists, 60, "the certificate is written")
    hands.until(lambda: not program.context.tasks.busy(), 60)
    page.table.selectRow(0)
    page.package.click()
    hands.choose(package)
    hands.until(package.exists, 60, "the package is written")
    hands.until(lambda: not program.context.tasks.busy(), 60)
    session = program.context.desk.session
    assert session is not None
    networks = session.networks
    return {
        "certificate": str(certificate), "package": str(package), "vault": str(session.vault.folder),
        "gateways": list(networks[0].gateways), "sealed": page.work.counts[ItemState.SEALED].items,
    }  # fmt: skip


def _first_start(hands: Hands, program: Program, folder: Path) -> None:
    guide = program.window.gate.guide
    assert isinstance(guide, Guide)
    hands.picture("01-guide-who-zh-light")
    hands.press(guide.next)
    hands.until(lambda: guide.name is StepName.VAULT)
    hands.type_in(guide.vault.folder, str(folder / "存证库"))
    hands.type_in(guide.vault.operator, "王律师")
    for field in (guide.vault.passphrases.first, guide.vault.passphrases.second):
        hands.type_in(field, PASSPHRASE)
    hands.picture("02-guide-vault-zh-light")
    hands.press(guide.next)
    hands.until(lambda: guide.name is StepName.PAPER, 60, "the vault is made")
    groups = guide.made.recovery_key.split("-")
    for line, at in zip(guide.paper.fields, guide.paper.asked, strict=True):
        assert isinstance(line, QLineEdit)
        hands.type_in(line, groups[at])
    hands.press(guide.next)
    hands.until(lambda: guide.name is StepName.TRY)
    assert isinstance(guide.trying.network, QRadioButton)
    guide.trying.network.setChecked(True)
    guide.trying.sample.setChecked(False)
    hands.picture("03-guide-try-zh-light")
    hands.press(guide.next)
    hands.until(lambda: program.window.page is not None, 60)


def _seal(hands: Hands, program: Program, folder: Path) -> SealPage:
    page = program.window.show_page(PageName.SEAL)
    assert isinstance(page, SealPage)
    hands.picture("04-seal-empty-zh-light")
    hands.type_in(page.form.lines["purpose"], "双方存在设备采购合同关系，被告拖欠货款")
    page.form.case.setCurrentText(CASE)
    files = sorted(path for path in (folder / "证据").iterdir() if path.is_file())
    hands.drop(page.intake, files)
    hands.until(
        lambda: page.work.counts[ItemState.SEALED].items == len(files) and not page.work.working,
        120,
        "all is sealed",
    )
    hands.until(page.banner.isVisible, 30)
    hands.picture("05-seal-done-zh-light")
    return page


def _anchor(hands: Hands, program: Program) -> None:
    hands.until(lambda: program.context.demo.running, 150, "the court nodes run")
    hands.until(lambda: not program.context.tasks.busy(), 60)
    page = program.window.show_page(PageName.STATUS)
    assert isinstance(page, StatusPage)
    hands.press(page.check)
    hands.until(page.check.isEnabled, 60)
    hands.press("上链", within=page)
    hands.until(
        lambda: {fact.code for fact in page.cards[Area.OUTBOX].facts} == {"health.outbox.empty"},
        120,
        "all is anchored",
    )
    hands.picture("06-status-zh-light")
    assert not [item for item in program.window.findChildren(QFileDialog) if item.isVisible()]
