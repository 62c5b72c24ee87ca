"""What governance keeps, in canonical form: institutions, parameters, proposals. Rows of the map `governance`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from evidence_desk.core.canonical import JSON
from evidence_desk.core.digests import DIGEST_SIZE
from evidence_desk.court.node.app.commitments import GOVERNANCE
from evidence_desk.court.node.app.store import Overlay, Reader
from evidence_desk.court.protocol.actions import (
    EQUIVOCATION,
    GOVERN,
    Govern,
    Parameter,
    Proposal,
    ReportEquivocation,
)
from evidence_desk.court.protocol.block import KEY_SIZE
from evidence_desk.court.protocol.light_block import to_base64
from evidence_desk.court.protocol.messages import Field, Kind, Message
from evidence_desk.court.protocol.registry import check_office
from evidence_desk.court.protocol.transactions import MAX_TRANSACTION
from evidence_desk.errors import BugError

MAX_INSTITUTIONS: Final = 300
_INSTITUTIONS: Final = b"institutions"
_PARAMETERS: Final = b"parameters"
_UPGRADE: Final = b"upgrade"
PROPOSALS: Final = b"proposal/"
"""Prefix of proposals in the map `governance`, before the ID of the proposing transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Institution:
    """A member of the network: its code, the key of its validator (power 1) and the key that proposes and votes."""

    institution: str
    consensus_key: bytes
    governance_key: bytes

    def __post_init__(self) -> None:
        check_office(self.institution)


@dataclass(frozen=True, slots=True, kw_only=True)
class Institutions:
    """All members in the order of their codes."""

    members: tuple[Institution, ...]

    def quorum(self, governance_keys: frozenset[bytes]) -> bool:
        """Whether these keys are those of more than two thirds of the members."""
        agreeing = sum(member.governance_key in governance_keys for member in self.members)
        return 3 * agreeing > 2 * len(self.members)

    def is_member(self, governance_key: bytes) -> bool:
        """Whether a key speaks for a member."""
        return any(member.governance_key == governance_key for member in self.members)

    def with_member(self, member: Institution) -> Institutions:
        """One more member."""
        return Institutions(members=tuple(sorted((*self.members, member), key=lambda item: item.institution)))

    def without(self, consensus_key: bytes) -> Institutions:
        """The others."""
        return Institutions(
            members=tuple(item for item in self.members if item.consensus_key != consensus_key)
        )


