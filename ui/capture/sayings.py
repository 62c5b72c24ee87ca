"""Events of a capture as a person reads them: icon, role of color, sentence. Texts of pages are made harmless."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from evidence_desk.core.capture.environment import Reason
from evidence_desk.core.capture.events import (
    Asked,
    CertificateRefused,
    Crashed,
    Dialog,
    Done,
    Downloaded,
    Event,
    Fault,
    Heartbeat,
    Loaded,
    Navigated,
    PageState,
    Popup,
    Refused,
    Snapped,
    Started,
    Step,
    TabClosed,
    Unplayable,
    Visited,
)
from evidence_desk.core.capture.rows import CaptureResult, CaptureState
from ui.language import Tongue
from ui.plain import LONG, plain
from ui.words import file_size

_CODES: Final = (
    "capture.",
    "environment.",
    "difference.",
    "http",
    "tls.",
    "content.",
    "websocket.",
    "host.",
    "malformed.",
)
"""Beginnings of codes that records may name; no file makes the program say anything else."""
URL: Final = 120
"""Characters of an address in a sentence."""
_DOWNLOADS: Final = frozenset({"started", "completed", "interrupted", "canceled"})
RESULTS: Final[Mapping[CaptureResult, tuple[str, str]]] = {
    CaptureResult.COMPLETE: ("circle-check", "passed"),
    CaptureResult.PARTIAL: ("triangle-alert", "warning"),
    CaptureResult.FAILED: ("circle-x", "failed"),
}
PAGES: Final[Mapping[PageState, tuple[str, str]]] = {
    PageState.LOADED: ("circle-check", "passed"),
    PageState.PARTIAL: ("triangle-alert", "warning"),
    PageState.FAILED: ("circle-x", "failed"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One line."""

    icon: str
    role: str
    text: str


def result_sign(state: CaptureState, result: CaptureResult | None, *, cut: bool) -> tuple[str, str, str]:
    """(icon, role, code of the word) for a capture in a list."""
    if cut:
        return "triangle-alert", "warning", "ui_capture.state.cut"
    match state:
        case CaptureState.RUNNING:
            return "refresh-cw", "accent", "ui_capture.state.running"
        case CaptureState.ABANDONED:
            return "ban", "secondary", "ui_capture.state.abandoned"
        case CaptureState.SEALED:
            if result is None:
                return "circle", "undetermined", "ui_capture.state.sealed"
            icon, role = RESULTS[result]
            return icon, role, f"capture.outcome.{result.value}"


def say_code(tongue: Tongue, code: str, **facts: str | int) -> str:
    """The sentence of a code that a file names; one that is not known here, or does not fit its facts, as it is."""
    if code.startswith(_CODES) and tongue.has(code):
        try:
            return tongue.say(code, **facts)
        except (ValueError, TypeError):
            pass
    return plain(code, URL)


def say_reason(tongue: Tongue, reason: Reason) -> str:
    """A reason of the record."""
    facts = {
        name: plain(value) if isinstance(value, str) else value for name, value in reason.parameters.items()
    }
    return say_code(tongue, reason.code, **facts)


def say_reasons(tongue: Tongue, reasons: Sequence[Reason], *, most: int = 20) -> str:
    """Reasons below each other."""
    lines = [f"· {say_reason(tongue, reason)}" for reason in reasons[:most]]
    if len(reasons) > most:
        lines.append(tongue.say("ui_capture.more", count=len(reasons) - most))
    return "\n".join(lines)


def say_event(tongue: Tongue, event: Event) -> Said:
    """What happened, in a sentence on one line."""
    said = _say_event(tongue, event)
    return replace(said, text=plain(said.text, LONG))


