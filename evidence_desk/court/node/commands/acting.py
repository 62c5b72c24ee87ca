"""What the commands of institutions share: say in words what will be signed, ask, sign, send, tell the outcome."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence_desk.court.node.commands.asking import confirm, passphrase
from evidence_desk.court.node.door import Door, open_door
from evidence_desk.court.node.files import write_new
from evidence_desk.court.node.governance_key import FILE as GOVERNANCE_FILE
from evidence_desk.court.node.governance_key import is_protected, open_governance_key
from evidence_desk.court.node.governing import (
    Governance,
    Word,
    find_proposal,
    read_governance,
    sign,
)
from evidence_desk.court.node.home import NodeHome
from evidence_desk.court.protocol.actions import (
    Govern,
)
from evidence_desk.court.protocol.transactions import Payload
from evidence_desk.court.protocol.tx_codes import TxCode
from evidence_desk.errors import RemoteError, UsageError
from evidence_desk.terminal.output import Output
from evidence_desk.texts import Language, has

_WAIT_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.3
EXPIRY: Final = 100_000
"""Blocks that a proposal stays open when nothing else is said."""

DoorFolder = Annotated[Path | None, typer.Option("--dir", help="本机节点文件夹 / the own node's folder")]
GatewayOption = Annotated[str, typer.Option("--gateway", help="网关地址 / address of a gateway")]
KeyOption = Annotated[
    Path | None, typer.Option("--governance-key", help="治理密钥文件 / file of the governance key")
]
YesOption = Annotated[bool, typer.Option("--yes", help="不再询问（脚本用）/ do not ask (for scripts)")]
ExpiresOption = Annotated[
    int, typer.Option("--expires-in", min=1, max=10_000_000, help="有效区块数 / blocks it stays open")
]
SaveOption = Annotated[
    Path | None, typer.Option("--save", help="另存提案，供他人离线查看 / also write the proposal to a file")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """How a command acts: through which door, with which key, asked or not."""

    out: Output
    door: Door
    home: NodeHome | None
    key_file: Path | None
    yes: bool

    @classmethod
    def of(cls, out: Output, folder: Path | None, gateway: str, key: Path | None, *, yes: bool) -> Act:
        """From the options."""
        home = None if folder is None else NodeHome.open(folder)
        return cls(out=out, door=open_door(home, gateway), home=home, key_file=key, yes=yes)

    def shown(self) -> Governance:
        """What the own node knows of decisions."""
        return read_governance(self.door.governance(), self.door.standing().chain_id)

    def key(self) -> Ed25519PrivateKey:
        """The governance key; UsageError ``governance.no_key``."""
        file = self.key_file or (self.home.path / GOVERNANCE_FILE if self.home else None)
        if file is None or not file.is_file():
            raise UsageError("governance.no_key")
        return open_governance_key(file, passphrase(self.out) if is_protected(file) else "")

    def send(
        self, payload: Payload, said: Iterable[Word], *, expires_in: int = EXPIRY, keyed: bool = True,
        save: Path | None = None, expires_height: int = 0,
    ) -> None:  # fmt: skip
        """Say in words what is signed, ask, sign, send, and tell the outcome."""
        standing = self.door.standing()
        self.out.errors.print(self.out.text("governance.about", chain_id=standing.chain_id))
        for word in said:
            self.out.errors.print("  " + self.out.text(word.code, **word.facts))
        confirm(self.out, yes=self.yes)
        transaction = sign(
            payload,
            chain_id=standing.chain_id,
            expires_height=expires_height or standing.height + expires_in,
            key=self.key() if keyed else None,
        )
        tx = transaction.encode()
        if save is not None:
            write_new(save, tx)
        self._submit(tx)
        done = self._outcome(tx, transaction.id)
        self.out.say("governance.sent", id=transaction.id.hex(), height=done)
        document: dict[str, object] = {"id": transaction.id.hex(), "height": done}
        if self.home is not None and isinstance(payload, Govern):
            document |= self._decided(payload, transaction.id)
        self.out.document(document)

    def _submit(self, tx: bytes) -> None:
        answer = self.door.submit(tx)
        if answer.code:
            raise _refused(answer.code)

    def _outcome(self, tx: bytes, identity: bytes) -> int:
        deadline = time.monotonic() + _WAIT_SECONDS
        while time.monotonic() < deadline:
            done = self.door.executed(tx, identity)
            if done is not None:
                if done.code:
                    raise _refused(done.code)
                return done.height
            time.sleep(_POLL_SECONDS)
        raise RemoteError("governance.waiting", id=identity.hex())

    def _decided(self, payload: Govern, identity: bytes) -> dict[str, object]:
        shown = self.shown()
        item = find_proposal(shown, (payload.vote.proposal if payload.vote else identity).hex())
        votes, count = len(item.votes), len(shown.members.members)
        code = "governance.executed" if item.executed else "governance.open"
        self.out.say(code, votes=votes, count=count, needed=2 * count // 3 + 1, height=item.executed)
        return {"proposal": item.number.hex(), "votes": votes, "executed": item.executed or None}


def _refused(code: int) -> UsageError:
    """A refusal by the rules, with the sentence for its code."""
    known = code in set(TxCode)
    name = TxCode(code).name.lower() if known else str(code)
    refusal = f"governance.refused.{name}"
    return UsageError(refusal if has(refusal, Language.ZH) else "governance.refused", code=code, name=name)
