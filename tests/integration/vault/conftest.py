"""The same vaults as in the unit tests."""

from tests.unit.vault.conftest import clock, created, folder, vault

__all__ = ["clock", "created", "folder", "vault"]
