"""DNS messages as far as asking for addresses needs them (RFC 1035, RFC 3596). Bytes only; strict with what comes back."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from evidence_desk.errors import MalformedError

MAX_MESSAGE: Final = 0xFFFF
_HEADER: Final = struct.Struct(">HHHHHH")
_RECORD: Final = struct.Struct(">HHIH")
_INTERNET: Final = 1
_CNAME: Final = 5
_OPT: Final = 41
_RESPONSE: Final = 0x8000
_TRUNCATED: Final = 0x0200
_RECURSION_DESIRED: Final = 0x0100
_OPCODE: Final = 0x7800
_MAX_RECORDS: Final = 256
_MAX_NAME: Final = 255
_MAX_LABEL: Final = 63
_UDP_SIZE: Final = 1232
"""What passes everywhere unfragmented (DNS flag day 2020)."""


class Kind(IntEnum):
    """Types of record that are asked for."""

    A = 1
    AAAA = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server answered.

    Attributes:
        code: RCODE; 0 no error, 3 no such name.
        truncated: ask again over TCP.
        addresses: of the name at the end of the aliases, in order.
        aliases: names that CNAME records lead to, in order.
        ttl: least time to live of the records used, seconds.
    """

    code: int
    truncated: bool
    addresses: tuple[str, ...]
    aliases: tuple[str, ...]
    ttl: int | None


def encode_question(identity: int, name: str, kind: Kind) -> bytes:
    """Question for a recursive server, with EDNS(0) (RFC 6891).

    Raises:
        MalformedError: ``malformed.dns`` when the name is none.
    """
    header = _HEADER.pack(identity, _RECURSION_DESIRED, 1, 0, 0, 1)
    edns = b"\0" + _RECORD.pack(_OPT, _UDP_SIZE, 0, 0)
    return header + _encode_name(name) + struct.pack(">HH", kind, _INTERNET) + edns


def parse_answer(data: bytes, identity: int, name: str, kind: Kind) -> Answer:
    """Answer to the question with this identity, name and kind.

    Raises:
        MalformedError: ``malformed.dns``: it answers something else, or is no DNS message.
    """
    try:
        return _parse(data, identity, name, kind)
    except (struct.error, IndexError) as error:
        raise MalformedError("malformed.dns", reason="short") from error


def _parse(data: bytes, identity: int, name: str, kind: Kind) -> Answer:
    got, flags, questions, answers, _, _ = _HEADER.unpack_from(data)
    if (
        len(data) > MAX_MESSAGE
        or got != identity
        or not flags & _RESPONSE
        or flags & _OPCODE
        or questions != 1
    ):
        raise MalformedError("malformed.dns", reason="header")
    asked, offset = _read_name(data, _HEADER.size)
    if (asked, *struct.unpack_from(">HH", data, offset)) != (_plain(name), kind, _INTERNET):
        raise MalformedError("malformed.dns", reason="question")
    if answers > _MAX_RECORDS:
        raise MalformedError("malformed.dns", reason="records")
    truncated, code = bool(flags & _TRUNCATED), flags & 0xF
    if truncated:
        return Answer(code=code, truncated=True, addresses=(), aliases=(), ttl=None)
    records = _records(data, offset + 4, answers)
    return _follow(_plain(name), kind, records, code)


_Record = tuple[str, int, int, bytes | str]
"""(owner, type, time to live, data; the target of a CNAME)"""


def _records(data: bytes, offset: int, count: int) -> list[_Record]:
    result: list[_Record] = []
    for _ in range(count):
        owner, offset = _read_name(data, offset)
        kind, klass, ttl, length = _RECORD.unpack_from(data, offset)
        offset += _RECORD.size
        value = data[offset : offset + length]
        if len(value) < length:
            raise MalformedError("malformed.dns", reason="short")
        if klass == _INTERNET and kind == _CNAME:
            target, end = _read_name(data, offset)
            if end != offset + length:
                raise MalformedError("malformed.dns", reason="alias")
            result.append((owner, kind, ttl, target))
        elif klass == _INTERNET:
            result.append((owner, kind, ttl, value))
        offset += length
    return result


def _follow(name: str, kind: Kind, records: list[_Record], code: int) -> Answer:
    aliases: list[str] = []
    ttls: list[int] = []
    while True:
        found = [(ttl, value) for owner, type_, ttl, value in records if owner == name and type_ == kind]
        if found:
            break
        alias = next((item for item in records if item[0] == name and item[1] == _CNAME), None)
        if alias is None:
            break
        name = str(alias[3])
        if name in aliases or len(aliases) > _MAX_RECORDS:
            raise MalformedError("malformed.dns", reason="loop")
        aliases.append(name)
        ttls.append(alias[2])
    addresses = tuple(_address(kind, value) for _, value in found)
    ttls += [ttl for ttl, _ in found]
    return Answer(
        code=code, truncated=False, addresses=addresses, aliases=tuple(aliases), ttl=min(ttls, default=None)
    )


def _address(kind: Kind, value: bytes | str) -> str:
    if not isinstance(value, bytes) or len(value) != (4 if kind is Kind.A else 16):
        raise MalformedError("malformed.dns", reason="address")
    return str(IPv4Address(value) if kind is Kind.A else IPv6Address(value))


def _plain(name: str) -> str:
    return name.removesuffix(".").lower()


def _encode_name(name: str) -> bytes:
    labels = _plain(name).split(".")
    try:
        encoded = [label.encode("ascii") for label in labels]
    except UnicodeEncodeError as error:
        raise MalformedError("malformed.dns", reason="name") from error
    if not all(0 < len(label) <= _MAX_LABEL for label in encoded):
        raise MalformedError("malformed.dns", reason="name")
    wire = b"".join(bytes((len(label),)) + label for label in encoded) + b"\0"
    if len(wire) > _MAX_NAME:
        raise MalformedError("malformed.dns", reason="name")
    return wire


def _read_name(data: bytes, offset: int) -> tuple[str, int]:
    """(name in lower case, offset behind it); compression points backwards only (RFC 1035 §4.1.4), so it ends."""
    labels: list[str] = []
    size, end, lowest = 1, None, offset
    while length := data[offset]:
        if length & 0xC0 == 0xC0:
            pointer = (length & 0x3F) << 8 | data[offset + 1]
            end = offset + 2 if end is None else end
            if pointer >= lowest:
                raise MalformedError("malformed.dns", reason="pointer")
            offset = lowest = pointer
            continue
        label = data[offset + 1 : offset + 1 + length]
        size += 1 + length
        if length > _MAX_LABEL or len(label) < length or size > _MAX_NAME:
            raise MalformedError("malformed.dns", reason="name")
        labels.append(
            "".join(
                chr(byte) if 0x21 <= byte < 0x7F and byte != 0x2E else f"\\{byte:03}" for byte in label
            ).lower()
        )
        offset += 1 + length
    return ".".join(labels), offset + 1 if end is None else end
