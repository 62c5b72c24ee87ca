"""What a capture has timestamped: ``started.json``, which its first leaf commits to, and the marks while it runs.

A mark says how far every stream and the action log had come. Its SHA-256 is what a token covers, so that nobody can put a
stream in the place of another afterwards without the keys of the authority.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.core.capture.plan import CapturePlan
from evidence_desk.core.digests import DigestPair, parse_hex
from evidence_desk.core.moment import parse_moment
from evidence_desk.errors import MalformedError

STARTED: Final = "started.json"
STARTED_LEAF: Final = "started-leaf.json"
"""The leaf ``capture.started`` itself, which refers to ``started.json``."""
_STARTED_VERSION: Final = "capture-started/1"
_MARK_VERSION: Final = "capture-mark/1"
MAX_STARTED: Final = 8 << 20
MAX_MARK: Final = 64 << 20
ID_SIZE: Final = 16
NONCE_SIZE: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownHeader:
    """The newest court header known when a capture began: it was not begun before that."""

    chain_id: str
    height: int
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """What is settled before anything is recorded.

    Attributes:
        id: 16 random bytes.
        at: by the desk's clock (`format_moment`).
        environment: digests of ``environment-before.json``; None when there was no time for it.
        nonce: 32 secret random bytes: the commitment tells nothing of the addresses.
    """

    id: bytes
    case_number: str
    at: str
    plan: CapturePlan
    environment: DigestPair | None
    nonce: bytes
    header: KnownHeader | None

    def to_json(self) -> dict[str, JSON]:
        """As ``started.json``."""
        header = self.header
        return {
            "v": _STARTED_VERSION, "id": self.id.hex(), "case": self.case_number, "at": self.at,
            "plan": self.plan.to_json(),
            "environment": None if self.environment is None else {**self.environment.to_json()},
            "nonce": self.nonce.hex(),
            "header": None if header is None
            else {"chain_id": header.chain_id, "height": header.height, "hash": header.digest.hex()},
        }  # fmt: skip


def encode_started(started: Started) -> bytes:
    """Canonical bytes, ``started.json``."""
    return encode(started.to_json())


def parse_started(data: bytes) -> Started:
    """Read ``started.json`` strictly.

    Raises:
        MalformedError: ``malformed.capture_started`` and the codes of its parts.
    """
    value = decode(data, what=STARTED, limit=MAX_STARTED)
    if not isinstance(value, dict) or set(value) != {
        "v", "id", "case", "at", "plan", "environment", "nonce", "header",
    } or value["v"] != _STARTED_VERSION:  # fmt: skip
        raise MalformedError("malformed.capture_started")
    case = value["case"]
    if not isinstance(case, str):
        raise MalformedError("malformed.capture_started")
    parse_moment(value["at"], what=STARTED)
    return Started(
        id=_bytes(value["id"], ID_SIZE),
        case_number=case,
        at=str(value["at"]),
        plan=CapturePlan.from_json(value["plan"]),
        environment=None if value["environment"] is None else DigestPair.from_json(value["environment"]),
        nonce=_bytes(value["nonce"], NONCE_SIZE),
        header=None if value["header"] is None else _header(value["header"]),
    )


def _header(value: JSON) -> KnownHeader:
    if not isinstance(value, dict) or set(value) != {"chain_id", "height", "hash"}:
        raise MalformedError("malformed.capture_started")
    chain_id, height = value["chain_id"], value["height"]
    if not isinstance(chain_id, str) or type(height) is not int or height < 1:
        raise MalformedError("malformed.capture_started")
    return KnownHeader(chain_id=chain_id, height=height, digest=parse_hex(value["hash"], what=STARTED))


class MarkKind(StrEnum):
    """When a mark was made."""

    START = "start"
    RUNNING = "running"
    END = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamMark:
    """How far one stream had come: bytes each way, and the SHA-256 of each."""

    number: int
    sent: int
    received: int
    sent_sha256: bytes
    received_sha256: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """State of a capture at one moment.

    Attributes:
        started: SHA-256 of ``started.json``.
        at: by the desk's clock.
        streams: all opened so far, by number.
        actions: entries of the action log, and the digest of the last (its head; zeros for none).
        environment_after: of the mark at the end.
    """

    kind: MarkKind
    started: bytes
    at: str
    streams: tuple[StreamMark, ...] = ()
    actions: int = 0
    head: bytes = bytes(32)
    environment_after: DigestPair | None = None


def mark_name(index: int) -> str:
    """File of a mark."""
    return f"mark-{index:03}.json"


def token_name(index: int) -> str:
    """File of the token over a mark: DER of the TimeStampToken."""
    return f"mark-{index:03}.tst"


def encode_mark(mark: Mark) -> bytes:
    """Canonical bytes."""
    return encode({
        "v": _MARK_VERSION, "kind": mark.kind.value, "started": mark.started.hex(), "at": mark.at,
        "streams": [
            [item.number, item.sent, item.received, item.sent_sha256.hex(), item.received_sha256.hex()]
            for item in mark.streams
        ],
        "actions": mark.actions, "head": mark.head.hex(),
        "environment_after": None if mark.environment_after is None else {**mark.environment_after.to_json()},
    })  # fmt: skip


def parse_mark(data: bytes) -> Mark:
    """Read a mark strictly.

    Raises:
        MalformedError: ``malformed.capture_mark`` and the codes of its parts.
    """
    value = decode(data, what="mark", limit=MAX_MARK)
    if not isinstance(value, dict) or set(value) != {
        "v", "kind", "started", "at", "streams", "actions", "head", "environment_after",
    } or value["v"] != _MARK_VERSION:  # fmt: skip
        raise MalformedError("malformed.capture_mark")
    streams = value["streams"]
    if not isinstance(streams, list):
        raise MalformedError("malformed.capture_mark")
    parse_moment(value["at"], what="mark")
    after = value["environment_after"]
    try:
        kind = MarkKind(str(value["kind"]))
    except ValueError as error:
        raise MalformedError("malformed.capture_mark") from error
    return Mark(
        kind=kind,
        started=parse_hex(value["started"], what="mark"),
        at=str(value["at"]),
        streams=_streams(streams),
        actions=_count(value["actions"]),
        head=parse_hex(value["head"], what="mark"),
        environment_after=None if after is None else DigestPair.from_json(after),
    )


def _streams(items: Sequence[JSON]) -> tuple[StreamMark, ...]:
    result: list[StreamMark] = []
    for item in items:
        if not isinstance(item, list) or len(item) != 5:
            raise MalformedError("malformed.capture_mark")
        number = _count(item[0])
        if number < 1 or (result and number <= result[-1].number):
            raise MalformedError("malformed.capture_mark")
        result.append(
            StreamMark(
                number=number, sent=_count(item[1]), received=_count(item[2]),
                sent_sha256=parse_hex(item[3], what="mark"), received_sha256=parse_hex(item[4], what="mark"),
            )
        )  # fmt: skip
    return tuple(result)


def _count(value: JSON) -> int:
    if type(value) is not int or value < 0:
        raise MalformedError("malformed.capture_mark")
    return value


def _bytes(value: JSON, size: int) -> bytes:
    try:
        data = bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError as error:
        raise MalformedError("malformed.capture_started") from error
    if len(data) != size or data.hex() != value:
        raise MalformedError("malformed.capture_started")
    return data
