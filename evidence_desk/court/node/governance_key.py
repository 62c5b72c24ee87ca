"""The key an institution proposes and votes with: a PEM file of its own, which the running node never needs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from evidence_desk.court.node.files import read_input, write_new
from evidence_desk.errors import MalformedError, PermissionDeniedError

FILE: Final = "governance.pem"
_MAX_FILE: Final = 8 * 1024


def make_governance_key(path: Path, passphrase: str) -> Ed25519PrivateKey:
    """A fresh key in a new file (PKCS #8, encrypted unless the passphrase is "").

    Raises:
        UsageError: ``operation.exists``.
        HostError: ``operation.unwritable``.
    """
    key = Ed25519PrivateKey.generate()
    protection: KeySerializationEncryption = (
        BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    )
    write_new(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection), mode=0o600)
    return key


def is_protected(path: Path) -> bool:
    """Whether the file asks for a passphrase; UnreadableError."""
    return b"ENCRYPTED" in read_input(path, _MAX_FILE)


def open_governance_key(path: Path, passphrase: str) -> Ed25519PrivateKey:
    """Read the key.

    Raises:
        UnreadableError: ``operation.unreadable``.
        PermissionDeniedError: ``governance.passphrase``.
        MalformedError: ``malformed.governance_key``.
    """
    data = read_input(path, _MAX_FILE)
    protected = b"ENCRYPTED" in data
    try:
        key = load_pem_private_key(data, password=passphrase.encode() if protected else None)
    except (ValueError, TypeError) as error:
        if protected:
            raise PermissionDeniedError("governance.passphrase", path=os.fspath(path)) from error
        raise MalformedError("malformed.governance_key", path=os.fspath(path)) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise MalformedError("malformed.governance_key", path=os.fspath(path))
    return key
