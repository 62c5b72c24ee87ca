"""The worked example of docs/spec/time-record.md is what the program computes; UPDATE_SPEC=1 rewrites it."""

import hashlib
import os
from pathlib import Path

from evidence_desk.core.time_record import (
    ArchiveTimeStamp,
    DigestAlgorithm,
    EvidenceRecord,
    build_batch,
    encode_record,
    path_text,
)

PAGE = Path(__file__).parents[4] / "docs" / "spec" / "time-record.md"
MARK = "<!-- example -->\n"
NAMES = [["statement", "photo"], ["checkpoint"], ["header"]]


def example() -> str:
    hashes = {name: hashlib.sha256(name.encode()).digest() for group in NAMES for name in group}
    batch = build_batch([[hashes[name] for name in group] for group in NAMES])
    lines = ["```"]
    lines += [f"sha256({name}) = {value.hex()}" for name, value in hashes.items()]
    lines += [f"preimage = {batch.preimage.hex()}", f"root     = {batch.root.hex()}"]
    for group, tree in zip(NAMES, batch.trees, strict=True):
        lines += ["", f"reduced tree of {{{', '.join(group)}}}"]
        lines += [f"  {' '.join(value.hex() for value in values)}" for values in tree]
    digest = DigestAlgorithm(oid="2.16.840.1.101.3.4.2.1")
    stamp = ArchiveTimeStamp(digest=digest, attributes=None, tree=batch.trees[0], token=b"")
    record = encode_record(EvidenceRecord(digests=(digest,), chains=((stamp,),))).hex()
    lines += ["", "record of {statement, photo} up to the token (lengths as if the token were empty)"]
    lines += [f"  {record[at : at + 64]}" for at in range(0, len(record), 64)]
    text = path_text(batch.trees[1], batch.root)
    lines += ["", "path.txt of {checkpoint}, without its explanation"]
    lines += [f"  {line}" for line in text.splitlines() if not line.startswith("#") or "root: " in line]
    return "\n".join([*lines, "```", ""])


def test_worked_example():
    head, _, shown = PAGE.read_text(encoding="utf-8").partition(MARK)
    if os.environ.get("UPDATE_SPEC"):
        PAGE.write_text(head + MARK + example(), encoding="utf-8")
        shown = example()
    assert shown == example()
