"""Exhibits put into a vault for lists to show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.services.browse import ExhibitQuery, page
from evidence_desk.services.seal import SealRequest, seal


def put(session: Session, folder: Path, *names: str, **fields: Any) -> list[ExhibitRow]:
    """Seal a small file a name."""
    paths = []
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"content of {name} in {fields.get('case_number', '')}", "utf-8")
        paths.append(path)
    outcomes = seal(session.desk, paths, SealRequest(**{"case_number": "案一", **fields}), job=Job())
    rows = [item.exhibit for item in outcomes if item.exhibit is not None]
    assert len(rows) == len(names), outcomes
    return rows


def titles(session: Session, text: str = "", **fields: Any) -> set[str]:
    """Titles of what a query finds."""
    return {line.title for line in page(session.desk, ExhibitQuery(text=text, **fields), 0, 1_000)}
