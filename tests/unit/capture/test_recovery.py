"""The index of a recording that was cut off."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evidence_desk.capture.folder import FolderWorkspace
from evidence_desk.capture.recovery import recover_index
from evidence_desk.core.capture.connection import Connection, Ending, Fate, encode_connection, parse_index
from evidence_desk.core.capture.stream import Chunk, Direction, encode_chunk
from evidence_desk.core.digests import sha256
from evidence_desk.errors import MalformedError

AT = "2026-03-02T01:30:00.123Z"
OPENED = Connection(
    number=1, host="example.com", port=443, answers=("192.0.2.7",), address="192.0.2.7", local="10.0.0.5:40000",
    fate=Fate.OPENED, reason=None, opened_at=AT, closed_at=None, ending=Ending.UNKNOWN, sent=0, received=0,
    sent_sha256=sha256(b""), received_sha256=sha256(b""),
)  # fmt: skip
DONE = replace(OPENED, closed_at=AT, ending=Ending.CLOSED, sent=3, sent_sha256=sha256(b"abc"))
STREAM = b"".join(
    encode_chunk(Chunk(direction=direction, at=1, data=data))
    for direction, data in (
        (Direction.OUT, b"a"),
        (Direction.IN, b"12"),
        (Direction.OUT, b"bc"),
        (Direction.IN, b"3"),
    )
)


class FixedClock:
    def now(self) -> datetime:
        return datetime(2026, 3, 2, 1, 30, 0, 123000, tzinfo=UTC)


@pytest.fixture
def workspace(tmp_path: Path) -> FolderWorkspace:
    return FolderWorkspace(tmp_path / "capture")


def put(workspace: FolderWorkspace, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        workspace.replace(name, data)


def content(workspace: FolderWorkspace, name: str = "connections.jsonl") -> bytes:
    with workspace.open(name) as file:
        return file.read()


def test_nothing_to_recover(workspace: FolderWorkspace):
    assert recover_index(workspace, FixedClock()) == ()
    assert workspace.names() == []


def test_a_whole_index_is_left_alone(workspace: FolderWorkspace):
    second = replace(DONE, number=2)
    data = encode_connection(second) + encode_connection(DONE)
    put(workspace, {"connections.jsonl": data, "stream-000001.bin": STREAM, "stream-000002.bin": b""})
    assert recover_index(workspace, FixedClock()) == (DONE, second)
    assert content(workspace) == data


def test_a_stream_without_a_line_is_measured(workspace: FolderWorkspace):
    put(workspace, {"opened.jsonl": encode_connection(OPENED), "stream-000001.bin": STREAM})
    (line,) = recover_index(workspace, FixedClock())
    assert line == replace(
        OPENED, reason="killed", sent=3, received=3, sent_sha256=sha256(b"abc"), received_sha256=sha256(b"123")
    )  # fmt: skip
    assert parse_index(content(workspace)) == (line,)
    assert recover_index(workspace, FixedClock()) == (line,)


@pytest.mark.parametrize(
    ("tail", "reason"), [(b">\0\0", "torn"), (b">" + bytes(11) + b"\5abc", "torn"), (b"x" * 13, "damaged")]
)
def test_only_whole_chunks_count(workspace: FolderWorkspace, tail: bytes, reason: str):
    put(workspace, {"opened.jsonl": encode_connection(OPENED), "stream-000001.bin": STREAM + tail})
    (line,) = recover_index(workspace, FixedClock())
    assert (line.reason, line.sent, line.received) == (reason, 3, 3)
    assert content(workspace, "stream-000001.bin") == STREAM + tail


def test_a_stream_that_nothing_speaks_of(workspace: FolderWorkspace):
    put(
        workspace,
        {
            "stream-000007.bin": b"",
            "stream-7.bin": b"",
            "stream-000000.bin": b"",
            "stream-.bin": b"",
            "page-001.pdf": b"",
        },
    )
    (line,) = recover_index(workspace, FixedClock())
    assert (line.number, line.host, line.ending, line.opened_at) == (7, "", Ending.UNKNOWN, AT)


def test_a_line_whose_stream_never_came(workspace: FolderWorkspace):
    put(workspace, {"opened.jsonl": encode_connection(OPENED)})
    (line,) = recover_index(workspace, FixedClock())
    assert (line.host, line.sent, line.received) == ("example.com", 0, 0)


@pytest.mark.parametrize("cut", [1, 5, 200])
def test_torn_last_lines_are_made_again(workspace: FolderWorkspace, cut: int):
    second = replace(OPENED, number=2, host="example.org")
    put(
        workspace,
        {
            "connections.jsonl": encode_connection(DONE) + encode_connection(replace(DONE, number=2))[:-cut],
            "opened.jsonl": encode_connection(OPENED) + encode_connection(second) + b'{"addr',
            "stream-000001.bin": STREAM, "stream-000002.bin": STREAM,
        },
    )  # fmt: skip
    first, other = recover_index(workspace, FixedClock())
    assert first == DONE
    assert (other.host, other.ending, other.sent) == ("example.org", Ending.UNKNOWN, 3)
    assert content(workspace).startswith(encode_connection(DONE))


def test_a_damaged_index_is_not_touched(workspace: FolderWorkspace):
    put(workspace, {"connections.jsonl": b"{}\n", "stream-000001.bin": STREAM})
    with pytest.raises(MalformedError, match=r"malformed\.connections"):
        recover_index(workspace, FixedClock())
    assert content(workspace) == b"{}\n"


@given(st.binary(max_size=300))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_any_stream_is_measured(tmp_path: Path, data: bytes):
    workspace = FolderWorkspace(tmp_path / "capture")
    put(
        workspace,
        {"connections.jsonl": b"", "opened.jsonl": encode_connection(OPENED), "stream-000001.bin": data},
    )
    (line,) = recover_index(workspace, FixedClock())
    assert line.sent + line.received <= len(data)
