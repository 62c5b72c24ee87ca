"""Timestamp tokens with their transport evidence, and the reduced trees of their batches (RFC 4998 §4.2)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Final

from evidence_desk.core.digests import DIGEST_SIZE
from evidence_desk.core.rows import TimeRecordRow, TokenRow
from evidence_desk.errors import BugError, IntegrityError, NotFoundError
from evidence_desk.vault.database import Database, Row, parse_time, time_text
from evidence_desk.vault.log_repository import LogRepository

_COLUMNS: Final = (
    "t.id, t.token_sha256, t.token, t.request, t.response, t.transport, t.authority, t.gen_time, t.preimage, "
    "t.attested_seq, l.origin"
)
_FROM: Final = f"SELECT {_COLUMNS} FROM tokens t LEFT JOIN logs l ON l.id = t.attested_log"  # noqa: S608 - constants
_RECORD: Final = (
    "SELECT t.token_sha256, r.leaf_hash, r.group_index, r.tree, r.data "
    "FROM time_records r JOIN tokens t ON t.id = r.token_id"
)
_COUNT_SIZE: Final = 4


class TimeTables:
    """Tokens and time records."""

    def __init__(self, database: Database, log: Callable[[], LogRepository]) -> None:
        self._database = database
        self._log = log

    def add_token(self, token: TokenRow, records: Sequence[TimeRecordRow]) -> None:
        """Store an accepted token with the reduced trees of its batch; sets `timestamped` where it was open."""
        if any(record.token_sha256 != token.token_sha256 for record in records):
            raise BugError("bug.record_of_other_token")
        token_id = self._database.write(
            "INSERT INTO tokens (token_sha256, token, request, response, transport, authority, gen_time, preimage) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                token.token_sha256,
                token.token,
                token.request,
                token.response,
                token.transport,
                token.authority,
                time_text(token.gen_time),
                token.preimage,
            ),
        )
        self._add_crls(token_id, token.crls)
        self._write_records(token_id, token.gen_time, records)
        if token.attested_seq is not None:
            self.set_attested(token.token_sha256, token.attested_seq)

    def add_records(self, token: TokenRow, records: Sequence[TimeRecordRow]) -> None:
        """Add to a stored token the reduced trees (and preimage) that are not there; sets `timestamped`.

        Raises:
            NotFoundError: ``vault.no_token``.
        """
        row = self._database.row(
            "SELECT id, gen_time FROM tokens WHERE token_sha256 = ?", (token.token_sha256,)
        )
        if row is None:
            raise NotFoundError("vault.no_token")
        self._database.write(
            "UPDATE tokens SET preimage = ? WHERE id = ? AND preimage = x''", (token.preimage, row[0])
        )
        known = {
            (item[0], item[1])
            for item in self._database.rows(
                "SELECT leaf_hash, group_index FROM time_records WHERE token_id = ?", (row[0],)
            )
        }
        fresh = [item for item in records if (item.leaf_hash, item.group) not in known]
        self._write_records(row[0], parse_time(row[1]), fresh)

    def set_attested(self, token_sha256: bytes, seq: int) -> None:
        """Record the seq, in the active log, of a token's ``time.attested`` leaf.

        Raises:
            NotFoundError: ``vault.no_token``.
        """
        changed = self._database.change(
            "UPDATE tokens SET attested_log = ?, attested_seq = ? WHERE token_sha256 = ?",
            (self._log().log_id, seq, token_sha256),
        )
        if not changed:
            raise NotFoundError("vault.no_token")

    def token(self, token_sha256: bytes) -> TokenRow:
        """One token.

        Raises:
            NotFoundError: ``vault.no_token``.
        """
        row = self._database.row(f"{_FROM} WHERE t.token_sha256 = ?", (token_sha256,))
        if row is None:
            raise NotFoundError("vault.no_token")
        return self._token(row)

    def token_attested_at(self, seq: int) -> TokenRow | None:
        """The token that leaf `seq` of the active log attests."""
        row = self._database.row(
            f"{_FROM} WHERE t.attested_log = ? AND t.attested_seq = ?", (self._log().log_id, seq)
        )
        return None if row is None else self._token(row)

    def token_owners(self, token_sha256: bytes) -> Sequence[bytes]:
        """Leaf hashes of the exhibits in a token's batch, in the order of their registration."""
        rows = self._database.rows(
            "SELECT e.leaf_hash FROM exhibits e WHERE e.leaf_hash IN (SELECT r.leaf_hash FROM time_records r "
            "JOIN tokens t ON t.id = r.token_id WHERE t.token_sha256 = ?) ORDER BY e.id",
            (token_sha256,),
        )
        return [row[0] for row in rows]

    def tokens(self) -> Iterator[TokenRow]:
        """All tokens, oldest first."""
        last = 0
        while row := self._database.row(f"{_FROM} WHERE t.id > ? ORDER BY t.id LIMIT 1", (last,)):
            yield self._token(row)
            last = row[0]

    def time_records(self, leaf_hash: bytes) -> Sequence[TimeRecordRow]:
        """Reduced trees of an exhibit, by token then group."""
        rows = self._database.rows(
            f"{_RECORD} WHERE r.leaf_hash = ? ORDER BY r.token_id, r.group_index", (leaf_hash,)
        )
        return [_record(row) for row in rows]

    def checkpoint_record(self, token_sha256: bytes) -> TimeRecordRow | None:
        """The checkpoint's reduced tree in a token's batch."""
        row = self._database.row(
            f"{_RECORD} WHERE t.token_sha256 = ? AND r.leaf_hash IS NULL", (token_sha256,)
        )
        return None if row is None else _record(row)

    def _write_records(self, token_id: int, gen_time: datetime, records: Sequence[TimeRecordRow]) -> None:
        self._database.write_many(
            "INSERT INTO time_records (token_id, leaf_hash, group_index, tree, data) VALUES (?, ?, ?, ?, ?)",
            ((token_id, item.leaf_hash, item.group, encode_tree(item.tree), item.data) for item in records),
        )
        stamped = {record.leaf_hash for record in records if record.leaf_hash is not None}
        self._database.write_many(
            "UPDATE exhibits SET timestamped = ? WHERE leaf_hash = ? AND timestamped IS NULL",
            ((time_text(gen_time), leaf_hash) for leaf_hash in stamped),
        )

    def _add_crls(self, token_id: int, crls: Sequence[bytes]) -> None:
        """Each CRL is stored once, however many tokens carry it."""
        for position, crl in enumerate(crls):
            digest = hashlib.sha256(crl).digest()
            self._database.write(
                "INSERT INTO crls (sha256, crl) VALUES (?, ?) ON CONFLICT (sha256) DO NOTHING", (digest, crl)
            )
            self._database.write(
                "INSERT INTO token_crls (token_id, position, crl_id) SELECT ?, ?, id FROM crls WHERE sha256 = ?",
                (token_id, position, digest),
            )

    def _token(self, row: Row) -> TokenRow:
        crls = self._database.rows(
            "SELECT c.crl FROM token_crls t JOIN crls c ON c.id = t.crl_id WHERE t.token_id = ? ORDER BY t.position",
            (row[0],),
        )
        return TokenRow(
            token_sha256=row[1],
            token=row[2],
            request=row[3],
            response=row[4],
            transport=row[5],
            authority=row[6],
            gen_time=parse_time(row[7]),
            preimage=row[8],
            crls=tuple(crl[0] for crl in crls),
            attested_seq=row[9],
            attested_origin=row[10] or "",
        )


