"""A recorder in a process of its own, to be killed: prints its port, then only records."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

from evidence_desk.capture.folder import FolderWorkspace
from evidence_desk.capture.guard import Guard
from evidence_desk.capture.proxy import BlindProxy


class WallClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


if __name__ == "__main__":
    if len(sys.argv) > 3:
        import resource

        resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[3]), int(sys.argv[3])))
    proxy = BlindProxy(FolderWorkspace(Path(sys.argv[1])), Guard(allow_private=True), WallClock())
    port = proxy.start()
    proxy.allow_pid(int(sys.argv[2]))
    print(port, flush=True)
    Event().wait()
