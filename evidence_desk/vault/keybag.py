"""The keybag: per case an age identity, the key of object names and the key of envelopes. Deleting them erases a case.

Beside them the envelope key of the desk, for what belongs to no case.

One wrapped file, rewritten whole. The replaced file's blocks are overwritten as far as the file system allows.
"""

from __future__ import annotations

import base64
import binascii
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, cast

from pyrage import IdentityError, x25519

from evidence_desk.core import canonical
from evidence_desk.core.canonical import JSON
from evidence_desk.errors import EvidenceDeskError, IntegrityError, NotFoundError
from evidence_desk.vault.durable import write_atomically
from evidence_desk.vault.faults import host_faults
from evidence_desk.vault.keys import KEY_SIZE, unwrap, wrap

FILE_NAME: Final = "keybag"
_MAX_SIZE: Final = 256 * 1024 * 1024
_AAD: Final = b"evidence-desk/keybag/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseKeys:
    """Keys of one case.

    Attributes:
        identity: text of the age identity (AGE-SECRET-KEY-1…).
        name_key: 32 bytes, HMAC key of object names.
        envelope_key: 32 bytes, key of the case's envelopes.
    """

    identity: str
    name_key: bytes
    envelope_key: bytes

    def age_identity(self) -> x25519.Identity:
        """The identity that decrypts the case's originals."""
        return x25519.Identity.from_str(self.identity)


@dataclass(frozen=True, slots=True)
class _Content:
    cases: dict[str, CaseKeys]
    erased: frozenset[str]
    desk: bytes | None


class Keybag:
    """Keys by case number, cached; another process' additions are seen when a case is missing."""

    def __init__(self, path: Path, subkey: Callable[[], bytes]) -> None:
        self._path = path
        self._subkey = subkey
        self._lock = threading.Lock()
        self._content: _Content | None = None
        self._envelope_keys: tuple[_Content, Mapping[str | None, bytes]] | None = None

    def keys(self, case_number: str) -> CaseKeys:
        """Keys of a case.

        Raises:
            NotFoundError: ``vault.case_erased`` or ``vault.case_unknown``.
        """
        with self._lock:
            content = self._content or self._read()
            if case_number not in content.cases:
                content = self._read()
            self._content = content
            return _find(content, case_number)

    def keys_for_writing(self, case_number: str) -> CaseKeys:
        """Keys of a case, made and stored durably when it has none yet.

        Raises:
            NotFoundError: ``vault.case_erased``.
        """
        with self._lock:
            content = self._content = self._content or self._read()
            if case_number in content.cases or case_number in content.erased:
                return _find(content, case_number)
            fresh = CaseKeys(
                identity=str(x25519.Identity.generate()),
                name_key=os.urandom(KEY_SIZE),
                envelope_key=os.urandom(KEY_SIZE),
            )
            self._write(replace(content, cases={**content.cases, case_number: fresh}))
            return fresh

    def erase(self, case_number: str) -> None:
        """Delete the keys of a case for good; a case without keys is only marked."""
        with self._lock:
            content = self._read()
            rest = {number: keys for number, keys in content.cases.items() if number != case_number}
            self._write(replace(content, cases=rest, erased=content.erased | {case_number}))

    def desk_key(self) -> bytes:
        """32-byte envelope key of the desk, made and stored when there is none yet (vaults of release 0.1).

        Raises:
            HostError: it could not be stored.
        """
        with self._lock:
            content = self._content = self._content or self._read()
            if content.desk is None:
                content = replace(self._read(), desk=os.urandom(KEY_SIZE))
                self._write(content)
            return cast("bytes", content.desk)

    def envelope_keys(self) -> Mapping[str | None, bytes]:
        """All envelope keys: that of the desk under None, then those of the cases."""
        with self._lock:
            content = self._content = self._content or self._read()
            if self._envelope_keys is None or self._envelope_keys[0] is not content:
                desk: dict[str | None, bytes] = {} if content.desk is None else {None: content.desk}
                keys = desk | {number: keys.envelope_key for number, keys in content.cases.items()}
                self._envelope_keys = (content, keys)
            return self._envelope_keys[1]

    def merge(self, plain: bytes) -> None:
        """Add what another copy of this keybag knows: keys that are missing here, and erasures, which win.

        Raises:
            IntegrityError: ``vault.damaged``.
        """
        with self._lock:
            own, other = self._read(), _decode(plain)
            erased = own.erased | other.erased
            cases = {
                number: keys for number, keys in {**other.cases, **own.cases}.items() if number not in erased
            }
            self._write(_Content(cases, erased, other.desk or own.desk))

    def erased(self) -> frozenset[str]:
        """Case numbers whose keys were deleted."""
        with self._lock:
            return self._read().erased

    def is_erased(self, case_number: str) -> bool:
        """Whether the keys of this case were deleted."""
        with self._lock:
            return case_number in self._read().erased

    def export(self) -> bytes:
        """Plain content for a backup, which must encrypt it."""
        with self._lock:
            return _encode(self._read())

    def import_(self, plain: bytes) -> None:
        """Take over the content of a backup.

        Raises:
            IntegrityError: ``vault.damaged``.
        """
        with self._lock:
            self._write(_decode(plain))

    def forget(self) -> None:
        """Drop what was loaded."""
        with self._lock:
            self._content = self._envelope_keys = None

    def _read(self) -> _Content:
        with host_faults(FILE_NAME):
            if not self._path.exists():
                raise IntegrityError("vault.damaged", what=FILE_NAME)
            box = self._path.read_bytes()
        plain = unwrap(self._subkey(), box, _AAD) if len(box) <= _MAX_SIZE else None
        if plain is None:
            raise IntegrityError("vault.damaged", what=FILE_NAME)
        return _decode(plain)

    def _write(self, content: _Content) -> None:
        write_atomically(self._path, wrap(self._subkey(), _encode(content), _AAD), wipe_old=True)
        self._content = content


