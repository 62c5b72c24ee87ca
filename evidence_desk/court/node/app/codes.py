"""The refusal of a transaction within the rules."""

from __future__ import annotations

from typing import Final

from evidence_desk.court.protocol.tx_codes import TxCode

CODESPACE: Final = "court"


class RefusedError(Exception):
    """A transaction is refused; never leaves the rules."""

    def __init__(self, code: TxCode) -> None:
        super().__init__(code)
        self.code = code
