"""One scenario of `tests.bench.window` in a process of its own; prints one line of JSON (``start``: a moment)."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from evidence_desk.bootstrap.opening import unlocked
from evidence_desk.core.queue_ports import ItemState
from tests.bench.files import PASSPHRASE
from tests.gui.watchdog import Watchdog
from ui.app import Program, make_program
from ui.page import PageName
from ui.preferences import PreferenceStore
from ui.seal.page import SealPage

_POLL_MS = 20


def main(arguments: list[str]) -> None:
    """Play a scenario and say what was seen."""
    application = QApplication([])
    program = make_program(application, PreferenceStore())
    program.window.show()
    application.sendPostedEvents()
    if arguments[0] == "start":
        program.window.grab()
        print(time.monotonic(), flush=True)
        os._exit(0)
    session = unlocked(Path(arguments[1]), PASSPHRASE)
    program.context.desk.adopt(session)
    scenario = {"seal": _seal}[arguments[0]]
    watchdog = Watchdog()
    begun = time.perf_counter()
    watchdog.start(program.window)
    said = scenario(program, arguments[2:])
    watchdog.stop()
    said |= {
        "longest_ms": watchdog.longest,
        "p99_ms": watchdog.share(0.99),
        "over": sum(gap > 100 for gap in watchdog.gaps),
        "seconds": time.perf_counter() - begun,
        "memory_mb": _resident() / 1e6,
    }
    print(json.dumps(said), flush=True)
    os._exit(0)


def until(true: Callable[[], bool], seconds: float = 1500) -> None:
    """Run the window until something is so."""
    loop = QEventLoop()
    timer = QTimer(interval=_POLL_MS)
    timer.timeout.connect(lambda: loop.quit() if true() else None)
    timer.start()
    QTimer.singleShot(int(seconds * 1000), loop.quit)
    loop.exec()
    if not true():
        raise TimeoutError


def _seal(program: Program, arguments: list[str]) -> dict[str, Any]:
    page = program.window.show_page(PageName.SEAL)
    assert isinstance(page, SealPage)
    page.form.flags["each_file"].setChecked(True)
    page.accept_paths([Path(arguments[0])])
    total = sum(1 for _ in Path(arguments[0]).iterdir())
    until(lambda: page.work.counts[ItemState.SEALED].items == total and not page.work.working)
    return {"sealed": total}


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main(sys.argv[1:])
