"""Trust roots and gateways: which are used is in sight, what cannot be read is told, the choice is kept."""

import shutil

import pytest

from evidence_desk.core.verdict import Dimension, Status
from evidence_desk.errors import UsageError
from evidence_desk.services.examination import Outcome
from evidence_desk.texts import Language
from evidence_desk.verify.answer import Result
from tests.gui.verify.conftest import result, said, shown
from ui.preferences import MAX_GATEWAYS, load_preferences
from ui.verify.basis import NetworkDialog, addresses


def test_a_folder_chosen_by_hand_is_shown_kept_and_used_at_once(page, papers, messages, settled, tmp_path):
    page.accept_paths([papers.pdf, *papers.originals])
    settled(page)
    assert result(page).result is Result.UNDETERMINED
    messages.folders.append(papers.trust)
    page.basis.choose.click()
    settled(page)
    assert page.basis.trust.text == "信任根：手工选定"
    fingerprint = page.basis.state.trust.fingerprint
    assert fingerprint in page.basis.trust.toolTip()
    assert result(page).result is Result.PASSED
    assert load_preferences(tmp_path / "config" / "desktop.json").trust == str(papers.trust)
    page.basis.own.click()
    settled(page)
    assert page.basis.trust.text == "没有信任根"
    assert result(page).result is Result.UNDETERMINED


def test_a_folder_that_is_none_is_told_and_not_taken(page, messages, settled, tmp_path):
    messages.folders.append(tmp_path)
    page.basis.choose.click()
    settled(page)
    assert [error.code for error in messages.errors] == ["trust.missing"]
    assert page.context.preferences.value.trust == ""


@pytest.mark.parametrize("harm", ["gone", "changed", "manifest"])
def test_trust_roots_that_cannot_be_read_any_more_are_told_beside_every_answer(
    context, papers, qtbot, settled, tmp_path, harm
):
    folder = tmp_path / "trust"
    shutil.copytree(papers.trust, folder)
    context.preferences.change(trust=str(folder))
    if harm == "gone":
        shutil.rmtree(folder)
    elif harm == "changed":
        next(folder.glob("*.pem")).write_bytes(b"other")
    else:
        (folder / "trust.json").write_text("[" * 5000)
    page = shown(context, qtbot)
    assert page.basis.trust.text == "信任根无法读取"
    page.accept_paths([papers.pdf])
    settled(page)
    assert result(page).result is Result.UNDETERMINED
    assert "本次按没有信任根核验" in said(page)
    assert not result(page).trust.fingerprint


def test_the_vaults_own_roots_are_used_and_said_and_gone_when_it_locks(
    context, own_vault, papers, qtbot, settled
):
    context.desk.adopt(own_vault)
    page = shown(context, qtbot)
    assert page.basis.trust.text == "信任根：本存证库"
    context.desk.lock()
    settled(page)
    assert page.basis.trust.text == "没有信任根"


@pytest.mark.qt_log_ignore("propagateSizeHints")
def test_gateways_are_asked_for_kept_and_refused_when_they_are_none(page, settled, qtbot):
    page.basis.choose_network()
    dialog = page.window().findChild(NetworkDialog)
    dialog.field.setPlainText("ftp://x\n")
    dialog.accept_button.click()
    assert dialog.fault.isVisible()
    assert dialog.isVisible()
    page.context.tongue.set_language(Language.EN)
    assert dialog.accept_button.text() == "Save and verify again"
    page.context.tongue.set_language(Language.ZH)
    dialog.field.setPlainText("http://127.0.0.1:9\n\n http://127.0.0.1:9/ \n")
    dialog.accept_button.click()
    assert page.context.preferences.value.gateways == ("http://127.0.0.1:9",)
    settled(page)
    assert page.basis.network.text == "法院节点网络：指定网关"


def test_addresses_are_read_strictly():
    assert addresses(" \n") == ()
    for bad in ("x", "http://", "http://a/b", "file:///etc/passwd", "http://u:p@h", "http://h:99999"):
        with pytest.raises(UsageError):
            addresses(bad)
    with pytest.raises(UsageError):
        addresses("\n".join(f"http://h{number}" for number in range(MAX_GATEWAYS + 1)))
    with pytest.raises(UsageError):
        addresses("x" * 1_000_000)


@pytest.mark.parametrize(
    ("look_up", "gateways", "code"),
    [
        (False, (), "examination.offline"),
        (True, (), "network.no_trust"),
        (True, ("http://127.0.0.1:9",), "network.no_trust"),
    ],
)
def test_what_was_not_asked_and_why(with_trust, papers, settled, look_up, gateways, code):
    page = with_trust
    page.context.preferences.change(look_up=look_up, gateways=gateways)
    page.ask_text(papers.row.number)
    settled(page)
    court = result(page).looked_up[0].court
    assert (court.outcome, court.why.code) == (Outcome.NOT_ASKED, code)
    assert page.detail.rows[Dimension.COURT].row.status is Status.UNDETERMINED


def test_preferences_of_another_kind_are_none(tmp_path):
    path = tmp_path / "desktop.json"
    path.write_text('{"gateways": ["http://a", 5, "http://b"], "look_up": false}')
    kept = load_preferences(path)
    assert (kept.gateways, kept.look_up) == (("http://a", "http://b"), False)
    path.write_text('{"gateways": "http://a", "look_up": 1}')
    assert (load_preferences(path).gateways, load_preferences(path).look_up) == ((), True)
