"""The steps of the guide, by name."""

from __future__ import annotations

from enum import IntEnum


class StepName(IntEnum):
    """Steps in their order."""

    WHO = 0
    VAULT = 1
    PAPER = 2
    TRY = 3
