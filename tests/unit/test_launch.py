"""Programs and their own processes are begun in one place, whether Python runs them or a package does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from evidence_desk import launch
from evidence_desk.launch import PROGRAMS, SWITCH, Role, command_for, packaged

ROOT = Path(__file__).parents[2]
LAUNCHER = """#!{python}
import sys
sys.frozen, sys.executable = True, __file__
sys.path.insert(0, {root!r})
from evidence_desk.launch import start
start({program!r})
"""


@pytest.fixture
def launcher(tmp_path):
    """A program as a package has it: one file, no Python that takes ``-m``."""

    def make(program):
        path = tmp_path / program
        path.write_text(LAUNCHER.format(python=sys.executable, root=str(ROOT), program=program), "utf-8")
        path.chmod(0o755)
        return path

    return make


def ran(*words: object, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in words], input=given, capture_output=True, text=True, check=False, timeout=120
    )


def test_programs_are_those_of_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert {name: item.entry for name, item in PROGRAMS.items() if not item.windowed} == project["scripts"]
    assert {name: item.entry for name, item in PROGRAMS.items() if item.windowed} == project["gui-scripts"]


@pytest.mark.parametrize("role", Role)
def test_both_ways_of_a_role_lead_to_the_same(role):
    module, entry = launch._ROLES[role]
    place, _, function = entry.partition(":")
    main = import_module(f"{module}.__main__")
    assert getattr(main, function) is getattr(import_module(place), function)
    assert command_for(role) == (sys.executable, "-m", module)


def test_nothing_else_starts_our_processes():
    for folder in ("evidence_desk", "ui", "tsa", "reports"):
        for path in (ROOT / folder).rglob("*.py"):
            if path != ROOT / "evidence_desk" / "launch.py":
                assert not re.search(r"sys\.executable|\bfrozen\"", path.read_text("utf-8")), path


def test_a_packaged_program_starts_itself(monkeypatch):
    assert not packaged()
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert packaged()
    assert command_for(Role.CAPTURE_BROWSER) == (sys.executable, SWITCH, "capture-browser")


@pytest.mark.parametrize("name", [name for name in PROGRAMS if not PROGRAMS[name].windowed])
def test_program_takes_its_arguments(launcher, name):
    done = ran(launcher(name), "--help")
    assert (done.returncode, name in done.stdout) == (0, True), done


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["capture-browser"], 65),  # its order is no order
        (["capture-replay"], 65),
        (["court-node", "--help"], 0),
        (["stranger"], 64),
        ([], 64),
    ],
)
@pytest.mark.parametrize("name", ["evidence-desk-gui", "evidence-desk"])
def test_every_program_takes_every_role(launcher, name, words, status):
    done = ran(launcher(name), SWITCH, *words, given="\n")
    assert done.returncode == status, done
    assert ("localnet" in done.stdout) == (status == 0)


def test_a_role_loads_neither_the_program_nor_qt(launcher):
    path = launcher("evidence-desk-gui")
    done = ran(sys.executable, "-X", "importtime", path, SWITCH, "capture-browser", given="\n")
    assert done.returncode == 65
    assert "evidence_desk.core.capture.messages" in done.stderr
    assert not re.search(r"PySide6|ui\.app|typer", done.stderr)


@pytest.mark.parametrize(("own", "left"), [("/opt/own", "/opt/own"), (None, None)])
def test_programs_of_the_system_keep_their_libraries(monkeypatch, own, left):
    monkeypatch.setenv("LD_LIBRARY_PATH", "/package/_internal")
    monkeypatch.delenv("LD_LIBRARY_PATH_ORIG", raising=False)
    launch._give_back_library_path()
    assert os.environ["LD_LIBRARY_PATH"] == "/package/_internal"  # no package: not ours to change
    if own is not None:
        monkeypatch.setenv("LD_LIBRARY_PATH_ORIG", own)
    monkeypatch.setattr(sys, "_MEIPASS", "/package/_internal", raising=False)
    launch._give_back_library_path()
    assert os.environ.get("LD_LIBRARY_PATH") == left
    assert "LD_LIBRARY_PATH_ORIG" not in os.environ
