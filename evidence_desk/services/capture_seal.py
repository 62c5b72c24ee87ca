"""Seal a capture: read its streams, pack everything, commit to all of it in one manifest, store and append."""

from __future__ import annotations

import errno
import io
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO, Final
from urllib.parse import urlsplit

from evidence_desk.core.capture.connection import parse_index
from evidence_desk.core.capture.environment import Reason, because
from evidence_desk.core.capture.environment_codec import parse as parse_environment
from evidence_desk.core.capture.manifest import (
    MANIFEST,
    SECRETS,
    CheckResult,
    FileDigest,
    Manifest,
    MarkResult,
    encode_manifest,
)
from evidence_desk.core.capture.marks import STARTED_LEAF, Started
from evidence_desk.core.capture.ports import Reach
from evidence_desk.core.capture.rows import CaptureResult, CaptureRow, CaptureState
from evidence_desk.core.capture.story import LIMITS, Story
from evidence_desk.core.capture.workspace import Workspace
from evidence_desk.core.digests import DigestPair, PairHasher
from evidence_desk.core.job import Job
from evidence_desk.core.moment import format_moment
from evidence_desk.core.package.zip_writer import ZipWriter
from evidence_desk.core.rows import ExhibitRow, StoredObject
from evidence_desk.core.statement import FileEntry
from evidence_desk.errors import EvidenceDeskError, HostError, NotFoundError
from evidence_desk.services.capture_start import AFTER, BEFORE, is_private_output, targets_of
from evidence_desk.services.clock_offset import last_comparison
from evidence_desk.services.desk import Desk
from evidence_desk.services.register import CaptureBond, Prepared, append_exhibits
from evidence_desk.services.seal import SealRequest
from evidence_desk.wacz.build import BUILT, INDEX, WARC_NAME, Built, build
from evidence_desk.wacz.layout import Page
from evidence_desk.wacz.pack import About, pack_wacz

WACZ: Final = "capture.wacz"
CLEANLINESS: Final = "cleanliness-report.pdf"
REQUEST: Final = "request.json"
"""What was said about the capture, kept until it is sealed; the statement says it then."""
PRIVATE: Final = frozenset({"keylog.txt", "cookies.json", "storage.json"})
"""What could open accounts or streams: only encrypted to the case, as are private outputs of the environment checks."""
MAX_SHOWN: Final = 200
"""Pictures and PDFs of pages that become files of the exhibit; all of them are in the WACZ."""
_SHARES: Final = frozenset({"page-bytes", "stream-bytes"})
"""Reasons in the index of connections, see ``docs/spec/capture-streams.md``."""
_MAX_TITLE: Final = 120
_PIECE: Final = 1 << 20
_MEDIA: Final = {".wacz": "application/wacz", ".pdf": "application/pdf", ".png": "image/png"}

