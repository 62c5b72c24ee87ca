"""How a program of ours begins and ends: streams that take every character, and an exit status that never lies."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import NoReturn, TextIO

from evidence_desk.errors import HostError


def run_program(main: Callable[[list[str]], int]) -> NoReturn:
    """Run `main` on the arguments of this process and exit with its status.

    A reader that goes away (as `| head` does) ends it with EX_IOERR: 1 would say «failed».
    """
    for stream in (sys.stdout, sys.stderr):
        _take_every_character(stream)
    try:
        status = main(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = HostError.exit_status
    sys.exit(status)


def _take_every_character(stream: TextIO) -> None:
    """What a terminal's encoding lacks is escaped; files and pipes get UTF-8 (JSON must be)."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is None:
        return
    if stream.isatty():
        reconfigure(errors="backslashreplace")
    else:
        reconfigure(encoding="utf-8", errors="backslashreplace")
