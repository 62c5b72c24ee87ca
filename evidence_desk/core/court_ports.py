"""Ports of the court network: what a desk keeps of it, and the door to it. See ``ports``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from evidence_desk.core.rows import (
    AnchorRow,
    ConflictRow,
    ExhibitAnchor,
    HeaderRow,
    Outbox,
    Submission,
    TimestampReply,
)


class CourtStore(Protocol):
    """What the court network accepted. Writes happen only inside `Store.transaction`; they speak of the active log."""

    def add_anchor(self, anchor: AnchorRow, events: Mapping[bytes, bytes]) -> int:
        """Store an answer and the events (by leaf hash) it proves; its id.

        Sets `anchored` of every exhibit below its size where it was open, and closes the outbox up to it.
        """
        ...

    def anchored_size(self, chain_id: str) -> int:
        """Greatest anchored size of the active log, 0 when none."""
        ...

    def anchors(self, chain_id: str) -> Sequence[AnchorRow]:
        """Answers about the active log, oldest first."""
        ...

    def exhibit_anchor(self, leaf_hash: bytes) -> ExhibitAnchor | None:
        """What proves an exhibit; None while nothing does."""
        ...

    def unproven(self, chain_id: str, planned: Sequence[int] = ()) -> Sequence[tuple[bytes, int]]:
        """(leaf hash, size to prove it under) of exhibits whose stored answer is missing, stale or of another size.

        Sizes in `planned` count as if they were anchored already. The size is the smallest anchored one that covers the leaf and all ``time.attested`` leaves about it, else the
        smallest that covers the leaf.
        """
        ...

    def mark_stale(self, leaf_hashes: Sequence[bytes]) -> None:
        """Newer events about these leaves are on chain."""
        ...

    def want_tokens(self, headers: Sequence[HeaderRow]) -> None:
        """Note headers that want a token; known ones stay as they are."""
        ...

    def wanted_tokens(self) -> Sequence[HeaderRow]:
        """Headers without a token, oldest first."""
        ...

    def set_token(self, header_hash: bytes, reply: TimestampReply) -> None:
        """Store the token over a header."""
        ...

    def header_tokens(self, header_hashes: Sequence[bytes]) -> Mapping[bytes, bytes]:
        """Tokens by header hash, those there are."""
        ...

    def add_conflict(self, conflict: ConflictRow) -> None:
        """Keep an answer that contradicts our log; the same one is kept once."""
        ...

    def conflicts(self) -> Sequence[ConflictRow]:
        """Those of the active log, oldest first."""
        ...

    def outbox(self) -> Outbox:
        """What waits of the active log."""
        ...

    def note_attempt(self, size: int, not_before: datetime | None) -> None:
        """Count an attempt at the checkpoints of the active log up to `size`."""
        ...


class CourtGateway(Protocol):
    """A door to the court network. Transport only: nothing it returns is believed before it is verified."""

    @property
    def url(self) -> str:
        """Address, for people."""
        ...

    def submit(self, transaction: bytes) -> Submission:
        """Hand over a transaction.

        Raises:
            RemoteError: ``gateway.…``: silent, busy, or an answer that cannot be read.
        """
        ...

    def get(self, path: str, parameters: Mapping[str, str] | None = None) -> bytes:
        """Body of an answer; `path` begins with ``/v1/``.

        Raises:
            RemoteError: ``gateway.not_found`` for a thing that is not there, and as `submit`.
        """
        ...

    def post(self, path: str, body: bytes) -> bytes:
        """Body of the answer to a posted one; raises as `get`."""
        ...

    def keybag(self, method: str, family: str, *, authorization: str, body: bytes = b"") -> bytes:
        """PUT, GET or DELETE a desk's copy of its keybag; `authorization` is the signed request. Raises as `get`."""
        ...
