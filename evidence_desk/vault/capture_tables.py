"""The table of captures (`core.capture.rows.CaptureStore`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from evidence_desk.core.capture.rows import CaptureResult, CaptureRow, CaptureState
from evidence_desk.errors import NotFoundError
from evidence_desk.vault.database import Database, Row, Value, optional_time, parse_time, time_text

_SELECT: Final = "SELECT id, case_number, started_leaf, started, document, state, result, ended, ended_leaf, manifest FROM captures"


class CaptureTables:
    """Captures of all cases."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, capture: CaptureRow) -> None:
        """Insert a capture; one with its id that is there stays."""
        self._database.write(
            "INSERT INTO captures (id, case_number, started_leaf, started, document, state, result, ended, ended_leaf, manifest) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
            (
                capture.id, capture.case_number, capture.started_leaf, time_text(capture.started), capture.document,
                capture.state, capture.result, None if capture.ended is None else time_text(capture.ended),
                capture.ended_leaf, capture.manifest,
            ),
        )  # fmt: skip

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
        """Mark a running capture sealed or abandoned; NotFoundError ``capture.unknown``."""
        found = self.capture(capture)
        if found is None or found.state is not CaptureState.RUNNING:
            raise NotFoundError("capture.unknown", number=capture.hex())
        self._database.write(
            "UPDATE captures SET state = ?, result = ?, ended = ?, ended_leaf = ?, manifest = ? WHERE id = ?",
            (state, result, time_text(at), leaf_hash, manifest, capture),
        )

    def capture(self, capture: bytes) -> CaptureRow | None:
        """One capture by id."""
        return self._one("id", capture)

    def started_by(self, leaf_hash: bytes) -> CaptureRow | None:
        """The capture that a ``capture.started`` leaf began."""
        return self._one("started_leaf", leaf_hash)

    def ended_by(self, leaf_hash: bytes) -> CaptureRow | None:
        """The capture that a leaf sealed or abandoned."""
        return self._one("ended_leaf", leaf_hash)

    def captures(self, case_number: str | None = None) -> Sequence[CaptureRow]:
        """All captures, or those of a case, oldest first."""
        condition, values = ("", ()) if case_number is None else (" WHERE case_number = ?", (case_number,))
        rows = self._database.rows(f"{_SELECT}{condition} ORDER BY started, id", values)
        return [_capture(row) for row in rows]

    def erase_rows(self, case_number: str) -> None:
        """Delete what was said when captures of a case began; that they were begun, and how they ended, stays."""
        self._database.write(
            "UPDATE captures SET document = x'', manifest = x'' WHERE case_number = ?", (case_number,)
        )

    def _one(self, column: str, value: Value) -> CaptureRow | None:
        row = self._database.row(f"{_SELECT} WHERE {column} = ?", (value,))
        return None if row is None else _capture(row)


def _capture(row: Row) -> CaptureRow:
    return CaptureRow(
        id=row[0], case_number=row[1], started_leaf=row[2], started=parse_time(row[3]), document=row[4],
        state=CaptureState(row[5]), result=None if row[6] is None else CaptureResult(row[6]),
        ended=optional_time(row[7]), ended_leaf=row[8], manifest=row[9],
    )  # fmt: skip
