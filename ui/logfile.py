"""The program's own log: what went wrong in our code, without evidence, names, paths or secrets."""

from __future__ import annotations

import logging
import logging.handlers
import sys
import traceback
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, Final

import structlog

from evidence_desk.bootstrap.unfinished import state_folder
from evidence_desk.errors import HostError
from evidence_desk.vault.faults import host_fault

_SIZE: Final = 512 * 1024
_FILES: Final = 3
_KEPT: Final = frozenset({"event", "level", "timestamp", "title", "kind", "code", "version", "exception"})
"""Whatever else a call gives is dropped: it may tell about evidence."""


def log_file() -> Path:
    """Where it is; ``EVIDENCE_DESK_STATE`` names another folder."""
    return state_folder() / "desktop.log"


def keep_log(file: Path) -> HostError | None:
    """Write the log there from now on; the error when that cannot be, which then goes to nowhere."""
    fault = None
    handler: logging.Handler = logging.NullHandler()
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handler = logging.handlers.RotatingFileHandler(
            file, maxBytes=_SIZE, backupCount=_FILES - 1, encoding="utf-8", errors="backslashreplace"
        )
    except OSError as error:
        fault = host_fault(error, file.name)
    root = logging.getLogger("ui")
    close_log()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    root.propagate = False
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            bare_exception,
            only_known,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    return fault


def close_log() -> None:
    """Write no more."""
    root = logging.getLogger("ui")
    for handler in list(root.handlers):
        root.removeHandler(handler)
        handler.close()


def bare_exception(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Kind of an exception and the places in the code; its words and values may be evidence."""
    given = event.pop("exc_info", None)
    if given is True:
        error = _current()
    elif isinstance(given, tuple):
        error = given[1]
    else:
        error = given if isinstance(given, BaseException) else None
    if error is not None:
        places = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in _frames(error)]
        event["exception"] = [type(error).__name__, *places]
    return event


def only_known(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop every fact that is not known to be harmless."""
    return {name: value for name, value in event.items() if name in _KEPT}


def _current() -> BaseException | None:
    return sys.exc_info()[1]


def _frames(error: BaseException) -> traceback.StackSummary:
    return traceback.extract_tb(error.__traceback__)