def empty_keybag() -> bytes:
    """Plain content of a new vault's keybag."""
    return _encode(_Content({}, frozenset(), os.urandom(KEY_SIZE)))


def _find(content: _Content, case_number: str) -> CaseKeys:
    keys = content.cases.get(case_number)
    if keys is None:
        raise NotFoundError("vault.case_erased" if case_number in content.erased else "vault.case_unknown")
    return keys


def _encode(content: _Content) -> bytes:
    cases: dict[str, JSON] = {
        number: {
            "identity": keys.identity,
            "name_key": base64.b64encode(keys.name_key).decode("ascii"),
            "envelope_key": base64.b64encode(keys.envelope_key).decode("ascii"),
        }
        for number, keys in content.cases.items()
    }
    erased: list[JSON] = [*sorted(content.erased)]
    desk = {} if content.desk is None else {"desk": base64.b64encode(content.desk).decode("ascii")}
    return canonical.encode({"v": 2 if desk else 1, "cases": cases, "erased": erased, **desk})


def _decode(plain: bytes) -> _Content:
    try:
        value = canonical.decode(plain, what=FILE_NAME, limit=_MAX_SIZE)
        if not isinstance(value, dict) or value.get("v") not in {1, 2}:
            raise IntegrityError("vault.damaged", what=FILE_NAME)
        cases, erased, desk = value["cases"], value["erased"], value["desk"] if value["v"] == 2 else None
        if not isinstance(cases, dict) or not isinstance(erased, list) or not isinstance(desk, str | None):
            raise IntegrityError("vault.damaged", what=FILE_NAME)
        return _Content(
            {number: _case_keys(entry) for number, entry in cases.items()},
            frozenset(number for number in erased if isinstance(number, str)),
            None if desk is None else _key(desk),
        )
    except (EvidenceDeskError, KeyError, TypeError, binascii.Error, IdentityError) as error:
        raise IntegrityError("vault.damaged", what=FILE_NAME) from error


def _case_keys(entry: JSON) -> CaseKeys:
    if not isinstance(entry, dict):
        raise IntegrityError("vault.damaged", what=FILE_NAME)
    identity, name_key, envelope_key = entry["identity"], entry["name_key"], entry["envelope_key"]
    if not isinstance(identity, str) or not isinstance(name_key, str) or not isinstance(envelope_key, str):
        raise IntegrityError("vault.damaged", what=FILE_NAME)
    x25519.Identity.from_str(identity)
    return CaseKeys(
        identity=identity,
        name_key=base64.b64decode(name_key, validate=True),
        envelope_key=_key(envelope_key),
    )


def _key(text: str) -> bytes:
    key = base64.b64decode(text, validate=True)
    if len(key) != KEY_SIZE:
        raise IntegrityError("vault.damaged", what=FILE_NAME)
    return key
