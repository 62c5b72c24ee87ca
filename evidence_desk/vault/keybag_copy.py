"""The copy of the keybag that gateways keep: with the recovery key all that a desk without disk needs (docs/spec/keybag-copy.md).

One file: vault.toml as it is, and keybag, settings and names of the logs encrypted to the backup identity, which only
passphrase or recovery key unwrap. A MAC of the vault binds both: who knows the recipient cannot make one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import io
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import pyrage
from pyrage import x25519

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.core.checkpoint import check_origin
from evidence_desk.core.envelope import padded_size
from evidence_desk.core.moment import format_moment, parse_moment
from evidence_desk.errors import MalformedError, PermissionDeniedError
from evidence_desk.vault.keys import VaultKey
from evidence_desk.vault.vault_file import Secrets, VaultFile

VERSION: Final = "keybag-copy/1"
MAX_COPY: Final = 4 * 1024 * 1024
_MAX_PLAIN: Final = 64 * 1024 * 1024
_PURPOSE: Final = "keybag-copy"
_FORM: Final = b"padded\0"
"""Part of the digest: copies of an earlier form are replaced although nothing in them changed."""
_BUCKET: Final = 16 * 1024
COPIED: Final = frozenset({"authorities", "signers", "networks"})
"""Settings that a desk cannot do without: whose tokens, certificates and blocks it believes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeybagCopy:
    """An opened copy.

    Attributes:
        keybag: plain content, for `Keybag.import_`.
        origins: logs of the desk when it was made, oldest first; the last was active.
        at: when it was made.
    """

    vault_file: VaultFile
    secrets: Secrets
    keybag: bytes
    settings: Mapping[str, bytes]
    origins: tuple[str, ...]
    at: datetime


def make_copy(
    vault_file: VaultFile,
    key: VaultKey,
    recipient: str,
    keybag: bytes,
    *,
    origins: Sequence[str],
    settings: Mapping[str, bytes],
    now: datetime,
) -> tuple[bytes, bytes]:
    """(digest of what is in it, the copy); the digest does not change with `now`."""
    head = vault_file.encode()
    content: dict[str, JSON] = {
        "keybag": _text(keybag),
        "settings": {name: _text(value) for name, value in settings.items() if name in COPIED},
        "origins": list[JSON](origins),
    }
    digest = hashlib.sha256(_FORM + head + encode(content)).digest()
    plain = padded(zlib.compress(encode({**content, "at": format_moment(now)}), 9))
    sealed = io.BytesIO()
    pyrage.encrypt_io(io.BytesIO(plain), sealed, [x25519.Recipient.from_str(recipient)])
    box = sealed.getvalue()
    copy: JSON = {"v": VERSION, "vault": _text(head), "sealed": _text(box), "mac": _mac(key, head, box).hex()}
    return digest, encode(copy)


def open_copy(
    data: bytes, unlocked: VaultFile | None = None, *, recovery_key: bytes = b"", passphrase: str = ""
) -> KeybagCopy:
    """Open a copy by recovery key (32 bytes) or passphrase.

    Args:
        data: the copy.
        unlocked: vault.toml of a vault whose passphrase is meant, when it may be newer than the copy's own.
        recovery_key: the printed key's bytes, or
        passphrase: of the vault.

    Raises:
        MalformedError: ``malformed.keybag_copy``.
        PermissionDeniedError: ``vault.wrong_recovery_key``, ``vault.wrong_passphrase``.
    """
    value = decode(data, what="keybag copy", limit=MAX_COPY)
    if not isinstance(value, dict) or set(value) != {"v", "vault", "sealed", "mac"} or value["v"] != VERSION:
        raise _malformed("members")
    head, box = _bytes(value["vault"]), _bytes(value["sealed"])
    vault_file = VaultFile.decode(head)
    opener = unlocked or vault_file
    secrets = opener.unlock_by_recovery(recovery_key) if recovery_key else opener.unlock(passphrase)
    if secrets is None:
        raise PermissionDeniedError("vault.wrong_recovery_key" if recovery_key else "vault.wrong_passphrase")
    if not hmac.compare_digest(_mac(VaultKey(secrets.vault_key), head, box).hex(), str(value["mac"])):
        raise _malformed("mac")
    return _opened(vault_file, secrets, _decrypt(box, secrets))


def _opened(vault_file: VaultFile, secrets: Secrets, plain: bytes) -> KeybagCopy:
    value = decode(plain, what="keybag copy", limit=_MAX_PLAIN)
    if not isinstance(value, dict) or set(value) != {"keybag", "settings", "origins", "at"}:
        raise _malformed("content")
    settings, origins = value["settings"], value["origins"]
    if not isinstance(settings, dict) or not isinstance(origins, list) or not origins:
        raise _malformed("content")
    return KeybagCopy(
        vault_file=vault_file,
        secrets=secrets,
        keybag=_bytes(value["keybag"]),
        settings={name: _bytes(item) for name, item in settings.items()},
        origins=tuple(check_origin(str(item)) for item in origins),
        at=parse_moment(value["at"], what="at"),
    )


def _decrypt(box: bytes, secrets: Secrets) -> bytes:
    squeezed = io.BytesIO()
    try:
        pyrage.decrypt_io(io.BytesIO(box), squeezed, [x25519.Identity.from_str(secrets.backup_identity)])
        reader = zlib.decompressobj()
        plain = reader.decompress(squeezed.getvalue(), _MAX_PLAIN)
    except Exception as error:
        raise _malformed("sealed") from error
    # A copy that was made before copies were padded ends with the compressed data.
    if not reader.eof or reader.unused_data.strip(b"\0"):
        raise _malformed("sealed")
    return plain


def padded(data: bytes) -> bytes:
    """Zeros up to whole buckets of 16 KiB, and of those up to Padmé's size: cases can't be counted by the size."""
    buckets = -(-len(data) // _BUCKET)
    return data.ljust(padded_size(buckets * _BUCKET), b"\0")


def _mac(key: VaultKey, head: bytes, box: bytes) -> bytes:
    data = len(head).to_bytes(4, "big") + head + box
    return hmac.digest(key.subkey(_PURPOSE), VERSION.encode() + b"\0" + data, hashlib.sha256)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(value: JSON) -> bytes:
    try:
        data = base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except (binascii.Error, ValueError) as error:
        raise _malformed("base64") from error
    if _text(data) != value:
        raise _malformed("base64")
    return data


def _malformed(reason: str) -> MalformedError:
    return MalformedError("malformed.keybag_copy", reason=reason)
