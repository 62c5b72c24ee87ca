"""Which addresses the capture browser may reach: the public Internet, and what the examiner allowed.

A page under capture must not make this machine ask its own services, its network, or a cloud's metadata (SSRF). What
counts is the address that is connected to, after resolving: every odd spelling of a name ends in an address.
Blocks are those of IANA's special-purpose registries (RFC 6890) as of 2026.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

Address = IPv4Address | IPv6Address


class Refusal(StrEnum):
    """Why an address or a name is refused."""

    LOOPBACK = "loopback"
    PRIVATE = "private"
    LINK_LOCAL = "link-local"
    SHARED = "shared"
    """Carrier-grade NAT (RFC 6598)."""
    MULTICAST = "multicast"
    UNSPECIFIED = "unspecified"
    RESERVED = "reserved"
    METADATA = "metadata"
    """Where clouds hand credentials to their machines."""
    OWN = "own-address"
    """A public address of this machine."""
    PORT = "own-port"
    """The browser's debug port, or the recorder's own."""
    NAME = "local-name"
    SPELLING = "spelling"


LOCAL: Final = frozenset(
    {Refusal.LOOPBACK, Refusal.PRIVATE, Refusal.LINK_LOCAL, Refusal.SHARED, Refusal.OWN, Refusal.NAME}
)
"""What the examiner may allow; the rest is refused always."""

_V4: Final = tuple(
    (IPv4Network(block), why)
    for block, why in (
        ("0.0.0.0/8", Refusal.UNSPECIFIED),
        ("10.0.0.0/8", Refusal.PRIVATE),
        ("100.64.0.0/10", Refusal.SHARED),
        ("127.0.0.0/8", Refusal.LOOPBACK),
        ("169.254.0.0/16", Refusal.LINK_LOCAL),
        ("172.16.0.0/12", Refusal.PRIVATE),
        ("192.0.0.0/24", Refusal.RESERVED),
        ("192.0.2.0/24", Refusal.RESERVED),
        ("192.31.196.0/24", Refusal.RESERVED),
        ("192.52.193.0/24", Refusal.RESERVED),
        ("192.88.99.0/24", Refusal.RESERVED),
        ("192.168.0.0/16", Refusal.PRIVATE),
        ("192.175.48.0/24", Refusal.RESERVED),
        ("198.18.0.0/15", Refusal.PRIVATE),
        ("198.51.100.0/24", Refusal.RESERVED),
        ("203.0.113.0/24", Refusal.RESERVED),
        ("224.0.0.0/4", Refusal.MULTICAST),
        ("240.0.0.0/4", Refusal.RESERVED),
    )
)
_V6: Final = tuple(
    (IPv6Network(block), why)
    for block, why in (
        ("::/128", Refusal.UNSPECIFIED),
        ("::1/128", Refusal.LOOPBACK),
        ("64:ff9b:1::/48", Refusal.PRIVATE),
        ("2001::/23", Refusal.RESERVED),
        ("2001:db8::/32", Refusal.RESERVED),
        ("2620:4f:8000::/48", Refusal.RESERVED),
        ("3fff::/20", Refusal.RESERVED),
        ("fc00::/7", Refusal.PRIVATE),
        ("fe80::/10", Refusal.LINK_LOCAL),
        ("fec0::/10", Refusal.PRIVATE),
        ("ff00::/8", Refusal.MULTICAST),
    )
)
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
_METADATA: Final[frozenset[Address]] = frozenset(
    ip_address(text)
    for text in ("169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254")
)  # fmt: skip
_TRANSLATED: Final = (
    IPv6Network("::/96"),  # IPv4-compatible, RFC 4291 §2.5.5.1
    IPv6Network("::ffff:0:0/96"),  # IPv4-mapped, RFC 4291 §2.5.5.2
    IPv6Network("::ffff:0:0:0/96"),  # IPv4-translated, RFC 2765 §2.1
    IPv6Network("64:ff9b::/96"),  # NAT64, RFC 6052
)
_SIX_TO_FOUR: Final = IPv6Network("2002::/16")
_TEREDO: Final = IPv6Network("2001::/32")
_ISATAP: Final = frozenset({0x0000_5EFE, 0x0200_5EFE})
_LOCAL_NAMES: Final = frozenset(
    {"localhost", "local", "localdomain", "internal", "intranet", "lan", "home", "corp", "private", "loopback", "ip6-localhost", "ip6-loopback"}
)  # fmt: skip
_MAX_NAME: Final = 255
_SPELLED: Final = re.compile(r"(?:(?![%/@\\])[!-~])+")
_METADATA_NAMES: Final = frozenset({"metadata", "metadata.google.internal", "instance-data", "metadata.goog"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """What may be reached.

    Attributes:
        allow_private: the examiner allowed addresses of this machine and of its networks.
        ports: ports of this machine that are refused even so: debug port, the recorder's own.
    """

    allow_private: bool = False
    ports: frozenset[int] = frozenset()

    def with_port(self, port: int) -> Guard:
        """The same, refusing one more port of this machine."""
        return replace(self, ports=self.ports | {port})

    def refuses_name(self, host: str) -> Refusal | None:
        """Why a name is refused before it is resolved, None when it may be resolved.

        What is an address in any spelling is judged by `refuses` once the resolver has read it.
        """
        name = host.removesuffix(".").lower()
        if len(host) > _MAX_NAME or not name or name.endswith(".") or not _SPELLED.fullmatch(name):
            return Refusal.SPELLING
        if name in _METADATA_NAMES:
            return Refusal.METADATA
        if not self.allow_private and name.rpartition(".")[2] in _LOCAL_NAMES:
            return Refusal.NAME
        return None

    def refuses(self, address: str, port: int, *, own: bool = False) -> Refusal | None:
        """Why a connection to an address is refused, None when it is allowed.

        Args:
            address: as the resolver or the socket gives it.
            port: TCP port.
            own: the address is known to be this machine's.
        """
        try:
            target = ip_address(address)
        except ValueError:
            return Refusal.SPELLING
        if isinstance(target, IPv6Address) and target.scope_id is not None:
            target = IPv6Address(int(target))
        if not 0 < port <= 0xFFFF:
            return Refusal.SPELLING
        why = _why(target) or (Refusal.OWN if own else None)
        if why is not None and port in self.ports:
            return Refusal.PORT
        return None if self.allow_private and why in LOCAL else why


def _why(target: Address) -> Refusal | None:
    if target in _METADATA:
        return Refusal.METADATA
    if isinstance(target, IPv4Address):
        return next((why for block, why in _V4 if target in block), None)
    direct = next((why for block, why in _V6[:2] if target in block), None)
    if direct is not None:
        return direct
    embedded = _embedded(target)
    if embedded is not None and (inner := _why(embedded)) is not None:
        return inner
    if embedded is not None and any(target in block for block in _TRANSLATED[1:]):
        return None
    direct = next((why for block, why in _V6 if target in block), None)
    if direct is not None:
        return direct
    return None if target in _GLOBAL_UNICAST else Refusal.RESERVED


def _embedded(target: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for, or tunnels to."""
    number = int(target)
    if any(target in block for block in _TRANSLATED) or (number >> 32) & 0xFFFF_FFFF in _ISATAP:
        return IPv4Address(number & 0xFFFF_FFFF)
    if target in _SIX_TO_FOUR:
        return IPv4Address((number >> 80) & 0xFFFF_FFFF)
    if target in _TEREDO:
        return IPv4Address(~number & 0xFFFF_FFFF)
    return None
