"""Child of the kill -9 tests: seals without end and reports each acknowledged exhibit on standard output."""

from __future__ import annotations

import io
import random
import sys
from datetime import UTC, datetime
from pathlib import Path

from evidence_desk.core.job import Job
from evidence_desk.core.rows import CaseRow, ExhibitRow, ObjectRow
from evidence_desk.vault.store import Vault
from tests.unit.vault.rows import CASE, PASSPHRASE, add_leaves


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


def main(folder: Path, seed: int) -> None:
    source = random.Random(seed)
    clock = SystemClock()
    vault = Vault.open(folder, PASSPHRASE, clock=clock)
    print("open", flush=True)
    while True:
        contents = [marked(source) for _ in range(source.choice([1, 1, 3]))]
        with vault.objects.batch():
            stored = [
                vault.objects.put(io.BytesIO(data), case_number=CASE, size=len(data), job=Job())
                for data in contents
            ]
        now = clock.now()
        with vault.transaction():
            vault.exhibits.add_case(CaseRow(number=CASE, details=b"{}", created=now))
            start = vault.log.size()
            leaves = add_leaves(
                vault, *(f"{start + n} {item.name}".encode() for n, item in enumerate(stored))
            )
            for leaf, item in zip(leaves, stored, strict=True):
                vault.exhibits.add_exhibit(
                    ExhibitRow(
                        leaf_hash=leaf.leaf_hash,
                        seq=leaf.seq,
                        number=f"ED-{leaf.seq}",
                        case_number=CASE,
                        exhibit_no=str(leaf.seq),
                        title="机密标题",
                        kind="书证",
                        statement=b"SECRET-STATEMENT" * 9,
                        disclosures=b"[]",
                        objects=(ObjectRow(position=0, path="机密文件.pdf", media_type="x/y", stored=item),),
                        registered=now,
                        logged=now,
                    )
                )
        for leaf in leaves:
            print(leaf.leaf_hash.hex(), flush=True)


def marked(source: random.Random) -> bytes:
    """Bytes of any size that carry a readable mark."""
    size = source.choice([10, 4096, 60_000, 1_500_000])
    return b"SECRET-CONTENT" + source.randbytes(16) + bytes(size)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
