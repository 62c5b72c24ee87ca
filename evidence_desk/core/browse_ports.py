"""What lists of cases and exhibits ask of the store, and the rows they get: port and records of browsing. No implementation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol


class Order(StrEnum):
    """Orders of a list of exhibits."""

    NEWEST = "newest"
    OLDEST = "oldest"
    TITLE = "title"
    LARGEST = "largest"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExhibitStates:
    """Wanted states of an exhibit; None: either."""

    timestamped: bool | None = None
    anchored: bool | None = None
    certified: bool | None = None


LOGGED_ONLY: Final = ExhibitStates(timestamped=False, anchored=False, certified=False)
"""In the local log and nothing more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExhibitQuery:
    """Which exhibits a list shows, and in what order; empty fields take all.

    Attributes:
        text: words that must all occur, see `core.search_text.match_expression`.
        tags: all of them; `kinds`: any of them.
        registered_from: first moment; `registered_to`: first moment no longer wanted.
        archived: False leaves out exhibits of archived cases, True leaves out the others, None takes both.
        erased: the same for erased cases.
    """

    text: str = ""
    case_number: str | None = None
    tags: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    states: ExhibitStates = field(default_factory=ExhibitStates)
    registered_from: datetime | None = None
    registered_to: datetime | None = None
    archived: bool | None = False
    erased: bool | None = None
    order: Order = Order.NEWEST


@dataclass(frozen=True, slots=True, kw_only=True)
class ExhibitSummary:
    """One line of a list. `size` in bytes, of all files; times are the independent states."""

    leaf_hash: bytes
    number: str
    case_number: str
    exhibit_no: str
    title: str
    kind: str
    files: int
    size: int
    registered: datetime
    logged: datetime
    timestamped: datetime | None
    anchored: datetime | None
    certified: datetime | None
    tags: tuple[str, ...]
    archived: bool
    erased: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFigures:
    """How many exhibits a case has, and in what states; `newest`: last registration."""

    number: str
    details: bytes
    created: datetime
    archived: datetime | None
    erased: datetime | None
    exhibits: int
    newest: datetime | None
    timestamped: int
    anchored: int
    certified: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteVersion:
    """One wording of a note."""

    author: str
    at: datetime
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A note on an exhibit: every wording, oldest first."""

    id: int
    leaf_hash: bytes
    versions: tuple[NoteVersion, ...]

    @property
    def text(self) -> str:
        """The present wording."""
        return self.versions[-1].text

    @property
    def edited(self) -> bool:
        """Whether it was worded otherwise before."""
        return len(self.versions) > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRow:
    """One exhibit was made from a file of another.

    Attributes:
        derived: leaf hash of the copy, translation or transcript.
        source: leaf hash of what it was made from, which may lie in another vault.
        position: of the file there, from 1.
    """

    derived: bytes
    source: bytes
    position: int
    relation: str


class BrowseStore(Protocol):
    """Lists, tags, notes and links. Writes happen only inside `Store.transaction`; unknown exhibits are NotFoundError."""

    def count(self, query: ExhibitQuery) -> int:
        """Exhibits a query finds."""
        ...

    def page(self, query: ExhibitQuery, offset: int, limit: int) -> Sequence[ExhibitSummary]:
        """Part of what a query finds, in its order."""
        ...

    def cases(self) -> Sequence[CaseFigures]:
        """All cases by creation, with their figures."""
        ...

    def archived(self, case_number: str) -> datetime | None:
        """When a case was archived; None for others."""
        ...

    def set_archived(self, case_number: str, at: datetime | None) -> bool:
        """Archive a case, or bring it back; whether there is such a case."""
        ...

    def all_tags(self) -> Mapping[str, int]:
        """Tags in use with the number of exhibits of each, by name."""
        ...

    def tags(self, leaf_hash: bytes) -> Sequence[str]:
        """Tags of an exhibit, by name."""
        ...

    def add_tag(self, leaf_hash: bytes, tag: str) -> bool:
        """Whether it is new."""
        ...

    def remove_tag(self, leaf_hash: bytes, tag: str) -> bool:
        """Whether it was there."""
        ...

    def notes(self, leaf_hash: bytes) -> Sequence[Note]:
        """Notes of an exhibit, oldest first."""
        ...

    def note(self, note_id: int) -> Note | None:
        """One note."""
        ...

    def add_note(
        self, leaf_hash: bytes, versions: Sequence[NoteVersion], *, note_id: int | None = None
    ) -> int:
        """Add a note (under its former number when it is put back); returns its number."""
        ...

    def edit_note(self, note_id: int, version: NoteVersion) -> None:
        """Add a wording to a note."""
        ...

    def remove_note(self, note_id: int) -> None:
        """Delete a note with all its wordings."""
        ...

    def links(self, leaf_hash: bytes) -> Sequence[LinkRow]:
        """Links in which an exhibit is either end, by the derived one's registration."""
        ...
