"""All tables that are not the log's (`core.ports.ExhibitStore`): adds certificates, custody and settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from evidence_desk.core.digests import DigestPair
from evidence_desk.core.rows import CertificateRow, CustodyRow
from evidence_desk.errors import NotFoundError
from evidence_desk.vault.case_tables import CaseTables
from evidence_desk.vault.database import Row, Value, optional_time, parse_time, time_text
from evidence_desk.vault.time_tables import TimeTables

_CERTIFICATE: Final = (
    "SELECT id, number, certificates.leaf_hash, sha256, sm3, pdf, issued, revoked, reason FROM certificates"
)
_COVERING: Final = "WHERE id IN (SELECT certificate_id FROM certificate_exhibits WHERE leaf_hash = ?)"
_JUDGE: Final = (
    "UPDATE exhibits SET certified = (SELECT min(c.issued) FROM certificate_exhibits x "
    "JOIN certificates c ON c.id = x.certificate_id WHERE x.leaf_hash = exhibits.leaf_hash AND c.revoked IS NULL) "
    "WHERE leaf_hash IN (SELECT leaf_hash FROM certificate_exhibits WHERE certificate_id = ?)"
)
_CUSTODY: Final = (
    "SELECT c.id, c.exhibit, c.at, c.action, c.operator, c.details, c.leaf_seq, l.origin "
    "FROM custody c LEFT JOIN logs l ON l.id = c.leaf_log"
)


class ExhibitRepository(CaseTables, TimeTables):
    """Exhibits, cases, tokens, certificates, custody, settings."""

    def add_certificate(self, certificate: CertificateRow) -> None:
        """Store an issued certificate; its exhibits are certified since their oldest one in force."""
        issued = time_text(certificate.issued)
        certificate_id = self._database.write(
            "INSERT INTO certificates (number, leaf_hash, sha256, sm3, pdf, issued, revoked, reason) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                certificate.number,
                certificate.leaf_hash,
                certificate.digests.sha256,
                certificate.digests.sm3,
                certificate.pdf,
                issued,
                None if certificate.revoked is None else time_text(certificate.revoked),
                certificate.reason,
            ),
        )
        self._database.write_many(
            "INSERT INTO certificate_exhibits (certificate_id, position, leaf_hash) VALUES (?, ?, ?)",
            ((certificate_id, position, exhibit) for position, exhibit in enumerate(certificate.exhibits)),
        )
        self._judge(certificate_id)

    def revoke_certificate(self, number: str, at: datetime, reason: str) -> None:
        """Mark a certificate revoked; the first revocation stands. Exhibits without another are certified no more.

        Raises:
            NotFoundError: ``vault.no_certificate``.
        """
        found = self._database.row("SELECT id FROM certificates WHERE number = ?", (number,))
        if found is None:
            raise NotFoundError("vault.no_certificate", number=number)
        self._database.write(
            "UPDATE certificates SET revoked = ?, reason = ? WHERE number = ? AND revoked IS NULL",
            (time_text(at), reason, number),
        )
        self._judge(found[0])

    def _judge(self, certificate_id: int) -> None:
        """Since when the exhibits of a certificate are certified: since the oldest one that is not revoked."""
        self._database.write(_JUDGE, (certificate_id,))

    def certificate(self, number: str) -> CertificateRow | None:
        """One certificate by number."""
        row = self._database.row(f"{_CERTIFICATE} WHERE number = ?", (number,))
        return None if row is None else self._certificate(row)

    def certificates(self, leaf_hash: bytes | None = None) -> Sequence[CertificateRow]:
        """All certificates, or those that cover one exhibit, oldest first."""
        if leaf_hash is None:
            rows = self._database.rows(f"{_CERTIFICATE} ORDER BY id")
        else:
            rows = self._database.rows(f"{_CERTIFICATE} {_COVERING} ORDER BY id", (leaf_hash,))
        return [self._certificate(row) for row in rows]

    def certificate_numbers(self, case_number: str) -> Sequence[str]:
        """Numbers of the certificates over exhibits of a case, revoked ones too, oldest first."""
        rows = self._database.rows(
            "SELECT number FROM certificates WHERE id IN (SELECT x.certificate_id FROM exhibits e "
            "JOIN certificate_exhibits x ON x.leaf_hash = e.leaf_hash WHERE e.case_number = ?) ORDER BY id",
            (case_number,),
        )
        return [row[0] for row in rows]

    def certificate_of_leaf(self, leaf_hash: bytes) -> CertificateRow | None:
        """The certificate that a ``certificate.issued`` leaf is about."""
        row = self._database.row(f"{_CERTIFICATE} WHERE certificates.leaf_hash = ?", (leaf_hash,))
        return None if row is None else self._certificate(row)

    def add_custody(self, events: Sequence[CustodyRow]) -> None:
        """Append custody events; ids are given by the store."""
        log_id = self._log().log_id
        self._database.write_many(
            "INSERT INTO custody (exhibit, at, action, operator, details, leaf_log, leaf_seq) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    event.exhibit,
                    time_text(event.at),
                    event.action,
                    event.operator,
                    event.details,
                    None if event.leaf_seq is None else log_id,
                    event.leaf_seq,
                )
                for event in events
            ),
        )

    def custody(self, leaf_hash: bytes) -> Sequence[CustodyRow]:
        """Custody events of an exhibit, oldest first."""
        return self._custody("WHERE c.exhibit = ? ORDER BY c.id", (leaf_hash,))

    def last_action(self, actions: Sequence[str]) -> datetime | None:
        """When one of these actions was last recorded of any exhibit."""
        marks = ",".join("?" * len(actions))
        row = self._database.row(f"SELECT max(at) FROM custody WHERE action IN ({marks})", tuple(actions))  # noqa: S608
        return None if row is None else optional_time(row[0])

    def count_last(self, action: str, among: Sequence[str]) -> int:
        """Exhibits, but for erased ones, whose last event among these actions is `action`."""
        marks = ",".join("?" * len(among))
        row = self._database.row(
            "SELECT count(*) FROM custody c JOIN exhibits e ON e.leaf_hash = c.exhibit "  # noqa: S608
            "JOIN cases k ON k.number = e.case_number WHERE c.action = ? AND k.erased IS NULL AND c.id = "
            f"(SELECT max(id) FROM custody WHERE exhibit = c.exhibit AND action IN ({marks}))",
            (action, *among),
        )
        return 0 if row is None else int(row[0])

    def custody_of_leaf(self, seq: int) -> Sequence[CustodyRow]:
        """Custody events that leaf `seq` of the active log commits to, oldest first."""
        return self._custody(
            "WHERE c.leaf_log = ? AND c.leaf_seq = ? ORDER BY c.id", (self._log().log_id, seq)
        )

    def pending_custody(self) -> Sequence[CustodyRow]:
        """Events not yet in the log, oldest first."""
        return self._custody("WHERE c.leaf_seq IS NULL ORDER BY c.id", ())

    def set_custody_seq(self, ids: Sequence[int], seq: int) -> None:
        """Record the leaf, in the active log, that commits to these events; it can be set once."""
        log_id = self._log().log_id
        self._database.write_many(
            "UPDATE custody SET leaf_log = ?, leaf_seq = ? WHERE id = ?",
            ((log_id, seq, event) for event in ids),
        )

    def get_setting(self, name: str) -> bytes | None:
        """A stored setting (canonical JSON)."""
        row = self._database.row("SELECT value FROM settings WHERE name = ?", (name,))
        return None if row is None else bytes(row[0])

    def set_setting(self, name: str, value: bytes) -> None:
        """Store a setting."""
        self._database.write(
            "INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, value),
        )

    def settings(self) -> Mapping[str, bytes]:
        """All settings by name."""
        return {row[0]: bytes(row[1]) for row in self._database.rows("SELECT name, value FROM settings")}

    def _certificate(self, row: Row) -> CertificateRow:
        exhibits = self._database.rows(
            "SELECT leaf_hash FROM certificate_exhibits WHERE certificate_id = ? ORDER BY position", (row[0],)
        )
        return CertificateRow(
            number=row[1],
            leaf_hash=row[2],
            exhibits=tuple(exhibit[0] for exhibit in exhibits),
            digests=DigestPair(sha256=row[3], sm3=row[4]),
            pdf=row[5],
            issued=parse_time(row[6]),
            revoked=optional_time(row[7]),
            reason=row[8],
        )

    def _custody(self, rest: str, parameters: Sequence[Value]) -> list[CustodyRow]:
        return [
            CustodyRow(
                id=row[0],
                exhibit=row[1],
                at=parse_time(row[2]),
                action=row[3],
                operator=row[4],
                details=row[5],
                leaf_seq=row[6],
                leaf_origin=row[7] or "",
            )
            for row in self._database.rows(f"{_CUSTODY} {rest}", parameters)
        ]
