"""With an open vault: its own records, revocation first of all, and nothing of it left when it locks."""

import pytest

from evidence_desk.services.examination import Outcome
from evidence_desk.services.revoke import revoke
from evidence_desk.verify.answer import Result
from tests.gui.verify.conftest import PASSPHRASE, result, said, shown
from tests.gui.verify.test_verify import texts_of


@pytest.fixture
def page(context, own_vault, qtbot):
    context.desk.adopt(own_vault)
    return shown(context, qtbot)


def test_a_file_of_the_vault_is_found_with_its_proofs(page, papers, settled):
    page.accept_paths([papers.originals[0]])
    settled(page)
    done = result(page)
    assert done.result is Result.PRESENT
    assert done.looked_up[0].vault.outcome is Outcome.FOUND
    assert "查到登记" in said(page)
    assert papers.row.number in texts_of(page)
    assert "登记于" in texts_of(page)


def test_a_file_that_nobody_registered(page, settled, tmp_path):
    path = tmp_path / "other.txt"
    path.write_text("never sealed")
    page.accept_paths([path])
    settled(page)
    assert result(page).result is Result.UNDETERMINED
    assert "本存证库没有与之相符" in texts_of(page)


@pytest.mark.parametrize("what", ["number", "certificate", "digest"])
def test_numbers_and_digests_are_looked_up(page, papers, settled, what):
    asked = {
        "number": papers.row.number.lower(),
        "certificate": papers.certificate.number,
        "digest": papers.row.objects[0].stored.digests.sm3.hex().upper(),
    }
    page.intake.field.setText(asked[what])
    page.intake.look.click()
    settled(page)
    assert result(page).result is Result.PRESENT


def test_the_photo_of_a_certificate_leads_to_its_entry(page, papers, settled):
    page.accept_paths([papers.photo])
    settled(page)
    assert result(page).result is Result.PRESENT
    assert result(page).number == papers.row.number
    assert "扫描件本身不证明任何事项" in said(page)


def test_a_revoked_certificate_says_so_before_anything_else(page, papers, settled):
    session = page.context.desk.session
    page.accept_paths([papers.pdf, *papers.originals])
    settled(page)
    assert result(page).result is Result.PASSED
    revoke(session.desk, papers.certificate, why="印错案号")
    page.detail.again_button.click()
    settled(page)
    first = page.detail.notices[0]
    assert first.property("banner") == "failed"
    assert first.head == "已被撤销"
    assert "时间戳时间" not in said(page)
    assert page.model.index(0).data().endswith("已被撤销")


def test_locking_takes_what_came_out_of_the_vault_off_the_page(page, papers, settled, messages):
    page.accept_paths([papers.originals[0]])
    page.ask_text("ED-1")
    settled(page)
    page.context.desk.lock()
    settled(page)
    assert [entry.examination.subject.name for entry in page.model.entries] == ["ED-1"]
    assert ("ui_verify.locked", {"count": 1}) in messages.said
    assert papers.row.number not in texts_of(page)


def test_a_verification_that_goes_on_while_the_vault_locks_ends_without_it(
    page, papers, settled, messages, tmp_path, qtbot
):
    big = tmp_path / "big.bin"
    with big.open("wb") as stream:
        stream.truncate(3 << 30)
    page.accept_paths([big])
    (line,) = page.progress.lines
    qtbot.waitUntil(lambda: line.bar.maximum() == 1000, timeout=20_000)
    page.context.desk.lock()
    qtbot.waitUntil(lambda: bool(page.progress.lines) and page.progress.lines[0] is not line, timeout=20_000)
    big.write_bytes(b"short now")
    settled(page)
    assert not messages.errors
    assert len(page.model.entries) == 1
    assert result(page).looked_up[0].vault.outcome is Outcome.NOT_ASKED


def test_unlocking_again_finds_it_again(page, papers, settled, qtbot, messages):
    folder = page.context.desk.folder
    page.context.desk.lock()
    settled(page)
    page.accept_paths([papers.originals[0]])
    settled(page)
    assert result(page).looked_up[0].vault.outcome is Outcome.NOT_ASKED
    page.context.desk.unlock(folder, PASSPHRASE, owner=page, done=page.ask_again, failed=messages.error)
    qtbot.waitUntil(lambda: page.context.desk.session is not None, timeout=20_000)
    settled(page)
    assert result(page).result is Result.PRESENT
