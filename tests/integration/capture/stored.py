"""Archives made by hand, of sites that never were: what a replay shows of them can have come from nowhere else."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace

from evidence_desk.core.capture.events import PageState
from evidence_desk.core.capture.manifest import MANIFEST, PageResult, encode_manifest
from evidence_desk.core.capture.plan import CapturePlan, encode_plan
from evidence_desk.core.capture.stream import Direction
from evidence_desk.wacz.archive import write_warc
from tests.unit.core.capture.samples import a_manifest
from tests.unit.wacz.samples import decode, get, pack, plain, turns
from tests.unit.wacz.tls_recording import AT

HOST = "gone.test"
Turn = tuple[str, bytes]
"""``GET /path`` and the whole answer."""


def page(text: str, *headers: str, status: str = "200 OK") -> bytes:
    """An answer that is a page."""
    return plain(text.encode(), "Content-Type: text/html; charset=utf-8", *headers, status=status)


def wacz_of(exchanges: Sequence[Turn], *pages: str) -> bytes:
    """A capture of `HOST` (plain HTTP) with these exchanges in their order, and pages at these paths."""
    pieces = []
    for asked, answer in exchanges:
        method, _, path = asked.partition(" ")
        body = b"a=1" if method == "POST" else b""
        pieces += [(Direction.OUT, get(path, method, body=body, host=HOST)), (Direction.IN, answer)]
    decoded = decode(1, turns(*pieces), host=HOST, port=80)
    out = io.BytesIO()
    records = write_warc(out, [decoded], (), software="test", at=AT)
    decoded.close()
    manifest = replace(
        a_manifest(),
        pages=tuple(
            PageResult(
                number=number, url=f"http://{HOST}{path}", reached="", title=f"第{number}页",
                state=PageState.LOADED, reasons=(), names=(),
            )
            for number, path in enumerate(pages, 1)
        ),
    )  # fmt: skip
    plan = CapturePlan(urls=(f"http://{HOST}/",))
    return pack(
        out.getvalue(), records, {MANIFEST: encode_manifest(manifest), "plan.json": encode_plan(plan)}
    )
