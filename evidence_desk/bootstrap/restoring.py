"""Composition of the restores: from a backup, from the court network, and from both. A restore never continues a log."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence_desk.bootstrap.opening import assemble, open_successor
from evidence_desk.bootstrap.reader import SystemClock, network_setting, open_court
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.canonical import encode
from evidence_desk.core.checkpoint import Checkpoint
from evidence_desk.core.job import Job
from evidence_desk.core.ports import LogStore
from evidence_desk.core.trust import Trust
from evidence_desk.court.protocol.keybag_request import family_of, may_ask
from evidence_desk.court.protocol.registry import DeskEntry
from evidence_desk.errors import (
    ConfigurationError,
    EvidenceDeskError,
    MalformedError,
    NotFoundError,
    PermissionDeniedError,
    RemoteError,
)
from evidence_desk.services.court_query import Court, GatewayFault, ask_desk
from evidence_desk.services.earlier_logs import (
    EarlierOutcome,
    TakeCopies,
    complete_earlier,
    note_predecessor,
)
from evidence_desk.services.fetch_log import family_logs
from evidence_desk.services.keybag_copy import CopyOutcome, Requester, fetch_copies, send_copies
from evidence_desk.services.network import JoinOutcome, register
from evidence_desk.services.restore import prove_log
from evidence_desk.settings import save_networks
from evidence_desk.vault.backup import ORIGINALS, restore
from evidence_desk.vault.epochs import epoch, origin_of
from evidence_desk.vault.keybag_copy import KeybagCopy, open_copy
from evidence_desk.vault.network_restore import rebuild
from evidence_desk.vault.recovery import next_log_keys, parse_recovery_key
from evidence_desk.vault.store import Vault

_ROTATIONS: Final = 64
"""Rotations of one log's keys that are tried."""
_ASKED: Final = "successor-asked"
"""Setting: chain and origin whose registration waits for institutions."""


@dataclass(slots=True)
class Restored:
    """A restored desk, open.

    Attributes:
        earlier: what the network added; None when it was not asked, or did not answer (`offline` says why).
        joined: how the successor's registration stands.
        absent: logs of the desk that this network does not hold.
    """

    session: Session
    earlier: EarlierOutcome | None = None
    joined: JoinOutcome | None = None
    copies: CopyOutcome | None = None
    offline: RemoteError | None = None
    absent: tuple[str, ...] = ()
    faults: list[GatewayFault] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """What opens the vault: passphrase, or recovery key as printed."""

    passphrase: str | None = None
    recovery_key: str | None = None

    @property
    def paper(self) -> bytes:
        """Bytes of the recovery key, b"" without one; ``malformed.recovery_key``."""
        return b"" if self.recovery_key is None else parse_recovery_key(self.recovery_key)


# --- from a backup --------------------------------------------------------------------------------------------


def restore_session(
    file: Path, folder: Path, *, passphrase: str | None, recovery_key: str | None, job: Job
) -> Session:
    """Restore a backup without asking the network."""
    secret = Secret(passphrase=passphrase, recovery_key=recovery_key)
    return restore_backup(file, folder, secret, job=job, offline=True).session


def restore_backup(
    file: Path,
    folder: Path,
    secret: Secret,
    *,
    job: Job,
    offline: bool = False,
    further_epoch: bool = False,
) -> Restored:
    """Restore a backup into a new folder and open the successor of its log.

    Where the desk had joined a network that answers, the log is completed from it first, and the successor registered.

    Args:
        file: the backup.
        folder: missing or empty.
        secret: passphrase of the time of the backup, or recovery key.
        job: progress.
        offline: don't ask the network.
        further_epoch: take the place of another restore that opened the successor before.

    Raises:
        ConfigurationError: ``restore.origin_taken``.
        IntegrityError: ``restore.log_differs``, and see `vault.backup.restore`.
        UsageError, PermissionDeniedError, MalformedError: see `vault.backup.restore`.
    """
    clock = SystemClock()
    vault = restore(
        file, folder, clock=clock, verify_log=_prove, job=job,
        passphrase=secret.passphrase, recovery_key=secret.recovery_key,
    )  # fmt: skip
    session = assemble(vault, clock)
    with _all_or_nothing(session, folder):
        restored = Restored(session=session)
        if session.networks and not offline:
            session.write_trust()
            try:
                _complete(restored, session, secret, further_epoch=further_epoch, job=job)
            except RemoteError as error:
                restored.offline = error
        session.desk = assemble(vault, clock).desk  # of the origin that was settled on
        open_successor(session, _newest(vault))
        if session.networks and not offline and restored.offline is None:
            _announce(restored, session.court(), opener(vault, secret), job=job)
    return restored


