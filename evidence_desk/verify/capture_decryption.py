"""Verify by decoding again: with the key log, streams must give exactly what the archive of a capture holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO, Final

from evidence_desk.core.capture.manifest import MANIFEST, Manifest
from evidence_desk.core.job import Job
from evidence_desk.core.verdict import Dimension
from evidence_desk.errors import MalformedError
from evidence_desk.verify.capture_work import Work, reason_of
from evidence_desk.wacz.read import WaczReader
from evidence_desk.wacz.recheck import Handshakes, Rechecked, recheck

_CHECK: Final = "capture.decryption"


def check_decryption(
    work: Work,
    reader: WaczReader,
    manifest: Manifest,
    key_log: bytes | None,
    spool: Callable[[], BinaryIO] | None,
    job: Job,
) -> None:
    """Make archive, lists and packets anew and compare each; then what the handshakes show.

    Another version of this program may decode otherwise: then a difference says nothing.
    """
    if key_log is None or spool is None:
        work.unknown(Dimension.ENVIRONMENT, _CHECK, "no_keys")
        return
    streams = sum(name.startswith("stream-") for name in work.withheld)
    if streams:
        work.unknown(Dimension.ENVIRONMENT, _CHECK, "withheld", count=streams)
        return
    try:
        done = recheck(reader, manifest, key_log, spool, job)
    except MalformedError as error:
        work.failed(Dimension.INTEGRITY, _CHECK, "malformed", reason=reason_of(error))
        return
    differs = [*done.differs, *_counts(manifest, done)]
    if not differs:
        exchanges = done.counts.get("exchanges", 0)
        work.passed(Dimension.INTEGRITY, _CHECK, records=done.records, exchanges=exchanges)
        _handshakes(work, done.handshakes)
    else:
        work.differs(_CHECK, "differs", sealed_by=manifest.software, name=differs[0], count=len(differs))


def _counts(manifest: Manifest, done: Rechecked) -> Iterator[str]:
    """The manifest, when it counts otherwise than what was made anew; without the browser's log that cannot be counted."""
    compared = {"browser_requests", "matched_requests", "differences"} if done.partial else set()
    if any(
        manifest.counts.get(name, 0) != count for name, count in done.counts.items() if name not in compared
    ):
        yield MANIFEST


def _handshakes(work: Work, found: Handshakes) -> None:
    """Servers signed the handshakes, and both ends came to the same keys."""
    check = "capture.handshake"
    facts = {"signed": found.signed, "resumed": found.resumed, "unchecked": found.unchecked}
    if found.wrong:
        work.failed(Dimension.ENVIRONMENT, check, "wrong", count=found.wrong, **facts)
    elif found.unchecked:
        work.unknown(Dimension.ENVIRONMENT, check, "partly", **facts)
    elif found.signed or found.resumed:
        work.passed(Dimension.ENVIRONMENT, check, **facts)
