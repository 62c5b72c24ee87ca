"""``python -m ui.capture_replay``: started with its order on standard input."""

from __future__ import annotations

import os
import sys

from evidence_desk.core.capture.replay import MAX_LINE, ReplayOrder, parse_replay
from evidence_desk.errors import MalformedError


def main() -> int:
    """Read the order, prepare the surroundings of Chromium, and only then load Qt."""
    orders = os.fdopen(os.dup(0), "rb")
    try:
        order = parse_replay(orders.readline(MAX_LINE))
    except MalformedError:
        return 65
    if not isinstance(order, ReplayOrder):
        return 65
    os.umask(0o077)
    from ui.capture_replay.switches import dead_end, set_environment  # noqa: PLC0415 - Qt reads these when it is loaded

    end = dead_end()
    set_environment(order.debug_port, end.getsockname()[1])
    from ui.capture_replay.program import run  # noqa: PLC0415

    status = run(order, orders)
    end.close()
    return status


if __name__ == "__main__":
    sys.exit(main())
