"""Drafts and what has to be known before one signs them. No widgets; everything here runs beside the window."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.certificate import Certificate, DemoReason, certificate_number
from evidence_desk.core.job import Job
from evidence_desk.core.ports import CertificateIssuer
from evidence_desk.crypto.x509 import load_certificate
from evidence_desk.services.certify import draft
from evidence_desk.services.confirm import Draft
from evidence_desk.services.find import exhibits_of

_SOON: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One thing to know before signing: icon, color, sentence."""

    tone: str
    icon: str
    code: str
    facts: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be issued.

    Attributes:
        groups: leaf hashes; one certificate a group.
        operator: who issues, or handles (承办人) in two-person mode.
        moment: of the first draft that was looked at; the certificates' numbers come from it.
    """

    groups: tuple[tuple[bytes, ...], ...]
    operator: str = ""
    moment: datetime | None = None

    @property
    def exhibits(self) -> int:
        """How many there are in all."""
        return sum(len(group) for group in self.groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A draft as a person sees it."""

    draft: Draft
    pdf: bytes
    remarks: tuple[Remark, ...]


def order_of(leaves: Sequence[bytes], *, each: bool, operator: str) -> Order:
    """One certificate for all exhibits, or one for each."""
    groups = tuple((leaf,) for leaf in leaves) if each else (tuple(leaves),)
    return Order(groups=groups, operator=operator)


def drafted(session: Session, leaves: Sequence[bytes], operator: str, job: Job) -> Draft:
    """The draft of one certificate; errors of `services.certify.draft`."""
    rows = exhibits_of(session.desk, leaves)
    return draft(session.desk, rows, session.issuer(), trust=session.trust, job=job, operator=operator)


def numbered(session: Session, made: Draft, moment: datetime | None) -> Draft:
    """The draft under the number that a draft of `moment` had: what was looked at is issued under the number seen."""
    if moment is None:
        return made
    certificate = made.certificate
    number = certificate_number(
        exhibits=[row.leaf_hash for row in made.exhibits], version=certificate.version, issued=moment,
        origin=session.desk.origin,
    )  # fmt: skip
    return replace(made, certificate=replace(certificate, number=number))


def shown(session: Session, made: Draft) -> Shown:
    """A draft drawn, with what has to be known before it is signed."""
    issuer = session.issuer()
    return Shown(
        draft=made,
        pdf=issuer.preview(made.certificate),
        remarks=tuple(remarks(made.certificate, issuer, session.clock.now())),
    )


def remarks(certificate: Certificate, issuer: CertificateIssuer, now: datetime) -> Iterator[Remark]:
    """What is missing or only a demonstration, worst first; never nothing."""
    yield from _signer(issuer, now)
    exhibits = certificate.exhibits
    total = len(exhibits)
    untimed = sum(item.token is None for item in exhibits)
    if untimed:
        yield _warn("clock", "ui_certify.remark.no_time", count=untimed, total=total)
    odd = _unprintable(certificate)
    if odd:
        yield _warn("triangle-alert", "ui_certify.remark.unprintable", characters=" ".join(odd))
    unanchored = sum(item.court is None for item in exhibits)
    if unanchored:
        yield _warn("link", "ui_certify.remark.not_anchored", count=unanchored, total=total)
    for reason in (DemoReason.TOKEN, DemoReason.SIGNER, DemoReason.CHAIN):
        if reason in certificate.demo:
            yield _warn("triangle-alert", f"ui_certify.remark.demo.{reason.value}")
    if certificate.version > 1:
        yield Remark(
            tone="accent",
            icon="files",
            code="ui_certify.remark.version",
            facts={"version": certificate.version},
        )
    yield Remark(tone="accent", icon="info", code="ui_certify.remark.limits")


def _signer(issuer: CertificateIssuer, now: datetime) -> Iterator[Remark]:
    certificate = load_certificate(issuer.certificate)
    until = certificate.not_after.date().isoformat()
    if not certificate.not_before <= now <= certificate.not_after:
        yield Remark(
            tone="failed", icon="circle-x", code="ui_certify.remark.signer_expired", facts={"until": until}
        )
    elif certificate.not_after - now < _SOON:
        yield _warn("key-round", "ui_certify.remark.signer_ends", until=until)


def _warn(icon: str, code: str, **facts: str | int) -> Remark:
    return Remark(tone="warning", icon=icon, code=code, facts=facts)


def _unprintable(certificate: Certificate) -> list[str]:
    from reports.blocks import texts  # noqa: PLC0415 - half a second of PDF libraries
    from reports.certificate_document import certificate_document  # noqa: PLC0415
    from reports.fonts.faces import unprintable  # noqa: PLC0415

    return [
        f"U+{ord(item):04X}"
        for item in sorted(unprintable("".join(texts(certificate_document(certificate)))))
    ]
