"""Manifest of a capture: how it came out, and the digests of everything it holds. The statement commits to it.

`capture/1`, canonical JSON (docs/spec/capture.md). Files are named as in the workspace; `places` says where in the WACZ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.core.capture.environment import Check, Outcome, Parameter, Reason
from evidence_desk.core.capture.events import PageState
from evidence_desk.core.capture.rows import CaptureResult
from evidence_desk.core.capture.workspace import is_name
from evidence_desk.core.digests import DigestPair, parse_hex
from evidence_desk.core.moment import format_moment, parse_moment
from evidence_desk.errors import MalformedError

MANIFEST: Final = "manifest.json"
SECRETS: Final = "secrets.age"
"""What could open accounts or streams, encrypted to the case: an age file of a stored ZIP."""
VERSION: Final = "capture/1"
MAX_MANIFEST: Final = 32 << 20
MAX_ITEMS: Final = 100_000
MAX_REASONS: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PageResult:
    """One page: `reached` is where its address led; `names` the files that show it."""

    number: int
    url: str
    reached: str
    title: str
    state: PageState
    reasons: tuple[Reason, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkResult:
    """A mark and its token: `token` is False when no authority answered."""

    name: str
    token: bool
    gen_time: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """Outcome of one environment check before and after; `after` is None when that report was not made."""

    check: Check
    before: Outcome
    after: Outcome | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDigest:
    """A file of the capture."""

    name: str
    size: int
    digests: DigestPair


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a capture is.

    Attributes:
        id: as in ``started.json``; `started`: leaf hash of ``capture.started``, under which ``started.json`` is committed.
        software: name and version of the program that sealed it; the archive names the same.
        begun, ended: by the desk's clock.
        browser: engine and its state (``chromium``, ``qt``, ``sandbox``…).
        counts: numbers for people, by name.
        before, after: digests of the environment reports, None when one was not made; `checks`: their outcomes.
        actions: entries of the action log; `head`: digest of the last.
        limits: codes of what this kind of capture never shows.
        files: everything beside this manifest, sorted by name; `private`: what `SECRETS` holds.
    """

    id: bytes
    started: bytes
    software: str
    result: CaptureResult
    reasons: tuple[Reason, ...]
    begun: datetime
    ended: datetime
    browser: Mapping[str, Parameter]
    pages: tuple[PageResult, ...]
    counts: Mapping[str, int]
    before: DigestPair | None
    after: DigestPair | None
    checks: tuple[CheckResult, ...]
    marks: tuple[MarkResult, ...]
    actions: int
    head: bytes
    limits: tuple[str, ...]
    files: tuple[FileDigest, ...]
    private: tuple[FileDigest, ...]


def place(name: str) -> str:
    """Where a file lies in the WACZ."""
    if name == "data.warc.gz":
        return f"archive/{name}"
    return f"evidence/{name}"


def encode_manifest(manifest: Manifest) -> bytes:
    """Canonical bytes, ``manifest.json``."""
    return encode({
        "v": VERSION, "id": manifest.id.hex(), "started": manifest.started.hex(),
        "software": manifest.software,
        "result": manifest.result.value, "reasons": _reasons_json(manifest.reasons),
        "begun": format_moment(manifest.begun), "ended": format_moment(manifest.ended),
        "browser": dict(manifest.browser),
        "pages": [
            {
                "number": page.number, "url": page.url, "reached": page.reached, "title": page.title,
                "state": page.state.value, "reasons": _reasons_json(page.reasons),
                "names": list[JSON](page.names),
            }
            for page in manifest.pages
        ],
        "counts": dict(manifest.counts),
        "before": _pair_json(manifest.before), "after": _pair_json(manifest.after),
        "checks": [
            [item.check.value, item.before.value, None if item.after is None else item.after.value]
            for item in manifest.checks
        ],
        "marks": [
            {
                "name": mark.name, "token": mark.token,
                "gen_time": None if mark.gen_time is None else format_moment(mark.gen_time),
            }
            for mark in manifest.marks
        ],
        "actions": manifest.actions, "head": manifest.head.hex(), "limits": list[JSON](manifest.limits),
        "files": [_file_json(item) for item in manifest.files],
        "private": [_file_json(item) for item in manifest.private],
    })  # fmt: skip


