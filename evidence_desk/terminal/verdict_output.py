"""A verdict as the JSON of the command-line contract, and as text for people: one shape for every verifying command."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from rich.console import Console

from evidence_desk.core.verdict import Caveat, Dimension, ExitStatus, Finding, Parameter, Status, Verdict
from evidence_desk.terminal.layout import folded, printable_facts
from evidence_desk.texts import Language, sentence
from evidence_desk.verify.answer import sentence_of, told_as, verdict_answer

_MARKS: Final = {Status.PASSED: "✔", Status.FAILED: "✘", Status.UNDETERMINED: "?"}
_STYLES: Final = {Status.PASSED: "green", Status.FAILED: "bold red", Status.UNDETERMINED: "yellow"}
_ORDER: Final = (Status.FAILED, Status.UNDETERMINED, Status.PASSED)
_LISTED: Final = 5
"""Passes of one check that are told one by one; the JSON document has them all."""
_LIMITS: Final = ("not_true", "not_author", "not_before")


def verdict_json(verdict: Verdict, language: Language) -> dict[str, Any]:
    """``{"overall", "policy", "findings": […], "caveats": […]}`` with explanations in `language`."""
    return {
        "overall": verdict.overall.value,
        "policy": verdict.policy.name,
        "findings": [_finding_json(item, language) for item in verdict.findings],
        "caveats": [_caveat_json(item, language) for item in verdict.caveats],
    }


def _finding_json(item: Finding, language: Language) -> dict[str, Any]:
    return {
        "dimension": item.dimension.value,
        "check": item.check,
        "status": item.status.value,
        "code": item.code,
        "parameters": dict(item.parameters),
        "explanation": _explanation(item, language),
        "who_vouches": item.who_vouches.value,
    }


def _caveat_json(item: Caveat, language: Language) -> dict[str, Any]:
    return {
        "code": item.code,
        "parameters": dict(item.parameters),
        "explanation": _explanation(item, language),
    }


def print_verdict(verdict: Verdict, language: Language, console: Console, *, strict: bool = False) -> None:
    """Answer first, what must be noted beneath it, then all seven dimensions, then what is not proven."""
    overall = verdict.overall
    answer = sentence_of(verdict_answer(verdict), language, printable_facts)
    if overall is Status.PASSED and verdict.exit_status(strict=strict) is not ExitStatus.PASSED:
        overall, answer = Status.UNDETERMINED, sentence("verdict.answer.strict", {}, language)
    _line(console, f"{_MARKS[overall]} {answer}", _STYLES[overall])
    # What is a demonstration comes first: nobody may take it for the word of a third party.
    for caveat in sorted(verdict.caveats, key=lambda item: not item.code.startswith("demo.")):
        style = "bold yellow" if caveat.code.startswith("demo.") else "yellow"
        _line(console, f"! {_explanation(caveat, language)}", style)
    for dimension in Dimension:
        findings = [item for item in verdict.findings if item.dimension is dimension]
        _dimension(dimension, verdict.dimension(dimension), findings, language, console)
    _line(console, "")
    _line(console, sentence("verdict.limits", {}, language), "bold")
    for limit in _LIMITS:
        _line(console, f"  · {sentence(f'certificate.scope.{limit}', {}, language)}")
    _line(console, "")
    _line(console, sentence("verdict.vouches", {}, language), "dim")


def _dimension(
    dimension: Dimension, status: Status, findings: Sequence[Finding], language: Language, console: Console
) -> None:
    _line(console, "")
    title = (
        f"{_label(f'dimension.{dimension.value}', language)}  {_label(f'status.{status.value}', language)}"
    )
    _line(console, title, f"bold {_STYLES[status]}")
    if not findings:
        _line(console, f"  ? {sentence('verdict.nothing', {}, language)}", _STYLES[status])
    for item, more in _in_order(findings):
        mark, style = _MARKS[item.status], _STYLES[item.status]
        if more:
            _line(console, f"  {mark} {sentence('verdict.folded', {'count': more}, language)}", style)
        else:
            _line(console, f"  {mark} {_explanation(item, language)}{_vouches(item, language)}", style)


def _in_order(findings: Sequence[Finding]) -> Iterator[tuple[Finding, int]]:
    """Failed, undetermined, passed, each told once; after the fifth pass of a check only how many more there are."""
    once = list({told_as(item): item for item in reversed(findings)}.values())[::-1]
    passed = Counter(item.check for item in once if item.status is Status.PASSED)
    told: Counter[str] = Counter()
    for status in _ORDER:
        for item in once:
            if item.status is not status:
                continue
            if status is Status.PASSED:
                told[item.check] += 1
                if told[item.check] > _LISTED:
                    if told[item.check] == _LISTED + 1:
                        yield item, passed[item.check] - _LISTED
                    continue
            yield item, 0


def _vouches(item: Finding, language: Language) -> str:
    """On whose word, where it is somebody's."""
    if item.who_vouches.value in {"computation", "nobody"}:
        return ""
    return f" [{_label(f'vouches.{item.who_vouches.value}', language)}]"


def _label(name: str, language: Language) -> str:
    return sentence(f"report.{name}", {}, language)


def _explanation(item: Finding | Caveat, language: Language) -> str:
    facts: Mapping[str, Parameter] = printable_facts(item.parameters)
    return sentence(item.code, facts, language)


def _line(console: Console, text: str, style: str | None = None) -> None:
    for line in folded(text, console.width) if console.is_terminal else (text,):
        console.print(line, style=style, markup=False, highlight=False, soft_wrap=True)
