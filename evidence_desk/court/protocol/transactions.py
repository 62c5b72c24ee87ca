"""Transactions of the court network: bodies that say where and until when they count, and the signatures over them.

A body begins with (domain, chain ID, type, expiry height), so nothing can be replayed on another network or years
later. Whose signatures a type needs is the application's rule; here only form and signatures are checked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from evidence_desk.core.digests import sha256
from evidence_desk.core.note import MAX_NOTE
from evidence_desk.court.protocol.actions import (
    EQUIVOCATION,
    GOVERN,
    REGISTER_DESK,
    REVOKE_DESK,
    ROTATE_DESK_KEYS,
    SUBMIT_CHECKPOINT,
    Govern,
    RegisterDesk,
    ReportEquivocation,
    RevokeDesk,
    RotateDeskKeys,
    SubmitCheckpoint,
)
from evidence_desk.court.protocol.block import MAX_CHAIN_ID, check_chain_id
from evidence_desk.court.protocol.messages import Field, Kind, Message
from evidence_desk.crypto.guomi import verify_sm2
from evidence_desk.errors import EvidenceDeskError, IntegrityError, MalformedError

DOMAIN: Final = "evidence-desk/court/tx/1"
MAX_TRANSACTION: Final = 1024 * 1024
MAX_SIGNATURES: Final = 300
_MAX_SIGNATURE: Final = 80
_MAX_SMALL: Final = 3 * MAX_NOTE
"""Greatest body of any type but a checkpoint: two notes and what stands around them."""


class TransactionType(IntEnum):
    """Types of transactions."""

    REGISTER_DESK = 1
    ROTATE_DESK_KEYS = 2
    REVOKE_DESK = 3
    SUBMIT_CHECKPOINT = 4
    GOVERN = 5
    REPORT_EQUIVOCATION = 6


Payload = RegisterDesk | RotateDeskKeys | RevokeDesk | SubmitCheckpoint | Govern | ReportEquivocation
_PAYLOADS: Final[dict[TransactionType, tuple[type, Message[Any]]]] = {
    TransactionType.REGISTER_DESK: (RegisterDesk, REGISTER_DESK),
    TransactionType.ROTATE_DESK_KEYS: (RotateDeskKeys, ROTATE_DESK_KEYS),
    TransactionType.REVOKE_DESK: (RevokeDesk, REVOKE_DESK),
    TransactionType.SUBMIT_CHECKPOINT: (SubmitCheckpoint, SUBMIT_CHECKPOINT),
    TransactionType.GOVERN: (Govern, GOVERN),
    TransactionType.REPORT_EQUIVOCATION: (ReportEquivocation, EQUIVOCATION),
}


class SignatureScheme(IntEnum):
    """Schemes: Ed25519 (RFC 8032), SM2 with SM3 (user ID 1234567812345678, DER)."""

    ED25519 = 1
    SM2 = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionSignature:
    """A public key (32 bytes, or a 65-byte point) and its signature over the body."""

    scheme: SignatureScheme
    key: bytes
    signature: bytes

    def holds(self, message: bytes) -> bool:
        """Whether the signature is right."""
        try:
            if self.scheme is SignatureScheme.SM2:
                return verify_sm2(self.key, message, self.signature)
            Ed25519PublicKey.from_public_bytes(self.key).verify(self.signature, message)
        except (InvalidSignature, ValueError, EvidenceDeskError):
            return False
        return True


_SIGNATURE: Final = Message(
    TransactionSignature,
    Field(number=1, name="scheme", kind=Kind.UINT, least=1, enum=SignatureScheme),
    Field(number=2, name="key", kind=Kind.BYTES, least=32, most=65),
    Field(number=3, name="signature", kind=Kind.BYTES, least=8, most=_MAX_SIGNATURE),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What is signed. `expires_height`: the last height at which the transaction may be executed."""

    domain: str = DOMAIN
    chain_id: str
    type: TransactionType
    expires_height: int
    payload: bytes

    def __post_init__(self) -> None:
        if self.domain != DOMAIN:
            raise MalformedError("malformed.transaction", reason="domain")
        check_chain_id(self.chain_id)


