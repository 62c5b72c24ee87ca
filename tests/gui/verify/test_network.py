"""Look-ups on a real court network of four nodes: found, absent, revoked, silent, lying; with and without a vault."""

import shutil

import pytest

from evidence_desk.bootstrap.networking import bring_up
from evidence_desk.core.job import Job
from evidence_desk.core.verdict import Dimension, Status
from evidence_desk.services.certify import certify
from evidence_desk.services.examination import Outcome, PlaceAnswer
from evidence_desk.services.revoke import revoke
from evidence_desk.services.seal import SealRequest, seal
from evidence_desk.services.timestamp import timestamp
from evidence_desk.verify.answer import Result
from tests.gui.screens import save_screen
from tests.gui.verify.conftest import result, said, shown
from tests.gui.verify.test_verify import texts_of
from ui.verify.page import VerifyPage

pytestmark = pytest.mark.engine


@pytest.fixture
def anchored(open_context, messages, qtbot, tmp_path):
    """A vault with an anchored exhibit and its certificate, its network running; (session, original, certificate)."""
    done = []
    open_context.demo.start(done=lambda: done.append(True), failed=messages.error)
    qtbot.waitUntil(lambda: bool(done or messages.errors), timeout=150_000)
    assert not messages.errors
    session = open_context.desk.session
    original = tmp_path / "合同.txt"
    original.write_text("甲方乙方")
    (outcome,) = seal(session.desk, [original], SealRequest(case_number="案一"), job=Job())
    timestamp(session.desk, session.authorities, job=Job())
    bring_up(session, wait=True, secret=None, job=Job())
    assert outcome.exhibit is not None
    row = session.vault.exhibits.exhibit(outcome.exhibit.leaf_hash)
    issued = certify(session.desk, [row], session.issuer(), trust=session.trust, job=Job()).certificate
    bring_up(session, wait=True, secret=None, job=Job())
    pdf = tmp_path / "证书.pdf"
    pdf.write_bytes(issued.pdf)
    return session, original, issued, pdf


def court_of(page: VerifyPage, row: int = 0) -> PlaceAnswer:
    return result(page, row).looked_up[0].court


def test_a_judge_with_and_without_a_vault(anchored, open_context, qtbot, settled, messages, tmp_path):
    session, original, _issued, pdf = anchored
    page = shown(open_context, qtbot)
    assert page.basis.network.text == "法院节点网络：已加入"

    # the vault's own network is asked
    page.accept_paths([pdf, original])
    settled(page)
    assert result(page).result is Result.PASSED
    assert page.detail.rows[Dimension.COURT].row.status is Status.PASSED
    assert "上链时间" in said(page)
    assert "演示网络" in said(page)
    save_screen(page.window(), "verify-anchored")

    # without the vault: its trust roots by hand, a gateway by hand
    trust, gateways = tmp_path / "trust", session.networks[0].gateways
    shutil.copytree(session.vault.folder / "trust", trust)
    open_context.desk.lock()
    page.clear()
    open_context.preferences.change(gateways=gateways)
    page.basis.take_folder(trust)
    settled(page)
    page.accept_paths([original])
    settled(page)
    assert court_of(page).outcome is Outcome.FOUND
    assert result(page).result is Result.PRESENT
    assert "查到登记" in said(page) or "登记有该文件" in said(page)
    assert "已询问：" in texts_of(page)
    assert "北京时间" in texts_of(page)
    save_screen(page.window(), "verify-found")

    stranger = tmp_path / "没有登记.txt"
    stranger.write_text("nobody sealed this")
    page.accept_paths([stranger])
    settled(page)
    row = page.model.row_of(f"path:{stranger}")
    assert court_of(page, row).outcome is Outcome.ABSENT
    assert "未登记" in said(page)
    assert "经盲化登记的文件" in texts_of(page)
    save_screen(page.window(), "verify-absent")

    # and the certificate with its original, all proven without the vault
    page.clear()
    page.accept_paths([pdf, original])
    settled(page)
    assert result(page).result is Result.PASSED


def test_revoked_on_the_network_and_silence(anchored, open_context, qtbot, settled, messages, tmp_path):
    session, original, issued, pdf = anchored
    revoke(session.desk, issued, why="印错案号")
    bring_up(session, wait=True, secret=None, job=Job())
    trust, gateways = tmp_path / "trust", session.networks[0].gateways
    shutil.copytree(session.vault.folder / "trust", trust)
    open_context.desk.lock()
    page = shown(open_context, qtbot)
    open_context.preferences.change(gateways=gateways[:1])
    page.basis.take_folder(trust)
    settled(page)
    page.accept_paths([pdf, original])
    settled(page)
    assert page.detail.notices[0].head == "已被撤销"
    assert page.detail.notices[0].property("banner") == "failed"
    save_screen(page.window(), "verify-revoked")

    open_context.preferences.change(gateways=("http://127.0.0.1:9",))
    page.accept_paths([original])
    settled(page)
    row = page.model.row_of(f"path:{original}")
    assert court_of(page, row).outcome is Outcome.NOT_ASKED
    assert result(page, row).result is Result.UNDETERMINED
    assert not messages.errors