def _complete(restored: Restored, session: Session, secret: Secret, *, further_epoch: bool, job: Job) -> None:
    """Fill the archived logs from the network before the successor's first leaf names them."""
    vault, court = session.vault, session.court()
    logs = family_logs(court, vault.origins[-2], restored.faults)
    newest = logs[-1].origin if logs else ""
    if newest and epoch(newest) >= epoch(vault.origin):
        if not further_epoch:
            raise ConfigurationError("restore.origin_taken", origin=newest, height=logs[-1].registered)
        for number in range(epoch(vault.origin) + 1, epoch(newest) + 2):
            vault.set_origin(origin_of(newest, number))
    who = _by_paper(secret.paper, logs[-1]) if secret.paper and logs else None
    restored.earlier = complete_earlier(
        assemble(vault, session.clock).desk, court, job=job, anchors=False, who=who,
        take_copies=opener(vault, secret) if who is not None else None,
    )  # fmt: skip


# --- from the network -----------------------------------------------------------------------------------------


def restore_network(
    folder: Path,
    *,
    origin: str,
    recovery_key: str,
    gateways: Sequence[str],
    trust: Trust,
    chain_id: str,
    job: Job,
) -> Restored:
    """Build a desk anew whose disk is gone: keys from the keybag copy, everything else from leaves and envelopes.

    Originals are not on the network; they come from a backup or a folder afterwards.

    Args:
        folder: missing or empty.
        origin: of any log of the desk.
        recovery_key: as printed.
        gateways: addresses of the network's gateways.
        trust: trust folder with the network `chain_id`.
        chain_id: the network.
        job: progress.

    Raises:
        NotFoundError: ``restore.not_registered``.
        PermissionDeniedError: ``vault.wrong_recovery_key``.
        RemoteError: ``restore.no_copy``, ``network.unverified``.
        IntegrityError: ``restore.log_differs``.
    """
    paper = parse_recovery_key(recovery_key)
    secret = Secret(recovery_key=recovery_key)
    with open_court(trust, chain_id, gateways) as court:
        faults: list[GatewayFault] = []
        logs = family_logs(court, origin, faults)
        if not logs:
            raise NotFoundError("restore.not_registered", origin=origin, chain=chain_id)
        copy = _newest_copy(court, logs[-1], paper, faults)
        known = [entry.origin for entry in logs]
        successor = origin_of(known[-1], epoch(known[-1]) + 1)
        vault = rebuild(folder, copy, paper, earlier=known, successor=successor, clock=SystemClock())
        session = assemble(vault, SystemClock())
        with _all_or_nothing(session, folder):
            setting = network_setting(trust, chain_id, tuple(item.url for item in court.gateways))
            others = tuple(item for item in session.networks if item.chain_id != chain_id)
            with vault.transaction():
                save_networks(vault.exhibits, (setting, *others))
                vault.exhibits.set_setting(ORIGINALS, b"true")
            restored = Restored(session=session, faults=faults)
            restored.absent = tuple(item for item in copy.origins if item not in known)
            restored.earlier = complete_earlier(session.desk, court, take_copies=None, job=job, anchors=False)
            open_successor(session, _newest(vault))
            _announce(restored, court, opener(vault, secret), job=job)
    return restored


def registered_entry(trust: Trust, chain_id: str, gateways: Sequence[str], origin: str) -> DeskEntry:
    """Newest proven entry of a desk's logs: ``ACTIVE`` means that a restore cuts off who still writes to it.

    Raises:
        NotFoundError: ``restore.not_registered``. RemoteError: ``network.unverified``.
    """
    with open_court(trust, chain_id, gateways) as court:
        logs = family_logs(court, origin, [])
    if not logs:
        raise NotFoundError("restore.not_registered", origin=origin, chain=chain_id)
    return logs[-1]


