"""What follows sealing: a certificate, a package. Work of one click each, on exhibits chosen in the list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject

from evidence_desk.bootstrap.files import written
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.errors import EvidenceDeskError, PermissionDeniedError
from evidence_desk.services.certify import CertifyOutcome, certify
from evidence_desk.services.export import export
from evidence_desk.services.find import exhibits_of
from ui.context import Context

MOST: Final = 50
"""Exhibits that one certificate by one click covers; more are issued on the page Certify."""


def issue_one(
    context: Context, owner: QObject, leaves: Sequence[bytes], elsewhere: Callable[[], None]
) -> None:
    """One certificate over exhibits of one case, saved where the user says; `elsewhere` where more is to be decided.

    More has to be decided in two-person mode, for many exhibits, and for a signing key in a token (its PIN).
    """
    if len(leaves) > MOST:
        elsewhere()
        return

    def chosen(path: Path) -> None:
        def work(session: Session, job: Job) -> CertifyOutcome:
            rows = exhibits_of(session.desk, leaves)
            with written(path, force=True) as stream:  # the dialog asked before a file is replaced
                outcome = certify(session.desk, rows, session.issuer(), trust=session.trust, job=job)
                stream.write(outcome.certificate.pdf)
            return outcome

        def told(outcome: CertifyOutcome) -> None:
            context.messages.inform("ui_seal.certificate.done", path=str(path))
            if outcome.unprintable:
                context.messages.inform("certify.unprintable", characters=" ".join(outcome.unprintable))

        def failed(error: EvidenceDeskError) -> None:
            if isinstance(error, PermissionDeniedError):
                elsewhere()
            else:
                context.tasks.on_unhandled(error)

        context.desk.run(work, owner=owner, done=told, failed=failed, title="ui.work.certify", changes=True)

    context.messages.save_as("存证证书.pdf", chosen, code="ui_seal.certificate")


def export_all(context: Context, owner: QObject, leaves: Sequence[bytes]) -> None:
    """Packages of exhibits: one into a file, several into a folder, each under its evidence number."""
    if len(leaves) == 1:
        context.messages.save_as(
            "证据包.asice", lambda path: _export(context, owner, leaves, lambda _row: path, path), code="ui_seal.package"
        )  # fmt: skip
    else:
        context.messages.open_folder(
            lambda folder: _export(
                context, owner, leaves, lambda row: folder / f"{row.number}.asice", folder
            ),
            code="ui_seal.package",
        )


def _export(
    context: Context,
    owner: QObject,
    leaves: Sequence[bytes],
    place: Callable[[ExhibitRow], Path],
    shown: Path,
) -> None:
    force = len(leaves) == 1

    def work(session: Session, job: Job) -> int:
        rows = exhibits_of(session.desk, leaves)
        trust = session.trust
        for row in rows:
            with written(place(row), force=force) as stream:
                export(session.desk, row, stream, trust=trust, job=job)
        return len(rows)

    def told(count: int) -> None:
        code = "ui_seal.package.done" if count == 1 else "ui_seal.packages.done"
        context.messages.inform(code, count=count, path=str(shown))

    context.desk.run(work, owner=owner, done=told, title="ui.work.export", changes=True)
