"""What a signed list means after the lists seen before it."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from evidence_desk.core.moment import format_moment
from evidence_desk.core.release import Release, ReleaseFile
from evidence_desk.updates.check import OLDEST, UpdateStatus, judge
from evidence_desk.updates.setting import Seen

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
FILE = ReleaseFile(name="a", size=1, sha256="0" * 64, sm3="0" * 64)


def a_list(version: str = "1.10.0", issued: datetime = NOW, **changes: Any) -> Release:
    values: dict[str, Any] = {"demonstration": False, "files": (FILE,)}
    return Release(version=version, issued=issued, **values | changes)


def seen(release: Release) -> Seen:
    digest = hashlib.sha256(release.encode().encode()).hexdigest()
    return Seen(issued=format_moment(release.issued), version=release.version, sha256=digest)


@pytest.mark.parametrize(
    ("here", "status", "code"),
    [
        ("1.9.9", UpdateStatus.NEWER, "updates.newer"),
        ("1.10.0", UpdateStatus.CURRENT, "updates.current"),
        ("1.10.1", UpdateStatus.UNDETERMINED, "updates.behind"),
    ],
)
def test_versions(here, status, code):
    for before in (None, seen(a_list()), seen(a_list("1.9.0", NOW - timedelta(days=9)))):
        outcome = judge(a_list(), before, now=NOW, here=here)
        assert (outcome.status, outcome.code, outcome.version) == (status, code, "1.10.0")


@pytest.mark.parametrize(
    ("release", "code"),
    [
        (a_list(issued=NOW - timedelta(milliseconds=1)), "updates.replayed"),
        (a_list("2.0.0", NOW - timedelta(days=30)), "updates.replayed"),
        (
            a_list(files=(FILE, ReleaseFile(name="b", size=1, sha256="0" * 64, sm3="0" * 64))),
            "updates.two_lists",
        ),
        (a_list("1.9.9", NOW + timedelta(hours=1)), "updates.downgrade"),
        (a_list(issued=NOW + timedelta(days=2)), "updates.from_future"),
        (a_list("9.0.0", NOW + timedelta(hours=1), demonstration=True), "updates.demonstration"),
    ],
)
def test_refused_and_not_remembered(release, code):
    outcome = judge(release, seen(a_list()), now=NOW, here="1.0.0")
    assert (outcome.status, outcome.code, outcome.version) == (UpdateStatus.UNDETERMINED, code, "")


def test_a_list_held_back():
    fresh, old = (
        judge(a_list(), None, now=NOW + age, here="1.10.0") for age in (OLDEST, OLDEST + timedelta(seconds=1))
    )
    assert (fresh.status, old.status, old.code) == (
        UpdateStatus.CURRENT,
        UpdateStatus.UNDETERMINED,
        "updates.old",
    )
