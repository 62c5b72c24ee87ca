"""A driver of a capture browser in a process of its own, to be stopped and woken: prints the browser's process id, a line for
each heartbeat, and how it ended. Standard input tells it to end the browser.

``python -m tests.integration.capture.driver_child FOLDER SILENCE``; with ``browser`` for a folder it is the browser.
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

from evidence_desk.capture.browser import BrowserDriver
from evidence_desk.core.capture.events import Done, Ended, Event, Heartbeat
from evidence_desk.core.capture.messages import encode_message
from evidence_desk.core.capture.plan import CapturePlan


def browse() -> None:
    """Say that all is well until told to stop."""
    over = threading.Event()

    def listen() -> None:
        sys.stdin.buffer.readline()  # the order
        sys.stdin.buffer.readline()
        over.set()

    threading.Thread(target=listen, daemon=True).start()
    while not over.wait(0.2):
        _say(Heartbeat(requests=0, failed=0, console=0, errors=0))
    _say(Done(reason=Ended.STOPPED, steps=0, snapshots=0, requests=0, failed=0))


def _say(event: Event) -> None:
    sys.stdout.buffer.write(encode_message(event))
    sys.stdout.buffer.flush()


def drive(folder: Path, silence: float) -> None:
    """Until the browser has ended."""
    slow = threading.Event()

    def watch(event: Event) -> None:
        if slow.is_set():
            slow.clear()
            print("slow", flush=True)
            time.sleep(2 * silence)
        print(event.kind, flush=True)

    driver = BrowserDriver(
        (sys.executable, "-m", __spec__.name, "browser", "0"), folder, CapturePlan(urls=("https://site.test/",)), 1, watch,
        silence=silence,
    )  # fmt: skip
    driver.start()
    print(driver.pid, flush=True)

    def obey() -> None:
        for line in sys.stdin:
            if line.strip() == "slow":
                slow.set()
            else:
                driver.stop()

    threading.Thread(target=obey, daemon=True).start()
    departure = driver.wait()
    assert departure is not None
    print(departure.fate.value, flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "browser":
        browse()
    else:
        drive(Path(sys.argv[1]), float(sys.argv[2]))
