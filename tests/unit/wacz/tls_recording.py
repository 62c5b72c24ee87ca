"""Real TLS between Python's own client and server, recorded as a blind proxy would."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from evidence_desk.core.capture.connection import Connection, Ending, Fate
from evidence_desk.core.capture.stream import Chunk, Direction
from evidence_desk.core.digests import sha256

AT = 1_770_000_000_000_000
"""Microseconds of the first byte."""


@dataclass(frozen=True)
class Recording:
    chunks: tuple[Chunk, ...]
    keylog: bytes


def connection(number: int = 1, chunks: tuple[Chunk, ...] = (), **changes: object) -> Connection:
    sent, received = (
        b"".join(chunk.data for chunk in chunks if chunk.direction is way)
        for way in (Direction.OUT, Direction.IN)
    )
    values: dict[str, object] = {
        "number": number, "host": "site.test", "port": 443, "answers": ("203.0.113.7",), "address": "203.0.113.7",
        "local": f"198.51.100.4:{40_000 + number}", "fate": Fate.OPENED, "reason": None,
        "opened_at": "2026-02-02T02:40:00.000Z", "closed_at": "2026-02-02T02:41:00.000Z", "ending": Ending.CLOSED,
        "sent": len(sent), "received": len(received), "sent_sha256": sha256(sent), "received_sha256": sha256(received),
    }  # fmt: skip
    return Connection(**(values | changes))  # type: ignore[arg-type]


@cache
def _server_identity() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "site.test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(7).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("site.test")]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)


def record(
    requests: list[bytes],
    answer: Callable[[bytes], bytes],
    version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    *,
    alpn: str = "http/1.1",
) -> Recording:
    """Send each request after the answer to the one before; both ends close the connection properly."""
    with TemporaryDirectory() as folder:
        identity, keys = Path(folder, "server.pem"), Path(folder, "keys.txt")
        identity.write_bytes(_server_identity())
        server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server_side.load_cert_chain(identity)
        client_side = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client_side.load_verify_locations(identity)
        client_side.keylog_filename = str(keys)
        for context in (server_side, client_side):
            context.minimum_version = context.maximum_version = version
            context.set_alpn_protocols([alpn])
        wire = _Wire(client_side, server_side)
        wire.shake_hands()
        for request in requests:
            wire.exchange(request, answer(request))
        wire.close()
        return Recording(tuple(wire.chunks), keys.read_bytes())


class _Wire:
    def __init__(self, client: ssl.SSLContext, server: ssl.SSLContext) -> None:
        self.to_server, self.to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._client_out, self._server_out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.client = client.wrap_bio(self.to_client, self._client_out, server_hostname="site.test")
        self.server = server.wrap_bio(self.to_server, self._server_out, server_side=True)
        self.chunks: list[Chunk] = []

    def _carry(self) -> None:
        for direction, out, into in (
            (Direction.OUT, self._client_out, self.to_server), (Direction.IN, self._server_out, self.to_client)
        ):  # fmt: skip
            while data := out.read(100_000):
                self.chunks.append(Chunk(direction=direction, at=AT + 1000 * len(self.chunks), data=data))
                into.write(data)

    def shake_hands(self) -> None:
        done: set[object] = set()
        while len(done) < 2:
            for side in (self.client, self.server):
                try:
                    side.do_handshake()
                    done.add(side)
                except ssl.SSLWantReadError:
                    pass
                self._carry()

    def exchange(self, request: bytes, answer: bytes) -> None:
        self.client.write(request)
        self._carry()
        assert self._read(self.server, len(request)) == request
        self.server.write(answer)
        self._carry()
        assert self._read(self.client, len(answer)) == answer

    @staticmethod
    def _read(side: ssl.SSLObject, size: int) -> bytes:
        data = b""
        while len(data) < size:
            data += side.read(size - len(data))
        return data

    def close(self) -> None:
        for side in (self.client, self.server):
            with suppress(ssl.SSLWantReadError):
                side.unwrap()
            self._carry()
