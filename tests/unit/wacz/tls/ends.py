"""Real sessions between two ends of OpenSSL in memory; a tap notes each flight with its direction."""

from __future__ import annotations

import contextlib
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from evidence_desk.core.capture.stream import Direction
from evidence_desk.wacz.tls import KeyLog, Plain, TlsDecoder, TlsFacts

Flight = tuple[Direction, int, bytes]


def keep(folder: Path, kind: str, *extensions: x509.ExtensionType) -> Path:
    """A self-signed certificate with its key, as one PEM file."""
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
    match kind:
        case "rsa":
            key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        case "ed25519":
            key = ed25519.Ed25519PrivateKey.generate()
        case "p256":
            key = ec.generate_private_key(ec.SECP256R1())
        case "p384":
            key = ec.generate_private_key(ec.SECP384R1())
        case _:
            key = ec.generate_private_key(ec.SECP521R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "site.test")])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("site.test")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )  # fmt: skip
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    certificate = builder.sign(key, None if kind == "ed25519" else SHA256())
    path = folder / f"{kind}.pem"
    path.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + certificate.public_bytes(Encoding.PEM)
    )
    return path


@dataclass
class Tapped:
    """A recorded session and what was really said in it."""

    flights: list[Flight] = field(default_factory=list)
    keylog: bytes = b""
    sent: bytes = b""
    received: bytes = b""
    certificate: bytes = b""
    session: ssl.SSLSession | None = None
    cipher: str = ""

    def decode(self, keylog: bytes | None = None) -> tuple[list[Plain], TlsFacts]:
        return decode(self.flights, self.keylog if keylog is None else keylog)


def decode(flights: list[Flight], keylog: bytes) -> tuple[list[Plain], TlsFacts]:
    decoder = TlsDecoder(KeyLog.parse(keylog))
    plain = [piece for direction, at, data in flights for piece in decoder.feed(direction, at, data)]
    decoder.finish()
    return plain, decoder.facts


def said(plain: list[Plain], direction: Direction) -> bytes:
    return b"".join(piece.data for piece in plain if piece.direction is direction)


class Ends:
    """Two ends joined by memory, with a tap between."""

    def __init__(self, client: ssl.SSLContext, server: ssl.SSLContext, session: ssl.SSLSession | None = None):
        self.tapped = Tapped()
        self._to_server, self._to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._from_client, self._from_server = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.client = client.wrap_bio(
            self._to_client, self._from_client, server_hostname="site.test", session=session
        )
        self.server = server.wrap_bio(self._to_server, self._from_server, server_side=True)
        self.clock = 1_700_000_000_000_000

    def move(self) -> None:
        """Carry what waits, client first, and note it."""
        for source, target, direction in (
            (self._from_client, self._to_server, Direction.OUT),
            (self._from_server, self._to_client, Direction.IN),
        ):
            data = source.read()
            if data:
                self.clock += 1000
                self.tapped.flights.append((direction, self.clock, data))
                target.write(data)

    def shake(self) -> None:
        open_ends = [self.client, self.server]
        for _ in range(20):
            for end in list(open_ends):
                try:
                    end.do_handshake()
                    open_ends.remove(end)
                except ssl.SSLWantReadError:
                    pass
                self.move()
            if not open_ends:
                break
        assert not open_ends
        self.move()

    def say(self, request: bytes, answer: bytes) -> None:
        for source, target, data in ((self.client, self.server, request), (self.server, self.client, answer)):
            at = 0
            while at < len(data):
                at += source.write(data[at : at + 65536])
                self.move()
                got = 0
                while True:
                    try:
                        got += len(target.read(1 << 20))
                    except ssl.SSLWantReadError:
                        break
        self.tapped.sent += request
        self.tapped.received += answer

    def close(self) -> Tapped:
        for end in (self.client, self.server, self.client):
            with contextlib.suppress(ssl.SSLError):
                end.unwrap()
            self.move()
        return self.tapped


@dataclass
class Contexts:
    """Settings for both ends."""

    client: ssl.SSLContext
    server: ssl.SSLContext
    log: Path

    def ends(self, session: ssl.SSLSession | None = None) -> Ends:
        return Ends(self.client, self.server, session)

    def record(
        self, request: bytes, answer: bytes, *, session: ssl.SSLSession | None = None, close: bool = True
    ) -> Tapped:
        ends = self.ends(session)
        ends.shake()
        ends.say(request, answer)
        ends.tapped.session = ends.client.session
        ends.tapped.certificate = ends.client.getpeercert(binary_form=True) or b""
        cipher = ends.client.cipher()
        ends.tapped.cipher = cipher[0] if cipher else ""
        if close:
            ends.close()
        ends.tapped.keylog = self.log.read_bytes()
        return ends.tapped
