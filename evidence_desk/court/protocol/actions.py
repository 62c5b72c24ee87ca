"""Payloads of transactions. No name, number or file name of a party or natural person has a place in them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import Final

from evidence_desk.core.checkpoint import MAX_SIZE, check_origin
from evidence_desk.core.digests import DIGEST_SIZE
from evidence_desk.core.leaf import MAX_LEAF
from evidence_desk.core.note import MAX_NOTE
from evidence_desk.court.protocol.block import KEY_SIZE
from evidence_desk.court.protocol.messages import Field, Kind, Message
from evidence_desk.court.protocol.registry import DESK_KEYS, MAX_ORIGIN, DeskKeys, check_office
from evidence_desk.errors import MalformedError

MAX_LEAVES: Final = 4_096
MAX_OBJECTS: Final = 16_384
MIN_OBJECT: Final = 64
"""Bytes: an entry holds a digest in hexadecimal digits at least, so a transaction holds some thousands at most."""
MAX_OBJECT: Final = 512
MAX_ENVELOPE: Final = 256 * 1024
_BODY: Final = 1024 * 1024


def _require(good: bool, reason: str) -> None:  # noqa: FBT001
    if not good:
        raise MalformedError("malformed.transaction", reason=reason)


# --- desks ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterDesk:
    """Open a desk's log; `succeeds` closes the origin before it in the same transaction ("" for a first one)."""

    origin: str
    office: str
    keys: DeskKeys
    succeeds: str = ""

    def __post_init__(self) -> None:
        check_origin(self.origin)
        check_office(self.office)
        _require(self.origin.startswith(f"desk.{self.office}.evidence/"), "office")
        if self.succeeds:
            family, _, epoch = check_origin(self.succeeds).rpartition("/")
            new_family, _, new_epoch = self.origin.rpartition("/")
            _require(family == new_family and int(epoch) + 1 == int(new_epoch), "successor")


