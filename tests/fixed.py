"""Fixed keys, clock, random bytes and documents: examples and tests that must come out the same each time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from gmssl.sm2 import CryptSM2

from evidence_desk.core.canonical import JSON
from evidence_desk.core.digests import DigestPair, sm3
from evidence_desk.core.leaf import Leaf, LeafType, PlainObject
from evidence_desk.core.log import note_keys
from evidence_desk.core.note import NoteKeys
from evidence_desk.core.rows import LeafRow, LogAppend
from evidence_desk.core.statement import ClockState, ExhibitKind, FileEntry, StatementDraft
from evidence_desk.crypto.guomi import sm2_from_seed
from evidence_desk.errors import EvidenceDeskError, IntegrityError, MalformedError, NotFoundError

ORIGIN = "desk.example.evidence/5f0c2a9e-7d41-4b6e-9a35-0c8d1e2f3a4b/1"
AT = datetime(2026, 3, 2, 1, 30, 0, 123000, tzinfo=UTC)


class FixedRandom:
    """Bytes that look random and are the same in each run: SHA-256 in counter mode over a name."""

    def __init__(self, name: str = "evidence-desk example") -> None:
        self._name = name.encode()
        self._count = 0

    def __call__(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            self._count += 1
            data += hashlib.sha256(self._name + self._count.to_bytes(8, "big")).digest()
        return data[:size]


class FixedSigner:
    """Real desk keys from a seed. Its SM2 nonces are derived from the message: for examples only."""

    def __init__(self, seed: bytes = b"example") -> None:
        self._ed25519 = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(seed + b" ed25519").digest())
        self._sm2, self.sm2_public = sm2_from_seed(hashlib.sha256(seed + b" sm2").digest())
        self.ed25519_public = self._ed25519.public_key().public_bytes_raw()

    def sign_ed25519(self, message: bytes) -> bytes:
        return self._ed25519.sign(message)

    def sign_sm2(self, message: bytes) -> bytes:
        library = CryptSM2(private_key=self._sm2.hex(), public_key="")
        library.public_key = self.sm2_public[1:].hex()
        nonce = hashlib.sha256(self._sm2 + message).hexdigest()
        numbers = library.sign(_sm2_digest(self.sm2_public, message), nonce)
        body = _integer(numbers[:64]) + _integer(numbers[64:])
        return b"\x30" + bytes([len(body)]) + body


def _sm2_digest(point: bytes, message: bytes) -> bytes:
    """SM3(ZA ‖ M) with the default user ID (GB/T 32918.2 §5.5)."""
    curve = bytes.fromhex(
        "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFC"
        "28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93"
        "32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7"
        "BC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0"
    )
    return sm3(sm3(b"\x00\x80" + b"1234567812345678" + curve + point[1:]) + message)


def _integer(digits: str) -> bytes:
    value = int(digits, 16)
    content = value.to_bytes(value.bit_length() // 8 + 1, "big")
    return b"\x02" + bytes([len(content)]) + content


SIGNER = FixedSigner()
KEYS: NoteKeys = note_keys(ORIGIN, SIGNER)


def file_entry(name: str, content: bytes) -> FileEntry:
    return FileEntry(
        name=name,
        raw_name=name.encode(),
        size=len(content),
        media_type="text/plain",
        digests=DigestPair.of(content),
        modified=AT,
    )


FILES = (("合同.txt", "甲方：张三\n乙方：李四\n".encode()), ("聊天记录/第1页.txt", "明天付款。\n".encode()))


def draft() -> StatementDraft:
    return StatementDraft(
        case_number="（2026）浙0192民初1号",
        court="示例人民法院",
        cause="买卖合同纠纷",
        parties=("张三", "李四"),
        exhibit_no="1",
        title="买卖合同及聊天记录",
        kind=ExhibitKind.COMMUNICATION,
        purpose="证明双方约定了付款时间",
        files=tuple(file_entry(name, content) for name, content in FILES),
        source={"how": "当事人提供", "from": "张三", "medium": "手机", "is_original": True},
        operator={"name": "王五", "organization": "示例律师事务所"},
        interest="无",
        tools=({"name": "evidence-desk", "version": "0.1.0"},),
        clock=ClockState(utc=AT, zone="Asia/Shanghai", offset_ms=12, sources=("ntp.example",)),
    )


def opened_leaf(origin: str = ORIGIN, seq: int = 0) -> Leaf:
    following = FixedSigner(b"next")
    keys: dict[str, JSON] = {"ed25519": SIGNER.ed25519_public.hex(), "sm2": SIGNER.sm2_public.hex()}
    return Leaf(
        log=origin,
        seq=seq,
        type=LeafType.LOG_OPENED,
        at=AT,
        facts={
            "keys": keys,
            "next": {
                "ed25519": {**DigestPair.of(following.ed25519_public).to_json()},
                "sm2": {**DigestPair.of(following.sm2_public).to_json()},
            },
        },
    )


def sealed_leaf(seq: int, content: bytes = b"content", statement: bytes = b"statement") -> Leaf:
    return Leaf(
        log=ORIGIN,
        seq=seq,
        type=LeafType.EXHIBIT_SEALED,
        at=AT,
        statement=DigestPair.of(statement),
        objects=(PlainObject(digests=DigestPair.of(content), size=len(content)),),
    )


class MemoryLog:
    """A `LogStore` in memory that, unlike a real one, lets a test spoil what is stored."""

    def __init__(self) -> None:
        self.rows: list[LeafRow] = []
        self.tiles: dict[tuple[int, int], bytes] = {}
        self.notes: list[tuple[int, bytes]] = []

    def write(self, append: LogAppend) -> None:
        if append.old_size != len(self.rows):
            raise IntegrityError("log.size_mismatch", stored=len(self.rows), signed=append.old_size)
        self.rows.extend(append.leaves)
        self.tiles.update(append.tiles)
        self.notes.append((append.new_size, append.checkpoint))

    def tile(self, level: int, index: int) -> bytes:
        return self.tiles.get((level, index), b"")

    def size(self) -> int:
        return len(self.rows)

    def checkpoint(self) -> bytes:
        return self.notes[-1][1] if self.notes else b""

    def checkpoints(self) -> Iterator[tuple[int, bytes]]:
        return iter(self.notes)

    def checkpoint_at(self, size: int) -> bytes:
        return dict(self.notes).get(size, b"")

    def nearest_checkpoint(self, above: int, most: int) -> tuple[int, bytes] | None:
        return max((item for item in self.notes if above < item[0] <= most), default=None)

    def add_checkpoint(self, size: int, note: bytes) -> None:
        self.notes = sorted({size: note, **dict(self.notes)}.items())

    def leaf(self, seq: int) -> LeafRow:
        if not 0 <= seq < len(self.rows):
            raise NotFoundError("log.no_such_leaf", seq=seq)
        return self.rows[seq]

    def leaf_by_hash(self, leaf_hash: bytes) -> LeafRow | None:
        return next((row for row in self.rows if row.leaf_hash == leaf_hash), None)

    def rotations(self) -> Iterator[LeafRow]:
        return (row for row in self.rows if row.type == LeafType.KEY_ROTATED)

    def captures(self) -> Iterator[LeafRow]:
        return (row for row in self.rows if row.type.startswith("capture."))

    def leaves(self, start: int, stop: int) -> Iterator[LeafRow]:
        return iter(self.rows[start:stop])


@contextmanager
def refusal(code: str, kind: type[EvidenceDeskError] = MalformedError) -> Iterator[None]:
    """Expect an error of exactly this kind and code."""
    with pytest.raises(kind) as caught:
        yield
    assert type(caught.value) is kind
    assert caught.value.code == code


def mutations(document: bytes) -> Iterator[bytes]:
    """The document with each byte changed in several ways, left out or doubled, and each pair swapped."""
    for at, byte in enumerate(document):
        before, after = document[:at], document[at + 1 :]
        for other in {byte ^ 1, byte ^ 0x20, byte ^ 0x80, 0x20, 0x0A, 0x30, 0x41, 0x2D, 0x5C} - {byte}:
            yield before + bytes([other]) + after
        yield before + after
        yield before + bytes([byte, byte]) + after
        if after and after[0] != byte:
            yield before + after[:1] + bytes([byte]) + after[1:]
