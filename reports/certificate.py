"""Model in, PDF/A bytes out: the certificate and the verification report with everything attached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from evidence_desk.core.canonical import JSON
from evidence_desk.core.certificate import (
    NAME,
    REPORT_NAME,
    REPORT_VERSION,
    VERSION,
    Certificate,
    Printed,
    VerificationReport,
    certificate_values,
    report_values,
)
from evidence_desk.errors import BugError
from evidence_desk.texts import Language
from reports.blocks import Document, texts
from reports.certificate_document import certificate_document
from reports.drawing import draw
from reports.fonts.faces import printable, unprintable
from reports.layout import lay_out
from reports.pages import Page
from reports.pdfa import Attachment, Relationship, finish
from reports.report_document import report_document

__all__ = [
    "Attachment",
    "Relationship",
    "Rendered",
    "printed_certificate",
    "render_certificate",
    "render_draft",
    "render_verification_report",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A finished PDF/A, not yet signed.

    Attributes:
        printed: what certificate.json or report.json says.
        unprintable: characters that no font has or that could deceive, printed as 〔U+XXXX〕; tell the issuer.
    """

    pdf: bytes
    printed: Printed
    unprintable: tuple[str, ...]


def render_certificate(
    certificate: Certificate, *, attachments: Mapping[str, Attachment], language: Language
) -> Rendered:
    """PDF/A-3b of a certificate with ``certificate.json`` and the given attachments (ASCII names)."""
    certificate = replace(certificate, language=language.value)
    return _render(
        certificate_document(certificate),
        version=VERSION,
        name=NAME,
        number=certificate.number,
        values=certificate_values(certificate),
        created=certificate.issued,
        attachments=attachments,
    )


def printed_certificate(certificate: Certificate) -> Printed:
    """What ``certificate.json`` is going to say of a certificate, before any page is drawn."""
    document = certificate_document(certificate)
    return _printed(
        document,
        lay_out(document),
        version=VERSION,
        number=certificate.number,
        values=certificate_values(certificate),
    )


def render_draft(certificate: Certificate) -> bytes:
    """PDF of a draft to look at: watermark 草稿, no attachments, not to be signed."""
    document = certificate_document(replace(certificate, draft=True))
    return finish(
        draw(document, lay_out(document)),
        title=document.title,
        language=document.language,
        created=certificate.issued,
        attachments={},
    )


def render_verification_report(
    report: VerificationReport, *, attachments: Mapping[str, Attachment], language: Language
) -> Rendered:
    """PDF/A-3b of a verification report with ``report.json`` and the given attachments (ASCII names)."""
    report = replace(report, language=language.value)
    return _render(
        report_document(report),
        version=REPORT_VERSION,
        name=REPORT_NAME,
        number=report.number,
        values=report_values(report),
        created=report.checked,
        attachments=attachments,
    )


def _render(
    document: Document,
    *,
    version: str,
    name: str,
    number: str,
    values: Mapping[str, JSON],
    created: datetime,
    attachments: Mapping[str, Attachment],
) -> Rendered:
    if name in attachments or not all(item.isascii() for item in attachments):
        raise BugError("bug.attachment_name", name=name)
    pages = lay_out(document)
    printed = _printed(document, pages, version=version, number=number, values=values)
    odd = tuple(sorted(unprintable("".join(texts(document)))))
    own = Attachment(data=printed.to_bytes(), media_type="application/json", relationship=Relationship.DATA)
    pdf = finish(
        draw(document, pages),
        title=document.title,
        language=document.language,
        created=created,
        attachments={**attachments, name: own},
    )
    return Rendered(pdf=pdf, printed=printed, unprintable=odd)


def _printed(
    document: Document, pages: Sequence[Page], *, version: str, number: str, values: Mapping[str, JSON]
) -> Printed:
    mark = (printable(document.watermark),) if document.watermark else ()
    return Printed(
        version=version,
        number=number,
        language=document.language,
        pages=tuple((*mark, *page.lines()) for page in pages),
        values=values,
    )
