"""Statement: the private canonical JSON about an exhibit, and its disclosures.

Personal members and each file entry are salted members (as in SD-JWT, RFC 9901): statement.json holds ``{"salted": digest
pair}`` in their place, disclosures.json the members themselves, so that a copy can leave some out and still verify.
"""

from __future__ import annotations

import base64
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.core.digests import DigestPair, parse_hex
from evidence_desk.core.moment import format_moment, parse_moment
from evidence_desk.errors import BugError, MalformedError

VERSION: Final = "statement/1"
DISCLOSURES_VERSION: Final = "disclosures/1"
SALT_SIZE: Final = 32
MAX_STATEMENT: Final = 16 * 1024 * 1024
MAX_DISCLOSURES: Final = 64 * 1024 * 1024


class ExhibitKind(StrEnum):
    """Classes of electronic data (民事诉讼证据的若干规定 art. 14)."""

    PUBLISHED = "published"
    COMMUNICATION = "communication"
    RECORD = "record"
    FILE = "file"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """One file as the statement lists it.

    Attributes:
        name: display name, NFC, relative path with ``/``.
        raw_name: the original bytes of the name.
        modified: modification time told by the file system.
    """

    name: str
    raw_name: bytes
    size: int
    media_type: str
    digests: DigestPair
    modified: datetime

    def to_json(self) -> dict[str, JSON]:
        """Value of the salted member."""
        return {
            "name": self.name,
            "raw_name": base64.b64encode(self.raw_name).decode(),
            "size": self.size,
            "media_type": self.media_type,
            "digests": {**self.digests.to_json()},
            "modified": format_moment(self.modified),
        }

    @classmethod
    def from_json(cls, value: JSON) -> FileEntry:
        """Read the value of a salted file member.

        Raises:
            MalformedError: ``malformed.statement``.
        """
        if not isinstance(value, dict) or set(value) != {
            "name", "raw_name", "size", "media_type", "digests", "modified",
        }:  # fmt: skip
            raise MalformedError("malformed.statement", reason="file entry")
        name, raw, size, media = value["name"], value["raw_name"], value["size"], value["media_type"]
        if not isinstance(name, str) or not isinstance(raw, str) or not isinstance(media, str):
            raise MalformedError("malformed.statement", reason="file entry")
        if type(size) is not int or size < 0 or unicodedata.normalize("NFC", name) != name:
            raise MalformedError("malformed.statement", reason="file entry")
        try:
            raw_name = base64.b64decode(raw, validate=True)
        except ValueError as error:
            raise MalformedError("malformed.statement", reason="file entry") from error
        if base64.b64encode(raw_name).decode() != raw:
            raise MalformedError("malformed.statement", reason="file entry")
        return cls(
            name=name, raw_name=raw_name, size=size, media_type=media,
            digests=DigestPair.from_json(value["digests"]),
            modified=parse_moment(value["modified"], what="modified"),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockState:
    """Desk clock at registration: zone name, and offset in ms against named sources (None: not compared)."""

    utc: datetime
    zone: str
    offset_ms: int | None
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementDraft:
    """Everything a statement says, before salting. Empty strings and None mean: not given."""

    case_number: str
    court: str = ""
    cause: str = ""
    parties: tuple[str, ...] = ()
    exhibit_no: str
    title: str
    kind: ExhibitKind
    purpose: str = ""
    files: tuple[FileEntry, ...]
    source: Mapping[str, JSON]
    operator: Mapping[str, JSON]
    witness: Mapping[str, JSON] | None = None
    interest: str = ""
    environment: DigestPair | None = None
    capture: DigestPair | None = None
    tools: tuple[Mapping[str, JSON], ...]
    clock: ClockState


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """One salted member: JSON pointer into the statement, 32-byte salt, value."""

    path: str
    salt: bytes
    value: JSON

    def to_json(self) -> dict[str, JSON]:
        """Entry of disclosures.json; its canonical bytes are what the digest covers."""
        return {"path": self.path, "salt": self.salt.hex(), "value": self.value}

    def digests(self) -> DigestPair:
        """Digest pair that stands in the statement."""
        return DigestPair.of(encode(self.to_json()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A parsed statement: open members as they are, salted ones by digest pair.

    Attributes:
        salted: JSON pointer → digest pair, in document order; files are ``/files/0``, ``/files/1``, …
    """

    data: bytes
    salt: bytes
    case_number: str
    court: str
    cause: str
    exhibit_no: str
    kind: ExhibitKind
    salted: Mapping[str, DigestPair]
    file_count: int
    environment: DigestPair | None
    capture: DigestPair | None
    tools: tuple[Mapping[str, JSON], ...]
    clock: ClockState


def make_statement(draft: StatementDraft, random: Callable[[int], bytes]) -> tuple[bytes, bytes, bytes]:
    """Statement, disclosures and the statement's salt.

    Args:
        draft: what to say.
        random: source of secret random bytes (``secrets.token_bytes``).

    Raises:
        BugError: ``bug.statement_files`` when the draft has no file.
    """
    if not draft.files:
        raise BugError("bug.statement_files")
    values: dict[str, JSON] = {
        "/case/parties": list[JSON](draft.parties),
        "/exhibit/title": draft.title,
        "/exhibit/purpose": draft.purpose,
        "/source": dict(draft.source),
        "/operator": dict(draft.operator),
        "/witness": None if draft.witness is None else dict(draft.witness),
        "/interest": draft.interest,
    }
    values.update({f"/files/{index}": entry.to_json() for index, entry in enumerate(draft.files)})
    members = [Disclosure(path=path, salt=random(SALT_SIZE), value=value) for path, value in values.items()]
    salted: dict[str, JSON] = {item.path: {"salted": {**item.digests().to_json()}} for item in members}
    salt = random(SALT_SIZE)
    statement: dict[str, JSON] = {
        "v": VERSION,
        "salt": salt.hex(),
        "case": {
            "number": draft.case_number, "court": draft.court, "cause": draft.cause,
            "parties": salted["/case/parties"],
        },
        "exhibit": {
            "exhibit_no": draft.exhibit_no, "kind": draft.kind.value,
            "title": salted["/exhibit/title"], "purpose": salted["/exhibit/purpose"],
        },
        "files": [salted[f"/files/{index}"] for index in range(len(draft.files))],
        "source": salted["/source"],
        "operator": salted["/operator"],
        "witness": salted["/witness"],
        "interest": salted["/interest"],
        "environment": None if draft.environment is None else {**draft.environment.to_json()},
        "capture": None if draft.capture is None else {**draft.capture.to_json()},
        "tools": [dict(tool) for tool in draft.tools],
        "clock": {
            "utc": format_moment(draft.clock.utc), "zone": draft.clock.zone,
            "offset_ms": draft.clock.offset_ms, "sources": list[JSON](draft.clock.sources),
        },
    }  # fmt: skip
    disclosures = encode({"v": DISCLOSURES_VERSION, "members": [item.to_json() for item in members]})
    return encode(statement), disclosures, salt


def parse_statement(data: bytes) -> Statement:
    """Read a statement strictly.

    Raises:
        MalformedError: ``malformed.statement`` and the codes of the members.
    """
    value = decode(data, what="statement", limit=MAX_STATEMENT)
    top = _members(value, {
        "v", "salt", "case", "exhibit", "files", "source", "operator", "witness", "interest", "environment",
        "capture", "tools", "clock",
    })  # fmt: skip
    if top["v"] != VERSION:
        raise MalformedError("malformed.statement", reason="version")
    case = _members(top["case"], {"number", "court", "cause", "parties"})
    exhibit = _members(top["exhibit"], {"exhibit_no", "kind", "title", "purpose"})
    files = top["files"]
    tools = top["tools"]
    if not isinstance(files, list) or not isinstance(tools, list) or not files:
        raise MalformedError("malformed.statement", reason="files")
    places = {
        "/case/parties": case["parties"], "/exhibit/title": exhibit["title"],
        "/exhibit/purpose": exhibit["purpose"], "/source": top["source"], "/operator": top["operator"],
        "/witness": top["witness"], "/interest": top["interest"],
    } | {f"/files/{index}": item for index, item in enumerate(files)}  # fmt: skip
    try:
        kind = ExhibitKind(_text(exhibit["kind"]))
    except ValueError as error:
        raise MalformedError("malformed.statement", reason="kind") from error
    return Statement(
        data=data,
        salt=parse_hex(top["salt"], what="salt"),
        case_number=_text(case["number"]),
        court=_text(case["court"]),
        cause=_text(case["cause"]),
        exhibit_no=_text(exhibit["exhibit_no"]),
        kind=kind,
        salted={path: _salted(item) for path, item in places.items()},
        file_count=len(files),
        environment=None if top["environment"] is None else DigestPair.from_json(top["environment"]),
        capture=None if top["capture"] is None else DigestPair.from_json(top["capture"]),
        tools=tuple(_dictionary(tool) for tool in tools),
        clock=_clock(top["clock"]),
    )


def parse_disclosures(data: bytes) -> tuple[Disclosure, ...]:
    """Read disclosures strictly; a path stands at most once.

    Raises:
        MalformedError: ``malformed.disclosures``.
    """
    value = decode(data, what="disclosures", limit=MAX_DISCLOSURES)
    if not isinstance(value, dict) or set(value) != {"v", "members"} or value["v"] != DISCLOSURES_VERSION:
        raise MalformedError("malformed.disclosures")
    members = value["members"]
    if not isinstance(members, list):
        raise MalformedError("malformed.disclosures")
    result: list[Disclosure] = []
    for member in members:
        if not isinstance(member, dict) or set(member) != {"path", "salt", "value"}:
            raise MalformedError("malformed.disclosures")
        path = member["path"]
        if not isinstance(path, str):
            raise MalformedError("malformed.disclosures")
        result.append(
            Disclosure(path=path, salt=parse_hex(member["salt"], what="salt"), value=member["value"])
        )
    if len({item.path for item in result}) != len(result):
        raise MalformedError("malformed.disclosures")
    return tuple(result)


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosed:
    """Members of a statement proven by its digests.

    Attributes:
        values: path → value for every disclosure that matches.
        wrong: paths of disclosures that do not match, name no salted member, or have the wrong type of value.
        files: file entries by index; absent where withheld.
    """

    values: Mapping[str, JSON]
    wrong: tuple[str, ...]
    files: Mapping[int, FileEntry]


def match_disclosures(statement: Statement, disclosures: Sequence[Disclosure]) -> Disclosed:
    """Compare each disclosure with the statement's digest of its member."""
    values: dict[str, JSON] = {}
    wrong: list[str] = []
    files: dict[int, FileEntry] = {}
    for item in disclosures:
        expected = statement.salted.get(item.path)
        if expected is None or not expected.matches(item.digests()) or not _has_type(item):
            wrong.append(item.path)
            continue
        if item.path.startswith("/files/"):
            try:
                files[int(item.path.removeprefix("/files/"))] = FileEntry.from_json(item.value)
            except MalformedError:
                wrong.append(item.path)
                continue
        values[item.path] = item.value
    return Disclosed(values=values, wrong=tuple(wrong), files=files)


def _has_type(item: Disclosure) -> bool:
    """Whether the value has the type of its member, so that readers of `values` need not look again."""
    match item.path:
        case "/exhibit/title" | "/exhibit/purpose" | "/interest":
            return isinstance(item.value, str)
        case "/case/parties":
            return isinstance(item.value, list) and all(isinstance(party, str) for party in item.value)
        case "/witness":
            return item.value is None or isinstance(item.value, dict)
        case "/source" | "/operator":
            return isinstance(item.value, dict)
        case _:
            return True


def _members(value: JSON, names: set[str]) -> dict[str, JSON]:
    if not isinstance(value, dict) or set(value) != names:
        raise MalformedError("malformed.statement", reason="members")
    return value


def _text(value: JSON) -> str:
    if not isinstance(value, str):
        raise MalformedError("malformed.statement", reason="text")
    return value


def _dictionary(value: JSON) -> Mapping[str, JSON]:
    if not isinstance(value, dict):
        raise MalformedError("malformed.statement", reason="tool")
    return value


def _salted(value: JSON) -> DigestPair:
    return DigestPair.from_json(_members(value, {"salted"})["salted"])


def _clock(value: JSON) -> ClockState:
    clock = _members(value, {"utc", "zone", "offset_ms", "sources"})
    offset, sources = clock["offset_ms"], clock["sources"]
    if (offset is not None and type(offset) is not int) or not isinstance(sources, list):
        raise MalformedError("malformed.statement", reason="clock")
    return ClockState(
        utc=parse_moment(clock["utc"], what="clock"),
        zone=_text(clock["zone"]),
        offset_ms=offset,
        sources=tuple(_text(item) for item in sources),
    )
