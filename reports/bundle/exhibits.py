"""Prints what one exhibit holds, file by file; a file that fails becomes a note, never the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import BinaryIO, Final

from evidence_desk.core.bundle import BundleExhibit, BundleOriginal, UnprintedFile
from evidence_desk.core.certificate import FileFacts
from reports.bundle.kinds import HEAD, Kind, kind_of
from reports.bundle.mail import MOST_BYTES as MOST_MAIL
from reports.bundle.mail import mail_lines
from reports.bundle.own_pages import name_of, note_pages
from reports.bundle.pdf_pages import pdf_pages
from reports.bundle.pictures import pictures
from reports.bundle.press import Press, Sheet
from reports.bundle.problem import Reason, UnprintableError
from reports.bundle.sheets import A4, FormPage, pieces, place
from reports.bundle.text_pages import text_lines, text_pages

MOST_BYTES: Final = 2 << 30
"""Greatest size of a file that is printed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Sheets `start` to `start + count` of an exhibit without its title pages; `reason` why a file is not there, or not whole.

    `noted`: the sheets are a note in the place of the file.
    """

    start: int
    count: int
    reason: Reason | None = None
    noted: bool = False


@dataclass(slots=True)
class PrintedExhibit:
    """What one exhibit gave; one span a file, in order."""

    sheets: list[Sheet] = field(default_factory=list)
    files: list[Span] = field(default_factory=list)
    certificate: Span | None = None


def print_exhibit(
    press: Press, item: BundleExhibit, index: int, *, done: Callable[[], None]
) -> PrintedExhibit:
    """All files of an exhibit; `done` is called after each.

    Raises:
        IntegrityError: an original is not what was sealed. CanceledError.
    """
    work = _Work(press, item, index)
    for entry, original in zip(item.exhibit.files, item.originals, strict=True):
        work.file(entry, original)
        done()
    work.note()
    return work.printed


def print_certificate(press: Press, item: BundleExhibit, index: int, printed: PrintedExhibit) -> None:
    """The pages of its certificate, behind its files."""
    certificate = item.certificate
    if certificate is None:
        return
    say, start = press.say, len(printed.sheets)
    name = name_of(item.exhibit, index, say)
    first = say("bundle.foot.certificate", exhibit=name, number=certificate.number)
    foot = press.foot(first, say("bundle.foot.signed"))
    try:
        for page in pdf_pages(BytesIO(certificate.pdf), press.writer, step=press.step):
            printed.sheets.append(Sheet(place(_as_own(page)), foot))
    except UnprintableError as error:
        missing = UnprintedFile(
            number=item.exhibit.number, name=f"{certificate.number}.pdf", reason=error.reason.value
        )
        press.unprinted.append(missing)
    if len(printed.sheets) > start:
        printed.certificate = Span(start=start, count=len(printed.sheets) - start)


class _Work:
    """One exhibit being printed; files without pages wait together for their note."""

    def __init__(self, press: Press, item: BundleExhibit, index: int) -> None:
        self._press = press
        self._item = item
        self._index = index
        self._waiting: list[tuple[int, FileFacts]] = []
        self.printed = PrintedExhibit()

    def file(self, entry: FileFacts, original: BundleOriginal) -> None:
        """Print one file, or as much of it as can be."""
        sheets, say = self.printed.sheets, self._press.say
        exhibit, name = self._item.exhibit, name_of(self._item.exhibit, self._index, self._press.say)
        first = say("bundle.foot.file", exhibit=name, number=exhibit.number, name=entry.name)
        foot = self._press.foot(first, say("bundle.foot.copy"))
        start, reason = len(sheets), None
        try:
            for page in self._pages(entry, original):
                if self._waiting:
                    self.note()
                    start = len(sheets)
                sheets += [Sheet(place(piece), foot) for piece in pieces(page)]
        except UnprintableError as error:
            reason = error.reason
        self.printed.files.append(Span(start=start, count=len(sheets) - start, reason=reason))
        if reason is None:
            return
        self._press.unprinted.append(
            UnprintedFile(number=exhibit.number, name=entry.name, reason=reason.value)
        )
        self._waiting.append((len(self.printed.files) - 1, entry))
        if len(sheets) > start:
            self.note(partly=len(sheets) - start)

    def note(self, *, partly: int = 0) -> None:
        """A note in the place of the files that wait."""
        if not self._waiting:
            return
        press, item, spans = self._press, self._item, self.printed.files
        files = [(at + 1, entry, spans[at].reason or Reason.BROKEN) for at, entry in self._waiting]
        pages = note_pages(item.exhibit, self._index, press.imprint, press.say, files=files, partly=partly)
        name = name_of(item.exhibit, self._index, press.say)
        foot = press.foot(press.say("bundle.head", name=name, number=item.exhibit.number))
        start = len(self.printed.sheets)
        self.printed.sheets += press.own(pages, foot)
        for at, _ in self._waiting:
            if partly:
                spans[at] = replace(spans[at], count=len(self.printed.sheets) - spans[at].start)
            else:
                spans[at] = replace(spans[at], start=start, count=len(pages), noted=True)
        self._waiting.clear()

    def _pages(self, entry: FileFacts, original: BundleOriginal) -> Iterator[FormPage]:
        press = self._press
        if not entry.size:
            raise UnprintableError(Reason.EMPTY)
        kind = kind_of(entry.name, entry.media_type, original.head(HEAD))
        if kind is Kind.OTHER:
            raise UnprintableError(Reason.KIND)
        if entry.size > MOST_BYTES:
            raise UnprintableError(Reason.TOO_LARGE)
        with original.checked() as source:
            match kind:
                case Kind.PDF:
                    yield from pdf_pages(source, press.writer, step=press.step)
                case Kind.PICTURE:
                    yield from pictures(
                        source, press.writer, press.ink, caption=self._caption(entry), step=press.step
                    )
                case _:
                    yield from self._text(entry, source, mail=kind is Kind.MAIL)

    def _caption(self, entry: FileFacts) -> Callable[[int, int], str]:
        say = self._press.say

        def caption(number: int, count: int) -> str:
            if count == 1:
                return entry.name
            return say("bundle.picture.part", name=entry.name, number=number, count=count)

        return caption

    def _text(self, entry: FileFacts, source: BinaryIO, *, mail: bool) -> Iterator[FormPage]:
        press, say = self._press, self._press.say
        if mail and entry.size <= MOST_MAIL:
            lines = mail_lines(source.read(), say)
            if lines is not None:
                head = say("bundle.text.mail", name=entry.name)
                yield from text_pages(lines, press.ink, head=lambda _: head, step=press.step)
                return
        numbered, encoding, whole = text_lines(source)
        head = say("bundle.text.head", name=entry.name, encoding=encoding)
        yield from text_pages(numbered, press.ink, head=lambda _: head, step=press.step, whole=whole)


def _as_own(page: FormPage) -> FormPage:
    """Our own A4 pages leave room for the foot and are not made smaller."""
    left, bottom, right, top = page.box
    same = abs(right - left - A4[0]) < 1 and abs(top - bottom - A4[1]) < 1 and (left, bottom) == (0, 0)
    return replace(page, own=True) if same and not page.rotate else page
