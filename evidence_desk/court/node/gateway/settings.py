"""What ``[gateway]`` of ``node.toml`` says: where to listen, whom to ask for timestamps, how much to bear."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

_MAX_PORT: Final = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """Settings of a gateway; paths are relative to the node's folder.

    Attributes:
        certificate: PEM file of the TLS certificate, `key` of its key; "" serves without TLS (loopback, or behind a
            proxy that does TLS).
        tsa_url: RFC 3161 authority for headers; `tsa_roots` PEM file of its CA, `tsa_policy` the policy to ask for.
        demo_authority: folder of a demo authority's keys (演示/非第三方) instead of `tsa_url`.
        governance: folder of governance keys for automatic approval, only on a demonstration network.
        keybags: whether desks may keep a copy of their keybag here.
        rate: requests a client may make in a second over time; `burst` at once.
        connections: open connections of one client.
        busy_transactions: waiting transactions from which no more are taken.
        proxies: addresses of proxies in front whose X-Forwarded-For is believed.
    """

    listen: str = "127.0.0.1"
    port: int
    certificate: str = ""
    key: str = ""
    tsa_url: str = ""
    tsa_roots: str = ""
    tsa_policy: str = ""
    demo_authority: str = ""
    governance: str = ""
    keybags: bool = True
    rate: int = 50
    burst: int = 200
    connections: int = 32
    busy_transactions: int = 1_000
    proxies: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        limits = (self.rate, self.burst, self.connections, self.busy_transactions)
        if not 1 <= self.port <= _MAX_PORT or min(limits) < 1:
            raise ValueError("port or limits")
        if bool(self.certificate) != bool(self.key) or (self.tsa_url and self.demo_authority):
            raise ValueError("certificate and key, or authority")

    @property
    def url(self) -> str:
        """Address for callers on this machine."""
        host = "127.0.0.1" if self.listen in {"0.0.0.0", "::"} else self.listen  # noqa: S104 - compared, not bound
        host = f"[{host}]" if ":" in host else host
        return f"{'https' if self.certificate else 'http'}://{host}:{self.port}"


def read_gateway(value: object) -> GatewaySettings:
    """Settings from a parsed TOML table.

    Raises:
        ValueError, TypeError: a table that cannot be meant.
    """
    if not isinstance(value, Mapping):
        raise TypeError("gateway")
    given: dict[str, object] = {str(name): _plain(item) for name, item in value.items()}
    kinds = {item.name: item.type for item in fields(GatewaySettings)}
    for name, item in given.items():
        if kinds.get(name) != _KINDS.get(type(item)):
            raise ValueError(name)
    return GatewaySettings(**given)  # type: ignore[arg-type]


_KINDS: Final = {str: "str", int: "int", bool: "bool", tuple: "tuple[str, ...]"}


def _plain(item: object) -> object:
    if isinstance(item, list):
        if not all(isinstance(part, str) for part in item):
            raise TypeError("list")
        return tuple(item)
    return item


def gateway_lines(settings: GatewaySettings) -> list[str]:
    """TOML of the table; what has its default is left out."""
    lines = ["", "[gateway]"]
    for item in fields(GatewaySettings):
        value = getattr(settings, item.name)
        if value != item.default:
            # JSON's strings, numbers, booleans and lists of strings are TOML's as well.
            text = json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
            lines.append(f"{item.name} = {text}")
    return lines
