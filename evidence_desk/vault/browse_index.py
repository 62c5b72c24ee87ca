"""The rows that lists and full-text search read, kept beside each exhibit: written when it is added, emptied when it is erased."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from evidence_desk.core.derivation import derivation_of
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.core.search_text import grams, members_of, notes_text, words_of
from evidence_desk.vault.database import Database, Row

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_PAGE: Final = 500
_REFILL_SHARE: Final = 8
"""An erasure of more than one in so many texts builds the index anew: quicker than taking each out."""
_OF_CASE: Final = "(SELECT id FROM exhibits WHERE case_number = ?)"
_ERASE: Final = (
    f"DELETE FROM note_versions WHERE note_id IN (SELECT id FROM notes WHERE exhibit_id IN {_OF_CASE})",  # noqa: S608
    f"DELETE FROM notes WHERE exhibit_id IN {_OF_CASE}",  # noqa: S608 - constants only
    f"DELETE FROM exhibit_tags WHERE exhibit_id IN {_OF_CASE}",  # noqa: S608
    f"DELETE FROM exhibit_links WHERE exhibit_id IN {_OF_CASE}",  # noqa: S608
    f"UPDATE listed SET kind = '', files = 0, size = 0 WHERE exhibit_id IN {_OF_CASE}",  # noqa: S608
)

_WORDS: Final = "SELECT words, notes FROM exhibit_words WHERE exhibit_id = ?"


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def from_microseconds(count: int) -> datetime:
    """Moment of `microseconds`."""
    return _EPOCH + count * _MICROSECOND


class BrowseIndex:
    """Writes `listed`, `exhibit_words`, `exhibit_grams` and `exhibit_links`; inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, exhibit_id: int, row: ExhibitRow) -> None:
        """An exhibit that was just inserted, with its files."""
        members = members_of(row)
        states = (
            (row.timestamped is not None) + 2 * (row.anchored is not None) + 4 * (row.certified is not None)
        )
        self._database.write(
            "INSERT INTO listed (exhibit_id, case_id, kind, registered, states, files, size) "
            "SELECT ?, id, ?, ?, ?, ?, ? FROM cases WHERE number = ?",
            (
                exhibit_id, row.kind, microseconds(row.registered), states, len(row.objects),
                sum(item.stored.size for item in row.objects), row.case_number,
            ),
        )  # fmt: skip
        self._put_in(exhibit_id, words_of(row, members), "")
        derivation = derivation_of(next((item.value for item in members if item.path == "/source"), None))
        if derivation is not None:
            self._database.write(
                "INSERT INTO exhibit_links (exhibit_id, relation, source_leaf, position) VALUES (?, ?, ?, ?)",
                (exhibit_id, derivation.relation.value, derivation.leaf_hash, derivation.position),
            )

    def annotated(self, exhibit_id: int) -> None:
        """Tags or notes of an exhibit changed."""
        words, before = self._database.rows(_WORDS, (exhibit_id,))[0]
        tags = self._database.rows(
            "SELECT tag FROM exhibit_tags WHERE exhibit_id = ? ORDER BY tag", (exhibit_id,)
        )
        notes = self._database.rows(
            "SELECT v.text FROM notes n JOIN note_versions v ON v.note_id = n.id WHERE n.exhibit_id = ? "
            "AND v.version = (SELECT max(version) FROM note_versions WHERE note_id = n.id) ORDER BY n.id",
            (exhibit_id,),
        )
        after = notes_text([row[0] for row in tags], [row[0] for row in notes])
        if after != before:
            self._take_out(exhibit_id, words, before)
            self._put_in(exhibit_id, words, after)

    def erase(self, case_number: str) -> None:
        """Take out everything about a case but the numbers of its exhibits; before its exhibits are emptied."""
        numbers = self._database.rows("SELECT id, number FROM exhibits WHERE case_number = ?", (case_number,))
        for sql in _ERASE:
            self._database.write(sql, (case_number,))
        left = self._database.rows("SELECT count(*) FROM exhibit_words")[0][0] - len(numbers)
        if len(numbers) * _REFILL_SHARE > left:
            self._rebuild_without(numbers, case_number)
            return
        for exhibit_id, number in numbers:
            for words, notes in self._database.rows(_WORDS, (exhibit_id,)):
                self._take_out(exhibit_id, words, notes)
            self._put_in(exhibit_id, _numbers(number, case_number), "")
        # Segments that the deletions left half empty are written anew, their separating terms too.
        self._database.write("INSERT INTO exhibit_grams (exhibit_grams) VALUES ('optimize')")

    def _rebuild_without(self, numbers: Sequence[Row], case_number: str) -> None:
        self._database.write("INSERT INTO exhibit_grams (exhibit_grams) VALUES ('delete-all')")
        self._database.write_many(
            "UPDATE exhibit_words SET words = ?, notes = '' WHERE exhibit_id = ?",
            ((_numbers(number, case_number), exhibit_id) for exhibit_id, number in numbers),
        )
        for page in self._words():
            self._database.write_many(
                "INSERT INTO exhibit_grams (rowid, grams) VALUES (?, ?)",
                ((exhibit_id, _grams(words, notes)) for exhibit_id, words, notes in page),
            )

    def _words(self) -> Iterator[list[Row]]:
        last = 0
        while page := self._database.rows(
            "SELECT exhibit_id, words, notes FROM exhibit_words WHERE exhibit_id > ? ORDER BY exhibit_id LIMIT ?",
            (last, _PAGE),
        ):
            yield page
            last = page[-1][0]

    def _put_in(self, exhibit_id: int, words: str, notes: str) -> None:
        self._database.write(
            "INSERT INTO exhibit_words (exhibit_id, words, notes) VALUES (?, ?, ?)",
            (exhibit_id, words, notes),
        )
        self._database.write(
            "INSERT INTO exhibit_grams (rowid, grams) VALUES (?, ?)", (exhibit_id, _grams(words, notes))
        )

    def _take_out(self, exhibit_id: int, words: str, notes: str) -> None:
        self._database.write("DELETE FROM exhibit_words WHERE exhibit_id = ?", (exhibit_id,))
        self._database.write(
            "INSERT INTO exhibit_grams (exhibit_grams, rowid, grams) VALUES ('delete', ?, ?)",
            (exhibit_id, _grams(words, notes)),
        )


def _grams(words: str, notes: str) -> str:
    return f"{grams(words)} {grams(notes)}"


def _numbers(number: str, case_number: str) -> str:
    return notes_text([number, case_number], [])