Render = Callable[[bytes, bytes | None, Started], bytes]
Judge = Callable[[Sequence[Reason]], tuple[CaptureResult, tuple[Reason, ...]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """A recording that has ended.

    Attributes:
        judge: how it came out, given what was found in its streams.
    """

    row: CaptureRow
    started: Started
    workspace: Workspace
    story: Story
    reach: Reach
    marks: tuple[MarkResult, ...]
    ended: datetime
    judge: Judge


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """The exhibit and how its capture came out."""

    exhibit: ExhibitRow
    result: CaptureResult
    reasons: tuple[Reason, ...]


def seal_capture(
    desk: Desk,
    capture: Capture,
    request: SealRequest,
    *,
    render: Render,
    job: Job,
) -> Sealed:
    """Make the exhibit of a capture; what an earlier, broken-off attempt has made of it is made anew.

    Args:
        desk: the open desk.
        capture: the recording.
        request: case and exhibit fields; its title is that of the first page, or its host, when empty.
        job: stages ``capture.build``, ``capture.pack`` and those of storing.
        render: PDF of the environment reports, of these and the beginning alone: whoever has the capture can make it again.

    Raises:
        HostError: the disk; the workspace stays and can be sealed again.
    """
    try:
        with _disk_faults():
            return _seal(desk, capture, request, render, job)
    except BaseException:
        with suppress(EvidenceDeskError):  # half of an archive would take the room that is wanted
            _discard_made(capture.workspace)
        raise


@contextmanager
def _disk_faults() -> Iterator[None]:
    """Streams of a workspace raise OSError as they are."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise HostError("host.disk_full", what="capture") from error
        reason = errno.errorcode.get(error.errno or 0, "unknown")
        raise HostError("host.io", what="capture", reason=reason) from error


def _seal(
    desk: Desk,
    capture: Capture,
    request: SealRequest,
    render: Render,
    job: Job,
) -> Sealed:
    workspace = capture.workspace
    title = request.title or _title(capture)
    _discard_made(workspace)
    workspace.append(STARTED_LEAF, _started_leaf(desk, capture.row))
    built = build(workspace, software=_software(desk), at=_microseconds(capture.row.started), job=job)
    after = read_file(workspace, AFTER) if AFTER in workspace.names() else None
    workspace.append(CLEANLINESS, render(read_file(workspace, BEFORE), after, capture.started))
    private = _keep_secrets(desk, capture)
    reasons = [*built.reasons, *_refused(capture, built.refused), *_cut_off(workspace)]
    manifest = _manifest(capture, _software(desk), built.counts, reasons, private, after)
    workspace.append(MANIFEST, encode_manifest(manifest))
    _pack(desk, capture, manifest, built, title, job)
    exhibit = _store(desk, capture, manifest, request, title, job)
    return Sealed(exhibit=exhibit, result=manifest.result, reasons=manifest.reasons)


def _discard_made(workspace: Workspace) -> None:
    for name in (*BUILT, STARTED_LEAF, CLEANLINESS, SECRETS, MANIFEST, WACZ):
        workspace.discard(name)


def _refused(capture: Capture, refused: Collection[tuple[str, int]]) -> Iterator[Reason]:
    """Addresses of the plan itself that the guard refused: of this machine, or of a private network."""
    for target in targets_of(capture.started.plan):
        if (target.host, target.port) in refused:
            yield because("capture.reason.address_refused", address=str(target))


def _cut_off(workspace: Workspace) -> Iterator[Reason]:
    """Connections that had taken what one of them, or one address of a list, may take."""
    index = parse_index(read_file(workspace, INDEX)) if INDEX in workspace.names() else ()
    if count := sum(item.reason in _SHARES for item in index):
        yield because("capture.reason.share_spent", count=count)


def _started_leaf(desk: Desk, row: CaptureRow) -> bytes:
    """The leaf ``capture.started``, in whatever log it lies."""
    for origin in reversed(desk.store.origins):
        log = desk.store.log if origin == desk.origin else desk.store.archived_log(origin)
        found = log.leaf_by_hash(row.started_leaf)
        if found is not None:
            return found.leaf
    raise NotFoundError("capture.unknown", number=row.id.hex())


def _keep_secrets(desk: Desk, capture: Capture) -> tuple[FileDigest, ...]:
    """Write `SECRETS`: a stored ZIP of what is private, encrypted to the case; the digests of what is in it."""
    workspace = capture.workspace
    names = [name for name in workspace.names() if _is_private(name)]
    if not names:
        return ()
    sink = io.BytesIO()
    writer = ZipWriter(sink)
    for name in names:
        with workspace.open(name) as source:
            writer.add(name, source, workspace.size(name))
    writer.finish()
    wrapped = desk.store.objects.wrap(sink.getvalue(), case_number=capture.row.case_number)
    workspace.append(SECRETS, wrapped)
    return tuple(_digest(workspace, name) for name in names)


def _manifest(
    capture: Capture,
    software: str,
    counts: Mapping[str, int],
    found: Sequence[Reason],
    private: tuple[FileDigest, ...],
    after: bytes | None,
) -> Manifest:
    story = capture.story
    result, reasons = capture.judge(found)
    return Manifest(
        id=capture.row.id, started=capture.row.started_leaf, software=software, result=result, reasons=reasons,
        begun=capture.row.started, ended=capture.ended, browser=story.browser(), pages=story.pages(),
        checks=_checks(read_file(capture.workspace, BEFORE), after),
        counts={**story.counts, "downloads": len(story.downloads), **counts},
        before=DigestPair.of(read_file(capture.workspace, BEFORE)),
        after=None if after is None else DigestPair.of(after),
        marks=capture.marks, actions=capture.reach.actions, head=capture.reach.head, limits=LIMITS,
        files=tuple(_digest(capture.workspace, name) for name in _public(capture.workspace)),
        private=private,
    )  # fmt: skip


def _is_private(name: str) -> bool:
    return name in PRIVATE or is_private_output(name)


def _checks(before: bytes, after: bytes | None) -> tuple[CheckResult, ...]:
    """Outcomes of the environment checks, in the order of the reports."""
    first, last = parse_environment(before), None if after is None else parse_environment(after)
    return tuple(
        CheckResult(
            check=item.check,
            before=item.outcome,
            after=None if last is None or (other := last.item(item.check)) is None else other.outcome,
        )
        for item in first.items
    )


def _public(workspace: Workspace) -> list[str]:
    return [name for name in workspace.names() if not _is_private(name) and name not in (REQUEST, MANIFEST)]


def _pack(desk: Desk, capture: Capture, manifest: Manifest, built: Built, title: str, job: Job) -> None:
    workspace = capture.workspace
    total = sum(item.size for item in manifest.files)
    done = 0

    def progress(size: int) -> None:
        nonlocal done
        done += size
        job.step("capture.pack", done, total)

    names = [name for name in (*_public(workspace), MANIFEST) if name != WARC_NAME]
    with workspace.create(WACZ) as out:
        pack_wacz(
            out,
            warc=_File(workspace, WARC_NAME),
            records=built.records,
            pages=[
                Page(
                    id=f"page-{page.number:03}", url=page.reached or page.url, title=page.title,
                    at=format_moment(capture.row.started),
                )
                for page in manifest.pages
            ],
            evidence={name: _File(workspace, name) for name in names},
            about=About(
                title=title,
                created=capture.ended.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                software=_software(desk),
            ),
            progress=progress,
        )  # fmt: skip


def _store(
    desk: Desk, capture: Capture, manifest: Manifest, request: SealRequest, title: str, job: Job
) -> ExhibitRow:
    registered = desk.clock.now()
    comparison = last_comparison(desk)
    with desk.store.objects.batch() as originals:
        entries: list[FileEntry] = []
        stored: list[StoredObject] = []
        for name, shown in _files(capture, manifest):
            entry, item = _put(desk, capture, name, shown, job)
            entries.append(entry)
            stored.append(item)
        originals.settle(stored)
        prepared = Prepared(
            title=title, registered=registered, entries=tuple(entries), stored=tuple(stored),
            capture=CaptureBond(
                started=capture.row.started_leaf,
                manifest=DigestPair.of(encode_manifest(manifest)),
                environment=manifest.before,
            ),
        )  # fmt: skip
        with desk.appending() as appender:
            (exhibit,) = append_exhibits(desk, appender, [prepared], request, comparison)
            desk.store.captures.end(
                capture.row.id, CaptureState.SEALED, capture.ended, exhibit.leaf_hash,
                result=manifest.result, manifest=encode_manifest(manifest),
            )  # fmt: skip
    return exhibit


def _files(capture: Capture, manifest: Manifest) -> list[tuple[str, str]]:
    """(name in the workspace, name shown) of what becomes a file of the exhibit: the WACZ first."""
    stamp = capture.row.started.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    files = [(WACZ, f"{_host(capture)}-{stamp}.wacz"), (CLEANLINESS, CLEANLINESS)]
    shown = [name for page in manifest.pages for name in page.names if name.endswith((".png", ".pdf"))]
    return [*files, *((name, name) for name in dict.fromkeys(shown[:MAX_SHOWN]))]


def _put(desk: Desk, capture: Capture, name: str, shown: str, job: Job) -> tuple[FileEntry, StoredObject]:
    with capture.workspace.open(name) as source:
        item = desk.store.objects.put(
            source, case_number=capture.row.case_number, size=capture.workspace.size(name), job=job
        )
    entry = FileEntry(
        name=unicodedata.normalize("NFC", shown),
        raw_name=shown.encode(),
        size=item.size,
        media_type=_MEDIA[name[name.rindex(".") :]],
        digests=item.digests,
        modified=capture.ended,
    )
    return entry, item


@dataclass(frozen=True, slots=True)
class _File:
    """A file of the workspace as a source."""

    workspace: Workspace
    name: str

    @property
    def size(self) -> int:
        """Bytes."""
        return self.workspace.size(self.name)

    def open(self) -> BinaryIO:
        """From the beginning."""
        return self.workspace.open(self.name)


def _digest(workspace: Workspace, name: str) -> FileDigest:
    hasher = PairHasher()
    with workspace.open(name) as source:
        while piece := source.read(_PIECE):
            hasher.update(piece)
    return FileDigest(name=name, size=hasher.size, digests=hasher.digest())


def read_file(workspace: Workspace, name: str) -> bytes:
    """A whole file of a workspace; for those that are small."""
    with workspace.open(name) as source:
        return source.read()


def _title(capture: Capture) -> str:
    title = next((page.title.strip() for page in capture.story.pages() if page.title.strip()), "")
    printable = "".join(char if char.isprintable() else " " for char in title)
    return unicodedata.normalize("NFC", printable[:_MAX_TITLE].strip()) or _host(capture)


def _host(capture: Capture) -> str:
    """Host of the first address, as a name of a file can hold it."""
    pages = capture.story.pages()
    url = capture.started.plan.urls[0] if capture.started.plan.urls else pages[0].url if pages else ""
    host = urlsplit(url).hostname or "web"
    return "".join(char if char.isalnum() or char in ".-" else "-" for char in host)[:_MAX_TITLE]


def _microseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


def _software(desk: Desk) -> str:
    tools = [f"{tool.get('name', '')} {tool.get('version', '')}".strip() for tool in desk.tools]
    return tools[0] if tools and tools[0] else "Evidence Desk"
