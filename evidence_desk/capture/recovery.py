"""The index of a recording whose recorder was killed: what its streams and ``opened.jsonl`` still tell."""

from __future__ import annotations

import hashlib
from typing import BinaryIO, Final

from evidence_desk.capture.recording import INDEX_NAME, OPENED_NAME
from evidence_desk.core.capture.connection import (
    Connection,
    Ending,
    Fate,
    encode_connection,
    parse_index,
    stream_name,
)
from evidence_desk.core.capture.stream import Direction, StreamReader
from evidence_desk.core.capture.workspace import Workspace
from evidence_desk.core.moment import format_moment
from evidence_desk.core.ports import Clock
from evidence_desk.errors import MalformedError

MAX_INDEX: Final = 256 << 20
_PREFIX, _SUFFIX = "stream-", ".bin"


def recover_index(workspace: Workspace, clock: Clock) -> tuple[Connection, ...]:
    """Give every stream its line in ``connections.jsonl``; those that lack one end ``unknown``. Not while it is recorded.

    A line that the disk holds in part only is dropped, its connection is taken from its stream. Whole indexes are left
    as they are, byte for byte.

    Args:
        workspace: of the capture.
        clock: for `opened_at` of a stream that no line speaks of.

    Returns:
        The whole index, by number.

    Raises:
        MalformedError: ``malformed.connections``: a whole line is wrong. The files are then untouched.
        HostError: the disk refused.
    """
    data = _lines(workspace, INDEX_NAME)
    index = {line.number: line for line in parse_index(data)}
    opened = {line.number: line for line in parse_index(_lines(workspace, OPENED_NAME))}
    numbers = {number for name in workspace.names() if (number := _number(name)) is not None}
    missing = sorted((numbers | opened.keys()) - index.keys())
    for number in missing:
        line = opened.get(number) or _unknown(number, format_moment(clock.now()))
        index[number] = _measured(workspace, line, present=number in numbers)
    added = b"".join(encode_connection(index[number]) for number in missing)
    if added or data != _content(workspace, INDEX_NAME):
        workspace.replace(INDEX_NAME, data + added)
    return tuple(index[number] for number in sorted(index))


def _content(workspace: Workspace, name: str) -> bytes:
    if name not in workspace.names():
        return b""
    if workspace.size(name) > MAX_INDEX:
        raise MalformedError("malformed.connections", reason="size")
    with workspace.open(name) as file:
        return file.read()


def _lines(workspace: Workspace, name: str) -> bytes:
    """Whole lines of a file."""
    data = _content(workspace, name)
    return data[: data.rfind(b"\n") + 1]


def _number(name: str) -> int | None:
    """Number of the connection whose stream is called so."""
    digits = name.removeprefix(_PREFIX).removesuffix(_SUFFIX)
    if not (digits.isascii() and digits.isdecimal() and int(digits)):
        return None
    return int(digits) if stream_name(int(digits)) == name else None


def _unknown(number: int, moment: str) -> Connection:
    """A stream that was made just before the recorder was killed: nothing is known of it."""
    nothing = hashlib.sha256().digest()
    return Connection(
        number=number, host="", port=0, answers=(), address=None, local=None, fate=Fate.OPENED, reason="killed",
        opened_at=moment, closed_at=None, ending=Ending.UNKNOWN,
        sent=0, received=0, sent_sha256=nothing, received_sha256=nothing,
    )  # fmt: skip


def _measured(workspace: Workspace, line: Connection, *, present: bool) -> Connection:
    """The line with what the stream holds in whole chunks."""
    counts = {Direction.OUT: 0, Direction.IN: 0}
    hashes = {Direction.OUT: hashlib.sha256(), Direction.IN: hashlib.sha256()}
    reason = "killed"
    if present:
        with workspace.open(stream_name(line.number)) as file:
            reason = _measure(file, counts, hashes)
    return Connection(
        number=line.number, host=line.host, port=line.port, answers=line.answers, address=line.address,
        local=line.local, fate=Fate.OPENED, reason=reason, opened_at=line.opened_at, closed_at=None,
        ending=Ending.UNKNOWN, sent=counts[Direction.OUT], received=counts[Direction.IN],
        sent_sha256=hashes[Direction.OUT].digest(), received_sha256=hashes[Direction.IN].digest(),
    )  # fmt: skip


def _measure(file: BinaryIO, counts: dict[Direction, int], hashes: dict[Direction, hashlib._Hash]) -> str:
    """Count and hash the whole chunks of a stream; why it ends."""
    reader = StreamReader(file)
    try:
        for chunk in reader:
            counts[chunk.direction] += len(chunk.data)
            hashes[chunk.direction].update(chunk.data)
    except MalformedError:
        return "damaged"
    return "torn" if reader.torn else "killed"
