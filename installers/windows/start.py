# ruff: noqa: INP001
"""What the launcher runs: ``start.py PROGRAM ARGUMENT…`` in the embedded Python. Makes the process look like the program it is.

The only place that runs before our own packages; it must load nothing that Python has not loaded anyway.
"""

from __future__ import annotations

import sys


def _told(error: BaseException) -> None:
    """A program without a console shows why it cannot start; otherwise Python prints it."""
    if sys.stderr is not None:
        return
    import ctypes  # noqa: PLC0415 - only now
    import traceback  # noqa: PLC0415

    text = "".join(traceback.format_exception(error))[-2000:]
    title = "证据台 Evidence Desk"
    told = f"程序无法启动。 / The program cannot start.\n\n{text}"
    ctypes.windll.user32.MessageBoxW(None, told, title, 0x10)  # type: ignore[attr-defined,unused-ignore]


def _run() -> None:
    program = sys.argv[1]
    sys.frozen = "launcher"  # type: ignore[attr-defined]
    sys.argv[:2] = [sys.executable]
    from evidence_desk.launch import start  # noqa: PLC0415 - after sys.frozen is set

    try:
        start(program)
    except Exception as error:
        _told(error)
        raise


_run()
