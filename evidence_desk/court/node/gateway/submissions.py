"""Transactions on their way to the engine: read, admitted when there is room, judged by the application."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from evidence_desk.court.node.gateway.answers import Answers
from evidence_desk.court.node.gateway.engine_client import EngineClient, EngineRefusal
from evidence_desk.court.node.gateway.limits import Places
from evidence_desk.court.node.gateway.refusals import REFUSED, UNAVAILABLE, RefusalError
from evidence_desk.court.protocol.transactions import Transaction, parse_transaction
from evidence_desk.court.protocol.tx_codes import TxCode
from evidence_desk.errors import BusyError, MalformedError, RemoteError, UserError

AT_ONCE: Final = 64
"""Transactions handed to the engine at the same time."""
_POOL_BYTES: Final = 48 << 20
"""Of the 64 MiB that the engine's pool holds."""
_RETRY_SECONDS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """What became of a transaction: `code` 0 taken, 3 known already."""

    id: bytes
    code: int


class Submissions:
    """Hands transactions over.

    Args:
        busy: waiting transactions from which no more are taken.
    """

    def __init__(self, engine: EngineClient, answers: Answers, *, chain_id: str, busy: int) -> None:
        self._engine = engine
        self._answers = answers
        self._chain_id = chain_id
        self._busy = busy
        self._places = Places(AT_ONCE)

    async def admit(self) -> None:
        """Return when there is room, before a body is read.

        Raises:
            RefusalError: 503 ``api.overloaded``.
            RemoteError: ``api.engine_silent``, ``api.catching_up``.
        """
        if (await self._engine.tip()).catching_up:
            raise RemoteError("api.catching_up")
        waiting = await self._engine.waiting()
        if waiting.count >= self._busy or waiting.size >= _POOL_BYTES:
            raise _overloaded()

    async def submit(self, data: bytes) -> Submitted:
        """Give a transaction to the network.

        Raises:
            RefusalError: 422 ``court.tx_refused`` with code and reason; 503 when there is no room.
            MalformedError: ``malformed.too_large``.
        """
        transaction = self.read(data)
        with self._places:
            try:
                code, _ = await self._engine.broadcast(data)
            except EngineRefusal as refusal:
                return await self._not_taken(transaction, refusal)
        if code == TxCode.OK:
            return Submitted(id=transaction.id, code=TxCode.OK)
        if code == TxCode.KNOWN:
            return Submitted(id=transaction.id, code=TxCode.KNOWN)
        raise tx_refused(code)

    def read(self, data: bytes) -> Transaction:
        """The transaction of bytes; refusals as `submit`."""
        try:
            return parse_transaction(data, chain_id=self._chain_id)
        except MalformedError as error:
            if error.code == "malformed.too_large":
                raise
            raise tx_refused(TxCode.MALFORMED) from error

    async def _not_taken(self, transaction: Transaction, refusal: EngineRefusal) -> Submitted:
        """The engine's pool has it already, or has no room; which, it says in words only."""
        if "already exists in cache" in refusal.text:
            executed = await self._answers.executed(transaction.id)
            return Submitted(id=transaction.id, code=TxCode.OK if executed is None else TxCode.KNOWN)
        if "mempool is full" in refusal.text:
            raise _overloaded()
        raise RemoteError("api.engine_silent")


def tx_refused(code: int) -> RefusalError:
    """422: the application's judgment, by its number and name."""
    name = TxCode(code).name.lower() if code in set(TxCode) else "unknown"
    return RefusalError(UserError("court.tx_refused", code=code, reason=name), REFUSED)


def _overloaded() -> RefusalError:
    return RefusalError(BusyError("api.overloaded"), UNAVAILABLE, retry_after=_RETRY_SECONDS)
