"""The sample case that ships with the program: six exhibits of an invented dispute, sealed like any other."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.core.statement import ExhibitKind
from evidence_desk.errors import EvidenceDeskError, IntegrityError
from evidence_desk.paths import asset
from evidence_desk.services.seal import SealRequest, seal
from evidence_desk.services.timestamp import timestamp
from evidence_desk.vault.faults import host_faults

_FOLDER: Final = "sample_case"


def seal_sample(session: Session, job: Job) -> int:
    """Seal the sample case and have it timestamped where an authority is set; how many exhibits.

    Raises:
        EvidenceDeskError: the first exhibit that could not be sealed tells why; those before it stay.
        CanceledError: what is sealed so far stays.
    """
    with host_faults(_FOLDER), tempfile.TemporaryDirectory(prefix="evidence-desk-") as name:
        folder = Path(name)
        case: dict[str, Any] = json.loads(asset(_FOLDER, "case.json").read_text("utf-8"))
        _prepare(case, folder)
        for item in case["exhibits"]:
            for fault in _seal_one(session, case, item, folder, job):
                raise fault
    if session.authorities:
        timestamp(session.desk, session.authorities, job=job)
    return len(case["exhibits"])


def _seal_one(
    session: Session, case: dict[str, Any], item: dict[str, Any], folder: Path, job: Job
) -> Iterator[EvidenceDeskError]:
    request = SealRequest(
        case_number=case["case_number"],
        court=case["court"],
        cause=case["cause"],
        parties=tuple(f"{one['role']} {one['name']}（{one['representative']}）" for one in case["parties"]),
        title=item["title"],
        kind=ExhibitKind(item["kind"]),
        purpose=item["purpose"],
        source={"obtained": item["source"]},
        operator={"name": case["operator"]},
        interest=case["interest"],
    )
    outcomes = seal(session.desk, [folder / path for path in item["paths"]], request, job=job)
    yield from (outcome.error for outcome in outcomes if outcome.error is not None)


def _prepare(case: dict[str, Any], folder: Path) -> None:
    """A copy with its modification times, and what is too large to ship made anew."""
    for made in case["generated"]:
        head = bytes.fromhex(made["head_hex"])
        body = hashlib.shake_256(made["shake_256_seed"].encode()).digest(made["size"] - len(head))
        if hashlib.sha256(head + body).hexdigest() != made["sha256"]:
            raise IntegrityError("ui_start.sample_differs", name=made["path"])
        (folder / made["path"]).write_bytes(head + body)
    for exhibit in case["exhibits"]:
        for path in exhibit["paths"]:
            _copy(asset(_FOLDER), path, folder)
    for path, moment in case["modified"].items():
        seconds = datetime.fromisoformat(moment).timestamp()
        os.utime(folder / path, (seconds, seconds))


def _copy(source: Path, path: str, folder: Path) -> None:
    if (source / path).is_dir():
        shutil.copytree(source / path, folder / path)
    elif (source / path).exists():
        shutil.copy(source / path, folder / path)
