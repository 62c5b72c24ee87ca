"""Ask gateways and believe only what the light verification lets through; who lied or was silent is noted.

A gateway may withhold or lag behind: what it proves was true at the height it shows, which is told with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeVar

from evidence_desk.core.canonical import JSON, encode
from evidence_desk.core.checkpoint import Checkpoint
from evidence_desk.core.court_ports import CourtGateway
from evidence_desk.core.ports import Clock
from evidence_desk.core.trust import Trust
from evidence_desk.core.verdict import Finding, Parameter, Status
from evidence_desk.court.protocol.anchor import AnchorAnswer, parse_anchor_answer
from evidence_desk.court.protocol.desk_answer import DeskVerdict, parse_desk_answer, verify_desk_answer
from evidence_desk.court.protocol.history import NetworkTrust
from evidence_desk.court.protocol.part import LeafEvents
from evidence_desk.court.protocol.registry import DeskEntry, desk_family
from evidence_desk.court.protocol.state import StateRoots, check_lookup, events_key
from evidence_desk.court.protocol.verdict import TokenCheck, finding
from evidence_desk.court.protocol.verify import verify_court
from evidence_desk.errors import EvidenceDeskError, IntegrityError, MalformedError, RemoteError
from evidence_desk.verify.court import HeaderTokens
from evidence_desk.verify.time_proof import token_trust

ENOUGH: Final = 2
"""Verified answers to compare; more gateways are asked only when some fail."""
LAGGING: Final = (0.2, 0.4, 0.8, 1.6)
"""Seconds between questions while every gateway lags behind what is known already."""
_TOLERATED: Final = frozenset({"court.desk.suspect", "court.events.revoked"})
"""Doubts of the network about a desk or a leaf: they belong into the proof."""
_NOT_THERE: Final = "gateway.not_found"
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayFault:
    """Why an answer of a gateway was not used; `lied`: it answered, and the answer does not hold."""

    gateway: str
    code: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    lied: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Court:
    """A network as a desk or a reader sees it.

    Attributes:
        trust: what its blocks are verified from.
        roots: whose tokens over its headers are believed.
        gateways: asked in order.
    """

    trust: NetworkTrust
    roots: Trust
    gateways: tuple[CourtGateway, ...]
    clock: Clock

    @property
    def chain_id(self) -> str:
        """Name of the chain."""
        return self.trust.chain_id

    def tokens(self) -> TokenCheck:
        """Judge of RFC 3161 tokens over headers."""
        return HeaderTokens(token_trust(self.roots), self.clock.now())


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskState:
    """What the network holds of a log, proven as of `height`; `entry` None: not registered."""

    entry: DeskEntry | None
    height: int
    time: datetime
    answer: bytes
    gateway: str


def log_path(origin: str) -> str:
    """Three path segments of an origin."""
    return f"/v1/logs/{origin}"


def ask_desk(court: Court, origin: str, faults: list[GatewayFault], *, enough: int = ENOUGH) -> DeskState:
    """Newest proven entry of a log among the answers of at most `enough` honest gateways.

    Raises:
        RemoteError: ``network.unverified`` when no gateway gave an answer that holds.
    """
    states = ask_all(court, lambda gateway: _desk(court, gateway, origin), faults, enough=enough)
    if not states:
        raise unverified(court, faults)
    return max(states, key=lambda item: item.height)


def ask_all(
    court: Court, question: Callable[[CourtGateway], _T], faults: list[GatewayFault], *, enough: int
) -> list[_T]:
    """Answers of the first `enough` gateways whose answers hold; the others are noted."""
    found: list[_T] = []
    for gateway in court.gateways:
        if len(found) == enough:
            break
        try:
            found.append(question(gateway))
        except EvidenceDeskError as error:
            faults.append(fault_of(gateway, error))
    return found


def fault_of(gateway: CourtGateway, error: EvidenceDeskError) -> GatewayFault:
    """Note of an error that a gateway caused."""
    return GatewayFault(
        gateway=gateway.url,
        code=error.code,
        parameters=error.parameters,
        lied=not isinstance(error, RemoteError),
    )


def unverified(court: Court, faults: Sequence[GatewayFault]) -> RemoteError:
    """No gateway gave an answer that holds."""
    if not court.gateways:
        return RemoteError("network.no_gateways", chain=court.chain_id)
    told = "; ".join(f"{item.gateway}: {item.code}" for item in faults[-4:])
    return RemoteError("network.unverified", chain=court.chain_id, gateways=told or "-")


def refuse(findings: Sequence[Finding]) -> None:
    """Raise what a finding that did not pass says; nothing when all passed.

    Raises:
        IntegrityError: with the finding's code.
    """
    for wanted in (Status.FAILED, Status.UNDETERMINED):
        for item in findings:
            if item.status is wanted:
                raise IntegrityError(item.code, **item.parameters)


def _desk(court: Court, gateway: CourtGateway, origin: str) -> DeskState:
    data = gateway.get(log_path(origin))
    answer = parse_desk_answer(data)
    verdict: DeskVerdict = verify_desk_answer(
        answer, origin=origin, trust=court.trust, token=court.tokens(), now=court.clock.now()
    )
    refuse(verdict.findings)
    return DeskState(
        entry=verdict.entry, height=verdict.height, time=answer.standing.time, answer=data,
        gateway=gateway.url,
    )  # fmt: skip


# --- anchors --------------------------------------------------------------------------------------------------


def ask_anchor(
    court: Court,
    checkpoint: Checkpoint,
    leaves: Sequence[bytes],
    faults: list[GatewayFault],
    *,
    fresh: bool = False,
    least: int = 0,
) -> AnchorAnswer | None:
    """Verified answer about an accepted checkpoint with the events about `leaves`; None when no gateway has it.

    Args:
        court: the network.
        checkpoint: ours.
        leaves: 1–256 leaf hashes.
        faults: what goes wrong is added; that the checkpoint is not there yet is no fault.
        fresh: show the newest state, even when the anchor's own would do.
        least: height that the newest state shown must have reached: a gateway that lags behind is no fault, and no help.
    """
    for gateway in court.gateways:
        try:
            answer = _anchor(court, gateway, checkpoint, leaves, fresh=fresh)
        except EvidenceDeskError as error:
            if error.code != _NOT_THERE:
                faults.append(fault_of(gateway, error))
            continue
        if answer.headers[-1].block.header.height > least:
            return answer
    return None


def ask_newest(
    court: Court,
    checkpoint: Checkpoint,
    leaves: Sequence[bytes],
    faults: list[GatewayFault],
    *,
    least: int,
    pauses: Iterator[float],
    pause: Callable[[float], None],
) -> AnchorAnswer | None:
    """`ask_anchor` with the newest state, waiting while no gateway has reached `least`.

    A gateway may lag behind the one that told of our newest checkpoint: its state lacks the events anchored with it.

    Args:
        court: the network.
        checkpoint: ours.
        leaves: 1–256 leaf hashes.
        faults: what goes wrong is added.
        least: height that the newest state shown must have reached.
        pauses: seconds to wait, used up by all questions of one run: `LAGGING`.
        pause: sleeps so many seconds.
    """
    while True:
        answer = ask_anchor(court, checkpoint, leaves, faults, fresh=True, least=least)
        wait = next(pauses, None) if answer is None else None
        if wait is None:
            return answer
        pause(wait)


def _anchor(
    court: Court, gateway: CourtGateway, checkpoint: Checkpoint, leaves: Sequence[bytes], *, fresh: bool
) -> AnchorAnswer:
    body: JSON = {"leaves": [item.hex() for item in leaves]}
    path = f"/v1/proofs/{checkpoint.origin}/{checkpoint.size}"
    data = gateway.post(f"{path}?fresh=1" if fresh else path, encode(body))
    answer = parse_anchor_answer(data)
    check_anchor(answer, checkpoint, leaves, court)
    return answer


def check_anchor(answer: AnchorAnswer, checkpoint: Checkpoint, leaves: Sequence[bytes], court: Court) -> None:
    """Return when the network accepted `checkpoint` and the events about exactly these leaves are proven.

    Tokens may still be missing (they are asked for afterwards); a wrong one is refused.

    Raises:
        IntegrityError: the first finding that stands against it.
        MalformedError: the answer speaks of other leaves.
    """
    if set(answer.leaves) != set(leaves) or not leaves:
        raise MalformedError("malformed.court_block", reason="leaves")
    token, now = court.tokens(), court.clock.now()
    verdict = verify_court(
        answer.part(leaves[0]), trust=court.trust, checkpoint=checkpoint, leaf_hash=leaves[0], token=token,
        now=now,
    )  # fmt: skip
    refuse([item for item in verdict.findings if not _tolerated(item)])
    # The rest of the part is the same for every leaf: only events are left to be judged.
    roots = answer.part(leaves[0]).newest.roots
    for leaf, events in answer.leaves.items():
        check_events(roots, checkpoint.origin, leaf, events)


def check_events(roots: StateRoots, origin: str, leaf: bytes, events: LeafEvents) -> None:
    """Return when `events` are all events about a leaf; ``court.events.wrong``, ``court.events.other``."""
    try:
        check_lookup(roots, events_key(origin, leaf), [item.entry for item in events.events], events.proof)
        parsed = [item.parsed() for item in events.events]
    except (IntegrityError, MalformedError) as error:
        raise IntegrityError(finding("court.events", Status.FAILED, "wrong").code) from error
    family = desk_family(origin)
    if any(item.ref != leaf or desk_family(item.log) != family for item in parsed):
        raise IntegrityError(finding("court.events", Status.FAILED, "other").code)


def _tolerated(item: Finding) -> bool:
    waiting = item.check == "court.token" and item.status is Status.UNDETERMINED
    return waiting or item.code in _TOLERATED
