"""What an examination goes by, with or without a vault: trust, desk, court network, reader of QR codes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from evidence_desk.bootstrap.reader import SystemClock, open_court, open_gateway
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.core.trust import NO_TRUST, Trust
from evidence_desk.errors import EvidenceDeskError, UsageError
from evidence_desk.qr import QrReader
from evidence_desk.services.court_query import Court, GatewayFault
from evidence_desk.services.examine import Examiner
from evidence_desk.services.network import agreed_chain
from evidence_desk.verify.files import read_trust


@contextmanager
def foreign_court(roots: Trust, gateways: Sequence[str], faults: list[GatewayFault]) -> Iterator[Court]:
    """A network that trust roots name, without any vault; the gateways tell which.

    Args:
        roots: with the network's trust.
        gateways: addresses.
        faults: gateways that do not answer are added.

    Raises:
        UsageError: ``network.no_trust``, ``network.other_chain``, ``network.which``. RemoteError: no gateway answers.
    """
    import httpx  # noqa: PLC0415 - a fifth of a second

    with httpx.Client(follow_redirects=False) as http:
        chain_id = agreed_chain([open_gateway(url, http) for url in gateways], roots.networks, faults)
    with open_court(roots, chain_id, gateways) as court:
        yield court


@contextmanager
def joined_court(
    opened: Session, gateways: Sequence[str] = (), given: Trust | None = None
) -> Iterator[Court]:
    """The joined network, with other gateways or other trust roots when given.

    Raises:
        ConfigurationError: ``network.not_joined``. UsageError: ``network.no_trust``.
    """
    present = opened.court()
    if given is None and not gateways:
        yield present
        return
    roots = opened.trust if given is None else given
    if present.chain_id not in roots.networks:
        raise UsageError("network.no_trust")
    urls = gateways or [item.url for item in present.gateways]
    with open_court(roots, present.chain_id, urls) as court:
        yield court


@contextmanager
def open_examiner(
    *,
    job: Job,
    session: Session | None = None,
    given: Path | None = None,
    gateways: Sequence[str] = (),
    network: bool = True,
) -> Iterator[Examiner]:
    """What an examination goes by, for the length of a block; the session stays open, all else is closed.

    Args:
        job: progress and cancellation.
        session: an open desk: its vault is looked into, its own trust folder and joined network are used.
        given: folder of trust roots given by hand, in the place of the desk's own.
        gateways: addresses of gateways to a network that the trust roots name.
        network: whether the court network may be asked: a gateway sees the digests.

    Raises:
        UnreadableError, MalformedError: the trust folder cannot be read. That no network can be asked is no error:
        every look-up tells why.
    """
    trust = NO_TRUST if session is None else session.trust
    if given is not None:
        trust = read_trust(given)
    with ExitStack() as stack:
        court: Court | None = None
        why: EvidenceDeskError | None = None
        try:
            court = stack.enter_context(
                _court(session, trust, gateways, by_hand=given is not None, network=network)
            )
        except EvidenceDeskError as error:
            why = error
        yield Examiner(
            now=SystemClock().now(), job=job, trust=trust, desk=None if session is None else session.desk,
            court=court, why_no_court=why, codes=QrReader(),
        )  # fmt: skip


def _court(
    session: Session | None, trust: Trust, gateways: Sequence[str], *, by_hand: bool, network: bool
) -> AbstractContextManager[Court]:
    if not network:
        raise UsageError("examination.offline")
    if gateways:
        return foreign_court(trust, gateways, [])
    if session is not None:
        return joined_court(session, (), trust if by_hand else None)
    if not trust.networks:
        raise UsageError("network.no_trust")
    raise UsageError("examination.no_gateways", chains=", ".join(sorted(trust.networks)))
