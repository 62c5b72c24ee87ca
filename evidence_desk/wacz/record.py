"""What a WARC/1.1 record of ours holds (ISO 28500:2017), and its header: one sequence of bytes for given contents."""

from __future__ import annotations

import hashlib
import io
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import BinaryIO, Final, Protocol

from evidence_desk.errors import BugError, MalformedError

MAX_URI: Final = 1 << 20
MAX_HEADER: Final = 2 * MAX_URI
MAX_LENGTH: Final = 2**53 - 1
VERSION: Final = b"WARC/1.1\r\n"
END: Final = b"\r\n\r\n"
HTTP: Final = "application/http"
"""Media type of blocks that begin with an HTTP head; with msgtype."""
_NAMESPACE: Final = uuid.UUID("6f0d4a8e-3f5b-5b6e-9c1d-2a7e41d0c6b3")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}\.[0-9]{6}Z\Z")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}\Z")
_ID: Final = re.compile(r"<urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}>\Z")
_VALUE: Final = re.compile(r"[!-~](?:[ -~]*[!-~])?\Z")


class RecordType(StrEnum):
    """Kinds of record that we write (ISO 28500 §6)."""

    WARCINFO = "warcinfo"
    RESPONSE = "response"
    REQUEST = "request"
    METADATA = "metadata"
    RESOURCE = "resource"


class Truncated(StrEnum):
    """Why a block ends early (ISO 28500 §5.13)."""

    LENGTH = "length"
    TIME = "time"
    DISCONNECT = "disconnect"
    UNSPECIFIED = "unspecified"


class Source(Protocol):
    """Bytes that can be read again and again: a file of a workspace, a spooled body, a buffer."""

    @property
    def size(self) -> int:
        """Bytes."""
        ...

    def open(self) -> BinaryIO:
        """Read from the beginning."""
        ...


@dataclass(frozen=True, slots=True)
class Bytes:
    """A source held in memory."""

    data: bytes

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.data)

    def open(self) -> BinaryIO:
        """Read from the beginning."""
        return io.BytesIO(self.data)


EMPTY: Final = Bytes(b"")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record to write.

    Attributes:
        at: microseconds of the Unix epoch.
        uri: target; None for warcinfo only. See `archive_uri`.
        head: first bytes of the block; of a request or response the HTTP head with its blank line.
        body: the rest of the block, verbatim.
        payload: SHA-256 of the body where it is the payload of an HTTP message (not with chunked framing); other records
            have none: it would be the block's, and fastwarc does not accept it.
        protocols: ``h2``, ``tls/1.3``…, in the order from the application down.
        concurrent: ids of records of the same event that were written before.
    """

    type: RecordType
    at: int
    content_type: str
    uri: str | None = None
    head: bytes = b""
    body: Source = EMPTY
    payload: bytes | None = None
    address: str | None = None
    protocols: Sequence[str] = ()
    cipher_suite: str | None = None
    truncated: Truncated | None = None
    concurrent: Sequence[str] = ()
    filename: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Named fields of a record, as read or to be written; digests are ``sha256:`` + 64 hex digits."""

    type: RecordType
    id: str
    date: str
    uri: str | None
    address: str | None
    protocols: tuple[str, ...]
    cipher_suite: str | None
    concurrent: tuple[str, ...]
    warcinfo: str | None
    truncated: Truncated | None
    filename: str | None
    payload_digest: str | None
    block_digest: str
    content_type: str
    content_length: int

    @property
    def at(self) -> int:
        """Microseconds of the Unix epoch."""
        return (datetime.fromisoformat(self.date) - _EPOCH) // timedelta(microseconds=1)

    def fields(self) -> list[tuple[str, str]]:
        """Names and values in the order in which they stand."""
        values: list[tuple[str, str | None]] = [
            ("WARC-Type", self.type.value), ("WARC-Record-ID", self.id), ("WARC-Date", self.date),
            ("WARC-Target-URI", self.uri), ("WARC-IP-Address", self.address),
            *(("WARC-Protocol", item) for item in self.protocols),
            ("WARC-Cipher-Suite", self.cipher_suite),
            *(("WARC-Concurrent-To", item) for item in self.concurrent),
            ("WARC-Warcinfo-ID", self.warcinfo),
            ("WARC-Truncated", None if self.truncated is None else self.truncated.value),
            ("WARC-Filename", self.filename),
            ("WARC-Payload-Digest", self.payload_digest), ("WARC-Block-Digest", self.block_digest),
            ("Content-Type", self.content_type), ("Content-Length", str(self.content_length)),
        ]  # fmt: skip
        return [(name, value) for name, value in values if value is not None]

    def encode(self) -> bytes:
        """Header with version line and blank line."""
        lines = "".join(f"{name}: {value}\r\n" for name, value in self.fields())
        return VERSION + lines.encode("ascii") + b"\r\n"

    def derived_id(self, index: int) -> str:
        """Id that a record with these fields has as number `index` (from 0) of its file."""
        named = "".join(f"{name}: {value}\n" for name, value in self.fields() if name != "WARC-Record-ID")
        text = hashlib.sha256(f"{index}\n{named}".encode()).hexdigest()
        return f"<urn:uuid:{uuid.uuid5(_NAMESPACE, text)}>"


