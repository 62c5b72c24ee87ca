"""``evidence-desk-gui``: makes the parts of the program and the window."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PySide6.QtWidgets import QApplication

from evidence_desk.core.job import Job
from evidence_desk.errors import BusyError
from ui.arguments import Request, parse_arguments
from ui.arrivals import Arrivals
from ui.context import Context
from ui.demo_network import DemoNetwork
from ui.desk import OpenDesk
from ui.faults import Faults
from ui.guard import Guard
from ui.interpreter import take_short_turns
from ui.language import Tongue
from ui.logfile import keep_log, log_file
from ui.look.fonts import load_fonts
from ui.look.look import Look
from ui.messages import WindowMessages
from ui.notice import Notice
from ui.notify import Notifier
from ui.page import PageName
from ui.plain import plain
from ui.preferences import PreferenceStore, Role, preferences_file
from ui.single import Instance
from ui.start.step_name import StepName
from ui.tasks import Lane, Tasks
from ui.window import Window

_NAMES: Final = 3
_LONGEST_NAME: Final = 40
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
    """Open the window, or hand the request to one that is open; returns when it is closed."""
    request = parse_arguments(arguments)
    preferences = PreferenceStore()
    if preferences.value.scale != 100:
        os.environ.setdefault("QT_SCALE_FACTOR", f"{preferences.value.scale / 100:g}")
    application = QApplication([sys.argv[0]])
    application.setApplicationName("evidence-desk")
    application.setDesktopFileName("evidence-desk")
    instance = Instance(preferences_file().parent)
    if not instance.claim():
        return _hand_on(application, instance, request, preferences)
    log_fault = keep_log(log_file())
    program = make_program(application, preferences)
    faults = Faults(program.context.messages.error)
    faults.install()
    window, arrivals = program.window, Arrivals(program.window)
    guard, notifier = Guard(program.context), Notifier(program.context, window)
    instance.handed.connect(arrivals.take)
    instance.handed.connect(lambda _request: arrivals.front())
    window.show()
    prepare(program.context)
    arrivals.take(request)
    if log_fault is not None:
        program.context.messages.inform("ui_start.no_log")
    if preferences.value.role is None:
        begin_guide(window)
    try:
        return application.exec()
    finally:
        instance.close()
        del guard, notifier, faults


def prepare(context: Context) -> None:
    """What is to be done beside the first window: load the vault's code, remove what a killed program left half written."""
    take_short_turns()

    def remove(_job: Job) -> list[Path]:
        from evidence_desk.bootstrap.unfinished import remove_unfinished  # noqa: PLC0415 - not before the first window
        from ui.cases.viewing import remove_leftovers  # noqa: PLC0415

        remove_leftovers()
        return remove_unfinished()

    def done(removed: list[Path]) -> None:
        if removed:
            names = "、".join(plain(path.name, _LONGEST_NAME) for path in removed[:_NAMES])
            context.messages.inform("ui_start.unfinished", count=len(removed), names=names)

    context.desk.prepare()
    context.tasks.run(Lane.CPU, remove, owner=context.desk, done=done)


def begin_guide(window: Window) -> None:
    """The guide of the first start; the page of the role chosen opens behind it."""
    guide = window.gate.open_guide(StepName.WHO)
    guide.role_chosen.connect(lambda role: window.show_page(_FIRST[role]))


def _hand_on(
    application: QApplication, instance: Instance, request: Request, preferences: PreferenceStore
) -> int:
    """A later start: give the request to the first. One that does not answer is told in a box."""
    try:
        instance.hand_on(request)
    except BusyError as error:
        application.setFont(load_fonts())
        tongue = Tongue(preferences.value.language)
        notice = Notice(None, tongue, Look(application, preferences.value.scheme), error)
        notice.finished.connect(application.quit)
        notice.open()
        application.exec()
        return error.exit_status
    return 0
