"""Captures that were cut short by a crash or a kill: seal what was recorded, or give them up. Nothing is lost by itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from evidence_desk.core.capture.actions import NAME as ACTIONS
from evidence_desk.core.capture.actions import START, ActionChain, verify_actions
from evidence_desk.core.capture.connection import parse_index
from evidence_desk.core.capture.environment import because
from evidence_desk.core.capture.environment_codec import parse as parse_environment
from evidence_desk.core.capture.manifest import MarkResult
from evidence_desk.core.capture.marks import (
    STARTED,
    Mark,
    MarkKind,
    Started,
    StreamMark,
    mark_name,
    parse_mark,
    parse_started,
    token_name,
)
from evidence_desk.core.capture.notice import NOTICES_NAME, NoticeKind, parse_notices
from evidence_desk.core.capture.ports import BrowserEnd, Reach, Recorded, Recorder
from evidence_desk.core.capture.rows import CaptureRow, CaptureState
from evidence_desk.core.capture.story import Story, judge
from evidence_desk.core.capture.workspace import Workspace
from evidence_desk.core.job import Job
from evidence_desk.core.moment import parse_moment
from evidence_desk.errors import MalformedError, NotFoundError
from evidence_desk.services.capture import CaptureOutcome, CaptureTools
from evidence_desk.services.capture_seal import REQUEST, Capture, Judge, read_file, seal_capture
from evidence_desk.services.capture_start import AFTER, abandon
from evidence_desk.services.desk import Desk
from evidence_desk.services.queue_request import parse_request
from evidence_desk.services.seal import SealRequest
from evidence_desk.wacz.build import INDEX
from tsa.response import parse_token

_LIMITS: Final = {"total-bytes": "capture.byte_limit", "connections": "capture.connection_limit"}
"""Codes of the limits that a recorder notes."""


def cut_short(desk: Desk, recorder: Recorder) -> tuple[CaptureRow, ...]:
    """Captures that began, and neither ended nor are being recorded by this process, oldest first.

    What a recorder left of captures that never came into the log, or ended long ago, is removed.
    """
    left = recorder.left_over()
    running = [row for row in desk.store.captures.captures() if row.state is CaptureState.RUNNING]
    known = {row.id for row in running}
    for capture in left.keys() - known:
        recorder.remove(capture)
    busy = recorder.busy()
    return tuple(row for row in running if row.id not in busy)


def recover(desk: Desk, tools: CaptureTools, capture: bytes, *, job: Job) -> CaptureOutcome:
    """Seal what was recorded of a capture that was cut short; it is partial at best.

    Raises:
        NotFoundError: ``capture.unknown``; ``capture.nothing_left`` when its workspace is gone: it can only be abandoned.
        MalformedError: the workspace was changed. HostError.
    """
    row, workspace = _left(desk, tools.recorder, capture)
    started = _started(workspace, row)
    _drop_begun(workspace)
    tools.recorder.recover(workspace)
    chain = _actions(workspace)
    story = Story(plan=started.plan)
    for action in chain.actions:
        story.hear(action.event)
    outcome = seal_capture(
        desk,
        Capture(
            row=row, started=started, workspace=workspace, story=story, reach=_reach(workspace, chain),
            marks=_marks(workspace), ended=_ended(workspace, started, chain), judge=_judge(workspace, story),
        ),
        _request(workspace, row),
        render=tools.environment.render,
        job=job,
    )  # fmt: skip
    tools.recorder.remove(capture)
    return CaptureOutcome(
        capture=desk.store.captures.capture(capture) or row, exhibit=outcome.exhibit, result=outcome.result,
        reasons=outcome.reasons, pages=story.pages(),
    )  # fmt: skip


def give_up(desk: Desk, recorder: Recorder, capture: bytes) -> CaptureRow:
    """Abandon a capture that was cut short; what was recorded is deleted, that it was begun stays in the log.

    Raises:
        NotFoundError: ``capture.unknown``.
    """
    row = _running(desk, capture)
    abandon(desk, row)
    recorder.remove(capture)
    return desk.store.captures.capture(capture) or row


def _running(desk: Desk, capture: bytes) -> CaptureRow:
    row = desk.store.captures.capture(capture)
    if row is None or row.state is not CaptureState.RUNNING:
        raise NotFoundError("capture.unknown", number=capture.hex())
    return row


def _left(desk: Desk, recorder: Recorder, capture: bytes) -> tuple[CaptureRow, Workspace]:
    row = _running(desk, capture)
    left: Mapping[bytes, Workspace] = recorder.left_over()
    if capture not in left:
        raise NotFoundError("capture.nothing_left", number=capture.hex())
    return row, left[capture]


def _started(workspace: Workspace, row: CaptureRow) -> Started:
    """What was registered before anything was recorded; the log committed to these very bytes."""
    document = read_file(workspace, STARTED) if STARTED in workspace.names() else b""
    if document != row.document:
        raise MalformedError("malformed.capture_started")
    return parse_started(document)


def _last_mark(workspace: Workspace) -> Mark | None:
    marks = [name for name in workspace.names() if name.startswith("mark-") and name.endswith(".json")]
    last = max(marks, key=lambda name: (len(name), name), default=None)
    return None if last is None else parse_mark(read_file(workspace, last))


def _ended(workspace: Workspace, started: Started, chain: ActionChain) -> datetime:
    """The last moment of which the recording itself tells; it was not going on until it is sealed."""
    mark = _last_mark(workspace)
    told = [started.at, *(item.at for item in chain.actions[-1:]), *(() if mark is None else (mark.at,))]
    return max(parse_moment(moment, what="capture") for moment in told)


def _judge(workspace: Workspace, story: Story) -> Judge:
    """A browser that was done, or a mark at the end, says that the recording was over, and only sealing was cut short."""
    mark = _last_mark(workspace)
    if story.done is None and (mark is None or mark.kind is not MarkKind.END):
        return lambda further: judge(story, None, further)
    end = BrowserEnd.VANISHED if story.done is None else BrowserEnd.FINISHED
    late = because("capture.reason.sealed_later")
    fault = _recorders_fault(workspace)
    return lambda further: judge(story, Recorded(browser=end, fault=fault), [late, *further])


def _recorders_fault(workspace: Workspace) -> str | None:
    """Why the recorder had to stop, as it noted itself; a line that was cut at the end says nothing."""
    data = read_file(workspace, NOTICES_NAME) if NOTICES_NAME in workspace.names() else b""
    for notice in parse_notices(data[: data.rfind(b"\n") + 1]):
        if notice.kind is NoticeKind.FAILED:
            return notice.reason
        if notice.kind is NoticeKind.LIMIT and notice.reason in _LIMITS:
            return _LIMITS[notice.reason]
    return None


def _drop_begun(workspace: Workspace) -> None:
    """Take away what was being written when the program was killed: the last mark, a token, the report from after."""
    names = [name for name in workspace.names() if name.startswith("mark-")]
    marks = sorted((name for name in names if name.endswith(".json")), key=lambda name: (len(name), name))
    tokens = [name for name in names if name.endswith(".tst")]  # they come late, for any mark
    for name in [AFTER, *marks[-1:], *tokens]:
        if name in workspace.names() and not _is_whole(name, read_file(workspace, name)):
            workspace.discard(name)


def _is_whole(name: str, data: bytes) -> bool:
    try:
        if name == AFTER:
            parse_environment(data)
        elif name.endswith(".json"):
            parse_mark(data)
        else:
            parse_token(data)
    except MalformedError:
        return False
    return True


def _actions(workspace: Workspace) -> ActionChain:
    """The action log; a line that was cut at the end is dropped from the file."""
    if ACTIONS not in workspace.names():
        workspace.append(ACTIONS, b"")
        return ActionChain(actions=(), head=START, broken=None, torn=False)
    data = read_file(workspace, ACTIONS)
    chain = verify_actions(data)
    if chain.broken is not None:
        raise MalformedError("malformed.actions", reason="chain")
    if chain.torn:
        workspace.replace(ACTIONS, data[: data.rfind(b"\n") + 1])
    return chain


def _reach(workspace: Workspace, chain: ActionChain) -> Reach:
    connections = parse_index(read_file(workspace, INDEX)) if INDEX in workspace.names() else ()
    streams = tuple(
        StreamMark(
            number=item.number, sent=item.sent, received=item.received, sent_sha256=item.sent_sha256,
            received_sha256=item.received_sha256,
        )
        for item in connections
    )  # fmt: skip
    size = sum(item.sent + item.received for item in connections)
    return Reach(streams=streams, actions=len(chain.actions), head=chain.head, size=size)


def _marks(workspace: Workspace) -> tuple[MarkResult, ...]:
    names = set(workspace.names())
    results: list[MarkResult] = []
    while mark_name(len(results)) in names:
        index = len(results)
        token = token_name(index) in names
        moment = parse_token(read_file(workspace, token_name(index))).gen_time if token else None
        results.append(MarkResult(name=mark_name(index), token=token, gen_time=moment))
    return tuple(results)


def _request(workspace: Workspace, row: CaptureRow) -> SealRequest:
    if REQUEST not in workspace.names():
        return SealRequest(case_number=row.case_number)
    return parse_request(read_file(workspace, REQUEST))