def parse_manifest(data: bytes) -> Manifest:
    """Read a manifest strictly: canonical bytes, exactly its members, files sorted and named once.

    Raises:
        MalformedError: ``malformed.capture_manifest`` and the codes of its parts.
    """
    value = decode(data, what=MANIFEST, limit=MAX_MANIFEST)
    if not isinstance(value, dict) or set(value) != {"v", *Manifest.__dataclass_fields__}:
        raise _malformed("members")
    if value["v"] != VERSION:
        raise _malformed("version")
    try:
        return Manifest(
            id=_id(value["id"]),
            started=parse_hex(value["started"], what=MANIFEST),
            software=_text(value["software"]),
            result=CaptureResult(_text(value["result"])),
            reasons=_reasons(value["reasons"]),
            begun=parse_moment(value["begun"], what=MANIFEST),
            ended=parse_moment(value["ended"], what=MANIFEST),
            browser=_parameters(value["browser"]),
            pages=tuple(_page(item) for item in _list(value["pages"])),
            counts={name: _count(number) for name, number in _dict(value["counts"]).items()},
            before=_pair(value["before"]),
            after=_pair(value["after"]),
            checks=tuple(_check(item) for item in _list(value["checks"])),
            marks=tuple(_mark(item) for item in _list(value["marks"])),
            actions=_count(value["actions"]),
            head=parse_hex(value["head"], what=MANIFEST),
            limits=tuple(_text(item) for item in _list(value["limits"])),
            files=_files(value["files"]),
            private=_files(value["private"]),
        )
    except ValueError as error:
        raise _malformed("value") from error


def _malformed(reason: str) -> MalformedError:
    return MalformedError("malformed.capture_manifest", reason=reason)


def _page(value: JSON) -> PageResult:
    members = _dict(value, {"number", "url", "reached", "title", "state", "reasons", "names"})
    names = tuple(_name(item) for item in _list(members["names"]))
    return PageResult(
        number=_count(members["number"]), url=_text(members["url"]), reached=_text(members["reached"]),
        title=_text(members["title"]), state=PageState(_text(members["state"])),
        reasons=_reasons(members["reasons"]), names=names,
    )  # fmt: skip


def _mark(value: JSON) -> MarkResult:
    members = _dict(value, {"name", "token", "gen_time"})
    token, moment = members["token"], members["gen_time"]
    if not isinstance(token, bool) or token != (moment is not None):
        raise _malformed("mark")
    return MarkResult(
        name=_name(members["name"]), token=token,
        gen_time=None if moment is None else parse_moment(moment, what=MANIFEST),
    )  # fmt: skip


def _check(value: JSON) -> CheckResult:
    items = _list(value)
    if len(items) != 3:
        raise _malformed("check")
    return CheckResult(
        check=Check(_text(items[0])),
        before=Outcome(_text(items[1])),
        after=None if items[2] is None else Outcome(_text(items[2])),
    )


def _files(value: JSON) -> tuple[FileDigest, ...]:
    result: list[FileDigest] = []
    for item in _list(value):
        members = _dict(item, {"name", "size", "sha256", "sm3"})
        name = _name(members["name"])
        if result and name <= result[-1].name:
            raise _malformed("order")
        digests = DigestPair.from_json({"sha256": members["sha256"], "sm3": members["sm3"]}, what=MANIFEST)
        result.append(FileDigest(name=name, size=_count(members["size"]), digests=digests))
    return tuple(result)


def _file_json(item: FileDigest) -> JSON:
    return {"name": item.name, "size": item.size, **item.digests.to_json()}


def _reasons_json(reasons: Sequence[Reason]) -> list[JSON]:
    return [{"code": item.code, "parameters": dict(item.parameters)} for item in reasons]


def _reasons(value: JSON) -> tuple[Reason, ...]:
    items = _list(value)
    if len(items) > MAX_REASONS:
        raise _malformed("reasons")
    result: list[Reason] = []
    for item in items:
        members = _dict(item, {"code", "parameters"})
        result.append(Reason(code=_text(members["code"]), parameters=_parameters(members["parameters"])))
    return tuple(result)


def _parameters(value: JSON) -> dict[str, Parameter]:
    result: dict[str, Parameter] = {}
    for name, item in _dict(value).items():
        if type(item) is not int and not isinstance(item, str):
            raise _malformed("parameters")
        result[name] = item
    return result


def _pair(value: JSON) -> DigestPair | None:
    return None if value is None else DigestPair.from_json(value, what=MANIFEST)


def _pair_json(pair: DigestPair | None) -> JSON:
    return None if pair is None else {**pair.to_json()}


def _id(value: JSON) -> bytes:
    text = _text(value)
    data = bytes.fromhex(text)
    if len(data) != 16 or data.hex() != text:
        raise _malformed("id")
    return data


def _name(value: JSON) -> str:
    name = _text(value)
    if not is_name(name):
        raise _malformed("name")
    return name


def _text(value: JSON) -> str:
    if not isinstance(value, str):
        raise _malformed("text")
    return value


def _count(value: JSON) -> int:
    if type(value) is not int or value < 0:
        raise _malformed("number")
    return value


def _list(value: JSON) -> list[JSON]:
    if not isinstance(value, list) or len(value) > MAX_ITEMS:
        raise _malformed("list")
    return value


def _dict(value: JSON, names: set[str] | None = None) -> dict[str, JSON]:
    if not isinstance(value, dict) or (names is not None and set(value) != names):
        raise _malformed("members")
    return value
