"""The update check in Settings: off, then on by hand, and one request when the button is pressed."""

import socket
import threading
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence_desk.core.release import KEY_NAME, Release, ReleaseFile, ReleaseKey
from evidence_desk.updates.setting import load_setting, turn_off, turn_on
from ui.page import scrolled
from ui.settings.security import SecurityTab


@pytest.fixture(autouse=True)
def no_site(monkeypatch, tmp_path):
    monkeypatch.setenv("EVIDENCE_DESK_SITE_CONFIG", str(tmp_path / "site"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def tab(context, qtbot):
    made = SecurityTab(context)
    around = scrolled(made)
    qtbot.addWidget(around)
    around.show()
    yield made
    around.close()


def test_off_without_a_vault_and_turned_on_by_hand(tab, messages):
    card = tab.updates
    assert card.allow.isVisible()
    assert (card.allow.isChecked(), card.button.isEnabled(), card.address.isEnabled()) == (
        False,
        False,
        False,
    )
    card.allow.click()
    assert load_setting().on
    assert card.button.isEnabled()
    card.address.setText("http://a/?case=1")
    card.button.click()
    assert [error.code for error in messages.errors] == ["updates.address"]
    card.allow.click()
    assert not load_setting().on
    assert not card.button.isEnabled()


def test_no_address(tab, qtbot):
    tab.updates.allow.click()
    tab.updates.button.click()
    qtbot.waitUntil(tab.updates.result.isVisible, timeout=20_000)
    assert tab.updates.result.text == "没有配置发布清单的地址。"


def test_pressed_it_asks_once(tab, qtbot):
    signer = Ed25519PrivateKey.generate()
    key = ReleaseKey(name=KEY_NAME, public=signer.public_key().public_bytes_raw())
    file = ReleaseFile(name="setup.exe", size=1, sha256="0" * 64, sm3="0" * 64)
    release = Release(version="99.0.0", issued=datetime.now(UTC), demonstration=False, files=(file,))
    body = key.sign(release.encode(), signer.sign)
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(30)

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                asked.append(connection.recv(65536))
                connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

        thread = threading.Thread(target=serve)
        thread.start()
        port = listening.getsockname()[1]
        turn_on(f"http://127.0.0.1:{port}/list", key.encode())
        tab.updates.read()
        assert tab.updates.address.text().endswith("/list")
        tab.updates.button.click()
        qtbot.waitUntil(tab.updates.result.isVisible, timeout=20_000)
        thread.join()
    assert "99.0.0" in tab.updates.result.text
    assert asked == [f"GET /list HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()]
    assert tab.updates.button.isEnabled()


def test_a_setting_that_cannot_be_read(tab, tmp_path):
    turn_off()
    path = next((tmp_path / "config").glob("updates.json"))
    path.write_text("{")
    tab.updates.read()
    assert not tab.updates.allow.isChecked()
    assert "无法读取" in tab.updates.result.text
