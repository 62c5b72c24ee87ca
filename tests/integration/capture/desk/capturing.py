"""A process that captures an endless page until it is killed; the order comes as JSON on the command line."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

from evidence_desk.bootstrap.capturing import capture_tools
from evidence_desk.bootstrap.opening import unlocked
from evidence_desk.core.capture.plan import parse_plan
from evidence_desk.core.job import Job
from evidence_desk.services.capture import CaptureControl, capture
from evidence_desk.services.seal import SealRequest
from evidence_desk.texts import Language
from tests.sites.recording import TownResolver

PASSPHRASE = "capture"
_found = shutil.which


def no_list_of_updates(name: str, *more: Any, **given: Any) -> str | None:
    """Programs of the system without the one that costs two seconds of a processor each time; test_environment.py has it run."""
    return None if name == "apt-get" else _found(name, *more, **given)


def main() -> None:
    """Say each event's kind on standard output."""
    order = json.loads(sys.argv[1])
    session = unlocked(Path(order["vault"]), PASSPHRASE)
    resolver = TownResolver(addresses={name: tuple(found) for name, found in order["addresses"].items()})
    capture(
        session.desk,
        capture_tools(session, Language.ZH, ntp=(), dns=(), resolver=resolver),
        parse_plan(order["plan"].encode()),
        SealRequest(case_number="案一", title="被中断的取证"),
        job=Job(),
        control=CaptureControl(
            told=lambda event: print(event.kind, flush=True),
            progress=lambda now: print(f"size {now.size}", flush=True),
        ),
    )


if __name__ == "__main__":
    with patch.object(shutil, "which", no_list_of_updates):
        main()
