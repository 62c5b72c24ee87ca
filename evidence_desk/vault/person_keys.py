"""Private keys of persons (`core.person_ports.PersonKeys`): wrapped by a passphrase of the person's own, inside desk.keys.

Who has the vault open can see that there is a key, and cannot use it.
"""

from __future__ import annotations

import os
import time
import unicodedata
from pathlib import Path
from typing import Final

from evidence_desk.core import canonical
from evidence_desk.core.canonical import JSON
from evidence_desk.core.ports import Clock, Store
from evidence_desk.errors import (
    IntegrityError,
    MalformedError,
    NotFoundError,
    PermissionDeniedError,
    UsageError,
)
from evidence_desk.vault.attempts import Attempts, Sleep
from evidence_desk.vault.keys import KdfParameters, unwrap, wrap
from evidence_desk.vault.vault_file import VaultFile

ATTEMPTS: Final = "attempts-persons"
"""Beside the vault's own count: a wrong passphrase of a person does not slow down opening the vault."""
LEAST: Final = 8
"""Characters of a passphrase."""
_SALT: Final = 16
_LIMIT: Final = 64 << 10


class WrappedPersonKeys:
    """Keys of persons in one open vault; costs are those of the vault's own passphrase."""

    def __init__(self, store: Store, folder: Path, clock: Clock, sleep: Sleep | None = time.sleep) -> None:
        self._store = store
        self._folder = folder
        self._attempts = Attempts(folder, clock, sleep, name=ATTEMPTS)

    def keep(self, person: str, passphrase: str, key: bytes) -> None:
        """Wrap and store a key; see the port."""
        self._refuse_weak(passphrase)
        self._store.set_secret(_name(person), self._wrapped(person, passphrase, key))

    def open(self, person: str, passphrase: str, *, name: str) -> bytes:
        """The key of a person, ``vault.wait`` where waiting is not wanted; see the port."""
        box = self._store.secret(_name(person))
        if not box:
            raise NotFoundError("person.no_key", name=name)
        key = self._attempts.guarded(lambda: _unwrapped(person, passphrase, box))
        if key is None:
            raise PermissionDeniedError("person.wrong_passphrase", name=name)
        return key

    def change(self, person: str, old: str, new: str, *, name: str) -> None:
        """Wrap a key under a new passphrase; see the port."""
        self.keep(person, new, self.open(person, old, name=name))

    def destroy(self, person: str) -> None:
        """Overwrite a key with nothing; see the port."""
        if self._store.secret(_name(person)):
            self._store.set_secret(_name(person), b"")

    def _refuse_weak(self, passphrase: str) -> None:
        if len(unicodedata.normalize("NFKC", passphrase)) < LEAST:
            raise UsageError("person.passphrase_short", least=LEAST)
        if VaultFile.read(self._folder).unlock(passphrase) is not None:
            raise UsageError("person.vault_passphrase")

    def _wrapped(self, person: str, passphrase: str, key: bytes) -> bytes:
        costs, salt = VaultFile.read(self._folder).kdf, os.urandom(_SALT)
        head: dict[str, JSON] = {
            "v": 1,
            "memory_kib": costs.memory_kib,
            "iterations": costs.iterations,
            "lanes": costs.lanes,
            "salt": salt.hex(),
        }
        box = wrap(costs.stretch(passphrase, salt), key, _bound(person, head))
        return canonical.encode({**head, "box": box.hex()})


def _name(person: str) -> str:
    return f"person.{person}"


def _bound(person: str, head: dict[str, JSON]) -> bytes:
    """Additional data: the box belongs to this person and these costs."""
    return f"evidence-desk/person/1/{person}/".encode() + canonical.encode(head)


def _unwrapped(person: str, passphrase: str, data: bytes) -> bytes | None:
    try:
        value = canonical.decode(data, what="person", limit=_LIMIT)
        record = value if isinstance(value, dict) else {}
        head = {name: item for name, item in record.items() if name != "box"}
        costs = KdfParameters(
            memory_kib=_number(record, "memory_kib"),
            iterations=_number(record, "iterations"),
            lanes=_number(record, "lanes"),
        )
        salt, box = bytes.fromhex(str(record.get("salt"))), bytes.fromhex(str(record.get("box")))
    except (MalformedError, ValueError) as error:
        raise IntegrityError("vault.damaged", what="desk.keys") from error
    return unwrap(costs.stretch(passphrase, salt), box, _bound(person, head)) if passphrase else None


def _number(record: dict[str, JSON], name: str) -> int:
    value = record.get(name)
    if not isinstance(value, int):
        raise IntegrityError("vault.damaged", what="desk.keys")
    return value
