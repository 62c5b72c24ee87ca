"""Verify what a capture's manifest tells of pages, marks, checks and result: against the record it was drawn from.

The manifest is the desk's word. What it draws from logs, reports and marks inside the same capture must be what they say:
a certificate prints it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

from evidence_desk.core.canonical import decode
from evidence_desk.core.capture.actions import NAME as ACTIONS
from evidence_desk.core.capture.actions import Action, verify_actions
from evidence_desk.core.capture.connection import Connection, Ending, parse_index
from evidence_desk.core.capture.environment import EnvironmentReport
from evidence_desk.core.capture.environment_codec import parse as parse_environment
from evidence_desk.core.capture.events import Downloaded, Ended, PageState, Snapped
from evidence_desk.core.capture.manifest import MAX_REASONS, Manifest, PageResult
from evidence_desk.core.capture.marks import (
    MAX_STARTED,
    STARTED,
    Mark,
    MarkKind,
    Started,
    mark_name,
    parse_started,
    token_name,
)
from evidence_desk.core.capture.plan import CaptureMode, encode_plan
from evidence_desk.core.capture.ports import BrowserEnd, Recorded
from evidence_desk.core.capture.redaction import INDEX
from evidence_desk.core.capture.rows import CaptureResult
from evidence_desk.core.capture.story import COUNTED, CUT_SHORT, Story, judge
from evidence_desk.core.moment import format_moment, parse_moment
from evidence_desk.core.verdict import Dimension
from evidence_desk.errors import MalformedError
from evidence_desk.verify.capture_work import Work, read, reason_of
from evidence_desk.verify.findings import sealed_here
from evidence_desk.wacz.build import SESSIONS
from evidence_desk.wacz.differences import MAX_SIZE as MAX_DIFFERENCES
from evidence_desk.wacz.differences import Comparison, parse_comparison
from evidence_desk.wacz.layout import Page
from evidence_desk.wacz.read import WaczReader
from evidence_desk.wacz.recheck import made_by
from tsa.response import RESPONSE_LIMIT, parse_token

_CHECK: Final = "capture.told"
_MAX_LOG: Final = 64 << 20
_MAX_INDEX: Final = 512 << 20
_BEFORE: Final = "environment-before.json"
_AFTER: Final = "environment-after.json"
_DIFFERENCES: Final = "differences.json"
_PLAN: Final = "plan.json"
_EITHER: Final = frozenset({"capture.reason.stopped"})
"""Not told when the recorder had a reason of its own to stop."""
_OF_PAGES: Final = frozenset(
    {"capture.reason.pages_failed", "capture.reason.pages_partial", "capture.reason.no_snapshot"}
)
_UNREAD: Final = frozenset({"capture.reason.undecrypted", "capture.reason.torn_streams"})
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def check_told(work: Work, reader: WaczReader, manifest: Manifest, marks: Sequence[Mark]) -> None:
    """Each statement of the manifest against what it was drawn from; one finding for each that differs.

    What a disclosure copy withholds is not judged; the finding then says how much could not be.
    """
    judged = _Told(work, reader, manifest, marks)
    try:
        wrong = [name for name, check in judged.checks() if not check()]
    except MalformedError as error:
        work.failed(Dimension.INTEGRITY, _CHECK, "malformed", reason=reason_of(error))
        return
    for name in wrong:
        work.failed(Dimension.INTEGRITY, _CHECK, name)
    if wrong:
        return
    if judged.left_out:
        work.unknown(Dimension.INTEGRITY, _CHECK, "withheld", count=judged.left_out)
    else:
        work.passed(Dimension.INTEGRITY, _CHECK)


class _Told:
    def __init__(self, work: Work, reader: WaczReader, manifest: Manifest, marks: Sequence[Mark]) -> None:
        self._withheld = work.withheld
        self._reader, self._manifest, self._marks = reader, manifest, marks
        self._here = frozenset(reader.evidence)
        self._missed: set[str] = set()

    def checks(self) -> Sequence[tuple[str, Callable[[], bool]]]:
        """Names of the findings, and what makes them."""
        started = parse_started(read(self._reader, STARTED, MAX_STARTED))
        actions = self._actions()
        return (
            ("plan", lambda: self._plan(started)),
            ("program", self._program),
            ("marks", self._marks_are_a_row),
            ("end", self._end_mark),
            ("gen_time", self._gen_times),
            ("checks", self._checks),
            ("pages", lambda: actions is None or self._pages(started, actions)),
            ("files", lambda: actions is None or self._files(actions)),
            ("list", self._page_list),
            ("counts", self._counts),
            ("result", lambda: actions is None or self._result(started, actions)),
            ("reasons", lambda: actions is None or self._reasons(started, actions)),
        )

    def _gone(self, name: str) -> bool:
        if name in self._withheld:
            self._missed.add(name)
        return name in self._withheld

    @property
    def left_out(self) -> int:
        """Withheld files that something could not be compared with."""
        return len(self._missed)

    def _actions(self) -> tuple[Action, ...] | None:
        if self._gone(ACTIONS):
            return None
        if ACTIONS not in self._here:
            return ()
        log = verify_actions(read(self._reader, ACTIONS, _MAX_LOG))
        if log.torn:
            raise MalformedError("malformed.actions", reason="torn")
        return log.actions

    def _plan(self, started: Started) -> bool:
        """``plan.json`` is the plan that was registered, and the capture began when it was."""
        begun = parse_moment(started.at, what=STARTED) == self._manifest.begun
        return begun and (
            self._gone(_PLAN) or read(self._reader, _PLAN, MAX_STARTED) == encode_plan(started.plan)
        )

    def _program(self) -> bool:
        """The program that sealed is named once: archive, container and manifest say the same, and the same beginning."""
        manifest, package = self._manifest, self._reader.package
        made = made_by(self._reader)
        ended = manifest.ended.strftime("%Y-%m-%dT%H:%M:%SZ")
        if (package.software, package.created) != (manifest.software, ended):
            return False
        if made is None:
            return self._reader.redacted
        return made[0] == manifest.software and made[1] // 1_000 == _milliseconds(manifest.begun)

    def _marks_are_a_row(self) -> bool:
        """All marks there are, from start to end, each going on from the one before, with the tokens that are told."""
        listed = self._manifest.marks
        names = {name for name in self._here if name.startswith("mark-")}
        told = {item.name for item in listed}
        told |= {token_name(index) for index, item in enumerate(listed) if item.token}
        kinds = [mark.kind for mark in self._marks]
        if not listed and CUT_SHORT in {item.code for item in self._manifest.reasons}:
            return not names  # ended before the first mark; without any, no token shows when it was
        row = [item.name for item in listed] == [mark_name(index) for index in range(len(listed))]
        return (
            row
            and names | {name for name in self._withheld if name.startswith("mark-")} == told
            and kinds[:1] == [MarkKind.START]
            and all(kind is MarkKind.RUNNING for kind in kinds[1:-1])
            and MarkKind.START not in kinds[1:]
            and all(_goes_on(before, after) for before, after in pairwise(self._marks))
        )

    def _end_mark(self) -> bool:
        """The mark at the end covers everything; without one the capture was cut short, and is not complete."""
        last = self._marks[-1] if self._marks else None
        if last is None or last.kind is not MarkKind.END:
            return self._manifest.result is not CaptureResult.COMPLETE
        if last.environment_after != self._manifest.after or last.actions != self._manifest.actions:
            return False
        if self._gone(INDEX):
            return True
        reached = {item.number: item for item in last.streams}
        for item in self._index():
            mark = reached.get(item.number)
            sizes = (0, 0) if mark is None else (mark.sent, mark.received)
            if sizes != (item.sent, item.received):
                return False
        return True

    def _index(self) -> Sequence[Connection]:
        return parse_index(read(self._reader, INDEX, _MAX_INDEX)) if INDEX in self._here else ()

    def _counts(self) -> bool:
        """Connections and differences are as many as are listed."""
        if not self._gone(INDEX) and not self._counted({"connections": len(self._index())}):
            return False
        found = self._comparison()
        return found is None or self._counted({
            "browser_requests": found.requests, "matched_requests": found.matched, "exchanges": found.exchanges,
            "differences": len(found.differences),
        })  # fmt: skip

    def _gen_times(self) -> bool:
        """Moments of the tokens are those that the tokens name."""
        for index, item in enumerate(self._manifest.marks):
            if item.gen_time is None or self._gone(token_name(index)):
                continue
            token = parse_token(read(self._reader, token_name(index), RESPONSE_LIMIT))
            if format_moment(token.gen_time) != format_moment(item.gen_time):
                return False
        return True

    def _checks(self) -> bool:
        """Outcomes are those of the reports."""
        before, after = self._report(_BEFORE), self._report(_AFTER)
        if before is None or (after is None and self._manifest.after is not None):
            return self._gone(_BEFORE) or self._gone(_AFTER)
        found = []
        for item in before.items:
            later = None if after is None else after.item(item.check)
            found.append((item.check, item.outcome, None if later is None else later.outcome))
        return found == [(item.check, item.before, item.after) for item in self._manifest.checks]

    def _report(self, name: str) -> EnvironmentReport | None:
        return parse_environment(read(self._reader, name, _MAX_LOG)) if name in self._here else None

    def _pages(self, started: Started, actions: Sequence[Action]) -> bool:
        """Pages, browser and counts are those of the action log; a page was loaded only when the browser said so."""
        story, pages = _story(started, actions), self._manifest.pages
        expected = story.pages()
        titles = {"", *(item.title for _, item in story.snapshots)}
        missed = {name for _, item in story.snapshots if item.missing for name in item.names}
        browser = story.browser()
        return (
            (pages == expected if self._ours else list(map(_of, pages)) == list(map(_of, expected)))
            and all(page.title in titles for page in pages)
            and not any(
                page.state is PageState.LOADED
                and (missed & set(page.names) or not _loaded(story, page.number))
                for page in pages
            )
            and (
                dict(self._manifest.browser) == browser
                if self._ours
                else all(browser.get(name) == value for name, value in self._manifest.browser.items())
            )
            and self._counted(
                {
                    **dict.fromkeys(COUNTED, 0),
                    **story.counts,
                    "downloads": len(story.downloads),
                }
            )
        )

    def _counted(self, counts: Mapping[str, int]) -> bool:
        """What is counted on both sides is the same number; other versions may count more, or less."""
        told = self._manifest.counts
        return all(told.get(name, 0 if self._ours else count) == count for name, count in counts.items())

    def _files(self, actions: Sequence[Action]) -> bool:
        """Snapshots and downloads are those of which the action log has the digests."""
        for event in (action.event for action in actions):
            if isinstance(event, Snapped):
                if len(event.names) != len(event.sha256):
                    return False
                wanted = dict(zip(event.names, event.sha256, strict=True))
            elif isinstance(event, Downloaded) and event.state == "completed":
                wanted = {event.name: event.sha256}
            else:
                continue
            for name, digest in wanted.items():
                if name in self._here and self._sha256(name) != digest:
                    return False
        return True

    def _sha256(self, name: str) -> str:
        found = next((item for item in self._manifest.files if item.name == name), None)
        return "" if found is None else found.digests.sha256.hex()

    def _page_list(self) -> bool:
        """``pages.jsonl`` lists the same pages."""
        at = format_moment(self._manifest.begun)
        expected = tuple(
            Page(id=f"page-{page.number:03}", url=page.reached or page.url, title=page.title, at=at)
            for page in self._manifest.pages
        )
        return tuple(self._reader.pages) == expected

    def _result(self, started: Started, actions: Sequence[Action]) -> bool:
        """Complete only when nothing speaks against it; a capture of which no page was loaded has failed."""
        manifest, story, found = self._manifest, _story(started, actions), self._comparison()
        states = [page.state for page in manifest.pages]
        if manifest.result is CaptureResult.FAILED:
            return True
        if manifest.result is CaptureResult.PARTIAL:
            return any(state is not PageState.FAILED for state in states)
        return (
            bool(states)
            and all(state is PageState.LOADED for state in states)
            and not manifest.reasons
            and story.done is not None
            and story.done.reason is Ended.FINISHED
            and not story.faults
            and (found is None or not (found.contradictions or found.torn))
            and not self._unread()
        )

    def _reasons(self, started: Started, actions: Sequence[Action]) -> bool:
        """What is not complete says why, and no reason that the record itself shows is left out."""
        manifest = self._manifest
        told = {item.code for item in manifest.reasons}
        if manifest.result is CaptureResult.COMPLETE:
            return True  # judged with the result
        if not told:
            return False
        if not self._ours or len(manifest.reasons) == MAX_REASONS:
            return True
        normal = Recorded(browser=BrowserEnd.FINISHED, fault=None)
        _, expected = judge(_story(started, actions), normal, [])
        codes = {item.code for item in expected} - _EITHER
        if CUT_SHORT in told:
            codes &= _OF_PAGES
        found = self._comparison()
        if found is not None and found.contradictions:
            codes.add("capture.reason.contradictions")
        return codes <= told and (not self._unread() or bool(told & _UNREAD))

    @property
    def _ours(self) -> bool:
        """Whether the program that sealed judges as this one does."""
        return sealed_here(self._manifest.software)

    def _unread(self) -> bool:
        """Whether a connection was not read to its end: not decrypted, or its recorder was killed."""
        if any(item.ending is Ending.UNKNOWN for item in self._index()):
            return True
        if self._gone(SESSIONS) or SESSIONS not in self._here:
            return False
        lines = read(self._reader, SESSIONS, _MAX_INDEX).splitlines()
        sessions = (decode(line, what=SESSIONS, limit=_MAX_LOG) for line in lines)
        return any(
            not isinstance(item, dict) or bool(item.get("fault_server") or item.get("fault_client"))
            for item in sessions
        )

    def _comparison(self) -> Comparison | None:
        if self._gone(_DIFFERENCES) or _DIFFERENCES not in self._here:
            return None
        return parse_comparison(read(self._reader, _DIFFERENCES, MAX_DIFFERENCES))


def _milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _story(started: Started, actions: Sequence[Action]) -> Story:
    story = Story(plan=started.plan)
    for action in actions:
        story.hear(action.event)
    return story


def _of(page: PageResult) -> tuple[int, str, str, tuple[str, ...]]:
    """What of a page is fact, and no judgment."""
    return page.number, page.url, page.reached, page.names


def _loaded(story: Story, number: int) -> bool:
    if story.plan.mode is not CaptureMode.AUTOMATIC:
        return True
    visit = story.visits.get(number)
    return visit is not None and visit.state is PageState.LOADED


def _goes_on(before: Mark, after: Mark) -> bool:
    """Nothing that a mark had seen is gone in the next."""
    later = {item.number: item for item in after.streams}
    return before.actions <= after.actions and all(
        item.number in later
        and item.sent <= later[item.number].sent
        and item.received <= later[item.number].received
        for item in before.streams
    )
