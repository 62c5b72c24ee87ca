"""The passphrase of a vault in the operating system's keyring: only where a person asked for it, only where it is encrypted.

Which vaults are remembered stands in marker files of this user, so that a keyring is not opened (and no dialog of it
appears) for the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import platformdirs

from evidence_desk.errors import ConfigurationError, HostError, UsageError

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE: Final = "evidence-desk"
_VAULT_ID: Final = re.compile(r"[0-9a-f]{32}\Z")
_INSECURE: Final = ("keyring.backends.fail", "keyring.backends.null", "keyrings.alt")
_CHAINER: Final = "keyring.backends.chainer"
_RECOMMENDED: Final = 1.0
"""Priority from which the library recommends a backend; what only encodes or keeps plain text has less."""


class KeyringStore:
    """Passphrases by vault ID (`VaultFile.vault_id`)."""

    def __init__(self, markers: Path | None = None) -> None:
        """`markers`: folder of the marker files, None for the usual one of this user."""
        self._markers = markers or platformdirs.user_config_path(SERVICE, appauthor=False) / "keyring"

    def remembers(self, vault_id: str) -> bool:
        """Whether a person on this machine asked to remember this vault; does not open the keyring."""
        try:
            return self._marker(vault_id).is_file()
        except OSError:
            return False

    def remember(self, vault_id: str, passphrase: str) -> str:
        """Keep `passphrase`; returns the keyring's name for people.

        Raises:
            ConfigurationError: ``keyring.none``, ``keyring.insecure``. HostError: ``keyring.failed``,
                ``keyring.marker``.
        """
        marker, backend = self._marker(vault_id), secure_backend()
        with _faults():
            backend.set_password(SERVICE, vault_id, passphrase)
            if backend.get_password(SERVICE, vault_id) != passphrase:
                raise HostError("keyring.failed", reason="not kept")
        try:
            self._markers.mkdir(parents=True, exist_ok=True, mode=0o700)
            marker.touch(mode=0o600)
        except OSError as error:
            with suppress(HostError), _faults():
                backend.delete_password(SERVICE, vault_id)
            raise HostError("keyring.marker", reason=error.strerror or "") from error
        return _name(backend)

    def recall(self, vault_id: str) -> str | None:
        """The passphrase, None when it was never asked for or is no longer there; errors as `remember`."""
        if not self.remembers(vault_id):
            return None
        backend = secure_backend()
        with _faults():
            return backend.get_password(SERVICE, vault_id)

    def forget(self, vault_id: str) -> bool:
        """Remove it; whether there was one. The marker goes also when the keyring fails; errors as `remember`."""
        known = self.remembers(vault_id)
        with suppress(OSError):
            self._marker(vault_id).unlink(missing_ok=True)
        backend = secure_backend()
        with _faults():
            if backend.get_password(SERVICE, vault_id) is None:
                return known
            backend.delete_password(SERVICE, vault_id)
        return True

    def _marker(self, vault_id: str) -> Path:
        if not _VAULT_ID.match(vault_id):
            raise UsageError("keyring.vault_id")
        return self._markers / vault_id


def secure_backend() -> KeyringBackend:
    """The operating system's keyring; of several that are chained, the first that encrypts.

    Raises:
        ConfigurationError: ``keyring.none`` (no keyring here), ``keyring.insecure`` (it keeps secrets readable).
    """
    try:
        import keyring  # noqa: PLC0415 - looks for every backend, a tenth of a second

        backend = keyring.get_keyring()
        if type(backend).__module__ == _CHAINER:
            candidates = list(cast("list[KeyringBackend]", backend.backends))  # type: ignore[attr-defined]
        else:
            candidates = [backend]
        for candidate in candidates:
            if _is_secure(candidate):
                return candidate
    except Exception as error:  # whatever a foreign backend or a wrong configuration raises
        raise ConfigurationError("keyring.none") from error
    if all(type(item).__module__ == _INSECURE[0] for item in candidates):
        raise ConfigurationError("keyring.none")
    raise ConfigurationError("keyring.insecure", backend=_name(candidates[0]))


def _is_secure(backend: KeyringBackend) -> bool:
    home = type(backend).__module__
    return not home.startswith(_INSECURE) and float(backend.priority) >= _RECOMMENDED


def _name(backend: KeyringBackend) -> str:
    return f"{type(backend).__module__}.{type(backend).__qualname__}"


@contextmanager
def _faults() -> Iterator[None]:
    """Whatever a keyring raises: locked and not opened, a service that went away, a passphrase too long for it."""
    try:
        yield
    except HostError:
        raise
    except Exception as error:
        raise HostError("keyring.failed", reason=type(error).__name__) from error
