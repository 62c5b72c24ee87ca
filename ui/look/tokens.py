"""The values of the look: colors of three schemes, spacing, sizes. No Qt; every pair of text and ground holds 4.5:1 (a test)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from evidence_desk.core.verdict import Status


class Scheme(StrEnum):
    """Color schemes; `AUTO` follows the system."""

    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"
    CONTRAST = "contrast"


@dataclass(frozen=True, slots=True, kw_only=True)
class Colors:
    """Colors of one scheme as ``#RRGGBB``.

    Attributes:
        raised: ground of rows under the pointer and of chips; `selected`: ground of a chosen row.
        on_accent: text on the accent color. `focus`: frame of what has the keyboard.
    """

    window: str
    surface: str
    raised: str
    selected: str
    line: str
    text: str
    secondary: str
    accent: str
    accent_hover: str
    on_accent: str
    passed: str
    warning: str
    failed: str
    undetermined: str
    focus: str

    def status(self, status: Status) -> str:
        """Color of an outcome; never the only sign of it."""
        return {
            Status.PASSED: self.passed,
            Status.FAILED: self.failed,
            Status.UNDETERMINED: self.undetermined,
        }[status]


LIGHT: Final = Colors(
    window="#F5F6F8", surface="#FFFFFF", raised="#EEF1F4", selected="#E1EBF7", line="#D8DEE4", text="#1B1F24",
    secondary="#57606A", accent="#1F4E8C", accent_hover="#183E70", on_accent="#FFFFFF", passed="#166B2E",
    warning="#8A5A00", failed="#B42318", undetermined="#5B6672", focus="#1F4E8C",
)  # fmt: skip
DARK: Final = Colors(
    window="#15181C", surface="#1E2227", raised="#272C33", selected="#213044", line="#343B43", text="#E7EBEF",
    secondary="#A0A9B3", accent="#7FB0F0", accent_hover="#A3C7F5", on_accent="#10151B", passed="#5FC27E",
    warning="#E0A93B", failed="#F0766B", undetermined="#A0A9B3", focus="#7FB0F0",
)  # fmt: skip
CONTRAST: Final = Colors(
    window="#000000", surface="#000000", raised="#1A1A1A", selected="#003366", line="#FFFFFF", text="#FFFFFF",
    secondary="#FFFFFF", accent="#FFFF00", accent_hover="#FFFFFF", on_accent="#000000", passed="#3FF23F",
    warning="#FFD700", failed="#FF9494", undetermined="#FFFFFF", focus="#00FFFF",
)  # fmt: skip

COLORS: Final = {Scheme.LIGHT: LIGHT, Scheme.DARK: DARK, Scheme.CONTRAST: CONTRAST}

SPACE: Final = (4, 8, 12, 16, 24, 32)
"""Distances in logical pixels: use ``XS`` to ``XXL``."""
XS, S, M, L, XL, XXL = SPACE
RADIUS: Final = 8
CONTROL: Final = 32
"""Height of a control; the main action of a page is `MAIN`."""
MAIN: Final = 40
ICON: Final = 20
BODY: Final = 14
"""Font size in logical pixels."""
SMALL: Final = 12
TITLE: Final = 20
RAIL: Final = 168
"""Width of the rail of pages; `NARROW` where the window has no room for words."""
NARROW: Final = 56

SCALES: Final = (100, 125, 150, 175, 200, 250)
"""Percent offered in the settings, on top of the screen's own scale."""


def contrast(first: str, second: str) -> float:
    """Contrast ratio of two colors (WCAG 2.2, 1.4.3), 1 to 21."""
    bright, dark = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def _luminance(color: str) -> float:
    parts = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
