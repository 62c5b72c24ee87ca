"""What the page says of an examination. Sentences come from ``texts``; facts may come out of a stranger's file.

Where a finding's sentence names an option of the command line, ``ui_verify.said.CODE`` says it in the window's words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from evidence_desk.core.certificate import beijing_text
from evidence_desk.core.verdict import Dimension, Parameter, Status
from evidence_desk.errors import EvidenceDeskError
from evidence_desk.services.examination import Examination, Outcome, Row
from evidence_desk.texts import Language
from evidence_desk.verify.answer import Answer, Result, Said, sentence_of
from ui.language import Tongue
from ui.widgets.labels import STATUS_ICONS

_TIMES: Final = (
    (Dimension.TIME, "token.time.passed", "at", "ui_verify.time.token"),
    (Dimension.COURT, "court.anchor.right", "time", "ui_verify.time.anchored"),
)
LONGEST: Final = 600
"""Characters of one fact that are shown."""
_HEAD: Final = 60
REVOKED: Final = frozenset({"examination.standing.revoked", "court.events.revoked"})
_DEMO: Final = "demo."
_PASSED_DEMO: Final = "ui_verify.result.passed_demo"
_MOMENT: Final = re.compile(r"\b(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z")
_DIGEST: Final = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_ALWAYS: Final = "certificate.scope.not_complete"
_FOREMOST: Final = (
    "files.complete.right", "examination.file.same", "examination.file.certificate", "token.imprint.passed",
    "token.time.passed", "certificate.signer.trusted", "log.signature.right", "log.signature.registered", "court.anchor.right",
    "court.checkpoint.right",
)  # fmt: skip
"""Of what passed, what a reader wants to hear first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """An outcome by icon, color role and word (a code)."""

    icon: str
    role: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Headed:
    """The answer: a few words, and the rest of the sentence."""

    head: str
    text: str


_RESULTS: Final = {
    Result.PRESENT: Sign(icon="badge-check", role="accent", code="ui_verify.result.present"),
    Result.ABSENT: Sign(icon="search", role="undetermined", code="ui_verify.result.absent"),
    Result.INPUT: Sign(icon="triangle-alert", role="warning", code="ui_verify.result.input"),
}
OUTCOMES: Final = {
    Outcome.FOUND: Sign(icon="badge-check", role="accent", code="report.outcome.found"),
    Outcome.ABSENT: Sign(icon="search", role="undetermined", code="report.outcome.absent"),
    Outcome.UNDETERMINED: Sign(
        icon=STATUS_ICONS[Status.UNDETERMINED], role="undetermined", code="report.outcome.undetermined"
    ),
    Outcome.NOT_ASKED: Sign(icon="circle", role="secondary", code="report.outcome.not_asked"),
}


def status_sign(status: Status) -> Sign:
    """Of a finding or dimension."""
    return Sign(icon=STATUS_ICONS[status], role=status.value, code=f"ui.status.{status.value}")


def result_sign(done: Examination) -> Sign:
    """Of the whole. What passed on a demonstration's word says so in the same breath."""
    if is_revoked(done):
        return Sign(icon="ban", role="failed", code="ui_verify.result.revoked")
    if done.error is not None and done.result is Result.UNDETERMINED:
        return Sign(icon="triangle-alert", role="warning", code="ui_verify.result.unread")
    if done.result is Result.PASSED and is_demo(done):
        return Sign(icon="circle-check", role="warning", code=_PASSED_DEMO)
    return _RESULTS.get(done.result) or status_sign(Status(done.result.value))


def is_revoked(done: Examination) -> bool:
    """Whether the issuer, or the court network, revoked it."""
    if done.answer.said.code == "examination.answer.revoked":
        return True
    return any(item.code in REVOKED for item in done.verdict.findings)


def is_demo(done: Examination) -> bool:
    """Whether anything rests on a demonstration's authority, signer or network."""
    return any(item.code.startswith(_DEMO) for item in done.verdict.caveats)


def name_of(done: Examination, tongue: Tongue) -> str:
    """What was examined, for people."""
    subject = done.subject
    if subject.path is not None:
        return printable(subject.path.name or str(subject.path))
    if subject.code is not None:
        return subject.code.number
    return printable(subject.text) or tongue.say("ui_verify.picture")


def say(tongue: Tongue, code: str, facts: Mapping[str, Parameter] | None = None) -> str:
    """The window's own sentence for a code, else the shared one; facts made harmless."""
    return tongue.say(_own(tongue, code), **_shown(facts or {}))


def advice(tongue: Tongue, error: EvidenceDeskError) -> str:
    """What to do about an error, in the window's words; empty when there is nothing to say."""
    own = f"ui_verify.said.{error.code}.advice"
    if tongue.has(own):
        return tongue.say(own, **_shown(error.parameters))
    return tongue.error(error)[1]


def answer_of(done: Examination, tongue: Tongue) -> Headed:
    """The one sentence, parted where it names its outcome."""
    given, sign = done.answer, result_sign(done)
    reason = None if given.reason is None else _said(tongue, given.reason)
    told: Answer = replace(given, said=_said(tongue, given.said), reason=reason)
    text = sentence_of(told, tongue.language, _shown)
    colon = "：" if tongue.language is Language.ZH else ": "
    head, found, rest = text.partition(colon)
    if found and len(head) <= _HEAD and "。" not in head and ". " not in head:
        rest = rest.strip()
        head = tongue.say(sign.code) if sign.code == _PASSED_DEMO else head
        return Headed(head=head, text=rest[:1].upper() + rest[1:])
    return Headed(head=tongue.say(sign.code), text=text)


