"""Verify what a capture's manifest says of its private files and of its limits.

Without the keys of the case the outside of the age file must fit: one recipient, and room for exactly what is listed.
With them every private file is held against the manifest.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Final

from evidence_desk.core.capture.environment import Raw
from evidence_desk.core.capture.environment_codec import parse as parse_environment
from evidence_desk.core.capture.manifest import SECRETS, Manifest
from evidence_desk.core.capture.redaction import CREDENTIALS, KEYLOG
from evidence_desk.core.capture.story import CUT_SHORT, LIMITS
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.package.zip_reader import ZipReader
from evidence_desk.core.verdict import Dimension
from evidence_desk.errors import MalformedError
from evidence_desk.verify.age_envelope import private_size, read_envelope
from evidence_desk.verify.capture_work import Work, read, reason_of
from evidence_desk.wacz.read import WaczReader

_CHECK: Final = "capture.private"
_REPORTS: Final = ("environment-before.json", "environment-after.json")
_MAX_REPORT: Final = 64 << 20


def check_private(work: Work, reader: WaczReader, manifest: Manifest, secrets: bytes | None) -> bytes | None:
    """Private files and their envelope are what the manifest says; the key log, when `secrets` are given and right.

    Args:
        work: takes the findings.
        reader: of the capture.
        manifest: of it.
        secrets: content of ``secrets.age``; b"" when the keys of the case do not open it, None for whoever has no keys.
    """
    try:
        wrong = _listed(work, reader, manifest) or _envelope(reader, manifest)
        inside = None
        if wrong is None and secrets is not None and manifest.private:
            inside = _inside(manifest, secrets)
            wrong = "contents" if inside is None else None
    except MalformedError as error:
        work.failed(Dimension.INTEGRITY, _CHECK, "malformed", reason=reason_of(error))
        return None
    count = len(manifest.private)
    if wrong is not None:
        work.failed(Dimension.INTEGRITY, _CHECK, wrong)
    elif inside is not None:
        work.passed(Dimension.INTEGRITY, _CHECK, count=count)
        return inside.get(KEYLOG)
    elif SECRETS in work.withheld:
        work.unknown(Dimension.ENVIRONMENT, _CHECK, "withheld", count=count)
    elif count:
        work.unknown(Dimension.ENVIRONMENT, _CHECK, "closed", count=count)
    return None


def check_limits(work: Work, manifest: Manifest) -> None:
    """Everything that a certificate has to say no capture shows is in the manifest."""
    check = "capture.limits"
    if set(LIMITS) <= set(manifest.limits):
        work.passed(Dimension.INTEGRITY, check, count=len(manifest.limits))
    else:
        missing = set(LIMITS) - set(manifest.limits)
        work.differs(check, "missing", sealed_by=manifest.software, count=len(missing))


def _listed(work: Work, reader: WaczReader, manifest: Manifest) -> str | None:
    """What is private is listed as such and nowhere else, and is what the environment reports keep apart."""
    private = {item.name: item for item in manifest.private}
    files = {item.name for item in manifest.files}
    if (SECRETS in files) != bool(private):
        return "secrets"
    if files & (private.keys() | set(CREDENTIALS)):
        return "public"
    names = set(CREDENTIALS)
    for name in _REPORTS:
        if name in work.withheld:
            names |= private.keys()
        for raw in _attached(reader, name):
            found = private.get(str(raw.attachment))
            names.add(str(raw.attachment))
            if found is None and CUT_SHORT not in {item.code for item in manifest.reasons}:
                return "attachment"
            if found is not None and (found.size != raw.size or not found.digests.matches(raw.digests)):
                return "attachment"
    return None if private.keys() <= names else "names"


def _attached(reader: WaczReader, name: str) -> Iterator[Raw]:
    if name in reader.evidence:
        report = parse_environment(read(reader, name, _MAX_REPORT))
        yield from (raw for item in report.items for raw in item.raws if raw.attachment is not None)


def _envelope(reader: WaczReader, manifest: Manifest) -> str | None:
    """One key opens it, and what it holds is as long as the container of the listed files."""
    if SECRETS not in reader.evidence:
        return None
    with reader.open(SECRETS) as source:
        envelope = read_envelope(source, reader.evidence[SECRETS])
    if envelope.recipients != 1:
        return "recipients"
    return None if envelope.content == private_size(manifest.private) else "size"


def _inside(manifest: Manifest, secrets: bytes) -> dict[str, bytes] | None:
    """The private files, None when they are not those of the manifest."""
    inside = ZipReader(io.BytesIO(secrets))
    if inside.names != tuple(item.name for item in manifest.private):
        return None
    found = {item.name: inside.read(item.name, item.size) for item in manifest.private}
    same = all(item.digests.matches(DigestPair.of(found[item.name])) for item in manifest.private)
    return found if same else None
