"""The authority as its own process, for figures over HTTP."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def demo_authority(state: Path, key: str = "p256") -> Iterator[tuple[str, str]]:
    """``evidence-tsa serve`` on loopback: its address and its root certificate (PEM)."""
    program = Path(sys.executable).with_name("evidence-tsa")
    command = [str(program), "serve", "--port", "0", "--key", key, "--state", str(state)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            with urllib.request.urlopen(f"{url}ca.pem", timeout=10) as response:
                yield url, response.read().decode()
        finally:
            process.terminate()
