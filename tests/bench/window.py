"""The desktop program: start, stalls of the window under load, memory. Each scenario is a process of its own, offscreen."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tests.bench.browse import fill
from tests.bench.files import demo_session
from tests.bench.report import Figure

_STALL: Final = 100.0
_MEMORY: Final = 350.0
_HELLO: Final = (
    "import time; from PySide6.QtWidgets import QApplication, QLabel; a = QApplication([]); w = QLabel('x'); w.show(); "
    "a.sendPostedEvents(); w.grab(); print(time.monotonic())"
)


def start(folder: Path, small: bool) -> Iterator[Figure]:
    """From the start of the process to the first drawn window, against a bare window of the same toolkit."""
    runs = 3 if small else 7
    peers = [_since(["-c", _HELLO], folder) for _ in range(runs)]
    warm = [_since(["-m", "tests.bench.window_start"], folder) for _ in range(runs)]
    bare, ours = statistics.median(peers), statistics.median(warm)
    yield Figure(
        "first window, warm start",
        ours,
        "s",
        1.5,
        f"median of {runs}; bare Qt window {bare:.2f} s, {ours / bare:.1f} ×",
    )
    cold = _cold(folder)
    if cold is not None:
        yield Figure("first window, cold start", cold, "s", 3, "page cache dropped before")


def dropping(folder: Path, small: bool) -> Iterator[Figure]:
    """10,000 files in one drop: longest stall of the window while they are sealed, against the queue without a window."""
    count = 500 if small else 10_000
    source = folder / "files"
    source.mkdir()
    for number in range(count):
        (source / f"{number:05d}.bin").write_bytes(os.urandom(4096))
    demo_session(folder / "vault").close()
    said = _run(["seal", str(folder / "vault"), str(source)], folder)
    yield Figure(f"longest stall, {count:,} files sealed", said["longest_ms"], "ms", _STALL, _stalls(said))
    yield Figure(
        "  memory of that process", said["memory_mb"], "MB", _MEMORY, f"sealed in {said['seconds']:.1f} s"
    )
    shutil.rmtree(source)


def certificates(folder: Path, small: bool) -> Iterator[Figure]:
    """1,000 certificates issued from the page Certify: longest stall."""
    count = 50 if small else 1_000
    demo_session(folder / "vault").close()
    said = _run(["certify", str(folder / "vault"), str(count)], folder)
    yield Figure(
        f"longest stall, {said['issued']:,} certificates", said["longest_ms"], "ms", _STALL, _stalls(said)
    )
    yield Figure(
        "  memory of that process", said["memory_mb"], "MB", _MEMORY, f"issued in {said['seconds']:.1f} s"
    )


def large_case(folder: Path, small: bool) -> Iterator[Figure]:
    """A case of 100,000 exhibits scrolled from end to end and filtered: longest stall, answer of the filter, memory."""
    size = 5_000 if small else 100_000
    session = demo_session(folder / "vault")
    fill(session, size)
    session.close()
    said = _run(["cases", str(folder / "vault")], folder)
    yield Figure(
        f"longest stall, {said['rows']:,} exhibits scrolled and filtered",
        said["longest_ms"],
        "ms",
        _STALL,
        _stalls(said),
    )
    yield Figure("  answer of a filter in the window, slowest", said["filter_ms"], "ms", 150, f"{said['filters']} filters, key to list, typing pause aside")  # fmt: skip
    yield Figure("  memory of that process", said["memory_mb"], "MB", _MEMORY, "resident size at the end")


def _since(arguments: list[str], folder: Path) -> float:
    """Seconds from the start of a process to the moment it prints."""
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, *arguments],
        env=_environment(folder),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return float(done.stdout.split()[-1]) - begun


def _cold(folder: Path) -> float | None:
    """A start with nothing in the page cache; None where that cannot be brought about."""
    try:
        os.sync()
        Path("/proc/sys/vm/drop_caches").write_text("3")
    except OSError:
        return None
    return _since(["-m", "tests.bench.window_start"], folder)


def _run(arguments: list[str], folder: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.window_child", *arguments], env=_environment(folder), stdout=subprocess.PIPE,
        text=True, check=True, timeout=1800,
    )  # fmt: skip
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


def _environment(folder: Path) -> dict[str, str]:
    return {
        **os.environ, "QT_QPA_PLATFORM": "offscreen", "EVIDENCE_DESK_CONFIG": str(folder / "config"),
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
    }  # fmt: skip


def _stalls(said: dict[str, Any]) -> str:
    return f"watchdog of 5 ms; {said['over']} gaps over 100 ms, {said['over_50']} over 50 ms, {said['seconds']:.0f} s watched"
