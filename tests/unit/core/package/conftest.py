"""A small package, real in every part that this layer looks at."""

import io

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence_desk.core.note import Note, NoteKeys, NoteSignature
from evidence_desk.core.package import PackageContent, PackageEntry, PackageRecord, file_name, write_package

ORIGIN = "desk.demo.evidence/0b8f3c0e-4a6e-4c55-9d3c-7d4b6a1f0e21/1"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEYS = NoteKeys(name=ORIGIN, ed25519=KEY.public_key().public_bytes_raw(), sm2=b"\x04" + bytes(64))


def sign(body: bytes) -> bytes:
    signature = NoteSignature(name=ORIGIN, key_id=KEYS.ed25519_id, signature=KEY.sign(body))
    return Note(text=body.decode(), signatures=(signature,)).encode()


def make_content(**changes) -> PackageContent:
    originals = {"合同.pdf": b"%PDF-1.7 contract", "聊天记录.txt": "您好".encode(), "空": b""}
    files = [
        PackageEntry(name=file_name(n, name), source=lambda data=data: io.BytesIO(data), size=len(data))
        for n, (name, data) in enumerate(originals.items(), start=1)
    ]
    parts = {
        "origin": ORIGIN,
        "files": files,
        "statement": b'{"v":"statement/1"}',
        "disclosures": b"[]",
        "proof": b'{"v":"proof/1"}',
        "records": (
            PackageRecord(der=b"\x30\x03\x02\x01\x01", objects=("statement.json", *(f.name for f in files))),
        ),
        "certificate": b"%PDF-1.7 certificate",
        "verify": {"timestamp.tsr": b"\x30\x00", "README.txt": "说明".encode(), "ca.pem": b"-----"},
        "sign_index": sign,
    }
    return PackageContent(**(parts | changes))


def make_package(**changes) -> bytes:
    out = io.BytesIO()
    write_package(out, make_content(**changes))
    return out.getvalue()


@pytest.fixture
def package() -> bytes:
    return make_package()
