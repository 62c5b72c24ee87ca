"""Data-object groups of an exhibit for its time records (RFC 4998 §4.2): statement first, at most 100 a group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

GROUP_SIZE: Final = 100


def group_hashes(statement: bytes, files: Sequence[bytes]) -> tuple[tuple[bytes, ...], ...]:
    """Split [statement, file, file, …] (digests under one algorithm) into groups in statement order."""
    objects = [statement, *files]
    return tuple(tuple(objects[at : at + GROUP_SIZE]) for at in range(0, len(objects), GROUP_SIZE))


def group_of(index: int) -> int:
    """Group that holds the file at 0-based `index` of the statement."""
    return (index + 1) // GROUP_SIZE
