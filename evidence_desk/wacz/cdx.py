"""CDXJ index of a WARC file, in the compressed form that replay programs read in parts (``index.idx``, ``index.cdx.gz``).

A line: key of the URL, moment (17 digits, milliseconds), JSON. Lines are sorted as bytes; blocks of `BLOCK_LINES` lines
are gzip members, found by the first key of each in ``index.idx``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO, Final
from urllib.parse import urlsplit

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.core.digests import sha256
from evidence_desk.errors import MalformedError
from evidence_desk.wacz.members import USUAL, MemberReader, MemberWriter
from evidence_desk.wacz.record import MAX_URI, RecordType
from evidence_desk.wacz.warc import Written

BLOCK_LINES: Final = 300
MAX_LINE: Final = 4 * MAX_URI
MAX_LINES: Final = 500_000
MAX_TOTAL: Final = 256 << 20
"""Bytes of all lines."""
_INDEXED: Final = frozenset((RecordType.RESPONSE, RecordType.RESOURCE))
_META: Final = b'!meta 0 {"filename":"index.cdx.gz","format":"cdxj-gzip-1.0"}\n'
_LINE: Final = re.compile(rb"([!-~]+) ([0-9]{17}) (\{[^\n]*\})\n\Z")
_SAFE: Final = "".join(chr(number) for number in range(33, 127))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line.

    Attributes:
        at: milliseconds as 17 digits of a UTC date.
        digest: SHA-256 of the payload, None where the record doesn't tell it.
        record_digest: SHA-256 of the gzip member.
        method: None for GET.
    """

    url: str
    at: str
    mime: str | None
    status: int | None
    digest: str | None
    record_digest: str
    method: str | None
    offset: int
    length: int

    def encode(self) -> bytes:
        """The line with its line feed."""
        value: dict[str, JSON] = {
            "url": self.url, "mime": self.mime, "status": None if self.status is None else str(self.status),
            "digest": self.digest, "method": self.method, "recordDigest": self.record_digest,
            "offset": str(self.offset), "length": str(self.length), "filename": "data.warc.gz",
        }  # fmt: skip
        present: dict[str, JSON] = {name: item for name, item in value.items() if item is not None}
        return f"{url_key(self.url, self.method)} {self.at} ".encode("ascii") + encode(present) + b"\n"


def entry_of(written: Written, method: str | None) -> Entry | None:
    """Index entry of a record, None for the kinds that are not looked up by URL; `method` of its request."""
    header = written.header
    if header.type not in _INDEXED or header.uri is None:
        return None
    digest = header.block_digest if header.type is RecordType.RESOURCE else header.payload_digest
    digits = re.sub(r"[^0-9]", "", header.date)
    return Entry(
        url=header.uri, at=digits[:17], mime=written.mime, status=written.status, digest=digest,
        record_digest=f"sha256:{written.sha256.hex()}", method=None if method == "GET" else method,
        offset=written.offset, length=written.length,
    )  # fmt: skip


def url_key(url: str, method: str | None = None) -> str:
    """Sort key: host labels reversed, lower case, query arguments sorted; as wabac.js looks it up, with ``__wb_method``."""
    if not url.startswith(("http://", "https://")):
        return "".join(char if char in _SAFE else "_" for char in url)
    lowered = re.sub(r"\A(https?://)www\d*\.", r"\1", url.lower())
    try:
        parts = urlsplit(lowered)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return lowered
    labels = [host] if ":" in host else host.split(".")[::-1]
    arguments = sorted(parts.query.split("&")) if parts.query else []
    if method is not None:
        arguments.append(f"__wb_method={method}")
    usual = {"http": 80, "https": 443}[parts.scheme]
    text = ",".join(labels) + ("" if port in (None, usual) else f":{port}") + ")" + (parts.path or "/")
    return text + ("?" + "&".join(arguments) if arguments else "")


def index_lines(written: Iterable[Written]) -> list[bytes]:
    """Sorted lines of the records of one WARC file."""
    indexed: list[Written] = []
    methods: dict[str, str] = {}
    for record in written:
        if record.header.type in _INDEXED:
            indexed.append(record)
            if len(indexed) > MAX_LINES:
                raise _refuse("too_large")
        elif record.method is not None:
            methods.update(dict.fromkeys(record.header.concurrent, record.method))
    entries = (entry_of(record, methods.get(record.id)) for record in indexed)
    return sorted(entry.encode() for entry in entries if entry is not None)