def _newest_copy(court: Court, entry: DeskEntry, paper: bytes, faults: list[GatewayFault]) -> KeybagCopy:
    copies: list[KeybagCopy] = []
    refused: EvidenceDeskError | None = None
    for data in fetch_copies(court, _by_paper(paper, entry), faults):
        try:
            copies.append(open_copy(data, recovery_key=paper))
        except (MalformedError, PermissionDeniedError) as error:
            refused = error
    if not copies:
        raise refused or RemoteError(
            "restore.no_copy", gateways="; ".join(f"{item.gateway}: {item.code}" for item in faults) or "-"
        )
    return max(copies, key=lambda item: item.at)


def _by_paper(paper: bytes, entry: DeskEntry) -> Requester:
    """The key on paper that the registered keys announce, or that a rotation has put in their place."""
    for rotation in range(_ROTATIONS):
        key = Ed25519PrivateKey.from_private_bytes(next_log_keys(paper, entry.origin, rotation)[0])
        public = key.public_key().public_bytes_raw()
        if may_ask(public, entry.keys):
            return Requester(family=family_of(entry.origin), key=public, sign=key.sign)
    raise PermissionDeniedError("vault.wrong_recovery_key")


# --- of both --------------------------------------------------------------------------------------------------


def opener(vault: Vault, secret: Secret) -> TakeCopies:
    """Takes over what copies of this vault's keybag know; those that are not its own are left."""

    def take(copies: Sequence[bytes]) -> bool:
        changed = False
        for data in copies:
            try:
                changed |= vault.take_over_copy(
                    data, passphrase=secret.passphrase or "", recovery_key=secret.paper
                )
            except (MalformedError, PermissionDeniedError):
                continue
        return changed

    return take


def settle(
    session: Session, court: Court, *, secret: Callable[[], Secret] | None, job: Job
) -> Restored | None:
    """What a restored desk still owes the network before it anchors: completion, registration; None when nothing.

    Args:
        session: the desk.
        court: its network.
        secret: asked for when keys from a keybag copy are needed.
        job: progress.
    """
    if len(session.vault.origins) == 1:
        return None
    restored = Restored(session=session)
    restored.joined = _register(session, court, again=False, job=job)
    take: TakeCopies | None = None
    if secret is not None and restored.joined.entry is not None:

        def take(copies: Sequence[bytes]) -> bool:  # the secret is only asked for when it is needed
            return opener(session.vault, secret())(copies)

    restored.earlier = complete_earlier(session.desk, court, take_copies=take, job=job)
    note_predecessor(session.desk)
    return restored


def _register(session: Session, court: Court, *, again: bool, job: Job) -> JoinOutcome:
    """Register the successor; a request that waits for people is not made twice unless `again`."""
    desk, store = session.desk, session.vault.exhibits
    asked = encode([court.chain_id, desk.origin])
    if not again and store.get_setting(_ASKED) == asked:
        faults: list[GatewayFault] = []
        state = ask_desk(court, desk.origin, faults)
        if state.entry is None:
            return JoinOutcome(chain_id=court.chain_id, height=state.height, faults=faults)
    outcome = register(desk, court, session.registry_keys(), earlier=session.vault.origins, job=job)
    if outcome.entry is None:
        with session.vault.transaction():
            store.set_setting(_ASKED, asked)
    return outcome


def _announce(restored: Restored, court: Court, take: TakeCopies, *, job: Job) -> None:
    """Register the successor, open with newer keys what stayed closed, and give the gateways the present keybag."""
    session = restored.session
    try:
        restored.joined = _register(session, court, again=True, job=job)
        if restored.joined.entry is None:
            return
        again = complete_earlier(session.desk, court, take_copies=take, job=job, anchors=False)
        if restored.earlier is not None:
            for origin, state in again.logs.items():
                restored.earlier.count(origin, state)
            restored.earlier.erased += again.erased
        restored.copies = send_copies(session.desk, court)
    except RemoteError as error:
        restored.offline = error


def _newest(vault: Vault) -> Checkpoint:
    """Head of the newest earlier log that has leaves."""
    for origin in reversed(vault.origins[:-1]):
        log = vault.archived_log(origin)
        if log.size():
            return prove_log(log)
    raise NotFoundError("restore.not_registered", origin=vault.origins[0], chain="-")


def _prove(log: LogStore) -> None:
    prove_log(log)


@contextmanager
def _all_or_nothing(session: Session, folder: Path) -> Iterator[None]:
    """A restore that fails leaves nothing behind."""
    try:
        yield
    except BaseException:
        session.close()
        shutil.rmtree(folder, ignore_errors=True)
        raise
