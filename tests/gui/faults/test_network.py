"""The court network goes away while something is anchored, another vault is opened while it starts, and lies."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence_desk.bootstrap.opening import init_session
from evidence_desk.core.job import Job
from evidence_desk.services.seal import SealRequest, seal
from tests.gui.conftest import CHEAP, PASSPHRASE, RecordedMessages
from ui.demo_network import demo_folder
from ui.page import PageName
from ui.settings.network import NetworkTab
from ui.settings.page import SettingsPage
from ui.status.page import StatusPage
from ui.verify.page import VerifyPage
from ui.window import Window


def idle(window: Window, qtbot, timeout: int = 60_000) -> None:
    qtbot.waitUntil(lambda: not window.context.tasks.busy(), timeout=timeout)


def status(window: Window) -> StatusPage:
    page = window.show_page(PageName.STATUS)
    assert isinstance(page, StatusPage)
    return page


@pytest.mark.engine
def test_nodes_killed_while_it_anchors(window: Window, messages: RecordedMessages, tmp_path: Path, qtbot):
    context = window.context
    demo, session = context.demo, context.desk.session
    assert session is not None
    joined: list[bool] = []
    demo.start(done=lambda: joined.append(True), failed=messages.error)
    qtbot.waitUntil(lambda: bool(joined or messages.errors), timeout=150_000)
    assert messages.errors == []
    (tmp_path / "a.txt").write_text("a")
    seal(session.desk, [tmp_path / "a.txt"], SealRequest(case_number="案"), job=Job())
    assert demo._process is not None
    page = status(window)
    idle(window, qtbot)
    page._on_anchor()
    demo._process.kill()
    qtbot.waitUntil(lambda: not demo.running and demo._process is None, timeout=20_000)
    idle(window, qtbot)
    page._on_anchor()
    idle(window, qtbot, 120_000)
    codes = {error.code for error in messages.errors}
    assert codes <= {"network.unverified", "gateway.unreachable", "gateway.silent"}
    assert messages.errors
    messages.errors.clear()
    context.demo.resume()
    qtbot.waitUntil(lambda: demo.running, timeout=150_000)
    idle(window, qtbot)
    page._on_anchor()
    idle(window, qtbot)
    assert messages.errors == []
    assert messages.said[-1][0] == "ui_status.anchor.done"


@pytest.mark.engine
def test_the_network_of_one_vault_is_not_joined_by_another(
    window: Window, vault_folder: Path, tmp_path: Path, messages, qtbot
):
    """Locked while the nodes start, another vault opened; then the first again."""
    context = window.context
    joined: list[bool] = []
    context.demo.start(done=lambda: joined.append(True), failed=messages.error)
    idle(window, qtbot)
    context.desk.lock()
    qtbot.waitUntil(lambda: context.desk.folder is None, timeout=20_000)
    qtbot.waitUntil(lambda: context.demo.running, timeout=150_000)
    other, _key = init_session(tmp_path / "另一个", PASSPHRASE, office="other", demo=True, kdf=CHEAP)
    context.desk.opened.connect(context.demo.resume)  # as the program does
    context.desk.adopt(other)
    qtbot.waitUntil(lambda: not context.demo.running and not context.demo.starting, timeout=30_000)
    idle(window, qtbot)
    assert other.networks == ()
    assert joined == []
    assert not demo_folder(other.vault.folder).exists()


class Liar(http.server.BaseHTTPRequestHandler):
    """Answers everything with something that is not what was asked."""

    answers = (
        b"{}",
        b"[]",
        b"null",
        b'{"found": true, "matches": 1}',
        b"\xff\xfe",
        b"{" * 50_000,
        b'{"chain_id": 7}',
    )
    count = 0

    def do_GET(self) -> None:
        Liar.count += 1
        body = self.answers[Liar.count % len(self.answers)]
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the name that the library looks for

    def log_message(self, *_args: object) -> None:
        """Nothing."""


@pytest.fixture
def liar() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Liar) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_lying_gateway_is_believed_nothing(
    window: Window, liar: str, messages: RecordedMessages, tmp_path: Path, qtbot
):
    settings = window.show_page(PageName.SETTINGS)
    assert isinstance(settings, SettingsPage)
    tab = next(item for item in settings.made if isinstance(item, NetworkTab))
    trust = tmp_path / "信任"
    trust.mkdir()
    tab.gateways.setPlainText(liar)
    for folder in (None, trust):
        tab.trust = folder
        for _ in range(len(Liar.answers)):
            tab._on_join()
            idle(window, qtbot)
    assert len(messages.errors) == 2 * len(Liar.answers)
    assert "bug.task" not in {error.code for error in messages.errors}
    session = window.context.desk.session
    assert session is not None
    assert session.networks == ()


def test_a_lying_gateway_in_a_look_up(
    window: Window, liar: str, messages: RecordedMessages, tmp_path: Path, qtbot
):
    window.context.preferences.change(gateways=(liar,))
    page = window.show_page(PageName.VERIFY)
    assert isinstance(page, VerifyPage)
    (tmp_path / "a.txt").write_text("a")
    for _ in range(len(Liar.answers)):
        page.accept_paths([tmp_path / "a.txt"])
        page.ask_text("ab" * 32)
        page.ask_text("ED-0000-0000-0000-0000-0")
        idle(window, qtbot)
    assert "bug.task" not in {error.code for error in messages.errors}
    for entry in page.model.entries:
        verdict = entry.examination.verdict
        assert verdict is None or verdict.overall.value != "passed"
