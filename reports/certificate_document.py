"""The certificate as blocks: order of certificate.md, what proofs cover apart from 签发人陈述. No pages, no fonts."""

from __future__ import annotations

from evidence_desk.core.capture.rows import CaptureTally
from evidence_desk.core.certificate import Certificate, DemoReason, Exhibit, beijing_text
from evidence_desk.core.confirmation import NAME as CONFIRMATION
from evidence_desk.core.confirmation import SIGNATURE_NAME
from evidence_desk.texts import Language
from reports.blocks import (
    Banner,
    Block,
    Commands,
    Document,
    Fact,
    Facts,
    Heading,
    Items,
    Paragraph,
    Seal,
    Title,
)
from reports.exhibit_blocks import proven_blocks, stated_blocks
from reports.handling_blocks import handling_blocks
from reports.speak import Speaker, count, utc_clock


def certificate_document(certificate: Certificate) -> Document:
    """All text of a certificate, or of its draft, in its language."""
    say = Speaker(Language(certificate.language))
    exhibits = certificate.exhibits
    draft = certificate.draft
    title = say("certificate.draft.title") if draft else say("certificate.title")
    blocks: list[Block] = [*_draft(certificate, say), *_demo(certificate, say)]
    blocks.append(
        Title(
            text=title,
            subtitle=say("certificate.subtitle", number=certificate.number, version=certificate.version),
        )
    )
    blocks += _basics(certificate, say)
    blocks += handling_blocks(certificate, say)
    for index, exhibit in enumerate(exhibits, 1):
        heading = say("certificate.exhibit.of", index=index, count=len(exhibits))
        blocks.append(Heading(text=heading if len(exhibits) > 1 else say("certificate.exhibit")))
        blocks += proven_blocks(exhibit, say)
        blocks += stated_blocks(exhibit, say)
    blocks += _statements(certificate, say)
    blocks += _scope(certificate, say)
    blocks += _verify(certificate, say)
    blocks.append(Seal(lines=(say("certificate.draft.place" if draft else "certificate.place.note"),)))
    return Document(
        title=f"{title} {certificate.number}",
        header=(
            say("certificate.draft.header" if draft else "certificate.header", number=certificate.number),
            _evidence_numbers(exhibits, say),
        ),
        footer=_footer(certificate, say),
        page=say("certificate.page", page="{page}", pages="{pages}"),
        blocks=tuple(blocks),
        language=certificate.language,
        watermark=_watermark(certificate, say),
    )


def _watermark(certificate: Certificate, say: Speaker) -> str:
    if certificate.draft:
        return say("certificate.draft.watermark")
    return say("certificate.watermark") if certificate.demo else ""


def _draft(certificate: Certificate, say: Speaker) -> list[Block]:
    return [Banner(text=say("certificate.draft"))] if certificate.draft else []


def _demo(certificate: Certificate, say: Speaker) -> list[Block]:
    if not certificate.demo:
        return []
    reasons = [say(f"certificate.demo.{reason.value}") for reason in DemoReason if reason in certificate.demo]
    return [Banner(text=say("certificate.demo", reasons=say("certificate.join").join(reasons)))]


def _evidence_numbers(exhibits: tuple[Exhibit, ...], say: Speaker) -> str:
    number, total = exhibits[0].number, len(exhibits)
    if total == 1:
        return say("certificate.header.one", number=number)
    return say("certificate.header.many", number=number, count=total)


def _footer(certificate: Certificate, say: Speaker) -> str:
    text = say("certificate.footer", time=beijing_text(certificate.issued))
    if certificate.draft:
        text = say("certificate.draft.footer")
    if not certificate.program:
        return text
    return say("certificate.footer.program", footer=text, program=certificate.program)


def _basics(certificate: Certificate, say: Speaker) -> list[Block]:
    case, empty = certificate.case, say("certificate.empty")
    files = sum(len(exhibit.files) for exhibit in certificate.exhibits)
    rows = [
        Fact(label=say("certificate.issuer"), value=certificate.issuer),
        Fact(
            label=say("certificate.issued"),
            value=say("certificate.draft.issued") if certificate.draft else say.moment(certificate.issued),
        ),
        Fact(label=say("certificate.case"), value=case.number or empty),
        Fact(label=say("certificate.court"), value=case.court or empty),
        Fact(label=say("certificate.parties"), value=say("certificate.join").join(case.parties) or empty),
        Fact(label=say("certificate.cause"), value=case.cause or empty),
        Fact(
            label=say("certificate.extent"),
            value=say(
                "certificate.extent.value", exhibits=count(len(certificate.exhibits)), files=count(files)
            ),
        ),
    ]
    heading = Heading(text=say("certificate.basics"), note=say("certificate.stated"))
    return [heading, Facts(rows=tuple(rows))]


