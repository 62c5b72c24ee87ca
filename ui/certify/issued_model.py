"""Issued certificates of a case: number, exhibits, when, and whether they still stand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.job import Job
from evidence_desk.core.rows import CertificateRow
from ui.context import Context
from ui.look import fonts, icons, tokens
from ui.widgets.table import Index, RowsModel
from ui.words import local_time


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedLine:
    """One certificate without its PDF; `held`: the vault has the file."""

    number: str
    digests: DigestPair
    issued: datetime
    exhibits: int
    held: bool
    revoked: datetime | None
    reason: str


def issued_lines(session: Session, case_number: str, job: Job) -> list[IssuedLine]:
    """Certificates over exhibits of a case, the newest first."""
    case = session.vault.exhibits.case(case_number)
    if case is None or case.erased is not None:
        return []
    found: list[IssuedLine] = []
    for number in session.vault.exhibits.certificate_numbers(case_number):
        job.step("browse", len(found), 0)
        row = session.vault.exhibits.certificate(number)
        if row is not None:
            found.append(_line(row))
    return sorted(found, key=lambda item: item.issued, reverse=True)


def _line(row: CertificateRow) -> IssuedLine:
    return IssuedLine(
        number=row.number, digests=row.digests, issued=row.issued, exhibits=len(row.exhibits), held=bool(row.pdf),
        revoked=row.revoked, reason=row.reason,
    )  # fmt: skip


class IssuedColumn(IntEnum):
    """Columns of the table."""

    NUMBER = 0
    EXHIBITS = 1
    AT = 2
    STATE = 3


_TITLES = (
    "ui_certify.column.certificate_no",
    "ui_certify.column.exhibits",
    "ui_certify.column.issued",
    "ui_certify.column.state",
)


class IssuedModel(RowsModel[IssuedLine]):
    """The lines of one case."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, _TITLES)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Words of a cell."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row, column = self._rows[index.row()], IssuedColumn(index.column())
        sign, role_name = ("circle-check", "passed") if row.revoked is None else ("ban", "failed")
        color = getattr(self._context.look.colors, role_name)
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.ToolTipRole:
                return self._text(row, column)
            case Qt.ItemDataRole.FontRole if column is IssuedColumn.NUMBER:
                return fonts.mono()
            case Qt.ItemDataRole.DecorationRole if column is IssuedColumn.STATE:
                return icons.cached_pixmap(sign, color, tokens.L, 2.0)
            case Qt.ItemDataRole.ForegroundRole if column is IssuedColumn.STATE:
                return QColor(color)
        return None

    def _text(self, row: IssuedLine, column: IssuedColumn) -> str:
        say = self._context.tongue.say
        match column:
            case IssuedColumn.NUMBER:
                return row.number
            case IssuedColumn.EXHIBITS:
                return str(row.exhibits)
            case IssuedColumn.AT:
                return local_time(row.issued)
            case IssuedColumn.STATE:
                if row.revoked is None:
                    return say("ui_certify.state.valid")
                return say("ui_certify.state.revoked", at=local_time(row.revoked), why=row.reason)
