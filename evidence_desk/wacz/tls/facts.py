"""What a decoded session tells (the product of `TlsDecoder`)."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

from evidence_desk.core.canonical import JSON
from evidence_desk.core.capture.stream import Direction
from evidence_desk.core.digests import sha256
from evidence_desk.wacz.tls.signatures import HandshakeSignature


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """Application data in the clear; `early` when it was sent before the handshake ended (0-RTT)."""

    direction: Direction
    at: int
    data: bytes
    early: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFacts:
    """Facts of one session; certificates are carried, not judged.

    Attributes:
        client_random: identifies the session in the key log; None before a ClientHello.
        version, suite, group: names, with their numbers beside; None when it did not come so far.
        resumed: an earlier session was resumed: no certificate here, the server's Finished is the only proof.
        psk: how: ``psk_dhe_ke``, ``psk_ke`` (TLS 1.3), ``ticket``, ``session_id`` (TLS 1.2).
        resumed_from: SHA-256 of the ticket or session ID that was resumed; the session that has it in `issued` is the
            one whose certificate counts.
        issued: SHA-256 of the tickets and session IDs that the server gave out in this session.
        certificates, client_certificates: DER, leaf first.
        compression: of the server's certificate message (RFC 8879), None when plain.
        certificate_verify, client_certificate_verify: the signature over the handshake (for TLS 1.2 that of the
            ServerKeyExchange); None when there was none (resumption, RSA key exchange).
        ocsp: stapled OCSP response (DER); `scts` timestamps sent beside the certificate, `embedded_scts` whether the
            leaf has some inside.
        finished_server, finished_client: whether the Finished messages are right; None when not seen.
        extended_master_secret: TLS 1.2 only (RFC 7627).
        downgraded: the server's random says that it could speak a newer version.
        early_data: ``accepted`` or ``rejected`` when the client sent some.
        ended, ended_client: how server and client ended: ``close_notify``, ``truncated``, ``fault``, or the name of an
            alert; None before `TlsDecoder.finish`.
        warnings: alerts that ended nothing.
        faults: codes of what was wrong, in order, each once; `fault_server` and `fault_client` are those after which
            a direction was read no further, `unread_received` and `unread_sent` the bytes left.
    """

    client_random: bytes | None = None
    version: str | None = None
    version_code: int | None = None
    suite: str | None = None
    suite_code: int | None = None
    group: str | None = None
    group_code: int | None = None
    sni: str | None = None
    alpn: str | None = None
    resumed: bool = False
    psk: str | None = None
    resumed_from: bytes | None = None
    issued: tuple[bytes, ...] = ()
    certificates: tuple[bytes, ...] = field(default=(), repr=False)
    compression: str | None = None
    certificate_verify: HandshakeSignature | None = None
    ocsp: bytes | None = field(default=None, repr=False)
    scts: tuple[bytes, ...] = ()
    embedded_scts: bool = False
    client_certificate_requested: bool = False
    client_certificates: tuple[bytes, ...] = field(default=(), repr=False)
    client_certificate_verify: HandshakeSignature | None = None
    finished_server: bool | None = None
    finished_client: bool | None = None
    hello_retry: bool = False
    extended_master_secret: bool | None = None
    downgraded: bool = False
    renegotiation_asked: bool = False
    key_updates_server: int = 0
    key_updates_client: int = 0
    early_data: str | None = None
    ended: str | None = None
    ended_client: str | None = None
    warnings: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    fault_server: str | None = None
    fault_client: str | None = None
    unread_received: int = 0
    unread_sent: int = 0

    @property
    def key_updates(self) -> int:
        """KeyUpdate messages of both directions."""
        return self.key_updates_server + self.key_updates_client

    @property
    def complete(self) -> bool:
        """Whether the handshake came to its end and both Finished messages are right."""
        return self.finished_server is True and self.finished_client is True

    def to_json(self) -> dict[str, JSON]:
        """For the list of sessions; certificates and OCSP response by their SHA-256, timestamps in base64."""
        return {
            "client_random": _hex(self.client_random),
            "version": self.version, "version_code": self.version_code,
            "suite": self.suite, "suite_code": self.suite_code,
            "group": self.group, "group_code": self.group_code,
            "sni": self.sni, "alpn": self.alpn,
            "resumed": self.resumed, "psk": self.psk, "resumed_from": _hex(self.resumed_from),
            "issued": [digest.hex() for digest in self.issued],
            "certificates": _digests(self.certificates), "compression": self.compression,
            "certificate_verify": _signature(self.certificate_verify),
            "ocsp": None if self.ocsp is None else sha256(self.ocsp).hex(),
            "scts": [base64.b64encode(sct).decode() for sct in self.scts], "embedded_scts": self.embedded_scts,
            "client_certificate_requested": self.client_certificate_requested,
            "client_certificates": _digests(self.client_certificates),
            "client_certificate_verify": _signature(self.client_certificate_verify),
            "finished_server": self.finished_server, "finished_client": self.finished_client,
            "hello_retry": self.hello_retry, "extended_master_secret": self.extended_master_secret,
            "downgraded": self.downgraded, "renegotiation_asked": self.renegotiation_asked,
            "key_updates_server": self.key_updates_server, "key_updates_client": self.key_updates_client,
            "early_data": self.early_data, "ended": self.ended, "ended_client": self.ended_client,
            "warnings": list[JSON](self.warnings), "faults": list[JSON](self.faults),
            "fault_server": self.fault_server, "fault_client": self.fault_client,
            "unread_received": self.unread_received, "unread_sent": self.unread_sent,
        }  # fmt: skip


def _hex(value: bytes | None) -> str | None:
    return None if value is None else value.hex()


def _digests(values: tuple[bytes, ...]) -> list[JSON]:
    return [sha256(value).hex() for value in values]


def _signature(value: HandshakeSignature | None) -> JSON:
    return None if value is None else value.to_json()
