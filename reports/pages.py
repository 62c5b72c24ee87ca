"""Laid-out pages: what is drawn where, and the text of a page in reading order."""

from __future__ import annotations

from dataclasses import dataclass, field

from reports.blocks import Tone
from reports.fonts.faces import Style


@dataclass(frozen=True, slots=True)
class TextOp:
    """One line of text with its baseline at (x, y)."""

    x: float
    y: float
    text: str
    style: Style
    size: float
    tone: Tone


@dataclass(frozen=True, slots=True)
class RuleOp:
    """A horizontal line."""

    x: float
    y: float
    length: float
    thickness: float
    strong: bool


@dataclass(frozen=True, slots=True)
class FrameOp:
    """A rectangle with pale filling."""

    x: float
    y: float
    width: float
    height: float
    tone: Tone


@dataclass(frozen=True, slots=True)
class CodeOp:
    """A QR code; (x, y) is its lower left corner."""

    x: float
    y: float
    size: float
    payload: str


@dataclass(slots=True)
class Page:
    """Operations of one page, frames first."""

    frames: list[FrameOp] = field(default_factory=list)
    rules: list[RuleOp] = field(default_factory=list)
    codes: list[CodeOp] = field(default_factory=list)
    texts: list[TextOp] = field(default_factory=list)

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """How many operations of each kind there are."""
        return len(self.frames), len(self.rules), len(self.codes), len(self.texts)

    def cut(self, sizes: tuple[int, int, int, int]) -> None:
        """Take back what was added since there were so many."""
        frames, rules, codes, texts = sizes
        del self.frames[frames:], self.rules[rules:], self.codes[codes:], self.texts[texts:]

    def reading_order(self) -> list[TextOp]:
        """Texts from top to bottom, then left to right."""
        return sorted(self.texts, key=lambda op: (-round(op.y, 1), op.x))

    def lines(self) -> tuple[str, ...]:
        """Texts by baseline, what stands on one line joined by a space."""
        result: list[str] = []
        last: float | None = None
        for op in self.reading_order():
            if last is not None and abs(last - op.y) < 0.2:
                result[-1] += f" {op.text}"
            else:
                result.append(op.text)
            last = op.y
        return tuple(result)
