"""Foreign text made harmless for a screen: names of files, cases, people. They can neither turn, break nor format anything."""

from __future__ import annotations

import html
from typing import Final

SHORT: Final = 240
"""Characters of a name that are shown; tooltips show `LONG`."""
LONG: Final = 2_000
_SPACES: Final = "\u00a0\u3000"
"""No-break and ideographic: common in Chinese texts, and harmless."""


def plain(text: str, limit: int = SHORT) -> str:
    """One line: control, bidirectional and invalid characters as escapes, cut with an ellipsis."""
    cut = text[:limit]
    shown = "".join(_shown(char) for char in cut)
    return f"{shown}…" if len(text) > limit else shown


def _shown(char: str) -> str:
    if char in _SPACES:
        return " " if char == "\u00a0" else char
    return char if char.isprintable() else f"\\u{{{ord(char):x}}}"


def lines(text: str, limit: int = LONG) -> list[str]:
    """As `plain`, keeping the lines a person wrote."""
    return [plain(line, limit) for line in text[: 2 * limit].splitlines()] or [""]


def tip(text: str) -> str:
    """A tooltip that shows `text` as it is: Qt would take what looks like HTML for HTML."""
    body = "<br>".join(html.escape(line) for line in lines(text))
    return f"<span>{body}</span>" if text else ""
