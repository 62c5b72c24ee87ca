"""How much of what pages cause is told: the action log stays below what its readers take, whatever a page does.

What is left out is told once for each kind of event. What the browser itself did (snapshots, addresses that are done) is
always told; when even that becomes too much, the capture ends.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from evidence_desk.core.capture.events import (
    CertificateRefused,
    Done,
    Downloaded,
    Event,
    Fault,
    Heartbeat,
    Snapped,
    Started,
    Step,
    Visited,
)
from evidence_desk.core.capture.messages import encode_message
from ui.capture_browser.steps import MAX_STEPS

MAX_ALIKE: Final = 2000
"""Events of one kind that pages may cause; the rest is not told one by one."""
MAX_LOG: Final = 60 << 20
"""Bytes of the whole action log; its readers take 64 MiB."""
LINE: Final = 256
"""Bytes that the action log adds to a message at most: number, moment, digest of the line before."""
LONGEST: Final = 512 << 10
"""Bytes of one event; the action log's lines may have twice as many."""
_KIND: Final = 2 << 20
"""Bytes of one kind of event that pages cause."""
_KINDS: Final = {Step.kind: 8 << 20, Downloaded.kind: 6 << 20, CertificateRefused.kind: 4 << 20}
_ALIKE: Final = {Step.kind: MAX_STEPS + 2}
_OURS: Final = 16 << 20
"""Bytes of what the browser did, after which snapshots are told without long addresses and titles."""
_SHORT: Final = 200
_FLOOD: Final = "capture.browser_flood"
_NEVER_LEFT_OUT: Final = (Started, Snapped, Visited)


class Ration:
    """Passes events on, as many as there is room for.

    Args:
        say: to the driver.
        full: told once, when nothing more can be told but the end.
    """

    def __init__(self, say: Callable[[Event], None], full: Callable[[], None]) -> None:
        self._say, self._full = say, full
        self._count: Counter[str] = Counter()
        self._size: Counter[str] = Counter()
        self._flooded: set[str] = set()
        self._chains: set[tuple[str, ...]] = set()
        self._total = self._own = 0
        self.over = False

    def say(self, event: Event) -> None:
        """Tell it, if there is room."""
        if isinstance(event, Heartbeat | Done):  # not in the log; the last word
            self._say(event)
        elif isinstance(event, _NEVER_LEFT_OUT):
            self._say_own(event)
        elif not self.over:
            self._say_of_page(self._chain_once(event) if isinstance(event, CertificateRefused) else event)

    def _say_own(self, event: Started | Snapped | Visited) -> None:
        size = _size(event)
        if (
            isinstance(event, Snapped) and self._own + size > _OURS
        ):  # a long address is left out: one that is cut is another
            event = replace(
                event, url=event.url if len(event.url) <= _SHORT else "", title=event.title[:_SHORT]
            )
            size = _size(event)
        self._own += size
        self._pass_on(event, size)

    def _say_of_page(self, event: Event) -> None:
        kind, size = event.kind, _size(event)
        self._count[kind] += 1
        fits = size <= LONGEST and self._size[kind] + size <= _KINDS.get(kind, _KIND)
        if fits and self._count[kind] < _ALIKE.get(kind, MAX_ALIKE):
            self._size[kind] += size
            self._pass_on(event, size)
        elif kind not in self._flooded:
            self._flooded.add(kind)
            flood = Fault(code=_FLOOD, detail=kind)
            self._pass_on(flood, _size(flood))

    def _pass_on(self, event: Event, size: int) -> None:
        if self.over:
            return
        if self._total + size > MAX_LOG:
            self.over = True
            self._full()
            return
        self._total += size
        self._say(event)

    def _chain_once(self, event: CertificateRefused) -> CertificateRefused:
        """A chain that was told before is named by its digest."""
        if event.chain in self._chains or not event.chain:
            digest = hashlib.sha256("".join(event.chain).encode()).hexdigest()
            return replace(event, chain=(f"sha256:{digest}",) if event.chain else ())
        self._chains.add(event.chain)
        return event


def _size(event: Event) -> int:
    return len(encode_message(event)) + LINE
