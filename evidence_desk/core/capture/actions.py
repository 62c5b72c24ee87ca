"""The action log of a capture, ``actions.jsonl``: what browser and person did, one canonical line each, chained by SHA-256.

Each line names the digest of the line before, so that none can be left out, added or moved without changing all that follow;
marks and manifest fix the last (`ActionLog.head`).
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Final

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.core.capture.events import Event
from evidence_desk.core.capture.messages import facts, read_event
from evidence_desk.core.capture.workspace import Workspace
from evidence_desk.core.digests import parse_hex, sha256
from evidence_desk.core.moment import format_moment, parse_moment
from evidence_desk.core.ports import Clock
from evidence_desk.errors import MalformedError

NAME: Final = "actions.jsonl"
START: Final = bytes(32)
"""What the first line names as the one before it."""
MAX_LINE: Final = 1 << 20
MAX_ACTIONS: Final = 1_000_000
_MEMBERS: Final = frozenset({"number", "at", "kind", "facts", "previous"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One line: number from 1, moment by the desk's clock, what the browser told, digest of the line before."""

    number: int
    at: str
    event: Event
    previous: bytes

    def to_json(self) -> dict[str, JSON]:
        """The line."""
        return {
            "number": self.number, "at": self.at, "kind": self.event.kind, "facts": facts(self.event),
            "previous": self.previous.hex(),
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionChain:
    """What a log holds.

    Attributes:
        actions: all whole lines that hang together, in order.
        head: digest of the last of these, `START` for none.
        broken: number of the first line that does not continue the one before, None when all do.
        torn: the log ends inside a line: the recorder was killed there.
    """

    actions: tuple[Action, ...]
    head: bytes
    broken: int | None
    torn: bool


class ActionLog:
    """Appends to the log of one capture; safe from any thread. Continues nothing: for a new workspace."""

    def __init__(self, workspace: Workspace, clock: Clock) -> None:
        self._workspace, self._clock = workspace, clock
        self._lock = threading.Lock()
        self._count, self._head = 0, START

    @property
    def reach(self) -> tuple[int, bytes]:
        """(number of lines, digest of the last), taken together; `START` for none."""
        with self._lock:
            return self._count, self._head

    @property
    def count(self) -> int:
        """Lines so far."""
        return self.reach[0]

    @property
    def head(self) -> bytes:
        """SHA-256 of the last line without its line feed, `START` for none."""
        return self.reach[1]

    def add(self, event: Event) -> Action:
        """Append what the browser told; durable on return. HostError when the disk refuses."""
        with self._lock:
            action = Action(
                number=self._count + 1, at=format_moment(self._clock.now()), event=event, previous=self._head
            )
            line = encode(action.to_json())
            self._workspace.append(NAME, line + b"\n")
            self._count, self._head = action.number, sha256(line)
        return action


def verify_actions(data: bytes) -> ActionChain:
    """Read a log and follow its chain.

    Raises:
        MalformedError: ``malformed.actions`` when a line is none of ours; a chain that breaks is a result.
    """
    actions: list[Action] = []
    head, broken = START, None
    for line in data.splitlines(keepends=True):
        if not line.endswith(b"\n"):
            return ActionChain(actions=tuple(actions), head=head, broken=broken, torn=True)
        action = _parse(line[:-1])
        if action.number != len(actions) + 1 or action.previous != head:
            broken = len(actions) + 1
            break
        if action.number > MAX_ACTIONS:
            raise MalformedError("malformed.actions", reason="number")
        actions.append(action)
        head = sha256(line[:-1])
    return ActionChain(actions=tuple(actions), head=head, broken=broken, torn=False)


def _parse(line: bytes) -> Action:
    value = decode(line, what=NAME, limit=MAX_LINE)
    if not isinstance(value, dict) or set(value) != _MEMBERS:
        raise MalformedError("malformed.actions", reason="members")
    number, kind = value["number"], value["kind"]
    if type(number) is not int or number < 1 or not isinstance(kind, str):
        raise MalformedError("malformed.actions", reason="number")
    at = value["at"]
    parse_moment(at, what=NAME)
    return Action(
        number=number, at=str(at), event=read_event(kind, value["facts"]),
        previous=parse_hex(value["previous"], what=NAME),
    )  # fmt: skip
