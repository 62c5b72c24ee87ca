"""One scenario of `tests.bench.window` in a process of its own; prints one line of JSON."""

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
from evidence_desk.core.job import Job
from evidence_desk.core.queue_ports import ItemState
from evidence_desk.services.seal import SealRequest, seal
from evidence_desk.services.timestamp import timestamp
from tests.bench.files import PASSPHRASE
from tests.gui.watchdog import Watchdog
from ui.app import Program, make_program, prepare
from ui.cases.page import CasesPage
from ui.certify.drafting import Order
from ui.certify.issuing import Target
from ui.certify.page import CertifyPage
from ui.page import PageName
from ui.preferences import PreferenceStore
from ui.seal.page import SealPage

_POLL_MS = 20
_STEPS = 400
_TYPING_MS = 150
"""The page waits so long after a key before it asks."""


def main(arguments: list[str]) -> None:
    """Play a scenario and say what was seen."""
    application = QApplication([])
    program = make_program(application, PreferenceStore())
    program.window.show()
    prepare(program.context)
    application.sendPostedEvents()
    session = unlocked(Path(arguments[1]), PASSPHRASE)
    program.context.desk.adopt(session)
    scenario = {"seal": _seal, "certify": _certify, "cases": _cases}[arguments[0]]
    said = scenario(program, arguments[2:])
    said["memory_mb"] = _resident() / 1e6
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
    watchdog = Watchdog()
    watchdog.start()
    begun = time.perf_counter()
    page.accept_paths([Path(arguments[0])])
    total = sum(1 for _ in Path(arguments[0]).iterdir())
    until(lambda: page.work.counts[ItemState.SEALED].items == total and not page.work.working)
    watchdog.stop()
    return _seen(watchdog, begun) | {"sealed": total}


def _certify(program: Program, arguments: list[str]) -> dict[str, Any]:
    """Exhibits are sealed first, unwatched by the clock of the run; each gets a certificate of its own."""
    count = int(arguments[0])
    session = program.context.desk.session
    assert session is not None
    folder = session.vault.folder.parent / "certified"
    folder.mkdir()
    for number in range(count):
        (folder / f"{number:04d}.txt").write_text(f"exhibit {number}\n", "utf-8")
    done = seal(session.desk, sorted(folder.iterdir()), SealRequest(case_number="bench"), job=Job())
    timestamp(session.desk, session.authorities, job=Job())
    leaves = [item.exhibit.leaf_hash for item in done if item.exhibit is not None]
    page = program.window.show_page(PageName.CERTIFY)
    assert isinstance(page, CertifyPage)
    until(lambda: page.office is not None and not program.context.tasks.busy())
    watchdog = Watchdog()
    watchdog.start()
    begun = time.perf_counter()
    page.work.issue_alone(Order(groups=tuple((leaf,) for leaf in leaves)), Target(path=folder, folder=True))
    until(lambda: page.work.issue is not None and not page.work.working)
    watchdog.stop()
    issue = page.work.issue
    return _seen(watchdog, begun) | {"issued": 0 if issue is None else len(issue.issued)}


def _cases(program: Program, _arguments: list[str]) -> dict[str, Any]:
    """Scrolled from end to end in steps, then filtered by words, states and kinds as typed by a person."""
    page = program.window.show_page(PageName.CASES)
    assert isinstance(page, CasesPage)
    until(lambda: page.model.rowCount() > 0 and not program.context.tasks.busy())
    watchdog = Watchdog()
    watchdog.start()
    begun = time.perf_counter()
    rows, bar = page.model.rowCount(), page.table.verticalScrollBar()
    for step in range(_STEPS + 1):
        bar.setValue(bar.maximum() * step // _STEPS)
        until(lambda: True)
    until(lambda: not program.context.tasks.busy())
    answers = [_filtered(program, page, text) for text in ("合同", "录音", "转账记录", "没有这个词", "")]
    watchdog.stop()
    return _seen(watchdog, begun) | {"rows": rows, "filters": len(answers), "filter_ms": max(answers)}


def _filtered(program: Program, page: CasesPage, text: str) -> float:
    """Milliseconds from the end of the typing pause to the list."""
    answered: list[float] = []
    page.model.answered.connect(lambda *_: answered.append(time.perf_counter()))
    begun = time.perf_counter()
    page.filters.text.setText(text)
    until(lambda: bool(answered) and not program.context.tasks.busy())
    return (answered[0] - begun) * 1000 - _TYPING_MS


def _seen(watchdog: Watchdog, begun: float) -> dict[str, Any]:
    return {
        "longest_ms": watchdog.longest,
        "over_50": len(watchdog.gaps),
        "over": sum(gap > 100 for gap in watchdog.gaps),
        "seconds": time.perf_counter() - begun,
    }


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main(sys.argv[1:])
