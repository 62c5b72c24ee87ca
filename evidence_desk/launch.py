"""How the programs and the processes they start themselves are begun, from Python or from a package.

In ordinary Python a process of ours is ``python -m MODULE``. In a package (PyInstaller; the Windows launcher, which sets
``sys.frozen`` and ``sys.executable``) it is the very program that runs, with ``--role NAME``: there is no other Python.
Knows names of modules only and loads none before it is clear which: a capture browser sets Chromium's surroundings first.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from types import MappingProxyType
from typing import Final, NoReturn

SWITCH: Final = "--role"
"""First argument of a process that a packaged program starts."""
_USAGE: Final = 64
_LIBRARIES: Final = "LD_LIBRARY_PATH"


class Role(StrEnum):
    """A process that a program of ours starts itself."""

    CAPTURE_BROWSER = "capture-browser"
    CAPTURE_REPLAY = "capture-replay"
    COURT_NODE = "court-node"
    SELFTEST_WINDOW = "selftest-window"


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program that people start.

    Attributes:
        entry: ``module:function``.
        title: name in menus.
        windowed: no console of its own.
        posix: not on Windows.
    """

    entry: str
    title: str
    windowed: bool = False
    posix: bool = False


PROGRAMS: Final[Mapping[str, Program]] = MappingProxyType({
    "evidence-desk-gui": Program(entry="ui.app:run", title="Evidence Desk", windowed=True),
    "evidence-desk": Program(entry="evidence_desk.cli.main:run", title="evidence-desk"),
    "evidence-verify": Program(entry="evidence_desk.verifier:run", title="evidence-verify"),
    "evidence-tsa": Program(entry="evidence_desk.cli.tsa:run", title="evidence-tsa"),
    "court-node": Program(entry="evidence_desk.court.node.cli:run", title="court-node", posix=True),
})  # fmt: skip
"""By command name; the same entries as in pyproject.toml."""

_ROLES: Final[Mapping[Role, tuple[str, str]]] = MappingProxyType({
    Role.CAPTURE_BROWSER: ("ui.capture_browser", "ui.capture_browser.__main__:main"),
    Role.CAPTURE_REPLAY: ("ui.capture_replay", "ui.capture_replay.__main__:main"),
    Role.SELFTEST_WINDOW: ("ui.selftest_window", "ui.selftest_window.__main__:main"),
    Role.COURT_NODE: ("evidence_desk.court.node", "evidence_desk.court.node.cli:run"),
})  # fmt: skip
"""(what ``python -m`` runs, ``module:function`` of the same)."""


def packaged() -> bool:
    """Whether this is a program of a package, without a Python that takes ``-m``."""
    return bool(getattr(sys, "frozen", False))


def command_for(role: Role) -> tuple[str, ...]:
    """How this program starts a process of its own; arguments of the role go behind."""
    if packaged():
        return (sys.executable, SWITCH, role.value)
    return (sys.executable, "-m", _ROLES[role][0])


def start(program: str) -> NoReturn:
    """Entry of a packaged program: the role that its first arguments name, else `program`; ends the process.

    Raises:
        KeyError: `program` is none of `PROGRAMS`.
    """
    entry = PROGRAMS[program].entry
    _give_back_library_path()
    if sys.argv[1:2] == [SWITCH]:
        name = "".join(sys.argv[2:3])
        if name not in set(Role):
            sys.exit(_USAGE)
        entry = _ROLES[Role(name)][1]
        del sys.argv[1:3]
    module, _, function = entry.partition(":")
    sys.exit(getattr(import_module(module), function)())


def _give_back_library_path() -> None:
    """Programs of the system (a browser, a printer's dialog) must not load our libraries, as PyInstaller would have it."""
    if not hasattr(sys, "_MEIPASS"):
        return
    own = os.environ.pop(f"{_LIBRARIES}_ORIG", None)
    if own is None:
        os.environ.pop(_LIBRARIES, None)
    else:
        os.environ[_LIBRARIES] = own
