"""The program ``evidence-tsa`` as a real process."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evidence_desk.cli.tsa import main

COMMAND = [sys.executable, "-c", "from evidence_desk.cli.tsa import run; run()"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    status: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found

    @property
    def codes(self) -> dict[str, str]:
        """Code → status of all findings."""
        return {item["code"]: item["status"] for item in self.document["findings"]}


def evidence_tsa(*arguments: str | Path, cwd: Path) -> Done:
    """One command, in this process for speed: same arguments, same output, same status."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(cwd), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main([str(item) for item in arguments])
    return Done(status=status, out=out.getvalue(), err=err.getvalue())


def process(*arguments: str | Path, cwd: Path, variables: dict[str, str] | None = None) -> Done:
    """One command as a process of its own."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
        env={**os.environ, **(variables or {})},
    )
    return Done(status=done.returncode, out=done.stdout, err=done.stderr)


def openssl(*arguments: str | Path, cwd: Path) -> Done:
    done = subprocess.run(
        ["openssl", *map(str, arguments)], cwd=cwd, capture_output=True, text=True, timeout=60, check=False
    )
    return Done(status=done.returncode, out=done.stdout, err=done.stderr)


@dataclass(slots=True)
class Serving:
    url: str
    process: subprocess.Popen[str]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(30)


@contextmanager
def serving(
    state: Path, *arguments: str | Path, variables: dict[str, str] | None = None
) -> Iterator[Serving]:
    """`evidence-tsa serve` on a free port; its first line is its URL."""
    process = subprocess.Popen(
        [*COMMAND, "serve", "--state", str(state), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, **(variables or {})},
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        if not url.startswith("http://"):
            process.wait(30)
            assert process.stderr is not None
            raise AssertionError(process.stderr.read())
        yield Serving(url=url, process=process)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(30)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def wait_until(condition: Any, seconds: float = 30) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.02)
