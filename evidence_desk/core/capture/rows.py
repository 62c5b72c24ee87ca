"""The row of a capture and the port that keeps it (`core.ports.Store.captures`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class CaptureState(StrEnum):
    """Where a capture is."""

    RUNNING = "running"
    """Begun, and neither sealed nor abandoned: it is being recorded, or the program ended meanwhile."""
    SEALED = "sealed"
    ABANDONED = "abandoned"


class CaptureResult(StrEnum):
    """How a sealed capture came out."""

    COMPLETE = "complete"
    """Every page was loaded and recorded as planned; says nothing about what the site left out."""
    PARTIAL = "partial"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureRow:
    """One capture.

    Attributes:
        id: 16 random bytes; its hex names the folder while it is recorded.
        started_leaf: leaf hash of ``capture.started``; `document` is what that leaf commits to, b"" once its case was erased.
        result: of a sealed one; None when the row was restored from the network, which does not tell it.
        manifest: what the exhibit's statement commits to, b"" until it is sealed, and where it was lost or erased.
        ended_leaf: of ``capture.sealed`` (an exhibit's) or ``capture.abandoned``.
    """

    id: bytes
    case_number: str
    started_leaf: bytes
    started: datetime
    document: bytes
    state: CaptureState = CaptureState.RUNNING
    result: CaptureResult | None = None
    ended: datetime | None = None
    ended_leaf: bytes | None = None
    manifest: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureTally:
    """Captures of all cases that a desk has in its logs, as their leaves tell.

    Attributes:
        logs, leaves: how many logs were counted (one, and one more for every restore), and entries in them all.
        started, sealed, abandoned: leaves of each kind; how a sealed one came out, leaves do not tell. More of them sealed
            than begun means that one beginning was used twice.
        unsealed: begun, and neither sealed nor given up.
    """

    logs: int
    leaves: int
    started: int
    sealed: int
    abandoned: int
    unsealed: int


class CaptureStore(Protocol):
    """Captures. Writes happen only inside `Store.transaction`."""

    def add(self, capture: CaptureRow) -> None:
        """Insert a capture; one with its id that is there stays."""
        ...

    def end(
        self,
        capture: bytes,
        state: CaptureState,
        at: datetime,
        leaf_hash: bytes,
        *,
        result: CaptureResult | None = None,
        manifest: bytes = b"",
    ) -> None:
        """Mark a running capture sealed or abandoned; NotFoundError ``capture.unknown`` when none of that id runs."""
        ...

    def capture(self, capture: bytes) -> CaptureRow | None:
        """One capture by id."""
        ...

    def started_by(self, leaf_hash: bytes) -> CaptureRow | None:
        """The capture that a ``capture.started`` leaf began."""
        ...

    def ended_by(self, leaf_hash: bytes) -> CaptureRow | None:
        """The capture that a leaf sealed or abandoned."""
        ...

    def captures(self, case_number: str | None = None) -> Sequence[CaptureRow]:
        """All captures, or those of a case, oldest first."""
        ...