def refuse(reason: str) -> MalformedError:
    """Error of every fault in a WARC file."""
    return MalformedError("malformed.warc", reason=reason)


def format_date(at: int) -> str:
    """WARC-Date with microseconds (ISO 28500 §5.4). BugError for a moment beyond the year 9999."""
    try:
        moment = _EPOCH + timedelta(microseconds=at)
    except OverflowError as error:
        raise BugError("bug.warc", reason="moment") from error
    return f"{moment.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def archive_uri(url: str) -> str:
    """`url` without fragment and with everything a URI may not hold percent-encoded as UTF-8 (RFC 3986 §2)."""
    text = url.partition("#")[0] if url.startswith(("http", "ws")) else url
    allowed = frozenset("-._~:/?[]@!$&'()*+,;=%#|^{}\\`")
    return "".join(
        char if char.isascii() and (char.isalnum() or char in allowed)
        else "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "surrogatepass"))
        for char in text
    )  # fmt: skip


def parse_header(data: bytes) -> Header:
    """Read the header of a record strictly: our fields in our order, nothing else.

    Raises:
        MalformedError: ``malformed.warc``.
    """
    if not data.startswith(VERSION) or not data.endswith(END):
        raise refuse("version")
    found: dict[str, list[str]] = {}
    for line in data[len(VERSION) : -len(END)].split(b"\r\n"):
        name, separator, value = line.partition(b": ")
        if not separator:
            raise refuse("field")
        try:
            text = value.decode("ascii")
        except UnicodeDecodeError as error:
            raise refuse("field") from error
        if not _VALUE.match(text):
            raise refuse("field")
        found.setdefault(name.decode("latin-1"), []).append(text)
    header = _header(found)
    if header.encode() != data:
        raise refuse("field_order")
    return header


def _header(found: dict[str, list[str]]) -> Header:
    def optional(name: str) -> str | None:
        values = found.get(name)
        return values[0] if values else None  # more than one of a kind does not encode to the same bytes

    def needed(name: str) -> str:
        value = optional(name)
        if value is None:
            raise refuse("field_missing")
        return value

    truncated = optional("WARC-Truncated")
    try:
        header = Header(
            type=RecordType(needed("WARC-Type")), id=needed("WARC-Record-ID"), date=needed("WARC-Date"),
            uri=optional("WARC-Target-URI"), address=optional("WARC-IP-Address"),
            protocols=tuple(found.get("WARC-Protocol", ())), cipher_suite=optional("WARC-Cipher-Suite"),
            concurrent=tuple(found.get("WARC-Concurrent-To", ())), warcinfo=optional("WARC-Warcinfo-ID"),
            truncated=None if truncated is None else Truncated(truncated),
            filename=optional("WARC-Filename"), payload_digest=optional("WARC-Payload-Digest"),
            block_digest=needed("WARC-Block-Digest"), content_type=needed("Content-Type"),
            content_length=_length(needed("Content-Length")),
        )  # fmt: skip
    except ValueError as error:
        raise refuse("field_value") from error
    _check_values(header)
    return header


def _check_values(header: Header) -> None:
    if not _DATE.match(header.date):
        raise refuse("date")
    try:
        datetime.fromisoformat(header.date)
    except ValueError as error:
        raise refuse("date") from error
    digests = [header.block_digest, *filter(None, [header.payload_digest])]
    ids = [header.id, *header.concurrent, *filter(None, [header.warcinfo])]
    if not all(_DIGEST.match(item) for item in digests):
        raise refuse("digest_form")
    if not all(_ID.match(item) for item in ids):
        raise refuse("id_form")
    info = header.type is RecordType.WARCINFO
    if (header.uri is None) != info or (header.warcinfo is None) != info:
        raise refuse("field_missing")
    if header.uri is not None and (len(header.uri) > MAX_URI or archive_uri(header.uri) != header.uri):
        raise refuse("uri")


def _length(text: str) -> int:
    if not text.isdecimal() or len(text) > 16 or int(text) > MAX_LENGTH:
        raise refuse("length")
    return int(text)