def encode_index(written: Iterable[Written]) -> tuple[bytes, bytes]:
    """(``index.idx``, ``index.cdx.gz``) of the records of one WARC file."""
    lines = index_lines(written)
    idx, blocks = [_META], BytesIO()
    for start in range(0, len(lines), BLOCK_LINES):
        offset = blocks.tell()
        writer = MemberWriter(blocks, USUAL)
        writer.write(b"".join(lines[start : start + BLOCK_LINES]))
        digest = writer.finish()
        key = b" ".join(lines[start].split(b" ", 2)[:2])
        facts = encode({"offset": offset, "length": writer.length, "digest": f"sha256:{digest.hex()}"})
        idx.append(key + b" " + facts + b"\n")
    return b"".join(idx), blocks.getvalue()


def parse_index(idx: bytes, blocks: BinaryIO, size: int) -> list[bytes]:
    """All lines of an index whose two files agree, sorted.

    Raises:
        MalformedError: ``malformed.cdx``.
    """
    lines: list[bytes] = []
    total = 0
    for key, block in _blocks(idx, blocks, size):
        found = block.splitlines(keepends=True)
        if not found or len(found) > BLOCK_LINES or not found[0].startswith(key + b" "):
            raise _refuse("block")
        if lines and (len(lines) % BLOCK_LINES or lines[-1] > found[0]):
            raise _refuse("block")
        lines += found
        total += len(block)
        if len(lines) > MAX_LINES or total > MAX_TOTAL:
            raise _refuse("too_large")
    if any(not _LINE.match(line) for line in lines) or lines != sorted(lines):
        raise _refuse("lines")
    return lines


def parse_line(line: bytes) -> Entry:
    """One line strictly.

    Raises:
        MalformedError: ``malformed.cdx``, or of its JSON.
    """
    match = _LINE.match(line)
    if match is None:
        raise _refuse("lines")
    value = decode(match[3], what="index.cdx", limit=MAX_LINE)
    if not isinstance(value, dict):
        raise _refuse("members")
    texts = {name: item for name, item in value.items() if isinstance(item, str)}
    if len(texts) != len(value) or not {"url", "recordDigest", "offset", "length"} <= set(texts):
        raise _refuse("members")
    numbers = [texts["offset"], texts["length"], texts.get("status", "0")]
    if not all(re.fullmatch(r"[0-9]{1,16}", item) for item in numbers):
        raise _refuse("members")
    entry = Entry(
        url=texts["url"], at=match[2].decode(), mime=texts.get("mime"),
        status=int(texts["status"]) if "status" in texts else None, digest=texts.get("digest"),
        record_digest=texts["recordDigest"], method=texts.get("method"),
        offset=int(texts["offset"]), length=int(texts["length"]),
    )  # fmt: skip
    if not (entry.url + (entry.method or "")).isascii() or entry.encode() != line:
        raise _refuse("members")
    return entry


def _blocks(idx: bytes, blocks: BinaryIO, size: int) -> Iterator[tuple[bytes, bytes]]:
    lines = idx.splitlines(keepends=True)
    if not lines or lines[0] != _META:
        raise _refuse("idx")
    position = 0
    for line in lines[1:]:
        match = _LINE.match(line)
        if match is None:
            raise _refuse("idx")
        facts = decode(match[3], what="index.idx", limit=1024)
        if not isinstance(facts, dict) or set(facts) != {"offset", "length", "digest"}:
            raise _refuse("idx")
        length = facts["length"]
        if facts["offset"] != position or type(length) is not int or not 0 < length <= size - position:
            raise _refuse("idx")
        data = blocks.read(length)
        if facts["digest"] != f"sha256:{sha256(data).hex()}":
            raise _refuse("idx")
        reader = MemberReader(BytesIO(data), _refuse, MAX_TOTAL)
        plain = _all(reader)
        if reader.length != length:
            raise _refuse("block")
        yield match[1] + b" " + match[2], plain
        position += length
    if position != size:
        raise _refuse("idx")


def _all(reader: MemberReader) -> bytes:
    pieces: list[bytes] = []
    buffer = bytearray(1 << 16)
    while size := reader.readinto(memoryview(buffer)):
        pieces.append(bytes(buffer[:size]))
    return b"".join(pieces)


def _refuse(reason: str) -> MalformedError:
    return MalformedError("malformed.cdx", reason=reason)