_INSTITUTION: Final = Message(
    Institution,
    Field(number=1, name="institution", kind=Kind.TEXT, least=1, most=32),
    Field(number=2, name="consensus_key", kind=Kind.BYTES, least=KEY_SIZE, most=KEY_SIZE),
    Field(number=3, name="governance_key", kind=Kind.BYTES, least=KEY_SIZE, most=KEY_SIZE),
)
_MEMBERS: Final = Message(
    Institutions,
    Field(number=1, name="members", kind=_INSTITUTION, most=128, repeated=MAX_INSTITUTIONS),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """Numbers that institutions may change; see `Parameter`."""

    lookup_quota: int = 100_000
    max_submit_bytes: int = MAX_TRANSACTION

    def with_value(self, parameter: Parameter, value: int) -> Parameters:
        """One number changed."""
        match parameter:
            case Parameter.LOOKUP_QUOTA:
                return replace(self, lookup_quota=value)
            case Parameter.MAX_SUBMIT_BYTES:
                return replace(self, max_submit_bytes=value)


PARAMETER_RANGES: Final = {
    Parameter.LOOKUP_QUOTA: range(1, 10_000_001),
    Parameter.MAX_SUBMIT_BYTES: range(16 * 1024, MAX_TRANSACTION + 1),
}
_NUMBERS: Final = Message(
    Parameters,
    Field(number=1, name="lookup_quota", kind=Kind.UINT, least=1),
    Field(number=2, name="max_submit_bytes", kind=Kind.UINT, least=1),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedUpgrade:
    """From the block after `height` on the rules of `app_version` hold."""

    height: int
    app_version: int


_PLANNED: Final = Message(
    PlannedUpgrade,
    Field(number=1, name="height", kind=Kind.UINT, least=1),
    Field(number=2, name="app_version", kind=Kind.UINT, least=1),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalRecord:
    """A proposal: votes (governance keys in ascending order) count up to `expires_height`; `executed` at, or 0."""

    govern: Govern
    expires_height: int
    votes: tuple[bytes, ...]
    executed: int = 0

    @property
    def proposal(self) -> Proposal:
        """What is proposed."""
        if self.govern.propose is None:
            raise BugError("bug.court_proposal")
        return self.govern.propose

    def with_votes(self, keys: frozenset[bytes], members: Institutions) -> ProposalRecord:
        """More votes; those of institutions that left are dropped."""
        votes = sorted(key for key in {*self.votes, *keys} if members.is_member(key))
        return replace(self, votes=tuple(votes))


_RECORD: Final = Message(
    ProposalRecord,
    Field(number=1, name="govern", kind=GOVERN),
    Field(number=2, name="expires_height", kind=Kind.UINT, least=1),
    Field(number=3, name="votes", kind=Kind.BYTES, least=KEY_SIZE, most=KEY_SIZE, repeated=MAX_INSTITUTIONS),
    Field(number=4, name="executed", kind=Kind.UINT),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Misconduct:
    """A report that proved itself at `height`, under the keys that the desk had since `keys_since`."""

    report: ReportEquivocation
    height: int
    keys_since: int


MISCONDUCT_ENTRY: Final = Message(
    Misconduct,
    Field(number=1, name="report", kind=EQUIVOCATION),
    Field(number=2, name="height", kind=Kind.UINT, least=1),
    Field(number=3, name="keys_since", kind=Kind.UINT, least=1),
)


def institutions(rows: Reader) -> Institutions:
    """Present members: the *pending* validator set, which the engine follows two blocks later."""
    return _read_members(_required(rows, _INSTITUTIONS))


def set_institutions(rows: Overlay, value: Institutions) -> None:
    """Change the members."""
    rows.set(GOVERNANCE, _INSTITUTIONS, _MEMBERS.encode(value))


def parameters(rows: Reader) -> Parameters:
    """Present parameters."""
    return _read_parameters(_required(rows, _PARAMETERS))


def set_parameters(rows: Overlay, value: Parameters) -> None:
    """Change parameters."""
    rows.set(GOVERNANCE, _PARAMETERS, _NUMBERS.encode(value))


def planned_upgrade(rows: Reader) -> PlannedUpgrade | None:
    """The newest planned upgrade, done or not."""
    data = rows.get(GOVERNANCE, _UPGRADE)
    return None if data is None else _PLANNED.decode(data)


def set_planned_upgrade(rows: Overlay, value: PlannedUpgrade) -> None:
    """Plan an upgrade."""
    rows.set(GOVERNANCE, _UPGRADE, _PLANNED.encode(value))


def proposal(rows: Reader, number: bytes) -> ProposalRecord | None:
    """A proposal by the ID of its transaction."""
    data = rows.get(GOVERNANCE, PROPOSALS + _sized(number))
    return None if data is None else _RECORD.decode(data)


def read_proposal(row: bytes) -> dict[str, JSON]:
    """A proposal for display: what is proposed, who voted, until when."""
    record = _RECORD.decode(row)
    return {
        "govern": to_base64(GOVERN.encode(record.govern)),
        "expires_height": record.expires_height,
        "votes": [vote.hex() for vote in record.votes],
        "executed": record.executed,
    }


def set_proposal(rows: Overlay, number: bytes, value: ProposalRecord) -> None:
    """Keep a proposal."""
    rows.set(GOVERNANCE, PROPOSALS + _sized(number), _RECORD.encode(value))


@lru_cache(maxsize=16)
def _read_members(row: bytes) -> Institutions:
    """Asked for by every transaction; a function of the row alone."""
    return _MEMBERS.decode(row)


@lru_cache(maxsize=16)
def _read_parameters(row: bytes) -> Parameters:
    return _NUMBERS.decode(row)


def _sized(number: bytes) -> bytes:
    if len(number) != DIGEST_SIZE:
        raise BugError("bug.court_proposal")
    return number


def _required(rows: Reader, key: bytes) -> bytes:
    data = rows.get(GOVERNANCE, key)
    if data is None:
        raise BugError("bug.court_genesis_missing", row=key.decode())
    return data
