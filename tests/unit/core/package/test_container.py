"""The canonical ZIP against other readers, forged containers and every flipped byte."""

import io
import shutil
import struct
import subprocess
import zipfile
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evidence_desk.core.digests import DigestPair
from evidence_desk.core.package.names import check_distinct, check_name
from evidence_desk.core.package.zip_format import M32, Member, central_header, local_header, tail
from evidence_desk.core.package.zip_reader import ZipReader
from evidence_desk.core.package.zip_writer import ZipWriter
from evidence_desk.errors import BugError, EvidenceDeskError, MalformedError, UnreadableError


def container(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    writer = ZipWriter(out)
    for name, data in members.items():
        assert writer.add(name, io.BytesIO(data), len(data)) == DigestPair.of(data)
    assert writer.finish() == len(out.getvalue())
    return out.getvalue()


def forge(members: list[tuple[str, bytes]]) -> bytes:
    """A container that is canonical but for names that the writer would refuse."""
    body, central = b"", b""
    for name, data in members:
        member = Member(name=name, size=len(data), crc=zlib.crc32(data), offset=len(body))
        body += local_header(member) + data
        central += central_header(member)
    return body + central + tail(count=len(members), size=len(central), offset=len(body))


def reason(data: bytes) -> str | int:
    with pytest.raises(MalformedError) as caught:
        ZipReader(io.BytesIO(data))
    assert caught.value.code == "malformed.package"
    return caught.value.parameters["reason"]


SMALL = {"mimetype": b"x", "files/0001.txt": b"hello" * 10, "文件.txt": b"", "a/b/c": bytes(300)}
names = st.text(st.sampled_from("abcXYZ019._-证據🗂 "), min_size=1, max_size=20)


def acceptable(name: str) -> bool:
    try:
        check_name(name)
    except MalformedError:
        return False
    return True


@given(st.dictionaries(names.filter(acceptable), st.binary(max_size=200), max_size=6))
def test_round_trip(members):
    try:
        check_distinct(members)
    except MalformedError:
        return
    data = container(members)
    reader = ZipReader(io.BytesIO(data))
    assert {name: reader.read(name, 200) for name in reader.names} == members
    assert tuple(members) == reader.names
    with zipfile.ZipFile(io.BytesIO(data)) as other:
        assert {name: other.read(name) for name in other.namelist()} == members


def test_unzip_reads_it(tmp_path):
    if not shutil.which("unzip"):
        pytest.skip("unzip is not installed")
    (tmp_path / "a.zip").write_bytes(container(SMALL))
    done = subprocess.run(["unzip", "-t", "a.zip"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No errors detected" in done.stdout


def test_every_flipped_bit_is_noticed():
    data = container(SMALL)
    for position in range(len(data)):
        for bit in range(8):
            flipped = bytearray(data)
            flipped[position] ^= 1 << bit
            with pytest.raises(MalformedError):
                read_all(bytes(flipped))


def read_all(data: bytes) -> None:
    reader = ZipReader(io.BytesIO(data))
    for name in reader.names:
        reader.read(name, 10_000)


@pytest.mark.parametrize("size", [0, 1, 21, 22, 23, 100, -1, -22, -50])
def test_truncated(size):
    with pytest.raises(MalformedError):
        read_all(container(SMALL)[:size])


@pytest.mark.parametrize(
    ("prefix", "suffix"), [(b"#!", b""), (b"", b"\0"), (b"", b"PK\5\6" + bytes(18)), (b"\0", b"\0")]
)
def test_bytes_around_the_container(prefix, suffix):
    reason(prefix + container(SMALL) + suffix)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_mutations_never_crash_and_never_pass(data):
    original = container(SMALL)
    start = data.draw(st.integers(0, len(original)))
    stop = data.draw(st.integers(start, min(len(original), start + 40)))
    changed = original[:start] + data.draw(st.binary(max_size=40)) + original[stop:]
    if changed == original:
        return
    with pytest.raises(MalformedError):
        read_all(changed)


@given(st.binary(max_size=400))
def test_noise_is_refused(noise):
    reason(noise)
    reason(noise + tail(count=0, size=0, offset=len(noise) + 1))


BAD_NAMES = [
    "", "/etc/passwd", "../a", "a/../b", "a/./b", "a//b", "a/", "a\\b", "C:/a", "a:b", "a\0b", "a\nb", "a\x7f", "a\x85",
    "con", "a/NUL.txt", "com1", "a.", "a ", " a", "a\u202egpj", "a\u200b", "e\u0301", "x" * 256, "a*", 'a"', "a|b", "\ue000",
]  # fmt: skip


@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_no_package_may_hold(name):
    assert reason(forge([(name, b"")])) == "name"
    with pytest.raises(BugError):
        ZipWriter(io.BytesIO()).add(name, io.BytesIO(), 0)


def test_lone_surrogate_is_no_name():
    with pytest.raises(MalformedError):
        check_name("a\ud800")


def test_name_that_is_not_utf8():
    data = forge([("\xe9", b"")]).replace("\xe9".encode(), b"\xff\xfe")
    assert reason(data) == "name"


@pytest.mark.parametrize(
    "pair",
    [("a", "a"), ("A.txt", "a.TXT"), ("ﬁ", "fi"), ("straße", "STRASSE"), ("a", "a/b"), ("x/Y", "X/y/z")],
)
def test_two_names_for_one_file(pair):
    assert reason(forge([(name, b"") for name in pair])) == "duplicate"
    out = io.BytesIO()
    writer = ZipWriter(out)
    for name in pair:
        writer.add(name, io.BytesIO(), 0)
    with pytest.raises(BugError):
        writer.finish()


def test_compressed_bomb_is_refused():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("bomb", bytes(10_000_000))
    assert reason(out.getvalue()) == "directory"


def test_what_another_program_stores_is_refused():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as other:
        other.writestr("mimetype", b"x")
    reason(out.getvalue())


def test_overlapping_entries():
    member = Member(name="a", size=4, crc=zlib.crc32(b"data"), offset=0)
    body = local_header(member) + b"data"
    twin = Member(name="b", size=4, crc=member.crc, offset=0)
    central = central_header(member) + central_header(twin)
    assert reason(body + central + tail(count=2, size=len(central), offset=len(body))) == "gap_or_overlap"


def test_a_quine_is_only_bytes():
    inner = container({"a": b"1"})
    outer = container({"inner.zip": inner})
    assert ZipReader(io.BytesIO(outer)).read("inner.zip", 1000) == inner


def test_entry_reaching_into_the_directory():
    member = Member(name="a", size=1000, crc=0, offset=0)
    central = central_header(member)
    body = local_header(member)
    assert reason(body + central + tail(count=1, size=len(central), offset=len(body))) == "gap_or_overlap"


def test_gap_before_the_directory():
    data = forge([("a", b"")])
    member = Member(name="a", size=0, crc=0, offset=0)
    central = central_header(member)
    body = local_header(member) + b"\0\0"
    assert reason(body + central + tail(count=1, size=len(central), offset=len(body))) == "gap_or_overlap"
    assert len(ZipReader(io.BytesIO(data)).names) == 1


def test_announced_counts_are_bounded():
    assert reason(tail(count=200_000, size=0, offset=0)) == "too_many"
    assert reason(tail(count=1, size=10_000, offset=0)) == "too_many"
    assert reason(tail(count=0, size=0, offset=2**60)) == "end_record"
    assert reason(struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0, 0, 0)) == "truncated"


def test_directory_that_is_longer_or_shorter_than_said():
    member = Member(name="a", size=0, crc=0, offset=0)
    central, body = central_header(member), local_header(member)
    for wrong in (central + b"\0", central[:-1], central[:20], b"PK\1\1" + central[4:]):
        assert reason(body + wrong + tail(count=1, size=len(wrong), offset=len(body))) == "directory"


def test_zip64_fields_only_where_needed():
    """A size that fits, written as ZIP64, is another form of the same entry: refused."""
    member = Member(name="a", size=0, crc=0, offset=0)
    central = bytearray(central_header(member))
    central[24:28] = b"\xff" * 4
    central[30:32] = (20).to_bytes(2, "little")
    central += struct.pack("<HHQQ", 1, 16, 0, 0)
    body = local_header(member)
    assert reason(body + bytes(central) + tail(count=1, size=len(central), offset=len(body))) == "directory"


def test_headers_of_large_entries():
    large = Member(name="a", size=M32, crc=1, offset=0)
    assert local_header(large)[-20:] == struct.pack("<HHQQ", 1, 16, M32, M32)
    assert large.version == 45
    far = Member(name="a", size=1, crc=1, offset=M32 + 7)
    assert central_header(far)[-12:] == struct.pack("<HHQ", 1, 8, M32 + 7)
    both = Member(name="a", size=M32 + 1, crc=1, offset=M32)
    assert central_header(both)[-28:] == struct.pack("<HHQQQ", 1, 24, M32 + 1, M32 + 1, M32)


def test_70000_entries():
    """More than 65,535 entries need the ZIP64 end record."""
    data = container({f"files/{number:05d}": b"" for number in range(70_000)})
    assert len(ZipReader(io.BytesIO(data)).names) == 70_000
    with zipfile.ZipFile(io.BytesIO(data)) as other:
        assert len(other.namelist()) == 70_000
    for position in range(len(data) - 98, len(data)):
        flipped = bytearray(data)
        flipped[position] ^= 0x10
        reason(bytes(flipped))


class Sparse(io.RawIOBase):
    """A long source of zeros with an end of its own."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        count = min(len(buffer), self.left)
        buffer[:count] = bytes(count)
        self.left -= count
        return count


@pytest.mark.full
def test_entry_beyond_4_gib(tmp_path):
    size = 2**32 + 5
    with (tmp_path / "large.zip").open("w+b") as out:
        writer = ZipWriter(out)
        writer.add("large", io.BufferedReader(Sparse(size), 1 << 20), size)
        writer.add("after", io.BytesIO(b"end"), 3)
        writer.finish()
        reader = ZipReader(out)
        assert reader.member("large").size == size
        assert reader.read("after", 3) == b"end"
        with reader.open("large") as stream:
            total = 0
            while chunk := stream.read(1 << 20):
                total += len(chunk)
        assert total == size
        with zipfile.ZipFile(out) as other:
            assert other.getinfo("large").file_size == size
            assert other.read("after") == b"end"
    if shutil.which("unzip"):
        done = subprocess.run(["unzip", "-t", "large.zip"], cwd=tmp_path, capture_output=True, check=False)
        assert done.returncode == 0


@pytest.mark.parametrize("announced", [0, 4, 6, 5_000_000])
def test_source_of_another_length(announced):
    with pytest.raises(UnreadableError, match="source_changed"):
        ZipWriter(io.BytesIO()).add("a", io.BytesIO(b"12345"), announced)


def test_limits_of_the_writer():
    with pytest.raises(BugError):
        ZipWriter(io.BytesIO()).add("a", io.BytesIO(), -1)
    with pytest.raises(BugError):
        ZipWriter(io.BytesIO()).add("a", io.BytesIO(), 2**53)


def test_container_may_begin_inside_an_output():
    out = io.BytesIO(b"before")
    out.seek(0, io.SEEK_END)
    writer = ZipWriter(out)
    writer.add("a", io.BytesIO(b"1"), 1)
    writer.finish()
    assert out.getvalue() == b"before" + container({"a": b"1"})


def test_reading_is_bounded_and_checked():
    data = container({"a": b"12345"})
    reader = ZipReader(io.BytesIO(data))
    with pytest.raises(MalformedError, match="too_large"):
        reader.read("a", 4)
    with pytest.raises(MalformedError, match="missing"):
        reader.open("b")
    wrong = ZipReader(io.BytesIO(data.replace(b"12345", b"12344")))
    with pytest.raises(MalformedError, match="crc"):
        wrong.read("a", 5)


def test_a_source_that_shrinks_while_read():
    source = io.BytesIO(container({"a": b"12345"}))
    reader = ZipReader(source)
    source.truncate(33)
    with pytest.raises(EvidenceDeskError, match="truncated"):
        reader.read("a", 5)


def test_a_source_that_ends_within_a_header():
    """The size found by seeking is a promise that a broken stream may not keep."""

    class Liar(io.BytesIO):
        def seek(self, offset: int, whence: int = 0) -> int:
            return super().seek(offset, whence) + (100 if whence else 0)

    with pytest.raises(MalformedError, match="truncated"):
        ZipReader(Liar(container({"a": b""})))


def test_two_streams_do_not_disturb_each_other():
    reader = ZipReader(io.BytesIO(container({"a": b"a" * 200_000, "b": b"b" * 200_000})))
    with reader.open("a") as first, reader.open("b") as second:
        mixed = [first.read(70_000) + second.read(70_000) for _ in range(3)]
    assert b"".join(mixed).count(b"a") == 200_000
