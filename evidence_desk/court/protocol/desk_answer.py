"""Answer to "what does the network hold of this desk?" (``desk/1``): its registry entry, or that there is none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from evidence_desk.core.canonical import decode, encode
from evidence_desk.core.checkpoint import check_origin
from evidence_desk.core.moment import format_moment
from evidence_desk.core.verdict import Caveat, Finding, Status, worst
from evidence_desk.court.protocol.header import (
    STANDING_MEMBERS,
    Standing,
    carries,
    demo_caveats,
    judge_standing,
    read_standing,
)
from evidence_desk.court.protocol.history import NetworkTrust
from evidence_desk.court.protocol.light_block import from_base64, members, to_base64
from evidence_desk.court.protocol.map_proof import MapProof, decode_map_proof
from evidence_desk.court.protocol.part import MAX_PART
from evidence_desk.court.protocol.registry import DESK_ENTRY, DeskEntry
from evidence_desk.court.protocol.state import check_desk
from evidence_desk.court.protocol.verdict import TokenCheck, finding
from evidence_desk.errors import IntegrityError, MalformedError

VERSION: Final = "desk/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskAnswer:
    """Entry of `origin` (None: not registered) in the state `standing`."""

    origin: str
    entry: DeskEntry | None
    proof: MapProof
    standing: Standing

    def encode(self) -> bytes:
        """Canonical JSON."""
        entry = None if self.entry is None else to_base64(DESK_ENTRY.encode(self.entry))
        return encode(
            {
                "v": VERSION,
                **self.standing.to_json(),
                "origin": self.origin,
                "entry": entry,
                "proof": to_base64(self.proof.encode()),
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskVerdict:
    """What an answer is worth. Only when all passed, `entry` (None: not registered) held at `height`, `time`."""

    findings: tuple[Finding, ...]
    caveats: tuple[Caveat, ...] = ()
    entry: DeskEntry | None = None
    height: int = 0
    time: datetime | None = None

    @property
    def status(self) -> Status:
        """Worst status of the findings."""
        return worst(item.status for item in self.findings)


def parse_desk_answer(data: bytes) -> DeskAnswer:
    """Read an answer strictly; MalformedError."""
    value = decode(data, what="desk answer", limit=MAX_PART)
    item = members(value, {"v", *STANDING_MEMBERS, "origin", "entry", "proof"})
    origin, entry = item["origin"], item["entry"]
    if item["v"] != VERSION or not isinstance(origin, str):
        raise MalformedError("malformed.court_block", reason="version")
    return DeskAnswer(
        origin=check_origin(origin),
        entry=None if entry is None else DESK_ENTRY.decode(from_base64(entry)),
        proof=decode_map_proof(from_base64(item["proof"])),
        standing=read_standing(item),
    )


def verify_desk_answer(
    answer: DeskAnswer, *, origin: str, trust: NetworkTrust | None, token: TokenCheck, now: datetime
) -> DeskVerdict:
    """Judge an answer to the question `origin`; nothing here raises on what it reads. Arguments as `verify_lookup`."""
    findings = judge_standing(answer.standing, trust=trust, token=token, now=now)
    caveats = demo_caveats(answer.standing.chain_id)
    if carries(findings):
        findings.append(_entry(answer, origin))
    verdict = DeskVerdict(findings=tuple(findings), caveats=caveats)
    if verdict.status is not Status.PASSED:
        return verdict
    return DeskVerdict(
        findings=verdict.findings,
        caveats=caveats,
        entry=answer.entry,
        height=answer.standing.height,
        time=answer.standing.time,
    )


def _entry(answer: DeskAnswer, origin: str) -> Finding:
    standing, entry = answer.standing, answer.entry
    if answer.origin != origin:
        return finding("court.desk", Status.FAILED, "wrong", origin=origin)
    try:
        check_desk(standing.roots, origin, entry, answer.proof)
    except IntegrityError:
        return finding("court.desk", Status.FAILED, "wrong", origin=origin)
    if entry is None:
        time = format_moment(standing.time)
        return finding(
            "court.desk", Status.PASSED, "absent", origin=origin, height=standing.height, time=time
        )
    return finding(
        "court.desk", Status.PASSED, "registered", origin=origin, height=standing.height, size=entry.size
    )
