"""Child processes of a node: started in a session of their own, stopped gently, then not."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

STOP_SECONDS: Final = 10.0
"""Patience with a process that was asked to end."""
LOG_LIMIT: Final = 64 << 20
"""A log file beyond this many bytes is put aside (one generation) when its process starts."""


@dataclass(frozen=True, slots=True)
class Child:
    """One running process; closing its stdin tells an application of ours that its supervisor is gone."""

    name: str
    process: asyncio.subprocess.Process

    @classmethod
    async def start(cls, name: str, command: Sequence[str | Path], *, folder: Path, log: Path | None) -> Self:
        """Run `command` in `folder`; what it says goes to `log`, or to our stderr when None."""
        output = _open_log(log) if log else os.dup(sys.stderr.fileno())
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                cwd=folder,
                stdin=asyncio.subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C reaches the supervisor alone, which ends things in order
            )
        finally:
            os.close(output)
        return cls(name, process)

    @property
    def pid(self) -> int:
        """Process id."""
        return self.process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.process.returncode is None

    async def stop(self) -> None:
        """SIGTERM, and SIGKILL after ten seconds; returns when the process has ended."""
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                self.process.terminate()
        try:
            await asyncio.wait_for(self.process.wait(), STOP_SECONDS)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()


def _open_log(path: Path) -> int:
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_size > LOG_LIMIT:
            path.replace(path.with_suffix(".old.log"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
