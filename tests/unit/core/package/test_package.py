"""Content of packages: what is written, what is refused, and what is reported as data."""

import io
import json
import random
import zipfile
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk import texts
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.job import Job
from evidence_desk.core.note import check_note
from evidence_desk.core.package import (
    PackageEntry,
    PackageRecord,
    file_name,
    read_package,
    write_package,
)
from evidence_desk.core.package.zip_writer import ZipWriter
from evidence_desk.core.statement import MAX_STATEMENT
from evidence_desk.core.time_record import MAX_RECORD_SIZE
from evidence_desk.errors import BugError, CanceledError, MalformedError, UnreadableError, UsageError

ORDER = (
    "mimetype",
    "files/0001.pdf",
    "files/0002.txt",
    "files/0003",
    "statement.json",
    "disclosures.json",
    "proof.json",
    "certificate.pdf",
    "verify/README.txt",
    "verify/ca.pem",
    "verify/timestamp.tsr",
    "META-INF/ASiCEvidenceRecordManifest001.xml",
    "META-INF/evidencerecord001.ers",
    "index.json",
    "index.note",
)


def members(package: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(package)) as container:
        return {name: container.read(name) for name in container.namelist()}


def rewrap(parts: dict[str, bytes]) -> io.BytesIO:
    """A canonical container over other parts: what a forger with our writer could make."""
    out = io.BytesIO()
    writer = ZipWriter(out)
    for name, data in parts.items():
        writer.add(name, io.BytesIO(data), len(data))
    writer.finish()
    return out


def refusal(parts: dict[str, bytes]) -> tuple[str, object]:
    with pytest.raises(MalformedError) as caught:
        read_package(rewrap(parts))
    return caught.value.code, caught.value.parameters.get("reason")


def problems(parts: dict[str, bytes]) -> set[tuple[str, str]]:
    return {(item.code, item.name) for item in read_package(rewrap(parts)).verify_index().problems}


def test_a_package_reads_back(package, keys):
    opened = read_package(io.BytesIO(package))
    report = opened.verify_index()
    assert report.problems == ()
    assert opened.names == ORDER
    assert opened.files == ORDER[1:4]
    assert opened.statement == b'{"v":"statement/1"}'
    assert opened.disclosures == b"[]"
    assert opened.proof == b'{"v":"proof/1"}'
    assert opened.read("certificate.pdf") == b"%PDF-1.7 certificate"
    assert opened.has("verify/ca.pem")
    assert not opened.has("national/timestamp.tsr")
    assert opened.size("files/0003") == 0
    with opened.open("files/0001.pdf") as stream:
        assert stream.read() == b"%PDF-1.7 contract"
    assert [item.name for item in opened.index] == list(ORDER[1:11])
    assert [item.name for item in opened.records[0].manifest.objects] == ["statement.json", *ORDER[1:4]]
    assert check_note(opened.note, keys).ed25519
    assert check_note(opened.note, keys).sm2
    assert opened.index_note.origin == keys.name
    for name, data in members(package).items():
        assert report.entries[name].digests == DigestPair.of(data)
        assert report.entries[name].size == len(data)


def test_the_same_content_gives_the_same_bytes(make_package, package):
    """All but the SM2 signature, which is random, is a function of the content."""
    first, second = members(package), members(make_package())
    assert {name: data for name, data in first.items() if name != "index.note"} == {
        name: data for name, data in second.items() if name != "index.note"
    }
    end = package.index(b"index.note") - 30  # local header of the note, whose CRC-32 differs
    assert package[:end] == make_package()[:end]


def test_digests_of_every_entry_come_back(make_content):
    out = io.BytesIO()
    digests = write_package(out, make_content())
    assert digests == {name: DigestPair.of(data) for name, data in members(out.getvalue()).items()}


def test_mimetype_is_where_file_magic_looks(package):
    """ETSI EN 319 162-1 §A.1: name at offset 30, content at 38, nothing between."""
    assert package[30:38] == b"mimetype"
    assert package[38:69] == b"application/vnd.etsi.asic-e+zip"


def test_without_certificate_records_and_verify(make_package):
    opened = read_package(io.BytesIO(make_package(certificate=None, records=(), verify={})))
    assert opened.records == ()
    assert opened.verify_index().problems == ()


def test_national_parts_stay_out_of_meta_inf(make_package):
    opened = read_package(io.BytesIO(make_package(national={"timestamp.tsr": b"sm2", "record.ers": b"sm3"})))
    assert opened.names[11:13] == ("national/record.ers", "national/timestamp.tsr")
    assert {"national/record.ers", "national/timestamp.tsr"} <= {item.name for item in opened.index}


