"""The court part of a proof under the networks of a trust root: who vouches, and what it establishes for the rest."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Final

from evidence_desk.core.canonical import JSON
from evidence_desk.core.checkpoint import Checkpoint
from evidence_desk.core.moment import format_moment
from evidence_desk.core.trust import Trust
from evidence_desk.core.verdict import Caveat, Dimension, Finding, Status, Vouches, unique_caveats
from evidence_desk.court.protocol.history import NetworkTrust
from evidence_desk.court.protocol.network_file import parse_network
from evidence_desk.court.protocol.part import CourtPart, read_court_part
from evidence_desk.court.protocol.verdict import CourtVerdict, TokenTime
from evidence_desk.court.protocol.verify import verify_court
from evidence_desk.crypto import oids
from evidence_desk.errors import MalformedError
from evidence_desk.verify.checkpoint import KnownKeys
from evidence_desk.verify.time_proof import token_trust
from tsa.policy import TokenTrust
from tsa.verify import TokenVerdict, verify_token

_WHOSE: Final = frozenset({"token.chain", "token.revocation", "token.policy", "token.time"})
"""Checks of a token that ask whom to believe; the others ask whether it is a token over these bytes at all."""

_NAMED: Final = 20
"""Institutions that a finding names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CourtJudgment:
    """What a proof shows of the court network.

    Attributes:
        part: as parsed, unverified; None when the proof has none that can be read.
        verdict: None when there was nothing to judge.
    """

    findings: tuple[Finding, ...]
    caveats: tuple[Caveat, ...] = ()
    part: CourtPart | None = None
    verdict: CourtVerdict | None = None

    @property
    def anchored_at(self) -> datetime | None:
        """Time of header H+1; None unless it is shown that the network accepted the proof's checkpoint."""
        return None if self.verdict is None else self.verdict.anchored_at

    def keys(self, trust: Trust, origin: str) -> KnownKeys:
        """Keys of the log `origin`, from the trust root and from the proven registry."""
        given, former = trust.desks.get(origin), trust.former.get(origin, ())
        verdict = self.verdict
        if verdict is None or verdict.desk_keys is None or verdict.desk_keys.name != origin or self._suspect:
            return KnownKeys(given=given, former=former)
        entry = verdict.desk
        return KnownKeys(
            given=given,
            registered=verdict.desk_keys,
            rotated=entry is not None and entry.keys_since > entry.registered,
            former=former,
        )

    @property
    def _suspect(self) -> bool:
        """Whether the network doubts the desk's keys for the time of the checkpoint."""
        return any(item.check == "court.desk" and item.status is not Status.PASSED for item in self.findings)


NOT_ANCHORED: Final = CourtJudgment(
    findings=(
        Finding(
            dimension=Dimension.COURT, check="court.anchor", status=Status.UNDETERMINED,
            code="court.anchor.missing", who_vouches=Vouches.NOBODY,
        ),
    )
)  # fmt: skip
"""未上链."""


@dataclass(slots=True)
class HeaderTokens:
    """`court.protocol.verdict.TokenCheck` under the timestamp authorities of a trust root.

    What is no token over the header fails; a token of an authority that is not (or no longer) trusted is undetermined:
    gateways may serve tokens of other authorities than the desk's.

    Attributes:
        caveats: of the tokens that passed.
    """

    trust: TokenTrust
    now: datetime
    caveats: list[Caveat] = field(default_factory=list)

    def __call__(self, token: bytes, imprint: bytes) -> TokenTime:
        """Judge a DER ContentInfo over the SHA-256 `imprint`."""
        verdict = verify_token(token, hash_oid=oids.SHA256, imprint=imprint, trust=self.trust, now=self.now)
        status = _status(verdict)
        if status is Status.PASSED:
            self.caveats += [item for item in verdict.caveats if item.code == "demo.authority"]
        return TokenTime(status=status, gen_time=None if verdict.facts is None else verdict.facts.gen_time)


def _status(verdict: TokenVerdict) -> Status:
    if verdict.status is not Status.FAILED:
        return verdict.status
    broken = any(item.status is Status.FAILED and item.check not in _WHOSE for item in verdict.findings)
    return Status.FAILED if broken else Status.UNDETERMINED


def judge_court(
    value: JSON, *, checkpoint: Checkpoint | None, leaf_hash: bytes, trust: Trust, now: datetime
) -> CourtJudgment:
    """Judge the court part of a proof; never raises on what it reads.

    Args:
        value: the member ``court`` of the proof.
        checkpoint: of the proof; None when it cannot be read, which its own finding says.
        leaf_hash: of the exhibit's leaf.
        trust: roots, its networks as `check_networks` accepts them.
        now: moment of judgment (UTC).
    """
    if value is None:
        return NOT_ANCHORED
    try:
        part = read_court_part(value)
    except MalformedError as error:
        return _refused("form", reason=str(error.parameters.get("reason", error.code)))
    if checkpoint is None:
        return _refused("checkpoint")
    data = trust.networks.get(part.chain_id)
    tokens = HeaderTokens(token_trust(trust), now)
    verdict = verify_court(
        part,
        trust=None if data is None else read_network(data),
        checkpoint=checkpoint,
        leaf_hash=leaf_hash,
        token=tokens,
        now=now,
    )
    return CourtJudgment(
        findings=(*_anchoring(verdict), *verdict.findings),
        caveats=unique_caveats((*verdict.caveats, *tokens.caveats)),
        part=part,
        verdict=verdict,
    )


def _anchoring(verdict: CourtVerdict) -> tuple[Finding, ...]:
    """What the steps come to, for the reader: since when the network has the checkpoint, and who signed."""
    if verdict.anchored_at is None:
        return ()
    names = [item.institution or item.address.hex() for item in verdict.signers if item.signed]
    more = len(names) - _NAMED
    told = "; ".join(names[:_NAMED]) + (f" … (+{more})" if more > 0 else "")
    finding = Finding(
        dimension=Dimension.COURT, check="court.anchor", status=Status.PASSED, code="court.anchor.right",
        parameters={
            "chain": verdict.chain_id, "height": verdict.height, "following": verdict.height + 1,
            "time": format_moment(verdict.anchored_at), "institutions": told,
        },
        who_vouches=Vouches.COURT_NETWORK,
    )  # fmt: skip
    return (finding,)


def _refused(code: str, /, **parameters: str) -> CourtJudgment:
    finding = Finding(
        dimension=Dimension.COURT, check="court.part", status=Status.FAILED, code=f"court.part.{code}",
        parameters=parameters,
    )  # fmt: skip
    return CourtJudgment(findings=(finding,))


def check_networks(trust: Trust) -> Trust:
    """Return `trust` when each of its networks can be read and is of the chain that it is named for.

    Raises:
        MalformedError: ``malformed.trust``, ``malformed.court_trust``, ``malformed.court_block`` or ``malformed.json``.
    """
    for chain_id, data in trust.networks.items():
        if read_network(data).chain_id != chain_id:
            raise MalformedError("malformed.trust", reason="chain_id")
    return trust


@lru_cache(maxsize=8)
def read_network(data: bytes) -> NetworkTrust:
    """`parse_network`, remembered: the exhibits of one certificate ask for the same network.

    Raises:
        MalformedError: see `parse_network`.
    """
    return parse_network(data)
