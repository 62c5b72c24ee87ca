"""The age command line, which is not our code, recovers an original from folder and case identity."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from tests.unit.vault.rows import CASE, put


@pytest.mark.skipif(
    shutil.which("age") is None, reason="the age command line is not installed (apt install age)"
)
@pytest.mark.parametrize("size", [0, 5, 3_000_000])
def test_age_decrypts_an_object(vault, tmp_path, size):
    data = os.urandom(size)
    stored = put(vault, data)
    identity = tmp_path / "identity.txt"
    identity.write_text(vault.case_identity(CASE) + "\n")
    path = vault.folder / "objects" / stored.name
    done = subprocess.run(["age", "-d", "-i", str(identity), str(path)], capture_output=True, check=True)
    assert done.stdout == data
