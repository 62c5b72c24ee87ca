"""Ports of the key that signs certificates where it is not a key of ours: in a token, behind a PIN. No implementation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from evidence_desk.crypto.pki import KeyKind


class SigningKey(Protocol):
    """A private key that signs where it lies, with its certificate."""

    @property
    def kind(self) -> KeyKind:
        """RSA or P-256."""
        ...

    @property
    def certificate(self) -> bytes:
        """DER certificate of the key."""
        ...

    @property
    def chain(self) -> tuple[bytes, ...]:
        """DER certificates above it, the nearest first."""
        ...

    def sign(self, message: bytes) -> bytes:
        """RSA PKCS#1 v1.5 or ECDSA (DER) with SHA-256.

        Raises:
            PermissionDeniedError: wrong, locked or missing PIN. CanceledError: the person gave none.
            HostError: the token is away or failed.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PinRequest:
    """What a person is told when a PIN is asked for.

    Attributes:
        token: label of the token, cleaned of what cannot be printed. serial: its serial number.
        failed_before: the token says that a wrong PIN was given since the last right one.
        last_try: the token says that one more wrong PIN locks it.
    """

    token: str
    serial: str
    failed_before: bool = False
    last_try: bool = False


PinPrompt = Callable[[PinRequest], str | None]
"""Asks a person for the PIN of a token; None or "" when he gives none. Called in the thread that signs, may block."""
