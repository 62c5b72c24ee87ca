"""`environment/1` bytes: canonical JSON, every member required, each value in one spelling only."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from enum import StrEnum
from typing import Final, TypeVar

from evidence_desk.core.canonical import JSON, MAX_INTEGER, decode
from evidence_desk.core.canonical import encode as canonical
from evidence_desk.core.capture.environment import (
    MAX_KEPT,
    MAX_TARGETS,
    MAX_VALUE,
    MAX_VALUES,
    VERSION,
    Check,
    EnvironmentReport,
    Item,
    Outcome,
    Parameter,
    Raw,
    Reason,
    When,
)
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.moment import format_moment, parse_moment
from evidence_desk.errors import MalformedError

MAX_REPORT: Final = 32 << 20
_MAX_ENTRIES: Final = 64
"""Reasons, raw outputs and facts of one item."""
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")
_CODE: Final = re.compile(r"environment\.[a-z0-9_]+(?:\.[a-z0-9_]+){0,3}\Z")
_ATTACHMENT: Final = re.compile(r"environment-(?:before|after)-[a-z0-9-]{1,40}\.txt\Z")
_TOP: Final = frozenset(
    {"v", "when", "system", "started", "finished", "uptime_ms", "targets", "demo", "items"}
)
_ITEM: Final = frozenset({"check", "outcome", "reasons", "facts", "raws", "duration_ms"})
_RAW: Final = frozenset({"ran", "exit_code", "encoding", "kept", "size", "digests", "attachment", "masked"})
T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)


def encode(report: EnvironmentReport) -> bytes:
    """Canonical bytes of a report."""
    return canonical(
        {
            "v": VERSION,
            "when": report.when.value,
            "system": report.system,
            "started": format_moment(report.started),
            "finished": format_moment(report.finished),
            "uptime_ms": report.uptime_ms,
            "targets": list[JSON](report.targets),
            "demo": list[JSON](report.demo),
            "items": [_item_json(item) for item in report.items],
        }
    )


def _item_json(item: Item) -> JSON:
    return {
        "check": item.check.value,
        "outcome": item.outcome.value,
        "reasons": [{"code": reason.code, "parameters": {**reason.parameters}} for reason in item.reasons],
        "facts": {name: list[JSON](found) for name, found in item.facts.items()},
        "raws": [_raw_json(raw) for raw in item.raws],
        "duration_ms": item.duration_ms,
    }


def _raw_json(raw: Raw) -> JSON:
    encoding, text = _written(raw.kept)
    return {
        "ran": raw.ran, "exit_code": raw.exit_code, "encoding": encoding, "kept": text, "size": raw.size,
        "digests": {**raw.digests.to_json()}, "attachment": raw.attachment, "masked": raw.masked,
    }  # fmt: skip


def _written(data: bytes) -> tuple[str, str]:
    try:
        return "utf-8", data.decode("utf-8")
    except UnicodeDecodeError:
        return "base64", base64.b64encode(data).decode("ascii")


def parse(data: bytes) -> EnvironmentReport:
    """Read a report strictly; an output that is kept whole must have the digests stated.

    Raises:
        MalformedError: ``malformed.environment``, ``malformed.time``, ``malformed.digest`` or what `canonical.decode` raises.
    """
    top = _members(decode(data, what="environment report", limit=MAX_REPORT), _TOP)
    if top["v"] != VERSION:
        raise _bad("version")
    items = _each(top["items"], _item, most=len(Check))
    order = [list(Check).index(item.check) for item in items]
    if order != sorted(set(order)):
        raise _bad("order")
    return EnvironmentReport(
        when=_choice(top["when"], When),
        system=_text(top["system"], most=40),
        started=parse_moment(top["started"], what="environment report"),
        finished=parse_moment(top["finished"], what="environment report"),
        uptime_ms=_count(top["uptime_ms"]),
        targets=_each(top["targets"], _text, most=MAX_TARGETS),
        demo=_each(top["demo"], _text, most=_MAX_ENTRIES),
        items=items,
    )


def _item(value: JSON) -> Item:
    item = _members(value, _ITEM)
    facts = item["facts"]
    if not isinstance(facts, dict) or len(facts) > _MAX_ENTRIES or not all(map(_NAME.match, facts)):
        raise _bad("facts")
    reasons = _each(item["reasons"], _reason, most=_MAX_ENTRIES)
    if not reasons:
        raise _bad("reasons")
    return Item(
        check=_choice(item["check"], Check),
        outcome=_choice(item["outcome"], Outcome),
        reasons=reasons,
        facts={name: _each(found, _text, most=MAX_VALUES) for name, found in facts.items()},
        raws=_each(item["raws"], _raw, most=_MAX_ENTRIES),
        duration_ms=_count(item["duration_ms"]),
    )


def _reason(value: JSON) -> Reason:
    reason = _members(value, frozenset({"code", "parameters"}))
    code, parameters = _text(reason["code"]), reason["parameters"]
    if not _CODE.match(code) or not isinstance(parameters, dict) or not all(map(_NAME.match, parameters)):
        raise _bad("reason")
    return Reason(code=code, parameters={name: _parameter(given) for name, given in parameters.items()})


def _parameter(value: JSON) -> Parameter:
    return value if type(value) is int else _text(value)


def _raw(value: JSON) -> Raw:
    raw = _members(value, _RAW)
    kept, size, exit_code = _kept(raw["encoding"], raw["kept"]), _count(raw["size"]), raw["exit_code"]
    digests = DigestPair.from_json(raw["digests"], what="environment report")
    attachment, masked = raw["attachment"], raw["masked"]
    if type(masked) is not bool or (exit_code is not None and type(exit_code) is not int):
        raise _bad("raw")
    if attachment is not None and (not _ATTACHMENT.match(_text(attachment)) or kept):
        raise _bad("attachment")
    if len(kept) > size or (len(kept) == size and not digests.matches(DigestPair.of(kept))):
        raise _bad("digest")
    if attachment is None and len(kept) < min(
        size, MAX_KEPT - 3
    ):  # a character of UTF-8 has up to four bytes
        raise _bad("kept")
    return Raw(
        ran=_text(raw["ran"]), kept=kept, size=size, digests=digests, exit_code=exit_code,
        attachment=None if attachment is None else _text(attachment), masked=masked,
    )  # fmt: skip


def _kept(encoding: JSON, text: JSON) -> bytes:
    if not isinstance(text, str) or len(text) > 2 * MAX_KEPT:
        raise _bad("kept")
    try:
        data = text.encode("utf-8") if encoding == "utf-8" else base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _bad("kept") from error
    if len(data) > MAX_KEPT or _written(data) != (encoding, text):
        raise _bad("kept")
    return data


def _members(value: JSON, names: frozenset[str]) -> dict[str, JSON]:
    if not isinstance(value, dict) or set(value) != names:
        raise _bad("members")
    return value


def _each(value: JSON, read: Callable[[JSON], T], *, most: int) -> tuple[T, ...]:
    if not isinstance(value, list) or len(value) > most:
        raise _bad("list")
    return tuple(read(item) for item in value)


def _choice(value: JSON, kind: type[E]) -> E:
    try:
        return kind(_text(value))
    except ValueError as error:
        raise _bad("choice") from error


def _text(value: JSON, most: int = MAX_VALUE) -> str:
    if not isinstance(value, str) or len(value) > most:
        raise _bad("text")
    return value


def _count(value: JSON) -> int:
    if type(value) is not int or not 0 <= value <= MAX_INTEGER:
        raise _bad("number")
    return value


def _bad(reason: str) -> MalformedError:
    return MalformedError("malformed.environment", reason=reason)
