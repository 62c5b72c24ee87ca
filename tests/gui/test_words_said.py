"""The window does not advise with words of the command line."""

import re

import pytest

from evidence_desk.errors import UsageError
from evidence_desk.texts import AREAS, Language, sentences
from tests.unit.test_texts import area
from ui.language import Tongue

COMMANDS = re.compile(
    r"(?<!-)--[a-z]|evidence-desk|evidence-verify|court-node|network join\b|network status|anchor --"
)
MET_IN_THE_WINDOW = (
    "browse",
    "capture_disclose",
    "capture_replay",
    "confirm",
    "network",
    "verify",
    "token_keys",
)
ONLY_COMMANDS = {
    "derive.both", "list.archived", "verdict.answer.strict", "verify.report_one.advice", "passphrase.one_thing",
    "identity.rotate_by_recovery_key.advice", "network.registration.pending", "network.advice.register",
    "network.advice.off_line", "network.advice.one_gateway", "anchor.waiting", "anchor.options", "anchor.options.advice",
    "anchor.carry_needs.advice", "anchor.exported", "anchor.carried", "malformed.outbox", "malformed.outbox.advice",
}  # fmt: skip
"""Said by commands alone, or to who used them."""


@pytest.mark.parametrize("language", Language)
def test_advice_met_in_the_window_names_no_command(language: Language):
    known = sentences(language)
    own = [
        code
        for name in MET_IN_THE_WINDOW
        for code, text in area(language, name).items()
        if COMMANDS.search(text)
    ]
    said = {code.removeprefix(f"{name}.") for name in ("ui_said", "ui_verify.said") for code in known}
    assert [code for code in own if code not in said | ONLY_COMMANDS] == []


@pytest.mark.parametrize("language", Language)
def test_the_windows_own_sentences_name_no_command(language: Language):
    named = [
        code
        for name in AREAS
        if name.startswith("ui")
        for code, text in area(language, name).items()
        if COMMANDS.search(text)
    ]
    assert named == []


@pytest.mark.parametrize("language", Language)
def test_each_stands_for_a_sentence(language: Language):
    known = sentences(language)
    assert [code for code in area(language, "ui_said") if code.removeprefix("ui_said.") not in known] == []


def test_an_error_is_said_in_the_windows_words(qapp):
    what, then = Tongue().error(UsageError("confirm.no_first"))
    assert "承办人" in what
    assert then == "请填写承办人姓名。"
