"""The play: ``python -m tests.e2e.desktop.play FOLDER SCENE``; each scene is a start of the program of its own.

Real files, the embedded authority, four court nodes started from the program. Prints one line of JSON with what was seen.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from PySide6.QtCore import QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from tests.e2e.desktop.hands import Hands
from tests.e2e.desktop.judge import judge
from tests.e2e.desktop.lawyer import lawyer
from tests.e2e.desktop.looks import looks
from tests.e2e.desktop.notary import notary
from ui.app import begin_guide, make_program
from ui.preferences import PreferenceStore

SCENES = {"lawyer": lawyer, "notary": notary, "judge": judge, "looks": looks}


def main(folder: Path, scene: str) -> None:
    """Play one scene and close the program as a person does."""
    complaints: list[str] = []
    qInstallMessageHandler(lambda kind, _where, text: _complain(complaints, kind, text))
    application = QApplication([])
    preferences = PreferenceStore()
    program = make_program(application, preferences)
    hands = Hands(program.window)
    program.window.show()
    if preferences.value.role is None:
        begin_guide(program.window)
    said: dict[str, Any] = SCENES[scene](hands, program, folder)
    program.window.close()
    hands.until(lambda: not program.window.isVisible(), 60, "the window closes")
    said |= {"complaints": complaints, "pictures": [path.name for path in hands.pictures]}
    print(json.dumps(said, ensure_ascii=False), flush=True)
    os._exit(0)


def _complain(complaints: list[str], kind: QtMsgType, text: str) -> None:
    if kind is QtMsgType.QtFatalMsg:
        sys.stderr.write(f"{text}\n")  # the last that is heard of it
    if kind not in {QtMsgType.QtDebugMsg, QtMsgType.QtInfoMsg}:
        complaints.append(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
