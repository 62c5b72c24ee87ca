"""How a desk stands: clock, authorities, network, backup, re-check, disk; each fact with what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from evidence_desk.bootstrap.diagnosis import TOLERANCE_MS, check_clock, check_disk
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.moment import format_moment
from evidence_desk.court.protocol.history import DEMO_PREFIX
from evidence_desk.errors import EvidenceDeskError, RemoteError
from evidence_desk.services.clock_offset import VALID, last_comparison
from evidence_desk.services.network import NetworkStatus, status
from evidence_desk.settings import AuthorityKind, load_retention
from evidence_desk.vault.backup import last_backup

_YEAR_DAYS: Final = 365.2425
_RECHECKED: Final = ("rechecked", "damaged", "missing")


class Area(StrEnum):
    """What a fact is about, in the order they are shown."""

    CLOCK = "clock"
    AUTHORITIES = "authorities"
    NETWORK = "network"
    OUTBOX = "outbox"
    BACKUP = "backup"
    RECHECK = "recheck"
    RETENTION = "retention"
    DISK = "disk"


class Level(StrEnum):
    """How a fact is to be taken."""

    RIGHT = "right"
    WORK = "work"
    """Something is to be done; nothing is wrong."""
    WRONG = "wrong"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One fact: its sentence `code` with `facts`, and ``code.advice`` where something can be done.

    Attributes:
        error: why, when an authority or gateway answered with an error.
        demo: whether it speaks of a demonstration.
    """

    area: Area
    level: Level
    code: str
    facts: Mapping[str, str | int] = field(default_factory=dict)
    error: EvidenceDeskError | None = None
    demo: bool = False


def local_health(session: Session) -> tuple[Fact, ...]:
    """What is known without asking anyone; quick."""
    now, retention = session.clock.now(), load_retention(session.vault.exhibits)
    return (
        _clock(session, now),
        *_authorities(session),
        *_network(session),
        _outbox(session),
        _backup(session, now, retention.backup_days),
        _recheck(session, now, retention.recheck_days),
        _retention(session, now, retention.keep_years),
        _disk(session),
    )


def authorities_health(session: Session) -> tuple[Fact, ...]:
    """Each authority asked for a token over nothing: its answer and our clock against it."""
    facts = []
    for item in session.settings:
        if item.kind is AuthorityKind.RETIRED:
            continue
        demo = item.kind is AuthorityKind.EMBEDDED
        check = check_clock(item.name, session.authority(item))
        facts.append(
            Fact(
                area=Area.AUTHORITIES,
                level=Level.RIGHT if check.right else Level.WRONG,
                code="health.authority.silent"
                if check.error is not None
                else f"health.authority.{'answers' if check.right else 'differs'}",
                facts={"name": item.name, "offset": f"{check.offset_ms:+d}"},
                error=check.error,
                demo=demo,
            )
        )
    return tuple(facts)


def network_health(session: Session) -> tuple[Fact, ...]:
    """Each gateway asked what it can prove of our log; nothing is sent or stored."""
    if not session.networks:
        return ()
    found = status(session.desk, session.court())
    return (*_gateways(found), *_registration(found))


def _gateways(found: NetworkStatus) -> list[Fact]:
    facts = []
    for item in found.gateways:
        given: dict[str, str | int] = {"gateway": item.gateway, "height": item.height}
        if item.time is not None:
            given["time"] = format_moment(item.time)
        state = (
            "lied" if item.fault is not None and item.fault.lied
            else "silent" if item.fault is not None
            else "fresh" if item.fresh
            else "behind"
        )  # fmt: skip
        level = {"fresh": Level.RIGHT, "behind": Level.WORK, "silent": Level.WRONG, "lied": Level.WRONG}[
            state
        ]
        facts.append(
            Fact(
                area=Area.NETWORK, level=level, code=f"health.gateway.{state}", facts=given,
                error=None if item.fault is None else RemoteError(item.fault.code, **item.fault.parameters),
            )
        )  # fmt: skip
    return facts


def _registration(found: NetworkStatus) -> list[Fact]:
    facts = []
    if found.proven:
        level = Level.RIGHT if found.entry is not None else Level.WORK
        code = "health.registered" if found.entry is not None else "health.unregistered"
        size = 0 if found.entry is None else found.entry.size
        facts.append(Fact(area=Area.NETWORK, level=level, code=code, facts={"size": size}))
    if found.agrees is False or found.conflicts:
        facts.append(Fact(area=Area.NETWORK, level=Level.WRONG, code="health.conflict"))
    if found.tokens_missing:
        facts.append(
            Fact(
                area=Area.NETWORK, level=Level.WORK, code="health.header_tokens", facts={"count": found.tokens_missing}
            )
        )  # fmt: skip
    return facts


