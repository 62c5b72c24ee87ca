"""What the capture browser and its driver say to each other: one canonical JSON object a line, read strictly on both sides.

The driver speaks on the browser's standard input (`Command`), the browser answers on its standard output (`Event`).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import ClassVar, Final, TypeVar, get_args, get_origin, get_type_hints

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.core.capture.events import Event, clean
from evidence_desk.core.capture.plan import CapturePlan
from evidence_desk.errors import BugError, MalformedError

MAX_LINE: Final = 8 << 20
"""A plan with its certificates and addresses; events stay far below."""
HEARTBEAT_SECONDS: Final = 1
SILENCE_SECONDS: Final = 15
"""A browser that says nothing for so long hangs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """The first line: everything the browser has to know before it starts.

    Attributes:
        folder: absolute path of the capture's folder.
        proxy_port: SOCKS5 proxy on 127.0.0.1.
        debug_port: free port on 127.0.0.1 for the browser's own observer, which the proxy refuses.
        tongue: ``zh`` or ``en``, of the window.
    """

    kind: ClassVar = "setup"
    plan: CapturePlan
    folder: str
    proxy_port: int
    debug_port: int
    tongue: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Navigate:
    """Go to an address (interactive)."""

    kind: ClassVar = "navigate"
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Take a snapshot of the page in front (interactive)."""

    kind: ClassVar = "snapshot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What the recorder has so far; the window shows it."""

    kind: ClassVar = "recorded"
    connections: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """End the capture: take what there is of cookies and storage, and quit."""

    kind: ClassVar = "stop"


Command = Setup | Navigate | Snapshot | Recorded | Stop
Message = Command | Event

_C = TypeVar("_C")


def facts(message: Message) -> dict[str, JSON]:
    """Members of a message without its kind."""
    return {field.name: _plain(getattr(message, field.name)) for field in fields(message)}


def encode_message(message: Message) -> bytes:
    """One line, with its line feed.

    Raises:
        BugError: ``bug.message`` when it is longer than `MAX_LINE`.
    """
    line = encode({"kind": message.kind, "facts": facts(message)}) + b"\n"
    if len(line) > MAX_LINE:
        raise BugError("bug.message", kind=message.kind)
    return line


def parse_event(line: bytes) -> Event:
    """Read one line of the browser, with or without its line feed.

    Raises:
        MalformedError: ``malformed.capture_message``, ``malformed.json…``, ``malformed.too_large``.
    """
    kind, members = _opened(line)
    return read_event(kind, members)


def read_event(kind: str, members: JSON) -> Event:
    """An event from its kind and `facts`.

    Raises:
        MalformedError: ``malformed.capture_message``.
    """
    return _read(_EVENTS, kind, members)


def parse_command(line: bytes) -> Command:
    """Read one line of the driver; see `parse_event`."""
    kind, members = _opened(line)
    return _read(_COMMANDS, kind, members)


_EVENTS: Final[dict[str, type[Event]]] = {kind.kind: kind for kind in get_args(Event)}
_COMMANDS: Final[dict[str, type[Command]]] = {kind.kind: kind for kind in get_args(Command)}
_HINTS: Final[dict[type, dict[str, object]]] = {
    kind: {name: hint for name, hint in get_type_hints(kind).items() if get_origin(hint) is not ClassVar}
    for kind in (*_EVENTS.values(), *_COMMANDS.values())
}


def _opened(line: bytes) -> tuple[str, JSON]:
    value = decode(line.removesuffix(b"\n"), what="capture message", limit=MAX_LINE)
    if not isinstance(value, dict) or set(value) != {"kind", "facts"} or not isinstance(value["kind"], str):
        raise MalformedError("malformed.capture_message", kind="")
    return value["kind"], value["facts"]


def _read(kinds: dict[str, type[_C]], kind: str, members: JSON) -> _C:
    made = kinds.get(kind)
    if made is None or not isinstance(members, dict):
        raise MalformedError("malformed.capture_message", kind=clean(kind, 40))
    hints = _HINTS[made]
    if set(members) != set(hints) - {"kind"}:
        raise MalformedError("malformed.capture_message", kind=kind)
    return made(**{name: _value(value, hints[name], kind) for name, value in members.items()})


def _value(value: JSON, hint: object, kind: str) -> object:
    if hint is CapturePlan:
        return CapturePlan.from_json(value)
    if get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise MalformedError("malformed.capture_message", kind=kind)
        return tuple(_value(item, get_args(hint)[0], kind) for item in value)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        try:
            return hint(value if isinstance(value, str) else "")
        except ValueError as error:
            raise MalformedError("malformed.capture_message", kind=kind) from error
    if type(value) is not hint or (type(value) is int and value < 0):
        raise MalformedError("malformed.capture_message", kind=kind)
    return value


def _plain(value: object) -> JSON:
    match value:
        case CapturePlan():
            return value.to_json()
        case StrEnum():
            return value.value
        case tuple():
            return [_plain(item) for item in value]
        case str() | int():
            return value
    raise BugError("bug.message", kind=type(value).__name__)