def _say_event(tongue: Tongue, event: Event) -> Said:
    say = tongue.say
    match event:
        case Visited():
            icon, role = PAGES[event.state]
            text = say(f"capture.told.{event.state.value}", url=_url(event.url), status=event.status or "—")
            return Said(
                icon=icon, role=role, text=_with(text, [say_code(tongue, code) for code in event.reasons])
            )
        case Snapped():
            text = say("capture.told.snapshot", number=event.number, url=_url(event.url))
            missing = [say_code(tongue, code) for code in event.missing]
            return Said(icon="camera", role="warning" if missing else "text", text=_with(text, missing))
        case CertificateRefused():
            code = f"capture.told.certificate.{'accepted' if event.accepted else 'refused'}"
            text = say(code, host=plain(event.host, URL), error=plain(event.error, URL))
            return Said(icon="triangle-alert", role="warning" if event.accepted else "failed", text=text)
        case Crashed() | Fault() | Refused() | Unplayable():
            return _say_trouble(tongue, event)
        case Downloaded() | Popup() | Dialog() | Asked():
            return _say_page_act(tongue, event)
        case Navigated() | Loaded() | TabClosed() | Step():
            return _say_step(tongue, event)
        case Started():
            text = say("ui_capture.event.started", chromium=plain(event.chromium, 40))
            return Said(icon="play", role="text", text=text)
        case Done():
            text = say(f"ui_capture.event.done.{event.reason.value}", snapshots=event.snapshots)
            return Said(icon="circle", role="text", text=text)
        case Heartbeat():
            return Said(icon="circle", role="secondary", text=say("ui_capture.event.heartbeat"))


def _say_trouble(tongue: Tongue, event: Crashed | Fault | Refused | Unplayable) -> Said:
    match event:
        case Crashed():
            return Said(
                icon="circle-x",
                role="failed",
                text=tongue.say("ui_capture.event.crashed", url=_url(event.url)),
            )
        case Fault():
            text = say_code(tongue, event.code)
            return Said(
                icon="circle-x",
                role="failed",
                text=_with(text, [plain(event.detail)] if event.detail else []),
            )
        case Refused():
            text = tongue.say(f"capture.denied.{event.what.value}", detail=plain(event.detail, URL) or "—")
            return Said(icon="ban", role="warning", text=text)
        case Unplayable():
            return Said(
                icon="triangle-alert", role="warning",
                text=tongue.say("ui_capture.event.unplayable", url=_url(event.url)),
            )  # fmt: skip


def _say_page_act(tongue: Tongue, event: Downloaded | Popup | Dialog | Asked) -> Said:
    match event:
        case Downloaded():
            state = event.state if event.state in _DOWNLOADS else "interrupted"
            text = tongue.say(
                f"ui_capture.event.download.{state}", name=plain(event.suggested, URL) or plain(event.name),
                size=file_size(event.size),
            )  # fmt: skip
            right = event.state in {"started", "completed"}
            return Said(icon="download", role="text" if right else "warning", text=text)
        case Popup():
            text = tongue.say("ui_capture.event.popup", url=_url(event.url) or "about:blank")
            return Said(icon="external-link", role="text", text=text)
        case Dialog():
            text = tongue.say("ui_capture.event.dialog", text=plain(event.text, URL), url=_url(event.url))
            return Said(icon="info", role="text", text=text)
        case Asked():
            code = f"ui_capture.event.asked.{'answered' if event.answered else 'refused'}"
            return Said(icon="key-round", role="text", text=tongue.say(code, url=_url(event.url)))


def _say_step(tongue: Tongue, event: Navigated | Loaded | TabClosed | Step) -> Said:
    match event:
        case Navigated():
            text = tongue.say("ui_capture.event.navigated", url=_url(event.url))
            return Said(icon="arrow-right", role="text", text=text)
        case Loaded():
            failed = bool(event.error)
            code = "ui_capture.event.not_loaded" if failed else "ui_capture.event.loaded"
            text = tongue.say(
                code, url=_url(event.url), title=plain(event.title, URL), error=plain(event.error, URL)
            )
            return Said(
                icon="circle-x" if failed else "file-text", role="failed" if failed else "text", text=text
            )
        case TabClosed():
            return Said(icon="x", role="text", text=tongue.say("ui_capture.event.tab_closed", tab=event.tab))
        case Step():
            text = tongue.say(
                "ui_capture.event.step", number=event.number, deed=tongue.say(f"ui_capture.deed.{event.deed.value}"),
                target=plain(event.target, URL),
            )  # fmt: skip
            return Said(icon="user", role="text", text=text.rstrip("：: "))


def say_file(tongue: Tongue, name: str) -> str:
    """What a file of a capture is, by its name; empty for one that is not known."""
    for known in (name, name.partition("-")[0], name.rpartition(".")[2]):
        if tongue.has(f"ui_capture.file.{known}"):
            return tongue.say(f"ui_capture.file.{known}")
    return ""


def _url(url: str) -> str:
    return plain(url, URL)


def _with(text: str, further: Sequence[str]) -> str:
    return " ".join([text, *further])
