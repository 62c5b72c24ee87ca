"""What tests of the vault put into one: a clock that stands still, cheap passphrase costs, leaves, exhibits."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from evidence_desk.core.digests import sha256
from evidence_desk.core.job import Job
from evidence_desk.core.rows import (
    CaseRow,
    ExhibitRow,
    LeafRow,
    LogAppend,
    ObjectRow,
    StoredObject,
)
from evidence_desk.vault.keys import KdfParameters
from evidence_desk.vault.store import Vault

ORIGIN = "desk.test.evidence/00000000-0000-4000-8000-000000000001/1"
PASSPHRASE = "正确的口令 correct horse"
CASE = "（2026）京0105民初1234号"
CHEAP = KdfParameters(memory_kib=64, iterations=1, lanes=1)


@dataclass
class StandingClock:
    """Moves only when told, or when somebody sleeps on it."""

    moment: datetime = field(default_factory=lambda: datetime(2026, 11, 21, 8, 30, 0, 123456, tzinfo=UTC))
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.moment

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.moment += timedelta(seconds=seconds)


def add_leaves(vault: Vault, *leaves: bytes, note: bytes | None = None) -> list[LeafRow]:
    """Append leaves and their level-0 tiles, inside the caller's transaction."""
    start = vault.log.size()
    rows = [
        LeafRow(seq=seq, type="exhibit.sealed", leaf_hash=sha256(b"\0" + leaf), leaf=leaf)
        for seq, leaf in enumerate(leaves, start)
    ]
    tiles: dict[tuple[int, int], bytes] = {}
    for row in rows:
        place = (0, row.seq // 256)
        tiles[place] = (tiles.get(place) or vault.log.tile(*place)) + row.leaf_hash
    append = LogAppend(
        old_size=start, leaves=tuple(rows), tiles=tiles, checkpoint=note or b"note %d" % (start + len(rows))
    )
    vault.log.write(append)
    return rows


def put(vault: Vault, data: bytes, case: str = CASE) -> StoredObject:
    return vault.objects.put(io.BytesIO(data), case_number=case, size=len(data), job=Job())


def seal(
    vault: Vault, content: bytes, *, case: str = CASE, name: str = "合同.pdf", number: str = "ED-1"
) -> ExhibitRow:
    """Put one original and write leaf and exhibit in one transaction."""
    stored = put(vault, content, case)
    now = vault.clock.now()
    with vault.transaction():
        vault.exhibits.add_case(CaseRow(number=case, details=b"{}", created=now))
        leaf = add_leaves(vault, b'{"seq":%d,"of":"%s"}' % (vault.log.size(), stored.name.encode()))[0]
        row = ExhibitRow(
            leaf_hash=leaf.leaf_hash,
            seq=leaf.seq,
            number=number,
            case_number=case,
            exhibit_no=str(vault.exhibits.next_exhibit_index(case)),
            title="借款合同",
            kind="书证",
            statement=b'{"v":"statement/1"}',
            disclosures=b"[]",
            objects=(ObjectRow(position=0, path=name, media_type="application/pdf", stored=stored),),
            registered=now,
            logged=now,
        )
        vault.exhibits.add_exhibit(row)
    return row
