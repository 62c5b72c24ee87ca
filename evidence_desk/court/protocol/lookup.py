"""Answers to "does the network know this digest?", with proof of presence or absence as of a header.

Presence means that a desk knew the digest: neither possession nor priority. Absence says nothing about what came on
chain after the header, so a header that is not fresh leaves it undetermined.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from evidence_desk.core.canonical import JSON, decode, encode
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
from evidence_desk.court.protocol.light_block import from_base64, items, members, number, to_base64
from evidence_desk.court.protocol.map_proof import MapProof, decode_map_proof
from evidence_desk.court.protocol.part import MAX_PART
from evidence_desk.court.protocol.state import MAX_ENTRIES, LookupEntry, check_lookup
from evidence_desk.court.protocol.verdict import TokenCheck, finding
from evidence_desk.errors import IntegrityError, MalformedError

VERSION: Final = "lookup/1"
MAX_AGE: Final = timedelta(minutes=20)
"""Two intervals of idle blocks."""
_MAX_KEY: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupAnswer:
    """All occurrences under a key (none: absent) in the state `standing`."""

    key: bytes
    entries: tuple[LookupEntry, ...]
    proof: MapProof
    standing: Standing

    def encode(self) -> bytes:
        """Canonical JSON."""
        return encode({"v": VERSION, **self.standing.to_json(), **self.answer_json()})

    def answer_json(self) -> dict[str, JSON]:
        """Members `key`, `entries` and `proof`."""
        return {
            "key": to_base64(self.key),
            "entries": [[to_base64(entry.leaf_hash), entry.height] for entry in self.entries],
            "proof": to_base64(self.proof.encode()),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupVerdict:
    """What an answer is worth.

    Attributes:
        entries: proven occurrences; None unless the answer is sound. An empty tuple is proven absence.
        height: H, as of which; `time` of header H+1.
    """

    findings: tuple[Finding, ...]
    caveats: tuple[Caveat, ...] = ()
    entries: tuple[LookupEntry, ...] | None = None
    height: int = 0
    time: datetime | None = None

    @property
    def status(self) -> Status:
        """Worst status of the findings."""
        return worst(item.status for item in self.findings)


ANSWER_MEMBERS: Final = frozenset({"key", "entries", "proof"})


def parse_lookup_answer(data: bytes) -> LookupAnswer:
    """Read an answer strictly; MalformedError."""
    item = members(
        decode(data, what="look-up answer", limit=MAX_PART), {"v", *STANDING_MEMBERS, *ANSWER_MEMBERS}
    )
    if item["v"] != VERSION:
        raise MalformedError("malformed.court_block", reason="version")
    return read_lookup(item, read_standing(item))


def read_lookup(item: dict[str, JSON], standing: Standing) -> LookupAnswer:
    """Answer from its members; MalformedError."""
    key = from_base64(item["key"])
    if not 1 <= len(key) <= _MAX_KEY:
        raise MalformedError("malformed.court_block", reason="key")
    return LookupAnswer(
        key=key,
        entries=tuple(_read_entry(entry) for entry in items(item["entries"], MAX_ENTRIES)),
        proof=decode_map_proof(from_base64(item["proof"])),
        standing=standing,
    )


def verify_lookup(
    answer: LookupAnswer,
    *,
    key: bytes,
    trust: NetworkTrust | None,
    token: TokenCheck,
    now: datetime,
    max_age: timedelta = MAX_AGE,
) -> LookupVerdict:
    """Judge an answer to the question `key`; nothing here raises on what it reads.

    Args:
        answer: as parsed.
        key: what was asked.
        trust: the network of that chain ID in the verifier's trust root, None when it has none.
        token: judge of the tokens over changes of the validator set.
        now: moment of judgment, UTC.
        max_age: how old a header may be for absence to mean anything.
    """
    findings = judge_standing(answer.standing, trust=trust, token=token, now=now)
    return judge_entries(answer, findings, key=key, now=now, max_age=max_age)


def judge_entries(
    answer: LookupAnswer,
    findings: list[Finding],
    *,
    key: bytes,
    now: datetime,
    max_age: timedelta = MAX_AGE,
) -> LookupVerdict:
    """Judge the entries under a standing with these `findings`; see `verify_lookup`."""
    standing = answer.standing
    if carries(findings):
        findings = [*findings, _answered(answer, key, now, max_age)]
    verdict = LookupVerdict(findings=tuple(findings), caveats=demo_caveats(standing.chain_id))
    if verdict.status is not Status.PASSED:
        return verdict
    return LookupVerdict(
        findings=verdict.findings,
        caveats=verdict.caveats,
        entries=answer.entries,
        height=standing.height,
        time=standing.time,
    )


def _answered(answer: LookupAnswer, key: bytes, now: datetime, max_age: timedelta) -> Finding:
    """The state under the header holds exactly these occurrences."""
    standing, count = answer.standing, len(answer.entries)
    height = standing.height
    if answer.key != key:
        return finding("court.lookup", Status.FAILED, "other", height=height)
    try:
        check_lookup(standing.roots, key, answer.entries, answer.proof)
    except IntegrityError:
        return finding("court.lookup", Status.FAILED, "wrong", height=height)
    time = format_moment(standing.time)
    if count:
        return finding("court.lookup", Status.PASSED, "present", height=height, time=time, count=count)
    if now - standing.time > max_age:
        return finding("court.lookup", Status.UNDETERMINED, "stale", height=height, time=time)
    return finding("court.lookup", Status.PASSED, "absent", height=height, time=time)


def _read_entry(value: JSON) -> LookupEntry:
    parts = items(value, 2)
    if len(parts) != 2:
        raise MalformedError("malformed.court_block", reason="entry")
    return LookupEntry(leaf_hash=from_base64(parts[0]), height=number(parts[1]))
