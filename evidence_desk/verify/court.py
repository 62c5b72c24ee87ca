"""The court part of a proof under the networks of a trust root: who vouches, and what it establishes for the rest."""

from __future__ import annotations

from functools import lru_cache

from evidence_desk.core.trust import Trust
from evidence_desk.court.protocol.history import NetworkTrust
from evidence_desk.court.protocol.network_file import parse_network
from evidence_desk.errors import MalformedError


def check_networks(trust: Trust) -> Trust:
    """Return `trust` when each of its networks can be read and is of the chain that it is named for.

    Raises:
        MalformedError: ``malformed.trust``, ``malformed.court_trust``, ``malformed.court_block`` or ``malformed.json``.
    """
    for chain_id, data in trust.networks.items():
        if read_network(data).chain_id != chain_id:
            raise MalformedError("malformed.trust", reason="chain_id")
    return trust


@lru_cache(maxsize=8)
def read_network(data: bytes) -> NetworkTrust:
    """`parse_network`, remembered: the exhibits of one certificate ask for the same network.

    Raises:
        MalformedError: see `parse_network`.
    """
    return parse_network(data)
