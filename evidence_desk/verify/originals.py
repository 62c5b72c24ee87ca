"""Compare files put before the verifier with the objects of an exhibit («Bindings», docs/spec/verdict.md)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from evidence_desk.core.digests import DigestPair
from evidence_desk.core.leaf import BlindedObject, Leaf, LeafObject, PlainObject, blind
from evidence_desk.core.statement import FileEntry, Statement
from evidence_desk.core.verdict import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenFile:
    """A file put before the verifier: what was hashed of it; a missing digest is None.

    Attributes:
        index: position in the statement when the container says so (``files/0001…``), else None.
        open: the file again, seekable, to look into a web capture; None when its bytes are not at hand.
    """

    label: str
    size: int | None
    sha256: bytes | None
    sm3: bytes | None
    index: int | None = None
    open: Callable[[], BinaryIO] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What one given file is: `indexes` are the places in the exhibit that it fills, `reason` the end of the code."""

    status: Status
    reason: str = ""
    indexes: tuple[int, ...] = ()


class Objects:
    """The exhibit's objects as far as they are known: entries of the statement, and the leaf's own list.

    Args:
        entries: disclosed file entries by index.
    """

    def __init__(self, leaf: Leaf, statement: Statement | None, entries: Mapping[int, FileEntry]) -> None:
        self._statement = statement
        self._entries = entries
        self._public: Sequence[LeafObject] | None = None if leaf.root is not None else leaf.objects
        self._listed = statement is not None and len(entries) == statement.file_count
        self._by_sha256: defaultdict[bytes, list[int]] = defaultdict(list)
        self._by_sm3: defaultdict[bytes, list[int]] = defaultdict(list)
        for index, entry in sorted(entries.items()):
            self._by_sha256[entry.digests.sha256].append(index)
            self._by_sm3[entry.digests.sm3].append(index)

    def match(self, file: GivenFile) -> Match:
        """What `file` is to the exhibit."""
        if file.sha256 is None and file.sm3 is None:
            return Match(status=Status.UNDETERMINED, reason="no_digest")
        return self._loose(file) if file.index is None else self._placed(file, file.index)

    def _placed(self, file: GivenFile, index: int) -> Match:
        """A file whose container names its place belongs there or nowhere."""
        if self._statement is None:
            return Match(status=Status.UNDETERMINED, reason="no_list")
        if index >= self._statement.file_count:
            return Match(status=Status.FAILED, reason="unlisted")
        entry = self._entries.get(index)
        if entry is None:
            return Match(status=Status.UNDETERMINED, reason="withheld")
        status = _compare(file, entry.digests, entry.size)
        return Match(status=status, reason="place") if status is Status.FAILED else _outcome(status, (index,))

    def _loose(self, file: GivenFile) -> Match:
        """A loose original stands for every place that lists the same content."""
        places = (
            self._by_sm3[file.sm3]
            if file.sha256 is None and file.sm3
            else self._by_sha256[file.sha256 or b""]
        )
        by_status: dict[Status, list[int]] = {}
        for index in places:
            entry = self._entries[index]
            by_status.setdefault(_compare(file, entry.digests, entry.size), []).append(index)
        for status in (Status.PASSED, Status.UNDETERMINED):
            if status in by_status:
                return _outcome(status, tuple(by_status[status]))
        if self._listed:
            return Match(status=Status.FAILED, reason="wrong")
        return self._in_leaf(file)

    def _in_leaf(self, file: GivenFile) -> Match:
        """Compare with the leaf's own objects when the statement's list is not (wholly) known."""
        if self._public is None:
            return Match(status=Status.UNDETERMINED, reason="no_list")
        statuses = [self._compare_public(file, item) for item in self._public]
        found = tuple(index for index, status in enumerate(statuses) if status is Status.PASSED)
        if found:
            return Match(status=Status.PASSED, indexes=found)
        if Status.UNDETERMINED in statuses:
            blinded = any(isinstance(item, BlindedObject) for item in self._public)
            return Match(status=Status.UNDETERMINED, reason="no_salt" if blinded else "one_digest")
        return Match(status=Status.FAILED, reason="wrong")

    def _compare_public(self, file: GivenFile, item: LeafObject) -> Status:
        match item:
            case PlainObject():
                return _compare(file, item.digests, item.size)
            case BlindedObject():
                if self._statement is None or file.sha256 is None or file.sm3 is None:
                    return Status.UNDETERMINED
                made = blind(DigestPair(sha256=file.sha256, sm3=file.sm3), self._statement.salt)
                return Status.PASSED if made == item else Status.FAILED


def _compare(file: GivenFile, digests: DigestPair, size: int) -> Status:
    """Passed when size and both digests match, undetermined when one of them is not known."""
    pairs = ((file.sha256, digests.sha256), (file.sm3, digests.sm3), (file.size, size))
    if any(ours is not None and ours != theirs for ours, theirs in pairs):
        return Status.FAILED
    return Status.UNDETERMINED if any(ours is None for ours, _ in pairs) else Status.PASSED


def _outcome(status: Status, indexes: tuple[int, ...]) -> Match:
    if status is Status.PASSED:
        return Match(status=status, indexes=indexes)
    return Match(status=status, reason="one_digest")
