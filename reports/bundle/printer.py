"""Puts a bundle 卷宗 together: catalog, exhibits, certificates; numbers, feet and bookmarks.

Contents go to the file as they are printed. Catalog and title pages name page numbers, so they come last in the file and
first in the order of pages.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO, Final

from evidence_desk.core.bundle import Bundle, PrintedBundle
from evidence_desk.core.documents import Catalog
from evidence_desk.core.job import Job
from evidence_desk.errors import BugError
from evidence_desk.texts import Language
from reports.bundle.exhibits import PrintedExhibit, Span, print_certificate, print_exhibit
from reports.bundle.ink import Ink
from reports.bundle.outline import Bookmark, write_outline
from reports.bundle.own_pages import Certified, FilePlace, laid_out, name_of, title_pages
from reports.bundle.press import Press, Sheet
from reports.bundle.sheets import sheet_content
from reports.bundle.writer import PdfWriter, numbers, text_string
from reports.documents import as_blocks
from reports.pages import Page
from reports.pdfa import PRODUCER
from reports.speak import Speaker

_ROUNDS: Final = 6
"""Attempts at a numbering that does not change the number of pages; lengths only grow from one to the next."""
_BRANCH: Final = 64
"""Pages a node of the page tree."""

Range = tuple[int, int]


class PdfBundlePrinter:
    """`core.bundle.BundlePrinter`: one PDF, written front to back, in one language."""

    def __init__(self, language: Language = Language.ZH) -> None:
        self._language = language

    def print(self, bundle: Bundle, out: BinaryIO, *, job: Job) -> PrintedBundle:
        """Write the bundle; see the port."""
        return _Assembly(bundle, out, job, Speaker(self._language)).print()


@dataclass(frozen=True, slots=True)
class _Front:
    """Laid-out pages that name page numbers, and where each exhibit then stands."""

    catalog: list[Page]
    titles: list[list[Page]]
    ranges: tuple[Range, ...]


class _Assembly:
    """One bundle in the making."""

    def __init__(self, bundle: Bundle, out: BinaryIO, job: Job, say: Speaker) -> None:
        self._bundle = bundle
        self._job = job
        self._say = say
        self._total = sum(len(item.originals) for item in bundle.exhibits)
        self._done = 0
        self._writer = PdfWriter(out)
        self._ink = Ink(self._writer)
        self._press = Press(
            writer=self._writer, ink=self._ink, say=say, imprint=bundle.catalog.imprint, step=self._step
        )

    def print(self) -> PrintedBundle:
        """Everything, in the order of the file."""
        self._step()
        printed, owners = self._contents()
        front = self._front(printed, owners)
        sheets = self._sheets(front, printed)
        pages = self._pages(sheets)
        self._ink.finish()
        self._close(pages, self._bookmarks(front, printed))
        return PrintedBundle(pages=len(pages), ranges=front.ranges, unprinted=tuple(self._press.unprinted))

    def _step(self) -> None:
        self._job.step("bundle", self._done, self._total)

    def _file_done(self) -> None:
        self._done += 1
        self._step()

    def _contents(self) -> tuple[list[PrintedExhibit], list[int | None]]:
        """Files and certificates; which exhibit a certificate over several stands with."""
        result: list[PrintedExhibit] = []
        owners: list[int | None] = []
        seen: dict[str, int] = {}
        for index, item in enumerate(self._bundle.exhibits):
            printed = print_exhibit(self._press, item, index, done=self._file_done)
            owner = None
            if item.certificate is not None:
                owner = seen.setdefault(item.certificate.number, index)
                if owner == index:
                    print_certificate(self._press, item, index, printed)
            owners.append(owner)
            result.append(printed)
        return result, owners

    # --- numbers ---

    def _front(self, printed: Sequence[PrintedExhibit], owners: Sequence[int | None]) -> _Front:
        """Lay out what names page numbers until the numbers hold; a part that came out shorter gets an empty page."""
        catalog, titles = 1, [1] * len(printed)
        for _ in range(_ROUNDS):
            self._step()
            starts = _starts(catalog, titles, printed)
            front = self._laid_out(starts, titles, printed, owners)
            counts = [len(pages) for pages in front.titles]
            if len(front.catalog) <= catalog and all(
                count <= room for count, room in zip(counts, titles, strict=True)
            ):
                front.catalog.extend(Page() for _ in range(catalog - len(front.catalog)))
                for pages, room in zip(front.titles, titles, strict=True):
                    pages.extend(Page() for _ in range(room - len(pages)))
                return front
            catalog = max(catalog, len(front.catalog))
            titles = [max(pair) for pair in zip(counts, titles, strict=True)]
        raise BugError("bug.bundle_numbering")

    def _laid_out(
        self,
        starts: Sequence[int],
        titles: Sequence[int],
        printed: Sequence[PrintedExhibit],
        owners: Sequence[int | None],
    ) -> _Front:
        ranges = tuple(
            (start, start + room + len(item.sheets) - 1)
            for start, room, item in zip(starts, titles, printed, strict=True)
        )
        bodies = [start + room for start, room in zip(starts, titles, strict=True)]
        pages = []
        for index, item in enumerate(self._bundle.exhibits):
            owner = owners[index]
            span = None if owner is None else printed[owner].certificate
            certified = None
            if item.certificate is not None and owner is not None and span is not None:
                certified = Certified(number=item.certificate.number, pages=_range(span, bodies[owner]))
            pages.append(
                title_pages(
                    item.exhibit, index, self._bundle.catalog.imprint, self._say,
                    pages=ranges[index], certified=certified,
                    files=[_place(span, bodies[index]) for span in printed[index].files],
                )
            )  # fmt: skip
        return _Front(self._catalog(ranges), pages, ranges)

    def _catalog(self, ranges: Sequence[Range]) -> list[Page]:
        numbered: Catalog = replace(
            self._bundle.catalog,
            paged=True,
            entries=tuple(
                replace(entry, pages=pages)
                for entry, pages in zip(self._bundle.catalog.entries, ranges, strict=True)
            ),
        )
        return laid_out(replace(as_blocks(numbered, self._say.language), page="", watermark=""))

    # --- pages ---

    def _sheets(self, front: _Front, printed: Sequence[PrintedExhibit]) -> Iterator[Sheet]:
        say, press = self._say, self._press
        case = self._bundle.catalog.imprint.case.number
        yield from press.own(front.catalog, press.foot(say("bundle.foot.catalog", case=case)))
        for index, (item, pages) in enumerate(zip(self._bundle.exhibits, front.titles, strict=True)):
            name = name_of(item.exhibit, index, say)
            foot = press.foot(
                say("bundle.head", name=name, number=item.exhibit.number), say("bundle.foot.title")
            )
            yield from press.own(pages, foot)
            yield from printed[index].sheets

    def _pages(self, sheets: Iterator[Sheet]) -> list[int]:
        """Objects of all pages; the tree that holds them is written by `_close`."""
        waiting = list(sheets)
        nodes = [self._writer.reserve() for _ in range(-(-len(waiting) // _BRANCH))]
        pages: list[int] = []
        for index, sheet in enumerate(waiting):
            self._step()
            placed = sheet.placed
            numbering = self._say("bundle.numbering", page=index + 1, pages=len(waiting))
            reduced = self._say("bundle.reduced", percent=max(1, round(placed.scale * 100)))
            content = sheet_content(placed, sheet.foot, numbering, reduced, self._ink)
            stream = self._writer.add_stream(b"", content)
            pages.append(
                self._writer.add(
                    b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 %b] /Contents %d 0 R /Resources << %b /XObject"
                    b" << /P %d 0 R >> >> >>"
                    % (
                        nodes[index // _BRANCH], numbers(placed.width, placed.height), stream,
                        self._ink.fonts, placed.form,
                    )
                )
            )  # fmt: skip
        self._nodes = nodes
        return pages

    def _bookmarks(self, front: _Front, printed: Sequence[PrintedExhibit]) -> list[Bookmark]:
        say = self._say
        marks = [Bookmark(say("documents.catalog"), 1)]
        for index, (item, (first, _)) in enumerate(zip(self._bundle.exhibits, front.ranges, strict=True)):
            body = first + len(front.titles[index])
            children = [
                Bookmark(entry.name, body + span.start)
                for entry, span in zip(item.exhibit.files, printed[index].files, strict=True)
            ]
            span = printed[index].certificate
            if span is not None and item.certificate is not None:
                title = say("bundle.outline.certificate", number=item.certificate.number)
                children.append(Bookmark(title, body + span.start))
            name = say("bundle.outline", name=name_of(item.exhibit, index, say), title=item.exhibit.title)
            marks.append(Bookmark(name, first, tuple(children)))
        return marks

    def _close(self, pages: Sequence[int], marks: Sequence[Bookmark]) -> None:
        writer, say = self._writer, self._say
        tree = writer.reserve()
        for index, node in enumerate(self._nodes):
            kids = pages[index * _BRANCH : (index + 1) * _BRANCH]
            listed = b" ".join(b"%d 0 R" % kid for kid in kids)
            body = b"<< /Type /Pages /Parent %d 0 R /Count %d /Kids [%b] >>" % (tree, len(kids), listed)
            writer.write(node, body)
        nodes = b" ".join(b"%d 0 R" % node for node in self._nodes)
        writer.write(tree, b"<< /Type /Pages /Count %d /Kids [%b] >>" % (len(pages), nodes))
        outline = write_outline(writer, marks, pages)
        imprint = self._bundle.catalog.imprint
        title = say("bundle.title", case=imprint.case.number)
        language = b"zh-CN" if say.language is Language.ZH else b"en"
        root = writer.add(
            b"<< /Type /Catalog /Pages %d 0 R /Outlines %d 0 R /PageMode /UseOutlines /Lang (%b)"
            b" /ViewerPreferences << /DisplayDocTitle true >> >>" % (tree, outline, language)
        )
        made = f"(D:{imprint.made:%Y%m%d%H%M%S}Z)".encode("ascii")
        info = writer.add(
            b"<< /Title %b /Producer (%b) /CreationDate %b /ModDate %b >>"
            % (text_string(title), PRODUCER.encode("ascii"), made, made)
        )
        writer.finish(root=root, info=info)


def _starts(catalog: int, titles: Sequence[int], printed: Sequence[PrintedExhibit]) -> list[int]:
    """First page of each exhibit, 1-based."""
    starts, at = [], catalog + 1
    for room, item in zip(titles, printed, strict=True):
        starts.append(at)
        at += room + len(item.sheets)
    return starts


def _range(span: Span, body: int) -> Range:
    return body + span.start, body + span.start + span.count - 1


def _place(span: Span, body: int) -> FilePlace:
    return FilePlace(pages=None if span.noted else _range(span, body), reason=span.reason)
