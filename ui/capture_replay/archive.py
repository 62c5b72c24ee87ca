"""The archive that is shown: opened, deleted where it lay, its pages and the moments at which they were asked for."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from PySide6.QtCore import QUrl

from evidence_desk.core.capture.manifest import MANIFEST, MAX_MANIFEST, Manifest, parse_manifest
from evidence_desk.core.capture.plan import CapturePlan, parse_plan
from evidence_desk.errors import HostError, MalformedError
from evidence_desk.wacz.answers import Answers
from evidence_desk.wacz.read import WaczReader

_PLAN = "plan.json"
_MAX_PLAN = 8 << 20


@dataclass(frozen=True, slots=True)
class RecordedPage:
    """A page: its number from 1, title, address, and moment (17 digits; "" when the archive has no answer for it)."""

    number: int
    title: str
    url: str
    at: str


@dataclass(frozen=True, slots=True)
class Archive:
    """An opened capture."""

    source: BinaryIO
    answers: Answers
    manifest: Manifest
    plan: CapturePlan
    pages: tuple[RecordedPage, ...]


def open_archive(path: Path) -> Archive:
    """Open and check lists, index and manifest; the file is gone from the disk's folder where the system allows that.

    Raises:
        MalformedError: it is no capture, or was changed. HostError: ``host.io``.
    """
    try:
        source = path.open("rb")
    except OSError as error:
        raise HostError("host.io", what=path.name, reason=type(error).__name__) from error
    if os.name == "posix":
        path.unlink(missing_ok=True)
    try:
        reader = WaczReader(source)
        manifest = parse_manifest(_read(reader, MANIFEST, MAX_MANIFEST))
        plan = parse_plan(_read(reader, _PLAN, _MAX_PLAN))
        answers = Answers(reader)
    except BaseException:
        source.close()
        raise
    return Archive(source, answers, manifest, plan, tuple(_pages(manifest, answers)))


def _pages(manifest: Manifest, answers: Answers) -> list[RecordedPage]:
    found: list[RecordedPage] = []
    before = ""
    for page in manifest.pages:
        url, at = page.url or page.reached, None
        for candidate in (page.url, page.reached):  # the way there sets cookies and the like
            asked = bytes(QUrl(candidate).toEncoded().data()).decode(
                "ascii", "replace"
            )  # as it goes over the wire
            if candidate and (at := answers.moment(asked, before)) is not None:
                url = asked
                break
        before = at or before
        found.append(RecordedPage(page.number, page.title, url, at or before))
    return found


def _read(reader: WaczReader, name: str, limit: int) -> bytes:
    with reader.open(name) as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise MalformedError("malformed.too_large", what=name, limit=limit)
    return data
