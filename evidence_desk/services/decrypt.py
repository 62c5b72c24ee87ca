"""An original in the clear, compared with its size and both digests as it is read."""

from __future__ import annotations

from typing import Final, Protocol

from evidence_desk.core.digests import PairHasher
from evidence_desk.core.job import Job
from evidence_desk.core.ports import ObjectStore
from evidence_desk.core.rows import StoredObject
from evidence_desk.errors import IntegrityError

_PIECE: Final = 1 << 20


class Sink(Protocol):
    """What plain bytes are written to."""

    def write(self, data: bytes, /) -> object:
        """Takes all of them."""
        ...


def decrypt(
    objects: ObjectStore, stored: StoredObject, case_number: str, copy: Sink | None, *, job: Job, stage: str
) -> None:
    """Read an original to its end and write it to `copy`, if any; `stage` of the job is told in bytes.

    Nothing that was written may be used when this raises.

    Raises:
        IntegrityError: ``vault.object_missing``, ``vault.object_damaged`` when it is not what was sealed.
        NotFoundError: ``vault.case_erased`` or ``vault.case_unknown``.
    """
    hasher, size = PairHasher(), stored.size
    with objects.open(stored, case_number=case_number) as stream:
        while piece := stream.read(_PIECE):
            job.step(stage, min(hasher.size, size), size)
            hasher.update(piece)
            if hasher.size > size:
                break
            if copy is not None:
                copy.write(piece)
    if hasher.size != size or not hasher.digest().matches(stored.digests):
        raise IntegrityError("vault.object_damaged")