def test_several_groups(make_content):
    originals = {f"{number}.txt": str(number).encode() for number in range(250)}
    names = [file_name(number, "x.txt") for number in range(1, 251)]
    groups = [("statement.json", *names[:99]), tuple(names[99:199]), tuple(names[199:])]
    records = [PackageRecord(der=b"\x30\x00", objects=group) for group in groups]
    out = io.BytesIO()
    write_package(out, make_content(originals, records=records))
    opened = read_package(out)
    assert [tuple(o.name for o in part.manifest.objects) for part in opened.records] == groups
    assert opened.names[-3] == "META-INF/evidencerecord003.ers"
    assert opened.verify_index().problems == ()


@pytest.mark.parametrize(
    ("display", "expected"),
    [
        ("合同.PDF", "files/0001.pdf"),
        ("a.tar.gz", "files/0001.gz"),
        ("无扩展名", "files/0001"),
        ("x.文件", "files/0001"),
        ("x." + "a" * 17, "files/0001"),
        ("x.", "files/0001"),
        ("../../etc/passwd.sh/..", "files/0001"),
    ],
)
def test_package_names(display, expected):
    assert file_name(1, display) == expected


def test_package_name_beyond_9999():
    assert file_name(12_345, "a.b") == "files/12345.b"


def test_progress_and_cancel(make_content, package):
    seen: list[tuple[str, int, int]] = []
    write_package(io.BytesIO(), make_content(), Job(lambda *step: seen.append(step)))
    assert seen[-1] == ("package", 23, 23)
    seen.clear()
    read_package(io.BytesIO(package)).verify_index(Job(lambda *step: seen.append(step)))
    assert seen[-1][0] == "verify"
    assert seen[-1][1] == seen[-1][2]
    job = Job()
    job.cancel()
    with pytest.raises(CanceledError):
        write_package(io.BytesIO(), make_content(), job)
    with pytest.raises(CanceledError):
        read_package(io.BytesIO(package)).verify_index(job)


def test_original_of_another_length(make_content):
    entry = PackageEntry(name="files/0001", source=partial(io.BytesIO, b"12"), size=3)
    with pytest.raises(UnreadableError):
        write_package(io.BytesIO(), make_content(files=[entry], records=()))


@pytest.mark.parametrize(
    "changes",
    [
        {"files": ()},
        {"verify": {"../evil": b""}},
        {"verify": {"sub/file": b""}},
        {"national": {"文件": b""}},
        {"origin": "two words"},
        {"origin": "a\nb"},
        {"records": (PackageRecord(der=b"", objects=("statement.json",)),)},
        {"records": (PackageRecord(der=b"", objects=()),)},
        {"records": (PackageRecord(der=b"", objects=("statement.json", "proof.json")),)},
        {"files": (PackageEntry(name="files/0002", source=io.BytesIO, size=0),)},
        {"files": (PackageEntry(name="files/1", source=io.BytesIO, size=0),)},
    ],
)
def test_content_against_the_layout_is_our_bug(make_content, changes):
    with pytest.raises(BugError):
        write_package(io.BytesIO(), make_content(**changes))


def test_what_could_not_be_read_is_not_written(make_content):
    record = PackageRecord(der=bytes(MAX_RECORD_SIZE + 1), objects=("statement.json",))
    for changes in ({"statement": bytes(MAX_STATEMENT + 1)}, {"records": [record]}):
        with pytest.raises(UsageError) as caught:
            write_package(io.BytesIO(), make_content(**changes))
        assert caught.value.code == "package.part_too_large"
    files = [PackageEntry(name=file_name(n, ""), source=io.BytesIO, size=0) for n in range(1, 100_000)]
    with pytest.raises(UsageError) as caught:
        write_package(io.BytesIO(), make_content(files=files))
    assert caught.value.code == "package.too_many"


@pytest.mark.parametrize("name", ORDER)
def test_entry_left_out(package, name):
    parts = members(package)
    del parts[name]
    assert refusal(parts)[0] == "malformed.package"


@pytest.mark.parametrize(
    "name",
    ["evil.txt", "files/0004.txt", "META-INF/manifest.xml", "META-INF/signature001.p7s", "verify/zz", "national/x",
     "files/9999.txt", "META-INF/evidencerecord002.ers", "files/0000", "verify/.hidden"],
)  # fmt: skip
def test_entry_added(package, name):
    for position in range(len(ORDER) + 1):
        items = list(members(package).items())
        items.insert(position, (name, b"x"))
        assert refusal(dict(items))[0] == "malformed.package"


def test_order_is_fixed(package):
    items = list(members(package).items())
    for position in range(len(items) - 1):
        swapped = [*items[:position], items[position + 1], items[position], *items[position + 2 :]]
        assert refusal(dict(swapped)) == ("malformed.package", "layout")


