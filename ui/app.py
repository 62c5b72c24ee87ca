"""``evidence-desk-gui``: makes the parts of the program and the window."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtWidgets import QApplication

from ui.context import Context
from ui.demo_network import DemoNetwork
from ui.desk import OpenDesk
from ui.language import Tongue
from ui.look.fonts import load_fonts
from ui.look.look import Look
from ui.messages import WindowMessages
from ui.page import PageName
from ui.preferences import PreferenceStore, Role
from ui.tasks import Tasks
from ui.window import Window

_FIRST = {Role.LAWYER: PageName.SEAL, Role.NOTARY: PageName.CERTIFY, Role.JUDGE: PageName.VERIFY}


@dataclass(frozen=True, slots=True)
class Program:
    """The running program; whoever holds it keeps the window alive."""

    context: Context
    window: Window


def make_program(application: QApplication, preferences: PreferenceStore) -> Program:
    """Make all parts; nothing is shown yet."""
    application.setFont(load_fonts())
    tongue = Tongue(preferences.value.language)
    look = Look(application, preferences.value.scheme)
    tasks = Tasks()
    desk = OpenDesk(tasks)
    messages = WindowMessages(tongue, look, preferences)
    tasks.unhandled = messages.error
    context = Context(
        tasks=tasks,
        tongue=tongue,
        messages=messages,
        desk=desk,
        preferences=preferences,
        look=look,
        demo=DemoNetwork(desk),
    )
    desk.opened.connect(context.demo.resume)
    role = preferences.value.role
    window = Window(context, PageName.SEAL if role is None else _FIRST[role])
    messages.stand_over(window)
    messages.toast.connect(window.say)
    return Program(context, window)


def run() -> None:
    """Entry point."""
    sys.exit(main(sys.argv[1:]))


def main(arguments: Sequence[str]) -> int:
    """Open the window; returns when it is closed."""
    given = _arguments(arguments)
    preferences = PreferenceStore()
    if preferences.value.scale != 100:
        os.environ.setdefault("QT_SCALE_FACTOR", f"{preferences.value.scale / 100:g}")
    application = QApplication([sys.argv[0]])
    application.setApplicationName("evidence-desk")
    program = make_program(application, preferences)
    program.window.show()
    program.window.take_paths(given.paths)
    return application.exec()


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="evidence-desk-gui", description="证据台 / Evidence Desk")
    parser.add_argument("paths", nargs="*", type=Path, help="文件 / files to seal or to verify")
    return parser.parse_args(list(arguments))
