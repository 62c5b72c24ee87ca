"""The verification report as PDF. Done beside the window."""

from __future__ import annotations

from pathlib import Path

from evidence_desk.bootstrap.files import written
from evidence_desk.core.job import Job
from evidence_desk.services.examination import Examination
from evidence_desk.texts import Language


def save_report(done: Examination, path: Path, language: Language, job: Job) -> None:
    """Write the report where the user chose; the dialog asked before a file is replaced.

    Raises:
        HostError: ``output.unwritable``, ``host.disk_full``.
    """
    pdf = report_bytes(done, language, job)
    with written(path, force=True) as stream:
        stream.write(pdf)


def report_bytes(done: Examination, language: Language, job: Job) -> bytes:
    """The report as PDF/A."""
    from reports.verification import verification_report  # noqa: PLC0415 - PDF libraries load slowly

    job.step("report", 0, 0)
    return verification_report(done, language=language)
