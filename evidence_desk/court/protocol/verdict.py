"""What the verification of a court part answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from evidence_desk.core.note import NoteKeys
from evidence_desk.core.verdict import (
    Caveat,
    Dimension,
    Finding,
    Parameter,
    Status,
    Vouches,
    worst,
)
from evidence_desk.court.protocol.part import CourtEvent
from evidence_desk.court.protocol.registry import DeskEntry
from evidence_desk.errors import EvidenceDeskError


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenTime:
    """A token as judged elsewhere (tsa.verify): its status, and genTime where it could be read."""

    status: Status
    gen_time: datetime | None = None


class TokenCheck(Protocol):
    """Judges an RFC 3161 token over a SHA-256 imprint."""

    def __call__(self, token: bytes, imprint: bytes) -> TokenTime:
        """Judge a DER ContentInfo whose imprint must be `imprint` (32 bytes)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CourtSigner:
    """A validator of header H+1; `institution` is "" when the trust root doesn't name it."""

    address: bytes
    institution: str
    power: int
    signed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CourtVerdict:
    """Findings of the dimension court and what they establish.

    Attributes:
        height: H, the block that accepted the checkpoint; `block_hash` its hash.
        header_hash: hash of header H+1.
        anchored_at: time of header H+1; None unless shown, though desk or leaf may be in doubt since.
        as_of: height of the newest state shown about desk and events.
        desk_keys: keys of the desk from the proven registry entry; None unless proven.
        events: events about the leaf, proven complete as of that height.
        signers: validators of header H+1, the greatest power first.
    """

    chain_id: str
    findings: tuple[Finding, ...]
    caveats: tuple[Caveat, ...] = ()
    height: int = 0
    block_hash: bytes = b""
    header_hash: bytes = b""
    anchored_at: datetime | None = None
    as_of: int = 0
    desk: DeskEntry | None = None
    desk_keys: NoteKeys | None = None
    events: tuple[CourtEvent, ...] = ()
    signers: tuple[CourtSigner, ...] = ()

    @property
    def status(self) -> Status:
        """Worst status of the findings."""
        return worst(item.status for item in self.findings)


def finding(check: str, status: Status, reason: str, **parameters: Parameter) -> Finding:
    """A finding of the dimension court; its code is ``check.reason``."""
    vouches = {Status.PASSED: Vouches.COURT_NETWORK, Status.UNDETERMINED: Vouches.NOBODY}
    return Finding(
        dimension=Dimension.COURT,
        check=check,
        status=status,
        code=f"{check}.{reason}",
        parameters=parameters,
        who_vouches=vouches.get(status, Vouches.COMPUTATION),
    )


def refusal(check: str, status: Status, error: EvidenceDeskError) -> Finding:
    """A finding that says what an error says."""
    return Finding(
        dimension=Dimension.COURT,
        check=check,
        status=status,
        code=error.code,
        parameters=error.parameters,
        who_vouches=Vouches.NOBODY if status is Status.UNDETERMINED else Vouches.COMPUTATION,
    )
