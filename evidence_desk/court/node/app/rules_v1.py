"""Rules, version 1: who may do what, and in which order a transaction is judged.

Never edited after the first release in a way that changes an outcome: blocks of this version are executed again for
decades. Corrections make a version 2.
"""

from __future__ import annotations

from typing import Final

from evidence_desk.core.digests import sha256
from evidence_desk.court.node.abci.application import Event, Genesis, TxResult
from evidence_desk.court.node.app import checkpoints, desks, governance
from evidence_desk.court.node.app.codes import CODESPACE, RefusedError
from evidence_desk.court.node.app.commitments import LOOKUP, index_key
from evidence_desk.court.node.app.genesis import parse_app_state
from evidence_desk.court.node.app.records import institutions, set_institutions, set_parameters
from evidence_desk.court.node.app.rules import BlockEnd, Moment
from evidence_desk.court.node.app.seen import Memory, Opened, Seen
from evidence_desk.court.node.app.store import TRANSACTIONS, Overlay, Reader
from evidence_desk.court.protocol.actions import (
    Govern,
    RegisterDesk,
    ReportEquivocation,
    RevokeDesk,
    RotateDeskKeys,
    SubmitCheckpoint,
)
from evidence_desk.court.protocol.state import SENTINEL_KEY, SENTINEL_VALUE
from evidence_desk.court.protocol.transactions import (
    ClosedTransaction,
    SignatureScheme,
    Transaction,
    TransactionType,
    parse_closed,
)
from evidence_desk.court.protocol.tx_codes import TxCode
from evidence_desk.errors import IntegrityError, MalformedError

_URGENT: Final = frozenset(
    {TransactionType.ROTATE_DESK_KEYS, TransactionType.REVOKE_DESK, TransactionType.GOVERN}
)
_MAX_URGENT: Final = 64 * 1024
"""Bytes: such transactions are small, however many sign them."""


class RulesV1:
    """`Rules` of version 1."""

    def __init__(self) -> None:
        self._seen = Seen()
        self._memory = Memory()

    def genesis(self, genesis: Genesis, rows: Overlay) -> None:
        """The sentinel of the look-up map, and governance from the genesis document."""
        state = parse_app_state(genesis)
        rows.set(LOOKUP, SENTINEL_KEY, SENTINEL_VALUE)
        set_institutions(rows, state.institutions)
        set_parameters(rows, state.parameters)

    def check(self, tx: bytes, rows: Reader, moment: Moment) -> TxResult:
        """All but the leaves of a checkpoint: the ones before it may still be on their way."""
        try:
            number, transaction = self._parsed(tx, rows, moment)
            payload = transaction.payload
            if isinstance(payload, SubmitCheckpoint):
                self._admit(payload, transaction, rows, moment)
            else:
                self._dispatch(number, transaction, Overlay(rows), moment)
        except RefusedError as refused:
            return _refused(refused.code)
        return TxResult()

    def is_urgent(self, tx: bytes, chain_id: str) -> bool:
        """Rotations, revocations and votes: a thief's checkpoint in each block must not keep his key in its place."""
        if len(tx) > _MAX_URGENT:
            return False
        opened = self._memory.get(sha256(tx))
        if opened is not None:
            return opened.closed.body.type in _URGENT
        try:
            return parse_closed(tx, chain_id=chain_id).body.type in _URGENT
        except MalformedError:
            return False

    def execute(self, tx: bytes, rows: Overlay, moment: Moment) -> TxResult:
        """Execute a transaction."""
        try:
            number, transaction = self._parsed(tx, rows, moment)
            result = self._dispatch(number, transaction, rows, moment)
        except RefusedError as refused:
            return _refused(refused.code)
        rows.set(TRANSACTIONS, number, index_key(moment.height))
        return result

    def end_block(self, rows: Overlay, moment: Moment) -> BlockEnd:
        """Validators and upgrade."""
        return governance.end_block(rows, moment)

    def _parsed(self, tx: bytes, rows: Reader, moment: Moment) -> tuple[bytes, Transaction]:
        """ID and content; what is cheap to judge comes first, and the payload is read when the signatures hold."""
        digest = sha256(tx)
        opened = self._memory.get(digest)
        closed = _closed(tx, moment) if opened is None else opened.closed
        if closed.body.chain_id != moment.chain_id:
            raise RefusedError(TxCode.MALFORMED)
        number = closed.id if opened is None else opened.number
        known = _judge_closed(closed, number, len(tx), rows, moment)
        if opened is None:
            if not _signatures_hold(closed):
                raise RefusedError(TxCode.SIGNATURE)
            opened = Opened(number=number, closed=closed, transaction=_opened(closed))
            self._memory.put(digest, len(tx), opened)
        if known and not _is_vote(opened.transaction):
            raise RefusedError(TxCode.KNOWN)
        return number, opened.transaction

    def _admit(
        self, payload: SubmitCheckpoint, transaction: Transaction, rows: Reader, moment: Moment
    ) -> checkpoints.Submitted:
        return checkpoints.admit(rows, payload, transaction.signatures, height=moment.height, seen=self._seen)

    def _dispatch(self, number: bytes, transaction: Transaction, rows: Overlay, moment: Moment) -> TxResult:
        height, signatures = moment.height, transaction.signatures
        match transaction.payload:
            case SubmitCheckpoint() as payload:
                submitted = self._admit(payload, transaction, rows, moment)
                index = checkpoints.accept(rows, submitted, height)
                attributes = (
                    ("origin", submitted.checkpoint.origin),
                    ("size", str(submitted.checkpoint.size)),
                )
                return TxResult(
                    data=index_key(index), events=(Event(type="checkpoint", attributes=attributes),)
                )
            case RegisterDesk() as payload:
                governance.require_quorum(rows, signatures)
                desks.register(rows, payload, height)
            case RotateDeskKeys() as payload:
                if not desks.is_precommitted(rows, payload, height, signatures):
                    governance.require_quorum(rows, signatures)
                desks.rotate(rows, payload, height)
            case RevokeDesk() as payload:
                governance.require_quorum(rows, signatures)
                desks.revoke(rows, payload, height)
            case Govern() as payload:
                governance.govern(rows, payload, number, transaction.expires_height, signatures, moment)
            case ReportEquivocation() as payload:
                checkpoints.report(rows, payload, height)
        return TxResult()