def encode_tree(tree: Sequence[Sequence[bytes]]) -> bytes:
    """Lists of 32-byte hashes as bytes: for each list its length (4 bytes, big-endian), then the hashes."""
    parts: list[bytes] = []
    for hashes in tree:
        if any(len(item) != DIGEST_SIZE for item in hashes):
            raise BugError("bug.tree_hash")
        parts.append(len(hashes).to_bytes(_COUNT_SIZE, "big"))
        parts.extend(hashes)
    return b"".join(parts)


def decode_tree(data: bytes) -> tuple[tuple[bytes, ...], ...]:
    """Lists of `encode_tree`.

    Raises:
        IntegrityError: ``vault.damaged``.
    """
    lists: list[tuple[bytes, ...]] = []
    position = 0
    while position < len(data):
        start = position + _COUNT_SIZE
        end = start + DIGEST_SIZE * int.from_bytes(data[position:start], "big")
        if end > len(data) or start > len(data):
            raise IntegrityError("vault.damaged", what="time_records")
        lists.append(tuple(data[at : at + DIGEST_SIZE] for at in range(start, end, DIGEST_SIZE)))
        position = end
    return tuple(lists)


def _record(row: Row) -> TimeRecordRow:
    return TimeRecordRow(
        token_sha256=row[0], leaf_hash=row[1], group=row[2], tree=decode_tree(row[3]), data=row[4]
    )
