"""Verify by decoding again: with the key log, streams must give exactly what the archive of a capture holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO, Final

from evidence_desk import __version__
from evidence_desk.core.capture.manifest import Manifest
from evidence_desk.core.job import Job
from evidence_desk.core.verdict import Dimension
from evidence_desk.errors import MalformedError
from evidence_desk.verify.capture_work import Work, reason_of
from evidence_desk.wacz.read import WaczReader
from evidence_desk.wacz.recheck import Handshakes, recheck

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
    if not done.differs:
        work.passed(Dimension.INTEGRITY, _CHECK, records=done.records, exchanges=done.exchanges)
        _handshakes(work, done.handshakes)
    elif manifest.software.endswith(f" {__version__}"):
        work.failed(Dimension.INTEGRITY, _CHECK, "differs", name=done.differs[0], count=len(done.differs))
    else:
        work.unknown(
            Dimension.ENVIRONMENT,
            _CHECK,
            "other_program",
            software=manifest.software[:80],
            version=__version__,
        )


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
