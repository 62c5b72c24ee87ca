"""The verification report 核验报告 as blocks: the answer first, then why, then every check, then what it does not prove."""

from __future__ import annotations

from typing import Final

from evidence_desk.core.certificate import VerificationReport, beijing_text
from evidence_desk.core.verdict import Dimension, Finding, Status
from evidence_desk.texts import Language, sentence
from reports.blocks import (
    Banner,
    Block,
    Document,
    Fact,
    Facts,
    FileLine,
    Files,
    Heading,
    Items,
    Paragraph,
    Seal,
    Table,
    Title,
    Tone,
)
from reports.speak import Speaker, count, digest, utc_clock

_TONES: Final = {
    Status.PASSED: Tone.PASSED,
    Status.FAILED: Tone.FAILED,
    Status.UNDETERMINED: Tone.UNDETERMINED,
}
_RESULTS: Final = {"present": Tone.TEXT, "absent": Tone.UNDETERMINED, "input": Tone.UNDETERMINED}
"""Results that are no verdict: to be registered is not to be proven."""
_NAMES: Final = {False: "report.subject.name", True: "report.subject.asked"}


def report_document(report: VerificationReport) -> Document:
    """All text of a verification report, in its language."""
    say = Speaker(Language(report.language))
    blocks: list[Block] = []
    if report.demo:
        blocks.append(Banner(text=say("report.demo", reasons=say("certificate.join").join(report.demo))))
    blocks.append(Title(text=say("report.title"), subtitle=say("report.subtitle", number=report.number)))
    blocks += _answer(report, say)
    blocks += _subject(report, say)
    blocks += _look_ups(report, say)
    blocks += _details(report, say)
    blocks += _limits(report, say)
    if report.signed:
        blocks.append(Seal(lines=(say("certificate.place.note"),)))
    else:
        blocks.append(Paragraph(text=say("report.unsigned")))
    stated = report.stated_number
    footer = say("report.footer", time=beijing_text(report.checked))
    if report.program:
        footer = say("certificate.footer.program", footer=footer, program=report.program)
    return Document(
        title=f"{say('report.title')} {report.number}",
        header=(say("report.header", number=report.number), stated),
        footer=footer,
        page=say("certificate.page", page="{page}", pages="{pages}"),
        blocks=tuple(blocks),
        language=report.language,
        watermark=say("certificate.watermark") if report.demo else "",
    )


def _answer(report: VerificationReport, say: Speaker) -> list[Block]:
    verdict = report.verdict
    answer = report.answer or say(f"report.overall.{verdict.overall.value}", policy=verdict.policy.name)
    tone = _RESULTS.get(report.result, _TONES[verdict.overall])
    blocks: list[Block] = [Heading(text=say("report.answer")), Banner(text=answer, tone=tone)]
    if report.answer:
        rule = say(f"report.overall.{verdict.overall.value}", policy=verdict.policy.name)
        blocks.append(Paragraph(text=rule, small=True, tone=Tone.SECONDARY))
    if report.notes:
        blocks.append(Items(items=report.notes))
    if verdict.caveats:
        sentences = tuple(sentence(item.code, item.parameters, say.language) for item in verdict.caveats)
        blocks += [Heading(text=say("report.caveats"), level=2), Items(items=sentences)]
    shown = [item for item in Dimension if any(finding.dimension is item for finding in verdict.findings)]
    shown += [item for item in Dimension if item in verdict.policy.required and item not in shown]
    blocks += [
        Heading(text=say("report.dimensions"), level=2),
        Table(
            header=(say("report.dimension"), say("report.status")),
            weights=(1, 3),
            rows=tuple(
                (
                    say(f"report.dimension.{item.value}"),
                    say(f"report.status.{verdict.dimension(item).value}"),
                )
                for item in shown
            ),
            tones=tuple(_TONES[verdict.dimension(item)] for item in shown),
        ),
    ]
    return blocks


