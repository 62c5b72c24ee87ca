"""Decisions of institutions as an operator makes them: proposals read and told in words, transactions signed.

The ID of a proposal is the hash of what it says, so a voter never signs for something else than was shown.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence_desk.core.canonical import JSON
from evidence_desk.core.checkpoint import parse_checkpoint
from evidence_desk.core.digests import parse_hex, sha256
from evidence_desk.court.node.app.records import Institution, Institutions
from evidence_desk.court.protocol.actions import (
    GOVERN,
    Govern,
    Proposal,
    RegisterDesk,
    ReportEquivocation,
    RotateDeskKeys,
)
from evidence_desk.court.protocol.light_block import from_base64, items, number
from evidence_desk.court.protocol.registry import DeskKeys
from evidence_desk.court.protocol.transactions import (
    Payload,
    SignatureScheme,
    Transaction,
    TransactionSignature,
    parse_transaction,
)
from evidence_desk.errors import IntegrityError, MalformedError, NotFoundError, UsageError

MAX_APPLICATION: Final = 16 * 1024
_MAX_ITEMS: Final = 10_000
_GROUP: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A sentence about what would be decided: its code in ``texts`` and the facts to fill in."""

    code: str
    facts: dict[str, str | int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownProposal:
    """A proposal as a node shows it; `number` is the ID of its transaction."""

    number: bytes
    proposal: Proposal
    expires_height: int
    votes: tuple[bytes, ...]
    executed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Governance:
    """Members, parameters and proposals as a node shows them."""

    members: Institutions
    parameters: dict[str, int]
    proposals: tuple[ShownProposal, ...]

    def institution(self, code: str) -> Institution:
        """A member by its code.

        Raises:
            NotFoundError: ``governance.no_institution``.
        """
        for item in self.members.members:
            if item.institution == code:
                return item
        raise NotFoundError("governance.no_institution", institution=code)

    def name_of(self, governance_key: bytes) -> str:
        """Code of the member that votes with a key, "—" for one that left."""
        codes = (item.institution for item in self.members.members if item.governance_key == governance_key)
        return next(codes, "—")

    def open_at(self, height: int) -> tuple[ShownProposal, ...]:
        """Proposals that can still be voted for in the next block."""
        return tuple(item for item in self.proposals if not item.executed and item.expires_height > height)


def read_governance(value: JSON, chain_id: str) -> Governance:
    """Read what the application shows.

    Raises:
        MalformedError: ``malformed.governance``.
        IntegrityError: ``governance.proposal_id`` for a proposal that says something else than its ID.
    """
    try:
        shown = _table(value)
        return Governance(
            members=Institutions(members=tuple(_members(shown["institutions"]))),
            parameters={name: number(item) for name, item in _table(shown["parameters"]).items()},
            proposals=tuple(_proposal(item, chain_id) for item in items(shown["proposals"], _MAX_ITEMS)),
        )
    except (MalformedError, KeyError, TypeError) as error:
        raise MalformedError("malformed.governance") from error


def _table(value: JSON) -> dict[str, JSON]:
    if not isinstance(value, dict):
        raise MalformedError("malformed.governance")
    return value


def _members(value: JSON) -> Iterator[Institution]:
    for item in map(_table, items(value, _MAX_ITEMS)):
        yield Institution(
            institution=str(item["institution"]),
            consensus_key=parse_hex(item["consensus_key"], what="key"),
            governance_key=parse_hex(item["governance_key"], what="key"),
        )


def _proposal(item: JSON, chain_id: str) -> ShownProposal:
    value = _table(item)
    govern = GOVERN.decode(from_base64(value["govern"]))
    identity, expires = parse_hex(value["id"], what="proposal"), number(value["expires_height"])
    if govern.propose is None:
        raise MalformedError("malformed.governance")
    if Transaction(chain_id=chain_id, expires_height=expires, payload=govern).id != identity:
        raise IntegrityError("governance.proposal_id", id=identity.hex())
    return ShownProposal(
        number=identity,
        proposal=govern.propose,
        expires_height=expires,
        votes=tuple(parse_hex(vote, what="key") for vote in items(value["votes"], _MAX_ITEMS)),
        executed=number(value["executed"]),
    )


def find_proposal(shown: Governance, beginning: str) -> ShownProposal:
    """The proposal whose ID begins so (at least 8 digits).

    Raises:
        NotFoundError: ``governance.no_proposal``.
    """
    found = [item for item in shown.proposals if item.number.hex().startswith(beginning.lower())]
    if len(beginning) < 2 * _GROUP or len(found) != 1:
        raise NotFoundError("governance.no_proposal", id=beginning[:80])
    return found[0]


def proposing(**action: object) -> Govern:
    """A proposal with one action; its number tells it from another one that says the same."""
    return Govern(propose=Proposal(number=secrets.randbelow(2**53), **action))  # type: ignore[arg-type]


def sign(
    payload: Payload, *, chain_id: str, expires_height: int, key: Ed25519PrivateKey | None
) -> Transaction:
    """A transaction with the signature of a governance key, or with none."""
    plain = Transaction(chain_id=chain_id, expires_height=expires_height, payload=payload)
    if key is None:
        return plain
    signature = TransactionSignature(
        scheme=SignatureScheme.ED25519,
        key=key.public_key().public_bytes_raw(),
        signature=key.sign(plain.body()),
    )
    return Transaction(
        chain_id=chain_id, expires_height=expires_height, payload=payload, signatures=(signature,)
    )


def read_application(data: bytes, chain_id: str) -> RegisterDesk | RotateDeskKeys:
    """What a desk asks institutions for, signed by the key it wants registered.

    Raises:
        MalformedError: codes of `parse_transaction`.
        UsageError: ``governance.no_application`` for another kind of transaction.
        IntegrityError: ``governance.application_key`` when the new key did not sign, ``court.transaction_signature``.
    """
    transaction = parse_transaction(data, chain_id=chain_id)
    payload = transaction.payload
    if not isinstance(payload, RegisterDesk | RotateDeskKeys):
        raise UsageError("governance.no_application")
    transaction.check_signatures()
    if payload.keys.ed25519 not in {item.key for item in transaction.signatures}:
        raise IntegrityError("governance.application_key", origin=payload.origin)
    return payload


def words(proposal: Proposal) -> tuple[Word, ...]:
    """What a proposal would change."""
    if proposal.add is not None:
        added = proposal.add
        return (
            Word(code="governance.word.add", facts={"institution": added.institution}),
            _mark("consensus", added.consensus_key),
            _mark("governance", added.governance_key),
        )
    if proposal.remove is not None:
        return Word(code="governance.word.remove", facts={}), _mark(
            "consensus", proposal.remove.consensus_key
        )
    if proposal.parameter is not None:
        name, value = proposal.parameter.parameter.name.lower(), proposal.parameter.value
        return (Word(code="governance.word.parameter", facts={"name": name, "value": value}),)
    if proposal.upgrade is not None:
        upgrade = proposal.upgrade
        facts: dict[str, str | int] = {"height": upgrade.height, "version": upgrade.app_version}
        return (Word(code="governance.word.upgrade", facts=facts),)
    return tuple(_desk_words(proposal))


def _desk_words(proposal: Proposal) -> Iterator[Word]:
    if proposal.register is not None:
        action = proposal.register
        yield Word(code="governance.word.register", facts={"origin": action.origin, "office": action.office})
        if action.succeeds:
            yield Word(code="governance.word.succeeds", facts={"origin": action.succeeds})
        yield from _key_words(action.keys)
    if proposal.rotate is not None:
        yield Word(code="governance.word.rotate", facts={"origin": proposal.rotate.origin})
        yield from _key_words(proposal.rotate.keys)
    if proposal.revoke is not None:
        revoked = proposal.revoke
        yield Word(
            code="governance.word.revoke",
            facts={
                "origin": revoked.origin,
                "height": revoked.effective_height,
                "suspect": revoked.suspect_from,
            },
        )


def _key_words(keys: DeskKeys) -> Iterator[Word]:
    yield _mark("ed25519", keys.ed25519)
    yield _mark("sm2", keys.sm2)


def _mark(kind: str, key: bytes) -> Word:
    digits = sha256(key).hex().upper()
    grouped = " ".join(digits[at : at + _GROUP] for at in range(0, len(digits), _GROUP))
    return Word(code=f"governance.key.{kind}", facts={"fingerprint": grouped})


def report_words(report: ReportEquivocation) -> tuple[Word, ...]:
    """What a report says; MalformedError for notes that are none."""
    found = [parse_checkpoint(note)[0] for note in (report.first, report.second) if note]
    return (
        Word(code="governance.word.report", facts={"origin": found[0].origin}),
        *(
            Word(code="governance.word.note", facts={"size": item.size, "root": item.root.hex()})
            for item in found
        ),
    )
