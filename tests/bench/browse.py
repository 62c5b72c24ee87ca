"""A vault of 100,000 exhibits: how long a filter and a page take, and what memory they cost."""

from __future__ import annotations

import random
import resource
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from evidence_desk.bootstrap.opening import open_session
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.canonical import JSON, encode
from evidence_desk.core.digests import DigestPair, sha256
from evidence_desk.core.evidence_number import Prefix, format_number
from evidence_desk.core.rows import CaseRow, ExhibitRow, ObjectRow, StoredObject
from evidence_desk.services import annotate
from evidence_desk.services.browse import (
    LOGGED_ONLY,
    MAX_PAGE,
    ExhibitQuery,
    ExhibitStates,
    Order,
    case_summaries,
    count,
    page,
)
from tests.bench.files import PASSPHRASE, demo_session
from tests.bench.report import Figure, percentile, seconds

BATCH = 1_000
PAGE = 100
START = datetime(2026, 1, 1, tzinfo=UTC)
THINGS = (
    "合同",
    "付款凭证",
    "聊天记录",
    "转账记录",
    "微信截图",
    "录音",
    "发票",
    "送货单",
    "借条",
    "监控视频",
)


def browse(folder: Path, small: bool) -> Iterator[Figure]:
    """Count and first page of every kind of filter; pages at any offset; the list of cases; memory."""
    size = 5_000 if small else 100_000
    made = demo_session(folder / "vault")
    filling = seconds(lambda: fill(made, size))
    made.close()
    database = (folder / "vault" / "vault.db").stat().st_size
    with open_session(folder / "vault", PASSPHRASE) as opened:
        memory = _resident()
        method = f"{size:,} exhibits, {database / 1e6:,.0f} MB (written at {size / filling:,.0f}/s)"
        slowest: dict[str, float] = {}
        for name, query in _queries().items():
            times: list[float] = []
            for _ in range(5):
                began = time.perf_counter()
                found = count(opened.desk, query)
                lines = page(opened.desk, query, 0, PAGE)
                times.append((time.perf_counter() - began) * 1000)
            assert len(lines) == min(found, PAGE)
            assert found or name in {"nothing", "400 digits"}
            slowest[f"{name} ({found:,})"] = max(times)
        for name, took in slowest.items():
            yield Figure(f"filter: {name}", took, "ms", 150, "count and first page, slowest of 5")
        yield Figure("filter, slowest of all", max(slowest.values()), "ms", 150, method)
        yield from _pages(opened, size)
        listing = max(seconds(lambda: case_summaries(opened.desk)) for _ in range(5)) * 1000
        yield Figure("list of cases with figures", listing, "ms", 150, "slowest of 5")
        yield Figure("one tag more, in the index too", _tagging(opened), "ms", 150, "slowest of 20, durable")
        yield Figure(
            "memory of browsing",
            (_resident() - memory) / 1e6,
            "MB",
            100,
            "growth of the resident size, all the above done",
        )


def _queries() -> dict[str, ExhibitQuery]:
    return {
        "everything": ExhibitQuery(),
        "2 characters, one in ten": ExhibitQuery(text="录音"),
        "2 characters, all": ExhibitQuery(text="证明"),
        "1 character, all": ExhibitQuery(text="证"),
        "1 digit": ExhibitQuery(text="7"),
        "6 characters, all": ExhibitQuery(text="渝0103民初"),
        "a name": ExhibitQuery(text="张三丰"),
        "file name": ExhibitQuery(text="发票_000"),
        "extension": ExhibitQuery(text=".pdf"),
        "three words": ExhibitQuery(text="转账 证明 pdf"),
        "nothing": ExhibitQuery(text="龘靐齉"),
        "400 digits": ExhibitQuery(text="1" * 1_000_000),
        "biggest case": ExhibitQuery(case_number=_case(0)),
        "biggest case, word": ExhibitQuery(case_number=_case(0), text="聊天记录"),
        "not timestamped": ExhibitQuery(states=LOGGED_ONLY),
        "certified, word": ExhibitQuery(states=ExhibitStates(certified=True), text="合同"),
        "tag": ExhibitQuery(tags=("重要",)),
        "tag, word": ExhibitQuery(tags=("重要",), text="证明"),
        "kind": ExhibitQuery(kinds=("communication", "record")),
        "a day": ExhibitQuery(
            registered_from=START + timedelta(hours=12), registered_to=START + timedelta(hours=36)
        ),
        "by title": ExhibitQuery(order=Order.TITLE),
        "by title, word": ExhibitQuery(order=Order.TITLE, text="证明"),
        "by size, word": ExhibitQuery(order=Order.LARGEST, text="证明"),
        "archived": ExhibitQuery(archived=True),
    }


