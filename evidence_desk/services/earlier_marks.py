"""What is remembered of the completion of earlier logs, so that it goes on later and is not done twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.services.desk import Desk

_MARKS: Final = "earlier-logs"
"""Setting: origin → how far its completion is."""
_LIMIT: Final = 1024 * 1024


@dataclass(slots=True)
class Mark:
    """How far a log is.

    Attributes:
        closed: first and last seq whose envelopes wait for keys or for another gateway; None when none does.
        left: leaves whose content is not here, whether or not it may still come.
        tried: digest of the keybag copies that did not open them.
        done: nothing is left to do.
    """

    closed: tuple[int, int] | None = None
    left: int = 0
    tried: str = ""
    done: bool = False

    def wait(self, start: int, stop: int) -> None:
        """Further leaves wait."""
        first = start if self.closed is None else min(start, self.closed[0])
        self.closed = (first, stop)


def read_marks(desk: Desk) -> dict[str, Mark]:
    """Marks of all logs that have one."""
    data = desk.store.exhibits.get_setting(_MARKS)
    value = {} if data is None else decode(data, what=_MARKS, limit=_LIMIT)
    found: dict[str, Mark] = {}
    for origin, item in value.items() if isinstance(value, dict) else ():
        known = item if isinstance(item, dict) else {}
        closed, left = known.get("closed"), known.get("left", 0)
        pair = [int(str(number)) for number in closed] if isinstance(closed, list) else []
        found[origin] = Mark(
            closed=(pair[0], pair[1]) if len(pair) == 2 else None,
            left=left if type(left) is int else 0,
            tried=str(known.get("tried", "")),
            done=known.get("done") is True,
        )
    return found


def remember(desk: Desk, marks: dict[str, Mark]) -> None:
    """Store the marks."""
    value: dict[str, JSON] = {
        origin: {
            "closed": None if mark.closed is None else list(mark.closed),
            "left": mark.left,
            "tried": mark.tried,
            "done": mark.done,
        }
        for origin, mark in marks.items()
    }
    with desk.store.transaction():
        desk.store.exhibits.set_setting(_MARKS, encode(value))


def unopened(desk: Desk) -> int:
    """Leaves of earlier logs whose content is not here: whether originals behind them are missing nobody can tell."""
    return sum(mark.left for mark in read_marks(desk).values())
