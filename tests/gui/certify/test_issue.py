"""Choosing, preview, issuing by one person; what comes of it is verified from the outside."""

from __future__ import annotations

from pathlib import Path

from evidence_desk.core.job import Job
from evidence_desk.core.verdict import Status
from evidence_desk.verify.files import InputKind, Originals, read_trust, verify_path
from ui.certify.page import CertifyPage


def look(page: CertifyPage, qtbot) -> None:
    """Preview what is checked, until its first page is drawn."""
    page.choose.go.click()
    qtbot.waitUntil(lambda: page.sign.shown is not None, timeout=30_000)
    qtbot.waitUntil(lambda: page.sign.preview.view.settled, timeout=30_000)


def ended(page: CertifyPage, qtbot) -> None:
    qtbot.waitUntil(lambda: page.work.issue is not None and not page.work.working, timeout=60_000)
    qtbot.waitUntil(lambda: not page.context.tasks.busy(), timeout=30_000)


def verified(page: CertifyPage, path: Path, originals: list[Path]):
    session = page.context.desk.session
    assert session is not None
    trust = read_trust(session.vault.folder / "trust")
    return verify_path(
        path, originals=Originals(originals, Job()), trust=trust, now=session.clock.now(), job=Job()
    )


def test_one_certificate_for_chosen_exhibits(page, leaves, qtbot, tmp_path, messages):
    page.choose.model.check(leaves[:2])
    look(page, qtbot)
    number = page.sign.shown.draft.certificate.number
    assert "ui_certify.remark.demo.signer" in page.sign.remarks.codes()
    target = tmp_path / "证书.pdf"
    messages.saves.append(target)
    page.sign.deed.click()
    ended(page, qtbot)
    (issued,) = page.work.issued
    assert (issued.number, issued.exhibits, issued.path) == (number, 2, target)
    found = verified(
        page, target, [tmp_path / "originals" / "聊天记录.txt", tmp_path / "originals" / "合同.txt"]
    )
    assert found.kind is InputKind.CERTIFICATE
    assert found.verdict.overall is Status.PASSED
    assert page.steps.currentWidget() is page.result
