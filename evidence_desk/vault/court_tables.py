"""What the court network accepted: verified answers, events about exhibits, tokens over headers, conflicts, the outbox."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from evidence_desk.core.canonical import JSON, encode
from evidence_desk.core.rows import AnchorRow, ConflictRow, ExhibitAnchor, HeaderRow, Outbox, TimestampReply
from evidence_desk.vault.database import Database, Row, optional_time, parse_time, time_text
from evidence_desk.vault.log_repository import LogRepository

_ANCHOR: Final = "a.id, a.chain_id, a.size, a.height, a.header_time, a.answer, a.stored, l.origin"
_UNPROVEN: Final = """
WITH sizes AS (
    SELECT size FROM court_anchors WHERE log_id = ?1 AND chain_id = ?2
    UNION SELECT value FROM json_each(?3)
),
needs AS (
    SELECT e.id, e.leaf_hash, e.seq, coalesce((
        SELECT max(t.attested_seq) FROM time_records r JOIN tokens t ON t.id = r.token_id
        WHERE r.leaf_hash = e.leaf_hash AND t.attested_log = e.log_id), e.seq) AS last
    FROM exhibits e WHERE e.log_id = ?1 AND e.seq < (SELECT coalesce(max(size), 0) FROM sizes)
),
wanted AS (
    SELECT id, leaf_hash, coalesce(
        (SELECT min(size) FROM sizes WHERE size > max(last, seq)), (SELECT min(size) FROM sizes WHERE size > seq)
    ) AS size FROM needs
)
SELECT w.leaf_hash, w.size FROM wanted w
LEFT JOIN court_events v ON v.leaf_hash = w.leaf_hash
LEFT JOIN court_anchors a ON a.id = v.anchor_id
WHERE v.leaf_hash IS NULL OR v.stale = 1 OR a.size <> w.size OR a.chain_id <> ?2
ORDER BY w.size, w.id
"""
_NAMES_AT_ONCE: Final = 500


class CourtRepository:
    """The court's tables (`core.ports.CourtStore`)."""

    def __init__(self, database: Database, log: Callable[[], LogRepository]) -> None:
        self._database = database
        self._log = log

    # --- answers ----------------------------------------------------------------------------------------------

    def add_anchor(self, anchor: AnchorRow, events: Mapping[bytes, bytes]) -> int:
        """Store an answer and the events it proves; sets `anchored` where it was open and closes the outbox."""
        log_id = self._log().log_id
        anchor_id = self._database.write(
            "INSERT INTO court_anchors (log_id, chain_id, size, height, header_time, answer, stored) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                log_id,
                anchor.chain_id,
                anchor.size,
                anchor.height,
                time_text(anchor.header_time),
                anchor.answer,
                time_text(anchor.stored),
            ),
        )
        self._database.write_many(
            "INSERT INTO court_events (leaf_hash, anchor_id, events) VALUES (?, ?, ?) "
            "ON CONFLICT (leaf_hash) DO UPDATE SET anchor_id = excluded.anchor_id, events = excluded.events, stale = 0",
            ((leaf_hash, anchor_id, data) for leaf_hash, data in events.items()),
        )
        self._database.write(
            "UPDATE exhibits SET anchored = ? WHERE log_id = ? AND seq < ? AND anchored IS NULL",
            (time_text(anchor.header_time), log_id, anchor.size),
        )
        self._database.write(
            "UPDATE outbox SET done = ? WHERE kind = 'checkpoint' AND log_id = ? AND size <= ? AND done IS NULL",
            (time_text(anchor.stored), log_id, anchor.size),
        )
        return anchor_id

    def anchored_size(self, chain_id: str) -> int:
        """Greatest anchored size of the active log, 0 when none."""
        row = self._database.row(
            "SELECT max(size) FROM court_anchors WHERE log_id = ? AND chain_id = ?",
            (self._log().log_id, chain_id),
        )
        return 0 if row is None or row[0] is None else int(row[0])

    def anchors(self, chain_id: str) -> Sequence[AnchorRow]:
        """Answers about the active log, oldest first."""
        rows = self._database.rows(
            f"SELECT {_ANCHOR} FROM court_anchors a JOIN logs l ON l.id = a.log_id "  # noqa: S608 - constants only
            "WHERE a.log_id = ? AND a.chain_id = ? ORDER BY a.id",
            (self._log().log_id, chain_id),
        )
        return [_anchor(row) for row in rows]

    def exhibit_anchor(self, leaf_hash: bytes) -> ExhibitAnchor | None:
        """What proves an exhibit of any log; None while nothing does."""
        row = self._database.row(
            f"SELECT {_ANCHOR}, v.events, v.stale FROM court_events v JOIN court_anchors a ON a.id = v.anchor_id "  # noqa: S608
            "JOIN logs l ON l.id = a.log_id WHERE v.leaf_hash = ?",
            (leaf_hash,),
        )
        return None if row is None else ExhibitAnchor(anchor=_anchor(row), events=row[8], stale=bool(row[9]))

    def unproven(self, chain_id: str, planned: Sequence[int] = ()) -> Sequence[tuple[bytes, int]]:
        """(leaf hash, size) of exhibits of the active log whose stored answer is missing, stale or of another size."""
        sizes = encode(list[JSON](planned)).decode()
        rows = self._database.rows(_UNPROVEN, (self._log().log_id, chain_id, sizes))
        return [(bytes(row[0]), int(row[1])) for row in rows]

    def mark_stale(self, leaf_hashes: Sequence[bytes]) -> None:
        """Newer events about these leaves are on chain."""
        self._database.write_many(
            "UPDATE court_events SET stale = 1 WHERE leaf_hash = ?", ((item,) for item in leaf_hashes)
        )

    # --- tokens -----------------------------------------------------------------------------------------------

    def want_tokens(self, headers: Sequence[HeaderRow]) -> None:
        """Note headers that want a token; known ones stay as they are."""
        self._database.write_many(
            "INSERT INTO court_tokens (header_hash, chain_id, height, header_time) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (header_hash) DO NOTHING",
            ((item.header_hash, item.chain_id, item.height, time_text(item.header_time)) for item in headers),
        )

    def wanted_tokens(self) -> Sequence[HeaderRow]:
        """Headers without a token, oldest first."""
        rows = self._database.rows(
            "SELECT header_hash, chain_id, height, header_time FROM court_tokens WHERE token IS NULL ORDER BY height"
        )
        return [
            HeaderRow(header_hash=row[0], chain_id=row[1], height=row[2], header_time=parse_time(row[3]))
            for row in rows
        ]

    def set_token(self, header_hash: bytes, reply: TimestampReply) -> None:
        """Store the token over a header with what was received; the first one stands."""
        self._database.write(
            "UPDATE court_tokens SET token = ?, response = ?, transport = ?, authority = ?, gen_time = ? "
            "WHERE header_hash = ? AND token IS NULL",
            (
                reply.token,
                reply.response,
                encode(dict(reply.transport)),
                reply.authority,
                time_text(reply.gen_time),
                header_hash,
            ),
        )

    def header_tokens(self, header_hashes: Sequence[bytes]) -> Mapping[bytes, bytes]:
        """Tokens by header hash, those there are."""
        found: dict[bytes, bytes] = {}
        for start in range(0, len(header_hashes), _NAMES_AT_ONCE):
            part = header_hashes[start : start + _NAMES_AT_ONCE]
            marks = ",".join("?" * len(part))
            rows = self._database.rows(
                f"SELECT header_hash, token FROM court_tokens WHERE token IS NOT NULL AND header_hash IN ({marks})",  # noqa: S608
                part,
            )
            found.update((bytes(row[0]), bytes(row[1])) for row in rows)
        return found

    # --- conflicts, outbox ------------------------------------------------------------------------------------

    def add_conflict(self, conflict: ConflictRow) -> None:
        """Keep an answer that contradicts our log; the same contradiction is kept once."""
        log_id = self._log().log_id
        known = self._database.row(
            "SELECT 1 FROM court_conflicts WHERE log_id = ? AND code = ? AND size = ? AND root = ?",
            (log_id, conflict.code, conflict.size, conflict.root),
        )
        if known is None:
            self._database.write(
                "INSERT INTO court_conflicts (log_id, found, code, size, root, answer) VALUES (?, ?, ?, ?, ?, ?)",
                (
                    log_id,
                    time_text(conflict.found),
                    conflict.code,
                    conflict.size,
                    conflict.root,
                    conflict.answer,
                ),
            )

    def conflicts(self) -> Sequence[ConflictRow]:
        """Those of the active log, oldest first."""
        rows = self._database.rows(
            "SELECT found, code, size, root, answer FROM court_conflicts WHERE log_id = ? ORDER BY id",
            (self._log().log_id,),
        )
        return [
            ConflictRow(found=parse_time(row[0]), code=row[1], size=row[2], root=row[3], answer=row[4])
            for row in rows
        ]

    def outbox(self) -> Outbox:
        """What waits of the active log."""
        log_id = self._log().log_id
        row = self._database.row(
            "SELECT count(*), coalesce(max(size), 0) FROM outbox "
            "WHERE kind = 'checkpoint' AND log_id = ? AND done IS NULL",
            (log_id,),
        )
        oldest = self._database.row(
            "SELECT attempts, not_before FROM outbox WHERE kind = 'checkpoint' AND log_id = ? AND done IS NULL "
            "ORDER BY id LIMIT 1",
            (log_id,),
        )
        return Outbox(
            waiting=0 if row is None else int(row[0]),
            newest=0 if row is None else int(row[1]),
            attempts=0 if oldest is None else int(oldest[0]),
            not_before=None if oldest is None else optional_time(oldest[1]),
        )

    def note_attempt(self, size: int, not_before: datetime | None) -> None:
        """Count an attempt at the checkpoints of the active log up to `size`."""
        self._database.write(
            "UPDATE outbox SET attempts = attempts + 1, not_before = ? "
            "WHERE kind = 'checkpoint' AND log_id = ? AND size <= ? AND done IS NULL",
            (None if not_before is None else time_text(not_before), self._log().log_id, size),
        )


def _anchor(row: Row) -> AnchorRow:
    return AnchorRow(
        id=row[0],
        chain_id=row[1],
        size=row[2],
        height=row[3],
        header_time=parse_time(row[4]),
        answer=row[5],
        stored=parse_time(row[6]),
        origin=row[7],
    )
