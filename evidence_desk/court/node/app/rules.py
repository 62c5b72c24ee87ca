"""Rules of the network by version: what a transaction does to the rows. Old versions stay for ever."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from evidence_desk.court.node.abci.application import Genesis, TxResult, Validator
from evidence_desk.court.node.app.store import Overlay, Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Where in the chain a transaction is executed: its block's height, and the chain's name."""

    chain_id: str
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockEnd:
    """What follows from a block beyond its rows: changes of the validator set, a new version of the rules."""

    validators: tuple[Validator, ...] = ()
    app_version: int | None = None


class Rules(Protocol):
    """One version of the rules; every method is a function of its arguments."""

    def genesis(self, genesis: Genesis, rows: Overlay) -> None:
        """Rows of the first state.

        Raises:
            MalformedError: the application's part of the genesis document cannot be meant.
        """
        ...

    def check(self, tx: bytes, rows: Reader, moment: Moment) -> TxResult:
        """Whether a transaction could be accepted at `moment`; may leave out what is expensive."""
        ...

    def is_urgent(self, tx: bytes, chain_id: str) -> bool:
        """Whether a proposer puts a transaction before the others; decides nothing about its outcome."""
        ...

    def execute(self, tx: bytes, rows: Overlay, moment: Moment) -> TxResult:
        """Execute a transaction; the rows of a refused one are dropped by the caller."""
        ...

    def end_block(self, rows: Overlay, moment: Moment) -> BlockEnd:
        """What is due at the end of a block."""
        ...
