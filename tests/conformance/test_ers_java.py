"""Records of ours under BouncyCastle: set BOUNCYCASTLE_JARS to a folder with bcprov, bcutil and bcpkix.

mvn dependency:copy-dependencies of org.bouncycastle:bcpkix-jdk18on puts them there.
"""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from evidence_desk.core.time_record import build_batch, issue_record
from tests.unit.core.time_record.openssl_tsa import OpensslTsa

JARS = os.environ.get("BOUNCYCASTLE_JARS", "")
PROGRAM = Path(__file__).parent / "java" / "ErsCheck.java"
pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(shutil.which("java") is None, reason="java is not installed"),
    pytest.mark.skipif(not Path(JARS or "-").is_dir(), reason="BOUNCYCASTLE_JARS names no folder"),
]
GROUPS = [[b"a0", b"a1", b"a2"], [b"alone"], [b"same", b"same", b"other"], [b"b0", b"b1"], [b"last"]]


def check(folder: Path, record: bytes, group: list[bytes]) -> subprocess.CompletedProcess[str]:
    (folder / "record.ers").write_bytes(record)
    names = [f"object{number}" for number in range(len(group))]
    for name, data in zip(names, group, strict=True):
        (folder / name).write_bytes(data)
    command = ["java", "-cp", f"{JARS}/*", str(PROGRAM), "record.ers", *names]
    return subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)


def test_bouncycastle_confirms_groups_and_single_objects(tmp_path):
    authority = OpensslTsa(tmp_path / "tsa")
    batch = build_batch([[hashlib.sha256(data).digest() for data in group] for group in GROUPS])
    token = authority.token(batch.root)
    for group, tree in zip(GROUPS, batch.trees, strict=True):
        record = issue_record(tree, token, crls=[authority.crl()])
        outcome = check(tmp_path, record, group)
        words = [
            f"{what} passed"
            for what in ["object"] * len(group) + ["group"] * (len(group) > 1) + ["signature"]
        ]
        assert (outcome.returncode, outcome.stdout.splitlines()) == (0, words)
        changed = check(tmp_path, record, [b"changed", *group[1:]])
        assert changed.returncode == 1
        assert changed.stdout.startswith("object failed")
