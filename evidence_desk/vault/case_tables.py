"""Cases, exhibits and their files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Final

from evidence_desk.core.digests import DigestPair
from evidence_desk.core.rows import CaseRow, ExhibitRow, ObjectRow, StoredObject
from evidence_desk.errors import BugError
from evidence_desk.vault.browse_index import BrowseIndex
from evidence_desk.vault.database import Database, Row, Value, optional_time, parse_time, time_text
from evidence_desk.vault.log_repository import LogRepository

_PAGE: Final = 250
_AWAITING: Final = "e.timestamped IS NULL AND e.statement <> x''"
"""Exhibits without a token; those of erased cases wait for none."""
_COLUMNS: Final = (
    "e.id, e.leaf_hash, e.seq, e.number, e.case_number, e.exhibit_no, e.title, e.kind, e.statement, e.disclosures, "
    "e.registered, e.logged, e.timestamped, e.anchored, e.certified, l.origin"
)
_CASE: Final = "SELECT number, details, created, leaves_only, erased FROM cases"
_FROM: Final = f"SELECT {_COLUMNS} FROM exhibits e JOIN logs l ON l.id = e.log_id"  # noqa: S608 - constants only


_ERASE: Final = (
    "DELETE FROM objects WHERE exhibit_id IN (SELECT id FROM exhibits WHERE case_number = ?)",
    "DELETE FROM time_records WHERE leaf_hash IN (SELECT leaf_hash FROM exhibits WHERE case_number = ?)",
    """UPDATE certificates SET pdf = x'' WHERE id IN (SELECT certificate_id FROM certificate_exhibits
    WHERE leaf_hash IN (SELECT leaf_hash FROM exhibits WHERE case_number = ?))""",
    """UPDATE exhibits SET statement = x'', disclosures = x'', exhibit_no = '', title = '', kind = ''
    WHERE case_number = ?""",
    "UPDATE cases SET details = CAST('{}' AS BLOB) WHERE number = ?",
)


class CaseTables:
    """Cases and exhibits; exhibits of all logs are found, new ones go to the active log."""

    def __init__(self, database: Database, log: Callable[[], LogRepository]) -> None:
        self._database = database
        self._log = log
        self._index = BrowseIndex(database)

    def add_case(self, case: CaseRow) -> None:
        """Insert a case unless its number is known."""
        self._database.write(
            "INSERT INTO cases (number, details, created, leaves_only, erased) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (number) DO NOTHING",
            (
                case.number,
                case.details,
                time_text(case.created),
                int(case.leaves_only),
                None if case.erased is None else time_text(case.erased),
            ),
        )

    def cases(self) -> Sequence[CaseRow]:
        """All cases by creation."""
        return [_case(row) for row in self._database.rows(f"{_CASE} ORDER BY created, id")]

    def case(self, number: str) -> CaseRow | None:
        """One case by number."""
        row = self._database.row(f"{_CASE} WHERE number = ?", (number,))
        return None if row is None else _case(row)

    def set_leaves_only(self, number: str) -> None:
        """From now on the leaves of a case go to the network without envelopes (仅哈希)."""
        self._database.write("UPDATE cases SET leaves_only = 1 WHERE number = ?", (number,))

    def next_exhibit_index(self, case_number: str) -> int:
        """1-based index for the next exhibit of a case."""
        row = self._database.row("SELECT count(*) FROM exhibits WHERE case_number = ?", (case_number,))
        return 1 if row is None else int(row[0]) + 1

    def add_exhibit(self, exhibit: ExhibitRow) -> None:
        """Insert a sealed exhibit with its objects; its leaf must be written in the same transaction.

        Raises:
            BugError: ``bug.exhibit_origin`` when `exhibit.origin` names another log than the active one.
            IntegrityError: ``vault.constraint`` (at the end of the transaction when the leaf is missing).
        """
        log = self._log()
        if exhibit.origin not in {"", log.origin}:
            raise BugError("bug.exhibit_origin")
        states = (exhibit.timestamped, exhibit.anchored, exhibit.certified)
        exhibit_id = self._database.write(
            "INSERT INTO exhibits (log_id, seq, leaf_hash, number, case_number, exhibit_no, title, kind, statement, "
            "disclosures, registered, logged, timestamped, anchored, certified) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                log.log_id,
                exhibit.seq,
                exhibit.leaf_hash,
                exhibit.number,
                exhibit.case_number,
                exhibit.exhibit_no,
                exhibit.title,
                exhibit.kind,
                exhibit.statement,
                exhibit.disclosures,
                time_text(exhibit.registered),
                time_text(exhibit.logged),
                *(None if state is None else time_text(state) for state in states),
            ),
        )
        self._database.write_many(
            "INSERT INTO objects (exhibit_id, position, path, media_type, name, size, sha256, sm3) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    exhibit_id,
                    item.position,
                    item.path,
                    item.media_type,
                    item.stored.name,
                    item.stored.size,
                    item.stored.digests.sha256,
                    item.stored.digests.sm3,
                )
                for item in exhibit.objects
            ),
        )
        self._index.add(exhibit_id, exhibit)

    def exhibit(self, leaf_hash: bytes) -> ExhibitRow | None:
        """One exhibit by leaf hash."""
        found = self._load("WHERE e.leaf_hash = ?", (leaf_hash,))
        return found[0] if found else None

    def by_number(self, number: str) -> Sequence[ExhibitRow]:
        """All exhibits with an evidence number."""
        return self._load("WHERE e.number = ? ORDER BY e.id", (number,))

    def by_digest(self, digest: bytes) -> Sequence[ExhibitRow]:
        """Exhibits holding a file with this SHA-256 or SM3, or whose leaf hash it is, in log order."""
        return self._load(
            "WHERE e.id IN (SELECT exhibit_id FROM objects WHERE sha256 = ?1 UNION "
            "SELECT exhibit_id FROM objects WHERE sm3 = ?1 UNION SELECT id FROM exhibits WHERE leaf_hash = ?1) "
            "ORDER BY e.id",
            (digest,),
        )

    def with_files(self, case_number: str, files: Sequence[DigestPair]) -> ExhibitRow | None:
        """The oldest exhibit of a case that has exactly these files, whatever their names and order."""
        wanted = sorted((pair.sha256, pair.sm3) for pair in files)
        if not wanted:
            return None
        candidates = self._database.rows(
            # CROSS: from the digest to the exhibits; the planner would rather go through all of the case.
            "SELECT DISTINCT e.id FROM objects o CROSS JOIN exhibits e ON e.id = o.exhibit_id "
            "WHERE o.sha256 = ? AND +o.sm3 = ? AND +e.case_number = ? "
            "AND (SELECT count(*) FROM objects n WHERE n.exhibit_id = e.id) = ? ORDER BY e.id",
            (*wanted[0], case_number, len(wanted)),
        )
        for (exhibit_id,) in candidates:
            found = self._database.rows("SELECT sha256, sm3 FROM objects WHERE exhibit_id = ?", (exhibit_id,))
            if sorted((row[0], row[1]) for row in found) == wanted:
                return self._load("WHERE e.id = ?", (exhibit_id,))[0]
        return None

    def exhibits(self, *, case_number: str | None = None) -> Iterator[ExhibitRow]:
        """All exhibits in log order, read in pages."""
        return self._pages("" if case_number is None else "AND e.case_number = ?", case_number)

    def awaiting_timestamp(self) -> Sequence[ExhibitRow]:
        """Exhibits without a token, in log order; those of erased cases wait for none."""
        return list(self._pages(f"AND {_AWAITING}", None))

    def count_awaiting(self) -> int:
        """How many `awaiting_timestamp` would give, without reading them."""
        row = self._database.row(f"SELECT count(*) FROM exhibits e WHERE {_AWAITING}")  # noqa: S608 - a constant
        return 0 if row is None else int(row[0])

    def erased_names(self, case_number: str) -> list[str]:
        """Object names of a case."""
        rows = self._database.rows(
            "SELECT DISTINCT o.name FROM objects o JOIN exhibits e ON e.id = o.exhibit_id WHERE e.case_number = ?",
            (case_number,),
        )
        return [row[0] for row in rows]

    def unerased_cases(self) -> set[str]:
        """Numbers of cases not marked as erased."""
        return {row[0] for row in self._database.rows("SELECT number FROM cases WHERE erased IS NULL")}

    def erase_rows(self, case_number: str, at: datetime) -> None:
        """Delete what the rows of a case tell, but for custody; mark it erased."""
        self._index.erase(case_number)
        for sql in _ERASE:
            self._database.write(sql, (case_number,))
        self._database.write(
            "UPDATE cases SET erased = ? WHERE number = ? AND erased IS NULL", (time_text(at), case_number)
        )

    def with_ids(self) -> Iterator[tuple[int, ExhibitRow]]:
        """All exhibits by number of their row."""
        return self._pages_with_ids("", None)

    def _pages(self, condition: str, parameter: Value) -> Iterator[ExhibitRow]:
        return (exhibit for _, exhibit in self._pages_with_ids(condition, parameter))

    def _pages_with_ids(self, condition: str, parameter: Value) -> Iterator[tuple[int, ExhibitRow]]:
        last = 0
        extra = () if parameter is None else (parameter,)
        while True:
            page = self._load_with_id(
                f"WHERE e.id > ? {condition} ORDER BY e.id LIMIT {_PAGE}", (last, *extra)
            )
            yield from page
            if len(page) < _PAGE:
                return
            last = page[-1][0]

    def _load(self, rest: str, parameters: Sequence[Value]) -> list[ExhibitRow]:
        return [exhibit for _, exhibit in self._load_with_id(rest, parameters)]

    def _load_with_id(self, rest: str, parameters: Sequence[Value]) -> list[tuple[int, ExhibitRow]]:
        rows = self._database.rows(f"{_FROM} {rest}", parameters)
        objects = self._objects([row[0] for row in rows])
        return [(row[0], _exhibit(row, objects[row[0]])) for row in rows]

    def _objects(self, exhibit_ids: Sequence[int]) -> defaultdict[int, list[ObjectRow]]:
        found: defaultdict[int, list[ObjectRow]] = defaultdict(list)
        for start in range(0, len(exhibit_ids), _PAGE):
            ids = exhibit_ids[start : start + _PAGE]
            marks = ",".join("?" * len(ids))
            for row in self._database.rows(
                "SELECT exhibit_id, position, path, media_type, name, size, sha256, sm3 FROM objects "  # noqa: S608
                f"WHERE exhibit_id IN ({marks}) ORDER BY exhibit_id, position",
                ids,
            ):
                found[row[0]].append(_object(row))
        return found


def _case(row: Row) -> CaseRow:
    return CaseRow(
        number=row[0],
        details=row[1],
        created=parse_time(row[2]),
        leaves_only=bool(row[3]),
        erased=optional_time(row[4]),
    )


def _object(row: Row) -> ObjectRow:
    stored = StoredObject(name=row[4], size=row[5], digests=DigestPair(sha256=row[6], sm3=row[7]))
    return ObjectRow(position=row[1], path=row[2], media_type=row[3], stored=stored)


def _exhibit(row: Row, objects: Sequence[ObjectRow]) -> ExhibitRow:
    return ExhibitRow(
        leaf_hash=row[1],
        seq=row[2],
        number=row[3],
        case_number=row[4],
        exhibit_no=row[5],
        title=row[6],
        kind=row[7],
        statement=row[8],
        disclosures=row[9],
        objects=tuple(objects),
        registered=parse_time(row[10]),
        logged=parse_time(row[11]),
        timestamped=optional_time(row[12]),
        anchored=optional_time(row[13]),
        certified=optional_time(row[14]),
        origin=row[15],
    )
