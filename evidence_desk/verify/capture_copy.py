"""Verify what a disclosure copy keeps, leaves out and opens (docs/spec/capture-disclosure.md).

What is missing must be declared, what is declared must be missing, and what is there must be what was sealed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from evidence_desk.core.capture.manifest import MANIFEST, FileDigest, Manifest, place
from evidence_desk.core.capture.redaction import (
    ARCHIVE,
    MAX_REDACTION,
    REDACTION,
    Redaction,
    contradiction,
    parse_redaction,
)
from evidence_desk.core.digests import DigestPair, PairHasher
from evidence_desk.core.verdict import Dimension
from evidence_desk.errors import MalformedError
from evidence_desk.verify.capture_work import Work, read, reason_of
from evidence_desk.wacz.layout import EVIDENCE
from evidence_desk.wacz.read import WaczReader

_PIECE: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What is expected in a WACZ: of a whole capture everything; `redaction` is None then."""

    redaction: Redaction | None = None

    @property
    def withheld(self) -> frozenset[str]:
        """Names of files that are left out."""
        return (
            frozenset() if self.redaction is None else frozenset(item.name for item in self.redaction.files)
        )

    @property
    def opened(self) -> tuple[str, ...]:
        """Names of private files that lie open."""
        return () if self.redaction is None else self.redaction.opened


def read_contents(work: Work, reader: WaczReader, manifest: Manifest, data: bytes) -> Contents | None:
    """What a WACZ says it leaves out; None when that cannot be so. `data` are the manifest's bytes."""
    if not reader.redacted:
        return Contents()
    check = "capture.redaction"
    try:
        redaction = parse_redaction(read(reader, REDACTION, MAX_REDACTION))
    except MalformedError as error:
        work.failed(Dimension.INTEGRITY, check, "malformed", reason=reason_of(error))
        return None
    wrong = contradiction(redaction, manifest, DigestPair.of(data))
    if wrong is not None:
        work.failed(Dimension.INTEGRITY, check, "other", reason=wrong)
        return None
    work.passed(
        Dimension.INTEGRITY, check,
        files=len(redaction.files), records=len(redaction.records), opened=len(redaction.opened),
    )  # fmt: skip
    return Contents(redaction=redaction)


def check_files(work: Work, reader: WaczReader, manifest: Manifest, contents: Contents) -> None:
    """The files are those of the manifest, none more, none less than declared, by size and both digests."""
    check = "capture.files"
    listed = {item.name: item for item in manifest.files}
    beside = {MANIFEST, *contents.opened, *(() if contents.redaction is None else (REDACTION,))}
    here = {*reader.evidence, ARCHIVE} - beside
    expected = set(listed) - contents.withheld
    for name in sorted(here ^ expected):
        reason = "missing" if name in expected else "present" if name in contents.withheld else "unlisted"
        work.failed(Dimension.INTEGRITY, check, reason, name=name)
    compared = here & expected
    if contents.redaction is not None and contents.redaction.records:
        compared -= {ARCHIVE}  # its records are compared one by one
    wrong = [name for name in sorted(compared) if not _matches(reader, listed[name])]
    for name in wrong:
        work.failed(Dimension.INTEGRITY, check, "differs", name=name)
    if wrong or here != expected:
        return
    if contents.withheld:
        work.unknown(
            Dimension.INTEGRITY, check, "withheld", count=len(compared), withheld=len(contents.withheld)
        )
    else:
        work.passed(Dimension.INTEGRITY, check, count=len(compared))


def check_opened(work: Work, reader: WaczReader, manifest: Manifest, contents: Contents) -> bool:
    """Private files that lie open are those that the manifest commits to; whether all are."""
    check = "capture.opened"
    private = {item.name: item for item in manifest.private}
    wrong = [
        name for name in contents.opened if name not in reader.evidence or not _matches(reader, private[name])
    ]
    for name in wrong:
        work.failed(Dimension.INTEGRITY, check, "differs", name=name)
    if contents.opened and not wrong:
        work.passed(Dimension.INTEGRITY, check, count=len(contents.opened))
    return not wrong


def check_records(work: Work, reader: WaczReader, manifest: Manifest, contents: Contents) -> None:
    """Records that are missing are those that are declared; the reader compared the others with the listing."""
    if contents.redaction is None:
        return
    check = "capture.records"
    listing = reader.listing()
    kept = set(reader.kept)
    missing = [item.id for item in listing if item.id not in kept]
    declared = [item.name for item in contents.redaction.records]
    archive = next((item for item in manifest.files if item.name == ARCHIVE), None)
    if archive is None or listing[-1].end != archive.size:
        work.failed(Dimension.INTEGRITY, check, "listing")
    elif missing == declared:
        if missing:
            work.unknown(Dimension.INTEGRITY, check, "withheld", count=len(kept), withheld=len(missing))
        else:
            work.passed(Dimension.INTEGRITY, check, count=len(kept))
    elif undeclared := set(missing) - set(declared):
        work.failed(Dimension.INTEGRITY, check, "undeclared", count=len(undeclared))
    else:
        work.failed(Dimension.INTEGRITY, check, "declared")


def _matches(reader: WaczReader, item: FileDigest) -> bool:
    hasher = PairHasher()
    try:
        with (
            reader.open(item.name)
            if place(item.name).startswith(EVIDENCE)
            else reader.open_archive() as stream
        ):
            while piece := stream.read(_PIECE):
                hasher.update(piece)
    except MalformedError:
        return False
    return hasher.size == item.size and item.digests.matches(hasher.digest())
