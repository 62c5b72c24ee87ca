"""Answers to people who look something up: by digest (``search/1``), by evidence number (``numbers/1``), by leaf (``leaf/1``).

Each found leaf comes with its whole proof, so that the asker believes the validators and not the gateway.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.core.checkpoint import parse_checkpoint
from evidence_desk.core.digests import DIGEST_SIZE
from evidence_desk.core.evidence_number import Prefix, format_number
from evidence_desk.core.leaf import MAX_LEAF, Leaf, parse_leaf
from evidence_desk.core.merkle import MAX_PROOF, leaf_hash, root_from_inclusion
from evidence_desk.core.note import check_note
from evidence_desk.core.verdict import Caveat, Finding, Status, worst
from evidence_desk.court.protocol.header import (
    STANDING_MEMBERS,
    Standing,
    demo_caveats,
    judge_standing,
    read_standing,
)
from evidence_desk.court.protocol.history import NetworkTrust
from evidence_desk.court.protocol.light_block import from_base64, items, members, number, to_base64
from evidence_desk.court.protocol.lookup import (
    ANSWER_MEMBERS,
    LookupAnswer,
    LookupVerdict,
    judge_entries,
    read_lookup,
)
from evidence_desk.court.protocol.part import CourtPart, read_court_part
from evidence_desk.court.protocol.state import LookupKind, lookup_key
from evidence_desk.court.protocol.verdict import CourtVerdict, TokenCheck, finding
from evidence_desk.court.protocol.verify import verify_court
from evidence_desk.errors import IntegrityError, MalformedError

SEARCH: Final = "search/1"
NUMBERS: Final = "numbers/1"
LEAF: Final = "leaf/1"
MAX_FOUND: Final = 20
"""Leaves shown in one answer: half of them the oldest, which say since when a digest is known, half the newest."""
MAX_ANSWER: Final = 32 * 1024 * 1024
KINDS: Final = (
    LookupKind.OBJECT_SHA256,
    LookupKind.OBJECT_SM3,
    LookupKind.OBJECT_BLINDED,
    LookupKind.CERTIFICATE_SHA256,
    LookupKind.CERTIFICATE_SM3,
)
"""What a digest that somebody types may be of, in the order of the answers."""
_MAX_NOTE: Final = 8 * 1024
_MAX_NUMBER: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundLeaf:
    """A leaf with its place in the desk's log, the desk's checkpoint over it and the network's word about that."""

    leaf: bytes
    seq: int
    path: tuple[bytes, ...]
    note: bytes
    court: CourtPart

    def to_json(self) -> dict[str, JSON]:
        """JSON of the leaf."""
        return {
            "leaf": to_base64(self.leaf),
            "seq": self.seq,
            "path": [to_base64(node) for node in self.path],
            "note": to_base64(self.note),
            "court": self.court.to_json(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundVerdict:
    """What a found leaf is worth: `findings` on leaf and log, and the court's verdict (None when not reached)."""

    leaf_hash: bytes
    findings: tuple[Finding, ...]
    leaf: Leaf | None = None
    court: CourtVerdict | None = None

    @property
    def status(self) -> Status:
        """Worst status of all findings."""
        return worst(item.status for item in (*self.findings, *(self.court.findings if self.court else ())))

    @property
    def counts(self) -> bool:
        """Whether the leaf counts: one whose own proof fails says nothing, neither for nor against the others."""
        return self.status is not Status.FAILED


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchAnswer:
    """All occurrences of a digest by kind, and the oldest and newest leaves among them, oldest first."""

    digest: bytes
    lookups: tuple[LookupAnswer, ...]
    found: tuple[FoundLeaf, ...]
    standing: Standing

    def encode(self) -> bytes:
        """Canonical JSON."""
        return encode(
            {
                "v": SEARCH,
                **self.standing.to_json(),
                "digest": to_base64(self.digest),
                "answers": [item.answer_json() for item in self.lookups],
                "found": [item.to_json() for item in self.found],
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchVerdict:
    """What an answer is worth: a verdict a kind, a verdict a found leaf.

    Anybody may register a leaf with a digest seen on chain, so a found leaf that fails refutes nothing but itself.
    """

    lookups: tuple[LookupVerdict, ...]
    found: tuple[FoundVerdict, ...]
    caveats: tuple[Caveat, ...] = ()

    @property
    def status(self) -> Status:
        """Worst status of the look-ups: whether presence or absence is proven at all."""
        return worst(item.status for item in self.lookups)

    @property
    def present(self) -> bool:
        """Whether presence of the digest is proven, of any kind."""
        return any(item.entries for item in self.lookups)

    @property
    def heights(self) -> Mapping[bytes, int]:
        """Proven leaves that name the digest, with their heights; `found` may show fewer."""
        return {entry.leaf_hash: entry.height for item in self.lookups for entry in item.entries or ()}


def parse_search_answer(data: bytes) -> SearchAnswer:
    """Read an answer strictly; MalformedError."""
    value = decode(data, what="search answer", limit=MAX_ANSWER)
    item = members(value, {"v", *STANDING_MEMBERS, "digest", "answers", "found"})
    digest = from_base64(item["digest"])
    if item["v"] != SEARCH or len(digest) != DIGEST_SIZE:
        raise MalformedError("malformed.court_block", reason="version")
    standing = read_standing(item)
    answers = items(item["answers"], len(KINDS))
    return SearchAnswer(
        digest=digest,
        lookups=tuple(read_lookup(members(answer, set(ANSWER_MEMBERS)), standing) for answer in answers),
        found=_read_found(item["found"]),
        standing=standing,
    )


def encode_numbers(number_text: str, found: tuple[FoundLeaf, ...]) -> bytes:
    """Canonical JSON of ``numbers/1``."""
    return encode({"v": NUMBERS, "number": number_text, "found": [item.to_json() for item in found]})


def parse_numbers(data: bytes) -> tuple[str, tuple[FoundLeaf, ...]]:
    """Read ``numbers/1`` strictly; MalformedError."""
    item = members(decode(data, what="number answer", limit=MAX_ANSWER), {"v", "number", "found"})
    text = item["number"]
    if item["v"] != NUMBERS or not isinstance(text, str) or len(text) > _MAX_NUMBER:
        raise MalformedError("malformed.court_block", reason="version")
    return text, _read_found(item["found"])


def encode_leaf_answer(found: FoundLeaf) -> bytes:
    """Canonical JSON of ``leaf/1``."""
    return encode({"v": LEAF, "found": found.to_json()})


def parse_leaf_answer(data: bytes) -> FoundLeaf:
    """Read ``leaf/1`` strictly; MalformedError."""
    item = members(decode(data, what="leaf answer", limit=MAX_ANSWER), {"v", "found"})
    if item["v"] != LEAF:
        raise MalformedError("malformed.court_block", reason="version")
    return _read_one(item["found"])


def verify_search(
    answer: SearchAnswer, *, digest: bytes, trust: NetworkTrust | None, token: TokenCheck, now: datetime
) -> SearchVerdict:
    """Judge an answer to the question `digest`; nothing here raises on what it reads. Arguments as `verify_lookup`.

    A kind that is not answered, answered twice or out of order fails: leaving out the one that is present would look
    like absence.
    """
    findings = judge_standing(answer.standing, trust=trust, token=token, now=now)
    lookups = [
        judge_entries(item, findings, key=lookup_key(kind, digest), now=now)
        for kind, item in zip(KINDS, answer.lookups, strict=False)
    ]
    for wrong, reason in (
        (len(answer.lookups) != len(KINDS), "incomplete"),
        (answer.digest != digest, "other"),
    ):
        if wrong:
            failed = finding("court.lookup", Status.FAILED, reason, height=answer.standing.height)
            lookups.append(LookupVerdict(findings=(failed,)))
    known = {entry.leaf_hash for item in lookups for entry in item.entries or ()}
    found = [
        verify_found(item, trust=trust, token=token, now=now)
        for item in answer.found
        if leaf_hash(item.leaf) in known
    ]
    return SearchVerdict(
        lookups=tuple(lookups), found=tuple(found), caveats=demo_caveats(answer.standing.chain_id)
    )


def verify_found(
    item: FoundLeaf, *, trust: NetworkTrust | None, token: TokenCheck, now: datetime
) -> FoundVerdict:
    """Judge one found leaf: leaf, path, the desk's note and the network's word. Nothing here raises on what it reads."""
    digest = leaf_hash(item.leaf)
    try:
        leaf = parse_leaf(item.leaf)
        checkpoint, note = parse_checkpoint(item.note)
        root = root_from_inclusion(index=item.seq, size=checkpoint.size, digest=digest, path=item.path)
    except MalformedError as error:
        wrong = finding("court.leaf", Status.FAILED, "malformed", error=error.code)
        return FoundVerdict(leaf_hash=digest, findings=(wrong,))
    if (leaf.log, leaf.seq) != (checkpoint.origin, item.seq) or root != checkpoint.root:
        wrong = finding("court.leaf", Status.FAILED, "wrong", seq=item.seq)
        return FoundVerdict(leaf_hash=digest, findings=(wrong,))
    verdict = verify_court(
        item.court, trust=trust, checkpoint=checkpoint, leaf_hash=digest, token=token, now=now
    )
    findings = [finding("court.leaf", Status.PASSED, "right", seq=item.seq, size=checkpoint.size)]
    if verdict.desk_keys is not None:
        try:
            outcome = check_note(note, verdict.desk_keys)
            signed = outcome.ed25519 is True and outcome.sm2 is True
        except IntegrityError:
            signed = False
        if not signed:
            findings.append(finding("court.note", Status.FAILED, "wrong", origin=checkpoint.origin))
    return FoundVerdict(leaf_hash=digest, findings=tuple(findings), leaf=leaf, court=verdict)


def has_number(found: FoundLeaf, number_text: str) -> bool:
    """Whether an evidence number is that of the leaf: an address, so several leaves may have it."""
    return format_number(Prefix.EVIDENCE, leaf_hash(found.leaf)) == number_text


def _read_found(value: JSON) -> tuple[FoundLeaf, ...]:
    return tuple(_read_one(item) for item in items(value, MAX_FOUND))


def _read_one(value: JSON) -> FoundLeaf:
    item = members(value, {"leaf", "seq", "path", "note", "court"})
    leaf, note = from_base64(item["leaf"]), from_base64(item["note"])
    if len(leaf) > MAX_LEAF or len(note) > _MAX_NOTE:
        raise MalformedError("malformed.court_block", reason="found")
    return FoundLeaf(
        leaf=leaf,
        seq=number(item["seq"]),
        path=tuple(from_base64(node) for node in items(item["path"], MAX_PROOF)),
        note=note,
        court=read_court_part(item["court"]),
    )