def _closed(tx: bytes, moment: Moment) -> ClosedTransaction:
    try:
        return parse_closed(tx, chain_id=moment.chain_id)
    except MalformedError as error:
        raise RefusedError(TxCode.MALFORMED) from error


def _opened(closed: ClosedTransaction) -> Transaction:
    try:
        return closed.open()
    except MalformedError as error:
        raise RefusedError(TxCode.MALFORMED) from error


def _judge_closed(closed: ClosedTransaction, number: bytes, size: int, rows: Reader, moment: Moment) -> bool:
    """What can be judged before signatures and payload; whether the ID was executed before."""
    kind = closed.body.type
    if closed.body.expires_height < moment.height:
        raise RefusedError(TxCode.EXPIRED)
    known = rows.get(TRANSACTIONS, number) is not None
    if known and kind is not TransactionType.GOVERN:
        raise RefusedError(TxCode.KNOWN)
    _check_number_of_signatures(closed, rows)
    if kind is TransactionType.SUBMIT_CHECKPOINT:
        checkpoints.may_submit(rows, closed.signatures, size)
    return known


def _is_vote(transaction: Transaction) -> bool:
    """The bodies of all votes for a proposal are the same, and so is their ID; a vote counts once by who gave it."""
    return isinstance(transaction.payload, Govern) and transaction.payload.vote is not None


def _check_number_of_signatures(transaction: ClosedTransaction, rows: Reader) -> None:
    """Before any is checked: nobody may keep the nodes busy with signatures that could not count.

    Institutions and a desk sign by Ed25519; SM2 (slow) is only for a desk's new key.
    """
    sm2 = sum(item.scheme is SignatureScheme.SM2 for item in transaction.signatures)
    allowed = 1 if transaction.body.type is TransactionType.ROTATE_DESK_KEYS else 0
    if sm2 > allowed or len(transaction.signatures) - sm2 > len(institutions(rows).members) + 2:
        raise RefusedError(TxCode.SIGNATURE)


def _signatures_hold(transaction: ClosedTransaction) -> bool:
    try:
        transaction.check_signatures()
    except IntegrityError:
        return False
    return True


def _refused(code: TxCode) -> TxResult:
    return TxResult(code=code.value, log=code.name.lower(), codespace=CODESPACE)
