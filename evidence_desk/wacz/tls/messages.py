"""Handshake messages taken apart (RFC 8446 §4, RFC 5246 §7.4): only what decryption and the report need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from evidence_desk.wacz.tls.faults import Fault
from evidence_desk.wacz.tls.wire import Cursor, numbers, vectors

HELLO_REQUEST: Final = 0
CLIENT_HELLO: Final = 1
SERVER_HELLO: Final = 2
NEW_SESSION_TICKET: Final = 4
END_OF_EARLY_DATA: Final = 5
ENCRYPTED_EXTENSIONS: Final = 8
CERTIFICATE: Final = 11
SERVER_KEY_EXCHANGE: Final = 12
CERTIFICATE_REQUEST: Final = 13
SERVER_HELLO_DONE: Final = 14
CERTIFICATE_VERIFY: Final = 15
CLIENT_KEY_EXCHANGE: Final = 16
FINISHED: Final = 20
CERTIFICATE_STATUS: Final = 22
KEY_UPDATE: Final = 24
COMPRESSED_CERTIFICATE: Final = 25
NEXT_PROTOCOL: Final = 67
MESSAGE_HASH: Final = 254

SERVER_NAME: Final = 0
STATUS_REQUEST: Final = 5
ALPN: Final = 16
SIGNED_TIMESTAMPS: Final = 18
ENCRYPT_THEN_MAC: Final = 22
EXTENDED_MASTER_SECRET: Final = 23
DELEGATED_CREDENTIAL: Final = 34
SESSION_TICKET: Final = 35
PRE_SHARED_KEY: Final = 41
EARLY_DATA: Final = 42
SUPPORTED_VERSIONS: Final = 43
KEY_SHARE: Final = 51

HELLO_RETRY: Final = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
"""Random of a HelloRetryRequest (RFC 8446 §4.1.3)."""
DOWNGRADES: Final = (b"DOWNGRD\x01", b"DOWNGRD\x00")
"""How the random of a server ends that could have spoken a newer version (RFC 8446 §4.1.3)."""

Extensions = Mapping[int, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientHello:
    """What a client offers; `identities` are the tickets of pre-shared keys, in order."""

    random: bytes
    session_id: bytes
    suites: tuple[int, ...]
    extensions: Extensions
    identities: tuple[bytes, ...]
    server_name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerHello:
    """What a server chose; `selected` is the number of the pre-shared key, `group` that of the key share."""

    version: int
    random: bytes
    session_id: bytes
    suite: int
    compression: int
    extensions: Extensions
    selected: int | None
    group: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateEntry:
    """One certificate of TLS 1.3 with its extensions."""

    certificate: bytes
    extensions: Extensions


def read_client_hello(body: bytes) -> ClientHello:
    """RFC 8446 §4.1.2."""
    cursor = Cursor(body)
    cursor.take(2)
    random = cursor.take(32)
    session_id = cursor.vector(1)
    suites = numbers(cursor.vector(2), 2)
    cursor.vector(1)
    extensions = _extensions(cursor.vector(2)) if cursor else {}
    cursor.done()
    if len(session_id) > 32:
        raise Fault(code="tls.message.malformed")
    return ClientHello(
        random=random,
        session_id=session_id,
        suites=suites,
        extensions=extensions,
        identities=_identities(extensions.get(PRE_SHARED_KEY)),
        server_name=_server_name(extensions.get(SERVER_NAME)),
    )


def read_server_hello(body: bytes) -> ServerHello:
    """RFC 8446 §4.1.3; a HelloRetryRequest has the same form."""
    cursor = Cursor(body)
    version = cursor.number(2)
    random = cursor.take(32)
    session_id = cursor.vector(1)
    suite = cursor.number(2)
    compression = cursor.number(1)
    extensions = _extensions(cursor.vector(2)) if cursor else {}
    cursor.done()
    if (named := extensions.get(SUPPORTED_VERSIONS)) is not None:
        version = _only(named)
    share, chosen = extensions.get(KEY_SHARE), extensions.get(PRE_SHARED_KEY)
    return ServerHello(
        version=version,
        random=random,
        session_id=session_id,
        suite=suite,
        compression=compression,
        extensions=extensions,
        selected=None if chosen is None else _only(chosen),
        group=None if share is None else Cursor(share).number(2),
    )


def read_encrypted_extensions(body: bytes) -> Extensions:
    """RFC 8446 §4.3.1."""
    return _extensions(_whole(body, 2))


def read_alpn(extensions: Extensions) -> str | None:
    """The one protocol that a server chose (RFC 7301 §3.1)."""
    data = extensions.get(ALPN)
    if data is None:
        return None
    names = list(vectors(_whole(data, 2), 1))
    if len(names) != 1:
        raise Fault(code="tls.message.malformed")
    return names[0].decode("ascii", "backslashreplace")


def read_certificates_13(body: bytes) -> tuple[bytes, tuple[CertificateEntry, ...]]:
    """Context and entries of a Certificate message (RFC 8446 §4.4.2)."""
    cursor = Cursor(body)
    context = cursor.vector(1)
    listed = Cursor(cursor.vector(3))
    cursor.done()
    entries = []
    while listed:
        certificate = listed.vector(3)
        entries.append(CertificateEntry(certificate=certificate, extensions=_extensions(listed.vector(2))))
    return context, tuple(entries)


def read_certificates_12(body: bytes) -> tuple[bytes, ...]:
    """RFC 5246 §7.4.2."""
    return tuple(vectors(_whole(body, 3), 3))


def read_status(data: bytes) -> bytes | None:
    """OCSP response (DER) out of a CertificateStatus (RFC 6066 §8); None for another kind of status."""
    cursor = Cursor(data)
    if cursor.number(1) != 1:
        return None
    response = cursor.vector(3)
    cursor.done()
    return response


def read_timestamps(data: bytes) -> tuple[bytes, ...]:
    """Signed certificate timestamps (RFC 6962 §3.3)."""
    return tuple(vectors(_whole(data, 2), 2))


def read_verify(body: bytes) -> tuple[int, bytes]:
    """Scheme and signature of a CertificateVerify (RFC 8446 §4.4.3)."""
    cursor = Cursor(body)
    scheme, signature = cursor.number(2), cursor.vector(2)
    cursor.done()
    return scheme, signature


def read_request_context(body: bytes) -> bytes:
    """certificate_request_context of a CertificateRequest of TLS 1.3 (RFC 8446 §4.3.2)."""
    cursor = Cursor(body)
    context = cursor.vector(1)
    _extensions(cursor.vector(2))
    cursor.done()
    return context


def read_ticket_13(body: bytes) -> bytes:
    """Ticket of a NewSessionTicket (RFC 8446 §4.6.1)."""
    cursor = Cursor(body)
    cursor.take(8)
    cursor.vector(1)
    ticket = cursor.vector(2)
    _extensions(cursor.vector(2))
    cursor.done()
    return ticket


def read_ticket_12(body: bytes) -> bytes:
    """Ticket of a NewSessionTicket (RFC 5077 §3.3); empty when the server gives none."""
    cursor = Cursor(body)
    cursor.take(4)
    ticket = cursor.vector(2)
    cursor.done()
    return ticket


def _extensions(data: bytes) -> dict[int, bytes]:
    cursor = Cursor(data)
    found: dict[int, bytes] = {}
    while cursor:
        kind = cursor.number(2)
        if kind in found:
            raise Fault(code="tls.message.malformed")
        found[kind] = cursor.vector(2)
    return found


def _whole(data: bytes, size: int) -> bytes:
    """The vector that `data` consists of."""
    cursor = Cursor(data)
    found = cursor.vector(size)
    cursor.done()
    return found


def _only(data: bytes) -> int:
    cursor = Cursor(data)
    found = cursor.number(2)
    cursor.done()
    return found


def _identities(data: bytes | None) -> tuple[bytes, ...]:
    """RFC 8446 §4.2.11."""
    if data is None:
        return ()
    cursor = Cursor(Cursor(data).vector(2))
    found = []
    while cursor:
        found.append(cursor.vector(2))
        cursor.take(4)
    return tuple(found)


def _server_name(data: bytes | None) -> str | None:
    """RFC 6066 §3."""
    if not data:
        return None
    cursor = Cursor(_whole(data, 2))
    while cursor:
        kind, name = cursor.number(1), cursor.vector(2)
        if kind == 0:
            return name.decode("ascii", "backslashreplace")
    return None
