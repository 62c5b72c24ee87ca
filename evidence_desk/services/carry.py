"""Anchoring by file for a desk without network connection: export, carry to a gateway, import.

The carrier verifies what it brings back, so that a lying gateway is noticed there; the desk verifies it again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from evidence_desk.core.canonical import decode
from evidence_desk.core.checkpoint import Checkpoint, parse_checkpoint
from evidence_desk.core.job import Job
from evidence_desk.core.merkle import leaf_hash
from evidence_desk.core.ports import TimestampAuthority
from evidence_desk.court.protocol.actions import RegisterDesk, SubmitCheckpoint
from evidence_desk.court.protocol.anchor import AnchorAnswer
from evidence_desk.court.protocol.carried import (
    MAX_TRANSACTIONS,
    MAX_WANTED,
    AnswersFile,
    OutboxFile,
    Wanted,
    parse_answers,
    parse_outbox,
)
from evidence_desk.court.protocol.desk_answer import parse_desk_answer, verify_desk_answer
from evidence_desk.court.protocol.registry import DeskKeys
from evidence_desk.court.protocol.transactions import parse_transaction
from evidence_desk.errors import EvidenceDeskError, MalformedError, RemoteError
from evidence_desk.services.anchor import AnchorOutcome, check_state
from evidence_desk.services.anchor_batches import Envelopes, next_batch, no_envelopes
from evidence_desk.services.anchor_records import (
    fetch_tokens,
    mark_events,
    own_checkpoint,
    take_proof,
    wanted_proofs,
)
from evidence_desk.services.court_query import (
    LAGGING,
    Court,
    DeskState,
    GatewayFault,
    ask_anchor,
    ask_desk,
    ask_newest,
    fault_of,
    refuse,
)
from evidence_desk.services.desk import Desk
from evidence_desk.services.network import registration

FAR: Final = 1_000_000
"""Blocks for which a carried transaction counts: nobody knows how long the way is. What came on chain meanwhile is
known there and does no harm."""
PATIENCE: Final = 120.0
_PAUSE: Final = 0.5


@dataclass(slots=True)
class CarryOutcome:
    """What a carrier achieved: checkpoints now proven, and what is still open."""

    chain_id: str
    origin: str
    registered: bool = False
    sizes: list[int] = field(default_factory=list)
    missing: int = 0
    answers: AnswersFile | None = None
    faults: list[GatewayFault] = field(default_factory=list)


# --- on the desk ----------------------------------------------------------------------------------------------


def export_outbox(
    desk: Desk,
    court: Court,
    keys: DeskKeys,
    *,
    job: Job,
    envelopes: Envelopes = no_envelopes,
    succeeds: str = "",
) -> OutboxFile:
    """What the network has yet to be told, as far as we know without asking: at most 64 transactions a file."""
    known = desk.store.court.anchored_size(court.chain_id)
    anchors = desk.store.court.anchors(court.chain_id)
    height = max([1, *(row.height for row in anchors), *(header.height for header in court.trust.headers)])
    size, total = known, desk.log.size
    transactions: list[bytes] = []
    planned: list[int] = []
    while size < total and len(transactions) < MAX_TRANSACTIONS:
        job.step("anchor", size - known, total - known)
        batch = next_batch(desk, size, chain_id=court.chain_id, expires=height + FAR, envelopes=envelopes)
        transactions.append(batch.transaction.encode())
        size = batch.checkpoint.size
        planned.append(size)
    wanted = wanted_proofs(desk, court.chain_id, planned)[:MAX_WANTED]
    request = (
        b""
        if anchors
        else registration(desk, keys, chain_id=court.chain_id, height=height + FAR, succeeds=succeeds)
    )
    return OutboxFile(
        chain_id=court.chain_id, origin=desk.origin, registration=request, transactions=tuple(transactions),
        wanted=tuple(
            Wanted(size=at, root=own_checkpoint(desk, at).root, leaves=tuple(leaves)) for at, leaves in wanted
        ),
    )  # fmt: skip


def import_answers(
    desk: Desk, court: Court, data: bytes, authorities: Sequence[TimestampAuthority], *, job: Job
) -> AnchorOutcome:
    """Verify answers that came by file and store them; then get tokens over their headers.

    Raises:
        MalformedError, IntegrityError, ConfigurationError: as `anchor`; nothing that does not hold is stored.
    """
    answers = parse_answers(data)
    if answers.chain_id != court.chain_id:
        raise MalformedError("malformed.outbox", reason="chain_id")
    if answers.origin != desk.origin:
        raise MalformedError("malformed.outbox", reason="origin")
    check_state(desk, court, _state(desk, court, answers))
    known = desk.store.court.anchored_size(court.chain_id)
    outcome = AnchorOutcome(chain_id=court.chain_id, before=known, size=known)
    ordered = sorted(answers.anchors, key=lambda item: item.record.size)
    for done, answer in enumerate(ordered):
        job.step("anchor", done, len(ordered))
        size = answer.record.size
        if size > outcome.size:
            mark_events(desk, outcome.size, min(size, desk.log.size))
        row = take_proof(desk, court, answer)
        outcome.proofs += len(answer.leaves)
        if size > outcome.size:
            outcome.size = size
            outcome.anchored.append(row)
    outcome.waiting = desk.log.size - outcome.size
    outcome.tokens = fetch_tokens(desk, authorities)
    return outcome


def _state(desk: Desk, court: Court, answers: AnswersFile) -> DeskState:
    verdict = verify_desk_answer(
        answers.desk, origin=desk.origin, trust=court.trust, token=court.tokens(), now=court.clock.now()
    )
    refuse(verdict.findings)
    return DeskState(
        entry=verdict.entry, height=verdict.height, time=answers.desk.standing.time,
        answer=answers.desk.encode(), gateway="",
    )  # fmt: skip


# --- on the way -----------------------------------------------------------------------------------------------


def carry(
    data: bytes, court: Court, *, job: Job, pause: Callable[[float], None] = time.sleep
) -> CarryOutcome:
    """Submit what a desk exported and collect the proofs; needs no vault.

    Raises:
        MalformedError: not an outbox of this network.
        RemoteError: no gateway answers.
    """
    outbox = parse_outbox(data)
    if outbox.chain_id != court.chain_id:
        raise MalformedError("malformed.outbox", reason="chain_id")
    checkpoints = [_checkpoint(outbox, item) for item in outbox.transactions]
    _check_registration(outbox)
    outcome = CarryOutcome(chain_id=outbox.chain_id, origin=outbox.origin)
    state = ask_desk(court, outbox.origin, outcome.faults)
    if state.entry is None and outbox.registration:
        state = _register(court, outbox, outcome, state, job, pause)
    outcome.registered = state.entry is not None
    anchors: list[AnchorAnswer] = []
    if state.entry is not None:
        accepted = _submit_all(court, outbox, checkpoints, outcome, job, pause)
        state = ask_desk(court, outbox.origin, outcome.faults)
        size = 0 if state.entry is None else state.entry.size
        anchors = _proofs(
            court, outbox, checkpoints, outcome, size=size, least=max(accepted, state.height), pause=pause
        )
    outcome.missing = len(checkpoints) - len(outcome.sizes)
    outcome.answers = AnswersFile(
        chain_id=outbox.chain_id,
        origin=outbox.origin,
        desk=parse_desk_answer(state.answer),
        anchors=tuple(anchors),
    )
    return outcome


def _checkpoint(outbox: OutboxFile, data: bytes) -> tuple[Checkpoint, bytes]:
    """Checkpoint of a transaction and the hash of its last leaf."""
    payload = parse_transaction(data, chain_id=outbox.chain_id).payload
    if not isinstance(payload, SubmitCheckpoint):
        raise MalformedError("malformed.outbox", reason="transaction")
    checkpoint = parse_checkpoint(payload.note)[0]
    if checkpoint.origin != outbox.origin:
        raise MalformedError("malformed.outbox", reason="origin")
    return checkpoint, leaf_hash(payload.leaves[-1])


def _check_registration(outbox: OutboxFile) -> None:
    if not outbox.registration:
        return
    payload = parse_transaction(outbox.registration, chain_id=outbox.chain_id).payload
    if not isinstance(payload, RegisterDesk) or payload.origin != outbox.origin:
        raise MalformedError("malformed.outbox", reason="registration")


def _register(
    court: Court, outbox: OutboxFile, outcome: CarryOutcome, state: DeskState, job: Job,
    pause: Callable[[float], None],
) -> DeskState:  # fmt: skip
    """Ask for registration; wait for it where the network approves by itself."""
    approved = False
    for gateway in court.gateways:
        try:
            value = decode(
                gateway.post("/v1/registrations", outbox.registration), what="registration", limit=1 << 20
            )
        except EvidenceDeskError as error:
            outcome.faults.append(fault_of(gateway, error))
            continue
        approved = isinstance(value, dict) and value.get("status") == "approved"
        break
    waited = 0.0
    while approved and state.entry is None and waited < PATIENCE:
        job.step("register", int(waited), int(PATIENCE))
        pause(_PAUSE)
        waited += _PAUSE
        state = ask_desk(court, outbox.origin, outcome.faults, enough=1)
    return state


def _submit_all(
    court: Court,
    outbox: OutboxFile,
    checkpoints: Sequence[tuple[Checkpoint, bytes]],
    outcome: CarryOutcome,
    job: Job,
    pause: Callable[[float], None],
) -> int:
    """One after the other: several under way would be reordered. Height of the newest that was accepted, 0 for none."""
    height = 0
    for done, ((checkpoint, last), data) in enumerate(zip(checkpoints, outbox.transactions, strict=True)):
        job.step("anchor", done, len(checkpoints))
        if not _submitted(court, data, outcome):
            break
        waited = 0.0
        while (answer := ask_anchor(court, checkpoint, [last], outcome.faults)) is None:
            if waited >= PATIENCE:
                return height
            pause(_PAUSE)
            waited += _PAUSE
        height = answer.record.height
        outcome.sizes.append(checkpoint.size)
    return height


def _submitted(court: Court, data: bytes, outcome: CarryOutcome) -> bool:
    """Whether any gateway took it or knew it."""
    taken = False
    for gateway in court.gateways:
        try:
            answer = gateway.submit(data)
        except RemoteError as error:
            outcome.faults.append(fault_of(gateway, error))
            continue
        if answer.code in {0, 3}:
            taken = True
        else:
            refusal = RemoteError("anchor.refused", number=answer.code, reason=answer.reason or "-")
            outcome.faults.append(fault_of(gateway, refusal))
    return taken


def _proofs(
    court: Court,
    outbox: OutboxFile,
    checkpoints: Sequence[tuple[Checkpoint, bytes]],
    outcome: CarryOutcome,
    *,
    size: int,
    least: int,
    pause: Callable[[float], None],
) -> list[AnchorAnswer]:
    """Answers to what is wanted, and one about each other checkpoint that was accepted.

    All but the newest checkpoint are shown in the newest state, for later leaves may speak of theirs: `size` is the
    log's as the network has it, `least` as in `ask_newest`.
    """
    done = [(item, last) for item, last in checkpoints if item.size in outcome.sizes]
    wanted = {item.size for item in outbox.wanted}
    asked = [
        (Checkpoint(origin=outbox.origin, size=item.size, root=item.root), list(item.leaves))
        for item in outbox.wanted
    ]
    asked += [(item, [last]) for item, last in done if item.size not in wanted]
    newest = max([size, *(item.size for item, _ in done)])
    found: list[AnchorAnswer] = []
    pauses = iter(LAGGING)
    for checkpoint, leaves in sorted(asked, key=lambda pair: pair[0].size):
        if checkpoint.size < newest:
            answer = ask_newest(
                court, checkpoint, leaves, outcome.faults, least=least, pauses=pauses, pause=pause
            )
        else:
            answer = ask_anchor(court, checkpoint, leaves, outcome.faults)
        if answer is not None:
            found.append(answer)
    return found
