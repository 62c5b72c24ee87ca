"""How much a client may ask for: a token bucket for each address. Time is given, so that nothing here waits."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from typing import Final

from evidence_desk.errors import BusyError

CLIENTS: Final = 10_000
"""Addresses remembered; the one that was silent longest is forgotten first."""


class RateLimit:
    """Token buckets by client.

    Args:
        rate: tokens a second; `burst` how many a bucket holds.
        clock: monotonic seconds.
    """

    def __init__(self, rate: int, burst: int, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str, cost: int = 1) -> int:
        """Take tokens; 0 when there were enough, else the whole seconds until there will be."""
        now = self._clock()
        key = client_key(client)
        left, since = self._buckets.pop(key, (float(self._burst), now))
        left = min(float(self._burst), left + max(0.0, now - since) * self._rate)
        cost = min(cost, self._burst)
        wait = 0
        if left >= cost:
            left -= cost
        else:
            wait = max(1, math.ceil((cost - left) / self._rate))
        self._buckets[key] = (left, now)
        if len(self._buckets) > CLIENTS:
            self._buckets.popitem(last=False)
        return wait


def client_key(client: str) -> str:
    """What is counted as one client: an IPv4 address, or the network (/64) of an IPv6 one."""
    try:
        address = ip_address(client)
    except ValueError:
        return client[:64]
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(IPv6Address(int(address) >> 64 << 64))
    return str(address)


class Places:
    """At most so many at once; who finds none free is told to come back instead of waiting."""

    def __init__(self, count: int) -> None:
        self._free = count

    def __enter__(self) -> None:
        if not self._free:
            raise BusyError("api.busy")
        self._free -= 1

    def __exit__(self, *_: object) -> None:
        self._free += 1
