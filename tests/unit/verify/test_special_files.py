"""Pipes, devices and folders put before the verifier are refused at once instead of waited for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from evidence_desk import verifier
from evidence_desk.core.job import Job
from evidence_desk.errors import UnreadableError
from evidence_desk.verify.files import hash_original, recognize
from tests.fixed import refusal


@pytest.fixture(params=["pipe", "device", "folder"])
def special(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "special"
    match request.param:
        case "pipe":
            os.mkfifo(path)
        case "device":
            path.symlink_to("/dev/zero")
        case _:
            path.mkdir()
    return path


def test_refused(special: Path):
    with refusal("input.not_regular", UnreadableError):
        recognize(special)
    with refusal("input.not_regular", UnreadableError):
        hash_original(special, Job())
    assert verifier.main([str(special), "--json"]) == 66
