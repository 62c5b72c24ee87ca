"""What an examination goes by, with or without a vault: trust, desk, court network, reader of QR codes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from evidence_desk.bootstrap.reader import open_court, open_gateway
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.trust import Trust
from evidence_desk.errors import UsageError
from evidence_desk.services.court_query import Court, GatewayFault
from evidence_desk.services.network import agreed_chain


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
