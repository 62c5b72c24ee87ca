"""Find exhibits and certificates by number or digest (look-up in the desk's own store)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, assert_never

from evidence_desk.core.evidence_number import Prefix, format_number, parse_number
from evidence_desk.core.job import Job
from evidence_desk.core.rows import CertificateRow, ExhibitRow
from evidence_desk.errors import NotFoundError
from evidence_desk.services.desk import Desk
from evidence_desk.services.question import Question, QuestionKind

_DIGEST: Final = re.compile(r"(?:(?:sha256|sm3):)?([0-9a-fA-F]{64})\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """What this desk's own store knows: exhibits and certificates, oldest first."""

    exhibits: tuple[ExhibitRow, ...] = ()
    certificates: tuple[CertificateRow, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.exhibits or self.certificates)


def find_here(desk: Desk, question: Question) -> Here:
    """Everything in this desk that answers to a question; nothing found is no error."""
    store = desk.store.exhibits
    match question.kind:
        case QuestionKind.EVIDENCE_NUMBER:
            return Here(exhibits=tuple(store.by_number(question.number)))
        case QuestionKind.CERTIFICATE_NUMBER:
            certificate = store.certificate(question.number)
            if certificate is None:
                return Here()
            found = (store.exhibit(item) for item in certificate.exhibits)
            return Here(exhibits=tuple(row for row in found if row is not None), certificates=(certificate,))
        case QuestionKind.CODE:
            row = None if question.code is None else store.exhibit(question.code.leaf_hash)
            return Here(exhibits=() if row is None else (row,))
        case QuestionKind.DIGEST:
            return _by_digest(desk, question.digest)
        case QuestionKind.FILE:
            return _by_digest(desk, b"" if question.digests is None else question.digests.sha256)
        case _:
            assert_never(question.kind)


def _by_digest(desk: Desk, digest: bytes) -> Here:
    """Exhibits holding a file with the digest, and certificates whose first signed revision it is of."""
    store = desk.store.exhibits
    certificates = (
        item for item in store.certificates() if digest in {item.digests.sha256, item.digests.sm3}
    )
    return Here(exhibits=tuple(store.by_digest(digest)), certificates=tuple(certificates))


def one_exhibit(desk: Desk, number: str) -> ExhibitRow:
    """The exhibit with an evidence number.

    Raises:
        MalformedError: mistyped number. NotFoundError: ``find.exhibit``.
        UsageError: ``find.ambiguous`` when two leaves share the number; then give the leaf hash.
    """
    found = by_number(desk, number)
    if not found:
        raise NotFoundError("find.exhibit", number=number)
    if len(found) > 1:
        raise NotFoundError("find.ambiguous", number=number)
    return found[0]


def by_number(desk: Desk, number: str) -> Sequence[ExhibitRow]:
    """All exhibits that an evidence number, or a full leaf hash, addresses."""
    if digest := as_digest(number):
        row = desk.store.exhibits.exhibit(digest)
        return [row] if row else []
    prefix = parse_number(number, Prefix.EVIDENCE)
    return desk.store.exhibits.by_number(format_number(Prefix.EVIDENCE, prefix))


def exhibits_of(desk: Desk, leaves: Sequence[bytes], job: Job | None = None) -> list[ExhibitRow]:
    """Exhibits by leaf hash, in the order of their registration.

    Raises:
        NotFoundError: ``find.exhibit`` when one is not here.
    """
    rows: list[ExhibitRow] = []
    for leaf in leaves:
        if job is not None:
            job.step("browse", len(rows), len(leaves))
        row = desk.store.exhibits.exhibit(leaf)
        if row is None:
            raise NotFoundError("find.exhibit", number=leaf.hex())
        rows.append(row)
    return sorted(rows, key=lambda row: (row.logged, row.seq))


def one_certificate(desk: Desk, number: str) -> CertificateRow:
    """The certificate with a certificate number.

    Raises:
        MalformedError: mistyped number. NotFoundError: ``find.certificate``.
    """
    canonical = format_number(Prefix.CERTIFICATE, parse_number(number, Prefix.CERTIFICATE))
    row = desk.store.exhibits.certificate(canonical)
    if row is None:
        raise NotFoundError("find.certificate", number=canonical)
    return row


def as_digest(text: str) -> bytes | None:
    """32 bytes when `text` is a digest in hex, with or without ``sha256:`` or ``sm3:`` before it."""
    match = _DIGEST.match(text.strip())
    return bytes.fromhex(match[1]) if match else None