def test_other_mimetype(package):
    parts = members(package)
    parts["mimetype"] = b"application/vnd.etsi.asic-s+zip"
    assert refusal(parts) == ("malformed.package", "mimetype")
    parts["mimetype"] += b"\n"
    assert refusal(parts)[0] == "malformed.too_large"


def test_index_that_names_other_entries(package):
    parts = members(package)
    index = json.loads(parts["index.json"])
    index["entries"][0]["name"] = "files/0009.pdf"
    parts["index.json"] = json.dumps(index, separators=(",", ":"), sort_keys=True).encode()
    assert refusal(parts) == ("malformed.package", "index")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("files/0001.pdf", {"package.entry.digest", "package.manifest.digest"}),
        ("statement.json", {"package.entry.digest", "package.manifest.digest"}),
        ("proof.json", {"package.entry.digest"}),
        ("certificate.pdf", {"package.entry.digest"}),
        ("verify/README.txt", {"package.entry.digest"}),
    ],
)
def test_replaced_content_is_reported(package, name, expected):
    parts = members(package)
    parts[name] = bytes([parts[name][0] ^ 1]) + parts[name][1:]
    assert problems(parts) == {(code, name) for code in expected}
    parts[name] += b"longer"
    assert ("package.entry.size", name) in problems(parts)


def test_rewritten_index_no_longer_fits_its_note(package):
    parts = members(package)
    old = DigestPair.of(parts["verify/README.txt"])
    parts["verify/README.txt"] = "换文".encode()
    new = DigestPair.of(parts["verify/README.txt"])
    parts["index.json"] = (
        parts["index.json"]
        .replace(old.sha256.hex().encode(), new.sha256.hex().encode())
        .replace(old.sm3.hex().encode(), new.sm3.hex().encode())
    )
    assert problems(parts) == {("package.index.digest", "index.json")}


def test_rewritten_note_is_caught_by_its_signature(package, keys):
    parts = members(package)
    parts["index.note"] = parts["index.note"].replace(b"\nsha256 ", b"\nsha256 ", 1)
    body = parts["index.note"].partition(b"\n\n")[0]
    digit = body[-1:]
    parts["index.note"] = parts["index.note"].replace(body, body[:-1] + (b"0" if digit != b"0" else b"1"))
    opened = read_package(rewrap(parts))
    assert {item.code for item in opened.verify_index().problems} == {"package.index.digest"}
    assert check_note(opened.note, keys).ed25519 is False
    assert check_note(opened.note, keys).sm2 is False


def test_flipped_byte_of_an_original_is_reported_not_raised(package):
    position = package.index(b"%PDF-1.7 contract")
    flipped = bytearray(package)
    flipped[position] ^= 1
    report = read_package(io.BytesIO(bytes(flipped))).verify_index()
    assert {(item.code, item.name) for item in report.problems} == {
        ("package.entry.crc", "files/0001.pdf"),
        ("package.entry.digest", "files/0001.pdf"),
        ("package.manifest.digest", "files/0001.pdf"),
    }
    assert report.entries["files/0001.pdf"].digests == DigestPair.of(b"\x24PDF-1.7 contract")


def noticed(data: bytes) -> bool:
    try:
        return bool(read_package(io.BytesIO(data)).verify_index().problems)
    except MalformedError:
        return True


def test_sampled_flips_are_all_noticed(package):
    for position in random.Random(20_240_607).sample(range(len(package)), 400):
        flipped = bytearray(package)
        flipped[position] ^= 0x01
        assert noticed(bytes(flipped)), position


@pytest.mark.full
def test_every_flip_is_noticed(package):
    for position in range(len(package)):
        for mask in (0x01, 0x20, 0x80):
            flipped = bytearray(package)
            flipped[position] ^= mask
            assert noticed(bytes(flipped)), position


@given(st.binary(max_size=600))
def test_noise_is_no_package(noise):
    with pytest.raises(MalformedError):
        read_package(io.BytesIO(noise))


def test_manifest_over_other_objects(make_package):
    parts = members(make_package())
    name = "META-INF/ASiCEvidenceRecordManifest001.xml"
    parts[name] = parts[name].replace(b"files/0003", b"files/0004")
    assert refusal(parts) == ("malformed.package", "coverage")


def test_every_code_has_a_sentence():
    for code in ("malformed.package", "malformed.index", "package.source_changed", "package.too_many",
                 "package.part_too_large", "bug.package"):  # fmt: skip
        for language in texts.Language:
            assert texts.has(code, language)
            assert texts.has(f"{code}.advice", language)
    error = MalformedError("malformed.package", reason="crc", name="files/0001")
    assert "files/0001" in texts.error_sentences(error, texts.Language.ZH)[0]
