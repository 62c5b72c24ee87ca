"""Verify the recorder's journals: connections as they were opened, name lookups, notices; and all recorded moments.

They were written beside the index while the capture ran: what they tell has to agree with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Final

from evidence_desk.core.capture.actions import NAME as ACTIONS
from evidence_desk.core.capture.actions import verify_actions
from evidence_desk.core.capture.connection import Connection, Ending, Fate, parse_index
from evidence_desk.core.capture.lookup import LOOKUPS_NAME, Lookup, Outcome, parse_lookups
from evidence_desk.core.capture.manifest import Manifest
from evidence_desk.core.capture.marks import MAX_STARTED, STARTED, STARTED_LEAF, Mark, MarkKind, parse_started
from evidence_desk.core.capture.notice import NOTICES_NAME, parse_notices
from evidence_desk.core.capture.redaction import INDEX
from evidence_desk.core.leaf import MAX_LEAF, parse_leaf
from evidence_desk.core.moment import format_moment, parse_moment
from evidence_desk.core.verdict import Dimension
from evidence_desk.errors import MalformedError
from evidence_desk.verify.capture_contents import check_notices
from evidence_desk.verify.capture_work import Work, read, reason_of
from evidence_desk.wacz.read import WaczReader

OPENED: Final = "opened.jsonl"
_MAX_INDEX: Final = 512 << 20
_MAX_JOURNAL: Final = 256 << 20
_TOLERANCE: Final = timedelta(minutes=1)
_SYSTEM: Final = "system"
_PRIVATE: Final = tuple(
    ip_network(name)
    for name in (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "::1/128", "fc00::/7", "fe80::/10",
    )
)  # fmt: skip
_FOUND: Final = "capture.reason."
"""What was found in a recording; other reasons tell what ended it: a disk, a limit. Then journals may lack lines."""


def check_journals(work: Work, reader: WaczReader, manifest: Manifest, marks: Sequence[Mark]) -> None:
    """`opened.jsonl` and `lookups.jsonl` against the index, and every journal's moments against beginning and end."""
    ended = bool(marks) and marks[-1].kind is MarkKind.END
    ended = ended and all(item.code.startswith(_FOUND) for item in manifest.reasons)
    journals = _Journals(work, reader, ended=ended)
    try:
        index = parse_index(journals.bytes(INDEX)) if INDEX in reader.evidence else ()
        started = parse_started(read(reader, STARTED, MAX_STARTED))
        leaf_at = format_moment(parse_leaf(read(reader, STARTED_LEAF, MAX_LEAF)).at)
    except MalformedError:
        return  # told by the checks of streams and beginning
    _opened(work, journals, index)
    _lookups(work, journals, index, private=started.plan.allow_private)
    check_notices(work, journals.bytes(NOTICES_NAME), index, ended=ended)
    _moments(work, journals, manifest, [leaf_at, *(mark.at for mark in marks)], index)


class _Journals:
    """Files of a recorder. Where it did not come to its end, the last line of each may be torn, and lines may be missing."""

    def __init__(self, work: Work, reader: WaczReader, *, ended: bool) -> None:
        self._work, self._reader = work, reader
        self.ended = ended

    def bytes(self, name: str) -> bytes:
        """Whole lines; b"" where there is no file. MalformedError."""
        if name not in self._reader.evidence:
            return b""
        data = read(self._reader, name, _MAX_INDEX if name == INDEX else _MAX_JOURNAL)
        return data if self.ended else data[: data.rfind(b"\n") + 1]

    def withheld(self, name: str) -> bool:
        """Whether a copy leaves it out."""
        return name in self._work.withheld


def _opened(work: Work, journals: _Journals, index: Sequence[Connection]) -> None:
    """What was noted before a connection's first byte is what the index says of it in the end."""
    check = "capture.opened_lines"
    if journals.withheld(OPENED):
        work.unknown(Dimension.INTEGRITY, check, "withheld")
        return
    try:
        lines = {item.number: item for item in parse_index(journals.bytes(OPENED))}
    except MalformedError as error:
        work.failed(Dimension.INTEGRITY, check, "malformed", reason=reason_of(error))
        return
    known = {item.number: item for item in index if item.fate is Fate.OPENED}
    strange = [number for number in lines if number not in known]
    missing = [item.number for item in known.values() if item.number not in lines and not _unseen(item)]
    other = [number for number, line in lines.items() if number in known and not _same(line, known[number])]
    for reason, found in (("strange", strange), ("missing", missing), ("other", other)):
        if found:
            work.failed(Dimension.INTEGRITY, check, reason, number=min(found), count=len(found))
            return
    work.passed(Dimension.INTEGRITY, check, count=len(lines))


def _unseen(item: Connection) -> bool:
    """A stream that was made a moment before the recorder was killed: no line was written of it."""
    return item.ending is Ending.UNKNOWN and item.host == "" and item.port == 0