def _subject(report: VerificationReport, say: Speaker) -> list[Block]:
    rows = [
        Fact(label=say(_NAMES[report.digests is None]), value=report.subject),
        *_own_digests(report, say),
        Fact(label=say("report.subject.number"), value=report.stated_number or say("certificate.none")),
        Fact(label=say("report.checked"), value=say.moment(report.checked)),
    ]
    if report.operator:
        rows.append(Fact(label=say("report.operator"), value=report.operator))
    blocks: list[Block] = [Heading(text=say("report.subject")), Facts(rows=tuple(rows))]
    blocks.append(Heading(text=say("report.originals"), level=2))
    if not report.originals:
        blocks.append(Paragraph(text=say("report.originals.none")))
    else:
        blocks.append(
            Files(
                header=(
                    say("certificate.files.index"),
                    say("certificate.files.name"),
                    say("certificate.files.aside"),
                ),
                entries=tuple(
                    FileLine(
                        name=item.name,
                        size=say("certificate.files.size", size=count(item.size)),
                        kind=item.media_type,
                        modified="" if item.modified is None else utc_clock(item.modified),
                        sha256=digest(item.digests.sha256),
                        sm3=digest(item.digests.sm3),
                    )
                    for item in report.originals
                ),
            )
        )
    blocks.append(Heading(text=say("report.roots"), level=2))
    if not report.roots:
        blocks.append(Paragraph(text=say("report.roots.none")))
    else:
        roots = tuple(
            Fact(label=root.name, value=digest(root.fingerprint), mono=True) for root in report.roots
        )
        blocks.append(Facts(rows=roots))
    return blocks


def _own_digests(report: VerificationReport, say: Speaker) -> list[Fact]:
    """Size and digests of a file; a number or digest that was asked has none."""
    if report.digests is None or report.size is None:
        return []
    return [
        Fact(label=say("report.subject.size"), value=say("certificate.files.size", size=count(report.size))),
        Fact(label="SHA-256", value=digest(report.digests.sha256), mono=True),
        Fact(label="SM3", value=digest(report.digests.sm3), mono=True),
    ]


def _look_ups(report: VerificationReport, say: Speaker) -> list[Block]:
    """Every place that was asked or could not be asked, and why."""
    if not report.looked_up:
        return []
    return [
        Heading(text=say("report.looked_up")),
        Table(
            header=tuple(
                say(f"report.looked_up.{name}") for name in ("question", "place", "outcome", "said")
            ),
            weights=(2.7, 1.1, 0.9, 3.2),
            rows=tuple(
                (item.question, item.place, say(f"report.outcome.{item.outcome}"), item.said)
                for item in report.looked_up
            ),
            tones=tuple(Tone.TEXT for _ in report.looked_up),
        ),
    ]


def _details(report: VerificationReport, say: Speaker) -> list[Block]:
    findings = sorted(report.verdict.findings, key=lambda item: list(Dimension).index(item.dimension))
    return [
        Heading(text=say("report.details")),
        Table(
            header=tuple(say(f"report.{name}") for name in ("dimension", "status", "reason", "vouches")),
            weights=(1.1, 1.1, 4.0, 1.3),
            rows=tuple(_row(item, say) for item in findings),
            tones=tuple(
                _TONES[item.status] if item.status is Status.FAILED else Tone.TEXT for item in findings
            ),
        ),
    ]


def _row(item: Finding, say: Speaker) -> tuple[str, str, str, str]:
    return (
        say(f"report.dimension.{item.dimension.value}"),
        say(f"report.status.{item.status.value}"),
        sentence(item.code, item.parameters, say.language),
        say(f"report.vouches.{item.who_vouches.value}"),
    )


def _limits(report: VerificationReport, say: Speaker) -> list[Block]:
    items = tuple(say(f"certificate.scope.not_{name}") for name in ("true", "author", "before", "complete"))
    items = (*report.limits, *items)
    return [
        Heading(text=say("report.limits")),
        Items(items=items, numbered=True),
        Paragraph(text=say("report.limits.judgment")),
    ]
