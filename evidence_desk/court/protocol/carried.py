"""Files that an air-gapped desk exchanges with the network: what to submit (``outbox/1``), what was answered (``answers/1``).

Both hold nothing but what a gateway would be sent and would answer, so the carrier needs no vault and is not trusted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.core.checkpoint import MAX_SIZE, check_origin
from evidence_desk.core.digests import parse_hex
from evidence_desk.court.protocol.anchor import MAX_LEAVES, AnchorAnswer, parse_anchor_answer
from evidence_desk.court.protocol.block import check_chain_id
from evidence_desk.court.protocol.desk_answer import DeskAnswer, parse_desk_answer
from evidence_desk.court.protocol.light_block import from_base64, items, members, number, to_base64
from evidence_desk.court.protocol.transactions import MAX_TRANSACTION
from evidence_desk.errors import MalformedError

OUTBOX: Final = "outbox/1"
ANSWERS: Final = "answers/1"
MAX_FILE: Final = 256 * 1024 * 1024
MAX_TRANSACTIONS: Final = 64
MAX_WANTED: Final = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Leaves (1–256) whose events are to be proven under the checkpoint of this size and root."""

    size: int
    root: bytes
    leaves: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxFile:
    """What a desk has for the network.

    Attributes:
        registration: transaction that asks for registration; b"" when none is needed.
        transactions: checkpoints, ascending.
        wanted: proofs that are asked for.
    """

    chain_id: str
    origin: str
    registration: bytes
    transactions: tuple[bytes, ...]
    wanted: tuple[Wanted, ...]

    def encode(self) -> bytes:
        """Canonical JSON."""
        return encode(
            {
                "v": OUTBOX,
                "chain_id": self.chain_id,
                "origin": self.origin,
                "registration": to_base64(self.registration) if self.registration else None,
                "transactions": [to_base64(item) for item in self.transactions],
                "wanted": [
                    {
                        "size": item.size,
                        "root": item.root.hex(),
                        "leaves": [leaf.hex() for leaf in item.leaves],
                    }
                    for item in self.wanted
                ],
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswersFile:
    """What the network answered: the desk's entry, and answers about checkpoints."""

    chain_id: str
    origin: str
    desk: DeskAnswer
    anchors: tuple[AnchorAnswer, ...]

    def encode(self) -> bytes:
        """Canonical JSON."""
        return encode(
            {
                "v": ANSWERS,
                "chain_id": self.chain_id,
                "origin": self.origin,
                "desk": decode(self.desk.encode(), what="desk answer", limit=MAX_FILE),
                "anchors": [
                    decode(item.encode(), what="anchor answer", limit=MAX_FILE) for item in self.anchors
                ],
            }
        )


def parse_outbox(data: bytes) -> OutboxFile:
    """Read ``outbox/1`` strictly.

    Raises:
        MalformedError: ``malformed.outbox``, ``malformed.json`` and codes of the parts.
    """
    value = decode(data, what=OUTBOX, limit=MAX_FILE)
    if not isinstance(value, dict) or value.get("v") != OUTBOX:
        raise MalformedError("malformed.outbox", reason="version")
    item = members(value, {"v", "chain_id", "origin", "registration", "transactions", "wanted"})
    transactions = tuple(from_base64(entry) for entry in items(item["transactions"], MAX_TRANSACTIONS))
    registration = b"" if item["registration"] is None else from_base64(item["registration"])
    if any(not 0 < len(entry) <= MAX_TRANSACTION for entry in transactions):
        raise MalformedError("malformed.outbox", reason="transaction")
    if len(registration) > MAX_TRANSACTION or (item["registration"] is not None and not registration):
        raise MalformedError("malformed.outbox", reason="registration")
    return OutboxFile(
        chain_id=_chain(item["chain_id"]),
        origin=_origin(item["origin"]),
        registration=registration,
        transactions=transactions,
        wanted=tuple(_wanted(entry) for entry in items(item["wanted"], MAX_WANTED)),
    )


def parse_answers(data: bytes) -> AnswersFile:
    """Read ``answers/1`` strictly; what it says is not judged.

    Raises:
        MalformedError: ``malformed.outbox``, ``malformed.json`` and codes of the parts.
    """
    value = decode(data, what=ANSWERS, limit=MAX_FILE)
    if not isinstance(value, dict) or value.get("v") != ANSWERS:
        raise MalformedError("malformed.outbox", reason="version")
    item = members(value, {"v", "chain_id", "origin", "desk", "anchors"})
    return AnswersFile(
        chain_id=_chain(item["chain_id"]),
        origin=_origin(item["origin"]),
        desk=parse_desk_answer(encode(item["desk"])),
        anchors=tuple(parse_anchor_answer(encode(entry)) for entry in items(item["anchors"], MAX_WANTED)),
    )


def _wanted(value: JSON) -> Wanted:
    item = members(value, {"size", "root", "leaves"})
    size = number(item["size"])
    leaves = tuple(parse_hex(leaf, what="leaf") for leaf in items(item["leaves"], MAX_LEAVES))
    if not 0 < size <= MAX_SIZE or not leaves or len(set(leaves)) != len(leaves):
        raise MalformedError("malformed.outbox", reason="wanted")
    return Wanted(size=size, root=parse_hex(item["root"], what="root"), leaves=leaves)


def _chain(value: JSON) -> str:
    if not isinstance(value, str):
        raise MalformedError("malformed.outbox", reason="chain_id")
    return check_chain_id(value)


def _origin(value: JSON) -> str:
    if not isinstance(value, str):
        raise MalformedError("malformed.outbox", reason="origin")
    return check_origin(value)
