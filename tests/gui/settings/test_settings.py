"""The settings page: what is changed holds, in the vault and in the window."""

from datetime import UTC, datetime

import pytest
from asn1crypto import pem
from PySide6.QtWidgets import QPushButton

from evidence_desk.crypto.pki import KeyKind
from evidence_desk.settings import AuthorityKind, Retention, load_proxy, load_retention
from evidence_desk.texts import Language
from tsa.authority.keys import open_keys
from ui.look.tokens import Scheme
from ui.page import PageName
from ui.preferences import PreferenceStore, Role
from ui.settings.page import SettingsPage
from ui.window import Window


@pytest.fixture
def page(window: Window, qtbot) -> SettingsPage:
    made = window.show_page(PageName.SETTINGS)
    assert isinstance(made, SettingsPage)
    qtbot.waitUntil(lambda: not window.context.tasks.busy())
    return made


def tab(page: SettingsPage, name: str):
    return next(item for item in page.made if item.name == name)


def choose(box, value: str) -> None:
    box.setCurrentIndex(box.findData(value))
    box.activated.emit(box.currentIndex())


def test_look_and_language_hold_at_once_and_after_a_restart(page, window):
    look = tab(page, "appearance")
    choose(look.language, "en")
    choose(look.scheme, "dark")
    choose(look.scale, "150")
    choose(look.role, "judge")
    assert window.context.tongue.language is Language.EN
    assert window.context.look.scheme is Scheme.DARK
    assert page.tabs.tabText(0) == "Look and language"
    assert look._restart.isVisibleTo(look)
    again = PreferenceStore(window.context.preferences._path).value
    assert (again.language, again.scheme, again.scale, again.role) == (
        Language.EN,
        Scheme.DARK,
        150,
        Role.JUDGE,
    )


def test_retention_is_kept_in_the_vault_and_told_on_status(page, window, qtbot, messages):
    keeping = tab(page, "keeping")
    assert [field.value() for field in keeping.fields.values()] == [7, 90, 0]
    for name, value in (("backup_days", 30), ("recheck_days", 180), ("keep_years", 15)):
        keeping.fields[name].setValue(value)
    keeping.save.click()
    qtbot.waitUntil(
        lambda: "ui_settings.retention.done" in [code for code, *_ in messages.said], timeout=20_000
    )
    session = window.context.desk.session
    assert load_retention(session.vault.exhibits) == Retention(
        backup_days=30, recheck_days=180, keep_years=15
    )
    keeping.forget()
    page.shown()
    qtbot.waitUntil(lambda: keeping.fields["keep_years"].value() == 15, timeout=20_000)


def test_a_folder_that_every_choice_begins_in(page, window, messages, tmp_path):
    keeping = tab(page, "keeping")
    assert not keeping.clear.isEnabled()
    messages.folders.append(tmp_path)
    keeping.choose.click()
    assert PreferenceStore(window.context.preferences._path).value.home == str(tmp_path)
    keeping.clear.click()
    assert window.context.preferences.value.home == ""


def test_the_passphrase_is_changed_and_its_fields_forget_it(page, window, qtbot, messages):
    security = tab(page, "security")
    security.old.setText("correct horse battery staple")
    security.new.first.setText("另一个很长的口令 2026 年版本")
    security.new.second.setText("另一个很长的口令 2026 年版本")
    assert security.change.isEnabled()
    security.change.click()
    assert security.old.text() == ""
    qtbot.waitUntil(lambda: ("ui_settings.passphrase.done", {}) in messages.said, timeout=20_000)
    folder = window.context.desk.folder
    window.context.desk.lock()
    qtbot.waitUntil(lambda: window.context.desk.folder is None)
    opened: list[bool] = []
    window.context.desk.unlock(
        folder,
        "另一个很长的口令 2026 年版本",
        owner=window,
        done=lambda: opened.append(True),
        failed=messages.error,
    )
    qtbot.waitUntil(lambda: bool(opened), timeout=20_000)


def test_a_wrong_old_passphrase_is_told(page, qtbot, messages):
    security = tab(page, "security")
    security.old.setText("falsch")
    for field in (security.new.first, security.new.second):
        field.setText("another long passphrase 77")
    security.change.click()
    qtbot.waitUntil(lambda: bool(messages.errors), timeout=20_000)
    assert messages.errors[0].code == "vault.wrong_passphrase"


