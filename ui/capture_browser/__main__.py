"""``python -m ui.capture_browser``: started by the recorder, with its order on standard input."""

from __future__ import annotations

import os
import sys

from evidence_desk.core.capture.messages import MAX_LINE, Setup, parse_command
from evidence_desk.errors import MalformedError


def main() -> int:
    """Read the order, prepare the surroundings of Chromium, and only then load Qt."""
    commands = os.fdopen(os.dup(0), "rb")
    try:
        setup = parse_command(commands.readline(MAX_LINE))
    except MalformedError:
        return 65
    if not isinstance(setup, Setup):
        return 65
    os.umask(0o077)
    from ui.capture_browser.switches import set_environment  # noqa: PLC0415 - Qt reads these when it is loaded

    sandbox = set_environment(setup)
    from ui.capture_browser.program import run  # noqa: PLC0415

    return run(setup, commands, sandbox=sandbox)


if __name__ == "__main__":
    sys.exit(main())
