"""Who handled a certificate and who confirmed it with a credential of his own (two-person mode)."""

from __future__ import annotations

from collections.abc import Iterator

from evidence_desk.core.certificate import Certificate
from evidence_desk.core.confirmation import Officer
from reports.blocks import Block, Fact, Facts, Heading, Paragraph, Tone
from reports.speak import Speaker, digest


def handling_blocks(certificate: Certificate, say: Speaker) -> Iterator[Block]:
    """Both persons, the credential of the second, the time; nothing when one person issues."""
    first, confirmed = certificate.handler, certificate.confirmed
    if first is None:
        return
    yield Heading(text=say("certificate.handling"), note=say("certificate.handling.note"))
    rows = [Fact(label=say("certificate.handler"), value=_officer(first, say))]
    if confirmed is None:
        waiting = say("certificate.confirmer.waiting")
        yield Facts(rows=(*rows, Fact(label=say("certificate.confirmer"), value=waiting, tone=Tone.WARNING)))
        return
    credential = confirmed.credential
    subject = credential.subject
    if credential.demo:
        subject = say("certificate.credential.demo", subject=subject)
    rows += [
        Fact(label=say("certificate.confirmer"), value=_officer(confirmed.officer, say)),
        Fact(label=say("certificate.credential"), value=subject),
        Fact(label=say("certificate.credential.serial"), value=credential.serial_text, mono=True),
        Fact(label=say("certificate.credential.digest"), value=digest(credential.sha256), mono=True),
        Fact(label=say("certificate.confirmed"), value=say.moment(confirmed.at)),
    ]
    yield Facts(rows=tuple(rows))
    yield Paragraph(text=say("certificate.handling.meaning"), small=True, tone=Tone.SECONDARY)


def _officer(officer: Officer, say: Speaker) -> str:
    details = [officer.role] if officer.role else []
    if officer.identification:
        details.append(say("certificate.person.identified", method=officer.identification))
    if not details:
        return officer.name
    return say("certificate.person", name=officer.name, details=say("certificate.join").join(details))