def why(row: Row, tongue: Tongue) -> str:
    """The reason of a dimension's status in a sentence or two."""
    told = [item for item in row.findings if item.status is row.status]
    if not told:
        return tongue.say("verdict.nothing")
    told.sort(key=lambda item: _FOREMOST.index(item.code) if item.code in _FOREMOST else len(_FOREMOST))
    text = say(tongue, told[0].code, told[0].parameters)
    if len(told) > 1:
        space = " " if tongue.language is Language.EN else ""
        text += space + tongue.say(f"ui_verify.more.{row.status.value}", count=len(told) - 1)
    return text


def vouches(row: Row, tongue: Tongue) -> str:
    """On whose word a dimension's status rests."""
    names = dict.fromkeys(
        tongue.say(f"report.vouches.{item.who_vouches.value}")
        for item in row.findings
        if item.status is row.status
    )
    return tongue.say("verdict.comma").join(names) or tongue.say("report.vouches.nobody")


def dimension(item: Dimension, tongue: Tongue) -> str:
    """Name of a dimension."""
    return tongue.say(f"report.dimension.{item.value}")


def moment(at: datetime, tongue: Tongue) -> str:
    """A moment in Beijing time, said so."""
    return tongue.say("ui_verify.moment", time=beijing_text(at))


def times_of(done: Examination, tongue: Tongue) -> list[str]:
    """The proven times: the earliest timestamp's, and that of anchoring. Only of dimensions that passed.

    None beside a failure or revocation: a true time must not lend its weight to a false paper.
    """
    told: list[str] = []
    if done.result is Result.FAILED or is_revoked(done):
        return told
    for name, code, fact, said in _TIMES:
        if done.verdict.dimension(name) is not Status.PASSED:
            continue
        found = [item for item in done.verdict.findings if item.dimension is name and item.code == code]
        moments = [at for item in found if (at := _parsed(item.parameters.get(fact))) is not None]
        if moments:
            told.append(tongue.say(said, time=moment(min(moments), tongue)))
    found_at = _found_at(done)
    if found_at:
        told.append(tongue.say("ui_verify.time.anchored", time=moment(min(found_at), tongue)))
    return told


def _found_at(done: Examination) -> list[datetime]:
    """When the entries that a look-up found came on the network."""
    if done.result is not Result.PRESENT:
        return []
    networks = [looked.court.network for looked in done.looked_up]
    return [
        item.court.anchored_at
        for network in networks
        for item in (() if network is None else network.found)
        if item.status is Status.PASSED and item.court is not None and item.court.anchored_at is not None
    ]


def _parsed(value: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return None if at.tzinfo is None else at


def limits_of(done: Examination, tongue: Tongue) -> list[str]:
    """What is not proven."""
    codes = dict.fromkeys((*done.limits, *((_ALWAYS,) if done.error is None else ())))
    return [tongue.say(code) for code in codes]


def plain_text(done: Examination, tongue: Tongue) -> str:
    """The answer with all that belongs beside it, for a document or a mail."""
    return "\n".join(_lines(done, tongue))


def _lines(done: Examination, tongue: Tongue) -> Iterator[str]:
    headed = answer_of(done, tongue)
    yield tongue.say("ui_verify.text.subject", name=name_of(done, tongue))
    if done.number:
        yield tongue.say("ui_verify.text.number", number=done.number)
    if done.digests is not None:
        yield f"SHA-256 {done.digests.sha256.hex()}"
        yield f"SM3 {done.digests.sm3.hex()}"
    yield tongue.say("ui_verify.text.answer", head=headed.head, text=headed.text)
    yield from times_of(done, tongue)
    for caveat in done.verdict.caveats:
        yield f"! {say(tongue, caveat.code, caveat.parameters)}"
    for note in done.notes:
        yield f"- {say(tongue, note.code, note.parameters)}"
    for row in done.rows if done.verdict.findings else ():
        yield tongue.say(
            "ui_verify.text.row",
            dimension=dimension(row.dimension, tongue),
            status=tongue.say(f"ui.status.{row.status.value}"),
            why=why(row, tongue),
            vouches=vouches(row, tongue),
        )
    limits = limits_of(done, tongue)
    if limits:
        yield tongue.say("ui_verify.limits")
        yield from (f"- {item}" for item in limits)
    roots = done.trust.fingerprint
    yield (
        tongue.say("ui_verify.text.trust", fingerprint=roots)
        if roots
        else tongue.say("ui_verify.text.no_trust")
    )
    yield tongue.say("ui_verify.text.at", time=moment(done.at, tongue))


def printable(text: str) -> str:
    """`text` with control, bidirectional and invalid characters as escapes, cut where it is endless."""
    cut = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    return "".join(char if char.isprintable() else f"\\u{{{ord(char):x}}}" for char in cut)


def _shown(facts: Mapping[str, Parameter]) -> dict[str, Parameter]:
    return {
        name: value if isinstance(value, int) else _DIGEST.sub(_grouped, _MOMENT.sub(r"\1 \2Z", printable(str(value))))
        for name, value in facts.items()
    }  # fmt: skip


def _grouped(digest: re.Match[str]) -> str:
    return " ".join(digest[0][at : at + 8] for at in range(0, len(digest[0]), 8))


def _said(tongue: Tongue, said: Said) -> Said:
    return Said(code=_own(tongue, said.code), parameters=said.parameters)


def _own(tongue: Tongue, code: str) -> str:
    own = f"ui_verify.said.{code}"
    return own if tongue.has(own) else code
