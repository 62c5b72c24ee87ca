"""Marks while a capture runs: how far it had come, each with a token of an authority over it where one answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from evidence_desk.core.capture.manifest import MarkResult
from evidence_desk.core.capture.marks import Mark, MarkKind, encode_mark, mark_name, token_name
from evidence_desk.core.capture.ports import Reach
from evidence_desk.core.capture.workspace import Workspace
from evidence_desk.core.digests import DigestPair, sha256
from evidence_desk.core.moment import format_moment
from evidence_desk.core.ports import TimestampAuthority
from evidence_desk.core.rows import TimestampReply
from evidence_desk.services.capture_tokens import TokenAsker
from evidence_desk.services.clock_offset import note_offset
from evidence_desk.services.desk import Desk

_LOOK_SECONDS: Final = 0.1


class Marker:
    """Writes the marks of one capture, and the tokens over them as they come; used by one thread.

    Args:
        started: SHA-256 of ``started.json``.
        authorities: asked by another thread; none of them holds anything up.
    """

    def __init__(
        self, desk: Desk, workspace: Workspace, started: bytes, authorities: Sequence[TimestampAuthority]
    ) -> None:
        self._desk, self._workspace, self._started = desk, workspace, started
        self._asker = TokenAsker(authorities)
        self._results: list[MarkResult] = []
        self._newest: TimestampReply | None = None

    @property
    def count(self) -> int:
        """Marks so far."""
        return len(self._results)

    @property
    def tokens(self) -> int:
        """Marks with a token."""
        return sum(item.token for item in self._results)

    def results(self) -> tuple[MarkResult, ...]:
        """All of them, for the manifest."""
        return tuple(self._results)

    def mark(self, kind: MarkKind, reach: Reach | None = None, after: DigestPair | None = None) -> None:
        """Write a mark, and have a token over it asked for.

        Raises:
            HostError: the disk.
        """
        index = self.count
        data = encode_mark(
            Mark(
                kind=kind, started=self._started, at=format_moment(self._desk.clock.now()),
                streams=() if reach is None else reach.streams,
                actions=0 if reach is None else reach.actions,
                head=bytes(32) if reach is None else reach.head,
                environment_after=after,
            )
        )  # fmt: skip
        name = mark_name(index)
        self._workspace.append(name, data)
        self._results.append(MarkResult(name=name, token=False, gen_time=None))
        self._asker.want(index, sha256(data))

    def collect(self) -> None:
        """Write the tokens that have come; does not wait for any.

        Raises:
            HostError: the disk.
        """
        for item in self._asker.fetch():
            self._workspace.append(token_name(item.index), item.reply.token)
            self._results[item.index] = MarkResult(
                name=mark_name(item.index), token=True, gen_time=item.reply.gen_time
            )
            if self._newest is None or item.reply.gen_time >= self._newest.gen_time:
                self._newest = item.reply

    def settle(self, seconds: float, *, enough: Callable[[], bool] = lambda: False) -> None:
        """Wait for the tokens that are asked for, `seconds` at most and until `enough`, and write them.

        Raises:
            HostError: the disk.
        """
        due = time.monotonic() + seconds
        while not enough() and (left := due - time.monotonic()) > 0:
            if self._asker.wait(min(left, _LOOK_SECONDS)):
                break
        self.collect()

    def close(self) -> None:
        """Wait for nothing more; marks whose token has not come stay without."""
        self._asker.close()

    def note_clock(self) -> None:
        """Keep what the newest token tells of the desk's clock, for the statements that follow."""
        if self._newest is not None:
            with self._desk.store.exclusive(), self._desk.store.transaction():
                note_offset(self._desk, self._newest)
