"""What lies where in a WACZ 1.1.1 of ours, and its two JSON documents. One sequence of bytes for given contents."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.core.capture.workspace import is_name
from evidence_desk.core.digests import parse_hex, sha256
from evidence_desk.core.moment import parse_moment
from evidence_desk.errors import MalformedError

VERSION: Final = "1.1.1"
WARC: Final = "archive/data.warc.gz"
CDX: Final = "indexes/index.cdx.gz"
IDX: Final = "indexes/index.idx"
PAGES: Final = "pages/pages.jsonl"
EVIDENCE: Final = "evidence/"
PACKAGE: Final = "datapackage.json"
DIGEST: Final = "datapackage-digest.json"
MAX_PACKAGE: Final = 64 << 20
MAX_DIGEST: Final = 4096
MAX_PAGES: Final = 256 << 20
MAX_TITLE: Final = 4096
_SECONDS: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z\Z")


def refuse(reason: str, name: str = "—") -> MalformedError:
    """Error of every structural fault in a WACZ; `name` is made safe to print."""
    printable = "".join(char if char.isprintable() else "\ufffd" for char in name[:80])
    return MalformedError("malformed.wacz", reason=reason, name=printable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page that was shown.

    Attributes:
        at: moment it was asked for (`format_moment`).
        text: what could be read on it, for searching.
    """

    id: str
    url: str
    title: str
    at: str
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One entry as ``datapackage.json`` lists it."""

    path: str
    size: int
    sha256: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """What ``datapackage.json`` says. `created` is a UTC moment with seconds."""

    title: str
    created: str
    software: str
    main_url: str | None
    main_at: str | None
    resources: tuple[Resource, ...]

    def encode(self) -> bytes:
        """The document."""
        value: dict[str, JSON] = {
            "profile": "data-package", "wacz_version": VERSION, "title": self.title, "created": self.created,
            "software": self.software, "resources": [_resource(item) for item in self.resources],
        }  # fmt: skip
        if self.main_url is not None:
            value |= {"mainPageURL": self.main_url, "mainPageDate": self.main_at}
        return encode(value)


def _resource(item: Resource) -> JSON:
    return {
        "name": item.path.rpartition("/")[2], "path": item.path, "hash": f"sha256:{item.sha256.hex()}",
        "bytes": item.size, "type": "file",
    }  # fmt: skip


def expected_names(evidence: Sequence[str]) -> list[str]:
    """All entries in their order, for these names below `EVIDENCE`."""
    return [WARC, CDX, IDX, PAGES, *(EVIDENCE + name for name in sorted(evidence)), PACKAGE, DIGEST]


def encode_digest(package: bytes) -> bytes:
    """``datapackage-digest.json``."""
    return encode({"hash": f"sha256:{sha256(package).hex()}", "path": PACKAGE})


def parse_package(data: bytes) -> Package:
    """Read ``datapackage.json`` strictly: what is read encodes to the same bytes.

    Raises:
        MalformedError: ``malformed.wacz`` or of its JSON.
    """
    value = decode(data, what=PACKAGE, limit=MAX_PACKAGE)
    if not isinstance(value, dict) or not isinstance(value.get("resources"), list):
        raise refuse("members", PACKAGE)
    listed = value["resources"]
    assert isinstance(listed, list)  # noqa: S101 - said above, for mypy
    main = value.get("mainPageURL")
    package = Package(
        title=_text(value.get("title")), created=_text(value.get("created")), software=_text(value.get("software")),
        main_url=None if main is None else _text(main),
        main_at=None if main is None else _text(value.get("mainPageDate")),
        resources=tuple(_read_resource(item) for item in listed),
    )  # fmt: skip
    if package.encode() != data:
        raise refuse("members", PACKAGE)
    _check_times(package)
    return package


def _check_times(package: Package) -> None:
    if not _SECONDS.match(package.created):
        raise refuse("created", PACKAGE)
    try:
        datetime.fromisoformat(package.created)
    except ValueError as error:
        raise refuse("created", PACKAGE) from error
    if package.main_at is not None:
        parse_moment(package.main_at, what=PACKAGE)


def _read_resource(value: JSON) -> Resource:
    if not isinstance(value, dict):
        raise refuse("resource", PACKAGE)
    path, digest, size = value.get("path"), value.get("hash"), value.get("bytes")
    if not isinstance(path, str) or not isinstance(digest, str) or type(size) is not int or size < 0:
        raise refuse("resource", PACKAGE)
    if not digest.startswith("sha256:"):
        raise refuse("hash", path)
    return Resource(path=path, size=size, sha256=parse_hex(digest[7:], what=PACKAGE))


def evidence_names(names: Sequence[str]) -> list[str]:
    """Names below `EVIDENCE` of a container whose entries are exactly ours in our order.

    Raises:
        MalformedError: ``malformed.wacz``.
    """
    found = [name.removeprefix(EVIDENCE) for name in names if name.startswith(EVIDENCE)]
    if not all(is_name(name) for name in found):
        raise refuse("names")
    if list(names) != expected_names(found):
        raise refuse("entries")
    return found


def encode_pages(pages: Sequence[Page]) -> bytes:
    """``pages.jsonl``."""
    has_text = any(page.text is not None for page in pages)
    head: JSON = {"format": "json-pages-1.0", "id": "pages", "title": "Pages", "hasText": has_text}
    lines = [encode(head)]
    for page in pages:
        value: dict[str, JSON] = {"id": page.id, "url": page.url, "title": page.title, "ts": page.at}
        lines.append(encode(value if page.text is None else {**value, "text": page.text}))
    return b"".join(line + b"\n" for line in lines)


def parse_pages(data: bytes) -> tuple[Page, ...]:
    """Read ``pages.jsonl`` strictly.

    Raises:
        MalformedError: ``malformed.wacz`` or of its JSON.
    """
    pages: list[Page] = []
    for line in data.split(b"\n")[1:-1]:
        value = decode(line, what=PAGES, limit=MAX_PAGES)
        if not isinstance(value, dict):
            raise refuse("members", PAGES)
        text = value.get("text")
        parse_moment(value.get("ts"), what=PAGES)
        pages.append(
            Page(
                id=_text(value.get("id")), url=_text(value.get("url")), title=_text(value.get("title")),
                at=_text(value.get("ts")), text=None if text is None else _text(text),
            )
        )  # fmt: skip
    if encode_pages(pages) != data:
        raise refuse("members", PAGES)
    return tuple(pages)


def _text(value: JSON) -> str:
    if not isinstance(value, str):
        raise refuse("text")
    return value
