"""Join a court network and tell how it stands: gateways, registration, what waits. Only proven answers are believed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from evidence_desk.core.canonical import JSON, decode
from evidence_desk.core.court_ports import CourtGateway
from evidence_desk.core.job import Job
from evidence_desk.core.merkle import TileTree
from evidence_desk.core.rows import ConflictRow, Outbox
from evidence_desk.court.protocol.actions import RegisterDesk
from evidence_desk.court.protocol.history import DEMO_PREFIX
from evidence_desk.court.protocol.lookup import MAX_AGE
from evidence_desk.court.protocol.registry import DeskEntry, DeskKeys, desk_family
from evidence_desk.errors import (
    ConfigurationError,
    EvidenceDeskError,
    MalformedError,
    RemoteError,
    UsageError,
)
from evidence_desk.services.anchor_batches import signed
from evidence_desk.services.court_query import Court, DeskState, GatewayFault, ask_desk, fault_of
from evidence_desk.services.desk import Desk

REGISTRATION_LIFETIME: Final = 100_000
"""Blocks within which institutions may approve a registration."""
APPROVAL_PATIENCE: Final = 60.0
_PAUSE: Final = 0.5
_MAX_ANSWER: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Introduction:
    """What a gateway says of itself, unproven."""

    gateway: str
    chain_id: str
    height: int
    registration: str


@dataclass(slots=True)
class JoinOutcome:
    """How the registration stands: ``registered`` before, ``approved`` now, or ``pending`` with the operators.

    Attributes:
        automatic: the network approves by itself, which only a demonstration does.
        entry: as proven, None while pending.
    """

    chain_id: str
    status: str = "pending"
    automatic: bool = False
    entry: DeskEntry | None = None
    height: int = 0
    succeeds: str = ""
    faults: list[GatewayFault] = field(default_factory=list)

    @property
    def demo(self) -> bool:
        """Whether it is a demonstration network."""
        return self.chain_id.startswith(DEMO_PREFIX)


def introduce(gateway: CourtGateway) -> Introduction:
    """``GET /v1/network``.

    Raises:
        RemoteError: ``gateway.…``.
    """
    try:
        value = decode(gateway.get("/v1/network"), what="network", limit=_MAX_ANSWER)
    except MalformedError as error:
        raise RemoteError("gateway.malformed", gateway=gateway.url, reason=error.code) from error
    item: Mapping[str, JSON] = value if isinstance(value, dict) else {}
    chain_id, height = item.get("chain_id"), item.get("height")
    if item.get("v") != "gateway/1" or not isinstance(chain_id, str) or type(height) is not int:
        raise RemoteError("gateway.malformed", gateway=gateway.url, reason="network")
    return Introduction(
        gateway=gateway.url,
        chain_id=chain_id,
        height=height,
        registration=str(item.get("registration", "")),
    )


def agreed_chain(
    gateways: Sequence[CourtGateway], networks: Mapping[str, bytes], faults: list[GatewayFault]
) -> str:
    """The chain of the trust roots that all gateways which answer speak of.

    Raises:
        UsageError: ``network.no_trust``, ``network.other_chain``, ``network.which``.
        RemoteError: the last fault when no gateway answers.
    """
    if not networks:
        raise UsageError("network.no_trust")
    failure: EvidenceDeskError | None = None
    chains: dict[str, str] = {}
    for gateway in gateways:
        try:
            said = introduce(gateway)
        except RemoteError as error:
            failure = error
            faults.append(fault_of(gateway, error))
            continue
        if said.chain_id not in networks:
            raise UsageError("network.other_chain", gateway=gateway.url, chain=said.chain_id)
        chains[said.chain_id] = gateway.url
    if not chains:
        if failure is not None:
            raise failure
        if len(networks) > 1:
            raise UsageError("network.which", chains=", ".join(sorted(networks)))
        return next(iter(networks))
    if len(chains) > 1:
        raise UsageError("network.which", chains=", ".join(sorted(chains)))
    return next(iter(chains))


def registration(desk: Desk, keys: DeskKeys, *, chain_id: str, height: int, succeeds: str = "") -> bytes:
    """Transaction that asks for registration of our log, signed by its own key."""
    office = desk.origin.split(".")[1]
    payload = RegisterDesk(origin=desk.origin, office=office, keys=keys, succeeds=succeeds)
    return signed(desk, payload, chain_id=chain_id, expires=height + REGISTRATION_LIFETIME).encode()


def register(
    desk: Desk,
    court: Court,
    keys: DeskKeys,
    *,
    earlier: Sequence[str] = (),
    job: Job,
    pause: Callable[[float], None] = time.sleep,
) -> JoinOutcome:
    """See to it that our log is registered; ask for it where it is not.

    Args:
        desk: ours.
        court: the network.
        keys: present keys and digests of the next ones.
        earlier: origins of this desk's logs before, oldest first; a registered one is closed by the same transaction.
        job: progress.
        pause: sleeps so many seconds.

    Raises:
        RemoteError: ``network.unverified``, or why no gateway took the request.
        ConfigurationError: ``anchor.other_keys``: the origin is registered with other keys.
    """
    outcome = JoinOutcome(chain_id=court.chain_id)
    state = ask_desk(court, desk.origin, outcome.faults)
    if state.entry is not None:
        return _registered(outcome, state, desk, "registered")
    outcome.succeeds = _predecessor(desk, court, earlier, outcome.faults)
    data = registration(desk, keys, chain_id=court.chain_id, height=state.height, succeeds=outcome.succeeds)
    outcome.automatic = _request(court, data, outcome.faults)
    waited = 0.0
    while outcome.automatic and waited < APPROVAL_PATIENCE:
        job.step("register", int(waited), int(APPROVAL_PATIENCE))
        state = ask_desk(court, desk.origin, outcome.faults, enough=1)
        if state.entry is not None:
            return _registered(outcome, state, desk, "approved")
        pause(_PAUSE)
        waited += _PAUSE
    return outcome


def _registered(outcome: JoinOutcome, state: DeskState, desk: Desk, status: str) -> JoinOutcome:
    entry = state.entry
    if entry is not None and (entry.keys.ed25519, entry.keys.sm2) != (desk.keys.ed25519, desk.keys.sm2):
        raise ConfigurationError("anchor.other_keys", origin=desk.origin, height=entry.keys_since)
    outcome.entry, outcome.height, outcome.status = entry, state.height, status
    return outcome


def _predecessor(desk: Desk, court: Court, earlier: Sequence[str], faults: list[GatewayFault]) -> str:
    """The newest earlier log of this desk that the network knows."""
    family = desk_family(desk.origin)
    for origin in reversed([item for item in earlier if desk_family(item) == family]):
        if origin != desk.origin and ask_desk(court, origin, faults, enough=1).entry is not None:
            return origin
    return ""


def _request(court: Court, data: bytes, faults: list[GatewayFault]) -> bool:
    """Hand the request to one gateway; whether the network approves by itself."""
    failure: EvidenceDeskError | None = None
    for gateway in court.gateways:
        try:
            value = decode(gateway.post("/v1/registrations", data), what="registration", limit=_MAX_ANSWER)
        except (RemoteError, MalformedError) as error:
            failure = error
            faults.append(fault_of(gateway, error))
            continue
        return isinstance(value, dict) and value.get("status") == "approved"
    raise failure or RemoteError("network.no_gateways", chain=court.chain_id)


# --- status ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayState:
    """One gateway: what it proves of our log, or what is wrong with it; `fresh`: not older than two idle intervals."""

    gateway: str
    chain_id: str = ""
    height: int = 0
    time: datetime | None = None
    fresh: bool = False
    state: DeskState | None = None
    fault: GatewayFault | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkStatus:
    """How a desk and its network stand.

    Attributes:
        entry: newest proven one, None when not registered or nothing was proven.
        proven: whether any gateway proved anything.
        ours: size of our log; `anchored` the size whose proof we hold.
        agrees: whether the network's log is a beginning of ours; None when not known.
        advice: codes of sentences: what to do.
    """

    chain_id: str
    gateways: tuple[GatewayState, ...]
    entry: DeskEntry | None
    proven: bool
    ours: int
    anchored: int
    agrees: bool | None
    outbox: Outbox
    conflicts: tuple[ConflictRow, ...]
    tokens_missing: int
    advice: tuple[str, ...]


def status(desk: Desk, court: Court) -> NetworkStatus:
    """Ask every gateway; nothing is sent and nothing is stored."""
    states = tuple(_gateway_state(desk, court, gateway) for gateway in court.gateways)
    proven = [item.state for item in states if item.state is not None]
    newest = max(proven, key=lambda item: item.height, default=None)
    entry = None if newest is None else newest.entry
    agrees = None if entry is None else _agrees(desk, entry)
    outbox = desk.store.court.outbox()
    found = NetworkStatus(
        chain_id=court.chain_id,
        gateways=states,
        entry=entry,
        proven=newest is not None,
        ours=desk.log.size,
        anchored=desk.store.court.anchored_size(court.chain_id),
        agrees=agrees,
        outbox=outbox,
        conflicts=tuple(desk.store.court.conflicts()),
        tokens_missing=len(desk.store.court.wanted_tokens()),
        advice=(),
    )
    return _with_advice(found)


def _with_advice(found: NetworkStatus) -> NetworkStatus:
    advice: list[str] = []
    if not found.gateways:
        advice.append("network.advice.off_line")
    elif not found.proven:
        advice.append("network.advice.unreachable")
    elif found.entry is None:
        advice.append("network.advice.register")
    if found.agrees is False:
        advice.append("network.advice.conflict")
    elif found.proven and found.entry is not None and found.anchored < found.ours:
        advice.append("network.advice.anchor")
    if any(item.fault is not None and item.fault.lied for item in found.gateways):
        advice.append("network.advice.lied")
    if any(item.state is not None and not item.fresh for item in found.gateways):
        advice.append("network.advice.stale")
    if 0 < len(found.gateways) < 2:
        advice.append("network.advice.one_gateway")
    if found.tokens_missing:
        advice.append("network.advice.tokens")
    return replace(found, advice=tuple(advice))


def _gateway_state(desk: Desk, court: Court, gateway: CourtGateway) -> GatewayState:
    alone = Court(trust=court.trust, roots=court.roots, gateways=(gateway,), clock=court.clock)
    faults: list[GatewayFault] = []
    try:
        said = introduce(gateway)
        state = ask_desk(alone, desk.origin, faults, enough=1)
    except EvidenceDeskError as error:
        return GatewayState(gateway=gateway.url, fault=faults[0] if faults else fault_of(gateway, error))
    age: timedelta = court.clock.now() - state.time
    return GatewayState(
        gateway=gateway.url, chain_id=said.chain_id, height=state.height, time=state.time, fresh=age <= MAX_AGE,
        state=state,
    )  # fmt: skip


def _agrees(desk: Desk, entry: DeskEntry) -> bool:
    if entry.size > desk.log.size:
        return False
    return not entry.size or TileTree(desk.store.log, entry.size).root() == entry.root
