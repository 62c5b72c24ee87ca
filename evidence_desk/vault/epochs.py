"""Epochs of a desk's log: origins of successors, and the digests of the keys each epoch commits to.

Digests for several epochs are prepared while the recovery key is at hand, so that a restore by passphrase alone can
open its successor log. They lie in the database, where nobody without the vault key can swap them.
"""

from __future__ import annotations

from typing import Final

from evidence_desk.core.checkpoint import check_origin
from evidence_desk.core.digests import DigestPair
from evidence_desk.errors import ConfigurationError
from evidence_desk.vault.database import Database
from evidence_desk.vault.recovery import NextKeyDigests, next_key_digests

_PREPARED: Final = 8
"""Epochs to prepare ahead."""


def epoch(origin: str) -> int:
    """Number at the end of an origin.

    Raises:
        MalformedError: ``malformed.origin``.
    """
    return int(check_origin(origin).rpartition("/")[2])


def origin_of(origin: str, number: int) -> str:
    """Origin of the same desk in another epoch."""
    return f"{origin.rpartition('/')[0]}/{number}"


class Epochs:
    """The table of prepared digests."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def prepare(self, origin: str, recovery_key: bytes) -> None:
        """Store digests for the epoch of `origin` and the following ones; inside a transaction."""
        first = epoch(origin)
        for number in range(first, first + _PREPARED):
            digests = next_key_digests(recovery_key, origin_of(origin, number))
            self._database.write(
                "INSERT INTO next_keys (epoch, ed25519_sha256, ed25519_sm3, sm2_sha256, sm2_sm3) "
                "VALUES (?, ?, ?, ?, ?) ON CONFLICT (epoch) DO NOTHING",
                (
                    number,
                    digests.ed25519.sha256,
                    digests.ed25519.sm3,
                    digests.sm2.sha256,
                    digests.sm2.sm3,
                ),
            )

    def renew(self, origin: str, recovery_key: bytes) -> None:
        """Epochs after that of `origin` get the keys of a new recovery key; inside a transaction.

        The log `origin` itself has committed to its next keys: they stay those of the paper before.
        """
        self._database.write("DELETE FROM next_keys WHERE epoch > ?", (epoch(origin),))
        self.prepare(origin_of(origin, epoch(origin) + 1), recovery_key)

    def replace(self, origin: str, digests: NextKeyDigests) -> None:
        """Digests that the log `origin` commits to from now on, after a rotation; inside a transaction."""
        self._database.write(
            "UPDATE next_keys SET ed25519_sha256 = ?, ed25519_sm3 = ?, sm2_sha256 = ?, sm2_sm3 = ? WHERE epoch = ?",
            (
                digests.ed25519.sha256,
                digests.ed25519.sm3,
                digests.sm2.sha256,
                digests.sm2.sm3,
                epoch(origin),
            ),
        )

    def digests(self, origin: str) -> NextKeyDigests:
        """Digests that the log `origin` commits to.

        Raises:
            ConfigurationError: ``vault.recovery_key_needed``.
        """
        row = self._database.row(
            "SELECT ed25519_sha256, ed25519_sm3, sm2_sha256, sm2_sm3 FROM next_keys WHERE epoch = ?",
            (epoch(origin),),
        )
        if row is None:
            raise ConfigurationError("vault.recovery_key_needed")
        return NextKeyDigests(
            ed25519=DigestPair(sha256=row[0], sm3=row[1]), sm2=DigestPair(sha256=row[2], sm3=row[3])
        )
