"""Judge the signatures of a desk's note (checkpoint, index of a package) under its keys from a trust root."""

from __future__ import annotations

from typing import Final

from evidence_desk.core.note import Note, check_note
from evidence_desk.core.trust import Trust
from evidence_desk.core.verdict import Dimension, Finding, Status, Vouches
from evidence_desk.errors import IntegrityError

CHECKPOINT: Final = "log.signature"
INDEX: Final = "package.note"


def check_signature(note: Note, origin: str, trust: Trust, check: str = CHECKPOINT) -> Finding:
    """One finding of `check`: passed, failed, or undetermined when no trust root names the desk.

    A note of our formats has exactly the two lines of its desk: an ignorable line would be a free byte, and a missing
    SM2 line could have been stripped.
    """
    if len(note.signatures) != 2 or any(item.name != origin for item in note.signatures):
        return _finding(check, Status.FAILED, "lines", Vouches.COMPUTATION, origin)
    keys = trust.desks.get(origin)
    if keys is None:
        return _finding(check, Status.UNDETERMINED, "no_key", Vouches.NOBODY, origin)
    try:
        outcome = check_note(note, keys)
    except IntegrityError:
        return _finding(check, Status.FAILED, "disagreement", Vouches.COMPUTATION, origin)
    if outcome.ed25519 is True and outcome.sm2 is True:
        return _finding(check, Status.PASSED, "right", Vouches.DESK, origin)
    return _finding(check, Status.FAILED, "wrong", Vouches.COMPUTATION, origin)


def _finding(check: str, status: Status, reason: str, who: Vouches, origin: str) -> Finding:
    return Finding(
        dimension=Dimension.LOG, check=check, status=status, code=f"{check}.{reason}",
        parameters={"origin": origin}, who_vouches=who,
    )  # fmt: skip
