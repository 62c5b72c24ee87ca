"""Stands in for the capture browser where only its process matters: speaks its messages, fetches through the real proxy.

``python -m tests.integration.capture.desk.puppet [wait]``: with ``wait`` it goes on until it is told to stop.
"""

from __future__ import annotations

import os
import ssl
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

from evidence_desk.core.capture.events import (
    Done,
    Ended,
    Event,
    Heartbeat,
    PageState,
    Snapped,
    Started,
    Visited,
)
from evidence_desk.core.capture.messages import MAX_LINE, Setup, Stop, encode_message, parse_command
from evidence_desk.core.digests import sha256
from tests.sites.clients import Http1Client, dial

_stop = threading.Event()
_saying = threading.Lock()


def main() -> int:
    """Visit every address once."""
    setup = parse_command(sys.stdin.buffer.readline(MAX_LINE))
    assert isinstance(setup, Setup)
    threading.Thread(target=_listen, daemon=True).start()
    threading.Thread(target=_beat, daemon=True).start()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=b"".join(setup.plan.extra_ca))
    context.keylog_filename = str(Path(setup.folder) / "keylog.txt")
    _say(
        Started(
            pid=os.getpid(), chromium="0", qt="0", user_agent="puppet", sandbox=True, observer_closed=True,
            fresh_profile=True, extra_ca=len(setup.plan.extra_ca), flags=(),
        )
    )  # fmt: skip
    (Path(setup.folder) / "network.jsonl").touch()
    for number, url in enumerate(setup.plan.urls, 1):
        _visit(setup, context, number, url)
    reason = Ended.FINISHED
    if "wait" in sys.argv[1:]:
        _stop.wait(60)
        reason = Ended.STOPPED
    count = len(setup.plan.urls)
    _say(Done(reason=reason, steps=0, snapshots=count, requests=count, failed=0))
    return 0


def _visit(setup: Setup, context: ssl.SSLContext, number: int, url: str) -> None:
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    with (
        dial((parts.hostname, parts.port), setup.proxy_port) as bare,
        context.wrap_socket(bare, server_hostname=parts.hostname) as connection,
    ):
        got = Http1Client(connection, parts.netloc).get(parts.path or "/")
    name = f"page-{number:03}.txt"
    (Path(setup.folder) / name).write_bytes(bytes(got.body))
    _say(
        Snapped(
            number=number, tab=1, url=url, title=f"第{number}页", names=(name,), missing=(),
            sha256=(sha256(bytes(got.body)).hex(),), page_height=0, shown_height=0,
        )
    )  # fmt: skip
    _say(
        Visited(number=number, url=url, reached=url, status=200, failed=0, state=PageState.LOADED, reasons=())
    )


def _say(event: Event) -> None:
    with _saying:
        sys.stdout.buffer.write(encode_message(event))
        sys.stdout.buffer.flush()


def _listen() -> None:
    while line := sys.stdin.buffer.readline(MAX_LINE):
        if isinstance(parse_command(line), Stop):
            _stop.set()
    os._exit(1)  # the driver is gone


def _beat() -> None:
    while True:
        _say(Heartbeat(requests=0, failed=0, console=0, errors=0))
        time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main())
