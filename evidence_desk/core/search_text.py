"""What full-text search sees of an exhibit, and how a person's words become a query.

A text is folded (NFKC, case) and cut into runs of letters and digits; the index holds each pair of neighboring characters
of a run and the run's last character. A phrase of such pairs is found wherever it is part of the text, in Chinese as in
English: 张三 in 张三丰, 0305 in IMG_20240305. Nothing a person types is ever read as an operator.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final

from evidence_desk.core.canonical import JSON
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.core.statement import Disclosure, parse_disclosures
from evidence_desk.errors import MalformedError

MAX_QUERY: Final = 120
"""Characters of a query that are read; nobody types more."""
MAX_TERMS: Final = 16
MAX_MEMBER: Final = 20_000
"""Characters of one member that are indexed: a statement may hold megabytes."""
MAX_FILES: Final = 10_000
"""Names of files of one exhibit that are indexed."""

# ASCII but for letters and digits, Latin-1 signs, general and CJK punctuation, surrogates. Fixed: what was put in must
# come out the same, whatever Unicode a later Python knows.
_SEPARATORS: Final = re.compile(
    "[\x00-/:-`{-©«-´¶-¹»-¿\u2000-\u206f\u2190-\u23ff\u3000-\u3004\u3008-\u3020\u3030\ud800-\udfff\ufe30-\ufe4f\ufffc-\uffff]+"
)
_INDEXED: Final = frozenset({"/case/parties", "/exhibit/title", "/exhibit/purpose", "/source"})


def members_of(row: ExhibitRow) -> Sequence[Disclosure]:
    """Disclosed members of an exhibit's statement; none for an erased one, or when they cannot be read."""
    if row.erased:
        return ()
    try:
        return parse_disclosures(row.disclosures)
    except MalformedError:  # what is not ours to judge here is just not found
        return ()


def words_of(row: ExhibitRow, members: Sequence[Disclosure]) -> str:
    """Folded text of an exhibit: numbers, title, kind, purpose, source, parties and names of files.

    Of an erased one its numbers are left.
    """
    parts = [row.number, row.case_number, row.exhibit_no, row.title, row.kind]
    parts += [item.path for item in row.objects[:MAX_FILES]]
    for member in members:
        if member.path in _INDEXED:
            parts += _texts(member.value)
    return _text(parts)


def notes_text(tags: Sequence[str], notes: Sequence[str]) -> str:
    """Folded text of tags and notes."""
    return _text([*tags, *notes])


def _text(parts: Sequence[str]) -> str:
    return "\n".join(fold(part[:MAX_MEMBER]) for part in dict.fromkeys(parts) if part)


def fold(text: str) -> str:
    """Compatibility forms and case taken away: （ａ）and (A) are the same; NUL and lone surrogates become spaces."""
    readable = "".join(" " if "\ud800" <= sign <= "\udfff" or sign == "\0" else sign for sign in text)
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", readable).casefold())


def grams(words: str) -> str:
    """Tokens of a folded text, separated by spaces."""
    return " ".join(token for run in _runs(words) for token in _pairs(run))


def match_expression(text: str) -> str:
    """FTS5 expression for what a person typed: each word must occur somewhere; empty when there is nothing to look for.

    Words are separated by spaces; punctuation inside a word stands for any punctuation, or none but a boundary.
    """
    terms = [
        term for term in (_runs(word) for word in fold(text[:MAX_QUERY])[: 2 * MAX_QUERY].split()) if term
    ]
    return " AND ".join(_phrase(term) for term in dict.fromkeys(map(tuple, terms[:MAX_TERMS])))


def _runs(folded: str) -> list[str]:
    return [run for run in _SEPARATORS.split(folded) if run]


def _pairs(run: str) -> Iterator[str]:
    return (run[at : at + 2] for at in range(len(run)))


def _phrase(runs: Sequence[str]) -> str:
    """Runs before the last end where a run of the text ends; the last may go on."""
    tokens = [token for run in runs[:-1] for token in _pairs(run)]
    last = runs[-1]
    if len(last) == 1:
        return f'"{" ".join([*tokens, last])}" *'
    return f'"{" ".join([*tokens, *list(_pairs(last))[:-1]])}"'


def _texts(value: JSON) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
