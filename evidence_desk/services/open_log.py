"""Open the log of a new vault: its first leaf names the keys and the digests of the next ones."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from evidence_desk.core.canonical import JSON
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.leaf import Leaf, LeafType
from evidence_desk.services.desk import Desk


def open_log(
    desk: Desk,
    *,
    next_keys: Mapping[str, DigestPair],
    predecessor: tuple[str, int, bytes] | None = None,
) -> None:
    """Append ``log.opened`` and, for a successor, ``log.succeeds`` {origin, size, root} (formats.md, Log).

    Args:
        desk: a desk with an empty log.
        next_keys: digests of the pre-committed next public keys, by ``ed25519`` and ``sm2``.
        predecessor: origin, size and root of the log that this one continues after a restore.
    """
    keys = desk.keys
    facts: dict[str, JSON] = {
        "keys": {"ed25519": keys.ed25519.hex(), "sm2": keys.sm2.hex()},
        "next": {name: {**digests.to_json()} for name, digests in next_keys.items()},
    }

    def opened(seq: int, at: datetime) -> Leaf:
        return Leaf(log=desk.origin, seq=seq, type=LeafType.LOG_OPENED, at=at, facts=facts)

    def succeeds(seq: int, at: datetime) -> Leaf:
        assert predecessor is not None  # noqa: S101 - only appended when given
        origin, size, root = predecessor
        value: JSON = {"origin": origin, "size": size, "root": root.hex()}
        return Leaf(log=desk.origin, seq=seq, type=LeafType.LOG_SUCCEEDS, at=at, facts={"predecessor": value})

    with desk.appending() as appender:
        appender.append([opened, succeeds] if predecessor else [opened])
