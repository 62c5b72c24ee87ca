"""What proves an accepted checkpoint for ever: sub-roots and desk entry right after its block, kept when it is committed.

The maps can prove the last blocks only; a desk that was cut off, or a judge years later, asks for this. It proves
itself under header H+1 and is in no hash.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.court.node.app.commitments import DESKS, LIST, Commitments
from evidence_desk.court.node.app.store import Changes
from evidence_desk.court.protocol.light_block import to_base64
from evidence_desk.court.protocol.part import roots_json
from evidence_desk.court.protocol.registry import CHECKPOINT_RECORD
from evidence_desk.court.protocol.state import desk_key

ANCHORS: Final = "anchors"
"""Space: index in the list of checkpoints (8 bytes) → canonical JSON {height, roots, entry, proof}."""
_LIMIT: Final = 64 * 1024


def anchor_rows(changes: Changes, commitments: Commitments) -> Changes:
    """Rows for the checkpoints that a block accepted; `commitments` already hold the block."""
    rows: dict[tuple[str, bytes], bytes] = {}
    roots = roots_json(commitments.roots())
    for (space, key), value in changes.items():
        if space != LIST:
            continue
        record = CHECKPOINT_RECORD.decode(value)
        entry, proof = commitments.prove(DESKS, desk_key(record.origin))
        facts: dict[str, JSON] = {
            "height": record.height,
            "roots": roots,
            "entry": to_base64(entry or b""),
            "proof": to_base64(proof.encode()),
        }
        rows[ANCHORS, key] = encode(facts)
    return rows


def read_anchor(row: bytes) -> Mapping[str, JSON]:
    """Facts as stored."""
    facts = decode(row, what="anchor", limit=_LIMIT)
    return facts if isinstance(facts, dict) else {}
