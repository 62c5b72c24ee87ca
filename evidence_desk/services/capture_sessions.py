"""TLS sessions of a capture with the certificates that servers sent. Carried and shown; what they prove is judged elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from evidence_desk.core.canonical import JSON, decode
from evidence_desk.core.capture.connection import Connection, parse_index
from evidence_desk.core.digests import sha256
from evidence_desk.crypto.x509 import Certificate, load_certificate
from evidence_desk.errors import EvidenceDeskError, MalformedError
from evidence_desk.wacz.archive import URN
from evidence_desk.wacz.build import INDEX, SESSIONS
from evidence_desk.wacz.read import WaczReader

MAX_SESSIONS: Final = 50_000
MAX_CHAIN: Final = 64
_STATUSES: Final = frozenset({None, "valid", "invalid", "unchecked"})
_MAX_LINE: Final = 4 << 20
_MAX_INDEX: Final = 256 << 20
_MAX_CERTIFICATE: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One TLS session.

    Attributes:
        signature: ``valid``, ``invalid`` or ``unchecked``: the server's signature over the handshake; None when none was
            sent (a resumed session, RSA key exchange). `scheme` and `signature_reason` belong to it.
        finished: whether the server's Finished is right; None when not seen.
        origin: connection of the session that was resumed, None when this was a full handshake or it is not here.
        certificates: SHA-256 of what the server sent, leaf first.
        ended: how the server ended; `faults` codes of what was wrong.
    """

    connection: int
    host: str
    address: str
    version: str
    suite: str
    group: str
    alpn: str
    resumed: bool
    origin: int | None
    signature: str | None
    signature_reason: str
    scheme: str
    finished: bool | None
    certificates: tuple[bytes, ...]
    stapled: bool
    ended: str
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One certificate of a chain; `certificate` is None when it is not here or cannot be read."""

    fingerprint: bytes
    certificate: Certificate | None


Chain = tuple[Link, ...]


def read_sessions(reader: WaczReader) -> tuple[Session, ...]:
    """All sessions by connection.

    Raises:
        MalformedError: ``malformed.capture_list``, ``malformed.connections``.
    """
    connections = {item.number: item for item in _connections(reader)}
    values = list(_lines(reader))
    issued = {
        ticket: _number(value, "connection")
        for value in values
        for ticket in _texts(value, "issued")
    }  # fmt: skip
    found = [_session(value, connections, issued) for value in values]
    return tuple(sorted(found, key=lambda item: item.connection))


def read_certificates(reader: WaczReader, fingerprints: Sequence[bytes]) -> Chain:
    """Certificates by their SHA-256, as the archive holds them."""
    return tuple(_link(reader, fingerprint) for fingerprint in fingerprints[:MAX_CHAIN])


def _link(reader: WaczReader, fingerprint: bytes) -> Link:
    found = reader.find(f"{URN}certificate:sha256:{fingerprint.hex()}")
    if found is None:
        return Link(fingerprint=fingerprint, certificate=None)
    data = found.body.read(_MAX_CERTIFICATE)
    if sha256(data) != fingerprint:
        raise MalformedError("malformed.capture_list", what="certificate")
    try:
        return Link(fingerprint=fingerprint, certificate=load_certificate(data))
    except EvidenceDeskError:  # servers may send anything
        return Link(fingerprint=fingerprint, certificate=None)


def _connections(reader: WaczReader) -> tuple[Connection, ...]:
    if INDEX not in reader.evidence:
        return ()
    if reader.evidence[INDEX] > _MAX_INDEX:
        raise MalformedError("malformed.too_large", what=INDEX, limit=_MAX_INDEX)
    with reader.open(INDEX) as stream:
        return parse_index(stream.read())


def _lines(reader: WaczReader) -> Iterator[dict[str, JSON]]:
    if SESSIONS not in reader.evidence:
        return
    with reader.open(SESSIONS) as stream:
        for number, line in enumerate(iter(lambda: stream.readline(_MAX_LINE + 1), b""), 1):
            value = decode(line[:-1], what=SESSIONS, limit=_MAX_LINE) if line.endswith(b"\n") else None
            if number > MAX_SESSIONS or not isinstance(value, dict):
                raise _malformed()
            yield value


def _session(value: dict[str, JSON], connections: dict[int, Connection], issued: dict[str, int]) -> Session:
    number = _number(value, "connection")
    connection = connections.get(number)
    signature = value.get("certificate_verify")
    signed = signature if isinstance(signature, dict) else {}
    finished = value.get("finished_server")
    status = _text(signed, "status") if signed else None
    if status not in _STATUSES:
        raise _malformed()
    return Session(
        connection=number,
        host=_text(value, "sni") or ("" if connection is None else connection.host),
        address="" if connection is None or connection.address is None else f"{connection.address}:{connection.port}",
        version=_text(value, "version"), suite=_text(value, "suite"), group=_text(value, "group"),
        alpn=_text(value, "alpn"), resumed=value.get("resumed") is True,
        origin=issued.get(_text(value, "resumed_from")) if value.get("resumed") is True else None,
        signature=status, signature_reason=_text(signed, "reason"),
        scheme=_text(signed, "scheme"), finished=finished if isinstance(finished, bool) else None,
        certificates=tuple(_digest(item) for item in _texts(value, "certificates")),
        stapled=value.get("ocsp") is not None, ended=_text(value, "ended"), faults=_texts(value, "faults"),
    )  # fmt: skip


def _text(value: dict[str, JSON], name: str) -> str:
    item = value.get(name)
    if item is None:
        return ""
    if not isinstance(item, str):
        raise _malformed()
    return item


def _texts(value: dict[str, JSON], name: str) -> tuple[str, ...]:
    items = value.get(name)
    if not isinstance(items, list):
        raise _malformed()
    found = tuple(item for item in items if isinstance(item, str))
    if len(found) != len(items):
        raise _malformed()
    return found


def _digest(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise _malformed() from error


def _number(value: dict[str, JSON], name: str) -> int:
    item = value.get(name)
    if type(item) is not int or item < 0:
        raise _malformed()
    return item


def _malformed() -> MalformedError:
    return MalformedError("malformed.capture_list", what=SESSIONS)
