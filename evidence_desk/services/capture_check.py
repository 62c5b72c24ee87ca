"""Check a sealed capture again: all that a stranger can check, and with the keys of the case the decryption too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from evidence_desk.core.job import Job
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.core.trust import Trust
from evidence_desk.core.verdict import Dimension, Policy, Verdict
from evidence_desk.services.capture_count import tally
from evidence_desk.services.captured import Spool, opened_capture, secrets_of
from evidence_desk.services.custody import CustodyNote, record
from evidence_desk.services.desk import Desk
from evidence_desk.verify.capture import Press, verify_capture

CAPTURE_POLICY: Final = Policy(name="capture/1", required=frozenset({Dimension.INTEGRITY}))
"""Of a capture alone; when the exhibit existed, its own proof shows."""


def check_capture(
    desk: Desk,
    exhibit: ExhibitRow,
    *,
    trust: Trust,
    spool: Spool,
    job: Job,
    operator: str = "",
    press: Press | None = None,
    roots: Sequence[bytes] = (),
) -> Verdict:
    """Findings on the capture that an exhibit holds; its streams are decoded anew and compared with its archive.

    Args:
        desk: the open desk.
        exhibit: one that holds a capture.
        trust: for the tokens over the marks.
        spool: makes anonymous files for plain bytes.
        job: stages ``capture.open``, ``capture.check`` and ``capture.build``.
        operator: for the custody record: the capture was decrypted.
        press: prints the environment report again, to compare it.
        roots: DER certificates that those of servers have to lead to.

    Raises:
        UsageError: ``capture_disclose.no_capture``. NotFoundError: ``vault.case_erased``.
        IntegrityError: ``vault.object_damaged``.
    """
    with opened_capture(desk, exhibit, spool, job) as captured:
        outcome = verify_capture(
            captured.source, bond=captured.bond, trust=trust, now=desk.clock.now(), job=job, spool=spool,
            secrets=secrets_of(desk, captured), press=press,
            tally=tally(desk), roots=roots,
        )  # fmt: skip
    record(desk, [CustodyNote(exhibit=exhibit.leaf_hash, action="decrypted", operator=operator)])
    return Verdict(policy=CAPTURE_POLICY, findings=outcome.findings, caveats=outcome.caveats)
