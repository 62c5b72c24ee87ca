"""What the capture browser tells its driver, one record an event. A page decides much of what they hold: nothing is trusted.

Texts are bounded and cleaned where they are made (`clean`). The lines are written and read in ``messages``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final

MAX_TEXT: Final = 4096
"""Characters of one text that a page decides; `clean` cuts there."""


def clean(text: str, limit: int = MAX_TEXT) -> str:
    """Text of a page as an event may hold it: at most `limit` characters, lone surrogates replaced."""
    return text[: limit + 1].encode("utf-16", "surrogatepass").decode("utf-16", "replace")[:limit]


class PageState(StrEnum):
    """How far one address of the list came."""

    LOADED = "loaded"
    PARTIAL = "partial"
    FAILED = "failed"


class Ended(StrEnum):
    """Why the browser ended."""

    FINISHED = "finished"
    """All addresses were visited, or the person finished."""
    STOPPED = "stopped"
    """The driver asked."""
    LIMIT = "limit"
    """`CapturePlan.max_seconds`."""
    ABANDONED = "abandoned"
    """The person abandoned the capture."""
    FAULT = "fault"
    """The browser could not go on; a `Fault` came before."""


class Deed(StrEnum):
    """What a person did in the window."""

    ADDRESS = "address"
    BACK = "back"
    FORWARD = "forward"
    RELOAD = "reload"
    CLICK = "click"
    TYPE = "type"
    """Something was typed into a field; what, is not recorded."""
    CHOOSE = "choose"
    """A choice, check mark or file field changed."""
    SUBMIT = "submit"
    KEY = "key"
    """Return, Escape and their like."""
    TAB = "tab"
    CLOSE_TAB = "close-tab"
    SNAPSHOT = "snapshot"
    FINISH = "finish"
    ABANDON = "abandon"


class Denied(StrEnum):
    """What a page asked for and did not get."""

    PERMISSION = "permission"
    FILE_CHOOSER = "file-chooser"
    PRINT = "print"
    FULL_SCREEN = "full-screen"
    PROTOCOL = "protocol"
    """An address of another program: ``mailto:``, ``weixin:``…"""
    PROTOCOL_HANDLER = "protocol-handler"
    SCREEN = "screen"
    CLIENT_CERTIFICATE = "client-certificate"
    PASSKEY = "passkey"
    FILE_SYSTEM = "file-system"
    LOCAL_FILE = "local-file"
    WINDOW = "window"
    """One more window than a capture may have."""
    CLOSE = "close"


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The browser runs, observed, on an empty page; nothing was fetched yet.

    Attributes:
        sandbox: whether Chromium's sandbox is on.
        observer_closed: whether the debugging port was closed after the observer attached; otherwise programs of this
            machine could reach it while the capture lasts.
        fresh_profile: whether the profile is off the record: without earlier cookies, cache, extensions.
        flags: what Chromium was started with.
    """

    kind: ClassVar = "started"
    pid: int
    chromium: str
    qt: str
    user_agent: str
    sandbox: bool
    observer_closed: bool
    fresh_profile: bool
    extra_ca: int
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """Once a second; not part of the action log."""

    kind: ClassVar = "heartbeat"
    requests: int
    failed: int
    console: int
    errors: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Navigated:
    """A tab went to another address; `why` is typed, link, form, back-forward, reload, redirect, script or other."""

    kind: ClassVar = "navigated"
    tab: int
    url: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The load event of a tab's main page, or its failure (`error`: Chromium's name of it, "" for none)."""

    kind: ClassVar = "loaded"
    tab: int
    url: str
    title: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapped:
    """A snapshot was written: its number, and the names of its files in the capture's folder.

    Attributes:
        missing: codes of what could not be taken, ``capture.snapshot.…``.
        sha256: hex digests of these files, in the same order: with the log, marks and tokens fix what was shown.
        page_height: CSS pixels of the whole page, `shown_height` of these in the pictures.
    """

    kind: ClassVar = "snapped"
    number: int
    tab: int
    url: str
    title: str
    names: tuple[str, ...]
    missing: tuple[str, ...]
    sha256: tuple[str, ...]
    page_height: int
    shown_height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Visited:
    """An address of the list is done.

    Attributes:
        number: of the address in the plan, from 1.
        reached: where it ended.
        status: HTTP status of the main page, 0 for none.
        failed: requests that failed on the way to it and from it.
        reasons: codes why it is not fully loaded, ``capture.page.…``, and what its snapshots lack.
    """

    kind: ClassVar = "visited"
    number: int
    url: str
    reached: str
    status: int
    failed: int
    state: PageState
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRefused:
    """A server's certificate that the browser does not accept.

    Attributes:
        error: Qt's name of the fault (``CertificateDateInvalid``…).
        accepted: the plan said to go on all the same.
        chain: PEM, leaf first, as the server sent it.
    """

    kind: ClassVar = "certificate-error"
    url: str
    host: str
    error: str
    main_frame: bool
    accepted: bool
    chain: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Downloaded:
    """A download: `name` in the capture's folder, `suggested` by the page; state is started, completed, interrupted or canceled."""

    kind: ClassVar = "download"
    name: str
    url: str
    suggested: str
    media_type: str
    state: str
    reason: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Popup:
    """A page opened another window; it became tab `tab`."""

    kind: ClassVar = "popup"
    opener: int
    tab: int
    url: str
    by_user: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TabClosed:
    """A tab is gone; by the page itself or by the person."""

    kind: ClassVar = "tab-closed"
    tab: int
    by_page: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A page asked for something that no capture gives."""

    kind: ClassVar = "refused"
    tab: int
    what: Denied
    url: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialog:
    """A page's alert, confirm, prompt or before-unload box; `answer` is what was answered, `by_user` by whom."""

    kind: ClassVar = "dialog"
    tab: int
    url: str
    form: str
    text: str
    answer: str
    by_user: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A server asked for name and password (HTTP authentication); what was typed is never told."""

    kind: ClassVar = "authentication"
    tab: int
    url: str
    realm: str
    answered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Crashed:
    """The process that renders a page ended."""

    kind: ClassVar = "crashed"
    tab: int
    url: str
    status: str
    exit_code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unplayable:
    """A video or sound that this browser cannot play; its bytes are recorded as far as the page fetched them."""

    kind: ClassVar = "codec-unplayable"
    tab: int
    url: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What the person did; `number` counts them, `target` is what was acted on, never what was typed."""

    kind: ClassVar = "step"
    number: int
    tab: int
    deed: Deed
    url: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something of our own went wrong; `code` is a sentence of the area ``capture``."""

    kind: ClassVar = "fault"
    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The last event: files are written and closed."""

    kind: ClassVar = "done"
    reason: Ended
    steps: int
    snapshots: int
    requests: int
    failed: int


Event = (
    Started | Heartbeat | Navigated | Loaded | Snapped | Visited | CertificateRefused | Downloaded | Popup | TabClosed
    | Refused | Dialog | Asked | Crashed | Unplayable | Step | Fault | Done
)  # fmt: skip
