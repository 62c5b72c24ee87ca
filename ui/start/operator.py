"""The name of the person who works with a vault, kept inside it: forms are filled with it."""

from __future__ import annotations

from typing import Final

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.canonical import decode, encode
from evidence_desk.errors import MalformedError

_SETTING: Final = "desktop.operator"
_LIMIT: Final = 4096


def keep_operator(session: Session, name: str) -> None:
    """Set the name; it waits for other writers."""
    with session.vault.transaction():
        session.vault.exhibits.set_setting(_SETTING, encode({"name": name}))


def operator_name(session: Session) -> str:
    """The name, empty when none was given."""
    data = session.vault.exhibits.get_setting(_SETTING)
    try:
        value = None if data is None else decode(data, what=_SETTING, limit=_LIMIT)
    except MalformedError:
        return ""
    name = value.get("name") if isinstance(value, dict) else None
    return name if isinstance(name, str) else ""
