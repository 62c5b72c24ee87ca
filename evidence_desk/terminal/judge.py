"""Verdicts for ``evidence-desk verify`` and ``evidence-verify``: the same function, the same output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from evidence_desk.core.trust import NO_TRUST, Trust
from evidence_desk.core.verdict import ExitStatus, Status, worst
from evidence_desk.errors import EvidenceDeskError
from evidence_desk.terminal.layout import printable
from evidence_desk.terminal.output import Output, error_json
from evidence_desk.terminal.verdict_output import print_verdict, verdict_json
from evidence_desk.verify.files import InputVerdict, Originals, read_trust, verify_path

_ORDER = (ExitStatus.UNRECOGNIZED, ExitStatus.FAILED, ExitStatus.UNDETERMINED, ExitStatus.PASSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Verdicts on several paths, what they were judged against, and the exit status they come to."""

    verdicts: tuple[InputVerdict, ...]
    status: ExitStatus
    originals: Originals
    trust: Trust
    now: datetime


def judge(
    out: Output, paths: Sequence[Path], *, files: Sequence[Path], trust: Path | None, strict: bool
) -> Judged:
    """Judge each path and say so.

    Raises:
        EvidenceDeskError: the only path cannot be judged at all (missing, not recognizable).
    """
    roots = read_trust(trust) if trust is not None else NO_TRUST
    now = datetime.now(UTC)
    verdicts: list[InputVerdict] = []
    errors: list[EvidenceDeskError] = []
    with out.job() as job:
        originals = Originals(files, job)
        for path in paths:
            try:
                verdicts.append(verify_path(path, originals=originals, trust=roots, now=now, job=job))
            except EvidenceDeskError as error:
                if len(paths) == 1:
                    raise
                errors.append(error)
    statuses = {item.verdict.exit_status(strict=strict) for item in verdicts}
    for item in verdicts:
        if len(paths) > 1:
            out.line(f"== {printable(item.path.name)}")
        if not out.as_json:
            print_verdict(item.verdict, out.language, out.console, strict=strict)
    for told in errors:
        out.warn(told)
        statuses.add(ExitStatus.UNRECOGNIZED)
    out.document(_document(out, verdicts, errors))
    return Judged(
        verdicts=tuple(verdicts),
        status=next(status for status in _ORDER if status in statuses),
        originals=originals,
        trust=roots,
        now=now,
    )


def _document(
    out: Output, verdicts: list[InputVerdict], errors: list[EvidenceDeskError]
) -> dict[str, object]:
    parts = [(item, verdict_json(item.verdict, out.language)) for item in verdicts]
    if len(parts) == 1 and not errors:
        return {**parts[0][1], "kind": parts[0][0].kind.value}
    overall = worst(item.verdict.overall for item in verdicts)
    if errors and overall is Status.PASSED:
        overall = Status.UNDETERMINED
    return {
        "overall": overall.value,
        "findings": [finding for _, part in parts for finding in part["findings"]],
        "caveats": [caveat for _, part in parts for caveat in part["caveats"]],
        "inputs": [{"path": str(item.path), "kind": item.kind.value, **part} for item, part in parts],
        "errors": [error_json(error, out.language) for error in errors],
    }
