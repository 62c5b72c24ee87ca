"""Judge the one header that an answer of a gateway stands under: chain, signatures, history, tokens over its changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from evidence_desk.core.canonical import JSON
from evidence_desk.core.moment import format_moment
from evidence_desk.core.verdict import Caveat, Finding, Status
from evidence_desk.court.protocol.block import LightBlock, check_chain_id
from evidence_desk.court.protocol.history import DEMO_PREFIX, NetworkTrust, walk
from evidence_desk.court.protocol.light import MAX_CLOCK_DRIFT
from evidence_desk.court.protocol.light_block import items, light_block_json, read_light_block
from evidence_desk.court.protocol.part import (
    MAX_HISTORY,
    TimedBlock,
    read_roots,
    read_timed,
    roots_json,
    timed_json,
)
from evidence_desk.court.protocol.state import APP_VERSION, StateRoots
from evidence_desk.court.protocol.tokens import judge_tokens
from evidence_desk.court.protocol.verdict import TokenCheck, finding, refusal
from evidence_desk.errors import IntegrityError, MalformedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The state an answer is about: `block` is header H+1, `roots` the sub-roots after block H.

    Attributes:
        history: blocks after which the validators changed, from the trust root on, with their tokens.
    """

    chain_id: str
    roots: StateRoots
    block: LightBlock
    history: tuple[TimedBlock, ...] = ()

    @property
    def height(self) -> int:
        """H."""
        return self.block.header.height - 1

    @property
    def time(self) -> datetime:
        """Time of header H+1."""
        return self.block.header.time.moment()

    def to_json(self) -> dict[str, JSON]:
        """Members `chain_id`, `roots`, `block` and `history` of an answer."""
        return {
            "chain_id": self.chain_id,
            "roots": roots_json(self.roots),
            "block": light_block_json(self.block),
            "history": [timed_json(step) for step in self.history],
        }


STANDING_MEMBERS: Final = frozenset({"chain_id", "roots", "block", "history"})


def read_standing(item: dict[str, JSON]) -> Standing:
    """From the members of an answer; MalformedError."""
    chain_id = item["chain_id"]
    if not isinstance(chain_id, str):
        raise MalformedError("malformed.court_block", reason="chain")
    return Standing(
        chain_id=check_chain_id(chain_id),
        roots=read_roots(item["roots"]),
        block=read_light_block(item["block"]),
        history=tuple(read_timed(step) for step in items(item["history"], MAX_HISTORY)),
    )


def demo_caveats(chain_id: str) -> tuple[Caveat, ...]:
    """The mark of a demonstration network."""
    if chain_id.startswith(DEMO_PREFIX):
        return (Caveat(code="demo.chain", parameters={"chain": chain_id}),)
    return ()


def judge_standing(
    standing: Standing, *, trust: NetworkTrust | None, token: TokenCheck, now: datetime
) -> list[Finding]:
    """Findings on header, tokens, rules and sub-roots; all passed: what the roots prove is the network's word.

    Args:
        standing: as parsed.
        trust: the network of that chain ID in the verifier's trust root, None when it has none.
        token: judge of the tokens over changes of the validator set.
        now: moment of judgment, UTC.
    """
    if trust is None:
        return [finding("court.chain", Status.UNDETERMINED, "no_trust", chain=standing.chain_id)]
    findings = [_header(standing, trust, now)]
    if findings[0].code != _RIGHT:
        return findings
    blocks = (*standing.history, TimedBlock(block=standing.block))
    findings.append(judge_tokens(trust, blocks, token, now))
    header = standing.block.header
    if header.app_version != APP_VERSION:
        findings.append(finding("court.rules", Status.UNDETERMINED, "unknown", version=header.app_version))
    elif standing.roots.app_hash != header.app_hash:
        findings.append(finding("court.state", Status.FAILED, "wrong", height=header.height))
    return findings


def carries(findings: list[Finding]) -> bool:
    """Whether anything may be proven under a standing with these findings: sound header, known rules, right roots."""
    return findings[0].code == _RIGHT and findings[-1].check not in {"court.rules", "court.state"}


_RIGHT: Final = "court.header.right"


def _header(standing: Standing, trust: NetworkTrust, now: datetime) -> Finding:
    """The header is signed by validators who lead back to the trust root."""
    header = standing.block.header
    if len({standing.chain_id, trust.chain_id, header.chain_id}) != 1:
        return finding("court.chain", Status.FAILED, "other", chain=trust.chain_id)
    try:
        walked = walk(trust, [step.block for step in standing.history], [standing.block])
    except IntegrityError as error:
        unreached = error.code == "court.trust_unreached"
        return refusal("court.header", Status.UNDETERMINED if unreached else Status.FAILED, error)
    moment = header.time.moment()
    if moment > now + MAX_CLOCK_DRIFT:
        return finding("court.header", Status.UNDETERMINED, "future", time=format_moment(moment))
    return finding(
        "court.header", Status.PASSED, "right", height=header.height,
        signed=len(walked.signers[header.height].signed), validators=len(standing.block.validators.validators),
        changes=len(standing.history), start=walked.start,
    )  # fmt: skip
