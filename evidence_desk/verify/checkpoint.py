"""Judge the signatures of a checkpoint note under the desk's key from a trust root."""

from __future__ import annotations

from evidence_desk.core.note import Note, check_note
from evidence_desk.core.trust import Trust
from evidence_desk.core.verdict import Dimension, Finding, Status, Vouches
from evidence_desk.errors import IntegrityError

CHECK = "log.signature"


def check_signature(note: Note, origin: str, trust: Trust) -> Finding:
    """One finding: passed, failed, or undetermined when no trust root names the desk.

    A note of our formats has exactly the two lines of its desk: an ignorable line would be a free byte, and a missing
    SM2 line could have been stripped.
    """
    if len(note.signatures) != 2 or any(item.name != origin for item in note.signatures):
        return _finding(Status.FAILED, "lines", Vouches.COMPUTATION, origin)
    keys = trust.desks.get(origin)
    if keys is None:
        return _finding(Status.UNDETERMINED, "no_key", Vouches.NOBODY, origin)
    try:
        outcome = check_note(note, keys)
    except IntegrityError:
        return _finding(Status.FAILED, "disagreement", Vouches.COMPUTATION, origin)
    if outcome.ed25519 is True and outcome.sm2 is True:
        return _finding(Status.PASSED, "right", Vouches.DESK, origin)
    return _finding(Status.FAILED, "wrong", Vouches.COMPUTATION, origin)


def _finding(status: Status, reason: str, who: Vouches, origin: str) -> Finding:
    return Finding(
        dimension=Dimension.LOG, check=CHECK, status=status, code=f"{CHECK}.{reason}",
        parameters={"origin": origin}, who_vouches=who,
    )  # fmt: skip
