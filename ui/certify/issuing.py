"""Issues what was chosen: one certificate or a thousand, saved as it is issued. No widgets; runs beside the window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from evidence_desk.bootstrap.files import written
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.job import Job
from evidence_desk.core.ports import CertificateIssuer
from evidence_desk.core.signing_ports import PinPrompt
from evidence_desk.errors import (
    CanceledError,
    EvidenceDeskError,
    IntegrityError,
    MalformedError,
    NotFoundError,
    UsageError,
)
from evidence_desk.services.certify import draft, issue
from evidence_desk.services.confirm import Draft, confirm
from evidence_desk.services.find import exhibits_of
from evidence_desk.services.persons import Unlocked
from ui.certify.drafting import Order, numbered

_OF_ONE = (IntegrityError, MalformedError, NotFoundError, UsageError)
"""Errors of one certificate, after which the others are issued all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """One issued certificate and where it was saved."""

    number: str
    case_number: str
    digests: DigestPair
    issued: datetime
    exhibits: int
    path: Path
    confirmed_by: str = ""
    unprintable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """One that was not issued: its exhibits' numbers, and why."""

    exhibits: str
    error: EvidenceDeskError


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """What a run came to.

    Attributes:
        stopped: what ended it before its time: a cancellation, a full disk, a token that was pulled out.
        left: certificates that were not begun.
    """

    issued: tuple[Issued, ...] = ()
    refused: tuple[Refused, ...] = ()
    stopped: EvidenceDeskError | None = None
    left: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where certificates go: one file, or a folder in which each gets its number as name."""

    path: Path
    folder: bool

    def place(self, number: str) -> Path:
        """Path of one certificate."""
        return self.path / f"{number}.pdf" if self.folder else self.path


Sink = Callable[[Issued], None]
Maker = Callable[[CertificateIssuer], Draft]
"""Makes one draft; the makers of a run come with their exhibits' names, for messages."""


def issue_alone(
    session: Session, order: Order, target: Target, *, prompt: PinPrompt, job: Job, sink: Sink
) -> Issue:
    """Issue in one-person mode; see `_run`."""
    trust = session.trust
    inner = (
        job if len(order.groups) == 1 else Job()
    )  # a batch is paused and canceled between two certificates

    def maker(group: Sequence[bytes]) -> Maker:
        def make(issuer: CertificateIssuer) -> Draft:
            made = draft(
                session.desk, exhibits_of(session.desk, group), issuer, trust=trust, job=inner, operator=order.operator,
                two_person=False,
            )  # fmt: skip
            return numbered(session, made, order.moment)

        return make

    makers = [(_name(session, group), maker(group)) for group in order.groups]
    return _run(session, makers, target, None, prompt=prompt, job=job, sink=sink)


def issue_confirmed(
    session: Session,
    drafts: Sequence[Draft],
    second: Unlocked,
    target: Target,
    *,
    prompt: PinPrompt,
    job: Job,
    sink: Sink,
) -> Issue:
    """Have the second person sign the very drafts he looked at, and issue them."""

    def maker(made: Draft) -> Maker:
        return lambda _issuer: made

    makers = [(made.exhibits[0].number, maker(made)) for made in drafts]
    return _run(session, makers, target, second, prompt=prompt, job=job, sink=sink)


def _run(
    session: Session,
    makers: Sequence[tuple[str, Maker]],
    target: Target,
    second: Unlocked | None,
    *,
    prompt: PinPrompt,
    job: Job,
    sink: Sink,
) -> Issue:
    """Issue one by one; a PIN is asked for once, before anything is issued, and the login ends with the run.

    Raises:
        EvidenceDeskError: what stopped it before the first certificate was issued.
    """
    issued: list[Issued] = []
    refused: list[Refused] = []
    stopped: EvidenceDeskError | None = None
    try:
        session.signer.unlock(prompt)
        issuer = session.issuer()
        for done, (name, make) in enumerate(makers):
            job.step("issue", done, len(makers))
            try:
                made = _one(session, make(issuer), second, issuer, target)
            except _OF_ONE as error:
                if len(makers) == 1:
                    raise
                refused.append(Refused(exhibits=name, error=error))
                continue
            issued.append(made)
            sink(made)
        job.step("issue", len(makers), len(makers))
    except EvidenceDeskError as error:
        if not issued and not refused:
            raise
        stopped = error
    finally:
        session.signer.close()
    left = len(makers) - len(issued) - len(refused)
    if stopped is not None and isinstance(stopped, CanceledError) and not left:
        stopped = None
    return Issue(issued=tuple(issued), refused=tuple(refused), stopped=stopped, left=left)


def _one(
    session: Session, made: Draft, second: Unlocked | None, issuer: CertificateIssuer, target: Target
) -> Issued:
    """The file is opened before the certificate is issued: a folder that cannot be written to costs nothing."""
    path = target.place(made.certificate.number)
    with written(path, force=not target.folder) as stream:  # the dialog asked before a file is replaced
        confirmation = None if second is None else confirm(session.desk, made, second, issuer)
        outcome = issue(session.desk, made, confirmation, issuer)
        stream.write(outcome.certificate.pdf)
    row = outcome.certificate
    return Issued(
        number=row.number,
        case_number=made.certificate.case.number,
        digests=row.digests,
        issued=row.issued,
        exhibits=len(row.exhibits),
        path=path,
        confirmed_by="" if second is None else second.person.name,
        unprintable=outcome.unprintable,
    )


def _name(session: Session, group: Sequence[bytes]) -> str:
    row = session.vault.exhibits.exhibit(group[0])
    return group[0].hex()[:16] if row is None else row.number
