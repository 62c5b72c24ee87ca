"""Join a court network and bring it up to our log: what the command line and the window call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from evidence_desk.bootstrap.reader import network_setting
from evidence_desk.bootstrap.restoring import Restored, Secret, settle
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.court_ports import CourtGateway
from evidence_desk.core.job import Job
from evidence_desk.errors import UsageError
from evidence_desk.services.anchor import AnchorOutcome, anchor
from evidence_desk.services.court_query import GatewayFault
from evidence_desk.services.envelopes import envelopes_for
from evidence_desk.services.keybag_copy import CopyOutcome, send_copies
from evidence_desk.services.network import JoinOutcome, agreed_chain, register
from evidence_desk.verify.files import read_trust


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """A network joined, how the registration stands, and the copies of the keybag sent (None without registration)."""

    registration: JoinOutcome
    copies: CopyOutcome | None = None


def choose_network(
    session: Session, gateways: Sequence[str] | None, folder: Path | None
) -> list[GatewayFault]:
    """Store what is given; without trust folder or gateways those of the network joined before stand.

    Raises:
        UsageError: ``network.no_trust``, ``gateway.url`` and those of `agreed_chain`. MalformedError: trust folder.
    """
    faults: list[GatewayFault] = []
    joined = session.networks
    if folder is None:
        if not joined:
            raise UsageError("network.no_trust")
        if gateways:
            present = joined[0]
            urls = [session.gateway(url) for url in gateways]
            agreed_chain(urls, {present.chain_id: present.network}, faults)
            session.join_network(replace(present, gateways=_distinct(urls)))
        return faults
    roots = read_trust(folder)
    urls = [session.gateway(url) for url in gateways or ()]
    chain_id = agreed_chain(urls, roots.networks, faults)
    session.join_network(network_setting(roots, chain_id, _distinct(urls)))
    return faults


def register_desk(session: Session, *, job: Job) -> Joined:
    """Ask the chosen network for registration, and give its gateways the keybag copy once registered.

    Raises:
        ConfigurationError: ``network.not_joined``; RemoteError of the gateways.
    """
    court = session.court()
    if not court.gateways:
        return Joined(registration=JoinOutcome(chain_id=court.chain_id))
    outcome = register(session.desk, court, session.registry_keys(), earlier=session.vault.origins, job=job)
    copies = None if outcome.entry is None else send_copies(session.desk, court)
    return Joined(registration=outcome, copies=copies)


@dataclass(frozen=True, slots=True, kw_only=True)
class BroughtUp:
    """One run of anchoring; `restored`: what a restored desk still owed before."""

    restored: Restored | None
    copies: CopyOutcome
    anchored: AnchorOutcome


def bring_up(session: Session, *, wait: bool, secret: Callable[[], Secret] | None, job: Job) -> BroughtUp:
    """Bring the network up to our log.

    Args:
        session: the desk.
        wait: until everything is accepted.
        secret: passphrase or recovery key, asked for only when a restored desk needs it.
        job: progress.
    """
    court = session.court()
    restored = settle(session, court, secret=secret, job=job)
    copies = send_copies(session.desk, court)  # before the envelopes that its keys open
    outcome = anchor(session.desk, court, session.authorities, wait=wait, job=job, envelopes=envelopes_for)
    return BroughtUp(restored=restored, copies=copies, anchored=outcome)


def _distinct(gateways: Sequence[CourtGateway]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item.url for item in gateways))
