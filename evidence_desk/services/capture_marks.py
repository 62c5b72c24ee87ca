"""Marks while a capture runs: how far it had come, each with a token of an authority over it where one answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from evidence_desk.core.capture.manifest import MarkResult
from evidence_desk.core.capture.marks import Mark, MarkKind, encode_mark, mark_name, token_name
from evidence_desk.core.capture.ports import Reach
from evidence_desk.core.capture.workspace import Workspace
from evidence_desk.core.digests import DigestPair, sha256
from evidence_desk.core.moment import format_moment
from evidence_desk.core.ports import TimestampAuthority
from evidence_desk.errors import RemoteError
from evidence_desk.services.clock_offset import note_offset
from evidence_desk.services.desk import Desk
from evidence_desk.services.timestamp import ask


@dataclass(slots=True)
class Marker:
    """Writes the marks of one capture.

    Attributes:
        started: SHA-256 of ``started.json``.
    """

    desk: Desk
    workspace: Workspace
    started: bytes
    authorities: Sequence[TimestampAuthority]
    _results: list[MarkResult] = field(default_factory=list, init=False)

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
        """Write a mark, and ask for a token over it; when no authority answers it stays without.

        Raises:
            HostError: the disk.
        """
        index = self.count
        data = encode_mark(
            Mark(
                kind=kind, started=self.started, at=format_moment(self.desk.clock.now()),
                streams=() if reach is None else reach.streams,
                actions=0 if reach is None else reach.actions,
                head=bytes(32) if reach is None else reach.head,
                environment_after=after,
            )
        )  # fmt: skip
        name = mark_name(index)
        self.workspace.append(name, data)
        try:
            reply = ask(self.authorities, sha256(data))
        except RemoteError:
            self._results.append(MarkResult(name=name, token=False, gen_time=None))
            return
        self.workspace.append(token_name(index), reply.token)
        with self.desk.store.exclusive(), self.desk.store.transaction():
            note_offset(self.desk, reply)
        self._results.append(MarkResult(name=name, token=True, gen_time=reply.gen_time))
