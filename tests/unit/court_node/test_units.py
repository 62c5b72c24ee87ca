"""The systemd units: sound by systemd's own tool where it is, and naming commands that exist."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from evidence_desk.court.node.cli import app

UNITS = Path(__file__).parents[3] / "installers" / "systemd"
MANUAL = Path(__file__).parents[3] / "docs" / "manual" / "court-node.md"
NAMES = sorted(path.name for path in UNITS.iterdir() if path.suffix in {".service", ".timer"})


def known(words: list[str]) -> None:
    """Assert that a `court-node` command line names a command and options that exist."""
    command, rest = typer.main.get_command(app), words[1:]
    while hasattr(command, "commands"):
        assert rest, words
        assert rest[0] in command.commands, words
        command, rest = command.commands[rest[0]], rest[1:]
    options = {option for parameter in command.params for option in parameter.opts}
    wrong = [word for word in rest if word.startswith("--") and word.partition("=")[0] not in options]
    assert not wrong, words


@pytest.mark.parametrize("name", NAMES)
def test_commands_of_units_exist(name):
    for line in (UNITS / name).read_text("utf-8").splitlines():
        if line.startswith("ExecStart="):
            known(shlex.split(line.removeprefix("ExecStart=")))


def test_commands_of_the_manual_exist():
    text = MANUAL.read_text("utf-8")
    fences = re.findall(r"^```(?:bash|sh)[^\n]*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    lines = [line for fence in fences for line in fence.replace("\\\n", " ").splitlines()]
    found = [
        match[1] for line in lines if (match := re.match(r"\s*(?:sudo (?:-u \S+ )?)?(court-node .*)", line))
    ]
    assert len(found) > 20
    for line in found:
        known(shlex.split(line, comments=True))


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here")
@pytest.mark.parametrize("name", NAMES)
def test_systemd_finds_nothing_wrong(name, tmp_path):
    program = Path(sys.executable).with_name("court-node")
    for unit in UNITS.iterdir():
        text = unit.read_text("utf-8").replace("/usr/local/bin/court-node", str(program))
        (tmp_path / unit.name.replace("@.", "@court-a.")).write_text(text)
    unit = tmp_path / name.replace("@.", "@court-a.")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, check=False
    )
    about_ours = [line for line in done.stderr.splitlines() if "court-node" in line]
    assert about_ours == [], done.stderr


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here")
@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith(".service")])
def test_units_are_shut_in(name):
    """Exposure as systemd counts it (0 best, 10 worst)."""
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=25", UNITS / name],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-600:]
