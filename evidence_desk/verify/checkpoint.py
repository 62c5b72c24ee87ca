"""Judge the signatures of a desk's note (checkpoint, index of a package) under the keys that somebody vouches for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from evidence_desk.core.note import Note, NoteKeys, check_note
from evidence_desk.core.verdict import Dimension, Finding, Status, Vouches
from evidence_desk.errors import IntegrityError

CHECKPOINT: Final = "log.signature"
INDEX: Final = "package.note"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownKeys:
    """A desk's keys for one origin.

    Attributes:
        given: as the trust root names them.
        registered: as the court network's registry has them at the height of the anchoring, proven.
        rotated: the registry has had other keys before: an older note may bear those.
        former: keys that the trust root names as replaced: who stole them could still sign.
    """

    given: NoteKeys | None = None
    registered: NoteKeys | None = None
    rotated: bool = False
    former: tuple[NoteKeys, ...] = ()


def check_signature(note: Note, origin: str, keys: KnownKeys, check: str = CHECKPOINT) -> Finding:
    """One finding of `check`: passed, failed, or undetermined when nobody vouches for a key of this origin.

    A note of our formats has exactly the two lines of its desk: an ignorable line would be a free byte, and a missing
    SM2 line could have been stripped. Two sources that name different keys for one log leave it undetermined.
    """
    if len(note.signatures) != 2 or any(item.name != origin for item in note.signatures):
        return _finding(check, Status.FAILED, "lines", Vouches.COMPUTATION, origin)
    known = [item for item in (keys.given, keys.registered) if item is not None]
    if not known and not keys.former:
        return _finding(check, Status.UNDETERMINED, "no_key", Vouches.NOBODY, origin)
    try:
        right = [_is_right(note, item) for item in known]
        replaced = not any(right) and any(_is_right(note, item) for item in keys.former)
    except IntegrityError:
        return _finding(check, Status.FAILED, "disagreement", Vouches.COMPUTATION, origin)
    if replaced:
        return _finding(check, Status.UNDETERMINED, "former", Vouches.NOBODY, origin)
    if not any(right):
        return _finding(check, Status.FAILED, "wrong", Vouches.COMPUTATION, origin)
    if keys.registered in keys.former:
        if keys.given is not None and right[0]:
            return _finding(check, Status.PASSED, "right", Vouches.DESK, origin)
        if check == CHECKPOINT:  # the network took it while these were the keys
            return _finding(check, Status.PASSED, "registered", Vouches.COURT_NETWORK, origin)
        return _finding(check, Status.UNDETERMINED, "former", Vouches.NOBODY, origin)
    if len(known) == 2 and known[0] != known[1]:
        return _finding(check, Status.UNDETERMINED, "contradiction", Vouches.NOBODY, origin)
    if keys.given is None:
        return _finding(check, Status.PASSED, "registered", Vouches.COURT_NETWORK, origin)
    return _finding(check, Status.PASSED, "right", Vouches.DESK, origin)


def _is_right(note: Note, keys: NoteKeys) -> bool:
    outcome = check_note(note, keys)
    return outcome.ed25519 is True and outcome.sm2 is True


def _finding(check: str, status: Status, reason: str, who: Vouches, origin: str) -> Finding:
    return Finding(
        dimension=Dimension.LOG, check=check, status=status, code=f"{check}.{reason}",
        parameters={"origin": origin}, who_vouches=who,
    )  # fmt: skip
