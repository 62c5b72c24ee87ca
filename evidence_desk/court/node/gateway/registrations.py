"""Desks that want to be registered: kept for the operators, or approved at once on a demonstration network."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from evidence_desk.court.node.gateway.answers import Answers
from evidence_desk.court.node.gateway.refusals import UNAVAILABLE, RefusalError
from evidence_desk.court.node.gateway.submissions import Submissions, tx_refused
from evidence_desk.court.protocol.actions import RegisterDesk
from evidence_desk.court.protocol.history import DEMO_PREFIX
from evidence_desk.court.protocol.transactions import (
    SignatureScheme,
    Transaction,
    TransactionSignature,
    sort_signatures,
)
from evidence_desk.court.protocol.tx_codes import TxCode
from evidence_desk.errors import BusyError, ConfigurationError, HostError, IntegrityError

MAX_PENDING: Final = 1_000
MAX_REGISTRATION: Final = 16 * 1024
_SUFFIX: Final = ".tx"
_RETRY_SECONDS: Final = 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """What became of a request: `approved` only by the demonstration's automatic consent."""

    id: bytes
    approved: bool


class Registrations:
    """Takes requests.

    Args:
        folder: where they are kept for the operators, one file ``<id>.tx`` each.
        governance: keys that consent automatically; () for people's consent.
    """

    def __init__(
        self,
        submissions: Submissions,
        answers: Answers,
        folder: Path,
        governance: Sequence[Ed25519PrivateKey] = (),
    ) -> None:
        self._submissions = submissions
        self._answers = answers
        self._folder = folder
        self._governance = tuple(governance)

    @property
    def automatic(self) -> bool:
        """Whether nobody needs to consent."""
        return bool(self._governance)

    async def register(self, data: bytes) -> Registered:
        """Take a RegisterDesk transaction that the new desk's own Ed25519 key has signed.

        Raises:
            RefusalError: 422 ``court.tx_refused``; 503 ``api.registrations_full``.
        """
        transaction = self._submissions.read(data)
        payload = transaction.payload
        if not isinstance(payload, RegisterDesk):
            raise tx_refused(TxCode.MALFORMED)
        try:
            transaction.check_signatures()
        except IntegrityError as error:
            raise tx_refused(TxCode.SIGNATURE) from error
        signers = {(item.scheme, item.key) for item in transaction.signatures}
        if (SignatureScheme.ED25519, payload.keys.ed25519) not in signers:
            raise tx_refused(TxCode.SIGNATURE)
        if not self.automatic:
            self._keep(transaction.id, data)
            return Registered(id=transaction.id, approved=False)
        answer = await self._answers.desk(payload.origin)
        if answer.entry is None or answer.entry.keys != payload.keys:
            await self._submissions.submit(self._approved(transaction).encode())
        return Registered(id=transaction.id, approved=True)

    def _approved(self, transaction: Transaction) -> Transaction:
        body = transaction.body()
        given = {(item.scheme, item.key): item for item in transaction.signatures}
        for key in self._governance:
            public = key.public_key().public_bytes_raw()
            given[SignatureScheme.ED25519, public] = TransactionSignature(
                scheme=SignatureScheme.ED25519, key=public, signature=key.sign(body)
            )
        return replace(transaction, signatures=sort_signatures(tuple(given.values())))

    def _keep(self, identity: bytes, data: bytes) -> None:
        path = self._folder / f"{identity.hex()}{_SUFFIX}"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not path.exists() and sum(1 for _ in self._folder.iterdir()) >= MAX_PENDING:
                raise RefusalError(
                    BusyError("api.registrations_full"), UNAVAILABLE, retry_after=_RETRY_SECONDS
                )
            write_whole(path, data)
        except OSError as error:
            raise HostError("api.store", reason=type(error).__name__) from error


def automatic_keys(folder: Path, chain_id: str) -> tuple[Ed25519PrivateKey, ...]:
    """Governance keys for automatic approval.

    Raises:
        ConfigurationError: ``api.automatic_approval`` on a network that is no demonstration, or without a key.
    """
    if not chain_id.startswith(DEMO_PREFIX):
        raise ConfigurationError("api.automatic_approval", chain=chain_id)
    found: list[Ed25519PrivateKey] = []
    for file in sorted(folder.glob("*.pem")):
        key = load_pem_private_key(file.read_bytes(), password=None)
        if isinstance(key, Ed25519PrivateKey):
            found.append(key)
    if not found:
        raise ConfigurationError("api.automatic_approval", chain=chain_id)
    return tuple(found)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that is there whole or not at all, also after a power failure."""
    staging = path.with_name(path.name + ".new")
    handle = os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    staging.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
