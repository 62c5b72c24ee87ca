"""The digest of the program is over all of its files, and every statement names it."""

from __future__ import annotations

from pathlib import Path

from evidence_desk import __version__
from evidence_desk.core.digests import DigestPair
from evidence_desk.program import program

ROOT = Path(__file__).parents[2]


def test_digest_can_be_recomputed():
    data = b""
    files = [
        path for name in ("evidence_desk", "reports", "tsa", "ui") for path in (ROOT / name).rglob("*")
        if path.suffix in {".py", ".sql"}
    ]  # fmt: skip
    for path in sorted(
        files, key=lambda item: (item.relative_to(ROOT).parts[0], item.relative_to(ROOT).as_posix())
    ):
        content = path.read_bytes()
        data += f"{path.relative_to(ROOT).as_posix()}\0{len(content)}\0".encode() + content
    assert program().digests == DigestPair.of(data)
    assert program().version == __version__
