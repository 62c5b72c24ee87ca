"""Rotate the desk's keys: the ones committed to beforehand, held on paper, take the place of those on the disk.

The network hears of it first: from then on notes under the old keys are refused, whoever has them. Each step can be
taken again after a crash. A thief with the old keys cannot rotate: the next ones are not on the disk.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from evidence_desk.core.canonical import JSON
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.job import Job
from evidence_desk.core.leaf import Leaf, LeafType
from evidence_desk.core.log import TrustedLog, note_keys
from evidence_desk.core.ports import LogSigner
from evidence_desk.court.protocol.actions import RotateDeskKeys
from evidence_desk.court.protocol.registry import DeskEntry, DeskKeys, DeskStatus
from evidence_desk.court.protocol.transactions import (
    SignatureScheme,
    Transaction,
    TransactionSignature,
    sort_signatures,
)
from evidence_desk.errors import ConfigurationError, EvidenceDeskError, RemoteError
from evidence_desk.services.anchor import BROADCAST, LIFETIME
from evidence_desk.services.court_query import Court, DeskState, GatewayFault, ask_desk, fault_of
from evidence_desk.services.desk import Desk

PATIENCE: Final = 60.0
_PAUSE: Final = 0.5


@dataclass(slots=True)
class RotateOutcome:
    """What was rotated: `registered` False when no network knows of it; `height` from which the new keys count there."""

    origin: str
    registered: bool = False
    height: int = 0
    faults: list[GatewayFault] = field(default_factory=list)


def rotate(
    desk: Desk,
    signer: LogSigner,
    following: Mapping[str, DigestPair],
    court: Court | None,
    *,
    store_next: Callable[[], None],
    job: Job,
    finish: Callable[[], None] = lambda: None,
    pause: Callable[[float], None] = time.sleep,
) -> RotateOutcome:
    """Put `signer` in the place of the present keys, in the network and in the log.

    Args:
        desk: its log is verified under the old keys.
        signer: the next keys, from the recovery key.
        following: digests of the keys after them, by ``ed25519`` and ``sm2``.
        court: the network joined, None when there is none.
        store_next: stores those digests; called within the transaction of the leaf.
        finish: puts the new keys in the place of the old ones, before any other thread signs again.
        job: progress.
        pause: sleeps so many seconds.

    Raises:
        RemoteError: the network did not confirm; nothing is changed here then, and the command can be run again.
        ConfigurationError: ``anchor.closed``, ``rotate.not_committed``.
    """
    outcome = RotateOutcome(origin=desk.origin)
    if court is not None and court.gateways:
        _register(desk, signer, following, court, outcome, job, pause)
    _append(desk, signer, following, store_next, finish)
    return outcome


def _append(
    desk: Desk,
    signer: LogSigner,
    following: Mapping[str, DigestPair],
    store_next: Callable[[], None],
    finish: Callable[[], None],
) -> None:
    """The leaf, under a checkpoint that the new keys sign; other threads append before it or under the new keys."""
    facts: dict[str, JSON] = {
        "keys": {"ed25519": signer.ed25519_public.hex(), "sm2": signer.sm2_public.hex()},
        "next": {name: {**digests.to_json()} for name, digests in following.items()},
    }
    with desk.store.exclusive():
        log = desk.log
        now: datetime = desk.clock.now()
        leaf = Leaf(log=desk.origin, seq=log.size, type=LeafType.KEY_ROTATED, at=now, facts=facts)
        fresh = TrustedLog(note_keys(desk.origin, signer), log.checkpoint, log.note, log.tiles)
        _, append = fresh.append([leaf], signer)
        with desk.store.transaction():
            desk.store.log.write(append)
            store_next()
        finish()
        desk.forget()


def _register(
    desk: Desk,
    signer: LogSigner,
    following: Mapping[str, DigestPair],
    court: Court,
    outcome: RotateOutcome,
    job: Job,
    pause: Callable[[float], None],
) -> None:
    """Have the registry take the new keys; nothing to do when it has them or does not know the desk."""
    state = ask_desk(court, desk.origin, outcome.faults)
    entry = state.entry
    if entry is None:
        return
    if _has(entry, signer):
        outcome.registered, outcome.height = True, entry.keys_since
        return
    if entry.status is not DeskStatus.ACTIVE:
        raise ConfigurationError(
            "anchor.closed", origin=desk.origin, height=entry.status_since, successor=entry.successor or "-"
        )
    if (entry.keys.next_ed25519, entry.keys.next_sm2) != (
        _pair(signer.ed25519_public),
        _pair(signer.sm2_public),
    ):
        raise ConfigurationError("rotate.not_committed", origin=desk.origin)
    data = _transaction(desk, signer, following, court, state).encode()
    waited = 0.0
    _broadcast(court, data, outcome)
    while waited < PATIENCE:
        job.step("rotate", int(waited), int(PATIENCE))
        now = ask_desk(court, desk.origin, outcome.faults, enough=1).entry
        if now is not None and _has(now, signer):
            outcome.registered, outcome.height = True, now.keys_since
            return
        pause(_PAUSE)
        waited += _PAUSE
    raise RemoteError("rotate.not_confirmed", origin=desk.origin)


def _transaction(
    desk: Desk,
    signer: LogSigner,
    following: Mapping[str, DigestPair],
    court: Court,
    state: DeskState,
) -> Transaction:
    """Signed by the new keys, both of them: whoever has them has the recovery key."""
    keys = DeskKeys(
        ed25519=signer.ed25519_public,
        sm2=signer.sm2_public,
        next_ed25519=following["ed25519"].sha256 + following["ed25519"].sm3,
        next_sm2=following["sm2"].sha256 + following["sm2"].sm3,
    )
    payload = RotateDeskKeys(origin=desk.origin, keys=keys)
    expires = state.height + LIFETIME
    body = Transaction(chain_id=court.chain_id, expires_height=expires, payload=payload).body()
    signatures = (
        TransactionSignature(
            scheme=SignatureScheme.ED25519,
            key=signer.ed25519_public,
            signature=signer.sign_ed25519(body),
        ),
        TransactionSignature(
            scheme=SignatureScheme.SM2, key=signer.sm2_public, signature=signer.sign_sm2(body)
        ),
    )
    return Transaction(
        chain_id=court.chain_id,
        expires_height=expires,
        payload=payload,
        signatures=sort_signatures(signatures),
    )


def _broadcast(court: Court, data: bytes, outcome: RotateOutcome) -> None:
    failure: EvidenceDeskError | None = None
    taken = False
    for gateway in court.gateways[:BROADCAST]:
        try:
            answer = gateway.submit(data)
        except EvidenceDeskError as error:
            failure = error
            outcome.faults.append(fault_of(gateway, error))
            continue
        if answer.code in {0, 3}:
            taken = True
        else:
            failure = RemoteError("anchor.refused", number=answer.code, reason=answer.reason or "-")
    if not taken:
        raise failure or RemoteError("network.no_gateways", chain=court.chain_id)


def _has(entry: DeskEntry, signer: LogSigner) -> bool:
    return (entry.keys.ed25519, entry.keys.sm2) == (signer.ed25519_public, signer.sm2_public)


def _pair(key: bytes) -> bytes:
    digests = DigestPair.of(key)
    return digests.sha256 + digests.sm3
