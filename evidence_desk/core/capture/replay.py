"""What the replay browser and whoever starts it say to each other: one canonical JSON object a line, read strictly.

The starter says one `ReplayOrder` on the browser's standard input, whose end closes the browser; it answers on its output.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar, Final, get_args

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.errors import MalformedError

MAX_LINE: Final = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOrder:
    """Everything the browser has to know.

    Attributes:
        archive: absolute path of the plain WACZ; deleted by the browser once it is open, where the system lets it.
        number: evidence number, shown in the window.
        page: page to begin with, from 1; when `save` is given, the only one, and 0 for all.
        scripts: whether scripts of the pages run.
        save: absolute folder for what the pages show, after which the browser ends; "" for a window.
        debug_port: free port on 127.0.0.1 for the browser's own client.
        tongue: ``zh`` or ``en``, of the window.
    """

    kind: ClassVar = "replay"
    archive: str
    number: str
    page: int
    scripts: bool
    save: str
    debug_port: int
    tongue: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOpened:
    """The archive is open, nothing can be reached, the first page is being shown."""

    kind: ClassVar = "opened"
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayShown:
    """A page was saved: its number, title, and how many requests of it the archive did not answer."""

    kind: ClassVar = "shown"
    page: int
    title: str
    unanswered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayFailed:
    """It ends because of this; `reason` is that of the error where it has one."""

    kind: ClassVar = "failed"
    code: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayEnded:
    """The person closed the window, or everything is saved."""

    kind: ClassVar = "ended"


ReplayMessage = ReplayOrder | ReplayOpened | ReplayShown | ReplayFailed | ReplayEnded
_KINDS: Final[dict[str, type[ReplayMessage]]] = {kind.kind: kind for kind in get_args(ReplayMessage)}
_TYPES: Final = {"str": str, "int": int, "bool": bool}


def encode_replay(message: ReplayMessage) -> bytes:
    """One line, with its line feed."""
    value: dict[str, JSON] = {item.name: getattr(message, item.name) for item in fields(message)}
    return encode({"kind": message.kind, "facts": value}) + b"\n"


def parse_replay(line: bytes) -> ReplayMessage:
    """Read one line, with or without its line feed.

    Raises:
        MalformedError: ``malformed.capture_message``, ``malformed.json…``, ``malformed.too_large``.
    """
    value = decode(line.removesuffix(b"\n"), what="replay message", limit=MAX_LINE)
    if not isinstance(value, dict) or set(value) != {"kind", "facts"}:
        raise MalformedError("malformed.capture_message", kind="")
    kind, facts = value["kind"], value["facts"]
    made = _KINDS.get(kind) if isinstance(kind, str) else None
    if made is None or not isinstance(facts, dict):
        raise MalformedError("malformed.capture_message", kind="")
    hints = {item.name: _TYPES[str(item.type)] for item in fields(made)}
    if set(facts) != set(hints):
        raise MalformedError("malformed.capture_message", kind=made.kind)
    for name, hint in hints.items():
        item = facts[name]
        if type(item) is not hint or (type(item) is int and item < 0):
            raise MalformedError("malformed.capture_message", kind=made.kind)
    return made(**facts)  # type: ignore[arg-type]
