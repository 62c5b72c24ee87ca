"""清洁性检查报告 as blocks: summary with every outcome, details in order, differences, what was not checked, limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from evidence_desk.core.capture.environment import (
    Change,
    Check,
    Difference,
    EnvironmentReport,
    Item,
    Outcome,
    When,
    compare,
    worst,
)
from evidence_desk.core.certificate import DemoReason
from evidence_desk.core.documents import CaptureBegun, CheckedEnvironment, Cleanliness, Imprint
from evidence_desk.texts import has
from reports.blocks import Block, Document, Fact, Facts, Heading, Items, Paragraph, Table, Tone
from reports.cleanliness_details import details, reasons
from reports.document_parts import assembled
from reports.speak import Speaker, count, digest

_TONES: Final = {
    Outcome.FAIL: Tone.FAILED,
    Outcome.WARN: Tone.WARNING,
    Outcome.UNCHECKED: Tone.UNDETERMINED,
    Outcome.PASS: Tone.TEXT,
}
_LIMITS: Final = ("self", "names", "time", "moment", "private", "virtual")
_MOST_VALUES: Final = 24
"""Values of a difference that are printed; the report files hold all."""
Checked = Mapping[When, CheckedEnvironment]


def cleanliness_document(model: Cleanliness, say: Speaker) -> Document:
    """All text of a cleanliness report."""
    made = {When.BEFORE: model.before, When.AFTER: model.after}
    checked = {when: item for when, item in made.items() if item is not None}
    imprint = model.imprint
    if any(item.report.demo for item in checked.values()) and DemoReason.TOKEN not in imprint.demo:
        imprint = replace(imprint, demo=(DemoReason.TOKEN, *imprint.demo))
    first = next(iter(checked.values()), None)
    mark = "" if first is None else say("cleanliness.mark", digest=first.digests.sha256.hex()[:16])
    return assembled(
        imprint,
        () if model.exhibit is None else (model.exhibit,),
        [
            *_summary(checked, say),
            *details(checked, say),
            *_differences(checked, say),
            *_ending(checked, say),
        ],
        say,
        title=say("cleanliness.title"),
        subtitle=say("cleanliness.subtitle"),
        signers=(say("cleanliness.sign.operator"), say("cleanliness.sign.witness")),
        mark=mark,
        basics=None if model.capture is None else tuple(_capture(model.capture, imprint, say)),
    )


def _capture(capture: CaptureBegun, imprint: Imprint, say: Speaker) -> Iterator[Block]:
    """Case and capture, as the capture's first leaf commits to them; what was stated besides stands on the certificate."""
    yield Heading(text=say("documents.basics"), note=say("cleanliness.capture.note"))
    yield Facts(
        rows=(
            Fact(label=say("certificate.case"), value=imprint.case.number or say("documents.empty")),
            Fact(label=say("cleanliness.capture.id"), value=capture.id.hex(), mono=True),
            Fact(label=say("cleanliness.capture.begun"), value=say.moment(capture.at)),
            Fact(label=say("documents.made"), value=say.moment(imprint.made)),
        )
    )
    yield Paragraph(text=say("cleanliness.capture.number"), small=True, tone=Tone.SECONDARY)


def _summary(checked: Checked, say: Speaker) -> Iterator[Block]:
    yield Heading(text=say("cleanliness.summary"), note=say("cleanliness.summary.note"))
    yield Facts(rows=tuple(_facts(checked, say)))
    yield Heading(text=say("cleanliness.counts"), level=2)
    outcomes = tuple(Outcome)
    yield Table(
        header=(
            say("cleanliness.counts.when"),
            *(say(f"environment.outcome.{outcome.value}") for outcome in outcomes),
            say("cleanliness.counts.total"),
        ),
        weights=(2.0, 1.0, 1.0, 1.0, 1.0, 1.0),
        rows=tuple(
            (
                say(f"cleanliness.when.{when.value}"),
                *(str(item.report.count(outcome)) for outcome in outcomes),
                str(len(item.report.items)),
            )
            for when, item in checked.items()
        ),
    )
    for when, item in checked.items():
        yield Paragraph(text=_conclusion(when, item.report, say))
    yield Paragraph(text=say("cleanliness.conclusion.scope"), small=True, tone=Tone.SECONDARY)
    yield from _overview(checked, say)
    yield from _attention(checked, say)


def _facts(checked: Checked, say: Speaker) -> Iterator[Fact]:
    for when in When:
        value = say("cleanliness.when.missing")
        if when in checked:
            report = checked[when].report
            elapsed = round((report.finished - report.started).total_seconds() * 1000)
            value = say("cleanliness.when.value", moment=say.moment(report.started), elapsed=count(elapsed))
        yield Fact(label=say(f"cleanliness.when.{when.value}"), value=value)
    reports = [item.report for item in checked.values()]
    for label, check, name in (("system", Check.SYSTEM, "system"), ("program", Check.PROGRAM, "program")):
        found = (report.fact(check, name) for report in reports)
        lines = tuple(
            dict.fromkeys(
                text for values in found for text in (values if check is Check.SYSTEM else values[:1])
            )
        )
        yield Fact(label=say(f"cleanliness.{label}"), value=lines or say("documents.unrecorded"))
    targets = tuple(dict.fromkeys(target for report in reports for target in report.targets))
    yield Fact(label=say("cleanliness.targets"), value=targets or say("cleanliness.none"))
    for when, item in checked.items():
        pair = (f"SHA-256 {digest(item.digests.sha256)}", f"SM3 {digest(item.digests.sm3)}")
        label = say("cleanliness.file", when=say(f"environment.when.{when.value}"))
        yield Fact(label=label, value=pair, mono=True)


