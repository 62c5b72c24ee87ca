"""Begin a capture: look at the machine, settle what is to be recorded, and put that into the log first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from evidence_desk.core.capture.environment import Target, When
from evidence_desk.core.capture.marks import (
    ID_SIZE,
    NONCE_SIZE,
    STARTED,
    KnownHeader,
    Started,
    encode_started,
)
from evidence_desk.core.capture.plan import CapturePlan, encode_plan
from evidence_desk.core.capture.ports import EnvironmentChecker
from evidence_desk.core.capture.rows import CaptureRow, CaptureState
from evidence_desk.core.capture.workspace import Workspace
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.job import Job
from evidence_desk.core.leaf import Leaf, LeafType
from evidence_desk.core.moment import format_moment
from evidence_desk.services.annotate import refuse_archived
from evidence_desk.services.desk import Desk
from evidence_desk.services.register import Registration, add_case

PLAN: Final = "plan.json"
BEFORE: Final = "environment-before.json"
AFTER: Final = "environment-after.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A capture whose first leaf is in the log."""

    row: CaptureRow
    started: Started
    document: bytes
    at: datetime


def targets_of(plan: CapturePlan) -> tuple[Target, ...]:
    """Hosts and ports of the addresses, each once."""
    found: dict[Target, None] = {}
    for url in plan.urls:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        found[Target(host=parts.hostname or "", port=port)] = None
    return tuple(found)


def look(
    environment: EnvironmentChecker,
    when: When,
    plan: CapturePlan,
    workspace: Workspace,
    job: Job,
    *,
    profile: Sequence[str] | None = None,
) -> bytes:
    """Check the machine and write the report and its private outputs; the report."""
    report, private = environment.check(
        when, targets_of(plan), job, profile=profile, earlier=_private(workspace)
    )
    workspace.append(BEFORE if when is When.BEFORE else AFTER, report)
    for name, data in private.items():
        workspace.append(name, data)
    return report


def _private(workspace: Workspace) -> dict[str, bytes]:
    """Private outputs of the report from before."""
    names = [name for name in workspace.names() if is_private_output(name)]
    found: dict[str, bytes] = {}
    for name in names:
        with workspace.open(name) as source:
            found[name] = source.read()
    return found


def is_private_output(name: str) -> bool:
    """Whether a file of a workspace is an output that tells of other programs."""
    return name.startswith("environment-") and name.endswith(".txt")


def new_id(desk: Desk) -> bytes:
    """Id of a capture."""
    return desk.random(ID_SIZE)


def begin(
    desk: Desk,
    capture: bytes,
    workspace: Workspace,
    plan: CapturePlan,
    registration: Registration,
    *,
    environment: EnvironmentChecker,
    header: KnownHeader | None,
    job: Job,
) -> Begun:
    """Write plan, first environment report and ``started.json``, and append ``capture.started``.

    Raises:
        UsageError: ``annotate.archived``. NotFoundError: ``vault.case_erased``. HostError.
    """
    refuse_archived(desk, registration.case_number)
    workspace.append(PLAN, encode_plan(plan))
    report = look(environment, When.BEFORE, plan, workspace, job)
    at = desk.clock.now()
    started = Started(
        id=capture, case_number=registration.case_number, at=format_moment(at), plan=plan,
        environment=DigestPair.of(report), nonce=desk.random(NONCE_SIZE), header=header,
    )  # fmt: skip
    document = encode_started(started)
    workspace.append(STARTED, document)
    row = _append(desk, started, document, registration, at)
    return Begun(row=row, started=started, document=document, at=at)


def _append(
    desk: Desk, started: Started, document: bytes, registration: Registration, at: datetime
) -> CaptureRow:
    commitment = DigestPair.of(document).to_json()

    def make(seq: int, moment: datetime) -> Leaf:
        return Leaf(
            log=desk.origin, seq=seq, type=LeafType.CAPTURE_STARTED, at=moment,
            facts={"commitment": {**commitment}},
        )  # fmt: skip

    with desk.appending() as appender:
        add_case(desk, registration)
        (leaf,) = appender.append([make])
        row = CaptureRow(
            id=started.id,
            case_number=registration.case_number,
            started_leaf=leaf.leaf_hash,
            started=at,
            document=document,
        )
        desk.store.captures.add(row)
    return row


def abandon(desk: Desk, capture: CaptureRow) -> None:
    """Say in the log that a capture was given up; it stays and is counted.

    Raises:
        NotFoundError: ``capture.unknown`` when it does not run.
    """

    def make(seq: int, moment: datetime) -> Leaf:
        return Leaf(
            log=desk.origin,
            seq=seq,
            type=LeafType.CAPTURE_ABANDONED,
            at=moment,
            ref=capture.started_leaf,
        )

    with desk.appending() as appender:
        (leaf,) = appender.append([make])
        desk.store.captures.end(capture.id, CaptureState.ABANDONED, desk.clock.now(), leaf.leaf_hash)