def test_the_log_is_audited(page, qtbot):
    security = tab(page, "security")
    security._on_audit()
    qtbot.waitUntil(lambda: security.audited.text != "", timeout=20_000)
    assert "完好" in security.audited.text


def test_an_authority_is_added_preferred_and_removed(page, window, qtbot, tmp_path, messages):
    authorities = tab(page, "authorities")
    roots = tmp_path / "ca.pem"
    roots.write_bytes(
        pem.armor("CERTIFICATE", open_keys(tmp_path / "keys", KeyKind.P256, now=datetime.now(UTC)).ca.root)
    )
    authorities.url.setText("https://tsa.example/ts")
    authorities.title.setText("某机构")
    messages.files.append([roots])
    authorities._on_roots()
    authorities.add.click()
    qtbot.waitUntil(
        lambda: ("ui_settings.authority.added", {"name": "某机构"}) in messages.said, timeout=20_000
    )
    session = window.context.desk.session
    assert session.settings[0].name == "某机构"
    demo = next(item.name for item in session.settings if item.kind is AuthorityKind.EMBEDDED)
    authorities._on_first(demo)
    qtbot.waitUntil(lambda: session.settings[0].name == demo, timeout=20_000)
    authorities._on_try(demo)
    qtbot.waitUntil(
        lambda: any(code == "ui_settings.authority.answered" for code, _ in messages.said), timeout=20_000
    )
    authorities._on_remove("某机构")
    qtbot.waitUntil(lambda: session.settings[-1].kind is AuthorityKind.RETIRED, timeout=20_000)
    assert messages.asked[-1][0] == "ui_settings.authority.remove.ask"


def test_a_file_that_is_no_certificate_is_refused(page, qtbot, tmp_path, messages):
    authorities = tab(page, "authorities")
    wrong = tmp_path / "key.pem"
    wrong.write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    authorities.url.setText("https://tsa.example/ts")
    authorities._set_roots([wrong])
    authorities.add.click()
    qtbot.waitUntil(lambda: bool(messages.errors), timeout=20_000)
    assert messages.errors[0].code == "malformed.pem"


def test_the_proxy_is_kept_and_nonsense_refused(page, window, qtbot, messages):
    network = tab(page, "network")
    network.proxy.setText("http://127.0.0.1:9")
    network._on_proxy()
    qtbot.waitUntil(lambda: ("ui_settings.proxy.done", {}) in messages.said, timeout=20_000)
    session = window.context.desk.session
    assert load_proxy(session.vault.exhibits) == "http://127.0.0.1:9"
    network.proxy.setText("ftp://nonsense")
    network._on_proxy()
    qtbot.waitUntil(lambda: bool(messages.errors), timeout=20_000)
    assert messages.errors[0].code == "network.proxy"
    assert load_proxy(session.vault.exhibits) == "http://127.0.0.1:9"


def test_joining_without_trust_is_refused(page, qtbot, messages):
    network = tab(page, "network")
    network.gateways.setPlainText("http://127.0.0.1:9")
    network._on_join()
    qtbot.waitUntil(lambda: bool(messages.errors), timeout=20_000)
    assert messages.errors[0].code == "network.no_trust"


def test_trust_roots_are_kept_only_when_they_can_be_read(page, window, qtbot, tmp_path, messages):
    trust = tab(page, "trust")
    messages.folders.append(tmp_path)
    trust._on_choose()
    qtbot.waitUntil(lambda: bool(messages.errors), timeout=20_000)
    assert window.context.preferences.value.trust == ""
    good = window.context.desk.session.vault.folder / "trust"
    messages.folders.append(good)
    trust._on_choose()
    qtbot.waitUntil(lambda: window.context.preferences.value.trust == str(good), timeout=20_000)
    assert trust.chosen.text == str(good)


def test_what_is_about_the_vault_hides_with_it(page, window):
    network = tab(page, "network")
    assert all(card.isVisibleTo(network) for card in network.inside)
    window.context.desk.lock()
    assert not any(card.isVisibleTo(network) for card in network.inside)
    assert network._none.isVisibleTo(network)


def test_every_button_has_words_in_both_languages(page, window):
    for language in Language:
        window.context.tongue.set_language(language)
        for button in page.findChildren(QPushButton):
            assert button.text(), button
