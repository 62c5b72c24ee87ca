"""The registry of desks: opening, closing, rotating and revoking logs. Version 1 of the rules."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from evidence_desk.core.digests import DigestPair
from evidence_desk.court.node.app.codes import RefusedError
from evidence_desk.court.node.app.commitments import DESKS, LIST
from evidence_desk.court.node.app.logs import CHECKPOINT_INDEX, log_key
from evidence_desk.court.node.app.store import Overlay, Reader
from evidence_desk.court.protocol.actions import RegisterDesk, RevokeDesk, RotateDeskKeys
from evidence_desk.court.protocol.ed25519 import is_sound_key
from evidence_desk.court.protocol.registry import (
    CHECKPOINT_RECORD,
    DESK_ENTRY,
    DeskEntry,
    DeskKeys,
    DeskStatus,
    desk_family,
)
from evidence_desk.court.protocol.state import desk_key
from evidence_desk.court.protocol.transactions import SignatureScheme, TransactionSignature
from evidence_desk.court.protocol.tx_codes import TxCode

FAMILIES: Final = "families"
"""Space: origin without epoch → newest origin."""
KEYS: Final = "desk_keys"
"""Space: Ed25519 or SM2 key → family that ever used it: a key of one desk is never another's."""


def desk(rows: Reader, origin: str) -> DeskEntry | None:
    """Entry of a desk."""
    data = rows.get(DESKS, desk_key(origin))
    return None if data is None else DESK_ENTRY.decode(data)


def set_desk(rows: Overlay, entry: DeskEntry) -> None:
    """Change an entry."""
    rows.set(DESKS, desk_key(entry.origin), DESK_ENTRY.encode(entry))


def active_desk(rows: Reader, origin: str, height: int) -> DeskEntry:
    """Entry of a desk that may write at `height`; refuses otherwise."""
    entry = desk(rows, origin)
    if entry is None:
        raise RefusedError(TxCode.DESK_UNKNOWN)
    if entry.status is DeskStatus.CLOSED or (
        entry.status is DeskStatus.REVOKED and entry.status_since <= height
    ):
        raise RefusedError(TxCode.DESK_INACTIVE)
    return entry


def accepted_at(rows: Reader, entry: DeskEntry) -> int:
    """Height at which the newest checkpoint was accepted, 0 when there is none."""
    index = rows.get(CHECKPOINT_INDEX, log_key(entry.origin, entry.size))
    record = None if index is None else rows.get(LIST, index)
    return 0 if record is None else CHECKPOINT_RECORD.decode(record).height


def check_register(rows: Reader, action: RegisterDesk) -> None:
    """Whether an approved registration could be made now."""
    family = desk_family(action.origin)
    newest = rows.get(FAMILIES, family.encode())
    if desk(rows, action.origin) is not None or (newest or b"").decode() != action.succeeds:
        raise RefusedError(TxCode.ORIGIN)
    _check_keys(rows, action.keys, family)


def register(rows: Overlay, action: RegisterDesk, height: int) -> None:
    """Open a log and, in the same step, close the one before it; a log that is revoked may be followed, too."""
    check_register(rows, action)
    family = desk_family(action.origin)
    if action.succeeds:
        _close(rows, action.succeeds, action.origin, height)
    set_desk(
        rows,
        DeskEntry(
            origin=action.origin,
            office=action.office,
            keys=action.keys,
            registered=height,
            keys_since=height,
            status=DeskStatus.ACTIVE,
            status_since=height,
        ),
    )
    rows.set(FAMILIES, family.encode(), action.origin.encode())
    _take_keys(rows, action.keys, family)


def _close(rows: Overlay, origin: str, successor: str, height: int) -> None:
    """End a log. What a revocation said of it stands: since when, if that is earlier, and what is in doubt."""
    entry = desk(rows, origin)
    if entry is None:
        raise RefusedError(TxCode.ORIGIN)
    revoked = entry.status is DeskStatus.REVOKED
    status = DeskStatus.REVOKED if revoked else DeskStatus.CLOSED
    since = min(entry.status_since, height) if revoked else height
    set_desk(rows, replace(entry, status=status, status_since=since, successor=successor))


def is_precommitted(
    rows: Reader, action: RotateDeskKeys, height: int, signatures: tuple[TransactionSignature, ...]
) -> bool:
    """Whether the new keys sign for themselves and are those whose digests were registered with the present ones."""
    entry = active_desk(rows, action.origin, height)
    signed = {(item.scheme, item.key) for item in signatures}
    new = action.keys
    return (
        (SignatureScheme.ED25519, new.ed25519) in signed
        and (SignatureScheme.SM2, new.sm2) in signed
        and _pair(new.ed25519) == entry.keys.next_ed25519
        and _pair(new.sm2) == entry.keys.next_sm2
    )


def rotate(rows: Overlay, action: RotateDeskKeys, height: int) -> None:
    """Replace a desk's keys.

    Not in a block that accepted a checkpoint of the desk: the entry after that block is what tells, in its proofs,
    under which keys the note was accepted.
    """
    entry = active_desk(rows, action.origin, height)
    if accepted_at(rows, entry) == height:
        raise RefusedError(TxCode.CONFLICT)
    if action.keys.ed25519 == entry.keys.ed25519 or action.keys.sm2 == entry.keys.sm2:
        raise RefusedError(TxCode.KEYS)
    family = desk_family(action.origin)
    _check_keys(rows, action.keys, family)
    set_desk(rows, replace(entry, keys=action.keys, keys_since=height))
    _take_keys(rows, action.keys, family)


def revoke(rows: Overlay, action: RevokeDesk, height: int) -> None:
    """Take a desk's right away; a revocation may be made stricter later, never milder, and opens no closed log again."""
    entry = desk(rows, action.origin)
    if entry is None:
        raise RefusedError(TxCode.DESK_UNKNOWN)
    if action.effective_height < height:
        raise RefusedError(TxCode.VALUE)
    since, suspect = action.effective_height, action.suspect_from
    if entry.status is DeskStatus.REVOKED:
        if entry.status_since <= since and entry.suspect_from <= suspect:
            raise RefusedError(TxCode.KNOWN)
        suspect = min(entry.suspect_from, suspect)
    if entry.status is not DeskStatus.ACTIVE:
        since = min(entry.status_since, since)
    set_desk(rows, replace(entry, status=DeskStatus.REVOKED, status_since=since, suspect_from=suspect))


def is_desk_key(rows: Reader, ed25519: bytes) -> bool:
    """Whether any desk ever had this key."""
    return rows.get(KEYS, ed25519) is not None


def _check_keys(rows: Reader, keys: DeskKeys, family: str) -> None:
    """Keys that prove who signed: no other desk's, and none that signs for whoever wants (small order)."""
    owners = {rows.get(KEYS, key) for key in (keys.ed25519, keys.sm2)} - {None}
    if owners - {family.encode()} or not is_sound_key(keys.ed25519):
        raise RefusedError(TxCode.KEYS)


def _take_keys(rows: Overlay, keys: DeskKeys, family: str) -> None:
    for key in (keys.ed25519, keys.sm2):
        rows.set(KEYS, key, family.encode())


def _pair(key: bytes) -> bytes:
    digests = DigestPair.of(key)
    return digests.sha256 + digests.sm3
