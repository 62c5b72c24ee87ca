"""Ports of the private keys of persons: each under a passphrase of its own. No implementation."""

from __future__ import annotations

from typing import Protocol


class PersonKeys(Protocol):
    """Private keys that the vault keeps for persons, wrapped by passphrases that are never the vault's."""

    def keep(self, person: str, passphrase: str, key: bytes) -> None:
        """Wrap and store a key; durable on return.

        Raises:
            UsageError: ``person.passphrase_short``, ``person.vault_passphrase``.
        """
        ...

    def open(self, person: str, passphrase: str, *, name: str) -> bytes:
        """The key of a person.

        Raises:
            PermissionDeniedError: ``person.wrong_passphrase``, after a delay that grows with each failure.
            NotFoundError: ``person.no_key``.
        """
        ...

    def change(self, person: str, old: str, new: str, *, name: str) -> None:
        """Wrap a key under a new passphrase; errors of `keep` and `open`."""
        ...

    def destroy(self, person: str) -> None:
        """Forget a key; harmless when there is none."""
        ...
