"""Count the captures of a desk by its logs: cases of others are in the number, and nothing of what they hold.

A certificate and a check print it, so that nobody can choose the fairest of many captures under another case unseen.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from evidence_desk.core.capture.rows import CaptureTally
from evidence_desk.core.leaf import LeafType, parse_leaf
from evidence_desk.core.ports import LogStore
from evidence_desk.core.rows import LeafRow
from evidence_desk.services.desk import Desk


def tally(desk: Desk) -> CaptureTally:
    """Captures of all cases, by the leaves of every log that the desk has had. Two endings of one beginning are two.

    Raises:
        IntegrityError: the log is damaged. MalformedError: a stored leaf is none.
    """
    logs = list(_logs(desk))
    started: set[bytes] = set()
    ended: set[bytes] = set()
    sealed = abandoned = 0
    rows: Iterator[LeafRow] = chain.from_iterable(log.captures() for log in logs)
    for row in rows:
        leaf = parse_leaf(row.leaf)
        match leaf.type:
            case LeafType.CAPTURE_STARTED:
                started.add(row.leaf_hash)
            case LeafType.CAPTURE_SEALED:
                sealed += 1
                ended.add(leaf.ref or b"")
            case LeafType.CAPTURE_ABANDONED:
                abandoned += 1
                ended.add(leaf.ref or b"")
            case _:
                pass
    return CaptureTally(
        logs=len(logs), leaves=sum(log.size() for log in logs), started=len(started), sealed=sealed,
        abandoned=abandoned, unsealed=len(started - ended),
    )  # fmt: skip


def _logs(desk: Desk) -> Iterator[LogStore]:
    for origin in desk.store.origins:
        yield desk.store.log if origin == desk.origin else desk.store.archived_log(origin)
