"""A small package, real in every part that this layer looks at."""

import io
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence_desk.core.note import NoteKeys, sign_note
from evidence_desk.core.package import PackageContent, PackageEntry, PackageRecord, file_name, write_package
from evidence_desk.crypto.guomi import sign_sm2, sm2_from_seed

ORIGIN = "desk.demo.evidence/0b8f3c0e-4a6e-4c55-9d3c-7d4b6a1f0e21/1"
SM2_PRIVATE, SM2_PUBLIC = sm2_from_seed(b"package tests".ljust(32, b"."))
ED25519 = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEYS = NoteKeys(name=ORIGIN, ed25519=ED25519.public_key().public_bytes_raw(), sm2=SM2_PUBLIC)

Make = Callable[..., PackageContent]


def sign(body: bytes) -> bytes:
    note = sign_note(
        body.decode(), KEYS, ed25519=ED25519.sign, sm2=lambda message: sign_sm2(SM2_PRIVATE, message)
    )
    return note.encode()


def entries(originals: dict[str, bytes]) -> list[PackageEntry]:
    return [
        PackageEntry(name=file_name(n, name), source=partial(io.BytesIO, data), size=len(data))
        for n, (name, data) in enumerate(originals.items(), start=1)
    ]


@pytest.fixture
def keys() -> NoteKeys:
    return KEYS


@pytest.fixture(scope="session")
def make_content() -> Make:
    """Content of a small package; `changes` replace its parts."""

    def make(originals: dict[str, bytes] | None = None, **changes) -> PackageContent:
        files = entries(
            originals or {"合同.PDF": b"%PDF-1.7 contract", "聊天记录.txt": "您好".encode(), "空": b""}
        )
        objects = ("statement.json", *(item.name for item in files))
        parts: dict[str, Any] = {
            "origin": ORIGIN,
            "files": files,
            "statement": b'{"v":"statement/1"}',
            "disclosures": b"[]",
            "proof": b'{"v":"proof/1"}',
            "records": (PackageRecord(der=b"\x30\x03\x02\x01\x01", objects=objects),),
            "certificate": b"%PDF-1.7 certificate",
            "verify": {"timestamp.tsr": b"\x30\x00", "README.txt": "说明".encode(), "ca.pem": b"-----"},
            "sign_index": sign,
        }
        return PackageContent(**(parts | changes))

    return make


@pytest.fixture(scope="session")
def make_package(make_content: Make) -> Callable[..., bytes]:
    """Bytes of a small package."""

    def make(*args, **changes) -> bytes:
        out = io.BytesIO()
        write_package(out, make_content(*args, **changes))
        return out.getvalue()

    return make


@pytest.fixture(scope="session")
def package(make_package: Callable[..., bytes]) -> bytes:
    return make_package()
