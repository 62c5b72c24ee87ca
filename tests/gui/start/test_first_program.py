"""The program as it is started: a real process, handed a request, ended; and what desktops are told about it."""

from __future__ import annotations

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest

from evidence_desk.errors import BusyError
from tests.gui.start.test_single import ROOT, SECOND, start
from ui.arguments import Request, parse_arguments
from ui.single import Instance

ENTRIES = sorted((ROOT / "installers" / "linux").glob("*.desktop"))


def test_the_program_starts_listens_and_takes_files(tmp_path, qtbot):
    folder = tmp_path / "config"
    file = tmp_path / "a.pdf"
    file.write_bytes(b"%PDF-")
    later = Instance(folder)

    def handed() -> bool:
        try:
            later.hand_on(Request(verify=(file,)))
        except BusyError:
            return False
        return True

    with start(folder, script=SECOND) as program:
        qtbot.waitUntil(handed, timeout=60_000)
        assert not later.claim()
        assert program.poll() is None
        program.terminate()
        assert program.stderr is not None
        assert "Traceback" not in program.stderr.read()
    log = tmp_path / "state" / "desktop.log"
    assert log.read_text("utf-8") == "", "nothing went wrong"


def test_there_are_entries():
    assert [path.name for path in ENTRIES] == ["evidence-desk-seal.desktop", "evidence-desk.desktop"]


@pytest.mark.parametrize("path", ENTRIES, ids=lambda path: path.stem)
def test_desktop_entries(path: Path):
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(path.read_text("utf-8"))
    for section in parser.sections():
        words = parser[section]["Exec"].split()
        assert words[0] == "evidence-desk-gui"
        parse_arguments(["/a" if word == "%F" else word for word in words[1:]])
        parse_arguments([word for word in words[1:] if word != "%F"])  # started from the menu, without files
    if validator := shutil.which("desktop-file-validate"):
        done = subprocess.run([validator, path], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout + done.stderr) == (0, "")
