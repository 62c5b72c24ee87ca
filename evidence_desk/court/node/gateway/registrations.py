"""Desks that want to be registered: kept for the operators, or approved at once on a demonstration network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from evidence_desk.court.node.gateway.answers import Answers
from evidence_desk.court.node.gateway.chain import Chain
from evidence_desk.court.node.gateway.limits import client_key
from evidence_desk.court.node.gateway.pending import Pending
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
from evidence_desk.errors import ConfigurationError, IntegrityError, RemoteError

MAX_REGISTRATION: Final = 16 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """What became of a request: `approved` only by the demonstration's automatic consent."""

    id: bytes
    approved: bool


class Registrations:
    """Takes requests.

    Args:
        pending: where they are kept for the operators.
        governance: keys that consent automatically; () for people's consent.
    """

    def __init__(
        self,
        submissions: Submissions,
        answers: Answers,
        chain: Chain,
        pending: Pending,
        governance: Sequence[Ed25519PrivateKey] = (),
    ) -> None:
        self._submissions = submissions
        self._answers = answers
        self._chain = chain
        self._pending = pending
        self._governance = tuple(governance)

    @property
    def automatic(self) -> bool:
        """Whether nobody needs to consent."""
        return bool(self._governance)

    async def register(self, data: bytes, client: str) -> Registered:
        """Take a RegisterDesk transaction that the new desk's own Ed25519 key has signed.

        Raises:
            RefusalError: 422 ``court.tx_refused``.
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
            height = await self._height()
            if transaction.expires_height < height:
                raise tx_refused(TxCode.EXPIRED)
            self._pending.keep(transaction, data, client=client_key(client), height=height)
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

    async def _height(self) -> int:
        """Of the newest block, 0 where the engine does not say: then nothing is dropped for its age."""
        try:
            return (await self._chain.tip()).header.height
        except RemoteError:
            return 0


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
