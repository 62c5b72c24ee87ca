"""Disclosure copies: what is kept is compared, what is missing must be declared, and every forgery shows."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from evidence_desk.core.canonical import decode, encode
from evidence_desk.core.capture.manifest import MANIFEST, SECRETS
from evidence_desk.core.capture.redaction import RECORDS, REDACTION, Redaction, Why, Withheld
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.verdict import Status
from evidence_desk.wacz.members import HEADER, TRAILER
from evidence_desk.wacz.read import WaczReader
from evidence_desk.wacz.record import RecordType
from evidence_desk.wacz.withhold import Wish
from tests.unit.verify.captures import (
    COOKIE,
    Parts,
    broken,
    capture,
    codes,
    copy_of,
    forged,
    judged,
    withhold,
)

CREDENTIALS = Wish(credentials=True)


@pytest.fixture(scope="module")
def copy() -> bytes:
    return copy_of(capture(), CREDENTIALS, reason="与本案无关")


def everything(data: bytes) -> bytes:
    reader = WaczReader(io.BytesIO(data))
    pieces = [reader.open(name).read() for name in reader.evidence]
    pieces += [record.head + record.body.read() for record in reader.records()]
    return b"\n".join(pieces)


def test_a_whole_capture_is_right_and_decodes_to_itself():
    whole = judged(capture().wacz, capture().bond, key_log=capture().key_log)
    assert broken(whole) == set()
    assert codes(whole, Status.PASSED) >= {
        "capture.form.right", "capture.files.right", "capture.decryption.right", "capture.handshake.right",
        "capture.streams.right",
    }  # fmt: skip


def test_a_copy_without_credentials(copy):
    assert COOKIE.encode() in everything(capture().wacz)
    seen = everything(copy)
    for secret in (COOKIE.encode(), b"geheim"):
        assert secret not in seen
    reader = WaczReader(io.BytesIO(copy))
    assert not {"network.jsonl", SECRETS, "session.pcapng", "stream-000002.bin"} & set(reader.evidence)
    assert {"stream-000001.bin", "stream-000003.bin"} <= set(reader.evidence), (
        "nothing is said there in the clear"
    )
    kinds = [record.header.type for record in reader.records()]
    assert kinds.count(RecordType.REQUEST) == 2
    assert kinds.count(RecordType.RESPONSE) == 4
    found = judged(copy, capture().bond)
    assert broken(found) == set()
    assert codes(found, Status.UNDETERMINED) >= {
        "capture.files.withheld", "capture.records.withheld", "capture.streams.withheld", "capture.decryption.no_keys",
    }  # fmt: skip
    assert found.findings[2].parameters == {"files": 4, "records": 4, "opened": 0}


def test_the_same_wish_gives_the_same_bytes(copy):
    assert copy_of(capture(), CREDENTIALS, reason="与本案无关") == copy


def test_opened_files_are_held_against_the_manifest():
    key_log = capture().key_log
    right = judged(copy_of(capture(), opened={"keylog.txt": key_log, "cookies.json": b"[]"}), capture().bond)
    assert broken(right) == set()
    assert codes(right, Status.PASSED) >= {
        "capture.opened.right", "capture.records.right", "capture.files.right", "capture.decryption.right",
    }  # fmt: skip
    for wrong in (key_log[:-1], key_log.replace(b"TRAFFIC", b"traffic"), b"", key_log + b"\n"):
        found = judged(copy_of(capture(), opened={"keylog.txt": wrong}), capture().bond)
        assert broken(found) == {"capture.opened.differs"}
        assert "capture.decryption.right" not in codes(found, Status.PASSED)
        assert "capture.decryption.no_keys" in codes(found, Status.UNDETERMINED)


def drop(at: int):
    def change(parts: Parts) -> None:
        del parts.members[at]

    return change


def swap(parts: Parts) -> None:
    parts.members[3], parts.members[4] = parts.members[4], parts.members[3]


def twice(parts: Parts) -> None:
    parts.members.insert(4, parts.members[3])


def inflated(member: bytes) -> bytes:
    return zlib.decompressobj(-15).decompress(member[len(HEADER) :])


def packed_otherwise(parts: Parts) -> None:
    """The same record, deflated otherwise."""
    content = inflated(parts.members[2])
    deflate = zlib.compressobj(1, zlib.DEFLATED, -15)
    parts.members[2] = (
        HEADER + deflate.compress(content) + deflate.flush() + TRAILER.pack(zlib.crc32(content), len(content))
    )


def listed_otherwise(parts: Parts) -> None:
    """Record and its line gone, all others moved: as if it had never been there."""
    lines = [decode(line, what="", limit=9999) for line in parts.files[RECORDS].splitlines()]
    kept = WaczReader(io.BytesIO(copy_of(capture(), CREDENTIALS)))
    kept.check()
    gone = kept.kept[-1]
    del parts.members[-1]
    parts.files[RECORDS] = b"".join(
        encode(line) + b"\n" for line in lines if isinstance(line, dict) and line["id"] != gone
    )


def without(name: str):
    return lambda parts: parts.files.pop(name)


def added(name: str, data: bytes):
    return lambda parts: parts.files.update({name: data})


def redaction(change: Callable[[Redaction], Redaction]) -> Callable[[Parts], None]:
    return lambda parts: parts.redact(change)


OTHER = DigestPair.of(b"other")
ID = f"<urn:uuid:{'0' * 8}-{'0' * 4}-{'0' * 4}-{'0' * 4}-{'0' * 12}>"
FORGERIES = {
    "a record left out, not declared": (drop(-1), "capture.records.undeclared"),
    "the first record left out": (drop(0), None),
    "records in another order": (swap, "capture.form.wrong"),
    "a record twice": (twice, "capture.form.wrong"),
    "a record deflated otherwise": (packed_otherwise, "capture.form.wrong"),
    "a record that never was": (listed_otherwise, None),
    "a file left out, not declared": (without("page-001.txt"), "capture.files.missing"),
    "a needed file left out": (without("mark-000.json"), "capture.files.missing"),
    "no list of records": (without(RECORDS), "capture.form.wrong"),
    "no redaction": (without(REDACTION), "capture.form.wrong"),
    "no manifest": (without(MANIFEST), "capture.manifest.malformed"),
    "a file more": (added("page-009.txt", b"x"), "capture.files.unlisted"),
    "a private file, not declared": (added("cookies.json", b"[]"), "capture.files.unlisted"),
    "a withheld file, there all the same": (added("network.jsonl", b""), "capture.files.present"),
    "a file changed": (added("page-001.txt", b"changed"), "capture.files.differs"),
    "a stream changed": (added("stream-000001.bin", b""), "capture.files.differs"),
    "redaction of another capture": (redaction(lambda item: replace(item, manifest=OTHER)), "capture.redaction.other"),
    "redaction that declares a needed file": (redaction(withhold("mark-000.json")), "capture.redaction.other"),
    "redaction that declares no file of it": (redaction(withhold("unknown.txt")), "capture.redaction.other"),
    "redaction that opens what is not private": (
        redaction(lambda item: replace(item, opened=("page-001.txt",))), "capture.redaction.other",
    ),
    "redaction that opens what is not there": (
        redaction(lambda item: replace(item, opened=("cookies.json",))), "capture.opened.differs",
    ),
    "redaction that declares too few records": (
        redaction(lambda item: replace(item, records=item.records[1:])), "capture.records.undeclared",
    ),
    "redaction that declares no records": (redaction(lambda item: replace(item, records=())), None),
    "redaction that declares too many": (
        redaction(lambda item: replace(item, records=(*item.records, Withheld(name=ID, why=Why.CHOSEN)))),
        "capture.records.declared",
    ),
    "records declared in another order": (
        redaction(lambda item: replace(item, records=item.records[::-1])), "capture.records.declared",
    ),
    "redaction that is no canonical JSON": (added(REDACTION, b"{ }"), "capture.redaction.malformed"),
    "list of records that is none": (added(RECORDS, b"{}\n"), "capture.form.wrong"),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGERIES)
def test_forgeries_show(copy, name):
    change, code = FORGERIES[name]
    data = forged(copy, change)
    assert data != copy
    found = broken(judged(data, capture().bond))
    assert found, name
    assert code is None or code in found, found


def test_nothing_is_gained_by_forging_nothing(copy):
    assert forged(copy, lambda _: None) == copy


def test_a_flipped_bit_anywhere_shows(copy):
    for step in range(250):
        place = (step * 7919 + 31) % len(copy)
        changed = bytearray(copy)
        changed[place] ^= 1 << (step % 8)
        assert broken(judged(bytes(changed), capture().bond)), place


def test_a_copy_of_another_capture_is_noticed(copy):
    bond = replace(capture().bond, manifest=OTHER)
    assert "capture.manifest.other" in broken(judged(copy, bond))
    alone = judged(copy, None)
    assert broken(alone) == set()
    assert "capture.manifest.alone" in codes(alone, Status.UNDETERMINED)


def test_what_a_copy_may_leave_out_is_undetermined():
    names = ("actions.jsonl", "tls.jsonl", "stream-000003.bin", "exchanges.jsonl")
    found = judged(copy_of(capture(), Wish(names=names)), capture().bond)
    assert broken(found) == set()
    assert codes(found, Status.UNDETERMINED) >= {
        "capture.files.withheld", "capture.actions.withheld", "capture.streams.withheld",
    }  # fmt: skip


def test_records_by_address():
    data = copy_of(capture(), Wish(addresses=("http*/account",)))
    reader = WaczReader(io.BytesIO(data))
    assert reader.find("https://site.test/account") is None
    assert reader.find("https://site.test/") is not None
    assert "stream-000002.bin" not in reader.evidence, "it holds the address in the clear"
    assert broken(judged(data, capture().bond)) == set()


def test_all_records_of_an_archive_may_go():
    data = copy_of(capture(), Wish(addresses=("*",)))
    reader = WaczReader(io.BytesIO(data))
    assert [record.header.type for record in reader.records()] == [RecordType.WARCINFO]
    assert broken(judged(data, capture().bond)) == set()


def test_a_changed_byte_of_any_file_shows_even_with_the_container_right():
    copy = copy_of(capture(), Wish(names=("page-001.txt",)), opened={"keylog.txt": capture().key_log})
    names = set(WaczReader(io.BytesIO(copy)).evidence) - {REDACTION}  # whose words nobody signs
    for step, name in enumerate(sorted(names) * 2):

        def change(parts: Parts, name: str = name, step: int = step) -> None:
            data = bytearray(parts.files[name] or b"x")
            data[(step * 7919) % len(data)] ^= 1 << (step % 8)
            parts.files[name] = bytes(data)

        assert broken(judged(forged(copy, change), capture().bond)), name
