"""The interpreter of a program with a window: the window's thread waits neither long for its turn nor for the collector."""

from __future__ import annotations

import gc
import sys
from functools import cache
from importlib import import_module
from typing import Final

_TURN: Final = 0.001
"""Seconds that another thread may go on when the window's wants its turn: one change of a label takes many turns."""


def take_short_turns() -> None:
    """Threads beside the window's hand over the interpreter sooner than by default (5 ms)."""
    sys.setswitchinterval(_TURN)


@cache
def load(*modules: str) -> None:
    """Import modules in the thread at hand, then take all there is by now out of the collector's rounds.

    A full round over the loaded code stops every thread for a tenth of a second. Once a program for a set of modules: what
    stands in a cycle at that moment is never freed.
    """
    for module in modules:
        import_module(module)
    gc.freeze()
