"""A writer of TLS 1.3 sessions: records made by hand, with key derivation of its own, for what no peer at hand sends.

It makes up the secrets (a decoder reads them out of a key log and derives no shared key), so hellos carry no real shares.
"""

from __future__ import annotations

import hashlib
import hmac
import random
from collections.abc import Mapping
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from evidence_desk.core.capture.stream import Direction
from evidence_desk.wacz.tls import HandshakeSignature, Plain, TlsFacts
from tests.unit.wacz.tls.ends import Flight, decode

OUT, IN = Direction.OUT, Direction.IN
RETRY = hashlib.sha256(b"HelloRetryRequest").digest()
LABELS = {
    "early": "CLIENT_EARLY_TRAFFIC_SECRET",
    "client": "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
    "server": "SERVER_HANDSHAKE_TRAFFIC_SECRET",
    "client data": "CLIENT_TRAFFIC_SECRET_0",
    "server data": "SERVER_TRAFFIC_SECRET_0",
}
CIPHERS = {0x1301: (16, "sha256"), 0x1302: (32, "sha384"), 0x1303: (32, "sha256"), 0x1304: (16, "sha256"), 0x1305: (16, "sha256")}  # fmt: skip


def vector(data: bytes, size: int) -> bytes:
    return len(data).to_bytes(size) + data


def extensions(items: Mapping[int, bytes]) -> bytes:
    return vector(b"".join(kind.to_bytes(2) + vector(data, 2) for kind, data in items.items()), 2)


