"""Tokens over marks, asked for by a thread of its own: no recording waits for an authority."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from evidence_desk.core.ports import TimestampAuthority
from evidence_desk.core.rows import TimestampReply
from evidence_desk.errors import EvidenceDeskError, RemoteError
from evidence_desk.services.timestamp import ask

TRIES: Final = 3
"""Times that a token over one mark is asked for in all, each after another mark got one."""


@dataclass(slots=True)
class _Wanted:
    """A token that is not here yet: which mark, its SHA-256, how often it was asked for."""

    index: int
    digest: bytes
    tries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A token over a mark, strictly verified."""

    index: int
    reply: TimestampReply


class TokenAsker:
    """Asks authorities for tokens, the newest mark first: its token covers whatever an earlier mark covers.

    What no authority answered is asked for again once one answers. Waiting are at most as many as there are marks, some
    hundred bytes each. Safe from any thread.

    Args:
        authorities: asked in order; the one that answered last is asked first.
    """

    def __init__(self, authorities: Sequence[TimestampAuthority]) -> None:
        self._order = list(authorities)
        self._changed = threading.Condition()
        self._waiting: list[_Wanted] = []
        self._missing: list[_Wanted] = []
        self._arrived: list[Arrived] = []
        self._asking = self._closed = False
        self._fault: BaseException | None = None
        self._thread: threading.Thread | None = None

    def want(self, index: int, digest: bytes) -> None:
        """Have a token asked for; returns at once."""
        if not self._order:
            return
        with self._changed:
            self._waiting.append(_Wanted(index, digest))
            if self._thread is None:  # a daemon: an authority that hangs must not hold the program open
                self._thread = threading.Thread(target=self._run, name="capture-tokens", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def fetch(self) -> list[Arrived]:
        """What came since the last call; raises what should never happen in the thread."""
        with self._changed:
            if self._fault is not None:
                raise self._fault
            found, self._arrived = self._arrived, []
        return found

    def wait(self, seconds: float) -> bool:
        """Whether nothing is asked for any more, waited for so long at most."""
        due = time.monotonic() + seconds
        with self._changed:
            while self._waiting or self._asking:
                left = due - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(left)
        return True

    def close(self) -> None:
        """Ask for nothing more; what still comes is dropped."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _run(self) -> None:
        while (wanted := self._next()) is not None:
            reply = None
            try:
                reply = self._ask(wanted.digest)
            except EvidenceDeskError:  # silent, refusing, lying; one of ours may lack room on the disk
                pass
            except BaseException as error:  # noqa: BLE001 - a thread has nobody to raise to
                with self._changed:
                    self._fault = None if self._closed else error
            self._note(wanted, reply)

    def _next(self) -> _Wanted | None:
        with self._changed:
            while not self._waiting and not self._closed:
                self._changed.wait()
            if self._closed:
                return None
            self._asking = True
            return self._waiting.pop()

    def _ask(self, digest: bytes) -> TimestampReply:
        failure: EvidenceDeskError | None = None
        for authority in tuple(self._order):
            try:
                reply = ask((authority,), digest)
            except RemoteError as error:
                failure = error
                continue
            self._order.remove(authority)
            self._order.insert(0, authority)
            return reply
        raise failure or RemoteError("client.no_authority")

    def _note(self, wanted: _Wanted, reply: TimestampReply | None) -> None:
        wanted.tries += 1
        with self._changed:
            self._asking = False
            if reply is None:
                self._missing.append(wanted)
            else:
                self._arrived.append(Arrived(index=wanted.index, reply=reply))
                self._waiting[:0] = [item for item in self._missing if item.tries < TRIES]
                self._missing.clear()
            self._changed.notify_all()
