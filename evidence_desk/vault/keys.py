"""Keys of the vault: stretching, wrapping, derivation, and the file of signing keys and other private blobs.

The signing keys lie in ``desk.keys``, a wrapped file of its own: never in vault.db, in backups or in envelopes.
Wiping is best effort: what we hold in bytearrays is zeroed, what Python or a library copied is only forgotten.
"""

from __future__ import annotations

import base64
import binascii
import os
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from evidence_desk.core import canonical
from evidence_desk.core.canonical import JSON
from evidence_desk.crypto.guomi import generate_sm2, sign_sm2
from evidence_desk.errors import (
    ConfigurationError,
    EvidenceDeskError,
    IntegrityError,
    MalformedError,
    UsageError,
)
from evidence_desk.vault.durable import write_atomically
from evidence_desk.vault.faults import host_faults

KEY_SIZE: Final = 32
_NONCE_SIZE: Final = 12
_MAX_FILE: Final = 64 * 1024 * 1024
_MAX_MEMORY_KIB: Final = 2 * 1024 * 1024
_MAX_ITERATIONS: Final = 32
_MAX_LANES: Final = 16
_AAD: Final = b"evidence-desk/desk.keys/1"
_PENDING: Final = "#next"
"""Behind an origin: keys of a rotation that is under way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KdfParameters:
    """Costs of Argon2id (RFC 9106); the default takes about 0.2 s on an office machine."""

    memory_kib: int = 64 * 1024
    iterations: int = 3
    lanes: int = 1

    def __post_init__(self) -> None:
        if (
            not 1 <= self.lanes <= _MAX_LANES
            or not 1 <= self.iterations <= _MAX_ITERATIONS
            or not 8 * self.lanes <= self.memory_kib <= _MAX_MEMORY_KIB
        ):
            raise MalformedError("malformed.vault_file", what="kdf")

    def stretch(self, passphrase: str, salt: bytes) -> bytes:
        """32-byte key of a passphrase; NFKC, so that full-width digits of an input method mean the same.

        Raises:
            UsageError: ``vault.passphrase_empty``.
        """
        text = unicodedata.normalize("NFKC", passphrase)
        if not text:
            raise UsageError("vault.passphrase_empty")
        kdf = Argon2id(
            salt=salt,
            length=KEY_SIZE,
            iterations=self.iterations,
            lanes=self.lanes,
            memory_cost=self.memory_kib,
        )
        return kdf.derive(text.encode("utf-8", "surrogatepass"))


def derive(secret: bytes | bytearray, *, salt: bytes, info: str) -> bytes:
    """32 bytes by HKDF-SHA256 (RFC 5869)."""
    return HKDF(algorithm=hashes.SHA256(), length=KEY_SIZE, salt=salt, info=info.encode()).derive(
        bytes(secret)
    )


def wrap(key: bytes, data: bytes, aad: bytes) -> bytes:
    """AES-256-GCM with a random nonce: nonce ‖ ciphertext ‖ tag."""
    nonce = os.urandom(_NONCE_SIZE)
    return nonce + AESGCM(key).encrypt(nonce, data, aad)


def unwrap(key: bytes, box: bytes, aad: bytes) -> bytes | None:
    """What `wrap` took, None when key, box or `aad` are not its own."""
    if len(box) < _NONCE_SIZE + 16:
        return None
    try:
        return AESGCM(key).decrypt(box[:_NONCE_SIZE], box[_NONCE_SIZE:], aad)
    except InvalidTag:
        return None


class VaultKey:
    """The 32-byte key everything else in an open vault derives from; unusable after `wipe`."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_SIZE:
            raise IntegrityError("vault.damaged", what="vault.toml")
        self._key = bytearray(key)

    def subkey(self, purpose: str) -> bytes:
        """32-byte key of one purpose.

        Raises:
            ConfigurationError: ``vault.closed``.
        """
        if not self._key:
            raise ConfigurationError("vault.closed")
        return derive(self._key, salt=b"", info=f"evidence-desk/vault/1/{purpose}")

    def wipe(self) -> None:
        """Zero the key."""
        self._key[:] = bytes(len(self._key))
        self._key.clear()


class DeskSigner:
    """Checkpoint keys of one log (`core.ports.LogSigner`)."""

    def __init__(self, ed25519_seed: bytes, sm2_private: bytes, sm2_point: bytes) -> None:
        self._ed25519 = Ed25519PrivateKey.from_private_bytes(ed25519_seed)
        self._sm2_private = sm2_private
        self._sm2_point = sm2_point

    @property
    def ed25519_public(self) -> bytes:
        """32-byte raw public key."""
        return self._ed25519.public_key().public_bytes_raw()

    @property
    def sm2_public(self) -> bytes:
        """65-byte uncompressed point."""
        return self._sm2_point

    def sign_ed25519(self, message: bytes) -> bytes:
        """64-byte signature (RFC 8032)."""
        return self._ed25519.sign(message)

    def sign_sm2(self, message: bytes) -> bytes:
        """DER signature, SM2 with SM3 (GM/T 0009)."""
        return sign_sm2(self._sm2_private, message)