def _statements(certificate: Certificate, say: Speaker) -> list[Block]:
    none, agreed = say("certificate.none"), certificate.agreed_method
    keys = [say("certificate.keys.entry", key=key, holder=holder) for key, holder in certificate.keys]
    platform = [
        say("certificate.platform.entry", fact=fact, value=value) for fact, value in certificate.platform
    ]
    failed, everything = certificate.failed_captures, certificate.all_captures
    rows = [
        Fact(label=say("certificate.keys"), value=tuple(keys) or say("certificate.empty")),
        Fact(label=say("certificate.platform"), value=tuple(platform) or none),
        Fact(
            label=say("certificate.failed_captures"),
            value=say("certificate.unknown")
            if failed is None
            else say("certificate.failed_captures.value", count=failed),
        ),
        Fact(
            label=say("certificate.all_captures"),
            value=say("certificate.unknown") if everything is None else _tally(everything, say),
        ),
        Fact(
            label=say("certificate.agreed"),
            value=none
            if agreed is None
            else say("certificate.agreed.value", sha256=agreed.sha256.hex(), sm3=agreed.sm3.hex()),
        ),
    ]
    heading = Heading(text=say("certificate.statements"), note=say("certificate.stated.note"))
    return [heading, Facts(rows=tuple(rows))]


def _tally(found: CaptureTally, say: Speaker) -> str:
    """Captures of the desk, and by which part of its log they were counted."""
    return say(
        "certificate.all_captures.value", started=count(found.started), sealed=count(found.sealed),
        abandoned=count(found.abandoned), unsealed=count(found.unsealed), logs=count(found.logs),
        leaves=count(found.leaves),
    )  # fmt: skip


def _scope(certificate: Certificate, say: Speaker) -> list[Block]:
    exhibits = certificate.exhibits
    proven: list[str] = []
    for index, exhibit in enumerate(exhibits, 1):
        text = _existence(exhibit, say)
        if len(exhibits) > 1:
            text = say("certificate.scope.time.of", index=index, text=text)
        proven.append(text)
    proven += [say("certificate.scope.same"), say("certificate.scope.log")]
    if all(exhibit.court is not None for exhibit in exhibits):
        proven.append(say("certificate.scope.court"))
    missing = tuple(say(f"certificate.scope.not_{name}") for name in ("true", "author", "before", "complete"))
    return [
        Heading(text=say("certificate.scope")),
        Heading(text=say("certificate.scope.yes"), level=2),
        Items(items=tuple(proven), numbered=True),
        Heading(text=say("certificate.scope.no"), level=2),
        Items(items=missing, numbered=True),
        Paragraph(text=say("certificate.scope.judgment")),
    ]


def _existence(exhibit: Exhibit, say: Speaker) -> str:
    token = exhibit.token
    if token is None:
        return say("certificate.scope.no_time")
    accuracy = ""
    if token.accuracy_us is not None:
        accuracy = say("certificate.scope.accuracy", milliseconds=milliseconds(token.accuracy_us))
    return say("certificate.scope.time", time=utc_clock(token.gen_time, fraction=True), accuracy=accuracy)


def milliseconds(microseconds: int) -> str:
    """Accuracy in milliseconds, without needless digits."""
    return f"{microseconds / 1000:g}"


def _verify(certificate: Certificate, say: Speaker) -> list[Block]:
    own = (
        ("certificate.json",)
        if certificate.handler is None
        else ("certificate.json", CONFIRMATION, SIGNATURE_NAME)
    )
    names = (*own, *(name for exhibit in certificate.exhibits for name in exhibit.attachments))
    blocks: list[Block] = [
        Heading(text=say("certificate.verify")),
        Items(
            items=(
                say("certificate.verify.program"),
                say("certificate.verify.reader"),
                say("certificate.verify.paper"),
                say("certificate.verify.hand", names=say.listed(tuple(dict.fromkeys(names)))),
            ),
            numbered=True,
        ),
    ]
    if certificate.commands:
        blocks.append(Commands(lines=certificate.commands))
    return blocks
