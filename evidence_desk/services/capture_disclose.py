"""Disclosure copy 披露副本 of a capture: parts left out or opened, bound to the same manifest, recorded in custody."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Final

from evidence_desk.core.canonical import JSON
from evidence_desk.core.capture.redaction import (
    CREDENTIALS,
    KEYLOG,
    MAX_REASON,
    Redaction,
    encode_redaction,
    needed,
)
from evidence_desk.core.digests import sha256
from evidence_desk.core.job import Job
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.core.trust import Trust
from evidence_desk.core.verdict import Dimension, Status
from evidence_desk.errors import IntegrityError, UsageError
from evidence_desk.services.captured import Captured, Spool, opened_capture, private_files
from evidence_desk.services.custody import CustodyNote, record
from evidence_desk.services.desk import Desk
from evidence_desk.verify.capture import verify_capture
from evidence_desk.wacz.copy import write_copy
from evidence_desk.wacz.withhold import Chosen, Wish, choose

ACTION: Final = "disclosed"
_PIECE: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosureWish:
    """What a copy is to leave out and to open.

    Attributes:
        credentials, names, addresses: see `wacz.withhold.Wish`.
        open_secrets: key log, cookies and storage lie open in it, as far as there are; `opened`: these private files.
        reason: why, in a person's words; it stands in the copy.
    """

    credentials: bool = False
    names: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    open_secrets: bool = False
    opened: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosed:
    """A copy that was written: what it leaves out and opens, its size and SHA-256."""

    redaction: Redaction
    size: int
    sha256: bytes


def disclose(
    desk: Desk,
    exhibit: ExhibitRow,
    wish: DisclosureWish,
    out: BinaryIO,
    *,
    trust: Trust,
    spool: Spool,
    job: Job,
    operator: str = "",
) -> Disclosed:
    """Write a disclosure copy of the capture that an exhibit holds, verify it, and record that it was made.

    Args:
        desk: the open desk.
        exhibit: one that holds a capture.
        wish: what to leave out and to open.
        out: gets the copy.
        trust: for tokens, when the copy is verified.
        spool: makes anonymous files for plain bytes.
        job: stages ``capture.open``, ``capture.check`` and ``capture.build``.
        operator: for the custody record.

    Raises:
        UsageError: ``capture_disclose.…`` for wishes that go against each other or mean nothing here.
        IntegrityError: the capture is not what was sealed; ``capture_disclose.unsound`` when the copy does not verify.
    """
    refuse_contradictions(wish)
    with opened_capture(desk, exhibit, spool, job) as captured, spool() as made:
        redaction, chosen = planned(captured, wish, desk.clock.now())
        opened = private_files(desk, captured, redaction.opened)
        write_copy(made, captured.reader, captured.manifest, redaction, kept=chosen.kept, opened=opened)
        _verify(desk, captured, made, trust, spool, job)
        disclosed = _handed_out(made, out, redaction)
    _record(desk, exhibit, disclosed, operator)
    return disclosed


def planned(captured: Captured, wish: DisclosureWish, at: datetime) -> tuple[Redaction, Chosen]:
    """What a wish comes to: what a copy would say of itself, and what stays in its archive. Reads the archive through.

    Raises:
        UsageError, MalformedError: see `disclose`.
    """
    names = _to_open(captured, wish)
    chosen = _choose(captured, wish)
    redaction = Redaction(
        manifest=captured.digests, at=at, reason=wish.reason,
        files=chosen.files, records=chosen.records, opened=tuple(names),
    )  # fmt: skip
    if not (redaction.files or redaction.records or redaction.opened):
        raise UsageError("capture_disclose.nothing")
    return redaction, chosen


def refuse_contradictions(wish: DisclosureWish) -> None:
    """The key log opens every stream, and with them what was left out of the archive.

    Raises:
        UsageError: ``capture_disclose.credentials_open``, ``capture_disclose.records_open``, ``capture_disclose.reason_long``.
    """
    opened = {*wish.opened, *(CREDENTIALS if wish.open_secrets else ())}
    if wish.credentials and opened & set(CREDENTIALS):
        raise UsageError("capture_disclose.credentials_open")
    if wish.addresses and KEYLOG in opened:
        raise UsageError("capture_disclose.records_open")
    if len(wish.reason) > MAX_REASON:
        raise UsageError("capture_disclose.reason_long", limit=MAX_REASON)


def _to_open(captured: Captured, wish: DisclosureWish) -> list[str]:
    private = {item.name for item in captured.manifest.private}
    for name in wish.opened:
        if name not in private:
            raise UsageError("capture_disclose.not_private", name=name)
    return sorted({*wish.opened, *(private & set(CREDENTIALS) if wish.open_secrets else ())})


def _choose(captured: Captured, wish: DisclosureWish) -> Chosen:
    listed = {item.name for item in captured.manifest.files}
    for name in wish.names:
        if name not in listed:
            raise UsageError("capture_disclose.no_file", name=name)
        if name in needed(captured.manifest):
            raise UsageError("capture_disclose.needed", name=name)
    chosen = choose(
        captured.reader,
        captured.manifest,
        Wish(credentials=wish.credentials, addresses=wish.addresses, names=wish.names),
    )
    if chosen.unmatched:
        raise UsageError("capture_disclose.no_record", pattern=chosen.unmatched[0])
    return chosen


def _verify(desk: Desk, captured: Captured, made: BinaryIO, trust: Trust, spool: Spool, job: Job) -> None:
    """What is handed out is what its reader will find right."""
    verdict = verify_capture(
        made, bond=captured.bond, trust=trust, now=desk.clock.now(), job=job, spool=spool
    )
    wrong = [
        item.code
        for item in verdict.findings
        if item.status is Status.FAILED and item.dimension is Dimension.INTEGRITY
    ]
    if wrong:
        raise IntegrityError("capture_disclose.unsound", code=wrong[0])


def _handed_out(made: BinaryIO, out: BinaryIO, redaction: Redaction) -> Disclosed:
    made.seek(0)
    size, hasher = 0, hashlib.sha256()
    while piece := made.read(_PIECE):
        hasher.update(piece)
        size += len(piece)
        out.write(piece)
    return Disclosed(redaction=redaction, size=size, sha256=hasher.digest())


def _record(desk: Desk, exhibit: ExhibitRow, disclosed: Disclosed, operator: str) -> None:
    redaction = disclosed.redaction
    facts: dict[str, JSON] = {
        "copy": disclosed.sha256.hex(), "redaction": sha256(encode_redaction(redaction)).hex(),
        "withheld_files": len(redaction.files), "withheld_records": len(redaction.records),
        "disclosed": ", ".join(redaction.opened), "why": redaction.reason,
    }  # fmt: skip
    record(desk, [CustodyNote(exhibit=exhibit.leaf_hash, action=ACTION, operator=operator, details=facts)])
