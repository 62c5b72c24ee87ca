"""SOCKS5 as far as a capture browser needs it: no authentication, CONNECT (RFC 1928). Bytes only, no sockets."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from evidence_desk.errors import MalformedError

VERSION: Final = 5
CONNECT: Final = 1
NO_AUTHENTICATION: Final = 0
METHOD_CHOSEN: Final = bytes((VERSION, NO_AUTHENTICATION))
NO_METHOD: Final = bytes((VERSION, 0xFF))
MAX_GREETING: Final = 2 + 255
MAX_REQUEST: Final = 4 + 1 + 255 + 2
_IPV4: Final = 1
_DOMAIN: Final = 3
_IPV6: Final = 4


class Reply(IntEnum):
    """RFC 1928 §6."""

    SUCCEEDED = 0
    FAILURE = 1
    NOT_ALLOWED = 2
    NETWORK_UNREACHABLE = 3
    HOST_UNREACHABLE = 4
    CONNECTION_REFUSED = 5
    TTL_EXPIRED = 6
    COMMAND_NOT_SUPPORTED = 7
    ADDRESS_NOT_SUPPORTED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """What a client can do; `size` is what it took of the bytes."""

    methods: bytes
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a client asks for; `size` is what it took of the bytes. Bytes of a name that are not printable ASCII are escaped."""

    command: int
    host: str
    port: int
    size: int


def parse_greeting(data: bytes) -> Greeting | None:
    """RFC 1928 §3; None when more bytes are needed.

    Raises:
        MalformedError: ``malformed.socks``.
    """
    if data and data[0] != VERSION:
        raise MalformedError("malformed.socks", reason="version")
    if len(data) < 2:
        return None
    if not data[1]:
        raise MalformedError("malformed.socks", reason="methods")
    size = 2 + data[1]
    return Greeting(methods=data[2:size], size=size) if len(data) >= size else None


def parse_request(data: bytes) -> Request | None:
    """RFC 1928 §4; None when more bytes are needed.

    Raises:
        MalformedError: ``malformed.socks``.
    """
    for expected, found, reason in zip((VERSION, None, 0), data, ("version", "", "reserved"), strict=False):
        if expected is not None and found != expected:
            raise MalformedError("malformed.socks", reason=reason)
    if len(data) < 5:
        return None
    kind = data[3]
    if kind not in (_IPV4, _DOMAIN, _IPV6):
        raise MalformedError("malformed.socks", reason="address_type")
    start, end = {_IPV4: (4, 8), _IPV6: (4, 20), _DOMAIN: (5, 5 + data[4])}[kind]
    if start == end:
        raise MalformedError("malformed.socks", reason="name")
    if len(data) < end + 2:
        return None
    address = data[start:end]
    if kind == _DOMAIN:
        host = "".join(chr(byte) if 0x21 <= byte < 0x7F else f"\\x{byte:02x}" for byte in address)
    else:
        host = str(IPv4Address(address) if kind == _IPV4 else IPv6Address(address))
    return Request(command=data[1], host=host, port=int.from_bytes(data[end : end + 2], "big"), size=end + 2)


def encode_reply(reply: Reply, address: str = "0.0.0.0", port: int = 0) -> bytes:  # noqa: S104 - means none here
    """RFC 1928 §6, with the address and port that the connection is bound to."""
    bound = ip_address(address)
    kind = _IPV4 if isinstance(bound, IPv4Address) else _IPV6
    return bytes((VERSION, reply, 0, kind)) + bound.packed + port.to_bytes(2, "big")
