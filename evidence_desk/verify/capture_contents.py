"""Verify that a capture holds what its own logs speak of and nothing besides: files, and the recorder's notices."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from evidence_desk.core.capture.actions import NAME as ACTIONS
from evidence_desk.core.capture.actions import Action
from evidence_desk.core.capture.connection import Connection, Fate
from evidence_desk.core.capture.events import Downloaded, Snapped
from evidence_desk.core.capture.lookup import LOOKUPS_NAME
from evidence_desk.core.capture.manifest import SECRETS, Manifest
from evidence_desk.core.capture.marks import STARTED, STARTED_LEAF
from evidence_desk.core.capture.notice import MAX_NOTICES, NOTICES_NAME, NoticeKind, parse_notices
from evidence_desk.core.capture.redaction import INDEX
from evidence_desk.core.capture.rows import CaptureResult
from evidence_desk.core.verdict import Dimension
from evidence_desk.errors import MalformedError
from evidence_desk.verify.capture_report import PRINTED
from evidence_desk.verify.capture_work import Work, reason_of
from evidence_desk.wacz.build import BUILT
from evidence_desk.wacz.compare import NETWORK

BEFORE: Final = "environment-before.json"
AFTER: Final = "environment-after.json"
_ALWAYS: Final = frozenset({
    *BUILT, ACTIONS, BEFORE, INDEX, LOOKUPS_NAME, NETWORK, NOTICES_NAME, PRINTED, SECRETS, STARTED, STARTED_LEAF,
    "console.jsonl", "opened.jsonl", "plan.json",
})  # fmt: skip
"""What does not depend on pages; streams and marks have checks of their own."""
_NUMBERED: Final = re.compile(r"(?:stream-[0-9]{6,}\.bin|mark-[0-9]{3,}\.(?:json|tst))\Z")
_SHOWN: Final = ("page-", "download-")


def check_contents(work: Work, manifest: Manifest, actions: Sequence[Action] | None) -> None:
    """Files are those of every capture and those that the action log names; these are all there.

    Args:
        work: takes the findings.
        manifest: of the capture; a copy that leaves out files has it whole.
        actions: None when they are withheld or broken, which is told elsewhere.
    """
    check = "capture.contents"
    if actions is None:
        return
    named: set[str] = set()
    needed: set[str] = set()
    for event in (action.event for action in actions):
        if isinstance(event, Snapped):
            named.update(event.names)
            needed.update(event.names)
        elif isinstance(event, Downloaded):
            named.add(event.name)
            needed.update({event.name} if event.state == "completed" else ())
    here = {item.name for item in manifest.files}
    known = _ALWAYS | ({AFTER} if manifest.after is not None else set())
    strange = sorted(name for name in here - known - named if not _NUMBERED.match(name))
    missing = sorted(needed - here)
    cut = [name for name in strange if name.startswith(_SHOWN)]
    if missing:
        work.failed(Dimension.INTEGRITY, check, "missing", name=missing[0], count=len(missing))
    elif strange and (cut != strange or manifest.result is CaptureResult.COMPLETE):
        work.failed(Dimension.INTEGRITY, check, "strange", name=strange[0], count=len(strange))
    elif strange:
        work.unknown(Dimension.ENVIRONMENT, check, "unlogged", name=strange[0], count=len(strange))
    else:
        work.passed(Dimension.INTEGRITY, check, count=len(named))


def check_notices(work: Work, data: bytes, index: Sequence[Connection], *, ended: bool) -> None:
    """What the recorder noticed of connections that did not come about is what its index says of them.

    Args:
        work: takes the findings.
        data: whole lines of ``notices.jsonl``, b"" where there is none.
        index: of connections.
        ended: whether the recording came to its end.
    """
    check = "capture.notices"
    if NOTICES_NAME in work.withheld:
        return
    try:
        notices = parse_notices(data)
    except MalformedError as error:
        work.failed(Dimension.INTEGRITY, check, "malformed", reason=reason_of(error))
        return
    told = {
        (item.number, item.kind.value, item.reason, item.host, item.port)
        for item in notices
        if item.kind in _FATES and item.number
    }
    known = {
        (item.number, item.fate.value, item.reason or "", item.host, item.port)
        for item in index
        if item.fate is not Fate.OPENED and not (item.fate is Fate.UNREACHABLE and item.reason == "abandoned")
    }
    missing = known - told if len(notices) < MAX_NOTICES else set()
    if ended and (told - known or missing):
        number = min(told ^ known)[0]
        work.failed(Dimension.INTEGRITY, check, "differs", number=number, count=len(told ^ known))
    elif notices:
        jumps = sum(item.kind is NoticeKind.CLOCK_JUMP for item in notices)
        strangers = sum(item.kind in (NoticeKind.STRANGER, NoticeKind.PEER_UNKNOWN) for item in notices)
        if jumps or strangers:
            work.unknown(
                Dimension.ENVIRONMENT, check, "told", count=len(notices), jumps=jumps, strangers=strangers
            )
        else:
            work.passed(Dimension.INTEGRITY, check, count=len(notices))


_FATES: Final = frozenset(
    {NoticeKind.REFUSED, NoticeKind.STRANGER, NoticeKind.UNRESOLVED, NoticeKind.UNREACHABLE}
)