def _conclusion(when: When, report: EnvironmentReport, say: Speaker) -> str:
    return say(
        "cleanliness.conclusion",
        when=say(f"environment.when.{when.value}"),
        total=len(report.items),
        passed=report.count(Outcome.PASS),
        warned=report.count(Outcome.WARN),
        failed=report.count(Outcome.FAIL),
        unchecked=report.count(Outcome.UNCHECKED),
    )


def _overview(checked: Checked, say: Speaker) -> Iterator[Block]:
    """Every check on one line, failing ones included: the order is that of the checks."""
    yield Heading(text=say("cleanliness.overview"), level=2)
    rows, tones = [], []
    for number, check in enumerate(Check, 1):
        items = {when: made.report.item(check) for when, made in checked.items()}
        said = tuple(_said(items[when], say) if when in items else "—" for when in When)
        rows.append((str(number), say(f"environment.item.{check.value}"), *said))
        tones.append(_TONES[worst(item.outcome for item in items.values() if item is not None)])
    header = (
        say("cleanliness.no"),
        say("cleanliness.item"),
        *(say(f"environment.when.{when.value}") for when in When),
    )
    yield Table(header=header, weights=(0.6, 3.4, 1.5, 1.5), rows=tuple(rows), tones=tuple(tones))


def _said(item: Item | None, say: Speaker) -> str:
    return "—" if item is None else say(f"environment.outcome.{item.outcome.value}")


def _attention(checked: Checked, say: Speaker) -> Iterator[Block]:
    """Failures first, then warnings, each with its reasons; what both checks say alike is said once."""
    yield Heading(text=say("cleanliness.attention"), level=2)
    lines = [*_lines(checked, Outcome.FAIL, say), *_lines(checked, Outcome.WARN, say)]
    if lines:
        yield Items(items=tuple(lines), numbered=True)
    else:
        yield Paragraph(text=say("cleanliness.attention.none"))


def _lines(checked: Checked, outcome: Outcome, say: Speaker) -> Iterator[str]:
    for check in Check:
        told: dict[str, list[When]] = {}
        for when, made in checked.items():
            item = made.report.item(check)
            if item is not None and item.outcome is outcome:
                told.setdefault(reasons(item, say), []).append(when)
        for why, moments in told.items():
            shown = say("cleanliness.join.when").join(
                say(f"environment.when.{when.value}") for when in moments
            )
            yield say(
                "cleanliness.attention.line",
                outcome=say(f"environment.outcome.{outcome.value}"),
                item=say(f"environment.item.{check.value}"),
                when=say("cleanliness.both") if len(moments) == len(When) else shown,
                why=why,
            )


def _differences(checked: Checked, say: Speaker) -> Iterator[Block]:
    yield Heading(text=say("cleanliness.differences"), note=say("cleanliness.differences.note"))
    if len(checked) < len(When):
        yield Paragraph(text=say("cleanliness.differences.one"), tone=Tone.UNDETERMINED)
        return
    found = compare(checked[When.BEFORE].report, checked[When.AFTER].report)
    if not found:
        yield Paragraph(text=say("cleanliness.differences.none"))
        return
    yield Table(
        header=tuple(say(f"cleanliness.differences.{name}") for name in ("item", "before", "after")),
        weights=(2.2, 2.6, 2.6),
        rows=tuple(
            (_changed(item, say), _values(item, item.before, say), _values(item, item.after, say))
            for item in found
        ),
        tones=tuple(Tone.WARNING if item.change is not Change.FACT else Tone.TEXT for item in found),
    )


def _changed(item: Difference, say: Speaker) -> str:
    match item.change:
        case Change.CLOCK:
            return say("cleanliness.differences.clock")
        case Change.RESTART:
            return say("cleanliness.differences.restart")
        case _:
            fact = say.known("environment.fact", item.name)
            if item.check is None:
                return fact
            return say(
                "cleanliness.differences.fact", item=say(f"environment.item.{item.check.value}"), fact=fact
            )


def _values(item: Difference, values: tuple[str, ...], say: Speaker) -> tuple[str, ...]:
    if item.change is Change.OUTCOME:
        return tuple(say(f"environment.outcome.{value}") for value in values) or ("—",)
    shown = values[:_MOST_VALUES]
    if len(values) > len(shown):
        shown = (*shown, say("cleanliness.detail.more", count=count(len(values) - len(shown))))
    return shown or ("—",)


def _ending(checked: Checked, say: Speaker) -> Iterator[Block]:
    yield Heading(text=say("cleanliness.unchecked"))
    lines = tuple(_lines(checked, Outcome.UNCHECKED, say))
    if lines:
        yield Items(items=lines, numbered=True)
    else:
        yield Paragraph(text=say("cleanliness.unchecked.none"))
    yield Heading(text=say("cleanliness.limits"))
    names = [*_LIMITS, *(("windows",) if any(i.report.system == "windows" for i in checked.values()) else ())]
    known = (f"cleanliness.limits.{name}" for name in names)
    yield Items(items=tuple(say(code) for code in known if has(code, say.language)), numbered=True)