REGISTER_DESK: Final = Message(
    RegisterDesk,
    Field(number=1, name="origin", kind=Kind.TEXT, least=1, most=MAX_ORIGIN),
    Field(number=2, name="office", kind=Kind.TEXT, least=1, most=32),
    Field(number=3, name="keys", kind=DESK_KEYS),
    Field(number=4, name="succeeds", kind=Kind.TEXT, most=MAX_ORIGIN),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RotateDeskKeys:
    """Replace a desk's keys: signed by the keys whose digests were registered, or approved by institutions."""

    origin: str
    keys: DeskKeys

    def __post_init__(self) -> None:
        check_origin(self.origin)


ROTATE_DESK_KEYS: Final = Message(
    RotateDeskKeys,
    Field(number=1, name="origin", kind=Kind.TEXT, least=1, most=MAX_ORIGIN),
    Field(number=2, name="keys", kind=DESK_KEYS),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeDesk:
    """Take a desk's right away from `effective_height` on.

    Checkpoints accepted before `suspect_from` stand, later ones are in doubt.
    """

    origin: str
    effective_height: int
    suspect_from: int

    def __post_init__(self) -> None:
        check_origin(self.origin)
        _require(self.suspect_from <= self.effective_height, "suspect_from")


REVOKE_DESK: Final = Message(
    RevokeDesk,
    Field(number=1, name="origin", kind=Kind.TEXT, least=1, most=MAX_ORIGIN),
    Field(number=2, name="effective_height", kind=Kind.UINT, least=1),
    Field(number=3, name="suspect_from", kind=Kind.UINT, least=1),
)


# --- checkpoints ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectList:
    """The entries (canonical JSON) behind the `objects_root` of leaf `seq`."""

    seq: int
    objects: tuple[bytes, ...]

    def __post_init__(self) -> None:
        _require(bool(self.objects), "objects")


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """The private statement of leaf `seq`, encrypted under a key of its case, which is never on chain."""

    seq: int
    ciphertext: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitCheckpoint:
    """A checkpoint with all leaves from `old_size` to its size − 1: the network recomputes the root itself."""

    note: bytes
    old_size: int
    leaves: tuple[bytes, ...]
    objects: tuple[ObjectList, ...] = ()
    envelopes: tuple[Envelope, ...] = ()

    def __post_init__(self) -> None:
        _require(bool(self.leaves), "leaves")
        last = self.old_size + len(self.leaves)
        for named in (self.objects, self.envelopes):
            numbers = [item.seq for item in named]
            within = all(self.old_size <= number < last for number in numbers)
            _require(within and all(one < two for one, two in pairwise(numbers)), "seq")


_OBJECTS: Final = Message(
    ObjectList,
    Field(number=1, name="seq", kind=Kind.UINT, most=MAX_SIZE),
    Field(number=2, name="objects", kind=Kind.BYTES, least=MIN_OBJECT, most=MAX_OBJECT, repeated=MAX_OBJECTS),
)
_ENVELOPE: Final = Message(
    Envelope,
    Field(number=1, name="seq", kind=Kind.UINT, most=MAX_SIZE),
    Field(number=2, name="ciphertext", kind=Kind.BYTES, least=1, most=MAX_ENVELOPE),
)
SUBMIT_CHECKPOINT: Final = Message(
    SubmitCheckpoint,
    Field(number=1, name="note", kind=Kind.BYTES, least=1, most=MAX_NOTE),
    Field(number=2, name="old_size", kind=Kind.UINT, most=MAX_SIZE),
    Field(number=3, name="leaves", kind=Kind.BYTES, least=1, most=MAX_LEAF, repeated=MAX_LEAVES),
    Field(number=4, name="objects", kind=_OBJECTS, most=_BODY, repeated=MAX_LEAVES),
    Field(number=5, name="envelopes", kind=_ENVELOPE, most=MAX_ENVELOPE + 32, repeated=MAX_LEAVES),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportEquivocation:
    """Misconduct of a desk that proves itself.

    Either one note whose root differs from the network's at that size, or two notes of one size and different roots.
    """

    first: bytes
    second: bytes = b""

    def __post_init__(self) -> None:
        _require(self.first != self.second, "the same note twice")


EQUIVOCATION: Final = Message(
    ReportEquivocation,
    Field(number=1, name="first", kind=Kind.BYTES, least=1, most=MAX_NOTE),
    Field(number=2, name="second", kind=Kind.BYTES, most=MAX_NOTE),
)


# --- governance -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class AddValidator:
    """Admit an institution's node: consensus key and governance key (never the same), power 1."""

    consensus_key: bytes
    governance_key: bytes
    institution: str

    def __post_init__(self) -> None:
        _require(self.consensus_key != self.governance_key, "governance key")
        check_office(self.institution)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveValidator:
    """Take an institution's node out of the set."""

    consensus_key: bytes


class Parameter(IntEnum):
    """Parameters that may be changed by vote."""

    LOOKUP_QUOTA = 1
    """Look-up occurrences a desk may add in a block."""
    MAX_SUBMIT_BYTES = 2
    """Greatest size of a transaction that submits a checkpoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetParameter:
    """Change a parameter."""

    parameter: Parameter
    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgrade:
    """Change the rules (`version.app`) from a height on."""

    height: int
    app_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Exactly one action; `number` tells equal proposals apart."""

    number: int
    add: AddValidator | None = None
    remove: RemoveValidator | None = None
    parameter: SetParameter | None = None
    upgrade: Upgrade | None = None
    register: RegisterDesk | None = None
    rotate: RotateDeskKeys | None = None
    revoke: RevokeDesk | None = None

    def __post_init__(self) -> None:
        actions = (
            self.add,
            self.remove,
            self.parameter,
            self.upgrade,
            self.register,
            self.rotate,
            self.revoke,
        )
        _require(sum(action is not None for action in actions) == 1, "one action")


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """A vote for a proposal, named by the ID of the transaction that made it; against it one does not vote."""

    proposal: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Govern:
    """Propose or vote, signed by an institution's governance key."""

    propose: Proposal | None = None
    vote: Vote | None = None

    def __post_init__(self) -> None:
        _require((self.propose is None) is not (self.vote is None), "propose or vote")


_ADD: Final = Message(
    AddValidator,
    Field(number=1, name="consensus_key", kind=Kind.BYTES, least=KEY_SIZE, most=KEY_SIZE),
    Field(number=2, name="governance_key", kind=Kind.BYTES, least=KEY_SIZE, most=KEY_SIZE),
    Field(number=3, name="institution", kind=Kind.TEXT, least=1, most=32),
)
_REMOVE: Final = Message(
    RemoveValidator, Field(number=1, name="consensus_key", kind=Kind.BYTES, least=KEY_SIZE, most=KEY_SIZE)
)
_PARAMETER: Final = Message(
    SetParameter,
    Field(number=1, name="parameter", kind=Kind.UINT, least=1, enum=Parameter),
    Field(number=2, name="value", kind=Kind.UINT),
)
_UPGRADE: Final = Message(
    Upgrade,
    Field(number=1, name="height", kind=Kind.UINT, least=1),
    Field(number=2, name="app_version", kind=Kind.UINT, least=1),
)
_PROPOSAL: Final = Message(
    Proposal,
    Field(number=1, name="number", kind=Kind.UINT),
    Field(number=2, name="add", kind=_ADD, optional=True),
    Field(number=3, name="remove", kind=_REMOVE, optional=True),
    Field(number=4, name="parameter", kind=_PARAMETER, optional=True),
    Field(number=5, name="upgrade", kind=_UPGRADE, optional=True),
    Field(number=6, name="register", kind=REGISTER_DESK, optional=True),
    Field(number=7, name="rotate", kind=ROTATE_DESK_KEYS, optional=True),
    Field(number=8, name="revoke", kind=REVOKE_DESK, optional=True),
)
_VOTE: Final = Message(
    Vote, Field(number=1, name="proposal", kind=Kind.BYTES, least=DIGEST_SIZE, most=DIGEST_SIZE)
)
GOVERN: Final = Message(
    Govern,
    Field(number=1, name="propose", kind=_PROPOSAL, optional=True),
    Field(number=2, name="vote", kind=_VOTE, optional=True),
)
