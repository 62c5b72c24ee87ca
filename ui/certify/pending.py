"""Drafts that wait for the second person: kept in the vault, one entry a hand-over, gone with its case when that is erased.

Kept is what was chosen, when and by whom, with the digest of everything the drafts were going to print. The second person sees the draft as the
facts are when he looks, under the same number, and is told when it says anything else than the first person saw.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.canonical import JSON
from evidence_desk.core.certificate import certificate_number
from evidence_desk.core.digests import parse_hex, sha256
from evidence_desk.core.job import Job
from evidence_desk.core.moment import format_moment, parse_moment
from evidence_desk.errors import MalformedError, UsageError
from evidence_desk.services import queue
from evidence_desk.services.confirm import Draft
from evidence_desk.services.find import exhibits_of
from ui.certify.drafting import Order, drafted, numbered

MOST: Final = 50
"""Certificates of one hand-over: the second person has to look at each."""
SLOTS: Final = 40
_VERSION: Final = "certify-pending/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """One hand-over.

    Attributes:
        slot: where it is kept. drafted: when; the certificates' numbers come from it. versions: of each certificate.
        printed: digest of what each draft was going to print.
        rejected_by, reason: set once the second person sent it back.
    """

    slot: int
    case_number: str
    order: Order
    drafted: datetime
    versions: tuple[int, ...]
    printed: tuple[bytes, ...]
    rejected_by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """The drafts of a hand-over as they are now; `same`: they say exactly what the first person saw."""

    drafts: tuple[Draft, ...]
    same: bool


def hand_over(session: Session, order: Order, job: Job) -> Pending:
    """Draft everything and keep it for the second person.

    Raises:
        UsageError: ``ui_certify.too_many_drafts``, ``ui_certify.pending_full``; errors of `services.certify.draft`.
    """
    if len(order.groups) > MOST:
        raise UsageError("ui_certify.too_many_drafts", limit=MOST)
    taken = {item.slot for item in pending(session)}
    free = next((slot for slot in range(SLOTS) if slot not in taken), None)
    if free is None:
        raise UsageError("ui_certify.pending_full", limit=SLOTS)
    moment = order.moment or session.clock.now().replace(microsecond=0)
    drafts = [_at(session, drafted(session, group, order.operator, job), moment) for group in order.groups]
    made = Pending(
        slot=free,
        case_number=drafts[0].exhibits[0].case_number,
        order=order,
        drafted=moment,
        versions=tuple(item.certificate.version for item in drafts),
        printed=tuple(_printed(session, item) for item in drafts),
    )
    keep(session, made)
    return made


def keep(session: Session, item: Pending) -> None:
    """Write an entry."""
    queue.save_draft(session.desk, _name(item.slot), _json(item), case_number=item.case_number)


def drop(session: Session, item: Pending) -> None:
    """Forget an entry: issued, or taken back."""
    queue.drop_draft(session.desk, _name(item.slot))


def settle(session: Session, item: Pending, issued: Collection[str]) -> None:
    """After a confirmation: forget what was issued, keep the rest waiting."""
    rest = [
        at for at, group in enumerate(item.order.groups)
        if _number(session, group, item.versions[at], item.drafted) not in issued
    ]  # fmt: skip
    if not rest:
        drop(session, item)
        return
    keep(
        session,
        replace(
            item,
            order=replace(item.order, groups=tuple(item.order.groups[at] for at in rest)),
            versions=tuple(item.versions[at] for at in rest),
            printed=tuple(item.printed[at] for at in rest),
        ),
    )


def pending(session: Session) -> tuple[Pending, ...]:
    """All entries, the oldest first; one that cannot be read is left out."""
    found: list[Pending] = []
    for slot in range(SLOTS):
        try:
            kept = queue.load_draft(session.desk, _name(slot))
            if kept is not None:
                found.append(_parse(slot, dict(kept.content)))
        except MalformedError:
            continue
    return tuple(sorted(found, key=lambda item: item.drafted))


def review(session: Session, item: Pending, job: Job) -> Reviewed:
    """The drafts under the numbers the first person saw, from the facts as they are now.

    Raises:
        UsageError: ``certify.stale`` when another certificate was issued meanwhile; errors of `services.certify.draft`.
    """
    drafts: list[Draft] = []
    for done, (group, version) in enumerate(zip(item.order.groups, item.versions, strict=True)):
        job.step("review", done, len(item.order.groups))
        made = _at(session, drafted(session, group, item.order.operator, job), item.drafted)
        if made.certificate.version != version:
            raise UsageError("certify.stale", number=made.certificate.number)
        drafts.append(made)
    same = all(_printed(session, made) == before for made, before in zip(drafts, item.printed, strict=True))
    return Reviewed(drafts=tuple(drafts), same=same)


def _at(session: Session, made: Draft, moment: datetime) -> Draft:
    """The draft as the first person's program made it at `moment`: number and time of issue (filled in anew later)."""
    same = numbered(session, made, moment)
    return replace(same, certificate=replace(same.certificate, issued=moment))


def _number(session: Session, group: Sequence[bytes], version: int, moment: datetime) -> str:
    return certificate_number(
        exhibits=[row.leaf_hash for row in exhibits_of(session.desk, group)], version=version, issued=moment,
        origin=session.desk.origin,
    )  # fmt: skip


def _printed(session: Session, made: Draft) -> bytes:
    return sha256(session.issuer().printed(made.certificate))


def _name(slot: int) -> str:
    return f"certify.pending.{slot}"


def _json(item: Pending) -> dict[str, JSON]:
    return {
        "v": _VERSION,
        "case": item.case_number,
        "groups": [[leaf.hex() for leaf in group] for group in item.order.groups],
        "operator": item.order.operator,
        "drafted": format_moment(item.drafted),
        "versions": list[JSON](item.versions),
        "printed": [digest.hex() for digest in item.printed],
        "rejected_by": item.rejected_by,
        "reason": item.reason,
    }


def _parse(slot: int, value: dict[str, JSON]) -> Pending:
    groups, versions, printed = value.get("groups"), value.get("versions"), value.get("printed")
    if (
        value.get("v") != _VERSION
        or not isinstance(groups, list)
        or not isinstance(versions, list)
        or not isinstance(printed, list)
        or not len(groups) == len(versions) == len(printed) > 0
    ):
        raise MalformedError("malformed.json", what="pending")
    return Pending(
        slot=slot,
        case_number=str(value.get("case", "")),
        order=Order(groups=tuple(_group(group) for group in groups), operator=str(value.get("operator", ""))),
        drafted=parse_moment(value.get("drafted"), what="drafted"),
        versions=tuple(item if isinstance(item, int) else 0 for item in versions),
        printed=tuple(parse_hex(item, what="printed") for item in printed),
        rejected_by=str(value.get("rejected_by", "")),
        reason=str(value.get("reason", "")),
    )


def _group(value: JSON) -> tuple[bytes, ...]:
    if not isinstance(value, list) or not value:
        raise MalformedError("malformed.json", what="pending")
    return tuple(parse_hex(item, what="leaf") for item in value)
