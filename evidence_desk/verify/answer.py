"""A verdict in one sentence: the outcome, where, and the first reason. Codes and parameters; `sentence_of` fills them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from evidence_desk.core.verdict import Dimension, Finding, Parameter, Status, Verdict
from evidence_desk.texts import Language, has, sentence

Facts = Mapping[str, Parameter]


class Result(StrEnum):
    """What an answer comes to: a verdict, or what a look-up found, or that the question cannot be meant."""

    PASSED = "passed"
    FAILED = "failed"
    UNDETERMINED = "undetermined"
    PRESENT = "present"
    ABSENT = "absent"
    INPUT = "input"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A sentence by its code and facts."""

    code: str
    parameters: Facts = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One sentence.

    Attributes:
        said: the sentence; the facts ``reason`` and ``dimensions`` are filled from the other members.
        reason: sentence within it.
        dimensions: named in it, in their fixed order.
        more: how many further reasons there are, told after it.
    """

    result: Result
    said: Said
    reason: Said | None = None
    dimensions: tuple[Dimension, ...] = ()
    more: int = 0


def verdict_answer(verdict: Verdict) -> Answer:
    """The answer of a verdict under its policy."""
    overall, policy = verdict.overall, verdict.policy
    result = Result(overall.value)
    if overall is Status.PASSED:
        code = f"verdict.answer.passed.{policy.name}"
        known = has(code, Language.ZH)
        return Answer(result=result, said=Said(code=code if known else "verdict.answer.passed"))
    summed = policy.required | (policy.refuting if overall is Status.FAILED else frozenset())
    dimensions = tuple(item for item in Dimension if item in summed and verdict.dimension(item) is overall)
    reasons = [
        item
        for dimension in dimensions
        for item in verdict.findings
        if item.dimension is dimension and item.status is overall
    ]
    first = Said(code=reasons[0].code, parameters=reasons[0].parameters) if reasons else None
    return Answer(
        result=result,
        said=Said(code=f"verdict.answer.{overall.value}"),
        reason=first or Said(code="verdict.nothing"),
        dimensions=dimensions,
        more=max(0, len({told_as(item) for item in reasons}) - 1),
    )


def told_as(item: Finding) -> tuple[str, str, tuple[tuple[str, Parameter], ...]]:
    """What makes two findings the same to a reader."""
    return item.status.value, item.code, tuple(sorted(item.parameters.items()))


def sentence_of(
    answer: Answer, language: Language, shown: Callable[[Facts], Facts] = lambda facts: facts
) -> str:
    """The answer as a sentence; `shown` may make facts harmless that come out of a stranger's file."""
    comma = sentence("verdict.comma", {}, language)
    facts: dict[str, Parameter] = dict(shown(answer.said.parameters))
    if answer.reason is not None:
        facts["reason"] = sentence(answer.reason.code, shown(answer.reason.parameters), language)
        facts["dimensions"] = comma.join(
            sentence(f"report.dimension.{item.value}", {}, language) for item in answer.dimensions
        )
    text = sentence(answer.said.code, facts, language)
    if answer.more < 1:
        return text
    space = " " if language is Language.EN else ""
    more = sentence(f"verdict.more.{answer.result.value}", {"count": answer.more}, language)
    return f"{text}{space}{more}"
