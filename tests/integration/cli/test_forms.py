"""What holds for every command: usage, language, one JSON document, no vault, no passphrase, hostile names."""

import json
import re

import pytest

from evidence_desk import verifier
from evidence_desk.texts import Language

CHINESE = re.compile("[\u4e00-\u9fff]")


COMMANDS = [
    ["list"], ["show", "ED-0000-0000-0000-0000-0"], ["timestamp"], ["certify", "x", "-o", "c.pdf"], ["export", "x", "-o", "p"],
    ["lookup", "x"], ["custody", "x"], ["revoke", "x", "--why", "y"], ["correct", "x", "--note", "y"], ["audit"],
    ["recheck"], ["backup", "b"], ["authority", "list"], ["authority", "test"], ["authority", "remove", "x"],
    ["authority", "add", "http://127.0.0.1/"], ["passphrase"], ["identity", "x", "--yes"],
]  # fmt: skip


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_every_command_without_a_vault(run, arguments, tmp_path, monkeypatch):
    monkeypatch.setenv("EVIDENCE_DESK_NEW_PASSPHRASE", "x")
    said = run(*arguments, "--vault", tmp_path / "none", "--json", "--lang", "en")
    assert said.status == 66
    assert said.document["error"]["code"] == "vault.missing"
    assert not CHINESE.search(said.out)
    assert not CHINESE.search(said.err)


@pytest.mark.parametrize("arguments", [["list"], ["audit"], ["seal", "x"], ["backup", "b"]], ids=" ".join)
def test_without_a_passphrase_there_is_no_waiting(run, arguments, monkeypatch):
    monkeypatch.delenv("EVIDENCE_DESK_PASSPHRASE")
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    said = run(*arguments, "--json")
    assert (said.status, said.document["error"]["code"]) == (77, "cli.no_passphrase")


@pytest.mark.parametrize(
    "arguments",
    [
        ["seal"],
        ["nonsense"],
        ["list", "--nonsense"],
        ["certify", "x"],
        ["seal", "x", "--kind", "none"],
        ["authority", "nonsense"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("language", Language)
def test_usage_errors(run, arguments, language):
    said = run(*arguments, "--lang", language.value)
    assert said.status == 64
    assert said.out == ""
    assert bool(CHINESE.search(said.err)) is (language is Language.ZH)
    in_json = run(*arguments, "--json")
    assert in_json.status == 64
    assert in_json.document["error"]["code"] == "cli.usage"


def test_usage_errors_of_the_verifier(run):
    said = run("--json", program=verifier.main)
    assert said.status == 64
    assert said.document["error"]["code"] == "cli.usage"


@pytest.mark.parametrize("arguments", [[], ["authority"], ["--help"], ["seal", "--help"]], ids=" ".join)
def test_help(run, arguments):
    said = run(*arguments)
    assert said.status == 0
    assert "Usage: evidence-desk" in said.out


@pytest.mark.parametrize(
    "command", ["list", "audit", "recheck", "doctor", "timestamp", "authority list", "authority test"]
)
@pytest.mark.parametrize("language", Language)
def test_text_is_in_the_language_asked_for(run, command, language):
    said = run(*command.split(), "--lang", language.value)
    assert said.status == 0
    lines = [line for line in said.out.splitlines() if "聊天记录" not in line and "demo" not in line]
    if language is Language.ZH:
        assert any(CHINESE.search(line) for line in said.out.splitlines())
    else:
        assert not any(CHINESE.search(line) for line in lines), said.out


def test_no_sentence_is_missing_in_what_people_see(run, number, package):
    """A code without a sentence would be shown bare, as letters and dots."""
    bare = re.compile(r"(?<![\w./-])[a-z_]+\.[a-z_]+(?:\.[a-z_]+)*(?: \{|$)", re.MULTILINE)
    for arguments in (
        ["show", number],
        ["custody", number],
        ["verify", package],
        ["doctor"],
        ["audit"],
        ["authority", "list"],
    ):
        assert not bare.search(run(*arguments).out)


def test_a_name_with_control_characters_is_shown_as_escapes(run, tmp_path):
    path = tmp_path / "a\x1b[2J\u202eb.txt"
    path.write_bytes(b"x")
    said = run("seal", path)
    assert said.status == 0
    assert "\x1b" not in said.out
    assert "\\u{1b}" in said.out
    missing = run("seal", tmp_path / "\x1b[2J")
    assert "\x1b" not in missing.err


def test_a_name_that_is_no_utf8(run, tmp_path):
    path = tmp_path / "\udcff\udcfe.txt"
    path.write_bytes(b"x")
    said = run("seal", path, "--json")
    assert said.status == 0
    assert json.loads(said.out.encode("utf-8"))["exhibits"][0]["objects"][0]["path"] == "\ufffd\ufffd.txt"
    assert run("verify", tmp_path / "\udcff-missing", "--json").status == 66
