"""A verdict as the JSON of the command-line contract, and as text for people: one shape for every verifying command."""

from __future__ import annotations

from typing import Any, Final

from rich.console import Console

from evidence_desk.core.verdict import Caveat, Dimension, Finding, Parameter, Status, Verdict
from evidence_desk.texts import Language, sentence

_MARKS: Final = {Status.PASSED: "✔", Status.FAILED: "✘", Status.UNDETERMINED: "?"}
_STYLES: Final = {Status.PASSED: "green", Status.FAILED: "bold red", Status.UNDETERMINED: "yellow"}


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
        "explanation": _explanation(item.code, item.parameters, language),
        "who_vouches": item.who_vouches.value,
    }


def _caveat_json(item: Caveat, language: Language) -> dict[str, Any]:
    return {
        "code": item.code,
        "parameters": dict(item.parameters),
        "explanation": _explanation(item.code, item.parameters, language),
    }


def print_verdict(verdict: Verdict, language: Language, console: Console) -> None:
    """Conclusion first, then every dimension with its findings, then what else a reader must know."""
    overall = verdict.overall
    answer = sentence(f"report.overall.{overall.value}", {"policy": verdict.policy.name}, language)
    _line(console, f"{_MARKS[overall]} {answer}", _STYLES[overall])
    for dimension in Dimension:
        findings = [item for item in verdict.findings if item.dimension is dimension]
        if findings or dimension in verdict.policy.required:
            _dimension(dimension, verdict.dimension(dimension), findings, language, console)
    if verdict.caveats:
        _line(console, "")
        _line(console, _label("caveats", language), "bold")
        for caveat in verdict.caveats:
            _line(console, f"  ! {_explanation(caveat.code, caveat.parameters, language)}", "yellow")


def _dimension(
    dimension: Dimension, status: Status, findings: list[Finding], language: Language, console: Console
) -> None:
    _line(console, "")
    title = (
        f"{_label(f'dimension.{dimension.value}', language)}  {_label(f'status.{status.value}', language)}"
    )
    _line(console, title, f"bold {_STYLES[status]}")
    for item in findings:
        text = _explanation(item.code, item.parameters, language)
        vouches = _label(f"vouches.{item.who_vouches.value}", language)
        _line(console, f"  {_MARKS[item.status]} {text}  [{vouches}]", _STYLES[item.status])


def _label(name: str, language: Language) -> str:
    return sentence(f"report.{name}", {}, language)


def _explanation(code: str, parameters: Any, language: Language) -> str:
    # Parameters may come out of the checked file: nothing in them may move the cursor or turn the line round.
    safe: dict[str, Parameter] = {
        name: value if isinstance(value, int) else _printable(str(value))
        for name, value in parameters.items()
    }
    return sentence(code, safe, language)


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else f"\\u{{{ord(letter):x}}}" for letter in text)


def _line(console: Console, text: str, style: str | None = None) -> None:
    console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)