def _pages(opened: Session, size: int) -> Iterator[Figure]:
    """Pages as a scrolled list asks for them."""
    draw = random.Random(7)
    for name, query in (
        ("all", ExhibitQuery(archived=None)),
        ("of a word in all", ExhibitQuery(archived=None, text="证明")),
        ("of the biggest case by title", ExhibitQuery(case_number=_case(0), order=Order.TITLE)),
    ):
        times: list[float] = []
        whole = count(opened.desk, query)
        for offset in [*(draw.randrange(whole) for _ in range(40)), whole - PAGE]:
            began = time.perf_counter()
            lines = page(opened.desk, query, offset, PAGE)
            times.append((time.perf_counter() - began) * 1000)
            assert len(lines) == min(PAGE, whole - offset)
        yield Figure(
            f"page at any offset, {name}", percentile(times, 0.95), "ms", 150, f"p95 of 41 of {whole:,}"
        )
    assert size


def _tagging(opened: Session) -> float:
    lines = page(opened.desk, ExhibitQuery(), 0, MAX_PAGE)
    times: list[float] = []
    for line in lines[:20]:
        began = time.perf_counter()
        annotate.add_tag(opened.desk, line.leaf_hash, "新标签")
        times.append((time.perf_counter() - began) * 1000)
    return max(times)


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * resource.getpagesize()


def _case(position: int) -> str:
    return f"（2026）渝0103民初{position + 1}号"


def fill(session: Session, size: int) -> None:
    """Exhibits written as rows, without originals: six in ten in one case, one in a hundred in an archived one."""
    draw, vault = random.Random(5), session.vault
    first, database = vault.log.size(), vault.database
    log_id = database.rows("SELECT max(id) FROM logs")[0][0]
    with vault.transaction():
        for position in range(50):
            details = encode({"court": "某人民法院", "cause": "买卖合同纠纷", "parties": ["张三", "李四"]})
            vault.exhibits.add_case(CaseRow(number=_case(position), details=details, created=START))
        vault.browse.set_archived(_case(49), START)
    for start in range(0, size, BATCH):
        with vault.transaction():
            for index in range(start, min(start + BATCH, size)):
                row = _exhibit(draw, index, first + index, vault.origin)
                database.write(
                    "INSERT INTO leaves (log_id, seq, type, leaf_hash, leaf) VALUES (?, ?, 'exhibit.sealed', ?, x'')",
                    (log_id, row.seq, row.leaf_hash),
                )
                vault.exhibits.add_exhibit(row)
                if index % 50 == 0:
                    vault.browse.add_tag(row.leaf_hash, "重要")


def _exhibit(draw: random.Random, index: int, seq: int, origin: str) -> ExhibitRow:
    leaf_hash = sha256(b"bench %d" % index)
    thing = draw.choice(THINGS)
    title = thing + _words(draw, 4)
    at = START + timedelta(seconds=30 * index)
    case = 0 if index % 10 < 6 else 49 if index % 100 == 99 else draw.randrange(1, 49)
    values: dict[str, JSON] = {
        "/case/parties": ["张三" + ("丰" if index % 40 == 0 else ""), "李四"],
        "/exhibit/title": title,
        "/exhibit/purpose": f"证明{_words(draw, 10)}",
        "/source": {"obtained": f"当事人提供，{_words(draw, 12)}", "from_whom": _words(draw, 2)},
        "/files/0": {"name": f"{title}.pdf", "filler": "0" * 400},
    }
    members: list[JSON] = [
        {"path": path, "salt": leaf_hash.hex(), "value": value} for path, value in values.items()
    ]
    digests = DigestPair(sha256=leaf_hash, sm3=leaf_hash)
    file = StoredObject(name=leaf_hash.hex(), size=draw.randrange(1, 1 << 24), digests=digests)
    path = f"{thing}_{index:06d}.pdf"
    return ExhibitRow(
        leaf_hash=leaf_hash, seq=seq, number=format_number(Prefix.EVIDENCE, leaf_hash), case_number=_case(case),
        exhibit_no=f"证据{index + 1}", title=title,
        kind=draw.choice(("file", "file", "communication", "record", "published")),
        statement=b"{" + b"0" * 2_500 + b"}",
        disclosures=encode({"v": "disclosures/1", "members": members}),
        objects=(ObjectRow(position=0, path=path, media_type="application/pdf", stored=file),),
        registered=at, logged=at, origin=origin,
        timestamped=at if index % 20 else None,
        anchored=at if index % 3 else None,
        certified=at if index % 4 == 1 else None,
    )  # fmt: skip


def _words(draw: random.Random, number: int) -> str:
    """Words of one to three characters out of some 3,000 in use."""
    return "".join(
        "".join(chr(0x4E00 + draw.randrange(3_000)) for _ in range(draw.choice((1, 2, 2, 3))))
        for _ in range(number)
    )
