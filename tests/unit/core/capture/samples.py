"""A manifest with one of everything, for tests of formats and of what is printed from it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from evidence_desk.core.capture.environment import Check, Outcome, because
from evidence_desk.core.capture.events import PageState
from evidence_desk.core.capture.manifest import (
    CheckResult,
    FileDigest,
    Manifest,
    MarkResult,
    PageResult,
)
from evidence_desk.core.capture.rows import CaptureResult
from evidence_desk.core.capture.story import LIMITS
from evidence_desk.core.digests import DigestPair, sha256

BEGUN = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
_FIRST = (Outcome.PASS, Outcome.WARN, Outcome.FAIL, Outcome.UNCHECKED)


def a_manifest(begun: datetime = BEGUN) -> Manifest:
    """Two pages, one of them partial; every check; a mark with a token and one without."""
    return Manifest(
        id=bytes(range(16)),
        started=sha256(b"started"),
        software="Evidence Desk 0.1.0",
        result=CaptureResult.PARTIAL,
        reasons=(
            because("capture.reason.pages_partial", count=1, total=2),
            because("capture.reason.time_limit"),
        ),
        begun=begun,
        ended=begun + timedelta(seconds=75, milliseconds=250),
        browser={"chromium": "140.0.7339.264", "qt": "6.11.3", "sandbox": 1, "observer_closed": 1},
        pages=(
            PageResult(
                number=1, url="https://店铺.example/商品?id=1", reached="https://shop.example/item?id=1",
                title="商品详情 䶮", state=PageState.LOADED, reasons=(), names=("page-001-viewport.png",),
            ),
            PageResult(
                number=2, url="https://shop.example/slow", reached="https://shop.example/slow", title="",
                state=PageState.PARTIAL, reasons=(because("capture.reason.not_visited"),), names=(),
            ),
        ),
        counts={"connections": 6, "exchanges": 16, "differences": 0},
        before=DigestPair.of(b"before"),
        after=DigestPair.of(b"after"),
        checks=tuple(
            CheckResult(check=check, before=_FIRST[at % 4], after=None if at == 3 else _FIRST[at % 3])
            for at, check in enumerate(Check)
        ),
        marks=(
            MarkResult(name="mark-000.json", token=True, gen_time=begun + timedelta(seconds=1)),
            MarkResult(name="mark-001.json", token=False, gen_time=None),
        ),
        actions=7,
        head=sha256(b"head"),
        limits=LIMITS,
        files=(
            FileDigest(name="actions.jsonl", size=10, digests=DigestPair.of(b"actions")),
            FileDigest(name="data.warc.gz", size=20, digests=DigestPair.of(b"warc")),
        ),
        private=(FileDigest(name="keylog.txt", size=30, digests=DigestPair.of(b"keys")),),
    )  # fmt: skip