def _same(line: Connection, item: Connection) -> bool:
    """Whether a connection was opened as its line in the index says."""
    fresh = (line.fate, line.ending, line.reason, line.closed_at, line.sent, line.received)
    return fresh == (Fate.OPENED, Ending.UNKNOWN, None, None, 0, 0) and all(
        getattr(line, name) == getattr(item, name)
        for name in ("host", "port", "answers", "address", "local", "opened_at")
    )


def _lookups(work: Work, journals: _Journals, index: Sequence[Connection], *, private: bool) -> None:
    """Addresses of every name come from a lookup of the system's resolver, and names that were asked from connections."""
    check = "capture.lookups"
    if not private:
        inside = next((item for item in index if item.fate is Fate.OPENED and _of_this_network(item)), None)
        if inside is not None:
            work.failed(
                Dimension.ENVIRONMENT, check, "private", host=inside.host, address=str(inside.address)
            )
            return
    strange = next((item.host for item in index if not _reached_as_answered(item)), None)
    if strange is not None:
        work.failed(Dimension.INTEGRITY, check, "address", host=strange)
        return
    if journals.withheld(LOOKUPS_NAME):
        work.unknown(Dimension.INTEGRITY, check, "withheld")
        return
    try:
        lookups = parse_lookups(journals.bytes(LOOKUPS_NAME))
    except MalformedError as error:
        work.failed(Dimension.INTEGRITY, check, "malformed", reason=reason_of(error))
        return
    if not all(map(_sound, lookups)):
        work.failed(Dimension.INTEGRITY, check, "wrong")
        return
    asked = {item.host for item in index}
    unasked = next((item.host for item in lookups if item.host not in asked), None)
    answered = {(item.host, item.answers): item for item in lookups if _answered(item)}
    named = [item for item in index if item.answers]
    unanswered = [item.host for item in named if (item.host, item.answers) not in answered]
    if journals.ended and (unasked is not None or unanswered):
        reason = "unanswered" if unanswered else "unasked"
        work.failed(Dimension.INTEGRITY, check, reason, host=unanswered[0] if unanswered else str(unasked))
    elif unanswered:
        work.unknown(Dimension.ENVIRONMENT, check, "cut", count=len(unanswered))
    else:
        work.passed(Dimension.INTEGRITY, check, count=len(lookups), connections=len(named))


def _of_this_network(item: Connection) -> bool:
    """Whether an address is of this machine or a private network, which the recorder refuses unless it is allowed."""
    try:
        address = ip_address(item.address or "::")
    except ValueError:
        return False
    return any(address in network for network in _PRIVATE if network.version == address.version)


def _sound(item: Lookup) -> bool:
    """Whether question and answers are such as a recorder writes."""
    own = item.kind == _SYSTEM
    if own != (item.server is None) or own != (item.transport == _SYSTEM):
        return False
    if not own and (item.kind not in ("A", "AAAA") or item.transport not in ("udp", "tcp")):
        return False
    try:
        return all(str(ip_address(answer)) for answer in item.answers)
    except ValueError:
        return False


def _answered(item: Lookup) -> bool:
    return item.kind == _SYSTEM and item.outcome is Outcome.ANSWERED


def _reached_as_answered(item: Connection) -> bool:
    """An address that was reached is one of the answers, or the very address that was asked for."""
    if item.address is None:
        return item.fate is not Fate.OPENED or _unseen(item)
    if item.answers:
        return item.address in item.answers
    try:
        return ip_address(item.host) == ip_address(item.address)
    except ValueError:
        return False


def _moments(
    work: Work, journals: _Journals, manifest: Manifest, marks: Sequence[str], index: Sequence[Connection]
) -> None:
    """Moments of the first leaf, marks, connections, lookups, notices and actions lie between beginning and end."""
    check = "capture.moments"
    low, high = manifest.begun - _TOLERANCE, manifest.ended + _TOLERANCE
    found: list[tuple[datetime, str]] = []

    def note(name: str, moments: Iterator[str]) -> None:
        outside = [at for at in (parse_moment(text, what=name) for text in moments) if not low <= at <= high]
        found.extend((at, name) for at in outside[:1])

    try:
        note("mark-000.json", iter(marks))
        note(INDEX, (at for item in index for at in (item.opened_at, item.closed_at) if at is not None))
        for name, moments in _READERS.items():
            if not journals.withheld(name):
                note(name, iter(moments(journals.bytes(name))))
    except MalformedError as error:
        work.failed(Dimension.INTEGRITY, check, "malformed", reason=reason_of(error))
        return
    for at, name in found:
        work.unknown(Dimension.ENVIRONMENT, check, "strange", name=name, at=format_moment(at))


_READERS: Final[dict[str, Callable[[bytes], Sequence[str]]]] = {
    LOOKUPS_NAME: lambda data: [item.asked_at for item in parse_lookups(data)],
    NOTICES_NAME: lambda data: [item.at for item in parse_notices(data)],
    ACTIONS: lambda data: [item.at for item in verify_actions(data).actions],
}
