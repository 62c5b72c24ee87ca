"""Erase a case 删除案件: its keys go, and with them originals, private rows and every envelope; leaves and a tombstone stay."""

from __future__ import annotations

from dataclasses import dataclass

from evidence_desk.core.capture.rows import CaptureState
from evidence_desk.errors import NotFoundError, UsageError
from evidence_desk.services.court_query import Court
from evidence_desk.services.custody import CustodyNote, record
from evidence_desk.services.desk import Desk
from evidence_desk.services.envelopes import ERASED
from evidence_desk.services.keybag_copy import CopyOutcome, send_copies


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseOutcome:
    """An erased case.

    Attributes:
        certificates: numbers of certificates issued over its exhibits: copies given away cannot be erased.
        copies: gateways whose copy of the keybag was replaced; None when no network is joined.
    """

    case_number: str
    exhibits: int
    certificates: tuple[str, ...]
    copies: CopyOutcome | None


def erase(
    desk: Desk, case_number: str, *, reason: str, operator: str = "", court: Court | None
) -> EraseOutcome:
    """Erase a case; an erasure that was cut short is finished by another call.

    The tombstone is a custody event of every exhibit, in the log before any key is deleted.

    Raises:
        NotFoundError: ``erase.no_case``. UsageError: ``erase.no_reason``, ``erase.already``, ``erase.capturing``.
        HostError: the keys were not deleted.
    """
    case = desk.store.exhibits.case(case_number)
    if case is None:
        raise NotFoundError("erase.no_case", case=case_number)
    if not reason.strip():
        raise UsageError("erase.no_reason")
    if case.erased is not None:
        raise UsageError("erase.already", case=case_number)
    if any(item.state is CaptureState.RUNNING for item in desk.store.captures.captures(case_number)):
        raise UsageError("erase.capturing", case=case_number)
    exhibits = [row.leaf_hash for row in desk.store.exhibits.exhibits(case_number=case_number)]
    certificates = {item.number: None for leaf in exhibits for item in desk.store.exhibits.certificates(leaf)}
    open_ones = [
        leaf
        for leaf in exhibits
        if not any(event.action == ERASED for event in desk.store.exhibits.custody(leaf))
    ]
    record(
        desk,
        [
            CustodyNote(
                exhibit=leaf, action=ERASED, operator=operator, details={"case": case_number, "why": reason}
            )
            for leaf in open_ones
        ],
    )
    desk.store.erase_case(case_number)
    copies = None if court is None else send_copies(desk, court)
    return EraseOutcome(
        case_number=case_number, exhibits=len(exhibits), certificates=tuple(certificates), copies=copies
    )
