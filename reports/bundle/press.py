"""What a whole bundle is printed with: writer, fonts, voice; and sheets, which are pages before they have numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from evidence_desk.core.bundle import UnprintedFile
from evidence_desk.core.documents import Imprint
from reports.bundle.ink import Ink
from reports.bundle.sheets import Foot, Placed, own_page, place
from reports.bundle.writer import PdfWriter
from reports.pages import Page
from reports.speak import Speaker


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page of the bundle before it has a number."""

    placed: Placed
    foot: Foot


@dataclass(slots=True, kw_only=True)
class Press:
    """What all parts of a bundle are printed with; `step` is called often and gives up when the job was canceled."""

    writer: PdfWriter
    ink: Ink
    say: Speaker
    imprint: Imprint
    step: Callable[[], None]
    unprinted: list[UnprintedFile] = field(default_factory=list)

    def foot(self, first: str, second: str = "") -> Foot:
        """A foot of two lines, marked when anything in the case is a demo."""
        return Foot(first=first, second=second, mark=self._mark)

    def own(self, pages: Sequence[Page], foot: Foot) -> Iterator[Sheet]:
        """Sheets of our own pages."""
        for page in pages:
            self.step()
            form = self.ink.form(self.ink.page(page, self._mark))
            yield Sheet(place(own_page(form)), foot)

    @property
    def _mark(self) -> str:
        return self.say("certificate.watermark") if self.imprint.demo else ""