def _clock(session: Session, now: datetime) -> Fact:
    compared = last_comparison(session.desk)
    if compared is None or not timedelta(0) <= now - compared.at <= VALID:
        return Fact(area=Area.CLOCK, level=Level.UNKNOWN, code="health.clock.unknown")
    right = abs(compared.offset_ms) <= TOLERANCE_MS
    return Fact(
        area=Area.CLOCK,
        level=Level.RIGHT if right else Level.WRONG,
        code="health.clock.right" if right else "health.clock.wrong",
        facts={
            "offset": f"{compared.offset_ms:+d}",
            "source": compared.source,
            "at": format_moment(compared.at),
        },
    )


def _authorities(session: Session) -> list[Fact]:
    active = [item for item in session.settings if item.kind is not AuthorityKind.RETIRED]
    if not active:
        return [Fact(area=Area.AUTHORITIES, level=Level.WRONG, code="health.authority.none")]
    facts = [
        Fact(
            area=Area.AUTHORITIES, level=Level.UNKNOWN, code="health.authority.configured", facts={"name": item.name},
            demo=item.kind is AuthorityKind.EMBEDDED,
        )
        for item in active
    ]  # fmt: skip
    waiting = session.vault.exhibits.count_awaiting()
    if waiting:
        facts.append(
            Fact(area=Area.AUTHORITIES, level=Level.WORK, code="health.waiting", facts={"count": waiting})
        )
    return facts


def _network(session: Session) -> list[Fact]:
    joined = session.networks
    if not joined:
        return [Fact(area=Area.NETWORK, level=Level.WORK, code="health.network.none")]
    present = joined[0]
    code = "health.network.joined" if present.gateways else "health.network.offline"
    return [
        Fact(
            area=Area.NETWORK, level=Level.UNKNOWN if present.gateways else Level.WORK, code=code,
            facts={"chain": present.chain_id, "count": len(present.gateways)},
            demo=present.chain_id.startswith(DEMO_PREFIX),
        )
    ]  # fmt: skip


def _outbox(session: Session) -> Fact:
    joined = session.networks
    ours = session.desk.log.size
    anchored = session.vault.court.anchored_size(joined[0].chain_id) if joined else 0
    if anchored >= ours:
        return Fact(area=Area.OUTBOX, level=Level.RIGHT, code="health.outbox.empty", facts={"size": ours})
    return Fact(
        area=Area.OUTBOX, level=Level.WORK, code="health.outbox.waiting" if joined else "health.outbox.unanchored",
        facts={"count": ours - anchored, "size": ours},
    )  # fmt: skip


def _backup(session: Session, now: datetime, days: int) -> Fact:
    last = last_backup(session.vault.folder)
    if last is None:
        return Fact(area=Area.BACKUP, level=Level.WORK, code="health.backup.never")
    recent = now - last <= timedelta(days=days)
    return Fact(
        area=Area.BACKUP, level=Level.RIGHT if recent else Level.WORK,
        code="health.backup.recent" if recent else "health.backup.old", facts={"at": format_moment(last), "days": days},
    )  # fmt: skip


def _recheck(session: Session, now: datetime, days: int) -> Fact:
    last = session.vault.exhibits.last_action(_RECHECKED)
    if last is None:
        return Fact(area=Area.RECHECK, level=Level.WORK, code="health.recheck.never")
    damaged, missing = (
        session.vault.exhibits.count_last(item, _RECHECKED) for item in ("damaged", "missing")
    )
    if damaged or missing:
        return Fact(
            area=Area.RECHECK, level=Level.WRONG if damaged else Level.WORK, code="health.recheck.damaged",
            facts={"count": damaged + missing, "at": format_moment(last)},
        )  # fmt: skip
    recent = now - last <= timedelta(days=days)
    return Fact(
        area=Area.RECHECK, level=Level.RIGHT if recent else Level.WORK,
        code="health.recheck.recent" if recent else "health.recheck.old",
        facts={"at": format_moment(last), "days": days},
    )  # fmt: skip


def _retention(session: Session, now: datetime, years: int) -> Fact:
    """Cases in use whose last exhibit is older than the term; what becomes of them a person decides."""
    if not years:
        return Fact(area=Area.RETENTION, level=Level.RIGHT, code="health.retention.none")
    before = now - timedelta(days=round(years * _YEAR_DAYS))
    cases = (case for case in session.vault.browse.cases() if case.archived is None and case.erased is None)
    due = sum(case.newest is not None and case.newest < before for case in cases)
    return Fact(
        area=Area.RETENTION, level=Level.WORK if due else Level.RIGHT,
        code="health.retention.due" if due else "health.retention.within", facts={"count": due, "years": years},
    )  # fmt: skip


def _disk(session: Session) -> Fact:
    check = check_disk(session.vault.folder)
    return Fact(
        area=Area.DISK, level=Level.RIGHT if check.right else Level.WRONG,
        code="health.disk.right" if check.right else "health.disk.full", facts={"free": check.fact},
    )  # fmt: skip