def message(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + vector(body, 3)


def record(kind: int, content: bytes) -> bytes:
    return bytes([kind, 3, 3]) + vector(content, 2)


def expand(digest: str, secret: bytes, name: str, size: int) -> bytes:
    label = b"tls13 " + name.encode()
    info = size.to_bytes(2) + vector(label, 1) + b"\0"
    done, block = b"", b""
    while len(done) < size:
        block = hmac.new(
            secret, block + info + bytes([len(done) // hashlib.new(digest).digest_size + 1]), digest
        ).digest()
        done += block
    return done[:size]


PSK = {41: vector(vector(b"ticket of before", 2) + bytes(4), 2) + vector(vector(bytes(32), 1), 2)}
EARLY = {42: b"", **PSK}
"""Extensions of a client that offers a ticket, and early data with it."""


class Key:
    """Seals records under one traffic secret."""

    def __init__(self, suite: int, secret: bytes) -> None:
        size, self.digest = CIPHERS[suite]
        key = expand(self.digest, secret, "key", size)
        self.secret = secret
        match suite:
            case 0x1303:
                self.cipher: AESGCM | AESCCM | ChaCha20Poly1305 = ChaCha20Poly1305(key)
            case 0x1304 | 0x1305:
                self.cipher = AESCCM(key, 8 if suite == 0x1305 else 16)
            case _:
                self.cipher = AESGCM(key)
        self.tag = 8 if suite == 0x1305 else 16
        self.iv = expand(self.digest, secret, "iv", 12)
        self.count = 0

    def seal(self, kind: int, content: bytes, padding: int = 0) -> bytes:
        inner = content + bytes([kind]) + bytes(padding)
        header = b"\x17\x03\x03" + (len(inner) + self.tag).to_bytes(2)
        nonce = bytes(a ^ b for a, b in zip(self.iv, self.count.to_bytes(12), strict=True))
        self.count += 1
        return header + self.cipher.encrypt(nonce, inner, header)


class Forge:
    """One session, written step by step."""

    def __init__(self, pem: Path, suite: int = 0x1301, seed: int = 1) -> None:
        self.rng = random.Random(seed)
        self.suite = suite
        self.digest = CIPHERS.get(suite, (16, "sha256"))[1]
        self.random = self.rng.randbytes(32)
        size = hashlib.new(self.digest).digest_size
        self.secrets = {name: self.rng.randbytes(size) for name in LABELS}
        self.known = set(LABELS) - {"early"}
        self.flights: list[Flight] = []
        self.transcript = b""
        self.clock = 1_700_000_000_000_000
        self.key = load_pem_private_key(pem.read_bytes(), None)
        self.certificate = x509.load_pem_x509_certificate(pem.read_bytes()).public_bytes(Encoding.DER)
        self.keys: dict[Direction, Key] = {}

    @property
    def keylog(self) -> bytes:
        return "".join(
            f"{LABELS[name]} {self.random.hex()} {self.secrets[name].hex()}\n" for name in sorted(self.known)
        ).encode()

    def put(self, direction: Direction, data: bytes) -> None:
        self.clock += 1000
        self.flights.append((direction, self.clock, data))

    def seal(self, direction: Direction, kind: int, content: bytes, padding: int = 0) -> None:
        self.put(direction, self.keys[direction].seal(kind, content, padding))

    def change(self, direction: Direction, name: str) -> None:
        self.keys[direction] = Key(self.suite, self.secrets[name])

    def say(self, direction: Direction, kind: int, body: bytes) -> None:
        """A handshake message under the key, into the transcript."""
        self.transcript += message(kind, body)
        self.seal(direction, 22, message(kind, body))

    def client_hello(self, extra: Mapping[int, bytes] | None = None, suites: bytes = b"\x13\x01\x13\x02\x13\x03\x13\x04\x13\x05\x00\xc6") -> None:  # fmt: skip
        named = {0: vector(b"\0" + vector(b"site.test", 2), 2), 43: b"\x02\x03\x04", **(extra or {})}
        body = b"\3\3" + self.random + vector(b"s" * 32, 1) + vector(suites, 2) + b"\1\0" + extensions(named)
        self.transcript += message(1, body)
        self.put(OUT, record(22, message(1, body)))

    def retry(self) -> None:
        first = hashlib.new(self.digest, self.transcript).digest()
        self.transcript = b"\xfe\0\0" + vector(first, 1)
        self.hello(RETRY, {43: b"\3\4", 51: b"\x11\xec"})

    def server_hello(self, extra: Mapping[int, bytes] | None = None) -> None:
        share = {51: b"\x11\xec" + vector(b"x" * 64, 2)}
        self.hello(self.rng.randbytes(32), {43: b"\3\4", **(share if extra is None else extra)})
        self.change(IN, "server")

    def hello(self, chosen: bytes, extra: Mapping[int, bytes]) -> None:
        body = b"\3\3" + chosen + vector(b"s" * 32, 1) + self.suite.to_bytes(2) + b"\0" + extensions(extra)
        self.transcript += message(2, body)
        self.put(IN, record(22, message(2, body)))

    def encrypted_extensions(self, extra: Mapping[int, bytes] | None = None) -> None:
        self.say(IN, 8, extensions(extra or {}))

    def certificate_body(self, extra: Mapping[int, bytes] | None = None, context: bytes = b"") -> bytes:
        return vector(context, 1) + vector(vector(self.certificate, 3) + extensions(extra or {}), 3)

    def signed(self, who: bytes, transcript: bytes) -> bytes:
        content = (
            b" " * 64
            + b"TLS 1.3, "
            + who
            + b" CertificateVerify\0"
            + hashlib.new(self.digest, transcript).digest()
        )
        assert isinstance(self.key, ec.EllipticCurvePrivateKey)
        return self.key.sign(content, ec.ECDSA(SHA256()))

    def verify(self, direction: Direction = IN, scheme: int = 0x0403) -> None:
        signature = self.signed(b"server" if direction is IN else b"client", self.transcript)
        self.say(direction, 15, scheme.to_bytes(2) + vector(signature, 2))

    def finish(self, direction: Direction) -> None:
        secret = self.keys[direction].secret
        base = expand(self.digest, secret, "finished", len(secret))
        self.say(
            direction,
            20,
            hmac.new(base, hashlib.new(self.digest, self.transcript).digest(), self.digest).digest(),
        )
        self.change(direction, "server data" if direction is IN else "client data")

    def server_flight(self) -> None:
        """From EncryptedExtensions to Finished."""
        self.encrypted_extensions()
        self.say(IN, 11, self.certificate_body())
        self.verify()
        self.finish(IN)

    def client_flight(self) -> None:
        self.change(OUT, "client")
        self.finish(OUT)

    def shake(self) -> None:
        """A whole plain handshake."""
        self.client_hello()
        self.server_hello()
        self.server_flight()
        self.client_flight()

    def data(self, direction: Direction, content: bytes, padding: int = 0) -> None:
        self.seal(direction, 23, content, padding)

    def update(self, direction: Direction) -> None:
        """KeyUpdate."""
        self.seal(direction, 22, b"\x18\0\0\1\0")
        key = self.keys[direction]
        self.keys[direction] = Key(self.suite, expand(key.digest, key.secret, "traffic upd", len(key.secret)))

    def close(self) -> None:
        for direction in (OUT, IN):
            self.seal(direction, 21, b"\1\0")


def out(forge: Forge) -> tuple[list[Plain], TlsFacts]:
    plain, facts = decode(forge.flights, forge.keylog)
    return plain, facts


def server_signature(facts: TlsFacts) -> HandshakeSignature:
    assert facts.certificate_verify is not None
    return facts.certificate_verify


def judged(facts: TlsFacts) -> tuple[str, str | None]:
    return server_signature(facts).status.value, server_signature(facts).reason
