"""A healthy capture browser is not taken for one that hangs because its driver was held up itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX"),
]
SILENCE = 3.0


@contextmanager
def driving(folder: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The driver's process, and the browser's process id."""
    command = [sys.executable, "-m", "tests.integration.capture.driver_child", str(folder), str(SILENCE)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as driver:
        try:
            assert driver.stdout is not None
            yield driver, int(driver.stdout.readline())
        finally:
            driver.kill()


def say(driver: subprocess.Popen[str], line: str) -> None:
    assert driver.stdin is not None
    driver.stdin.write(f"{line}\n")
    driver.stdin.flush()


def heard(driver: subprocess.Popen[str], line: str, count: int = 1) -> None:
    """Wait until a line came so many times more."""
    assert driver.stdout is not None
    while count:
        said = driver.stdout.readline().strip()
        assert said in (line, "heartbeat"), said
        count -= said == line


def ended(driver: subprocess.Popen[str]) -> str:
    """How the driver says that its browser ended."""
    said = ""
    assert driver.stdout is not None
    for line in driver.stdout:
        said = line.strip()
    return said


def test_a_machine_that_slept(tmp_path: Path):
    """Both are stopped for longer than a silence may last; the browser wakes after its driver has looked for it."""
    with driving(tmp_path) as (driver, browser):
        heard(driver, "heartbeat", 3)
        os.kill(browser, signal.SIGSTOP)
        os.kill(driver.pid, signal.SIGSTOP)
        time.sleep(SILENCE + 2)
        os.kill(driver.pid, signal.SIGCONT)
        time.sleep(1.2)
        os.kill(browser, signal.SIGCONT)
        heard(driver, "heartbeat", 40)
        say(driver, "stop")
        assert ended(driver) == "orderly"


def test_a_driver_that_was_stopped_alone(tmp_path: Path):
    with driving(tmp_path) as (driver, _browser):
        heard(driver, "heartbeat", 3)
        os.kill(driver.pid, signal.SIGSTOP)
        time.sleep(SILENCE + 2)
        os.kill(driver.pid, signal.SIGCONT)
        heard(driver, "heartbeat", 40)
        say(driver, "stop")
        assert ended(driver) == "orderly"


def test_what_was_heard_takes_long_to_write_down(tmp_path: Path):
    with driving(tmp_path) as (driver, _browser):
        say(driver, "slow")
        heard(driver, "slow")
        heard(driver, "heartbeat", 40)
        say(driver, "stop")
        assert ended(driver) == "orderly"


def test_a_browser_that_hangs_is_ended_all_the_same(tmp_path: Path):
    with driving(tmp_path) as (driver, browser):
        heard(driver, "heartbeat", 3)
        os.kill(driver.pid, signal.SIGSTOP)
        os.kill(browser, signal.SIGSTOP)
        time.sleep(SILENCE + 2)
        os.kill(driver.pid, signal.SIGCONT)
        assert ended(driver) == "silent"