_BODY: Final = Message(
    Body,
    Field(number=1, name="domain", kind=Kind.TEXT, least=1, most=len(DOMAIN)),
    Field(number=2, name="chain_id", kind=Kind.TEXT, least=1, most=MAX_CHAIN_ID),
    Field(number=3, name="type", kind=Kind.UINT, least=1, enum=TransactionType),
    Field(number=4, name="expires_height", kind=Kind.UINT, least=1),
    Field(number=5, name="payload", kind=Kind.BYTES, least=1, most=MAX_TRANSACTION),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Envelope:
    body: bytes
    signatures: tuple[TransactionSignature, ...]


_ENVELOPE: Final = Message(
    _Envelope,
    Field(number=1, name="body", kind=Kind.BYTES, least=1, most=MAX_TRANSACTION),
    Field(number=2, name="signatures", kind=_SIGNATURE, most=512, repeated=MAX_SIGNATURES),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """A transaction: chain, expiry, payload, and signatures in ascending order of scheme and key."""

    chain_id: str
    expires_height: int
    payload: Payload
    signatures: tuple[TransactionSignature, ...] = ()

    @property
    def type(self) -> TransactionType:
        """Type by payload."""
        return next(kind for kind, (make, _) in _PAYLOADS.items() if isinstance(self.payload, make))

    def body(self) -> bytes:
        """The signed bytes."""
        message = _PAYLOADS[self.type][1]
        return _BODY.encode(
            Body(
                chain_id=self.chain_id,
                type=self.type,
                expires_height=self.expires_height,
                payload=message.encode(self.payload),
            )
        )

    def encode(self) -> bytes:
        """Canonical bytes."""
        return _ENVELOPE.encode(_Envelope(body=self.body(), signatures=sort_signatures(self.signatures)))

    @property
    def id(self) -> bytes:
        """SHA-256 of the body: the same whoever signs it and in whatever way."""
        return sha256(self.body())

    def check_signatures(self) -> None:
        """Return when every signature is right.

        Raises:
            IntegrityError: ``court.transaction_signature``.
        """
        _check_signatures(self.signatures, self.body())


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedTransaction:
    """A transaction whose payload was not read yet: what is cheap to judge is judged before what is not."""

    data: bytes
    body: Body
    signatures: tuple[TransactionSignature, ...]

    @property
    def id(self) -> bytes:
        """SHA-256 of the body."""
        return sha256(self.data)

    def check_signatures(self) -> None:
        """Return when every signature is right; ``court.transaction_signature``."""
        _check_signatures(self.signatures, self.data)

    def open(self) -> Transaction:
        """Read the payload.

        Raises:
            MalformedError: ``malformed.wire`` and codes of the payload.
        """
        return Transaction(
            chain_id=self.body.chain_id,
            expires_height=self.body.expires_height,
            payload=_PAYLOADS[self.body.type][1].decode(self.body.payload),
            signatures=self.signatures,
        )


def parse_transaction(data: bytes, *, chain_id: str) -> Transaction:
    """Read a transaction for one network; its signatures are not checked yet.

    Raises:
        MalformedError: ``malformed.too_large``, ``malformed.transaction``, ``malformed.wire`` and codes of the payload.
    """
    return parse_closed(data, chain_id=chain_id).open()


def parse_closed(data: bytes, *, chain_id: str) -> ClosedTransaction:
    """Read all but the payload.

    Raises:
        MalformedError: ``malformed.too_large``, ``malformed.transaction``, ``malformed.wire``.
    """
    if len(data) > MAX_TRANSACTION:
        raise MalformedError("malformed.too_large", what="transaction", limit=MAX_TRANSACTION)
    envelope = _ENVELOPE.decode(data)
    body = _BODY.decode(envelope.body)
    if body.chain_id != chain_id:
        raise MalformedError("malformed.transaction", reason="chain ID")
    if body.type is not TransactionType.SUBMIT_CHECKPOINT and len(envelope.body) > _MAX_SMALL:
        raise MalformedError("malformed.too_large", what="transaction", limit=_MAX_SMALL)
    order = [(item.scheme, item.key) for item in envelope.signatures]
    if any(first >= second for first, second in pairwise(order)):
        raise MalformedError("malformed.transaction", reason="order of signatures")
    return ClosedTransaction(data=envelope.body, body=body, signatures=envelope.signatures)


def _check_signatures(signatures: Sequence[TransactionSignature], message: bytes) -> None:
    for number, item in enumerate(signatures):
        if not item.holds(message):
            raise IntegrityError("court.transaction_signature", number=number)


def sort_signatures(signatures: Sequence[TransactionSignature]) -> tuple[TransactionSignature, ...]:
    """Signatures in the order they are written."""
    return tuple(sorted(signatures, key=lambda item: (item.scheme, item.key)))
