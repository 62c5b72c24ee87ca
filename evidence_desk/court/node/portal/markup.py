"""HTML made of values: every text is escaped where it enters, so nothing read from outside can become a tag."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Html:
    """Markup, already safe."""

    text: str


Child = Html | str | int | None
_VOID: Final = frozenset({"meta", "link", "input", "br", "hr"})


def tag(name: str, /, *children: Child, **attributes: str | bool | None) -> Html:
    """An element. `class_` and `for_` stand for reserved words, underscores within names for hyphens; None leaves out."""
    parts = [f"<{name}"]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        attribute = key.rstrip("_").replace("_", "-")
        parts.append(f" {attribute}" if value is True else f' {attribute}="{html.escape(value)}"')
    parts.append(">")
    if name not in _VOID:
        parts.append(join(*children).text)
        parts.append(f"</{name}>")
    return Html("".join(parts))


def join(*children: Child) -> Html:
    """Children one after the other."""
    return Html(
        "".join(
            child.text if isinstance(child, Html) else html.escape(str(child))
            for child in children
            if child is not None
        )
    )
