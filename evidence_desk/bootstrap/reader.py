"""Network and clock for everyone, with or without a vault."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from evidence_desk.bootstrap import pem_texts
from evidence_desk.core.court_ports import CourtGateway
from evidence_desk.core.trust import Trust
from evidence_desk.services.court_query import Court
from evidence_desk.settings import NetworkSetting
from evidence_desk.verify.court import read_network

if TYPE_CHECKING:
    import httpx


class SystemClock:
    """`core.ports.Clock` of this machine."""

    def now(self) -> datetime:
        """Present time, UTC."""
        return datetime.now(UTC)


def network_setting(trust: Trust, chain_id: str, gateways: tuple[str, ...]) -> NetworkSetting:
    """What a desk keeps of a network: trust in it, and the authorities of the trust folder it came with."""
    return NetworkSetting(
        chain_id=chain_id,
        gateways=gateways,
        network=trust.networks[chain_id],
        authorities=tuple(
            (item.name, pem_texts.armored(item)) for item in trust.authorities if item.certificates
        ),
    )


def open_gateway(url: str, http: httpx.Client) -> CourtGateway:
    """Adapter of one gateway; UsageError ``gateway.url``."""
    from evidence_desk.court.client import HttpGateway  # noqa: PLC0415 - with httpx

    return HttpGateway(url, http)


@contextmanager
def open_court(trust: Trust, chain_id: str, gateways: Sequence[str]) -> Iterator[Court]:
    """A network for a reader without a vault, for the length of a block."""
    import httpx  # noqa: PLC0415 - a fifth of a second

    with httpx.Client(follow_redirects=False) as http:
        yield Court(
            trust=read_network(trust.networks[chain_id]),
            roots=trust,
            gateways=tuple(open_gateway(url, http) for url in gateways),
            clock=SystemClock(),
        )
