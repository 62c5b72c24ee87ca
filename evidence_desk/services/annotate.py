"""Annotate: tags and notes of exhibits, archived cases. The desk's own order of things, no part of the evidence.

What is looked at before a change is looked at within its transaction: another thread may erase the case meanwhile.
Nothing here goes to the log, into certificates or to the court network; backups hold it, a restore from the network does not.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from evidence_desk.core.browse_ports import Note, NoteVersion
from evidence_desk.core.rows import CaseRow, ExhibitRow
from evidence_desk.errors import NotFoundError, UsageError
from evidence_desk.services.desk import Desk

MAX_TAG: Final = 40
"""Characters of a tag."""
MAX_NOTE: Final = 20_000
"""Characters of a note."""
MAX_AUTHOR: Final = 200


def add_tag(desk: Desk, leaf_hash: bytes, tag: str) -> bool:
    """Tag an exhibit; False when it had the tag already. `remove_tag` undoes it.

    Raises:
        UsageError: ``annotate.tag``, ``annotate.erased``. NotFoundError: ``find.exhibit``.
    """
    name = tag_name(tag)
    with desk.store.transaction():
        _refuse_erased(desk, leaf_hash)
        return desk.store.browse.add_tag(leaf_hash, name)


def remove_tag(desk: Desk, leaf_hash: bytes, tag: str) -> bool:
    """Take a tag away; False when it was not there. `add_tag` undoes it.

    Raises:
        UsageError: ``annotate.tag``. NotFoundError: ``find.exhibit``.
    """
    with desk.store.transaction():
        return desk.store.browse.remove_tag(leaf_hash, tag_name(tag))


def tag_name(tag: str) -> str:
    """A tag as it is stored: one line, NFC, spaces collapsed.

    Raises:
        UsageError: ``annotate.tag`` when it is empty, too long, or holds control characters.
    """
    name = unicodedata.normalize("NFC", " ".join(tag[: 4 * MAX_TAG].split()))
    if not name or len(name) > MAX_TAG or len(tag) > 4 * MAX_TAG or not name.isprintable():
        raise UsageError("annotate.tag", limit=MAX_TAG)
    return name


def add_note(desk: Desk, leaf_hash: bytes, text: str, *, author: str = "") -> Note:
    """Write a note on an exhibit. `remove_note` undoes it.

    Raises:
        UsageError: ``annotate.note``, ``annotate.author``, ``annotate.erased``. NotFoundError: ``find.exhibit``.
    """
    version = _version(desk, text, author)
    with desk.store.transaction():
        _refuse_erased(desk, leaf_hash)
        note_id = desk.store.browse.add_note(leaf_hash, [version])
    return Note(id=note_id, leaf_hash=leaf_hash, versions=(version,))


def edit_note(desk: Desk, note_id: int, text: str, *, author: str = "") -> Note:
    """Word a note anew; earlier wordings stay with it. The same words change nothing.

    Raises:
        UsageError: ``annotate.note``, ``annotate.author``. NotFoundError: ``annotate.no_note``.
    """
    version = _version(desk, text, author)
    with desk.store.transaction():
        note = _note(desk, note_id)
        if version.text == note.text:
            return note
        desk.store.browse.edit_note(note_id, version)
    return Note(id=note_id, leaf_hash=note.leaf_hash, versions=(*note.versions, version))


def remove_note(desk: Desk, note_id: int) -> Note:
    """Delete a note with all its wordings; returns what `put_back_note` needs to undo it.

    Raises:
        NotFoundError: ``annotate.no_note``.
    """
    with desk.store.transaction():
        note = _note(desk, note_id)
        desk.store.browse.remove_note(note_id)
    return note


def put_back_note(desk: Desk, note: Note) -> None:
    """Undo `remove_note`; harmless twice.

    Raises:
        UsageError: ``annotate.erased``. NotFoundError: ``find.exhibit``.
    """
    with desk.store.transaction():
        _refuse_erased(desk, note.leaf_hash)
        if desk.store.browse.note(note.id) is None:
            desk.store.browse.add_note(note.leaf_hash, note.versions, note_id=note.id)


def archive_case(desk: Desk, case_number: str) -> bool:
    """Put a case away: lists leave it out, sealing into it is refused, nothing is deleted. False: it was archived before.

    Raises:
        NotFoundError: ``annotate.no_case``.
    """
    return _set_archived(desk, case_number, archived=True)


def unarchive_case(desk: Desk, case_number: str) -> bool:
    """Undo `archive_case`; False when it was not archived.

    Raises:
        NotFoundError: ``annotate.no_case``.
    """
    return _set_archived(desk, case_number, archived=False)


def refuse_archived(desk: Desk, case_number: str) -> None:
    """Nothing is sealed into an archived case.

    Raises:
        UsageError: ``annotate.archived``.
    """
    if desk.store.browse.archived(case_number) is not None:
        raise UsageError("annotate.archived", case=case_number)


def _set_archived(desk: Desk, case_number: str, *, archived: bool) -> bool:
    with desk.store.transaction():
        _case(desk, case_number)
        if (desk.store.browse.archived(case_number) is not None) == archived:
            return False
        desk.store.browse.set_archived(case_number, desk.clock.now() if archived else None)
    return True


def _version(desk: Desk, text: str, author: str) -> NoteVersion:
    if not text.strip() or len(text) > MAX_NOTE or _unstorable(text):
        raise UsageError("annotate.note", limit=MAX_NOTE)
    if len(author) > MAX_AUTHOR or _unstorable(author):
        raise UsageError("annotate.author", limit=MAX_AUTHOR)
    return NoteVersion(author=author.strip(), at=desk.clock.now(), text=text)


def _unstorable(text: str) -> bool:
    """NUL or a lone surrogate: no text of the database can hold it."""
    return any(sign == "\0" or "\ud800" <= sign <= "\udfff" for sign in text)


def _note(desk: Desk, note_id: int) -> Note:
    note = desk.store.browse.note(note_id)
    if note is None:
        raise NotFoundError("annotate.no_note", note=note_id)
    return note


def _case(desk: Desk, case_number: str) -> CaseRow:
    case = desk.store.exhibits.case(case_number)
    if case is None:
        raise NotFoundError("annotate.no_case", case=case_number)
    return case


def _refuse_erased(desk: Desk, leaf_hash: bytes) -> ExhibitRow:
    row = desk.store.exhibits.exhibit(leaf_hash)
    if row is None:
        raise NotFoundError("find.exhibit", number=leaf_hash.hex())
    if row.erased:
        raise UsageError("annotate.erased", number=row.number)
    return row
