"""The container: what is written is read again, and nothing else is accepted."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.core.digests import sha256
from evidence_desk.core.job import Job
from evidence_desk.core.package.zip_writer import ZipWriter
from evidence_desk.errors import BugError, CanceledError, MalformedError, UnreadableError
from evidence_desk.wacz.archive import Resource, write_warc
from evidence_desk.wacz.layout import (
    CDX,
    DIGEST,
    IDX,
    PACKAGE,
    PAGES,
    WARC,
    Page,
    encode_digest,
    encode_pages,
    parse_package,
    parse_pages,
)
from evidence_desk.wacz.pack import About, pack_wacz
from evidence_desk.wacz.read import WaczReader
from evidence_desk.wacz.record import Bytes, RecordType
from tests.unit.wacz.samples import ANSWERS, CHINESE, CHUNKED, EVIDENCE, H2, PAGE, archive, pack, sample


def reader(data: bytes) -> WaczReader:
    return WaczReader(io.BytesIO(data))


def entries() -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(sample().wacz)) as container:
        return {name: container.read(name) for name in container.namelist()}


def repack(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    writer = ZipWriter(out)
    for name, data in files.items():
        writer.add(name, io.BytesIO(data), len(data))
    writer.finish()
    return out.getvalue()


def relisted(changes: dict[str, bytes]) -> bytes:
    """A container with other contents, its lists put right: what a forger can do."""
    files = entries() | changes
    package = decode(files[PACKAGE], what="", limit=10**7)
    assert isinstance(package, dict)
    package["resources"] = [
        {
            "name": name.rpartition("/")[2], "path": name, "bytes": len(data), "type": "file",
            "hash": f"sha256:{sha256(data).hex()}",
        }
        for name, data in files.items() if name not in (PACKAGE, DIGEST)
    ]  # fmt: skip
    files[PACKAGE] = encode(package)
    files[DIGEST] = encode_digest(files[PACKAGE])
    return repack(files)


def test_the_same_capture_gives_the_same_bytes() -> None:
    warc, records = archive()
    assert warc == sample().warc
    assert pack(warc, records) == sample().wacz


def test_what_was_packed_is_read() -> None:
    opened = reader(sample().wacz)
    assert opened.check() == len(sample().records)
    assert opened.package.title == "网页取证 site.test"
    assert opened.pages == (
        Page(id="page-001", url="https://site.test/", title="证据", at="2026-02-02T02:40:00.000Z", text="字节"),
    )  # fmt: skip
    assert dict(opened.evidence) == {name: len(data) for name, data in sorted(EVIDENCE.items())}
    assert {name: opened.open(name).read() for name in opened.evidence} == EVIDENCE


def test_every_answer_is_found() -> None:
    opened = reader(sample().wacz)
    for (method, path), answer in ANSWERS.items():
        found = opened.find(f"https://site.test{path}", method=None if method == "GET" else method)
        assert found is not None
        final = answer[answer.index(b"HTTP/1.1 200") :] if path == "/early" else answer
        assert found.head + found.body.read() == final
    for path, body in H2.items():
        found = opened.find(f"https://site.test{path}")
        assert found is not None
        assert found.body.read() == body
    text = opened.find("urn:text:https://site.test/")
    assert text is not None
    assert (text.head, text.body.read()) == (b"", PAGE)
    assert opened.find("https://site.test/nowhere") is None
    assert opened.find("https://site.test/form") is None
    assert opened.find("http://plain.test/silent") is None


def test_addresses_are_looked_up_as_people_write_them() -> None:
    found = reader(sample().wacz).find("https://site.test/路径?q=中文&a=1#part")
    assert found is not None
    assert found.entry.url == f"https://site.test{CHINESE}"
    assert found.entry.status == 200
    assert found.entry.mime == "text/html"


def test_the_nearest_in_time_is_found() -> None:
    opened = reader(sample().wacz)
    entry = next(item for item in opened.entries() if item.url.endswith("/chunked"))
    found = opened.find(entry.url, "20260101000000000")
    assert found is not None
    assert found.body.read() == CHUNKED.partition(b"\r\n\r\n")[2]
    assert entry.digest is None


def test_records_in_order_with_their_links() -> None:
    kinds = []
    for record in reader(sample().wacz).records():
        kinds.append(record.header.type)
        if record.header.type is RecordType.METADATA and record.header.uri == "http://plain.test/cut":
            facts = decode(record.body.read(), what="", limit=10**6)
            assert isinstance(facts, dict)
            assert facts["complete"] is False
    assert kinds[0] is RecordType.WARCINFO
    assert kinds.count(RecordType.REQUEST) == len(ANSWERS) + len(H2) + 2
    assert kinds.count(RecordType.RESPONSE) == len(ANSWERS) + len(H2) + 1
    assert kinds == [record.header.type for record in sample().records]


def flipped(data: bytes, at: int, mask: int) -> bytes:
    return data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :]


def is_refused(data: bytes) -> bool:
    try:
        reader(data).check()
    except MalformedError:
        return True
    return False


@settings(max_examples=300)
@given(st.data())
def test_a_flipped_byte_is_noticed(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(sample().wacz) - 1))
    assert is_refused(flipped(sample().wacz, at, data.draw(st.integers(1, 255))))


def small() -> bytes:
    """Everything that a container has, in few bytes."""
    out = io.BytesIO()
    page = Resource(uri="https://site.test/", content_type="text/html", at=1, source=Bytes(PAGE[:60]))
    records = write_warc(out, (), [page], software="x", at=0)
    return pack(out.getvalue(), records, {"network.jsonl": b'{"event":"attached"}\n'})


@pytest.mark.full
def test_every_flipped_byte_is_noticed() -> None:
    data = small()
    for at in range(len(data)):
        for mask in (1, 0x20, 0x80, 0xFF):
            assert is_refused(flipped(data, at, mask)), at


@given(st.data())
def test_cut_short_or_longer_is_refused(data: st.DataObject) -> None:
    whole = sample().wacz
    assert is_refused(whole[: data.draw(st.integers(0, len(whole) - 1))])
    assert is_refused(whole + data.draw(st.binary(min_size=1, max_size=40)))


@given(st.binary(max_size=400))
def test_garbage_is_refused(data: bytes) -> None:
    assert is_refused(data)


@pytest.mark.parametrize(
    "change",
    [
        lambda files: files | {"evidence/../../x": b""},
        lambda files: files | {"evidence/a/b": b""},
        lambda files: files | {"evidence/Page.txt": b""},
        lambda files: files | {"mimetype": b""},
        lambda files: {name: data for name, data in files.items() if name != IDX},
        lambda files: dict(reversed(files.items())),
        lambda files: files | {DIGEST: b"{}"},
        lambda files: files | {DIGEST: files[DIGEST] + b"\n"},
        lambda files: files | {PACKAGE: files[PACKAGE] + b"\n"},
        lambda files: files | {"evidence/page-001.txt": b"other"},
    ],
)
def test_other_entries_are_refused(change: Callable[[dict[str, bytes]], dict[str, bytes]]) -> None:
    try:
        data = repack(change(entries()))
    except BugError:
        return  # our own writer refuses the name; the reader's rules for names are tested with the package
    assert is_refused(data)


def test_relisted_contents_are_accepted_by_the_container() -> None:
    """So that the tests below refuse for what they say, not for a digest."""
    assert reader(relisted({"evidence/page-001.txt": b"other"})).check()


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        (PAGES, b'"format":"json-pages-1.0"', b'"format":"json-pages-1.1"'),
        (PAGES, b"2026-02-02T02:40:00.000Z", b"2026-02-30T02:40:00.000Z"),
        (PAGES, b'"hasText":true', b'"hasText":false'),
        (IDX, b'"offset":0', b'"offset":1'),
        (IDX, b"cdxj-gzip-1.0", b"cdxj-gzip-1.1"),
        (CDX, b"\x1f\x8b\x08\x00", b"\x1f\x8b\x08\x08"),
        (WARC, b"\x1f\x8b\x08\x00", b"\x1f\x8b\x08\x08"),
    ],
)
def test_forged_parts_are_refused(name: str, old: bytes, new: bytes) -> None:
    data = entries()[name]
    assert old in data
    assert is_refused(relisted({name: data.replace(old, new, 1)}))


def test_an_index_that_leads_elsewhere_is_refused() -> None:
    """Its two files agree and the container is whole; it only points to other places."""
    warc, records = archive()
    moved = [replace(one, offset=one.offset + 10**9) for one in records]
    swapped = [replace(one, header=replace(one.header, uri="https://other.test/")) for one in records[1:]]
    for forgery, url in ((moved, "https://site.test/br"), ([records[0], *swapped], "https://other.test/")):
        opened = reader(pack(warc, tuple(forgery)))
        with pytest.raises(MalformedError) as raised:
            opened.find(url)
        assert raised.value.parameters["reason"] == "index"
        with pytest.raises(MalformedError):
            opened.check()


@pytest.mark.parametrize(
    "change",
    [
        {"created": "2026-02-30T02:45:00Z"},
        {"created": "2026-02-02T02:45:00.000Z"},
        {"created": 1},
        {"title": None},
        {"mainPageDate": "2026-02-02"},
        {"mainPageURL": None},
        {"resources": {}},
        {"resources": [1]},
        {"resources": [{}]},
        {
            "resources": [
                {"name": "x", "path": "x", "bytes": -1, "hash": "sha256:" + "0" * 64, "type": "file"}
            ]
        },
        {"resources": [{"name": "x", "path": "x", "bytes": 0, "hash": "sha512:" + "0" * 64, "type": "file"}]},
        {"resources": [{"name": "x", "path": "x", "bytes": 0, "hash": "sha256:0", "type": "file"}]},
        {"resources": [{"name": "y", "path": "x", "bytes": 0, "hash": "sha256:" + "0" * 64, "type": "file"}]},
        {"resources": []},
        {"more": 1},
        {"wacz_version": "1.1.2"},
    ],
)
def test_forged_lists_are_refused(change: dict[str, JSON]) -> None:
    files = entries()
    package = decode(files[PACKAGE], what="", limit=10**7)
    assert isinstance(package, dict)
    files[PACKAGE] = encode(package | change)
    files[DIGEST] = encode_digest(files[PACKAGE])
    assert is_refused(repack(files))


@given(st.binary(max_size=200))
def test_lists_never_crash(data: bytes) -> None:
    for piece in (data, b'{"resources":[' + data + b"]}"):
        with pytest.raises(MalformedError):
            parse_package(piece)


def test_names_that_are_not_there() -> None:
    with pytest.raises(MalformedError):
        reader(sample().wacz).open("other.txt")


def test_damage_shows_in_what_is_read() -> None:
    """Without `check` too."""
    data = sample().wacz
    at = data.index(EVIDENCE["page-001.txt"], data.index(b"evidence/page-001.txt"))
    opened = reader(flipped(data, at, 1))
    with pytest.raises(MalformedError):
        opened.open("page-001.txt").read()


def test_an_index_of_other_records_is_refused() -> None:
    warc, records = archive()
    with pytest.raises(MalformedError) as raised:
        reader(pack(warc, records[:-1])).check()
    assert raised.value.parameters["reason"] == "index"


def test_a_warc_with_other_contents_is_refused() -> None:
    """Records that are each well-formed, but not those of the index."""
    warc, records = archive()
    first, second = records[1], records[2]
    swapped = (
        warc[: first.offset] + warc[second.offset : second.offset + second.length]
        + warc[first.offset : first.offset + first.length] + warc[second.offset + second.length :]
    )  # fmt: skip
    assert is_refused(pack(swapped, records))


class Shrunk(Bytes):
    """Says that it is longer than it is."""

    @property
    def size(self) -> int:
        return len(self.data) + 1


def test_sources_that_change_and_names_that_cannot_be() -> None:
    warc, records = archive()
    with pytest.raises(BugError):
        pack(warc, records, {"Upper.txt": b""})
    about = About(title="", created="2026-02-02T02:45:00Z", software="")
    with pytest.raises(UnreadableError):
        pack_wacz(io.BytesIO(), warc=Shrunk(b"abc"), records=(), pages=(), evidence={}, about=about)


def test_checking_can_be_canceled_and_tells_how_far_it_is() -> None:
    steps: list[tuple[int, int]] = []
    reader(sample().wacz).check(Job(lambda _stage, done, total: steps.append((done, total))))
    assert steps[-1][0] == steps[-1][1] == sum(item.size for item in reader(sample().wacz).package.resources)
    job = Job()
    job.cancel()
    with pytest.raises(CanceledError):
        reader(sample().wacz).check(job)


pages = st.lists(
    st.builds(
        Page, id=st.text(max_size=5), url=st.text(max_size=20), title=st.text(max_size=9),
        at=st.just("2026-02-02T02:40:00.000Z"), text=st.none() | st.text(max_size=9),
    ), max_size=4,
)  # fmt: skip


@given(pages)
def test_pages_round_trip(listed: list[Page]) -> None:
    assert parse_pages(encode_pages(listed)) == tuple(listed)


@given(st.binary(max_size=200))
def test_pages_never_crash(data: bytes) -> None:
    with suppress(MalformedError):
        parse_pages(encode_pages([]) + data)
