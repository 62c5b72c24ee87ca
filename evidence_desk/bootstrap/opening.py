"""Make, open and continue a desk."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from evidence_desk.bootstrap.demo import make_demo
from evidence_desk.bootstrap.reader import SystemClock
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.canonical import JSON
from evidence_desk.core.checkpoint import Checkpoint
from evidence_desk.core.ports import Clock
from evidence_desk.errors import PermissionDeniedError
from evidence_desk.program import program
from evidence_desk.services.desk import Desk
from evidence_desk.services.open_log import open_log
from evidence_desk.settings import UNSEEN_KEY, AuthorityKind, load_key_unseen, save_key_seen
from evidence_desk.vault.attempts import Sleep
from evidence_desk.vault.epochs import epoch, origin_of
from evidence_desk.vault.keys import KdfParameters
from evidence_desk.vault.store import Vault


def init_session(
    folder: Path,
    passphrase: str,
    *,
    office: str,
    demo: bool,
    kdf: KdfParameters | None = None,
    unseen: bool = False,
) -> tuple[Session, str]:
    """Make a vault and open its log; returns the open session and the recovery key to print.

    Args:
        folder: missing or empty.
        passphrase: of the vault.
        office: short code of the office, ``[a-z0-9-]``, first part of the log's origin.
        demo: configure the embedded authority and a demo CA for signing (演示/非第三方).
        kdf: cost of the passphrase, None for the usual one.
        unseen: the vault remembers that nobody has seen its recovery key, until `key_seen`.
    """
    clock = SystemClock()
    origin = f"desk.{office}.evidence/{uuid.uuid4()}/1"
    vault, recovery_key = Vault.create(
        folder, passphrase, clock=clock, origin=origin, kdf=kdf, settings=UNSEEN_KEY if unseen else {}
    )
    try:
        session = assemble(vault, clock)
        _open_log(session)
        if demo:
            make_demo(session)
        session.write_trust()
    except BaseException:
        vault.close()
        raise
    return session, recovery_key


def key_seen(session: Session) -> None:
    """Somebody wrote the recovery key down."""
    with session.vault.transaction():
        save_key_seen(session.vault.exhibits)


def renew_recovery_key(session: Session, passphrase: str) -> str:
    """A new recovery key, to print; until `key_seen` the vault remembers that nobody has it.

    A log that nothing was entered in yet is continued by one that names the new paper's next keys. Any other goes on to
    name those of the lost paper: the new one opens the vault and its backups, but rotates no keys of that log.

    Raises:
        PermissionDeniedError: ``vault.wrong_passphrase``, ``vault.wait``.
    """
    vault, before = session.vault, load_key_unseen(session.vault.exhibits)
    with vault.transaction():
        for name, value in UNSEEN_KEY.items():
            vault.exhibits.set_setting(name, value)
    try:
        key = vault.renew_recovery_key(passphrase)
    except PermissionDeniedError:
        if not before:
            key_seen(session)
        raise
    desk = session.desk
    if desk.working.acquire(blocking=False):  # else files are just being entered in the log
        try:
            with vault.exclusive():
                _continue_empty(session)
        finally:
            desk.working.release()
    return key


def _continue_empty(session: Session) -> None:
    """A log with nothing but its opening, that no network knows, goes on in a successor."""
    vault, opened = session.vault, session.desk.log.checkpoint
    if opened is None or opened.size != 1 or session.networks:
        return
    vault.set_origin(origin_of(opened.origin, epoch(opened.origin) + 1))
    session.desk = assemble(vault, session.clock).desk
    _open_log(session, (opened.origin, opened.size, opened.root))
    session.write_trust()


def unlocked(
    folder: Path, passphrase: str, *, read_only: bool = False, sleep: Sleep | None = time.sleep
) -> Session:
    """Open a vault; whoever calls closes the session. Errors of `Vault.open`; None for `sleep` refuses instead of waiting."""
    clock = SystemClock()
    return assemble(Vault.open(folder, passphrase, clock=clock, read_only=read_only, sleep=sleep), clock)


@contextmanager
def open_session(folder: Path, passphrase: str, *, read_only: bool = False) -> Iterator[Session]:
    """Open a vault for the length of a block."""
    session = unlocked(folder, passphrase, read_only=read_only)
    try:
        yield session
    finally:
        session.close()


def open_successor(session: Session, previous: Checkpoint) -> None:
    """Open the log of a restored vault as the successor of `previous`, and write its trust folder.

    Keys that are never in a backup (demo authority, certificate signer) are made anew when they were demo keys.
    """
    _open_log(session, (previous.origin, previous.size, previous.root))
    settings = session.settings
    if any(item.kind is AuthorityKind.EMBEDDED for item in settings):
        retired = tuple(
            replace(
                item,
                name=f"{item.name} ({previous.origin.rpartition('/')[2]})",
                kind=AuthorityKind.RETIRED,
            )
            if item.kind is AuthorityKind.EMBEDDED
            else item
            for item in settings
        )
        make_demo(session, retired)
    session.write_trust()


def _open_log(session: Session, predecessor: tuple[str, int, bytes] | None = None) -> None:
    digests = session.vault.next_key_digests
    open_log(
        session.desk, next_keys={"ed25519": digests.ed25519, "sm2": digests.sm2}, predecessor=predecessor
    )


def assemble(vault: Vault, clock: Clock) -> Session:
    """Session over an open vault."""
    zone = time.strftime("%Z") or "UTC"
    ours = program()
    tool: dict[str, JSON] = {"name": ours.name, "version": ours.version, **ours.digests.to_json()}
    desk = Desk(store=vault, clock=clock, origin=vault.origin, zone=zone, tools=(tool,))
    return Session(vault=vault, desk=desk, clock=clock)
