"""Only the command that runs is loaded; help shows all."""

from __future__ import annotations

import subprocess
import sys

import pytest
import typer.main

from evidence_desk.cli.main import COMMANDS, main, program


def test_every_command_is_there() -> None:
    made = typer.main.get_group(program(COMMANDS))
    assert set(made.commands) == set(COMMANDS)
    assert all(command.help for command in made.commands.values())


def test_help_names_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    said = capsys.readouterr().out
    assert [name for name in COMMANDS if f" {name} " not in said] == []


@pytest.mark.parametrize("name", ["seal", "verify", "list"])
def test_others_are_not_loaded(name: str) -> None:
    code = (
        f"import sys; from evidence_desk.cli.main import main; main(['{name}', '--help']);"
        " assert 'evidence_desk.cli.capture' not in sys.modules; assert 'evidence_desk.wacz.build' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
