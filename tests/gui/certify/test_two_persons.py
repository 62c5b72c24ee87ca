"""Two persons: handed over, looked at to the last page, confirmed with a credential of one's own; what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from evidence_desk.bootstrap import persons as office_persons
from evidence_desk.core.confirmation import Officer
from evidence_desk.core.job import Job
from evidence_desk.core.verdict import Dimension, Status
from evidence_desk.crypto import pki
from evidence_desk.services import persons
from evidence_desk.services.certify import certify
from evidence_desk.services.erase import erase
from evidence_desk.services.find import exhibits_of
from evidence_desk.services.timestamp import timestamp
from evidence_desk.texts import Language
from evidence_desk.verify.files import Originals, read_trust, verify_path
from tests.gui.certify.conftest import CASE, NAMES, P12_PASS, ended, look, pkcs12_file, seal_text
from ui.certify.page import CertifyPage
from ui.certify.pending import pending
from ui.certify.person_dialogs import EnrollDialog, PassphraseDialog
from ui.certify.review import ReviewDialog
from ui.page import PageName

FIRST, SECOND = "钱知微", "刘子熙"
OWN = "本人口令-own-1"


@pytest.fixture
def office(page, qtbot):
    """Two persons enrolled, the mode turned on in the window."""
    session = page.context.desk.session
    assert session is not None
    for name in (FIRST, SECOND):
        office_persons.enroll_demo(session, Officer(name=name, role="公证员", identification="工作证"), OWN)
    page.shown()
    qtbot.waitUntil(lambda: page.office is not None and len(page.office.active) == 2, timeout=20_000)
    page.keys.switch.click()
    qtbot.waitUntil(lambda: page.office.two_person, timeout=20_000)
    return page


def hand_over(page, leaves: list[bytes], qtbot, *, each: bool = False) -> Any:
    """Draft and hand over; the number of the first draft."""
    page.choose.operator.setCurrentText(FIRST)
    page.choose.model.check(leaves)
    if each:
        page.choose.each.click()
    look(page, qtbot)
    assert page.sign.deed.text() == "送交复核"
    number = page.sign.shown.draft.certificate.number
    page.sign.deed.click()
    qtbot.waitUntil(lambda: len(page.waiting.items) == 1, timeout=30_000)
    return number


def review(page, qtbot) -> Any:
    page.waiting.review_wanted.emit(page.waiting.items[0])
    (dialog,) = [item for item in page.window().findChildren(ReviewDialog) if item.isVisible()]
    qtbot.waitUntil(lambda: dialog.preview.view.settled, timeout=30_000)
    return dialog


def read_to_the_end(dialog, qtbot) -> None:
    for position in range(len(dialog.reviewed.drafts)):
        if position:
            dialog.preview.next.click()
            qtbot.waitUntil(lambda: dialog.preview.view.pages > 0, timeout=30_000)
        qtbot.waitUntil(lambda: dialog.preview.view.settled, timeout=30_000)
        dialog.preview.view.verticalScrollBar().setValue(dialog.preview.view.verticalScrollBar().maximum())
        qtbot.waitUntil(lambda at=position: at in dialog._seen, timeout=30_000)


def verdict(page, path: Path, originals: list[Path]):
    session = page.context.desk.session
    trust = read_trust(session.vault.folder / "trust")
    now = session.clock.now() + timedelta(seconds=5)
    return verify_path(path, originals=Originals(originals, Job()), trust=trust, now=now, job=Job()).verdict


def test_what_an_earlier_program_left_waiting_is_told_once(office, leaves, qtbot, messages):
    left = ("ui_certify.waiting.left", {"count": 1, "tab": "待复核"})
    hand_over(office, leaves[:1], qtbot)
    assert left not in messages.said, "who handed it over knows it"
    office.work.told = None  # as in a program just started
    for _ in range(2):
        office.shown()
        qtbot.waitUntil(lambda: not office.context.tasks.busy(), timeout=20_000)
    assert messages.said.count(left) == 1


def test_two_persons_issue_what_both_saw(office, leaves, qtbot, tmp_path, messages):
    page = office
    number = hand_over(page, leaves[:2], qtbot)
    dialog = review(page, qtbot)
    assert not dialog.deed.isEnabled()
    assert "0 / 1" in dialog.seen.text
    dialog.passphrase.setText(OWN)
    assert not dialog.deed.isEnabled()  # not before the last page was seen
    read_to_the_end(dialog, qtbot)
    assert dialog.deed.isEnabled()
    assert dialog.person.count() == 1  # the first person is not offered
    assert dialog.second.name == SECOND
    target = tmp_path / "双人.pdf"
    messages.saves.append(target)
    dialog.deed.click()
    ended(page, qtbot)
    (issued,) = page.work.issued
    assert (issued.number, issued.confirmed_by) == (number, SECOND)
    found = verdict(page, target, [tmp_path / "originals" / name for name in NAMES[:2]])
    assert found.overall is Status.PASSED
    signer = [item for item in found.findings if item.dimension is Dimension.SIGNER]
    assert {item.status for item in signer} == {Status.PASSED}
    assert {"confirmation.binding.right", "confirmation.persons.two"} <= {item.code for item in signer}
    assert "demo.confirmation" in {item.code for item in found.caveats}
    qtbot.waitUntil(lambda: page.waiting.items == (), timeout=20_000)


def test_a_batch_of_drafts_with_one_unlocking(office, leaves, qtbot, tmp_path, messages):
    page = office
    hand_over(page, leaves, qtbot, each=True)
    dialog = review(page, qtbot)
    dialog.passphrase.setText(OWN)
    read_to_the_end(dialog, qtbot)
    folder = tmp_path / "证书"
    folder.mkdir()
    messages.folders.append(folder)
    dialog.deed.click()
    ended(page, qtbot)
    assert len(page.work.issued) == 3
    assert len(list(folder.glob("EC-*.pdf"))) == 3


def test_wrong_passphrase_is_told_and_waited_for(office, leaves, qtbot, tmp_path, messages):
    page = office
    hand_over(page, leaves[:1], qtbot)
    dialog = review(page, qtbot)
    read_to_the_end(dialog, qtbot)
    for _ in range(2):
        dialog.passphrase.setText("falsche Worte")
        qtbot.waitUntil(dialog.deed.isEnabled, timeout=30_000)
        dialog.deed.click()
        qtbot.waitUntil(lambda: not dialog.busy and dialog.fault.isVisible(), timeout=30_000)
        assert dialog.wait.isVisible()
        assert not dialog.deed.isEnabled()
    page.context.tongue.set_language(Language.EN)
    assert "passphrase" in dialog.fault.text.lower()
    assert "try again" in dialog.wait.text().lower()
    dialog.passphrase.setText(OWN)
    qtbot.waitUntil(dialog.deed.isEnabled, timeout=30_000)
    messages.saves.append(tmp_path / "双人.pdf")
    dialog.deed.click()
    ended(page, qtbot)
    assert len(page.work.issued) == 1


def test_the_draft_survives_the_program(window, office, leaves, qtbot):
    number = hand_over(office, leaves[:1], qtbot)
    del window.pages[PageName.CERTIFY]
    window.stack.removeWidget(office)
    office.deleteLater()
    again = window.show_page(PageName.CERTIFY)
    assert isinstance(again, CertifyPage)
    qtbot.waitUntil(lambda: len(again.waiting.items) == 1, timeout=20_000)
    dialog = review(again, qtbot)
    assert dialog.reviewed.drafts[0].certificate.number == number
    assert dialog.reviewed.same
    assert not dialog.changed.isVisible()
    dialog.reject()


def test_facts_that_changed_meanwhile_are_told(office, qtbot, tmp_path):
    leaf = seal_text(office.context, tmp_path / "late", "新证据.txt")
    hand_over(office, [leaf], qtbot)
    session = office.context.desk.session
    timestamp(session.desk, session.authorities, job=Job())
    dialog = review(office, qtbot)
    assert dialog.changed.isVisible()
    assert "ui_certify.remark.no_time" not in dialog.remarks.codes()
    dialog.reject()


def test_sent_back_with_a_reason(office, leaves, qtbot, messages):
    hand_over(office, leaves[:1], qtbot)
    dialog = review(office, qtbot)
    messages.texts.append("待证事实写错了")
    dialog.back.click()
    qtbot.waitUntil(
        lambda: bool(office.waiting.items) and office.waiting.items[0].reason == "待证事实写错了",
        timeout=20_000,
    )
    assert office.waiting.items[0].rejected_by == SECOND
    assert office.tabs.tabText(1) == "待复核"
    office.waiting.drop_wanted.emit(office.waiting.items[0])
    qtbot.waitUntil(lambda: office.waiting.items == (), timeout=20_000)
    assert messages.asked[-1][0] == "ui_certify.waiting.drop.sure"


def test_erasing_the_case_takes_the_draft_along(office, leaves, qtbot):
    hand_over(office, leaves[:1], qtbot)
    session = office.context.desk.session
    erase(session.desk, CASE, reason="当事人撤回", court=None)
    assert pending(session) == ()
    office.shown()
    qtbot.waitUntil(lambda: office.waiting.items == (), timeout=20_000)


def test_a_draft_out_of_date_is_refused(office, leaves, qtbot):
    hand_over(office, leaves[:1], qtbot)
    session = office.context.desk.session
    office_persons.set_two_person(session, on=False)
    rows = exhibits_of(session.desk, leaves[:1])
    certify(session.desk, rows, session.issuer(), trust=session.trust, job=Job())
    office_persons.set_two_person(session, on=True)
    office.waiting.review_wanted.emit(office.waiting.items[0])
    (dialog,) = office.window().findChildren(ReviewDialog)
    qtbot.waitUntil(dialog.fault.isVisible, timeout=20_000)
    assert "过时" in dialog.fault.text
    assert "不能生成" in dialog.seen.text
    assert not dialog.deed.isEnabled()
    dialog.reject()


def test_nobody_issues_alone(office, leaves, qtbot, messages):
    """The mode is turned on by somebody else while a person looks at a preview."""
    session = office.context.desk.session
    office_persons.set_two_person(session, on=False)
    office.shown()
    qtbot.waitUntil(lambda: not office.office.two_person, timeout=20_000)
    office.choose.model.check(leaves[:1])
    look(office, qtbot)
    office_persons.set_two_person(session, on=True)
    messages.saves.append(office.context.desk.folder.parent / "allein.pdf")
    office.sign.deed.click()
    qtbot.waitUntil(lambda: bool(messages.errors), timeout=20_000)
    assert messages.errors[0].code == "certify.two_person"
    assert not (office.context.desk.folder.parent / "allein.pdf").exists()


def test_the_same_person_is_refused(office, leaves, qtbot, messages):
    """Nobody but the first is enrolled: there is nobody to choose."""
    session = office.context.desk.session
    hand_over(office, leaves[:1], qtbot)
    second = persons.one_person(session.desk, SECOND)
    persons.retire(session.desk, office_persons.person_keys(session), second)
    office.shown()
    qtbot.waitUntil(lambda: len(office.office.active) == 1, timeout=20_000)
    dialog = review(office, qtbot)
    read_to_the_end(dialog, qtbot)
    dialog.passphrase.setText(OWN)
    assert dialog.person.count() == 0
    assert dialog._none.isVisible()
    assert not dialog.deed.isEnabled()
    dialog.reject()


def test_locking_closes_the_review(office, leaves, qtbot):
    hand_over(office, leaves[:1], qtbot)
    dialog = review(office, qtbot)
    dialog.passphrase.setText(OWN)
    closed: list[int] = []
    dialog.finished.connect(closed.append)
    office.context.desk.lock()
    assert closed == [0]


def test_a_credential_in_a_file(office, leaves, qtbot, tmp_path, messages):
    """Enrolled and confirmed with a PKCS#12 file; its key is never in the vault."""
    start = datetime.now(UTC) - timedelta(days=1)
    ca = pki.make_ca("某证书机构", pki.generate_key(pki.KeyKind.P256), not_before=start, years=9)
    made = pki.make_signer_certificate(
        "赵明远", pki.generate_key(pki.KeyKind.P256), ca, not_before=start, years=2
    )
    path = tmp_path / "赵明远.p12"
    path.write_bytes(pkcs12_file(made.key.pkcs8, made.certificate, [ca.certificate]))
    dialog = EnrollDialog(office.context)
    dialog.accepted.connect(office.keys.changed)
    dialog.open()
    dialog.name.setText("赵明远")
    dialog.own.click()
    messages.files.append([path])
    dialog.choose.click()
    dialog.passphrase.setText("falsch")
    dialog.deed.click()
    qtbot.waitUntil(dialog.fault.isVisible, timeout=20_000)
    dialog.passphrase.setText(P12_PASS)
    dialog.deed.click()
    qtbot.waitUntil(lambda: len(office.office.active) == 3, timeout=20_000)
    hand_over(office, leaves[:1], qtbot)
    look_at = review(office, qtbot)
    look_at.person.setCurrentIndex(look_at.person.findText("赵明远"))
    assert look_at.choose.isVisible()
    messages.files.append([path])
    look_at.choose.click()
    look_at.passphrase.setText(P12_PASS)
    read_to_the_end(look_at, qtbot)
    target = tmp_path / "双人.pdf"
    messages.saves.append(target)
    look_at.deed.click()
    ended(office, qtbot)
    found = verdict(office, target, [tmp_path / "originals" / NAMES[0]])
    assert "confirmation.binding.right" in {item.code for item in found.findings}


def test_enrolling_changing_and_retiring(office, qtbot, messages):
    dialog = EnrollDialog(office.context)
    dialog.accepted.connect(office.keys.changed)
    dialog.open()
    dialog.name.setText("赵明远")
    dialog.passphrase.setText("kurz")
    dialog.again.setText("kurz")
    assert not dialog.deed.isEnabled()
    dialog.passphrase.setText("langgenug-1")
    dialog.again.setText("langgenug-2")
    assert not dialog.deed.isEnabled()
    dialog.again.setText("langgenug-1")
    dialog.deed.click()
    qtbot.waitUntil(lambda: len(office.office.active) == 3, timeout=20_000)
    person = office.office.active[-1]
    change = PassphraseDialog(office.context, person)
    change.open()
    for field, text in (
        (change.old, "langgenug-1"),
        (change.new, "langgenug-3"),
        (change.again, "langgenug-3"),
    ):
        field.setText(text)
    change.deed.click()
    qtbot.waitUntil(
        lambda: ("ui_certify.passphrase.changed", {"name": "赵明远"}) in messages.said, timeout=20_000
    )
    office.keys._on_retire(person)
    qtbot.waitUntil(lambda: len(office.office.active) == 2, timeout=20_000)
    assert len(office.office.persons) == 3
