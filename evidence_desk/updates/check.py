"""The check: fetch, judge, remember. Nothing is downloaded but the list, nothing is run."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from evidence_desk import __version__
from evidence_desk.core.moment import format_moment, parse_moment
from evidence_desk.core.ports import Clock
from evidence_desk.core.release import Release, read_release, version_numbers
from evidence_desk.errors import EvidenceDeskError
from evidence_desk.updates.fetch import fetch
from evidence_desk.updates.setting import Seen, keep_seen, load_setting, pinned_key

OLDEST: Final = timedelta(days=400)
"""A list older than this may have been held back: nobody says that there is nothing newer."""
_CLOCKS: Final = timedelta(days=1)


class UpdateStatus(StrEnum):
    """What is known."""

    NEWER = "newer"
    CURRENT = "current"
    UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateOutcome:
    """The answer; `code` with `facts` is its sentence.

    Attributes:
        version: that of the list, "" when there is none to believe.
        issued: when the list was signed, None likewise.
    """

    status: UpdateStatus
    code: str
    facts: dict[str, str | int]
    version: str = ""
    issued: datetime | None = None


def check(clock: Clock, *, here: str = __version__) -> UpdateOutcome:
    """Ask, if it is on. Whatever keeps it from knowing is an undetermined answer, not an error."""
    try:
        setting = load_setting()
        key = pinned_key(setting)
        if not setting.on:
            return _unknown("updates.off")
        if not setting.address:
            return _unknown("updates.no_address")
        if key is None:
            return _unknown("updates.no_key")
        release = read_release(fetch(setting.address), key)
        outcome = judge(release, setting.seen, now=clock.now(), here=here)
        if outcome.version:
            keep_seen(_seen(release))
    except EvidenceDeskError as error:
        return _unknown(error.code, **error.parameters)
    return outcome


def judge(release: Release, seen: Seen | None, *, now: datetime, here: str) -> UpdateOutcome:
    """What a rightly signed list means, after `seen` and for the version `here`. A refused one has no `version`.

    Raises:
        MalformedError: ``malformed.release`` for a version `here` that is none, ``malformed.time``.
    """
    if release.demonstration:
        return _unknown("updates.demonstration")
    if refused := _refusal(release, seen):
        return _unknown(refused, issued=format_moment(release.issued))
    if release.issued > now + _CLOCKS:
        return _unknown("updates.from_future", issued=format_moment(release.issued))
    there, mine = version_numbers(release.version), version_numbers(here)
    facts: dict[str, str | int] = {
        "here": here,
        "there": release.version,
        "issued": release.issued.strftime("%Y-%m-%d"),
    }
    if there > mine:
        status, code = UpdateStatus.NEWER, "updates.newer"
    elif there < mine:
        status, code = UpdateStatus.UNDETERMINED, "updates.behind"
    elif now - release.issued > OLDEST:
        status, code = UpdateStatus.UNDETERMINED, "updates.old"
    else:
        status, code = UpdateStatus.CURRENT, "updates.current"
    return UpdateOutcome(
        status=status, code=code, facts=facts, version=release.version, issued=release.issued
    )


def _refusal(release: Release, seen: Seen | None) -> str:
    if seen is None:
        return ""
    before, now = parse_moment(seen.issued, what="seen"), _seen(release)
    if release.issued < before:
        return "updates.replayed"
    if now.issued == seen.issued and now.sha256 != seen.sha256:
        return "updates.two_lists"
    if version_numbers(release.version) < version_numbers(seen.version):
        return "updates.downgrade"
    return ""


def _seen(release: Release) -> Seen:
    digest = hashlib.sha256(release.encode().encode()).hexdigest()
    return Seen(issued=format_moment(release.issued), version=release.version, sha256=digest)


def _unknown(code: str, /, **facts: str | int) -> UpdateOutcome:
    return UpdateOutcome(status=UpdateStatus.UNDETERMINED, code=code, facts=facts)
