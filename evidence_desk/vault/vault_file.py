"""``vault.toml``: costs of the passphrase and the vault key, wrapped under passphrase and under recovery key.

Both boxes hold the same secret: the vault key and the age identity that backups of the keybag are encrypted to. The
running program keeps only the public half of that identity, so an unlocked desk cannot open old backups' keybags.
"""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final, Self

from pyrage import x25519

from evidence_desk.core.moment import format_moment
from evidence_desk.errors import ConfigurationError, IntegrityError, MalformedError, NotFoundError
from evidence_desk.vault.durable import write_atomically
from evidence_desk.vault.faults import host_faults
from evidence_desk.vault.keys import KEY_SIZE, KdfParameters, derive, unwrap, wrap

FILE_NAME: Final = "vault.toml"
FORMAT: Final = 1
_MAX_SIZE: Final = 64 * 1024
_HEX: Final = re.compile(r"(?:[0-9a-f]{2}){1,512}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What the boxes hold: the vault key and the text of the backup identity (AGE-SECRET-KEY-1…)."""

    vault_key: bytes
    backup_identity: str

    @classmethod
    def generate(cls) -> Self:
        """Fresh secrets of a new vault."""
        return cls(vault_key=os.urandom(KEY_SIZE), backup_identity=str(x25519.Identity.generate()))

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Secrets from the content of a box."""
        return cls(vault_key=data[:KEY_SIZE], backup_identity=data[KEY_SIZE:].decode("ascii"))

    def encode(self) -> bytes:
        """Content of a box."""
        return self.vault_key + self.backup_identity.encode("ascii")

    @property
    def backup_recipient(self) -> str:
        """Public half of the backup identity (age1…)."""
        return str(x25519.Identity.from_str(self.backup_identity).to_public())


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultFile:
    """Content of vault.toml; everything but the boxes is bound to them as additional data."""

    vault_id: str
    created: str
    kdf: KdfParameters
    salt: bytes
    passphrase_box: bytes
    recovery_box: bytes

    @classmethod
    def create(
        cls, secrets: Secrets, passphrase: str, recovery_key: bytes, kdf: KdfParameters, now: datetime
    ) -> Self:
        """Wrap new secrets under both keys."""
        bare = cls(
            vault_id=os.urandom(16).hex(),
            created=format_moment(now),
            kdf=kdf,
            salt=b"",
            passphrase_box=b"",
            recovery_box=b"",
        )
        return bare.with_recovery_key(secrets, recovery_key).with_passphrase(secrets, passphrase)

    def with_recovery_key(self, secrets: Secrets, recovery_key: bytes) -> Self:
        """The same vault under a new recovery key."""
        box = wrap(self._recovery_kek(recovery_key), secrets.encode(), self._aad("recovery"))
        return replace(self, recovery_box=box)

    def with_passphrase(self, secrets: Secrets, passphrase: str) -> Self:
        """The same vault under a new passphrase and salt."""
        fresh = replace(self, salt=os.urandom(16))
        box = wrap(
            self.kdf.stretch(passphrase, fresh.salt), secrets.encode(), self._aad("passphrase", fresh.salt)
        )
        return replace(fresh, passphrase_box=box)

    def unlock(self, passphrase: str) -> Secrets | None:
        """Secrets by passphrase, None when it is wrong."""
        if not passphrase:
            return None
        content = unwrap(
            self.kdf.stretch(passphrase, self.salt), self.passphrase_box, self._aad("passphrase", self.salt)
        )
        return None if content is None else Secrets.decode(content)

    def unlock_by_recovery(self, recovery_key: bytes) -> Secrets | None:
        """Secrets by recovery key, None when it belongs to another vault."""
        content = unwrap(self._recovery_kek(recovery_key), self.recovery_box, self._aad("recovery"))
        return None if content is None else Secrets.decode(content)

    def encode(self) -> bytes:
        """TOML text."""
        return (
            f"format = {FORMAT}\n"
            f'vault = "{self.vault_id}"\n'
            f'created = "{self.created}"\n'
            "\n[kdf]\n"
            'name = "argon2id"\n'
            f"memory_kib = {self.kdf.memory_kib}\n"
            f"iterations = {self.kdf.iterations}\n"
            f"lanes = {self.kdf.lanes}\n"
            f'salt = "{self.salt.hex()}"\n'
            "\n[passphrase]\n"
            f'box = "{self.passphrase_box.hex()}"\n'
            "\n[recovery]\n"
            f'box = "{self.recovery_box.hex()}"\n'
        ).encode("ascii")

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Strict reader.

        Raises:
            MalformedError: ``malformed.vault_file``.
            ConfigurationError: ``vault.newer_version``.
        """
        try:
            if len(data) > _MAX_SIZE:
                raise MalformedError("malformed.vault_file", what="size")
            value = tomllib.loads(data.decode("utf-8"))
        except (ValueError, RecursionError) as error:
            raise MalformedError("malformed.vault_file", what="toml") from error
        version = value.get("format")
        if type(version) is int and version > FORMAT:
            raise ConfigurationError("vault.newer_version", what=FILE_NAME, version=version, known=FORMAT)
        read = cls(
            vault_id=_text(value, "vault"),
            created=_text(value, "created"),
            kdf=KdfParameters(
                memory_kib=_number(value, "memory_kib"),
                iterations=_number(value, "iterations"),
                lanes=_number(value, "lanes"),
            ),
            salt=_hex(value, "kdf", "salt"),
            passphrase_box=_hex(value, "passphrase", "box"),
            recovery_box=_hex(value, "recovery", "box"),
        )
        if read.encode() != data:
            raise MalformedError("malformed.vault_file", what="form")
        return read

    @classmethod
    def read(cls, folder: Path) -> Self:
        """vault.toml of a folder.

        Raises:
            NotFoundError: ``vault.missing`` when `folder` holds no vault.
            IntegrityError: ``vault.damaged`` when the file is not what we write.
        """
        path = folder / FILE_NAME
        with host_faults(FILE_NAME):
            if not path.is_file():
                raise NotFoundError("vault.missing", folder=str(folder))
            with path.open("rb") as stream:
                data = stream.read(_MAX_SIZE + 1)
        try:
            return cls.decode(data)
        except MalformedError as error:
            raise IntegrityError("vault.damaged", what=FILE_NAME) from error

    def write(self, folder: Path) -> None:
        """Replace vault.toml, durable on return."""
        write_atomically(folder / FILE_NAME, self.encode(), wipe_old=True)

    def _aad(self, box: str, salt: bytes = b"") -> bytes:
        """Binds a box to its vault and to the costs written beside it."""
        costs = f"{self.kdf.memory_kib}/{self.kdf.iterations}/{self.kdf.lanes}/{salt.hex()}"
        bound = costs if box == "passphrase" else ""
        return f"evidence-desk/vault/{FORMAT}/{self.vault_id}/{self.created}/{box}/{bound}".encode()

    def _recovery_kek(self, recovery_key: bytes) -> bytes:
        return derive(recovery_key, salt=bytes.fromhex(self.vault_id), info="evidence-desk/vault/1/recovery")


def _text(value: dict[str, object], name: str) -> str:
    text = value.get(name)
    if not isinstance(text, str) or not text.isascii() or not re.fullmatch(r"[0-9A-Za-z:.\-]{1,64}", text):
        raise MalformedError("malformed.vault_file", what=name)
    if name == "vault" and not re.fullmatch(r"[0-9a-f]{32}", text):
        raise MalformedError("malformed.vault_file", what=name)
    return text


def _number(value: dict[str, object], name: str) -> int:
    table = value.get("kdf")
    number = table.get(name) if isinstance(table, dict) else None
    if type(number) is not int:
        raise MalformedError("malformed.vault_file", what=name)
    return number


def _hex(value: dict[str, object], table_name: str, name: str) -> bytes:
    table = value.get(table_name)
    text = table.get(name) if isinstance(table, dict) else None
    if not isinstance(text, str) or not _HEX.match(text):
        raise MalformedError("malformed.vault_file", what=f"{table_name}.{name}")
    return bytes.fromhex(text)
