import io
from datetime import UTC, datetime
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.core.canonical import JSON, encode
from evidence_desk.core.capture.actions import NAME, START, ActionLog, verify_actions
from evidence_desk.core.capture.events import Deed, Done, Ended, Step
from evidence_desk.core.digests import sha256
from evidence_desk.errors import EvidenceDeskError, MalformedError


class Memory:
    """A workspace in memory."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def names(self):
        return sorted(self.files)

    def size(self, name):
        return len(self.files[name])

    def open(self, name) -> BinaryIO:
        return io.BytesIO(self.files[name])

    def create(self, name) -> BinaryIO:
        raise NotImplementedError

    def append(self, name, data):
        self.files[name] = self.files.get(name, b"") + data

    def replace(self, name, data):
        self.files[name] = data

    def discard(self, name):
        del self.files[name]

    def spool(self) -> BinaryIO:
        return io.BytesIO()


class Clock:
    def now(self):
        return datetime(2026, 3, 2, 1, 30, 0, 123456, tzinfo=UTC)


def step(number: int) -> Step:
    return Step(number=number, tab=1, deed=Deed.CLICK, url="https://a.example/", target=f"按钮 {number}")


def log(count: int) -> tuple[ActionLog, bytes]:
    workspace = Memory()
    actions = ActionLog(workspace, Clock())
    for number in range(1, count + 1):
        actions.add(step(number))
    return actions, workspace.files.get(NAME, b"")


def test_an_empty_log():
    actions, data = log(0)
    assert actions.reach == (0, START)
    chain = verify_actions(data)
    assert (chain.actions, chain.head, chain.broken, chain.torn) == ((), START, None, False)


def test_a_log_hangs_together():
    actions, data = log(3)
    chain = verify_actions(data)
    assert [action.event for action in chain.actions] == [step(1), step(2), step(3)]
    assert chain.actions[0].at == "2026-03-02T01:30:00.123Z"
    assert chain.actions[0].previous == START
    assert chain.head == actions.head == sha256(data.splitlines()[-1])
    assert actions.count == 3
    assert chain.broken is None
    assert not chain.torn


def test_a_line_left_out_breaks_the_chain():
    lines = log(4)[1].splitlines(keepends=True)
    chain = verify_actions(b"".join([lines[0], *lines[2:]]))
    assert chain.broken == 2
    assert len(chain.actions) == 1


def test_a_line_changed_breaks_the_chain_after_it():
    actions, data = log(3)
    chain = verify_actions(data.replace("按钮 1".encode(), "按钮 9".encode()))
    assert chain.broken == 2
    data_of_last = data.replace("按钮 3".encode(), "按钮 9".encode())
    assert verify_actions(data_of_last).head != actions.head


def test_lines_swapped_break_the_chain():
    lines = log(3)[1].splitlines(keepends=True)
    assert verify_actions(lines[0] + lines[2] + lines[1]).broken == 2


def test_a_log_has_an_end(monkeypatch):
    data = log(3)[1]
    monkeypatch.setattr("evidence_desk.core.capture.actions.MAX_ACTIONS", 2)
    with pytest.raises(MalformedError):
        verify_actions(data)


def test_a_torn_end_leaves_what_came_before():
    data = log(3)[1]
    chain = verify_actions(data[:-10])
    assert chain.torn
    assert len(chain.actions) == 2


def _line(**changes: JSON) -> bytes:
    value = {**verify_actions(log(1)[1]).actions[0].to_json(), **changes}
    return encode(value) + b"\n"


@pytest.mark.parametrize(
    "line",
    [
        b"{}\n",
        b"[]\n",
        _line(number=0),
        _line(number=True),
        _line(kind=5),
        _line(kind="stop", facts={}),
        _line(at="yesterday"),
        _line(previous="00"),
        _line(more=1),
        _line().replace(b"{", b"{ ", 1),
    ],
)
def test_lines_that_are_none_of_ours(line):
    with pytest.raises(MalformedError):
        verify_actions(line)


@given(st.binary(max_size=200))
def test_bytes_are_read_or_refused(data):
    try:
        verify_actions(data)
    except EvidenceDeskError as error:
        assert isinstance(error, MalformedError)  # noqa: PT017


@given(
    st.lists(
        st.sampled_from([step(1), Done(reason=Ended.FINISHED, steps=1, snapshots=0, requests=0, failed=0)])
    )
)
def test_any_events_come_back(events):
    workspace = Memory()
    actions = ActionLog(workspace, Clock())
    for event in events:
        actions.add(event)
    chain = verify_actions(workspace.files.get(NAME, b""))
    assert [action.event for action in chain.actions] == events
    assert (len(chain.actions), chain.head) == actions.reach
