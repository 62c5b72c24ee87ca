"""The signed list (docs/spec/release.md): made with the release key, or with one made on the spot that is marked 演示."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SM3, Hash
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from evidence_desk.core.release import DEMO_KEY_NAME, KEY_NAME, Release, ReleaseFile, ReleaseKey

KEY_FILE: Final = "EVIDENCE_DESK_RELEASE_KEY"
PASSWORD_FILE: Final = "EVIDENCE_DESK_RELEASE_PASSWORD_FILE"  # noqa: S105 - the name of a variable
_BLOCK: Final = 1 << 20


class ReleaseError(Exception):
    """The release would not be what it has to be; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """The key of a list."""

    private: Ed25519PrivateKey
    demonstration: bool

    @property
    def key(self) -> ReleaseKey:
        """Its public part with the name that tells what it is."""
        name = DEMO_KEY_NAME if self.demonstration else KEY_NAME
        return ReleaseKey(name=name, public=self.private.public_key().public_bytes_raw())

    @property
    def pem(self) -> bytes:
        """The public part as openssl reads it."""
        return self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def signer() -> Signer:
    """The key that `KEY_FILE` names (PKCS #8 PEM, Ed25519), else a new one for demonstration that nobody keeps.

    Raises:
        ReleaseError: the file is no such key.
    """
    name = os.environ.get(KEY_FILE)
    if not name:
        return Signer(private=Ed25519PrivateKey.generate(), demonstration=True)
    password = os.environ.get(PASSWORD_FILE)
    secret = Path(password).read_bytes().rstrip(b"\r\n") if password else None
    try:
        private = load_pem_private_key(Path(name).read_bytes(), secret)
    except (OSError, ValueError, TypeError) as error:
        raise ReleaseError(f"{KEY_FILE}: {error}") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise ReleaseError(f"{KEY_FILE}: not an Ed25519 key")
    return Signer(private=private, demonstration=False)


def digests(path: Path) -> ReleaseFile:
    """Size and digests of a file."""
    sha256, sm3, size = hashlib.sha256(), Hash(SM3()), 0
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            sha256.update(block)
            sm3.update(block)
            size += len(block)
    return ReleaseFile(name=path.name, size=size, sha256=sha256.hexdigest(), sm3=sm3.finalize().hex())


def sign_list(files: Iterable[Path], version: str, by: Signer, *, now: datetime | None = None) -> bytes:
    """The signed list of files."""
    issued = (now or datetime.now(UTC)).replace(microsecond=0)
    listed = tuple(sorted(digests(path) for path in files))
    release = Release(version=version, issued=issued, demonstration=by.demonstration, files=listed)
    return by.key.sign(release.encode(), by.private.sign)


def compare(release: Release, folder: Path) -> list[str]:
    """What of a list is not so in a folder, one line each."""
    wrong = []
    for item in release.files:
        path = folder / item.name
        if not path.is_file():
            wrong.append(f"{item.name}: missing")
        elif digests(path) != item:
            wrong.append(f"{item.name}: size or digest differs")
    return wrong
