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
from evidence_desk.court.protocol.block import LightBlock, check_chain_id
from evidence_desk.court.protocol.history import DEMO_PREFIX, NetworkTrust, walk
from evidence_desk.court.protocol.light import MAX_CLOCK_DRIFT
from evidence_desk.court.protocol.light_block import (
    from_base64,
    items,
    light_block_json,
    members,
    number,
    read_light_block,
    to_base64,
)
from evidence_desk.court.protocol.map_proof import MapProof, decode_map_proof
from evidence_desk.court.protocol.part import (
    MAX_HISTORY,
    MAX_PART,
    TimedBlock,
    read_roots,
    read_timed,
    roots_json,
    timed_json,
)
from evidence_desk.court.protocol.state import APP_VERSION, MAX_ENTRIES, LookupEntry, StateRoots, check_lookup
from evidence_desk.court.protocol.tokens import judge_tokens
from evidence_desk.court.protocol.verdict import TokenCheck, finding, refusal
from evidence_desk.errors import IntegrityError, MalformedError

VERSION: Final = "lookup/1"
MAX_AGE: Final = timedelta(minutes=20)
"""Two intervals of idle blocks."""
_MAX_KEY: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupAnswer:
    """All occurrences under a key (none: absent) as of `block`, header H+1 of the state after H.

    Attributes:
        history: blocks after which the validators changed, from the trust root on, with their tokens.
    """

    chain_id: str
    key: bytes
    entries: tuple[LookupEntry, ...]
    proof: MapProof
    roots: StateRoots
    block: LightBlock
    history: tuple[TimedBlock, ...] = ()

    def encode(self) -> bytes:
        """Canonical JSON."""
        return encode(
            {
                "v": VERSION,
                "chain_id": self.chain_id,
                "key": to_base64(self.key),
                "entries": [[to_base64(entry.leaf_hash), entry.height] for entry in self.entries],
                "proof": to_base64(self.proof.encode()),
                "roots": roots_json(self.roots),
                "block": light_block_json(self.block),
                "history": [timed_json(step) for step in self.history],
            }
        )


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


def parse_lookup_answer(data: bytes) -> LookupAnswer:
    """Read an answer strictly; MalformedError."""
    value: JSON = decode(data, what="look-up answer", limit=MAX_PART)
    names = {"v", "chain_id", "key", "entries", "proof", "roots", "block", "history"}
    item = members(value, names)
    chain_id, key = item["chain_id"], from_base64(item["key"])
    if item["v"] != VERSION or not isinstance(chain_id, str) or not 1 <= len(key) <= _MAX_KEY:
        raise MalformedError("malformed.court_block", reason="version")
    return LookupAnswer(
        chain_id=check_chain_id(chain_id),
        key=key,
        entries=tuple(_read_entry(entry) for entry in items(item["entries"], MAX_ENTRIES)),
        proof=decode_map_proof(from_base64(item["proof"])),
        roots=read_roots(item["roots"]),
        block=read_light_block(item["block"]),
        history=tuple(read_timed(step) for step in items(item["history"], MAX_HISTORY)),
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
    chain = answer.chain_id
    demo = (Caveat(code="demo.chain", parameters={"chain": chain}),) if chain.startswith(DEMO_PREFIX) else ()
    if trust is None:
        unknown = finding("court.chain", Status.UNDETERMINED, "no_trust", chain=chain)
        return LookupVerdict(findings=(unknown,), caveats=demo)
    header = answer.block.header
    findings = [_header(answer, trust, now)]
    if answer.history:
        findings.append(judge_tokens(trust, answer.history, token))
    findings.append(_answered(answer, key, now, max_age))
    verdict = LookupVerdict(findings=tuple(findings), caveats=demo)
    if verdict.status is not Status.PASSED:
        return verdict
    return LookupVerdict(
        findings=verdict.findings,
        caveats=demo,
        entries=answer.entries,
        height=header.height - 1,
        time=header.time.moment(),
    )


def _header(answer: LookupAnswer, trust: NetworkTrust, now: datetime) -> Finding:
    """The header is signed by validators who lead back to the trust root."""
    header = answer.block.header
    if len({answer.chain_id, trust.chain_id, header.chain_id}) != 1:
        return finding("court.chain", Status.FAILED, "other", chain=trust.chain_id)
    try:
        walked = walk(trust, [step.block for step in answer.history], [answer.block])
    except IntegrityError as error:
        unreached = error.code == "court.trust_unreached"
        return refusal("court.header", Status.UNDETERMINED if unreached else Status.FAILED, error)
    moment = header.time.moment()
    if moment > now + MAX_CLOCK_DRIFT:
        return finding("court.header", Status.UNDETERMINED, "future", time=format_moment(moment))
    return finding(
        "court.header", Status.PASSED, "right", height=header.height,
        signed=len(walked.signers[header.height].signed), validators=len(answer.block.validators.validators),
        changes=len(answer.history), start=walked.start,
    )  # fmt: skip


def _answered(answer: LookupAnswer, key: bytes, now: datetime, max_age: timedelta) -> Finding:
    """The state under the header holds exactly these occurrences."""
    header, count = answer.block.header, len(answer.entries)
    moment, height = header.time.moment(), header.height - 1
    if header.app_version != APP_VERSION:
        return finding("court.rules", Status.UNDETERMINED, "unknown", version=header.app_version)
    if answer.roots.app_hash != header.app_hash:
        return finding("court.state", Status.FAILED, "wrong", height=header.height)
    if answer.key != key:
        return finding("court.lookup", Status.FAILED, "other", height=height)
    try:
        check_lookup(answer.roots, key, answer.entries, answer.proof)
    except IntegrityError:
        return finding("court.lookup", Status.FAILED, "wrong", height=height)
    time = format_moment(moment)
    if count:
        return finding("court.lookup", Status.PASSED, "present", height=height, time=time, count=count)
    if now - moment > max_age:
        return finding("court.lookup", Status.UNDETERMINED, "stale", height=height, time=time)
    return finding("court.lookup", Status.PASSED, "absent", height=height, time=time)


def _read_entry(value: JSON) -> LookupEntry:
    parts = items(value, 2)
    if len(parts) != 2:
        raise MalformedError("malformed.court_block", reason="entry")
    return LookupEntry(leaf_hash=from_base64(parts[0]), height=number(parts[1]))