class DeskKeys:
    """The file ``desk.keys``: signing keys by log origin, and named private blobs; loaded when first needed."""

    def __init__(self, path: Path, subkey: Callable[[], bytes]) -> None:
        self._path = path
        self._subkey = subkey
        self._content: dict[str, dict[str, JSON]] | None = None

    def create_signer(self, origin: str) -> None:
        """New signing keys for a log; an origin that has keys keeps them."""
        content = self._load(missing_ok=True)
        if origin in content["signers"]:
            return
        sm2_private, sm2_point = generate_sm2()
        content["signers"][origin] = {
            "ed25519": _text(os.urandom(KEY_SIZE)),
            "sm2": _text(sm2_private),
            "sm2_public": _text(sm2_point),
        }
        self._save()

    def prepare(self, origin: str, ed25519_seed: bytes, sm2_private: bytes, sm2_point: bytes) -> None:
        """Keep keys that are to replace those of a log, beside them; durable on return."""
        self._load(missing_ok=False)["signers"][origin + _PENDING] = {
            "ed25519": _text(ed25519_seed),
            "sm2": _text(sm2_private),
            "sm2_public": _text(sm2_point),
        }
        self._save()

    def prepared(self, origin: str) -> DeskSigner | None:
        """Keys that `prepare` kept."""
        pending = origin + _PENDING
        return self.signer(pending) if pending in self._load(missing_ok=True)["signers"] else None

    def promote(self, origin: str) -> None:
        """Put the prepared keys in the place of the old ones, which are forgotten; durable on return."""
        signers = self._load(missing_ok=False)["signers"]
        if (origin + _PENDING) in signers:
            signers[origin] = signers.pop(origin + _PENDING)
            self._save()

    def signer(self, origin: str) -> DeskSigner:
        """Signing keys of a log.

        Raises:
            ConfigurationError: ``vault.keys_missing`` when the file or these keys are not there.
        """
        entry = self._load(missing_ok=False)["signers"].get(origin)
        if entry is None:
            raise ConfigurationError("vault.keys_missing")
        if not isinstance(entry, dict) or set(entry) != {"ed25519", "sm2", "sm2_public"}:
            raise IntegrityError("vault.damaged", what=self._path.name)
        return DeskSigner(_bytes(entry["ed25519"]), _bytes(entry["sm2"]), _bytes(entry["sm2_public"]))

    def secret(self, name: str) -> bytes | None:
        """A private blob, None when there is none of this name."""
        value = self._load(missing_ok=True)["secrets"].get(name)
        return None if value is None else _bytes(value)

    def set_secret(self, name: str, value: bytes) -> None:
        """Store a private blob, durable on return."""
        self._load(missing_ok=True)["secrets"][name] = _text(value)
        self._save()

    def forget(self) -> None:
        """Drop what was loaded."""
        self._content = None

    def _load(self, *, missing_ok: bool) -> dict[str, dict[str, JSON]]:
        if self._content is not None:
            return self._content
        with host_faults(self._path.name):
            if not self._path.exists():
                if not missing_ok:
                    raise ConfigurationError("vault.keys_missing")
                box = None
            else:
                box = self._path.read_bytes()
        self._content = {"signers": {}, "secrets": {}} if box is None else self._open(box)
        return self._content

    def _open(self, box: bytes) -> dict[str, dict[str, JSON]]:
        plain = unwrap(self._subkey(), box, _AAD) if len(box) <= _MAX_FILE else None
        if plain is None:
            raise IntegrityError("vault.damaged", what=self._path.name)
        try:
            value = canonical.decode(plain, what=self._path.name, limit=_MAX_FILE)
        except EvidenceDeskError as error:
            raise IntegrityError("vault.damaged", what=self._path.name) from error
        if not isinstance(value, dict) or set(value) != {"signers", "secrets"}:
            raise IntegrityError("vault.damaged", what=self._path.name)
        return cast("dict[str, dict[str, JSON]]", value)

    def _save(self) -> None:
        content = cast("JSON", self._content)
        try:
            write_atomically(self._path, wrap(self._subkey(), canonical.encode(content), _AAD), wipe_old=True)
        except EvidenceDeskError:
            self._content = None  # what is on the disk decides
            raise


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(value: JSON) -> bytes:
    try:
        return base64.b64decode(cast("str", value), validate=True)
    except (TypeError, binascii.Error) as error:
        raise IntegrityError("vault.damaged", what="desk.keys") from error
