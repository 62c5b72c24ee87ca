"""Cards of a result beside its dimensions: originals, look-ups, what is not proven, technical details."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from evidence_desk import __version__
from evidence_desk.core.moment import format_moment
from evidence_desk.core.verdict import Finding, Status, worst
from evidence_desk.services.examination import (
    Compared,
    Examination,
    LookedUp,
    Matching,
    Outcome,
    Place,
    PlaceAnswer,
)
from ui.context import Context
from ui.look import tokens
from ui.verify.parts import SignLabel, Value, deed, line, panel, picture, text
from ui.verify.sayings import OUTCOMES, Sign, advice, limits_of, moment, printable, say, status_sign
from ui.widgets.panels import DropZone

_MOST: Final = 50
_MOST_MISSING: Final = 10
_MISSING: Final = "files.complete.missing"
_TRUST: Final = frozenset({"network.no_trust", "trust.missing"})
_NETWORK: Final = frozenset({"examination.no_gateways", "examination.offline", "examination.court.silent"})
_CHIP: Final = 104


# --- originals ------------------------------------------------------------------------------------------------


def originals_card(
    context: Context, done: Examination, *, given: Callable[[list[Path]], None], choose: Callable[[], None]
) -> QFrame:
    """Files that were compared, those still missing, and a place to drop more."""
    tongue = context.tongue
    card, column = panel(tongue.say("ui_verify.originals"))
    about = _by_file(done)
    for item in done.originals[:_MOST]:
        column.addWidget(_compared(context, about.get(item.file.label, []), item))
    if len(done.originals) > _MOST:
        column.addWidget(
            text(tongue.say("ui_verify.and_more", count=len(done.originals) - _MOST), role="secondary")
        )
    for finding in islice(_missing(done), _MOST_MISSING):
        sign = Sign(icon="circle-question-mark", role="undetermined", code="ui_verify.originals.missing")
        column.addWidget(_told(context, sign, say(tongue, finding.code, finding.parameters)))
    zone = DropZone()
    zone.body.setContentsMargins(tokens.L, tokens.M, tokens.L, tokens.M)
    row = QHBoxLayout()
    row.addWidget(picture(context, "files", "secondary"))
    row.addWidget(text(tongue.say("ui_verify.originals.drop"), role="secondary", selectable=False), 1)
    add = deed(context, "ui_verify.originals.add", choose, icon="plus")
    row.addWidget(add)
    zone.body.addLayout(row)
    zone.dropped.connect(given)
    zone.setObjectName("originals")
    column.addWidget(zone)
    return card


def _missing(done: Examination) -> Iterator[Finding]:
    seen = set()
    for item in done.verdict.findings:
        told = (item.code, tuple(item.parameters.items()))
        if item.code == _MISSING and told not in seen:
            seen.add(told)
            yield item


def _by_file(done: Examination) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for item in done.verdict.findings:
        if "file" in item.parameters:
            found.setdefault(str(item.parameters["file"]), []).append(item)
    return found


def _compared(context: Context, found: Sequence[Finding], item: Compared) -> QWidget:
    """A file and whether it is one that the evidence lists."""
    if found:
        status = worst(one.status for one in found)
        first = next(one for one in found if one.status is status)
        said = say(context.tongue, first.code, first.parameters)
    else:
        status = Status.UNDETERMINED if item.how is Matching.GIVEN else Status.PASSED
        said = context.tongue.say(f"ui_verify.matched.{item.how.value}", name=printable(item.file.label))
    code = "matched" if status is Status.PASSED else "unmatched" if status is Status.FAILED else "unknown"
    sign = status_sign(status)
    sign = Sign(icon=sign.icon, role=sign.role, code=f"ui_verify.originals.{code}")
    size = context.tongue.say("ui_verify.bytes", size=f"{item.file.size or 0:,}")
    return _told(context, sign, said, f"{printable(item.file.label)} · {size}")


def _told(context: Context, sign: Sign, said: str, name: str = "") -> QWidget:
    widget = QWidget()
    row = QHBoxLayout(widget)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(tokens.M)
    row.addWidget(SignLabel(context, sign, width=_CHIP), 0, Qt.AlignmentFlag.AlignTop)
    column = QVBoxLayout()
    column.setSpacing(2)
    if name:
        column.addWidget(text(name))
    column.addWidget(text(said, role="secondary" if name else ""))
    row.addLayout(column, 1)
    widget.setAccessibleName(f"{context.tongue.say(sign.code)} {name} {said}")
    return widget


# --- look-ups -------------------------------------------------------------------------------------------------


def look_up_card(
    context: Context,
    done: Examination,
    *,
    choose_trust: Callable[[], None],
    choose_network: Callable[[], None],
) -> QFrame:
    """Every place, what it answered, as of when; and for those that were not asked, why and what to do."""
    tongue = context.tongue
    card, column = panel(tongue.say("report.looked_up"))
    asked = [
        (looked, place)
        for looked in done.looked_up
        for place in looked.places
        if place.outcome is not Outcome.NOT_ASKED
    ]
    for looked, place in asked[:_MOST]:
        column.addWidget(_place(context, place, _question(context, looked)))
    for place in _unasked(done.looked_up):
        widget = _place(context, place, "")
        column.addWidget(widget)
        code = "" if place.error is None else place.error.code
        if code in _TRUST:
            _below(widget, deed(context, "ui_verify.trust.choose", choose_trust, icon="folder-open"))
        if code in _NETWORK or place.why.code in _NETWORK:
            _below(widget, deed(context, "ui_verify.network.choose", choose_network, icon="globe"))
    return card


def _unasked(looked_up: Sequence[LookedUp]) -> list[PlaceAnswer]:
    """Places that were not asked, each with its reason once."""
    once: dict[tuple[Place, str], PlaceAnswer] = {}
    for looked in looked_up:
        for place in looked.places:
            if place.outcome is Outcome.NOT_ASKED:
                once.setdefault((place.place, place.why.code), place)
    return list(once.values())


def _question(context: Context, looked: LookedUp) -> str:
    question = looked.question
    shown = question.number if question.code is None else question.code.number
    shown = shown or f"{question.text.rpartition(':')[2][:16]}…"
    return context.tongue.say(f"report.question.{question.kind.value}", text=shown)


def _place(context: Context, place: PlaceAnswer, question: str) -> QWidget:
    tongue = context.tongue
    widget = QWidget()
    row = QHBoxLayout(widget)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(tokens.M)
    row.addWidget(SignLabel(context, OUTCOMES[place.outcome], width=_CHIP), 0, Qt.AlignmentFlag.AlignTop)
    column = QVBoxLayout()
    column.setSpacing(2)
    row.addLayout(column, 1)
    name = tongue.say(f"report.place.{place.place.value}")
    column.addWidget(text(f"{name} · {question}" if question else name))
    said = [say(tongue, place.why.code, place.why.parameters)]
    if place.error is not None and place.outcome is not Outcome.FOUND:
        said.append(advice(tongue, place.error))
    network = place.network
    if network is not None and network.time is not None:
        said.append(tongue.say("ui_verify.as_of", height=network.height, time=moment(network.time, tongue)))
    if network is not None and network.asked:
        said.append(tongue.say("ui_verify.asked", gateways=tongue.say("verdict.comma").join(network.asked)))
    said += [
        tongue.say("ui_verify.fault", gateway=printable(item.gateway), reason=say(tongue, item.code, item.parameters))
        for item in place.faults
    ]  # fmt: skip
    here = place.here
    said += [
        tongue.say("ui_verify.here", number=item.number, title=printable(item.title), time=moment(item.registered, tongue))
        for item in here.exhibits[:_MOST]
    ]  # fmt: skip
    said += [
        tongue.say("ui_verify.here.revoked" if item.revoked else "ui_verify.here.certificate", number=item.number,
                   time=moment(item.revoked or item.issued, tongue))
        for item in here.certificates[:_MOST]
    ]  # fmt: skip
    for sentence in said:
        if sentence:
            column.addWidget(text(sentence, role="secondary"))
    return widget


def _below(widget: QWidget, button: QWidget) -> None:
    row = widget.layout()
    if isinstance(row, QHBoxLayout):
        row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)


# --- limits, details ------------------------------------------------------------------------------------------


def limits_card(context: Context, done: Examination) -> QFrame:
    """What this does not prove; never folded."""
    tongue = context.tongue
    card, column = panel()
    head = QHBoxLayout()
    head.setSpacing(tokens.S)
    head.addWidget(picture(context, "info", "accent"))
    head.addWidget(text(tongue.say("ui_verify.limits"), role="heading"), 1)
    column.addLayout(head)
    for item in limits_of(done, tongue):
        column.addWidget(text(f"·  {item}"))
    column.addWidget(line())
    column.addWidget(text(tongue.say("report.limits.judgment"), role="secondary"))
    return card


class DetailsCard(QFrame):
    """Digests of the file, trust roots, rule, moment, program; folded until asked for."""

    def __init__(self, context: Context, done: Examination, *, opened: bool) -> None:
        super().__init__()
        self._context = context
        self.setProperty("card", True)
        column = QVBoxLayout(self)
        column.setContentsMargins(tokens.L, tokens.S, tokens.L, tokens.S)
        self.handle = QToolButton()
        self.handle.setText(context.tongue.say("ui_verify.details"))
        self.handle.setCheckable(True)
        self.handle.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.handle.setIconSize(QSize(tokens.ICON, tokens.ICON))
        self.handle.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        column.addWidget(self.handle)
        self._body = QWidget()
        rows = QVBoxLayout(self._body)
        rows.setContentsMargins(tokens.XS, 0, 0, tokens.S)
        rows.setSpacing(tokens.S)
        for name, value in _facts(context, done):
            rows.addWidget(Value(context, name, value))
        column.addWidget(self._body)
        self.handle.toggled.connect(self._show)
        self.handle.setChecked(opened)
        self._show(opened)

    def _show(self, opened: bool) -> None:
        self._body.setVisible(opened)
        self.handle.setIcon(self._context.look.icon("chevron-down" if opened else "chevron-right"))


def _facts(context: Context, done: Examination) -> Iterator[tuple[str, str]]:
    tongue = context.tongue
    if done.size is not None:
        yield tongue.say("report.subject.size"), tongue.say("ui_verify.bytes", size=f"{done.size:,}")
    if done.digests is not None:
        yield "SHA-256", done.digests.sha256.hex()
        yield "SM3", done.digests.sm3.hex()
    if done.subject.code is not None:
        yield tongue.say("ui_verify.leaf"), done.subject.code.leaf_hash.hex()
    if done.number:
        yield tongue.say("report.subject.number"), done.number
    yield tongue.say("report.checked"), f"{moment(done.at, tongue)} / {format_moment(done.at)}"
    yield tongue.say("ui_verify.policy"), done.verdict.policy.name
    trust = done.trust
    yield (
        tongue.say("report.roots"),
        trust.fingerprint or tongue.say("ui_verify.trust.none"),
    )
    for roots in (*trust.authorities, *trust.signers, *trust.persons):
        if roots.certificates:
            yield tongue.say("ui_verify.root"), printable(roots.name)
    for chain in trust.networks:
        yield tongue.say("report.place.court"), printable(chain)
    yield tongue.say("report.program"), f"Evidence Desk {__version__}"
