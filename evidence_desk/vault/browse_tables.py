"""Lists, tags, notes, links and the archive flag (`core.ports.BrowseStore`)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from evidence_desk.core.browse_ports import (
    CaseFigures,
    ExhibitQuery,
    ExhibitStates,
    ExhibitSummary,
    LinkRow,
    Note,
    NoteVersion,
    Order,
)
from evidence_desk.core.search_text import match_expression
from evidence_desk.errors import NotFoundError
from evidence_desk.vault.browse_index import BrowseIndex, from_microseconds, microseconds
from evidence_desk.vault.database import Database, Row, Value, optional_time, parse_time, time_text

_ORDERS: Final = {
    Order.NEWEST: "l.registered DESC, l.exhibit_id DESC",
    Order.OLDEST: "l.registered, l.exhibit_id",
    Order.TITLE: "e.title, e.id",
    Order.LARGEST: "l.size DESC, l.exhibit_id",
}
_SUMMARY: Final = (
    "SELECT e.id, e.leaf_hash, e.number, e.case_number, e.exhibit_no, e.title, l.kind, l.files, l.size, e.registered, "
    "e.logged, e.timestamped, e.anchored, e.certified, c.archived, c.erased FROM exhibits e "
    "JOIN listed l ON l.exhibit_id = e.id JOIN cases c ON c.id = l.case_id"
)
_FIGURES: Final = (
    "SELECT c.number, c.details, c.created, c.archived, c.erased, count(l.exhibit_id), max(l.registered), "
    "total(l.states & 1), total((l.states & 2) / 2), total((l.states & 4) / 4) "
    "FROM cases c LEFT JOIN listed l ON l.case_id = c.id GROUP BY c.id ORDER BY c.created, c.id"
)
_NOTES: Final = (
    "SELECT n.id, e.leaf_hash, v.author, v.at, v.text FROM notes n JOIN exhibits e ON e.id = n.exhibit_id "
    "JOIN note_versions v ON v.note_id = n.id"
)


@dataclass(slots=True)
class _Selection:
    """FROM and WHERE of a query; `matching` is its expression for full text."""

    matching: str = ""
    conditions: list[str] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)

    def add(self, condition: str, *values: Value) -> None:
        self.conditions.append(condition)
        self.values += values

    def sql(self, order: Order | None) -> tuple[str, list[Value]]:
        """Join order is fixed: texts first, as few match; a list by title walks along the titles, which are too wide to sort."""
        tables, extra = "listed l", []
        if order is Order.TITLE:
            tables = "exhibits e INDEXED BY exhibits_by_title CROSS JOIN listed l ON l.exhibit_id = e.id"
            extra = ["e.id IN (SELECT rowid FROM exhibit_grams WHERE exhibit_grams MATCH ?)"]
        elif self.matching:
            tables = "exhibit_grams g CROSS JOIN listed l ON l.exhibit_id = g.rowid"
            extra = ["g.exhibit_grams MATCH ?"]
        conditions = [*(extra if self.matching else ()), *self.conditions]
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return f"FROM {tables}{where}", [*([self.matching] if self.matching else ()), *self.values]


class BrowseTables:
    """Reads `listed` and its neighbors; changes tags, notes and the archive flag."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._index = BrowseIndex(database)

    # --- lists ------------------------------------------------------------------------------------------------

    def count(self, query: ExhibitQuery) -> int:
        """Exhibits a query finds."""
        chosen = self._selection(query)
        if chosen is None:
            return 0
        sql, values = chosen.sql(None)
        return self._one(f"SELECT count(*) {sql}", values)

    def page(self, query: ExhibitQuery, offset: int, limit: int) -> Sequence[ExhibitSummary]:
        """Part of what a query finds, in its order."""
        chosen = self._selection(query)
        if chosen is None:
            return []
        sql, values = chosen.sql(query.order)
        rows = self._database.rows(
            f"SELECT l.exhibit_id {sql} ORDER BY {_ORDERS[query.order]} LIMIT ? OFFSET ?",
            (*values, limit, offset),
        )
        return self._summaries([row[0] for row in rows])

    def cases(self) -> Sequence[CaseFigures]:
        """All cases by creation, with their figures."""
        return [
            CaseFigures(
                number=row[0], details=bytes(row[1]), created=parse_time(row[2]), archived=optional_time(row[3]),
                erased=optional_time(row[4]), exhibits=row[5],
                newest=None if row[6] is None else from_microseconds(row[6]),
                timestamped=int(row[7]), anchored=int(row[8]), certified=int(row[9]),
            )
            for row in self._database.rows(_FIGURES)
        ]  # fmt: skip

    def _selection(self, query: ExhibitQuery) -> _Selection | None:
        """None: nothing can be found."""
        chosen = _Selection()
        if query.text.strip():
            expression = match_expression(query.text)
            if not expression:
                return None
            chosen.matching = expression
        self._select_cases(chosen, query)
        for tag in query.tags:
            chosen.add("l.exhibit_id IN (SELECT exhibit_id FROM exhibit_tags WHERE tag = ?)", tag)
        if query.kinds:
            chosen.add(f"l.kind IN ({','.join('?' * len(query.kinds))})", *query.kinds)
        mask, wanted = _states(query.states)
        if mask:
            chosen.add(f"l.states & {mask} = {wanted}")
        if query.registered_from is not None:
            chosen.add("l.registered >= ?", microseconds(query.registered_from))
        if query.registered_to is not None:
            chosen.add("l.registered < ?", microseconds(query.registered_to))
        return chosen

    def _select_cases(self, chosen: _Selection, query: ExhibitQuery) -> None:
        """Cases by number and flags; no condition when it would leave out none."""
        conditions: list[str] = []
        if query.archived is not None:
            conditions.append(f"archived IS {'NOT ' * query.archived}NULL")
        if query.erased is not None:
            conditions.append(f"erased IS {'NOT ' * query.erased}NULL")
        flags = " AND ".join(conditions)
        if query.case_number is not None:
            extra = f" AND {flags}" if flags else ""
            chosen.add(f"l.case_id = (SELECT id FROM cases WHERE number = ?{extra})", query.case_number)  # noqa: S608
        elif flags and self._one(f"SELECT EXISTS (SELECT 1 FROM cases WHERE NOT ({flags}))", ()):  # noqa: S608
            chosen.add(f"l.case_id IN (SELECT id FROM cases WHERE {flags})")  # noqa: S608

    def _summaries(self, ids: Sequence[int]) -> list[ExhibitSummary]:
        marks = ",".join("?" * len(ids))
        found = {row[0]: row for row in self._database.rows(f"{_SUMMARY} WHERE e.id IN ({marks})", ids)}
        tags: defaultdict[int, list[str]] = defaultdict(list)
        for exhibit_id, tag in self._database.rows(
            f"SELECT exhibit_id, tag FROM exhibit_tags WHERE exhibit_id IN ({marks}) ORDER BY tag",  # noqa: S608 - question marks
            ids,
        ):
            tags[exhibit_id].append(tag)
        return [_summary(found[exhibit_id], tags[exhibit_id]) for exhibit_id in ids if exhibit_id in found]

    # --- archive ----------------------------------------------------------------------------------------------

    def archived(self, case_number: str) -> datetime | None:
        """When a case was archived; None for others."""
        row = self._database.row("SELECT archived FROM cases WHERE number = ?", (case_number,))
        return None if row is None else optional_time(row[0])

    def set_archived(self, case_number: str, at: datetime | None) -> bool:
        """Archive a case, or bring it back; whether there is such a case."""
        archived = None if at is None else time_text(at)
        return (
            self._database.change("UPDATE cases SET archived = ? WHERE number = ?", (archived, case_number))
            == 1
        )

    # --- tags and notes ---------------------------------------------------------------------------------------

    def all_tags(self) -> Mapping[str, int]:
        """Tags in use with the number of exhibits of each, by name."""
        return dict(self._database.rows("SELECT tag, count(*) FROM exhibit_tags GROUP BY tag ORDER BY tag"))

    def tags(self, leaf_hash: bytes) -> Sequence[str]:
        """Tags of an exhibit, by name."""
        rows = self._database.rows(
            "SELECT tag FROM exhibit_tags WHERE exhibit_id = ? ORDER BY tag", (self._id(leaf_hash),)
        )
        return [row[0] for row in rows]

    def add_tag(self, leaf_hash: bytes, tag: str) -> bool:
        """Whether it is new."""
        exhibit_id = self._id(leaf_hash)
        changed = self._database.change(
            "INSERT INTO exhibit_tags (tag, exhibit_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
            (tag, exhibit_id),
        )
        self._index.annotated(exhibit_id)
        return changed == 1

    def remove_tag(self, leaf_hash: bytes, tag: str) -> bool:
        """Whether it was there."""
        exhibit_id = self._id(leaf_hash)
        changed = self._database.change(
            "DELETE FROM exhibit_tags WHERE tag = ? AND exhibit_id = ?", (tag, exhibit_id)
        )
        self._index.annotated(exhibit_id)
        return changed == 1

    def notes(self, leaf_hash: bytes) -> Sequence[Note]:
        """Notes of an exhibit, oldest first."""
        return self._notes("WHERE n.exhibit_id = ? ORDER BY n.id, v.version", self._id(leaf_hash))

    def note(self, note_id: int) -> Note | None:
        """One note."""
        found = self._notes("WHERE n.id = ? ORDER BY v.version", note_id)
        return found[0] if found else None

    def add_note(
        self, leaf_hash: bytes, versions: Sequence[NoteVersion], *, note_id: int | None = None
    ) -> int:
        """Add a note (under its former number when it is put back); returns its number."""
        exhibit_id = self._id(leaf_hash)
        added = self._database.write(
            "INSERT INTO notes (id, exhibit_id) VALUES (?, ?)", (note_id, exhibit_id)
        )
        self._add_versions(added, versions, 1)
        self._index.annotated(exhibit_id)
        return added

    def edit_note(self, note_id: int, version: NoteVersion) -> None:
        """Add a wording to a note."""
        self._add_versions(note_id, [version], 1 + self._versions(note_id))
        self._index.annotated(self._owner(note_id))

    def remove_note(self, note_id: int) -> None:
        """Delete a note with all its wordings."""
        exhibit_id = self._owner(note_id)
        self._database.write("DELETE FROM note_versions WHERE note_id = ?", (note_id,))
        self._database.write("DELETE FROM notes WHERE id = ?", (note_id,))
        self._index.annotated(exhibit_id)

    def links(self, leaf_hash: bytes) -> Sequence[LinkRow]:
        """Links in which an exhibit is either end, by the derived one's registration."""
        rows = self._database.rows(
            "SELECT e.leaf_hash, k.source_leaf, k.position, k.relation FROM exhibit_links k "
            "JOIN exhibits e ON e.id = k.exhibit_id WHERE e.leaf_hash = ?1 OR k.source_leaf = ?1 ORDER BY e.id",
            (leaf_hash,),
        )
        return [LinkRow(derived=row[0], source=row[1], position=row[2], relation=row[3]) for row in rows]

    def _add_versions(self, note_id: int, versions: Sequence[NoteVersion], first: int) -> None:
        self._database.write_many(
            "INSERT INTO note_versions (note_id, version, author, at, text) VALUES (?, ?, ?, ?, ?)",
            (
                (note_id, version, item.author, time_text(item.at), item.text)
                for version, item in enumerate(versions, first)
            ),
        )

    def _versions(self, note_id: int) -> int:
        return int(self._one("SELECT count(*) FROM note_versions WHERE note_id = ?", (note_id,)))

    def _notes(self, rest: str, value: Value) -> list[Note]:
        versions: dict[int, list[Row]] = {}
        for row in self._database.rows(f"{_NOTES} {rest}", (value,)):
            versions.setdefault(row[0], []).append(row)
        return [
            Note(
                id=note_id,
                leaf_hash=rows[0][1],
                versions=tuple(
                    NoteVersion(author=row[2], at=parse_time(row[3]), text=row[4]) for row in rows
                ),
            )
            for note_id, rows in versions.items()
        ]

    def _owner(self, note_id: int) -> int:
        row = self._database.row("SELECT exhibit_id FROM notes WHERE id = ?", (note_id,))
        if row is None:
            raise NotFoundError("annotate.no_note")
        return int(row[0])

    def _id(self, leaf_hash: bytes) -> int:
        row = self._database.row("SELECT id FROM exhibits WHERE leaf_hash = ?", (leaf_hash,))
        if row is None:
            raise NotFoundError("find.exhibit", number=leaf_hash.hex())
        return int(row[0])

    def _one(self, sql: str, values: Sequence[Value]) -> int:
        return int(self._database.rows(sql, values)[0][0])


def _states(states: ExhibitStates) -> tuple[int, int]:
    """(mask, wanted value) of `listed.states`."""
    mask = wanted = 0
    for bit, state in ((1, states.timestamped), (2, states.anchored), (4, states.certified)):
        if state is not None:
            mask |= bit
            wanted |= bit * state
    return mask, wanted


def _summary(row: Row, tags: Sequence[str]) -> ExhibitSummary:
    return ExhibitSummary(
        leaf_hash=row[1], number=row[2], case_number=row[3], exhibit_no=row[4], title=row[5], kind=row[6],
        files=row[7], size=row[8], registered=parse_time(row[9]), logged=parse_time(row[10]),
        timestamped=optional_time(row[11]), anchored=optional_time(row[12]), certified=optional_time(row[13]),
        tags=tuple(tags), archived=row[14] is not None, erased=row[15] is not None,
    )  # fmt: skip
