from __future__ import annotations

import io
import random
import threading
from typing import Any, BinaryIO, cast

import pyrage
import pytest

from evidence_desk.core.digests import DigestPair
from evidence_desk.core.job import Job
from evidence_desk.core.rows import StoredObject
from evidence_desk.errors import (
    CanceledError,
    ConfigurationError,
    HostError,
    IntegrityError,
    NotFoundError,
    UnreadableError,
)
from evidence_desk.vault.hashing import BUFFER_SIZE
from evidence_desk.vault.store import Vault
from tests.unit.vault.rows import CASE, PASSPHRASE, put, seal

SIZES = [0, 1, 4096, BUFFER_SIZE - 1, BUFFER_SIZE, BUFFER_SIZE + 1, 5 * BUFFER_SIZE + 3]
LARGE = 3 * BUFFER_SIZE + 17


def content(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def files(vault: Vault) -> list[str]:
    return sorted(path.name for path in (vault.folder / "objects").iterdir())


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate()} & {"hash", "decrypt", "fsync"}


@pytest.mark.parametrize("size", SIZES)
def test_what_went_in_comes_out(vault, size):
    data = content(size)
    stored = put(vault, data)
    assert (stored.size, stored.digests) == (size, DigestPair.of(data))
    assert files(vault) == [stored.name]
    with vault.objects.open(stored, case_number=CASE) as stream:
        assert stream.read() == data
    assert vault.objects.check(stored, case_number=CASE, job=Job())
    assert not threads()


def test_names_differ_by_case_and_tell_no_digest(vault):
    one, two = put(vault, b"same", "案一"), put(vault, b"same", "案二")
    assert one.digests == two.digests
    assert one.name != two.name
    assert one.digests.sha256.hex() not in {one.name, two.name}


@pytest.mark.parametrize("size", [100, LARGE])
def test_the_same_bytes_are_stored_once(vault, size):
    first = put(vault, content(size))
    path = vault.folder / "objects" / first.name
    before = path.stat().st_ino, path.read_bytes()
    assert put(vault, content(size)) == first
    assert (path.stat().st_ino, path.read_bytes()) == before
    assert files(vault) == [first.name]


@pytest.mark.parametrize("size", [100, LARGE])
def test_a_damaged_copy_is_replaced_by_a_sound_one(vault, size):
    stored = put(vault, content(size))
    path = vault.folder / "objects" / stored.name
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    assert not vault.objects.check(stored, case_number=CASE, job=Job())
    assert put(vault, content(size)) == stored
    assert vault.objects.check(stored, case_number=CASE, job=Job())


@pytest.mark.parametrize("size", [100, LARGE])
@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "longer", "gone", "other"])
def test_damage_is_seen_by_check_and_open(vault, size, damage):
    stored = put(vault, content(size))
    path = vault.folder / "objects" / stored.name
    data = path.read_bytes()
    match damage:
        case "flip":
            path.write_bytes(data[:-20] + bytes([data[-20] ^ 1]) + data[-19:])
        case "cut":
            path.write_bytes(data[: len(data) // 2])
        case "empty":
            path.write_bytes(b"")
        case "longer":
            path.write_bytes(data + b"x")
        case "gone":
            path.unlink()
        case "other":
            path.write_bytes((vault.folder / "objects" / put(vault, b"other", "案二").name).read_bytes())
    assert not vault.objects.check(stored, case_number=CASE, job=Job())
    with (
        pytest.raises(IntegrityError, match=r"vault\.object_(damaged|missing)"),
        vault.objects.open(stored, case_number=CASE) as stream,
    ):
        stream.read()
    assert not threads()


def test_another_originals_bytes_under_this_name_are_noticed(vault):
    one, two = put(vault, b"contract"), put(vault, b"forgery!")
    folder = vault.folder / "objects"
    (folder / one.name).write_bytes((folder / two.name).read_bytes())
    assert not vault.objects.check(one, case_number=CASE, job=Job())


def test_a_stream_closed_early_ends_its_thread(vault):
    stored = put(vault, content(30 * BUFFER_SIZE))
    for size in (0, 1, BUFFER_SIZE + 5):
        stream = vault.objects.open(stored, case_number=CASE)
        assert stream.read(size) == content(30 * BUFFER_SIZE)[:size]
        stream.close()
        stream.close()
    assert not threads()


def test_a_stream_is_read_in_any_pieces(vault):
    data = content(LARGE)
    stored = put(vault, data)
    with vault.objects.open(stored, case_number=CASE) as stream:
        got = bytearray()
        source = random.Random(7)
        while piece := stream.read(source.randint(1, 700_000)):
            got += piece
    assert got == data


class Breaks(io.RawIOBase):
    def __init__(self, good: int) -> None:
        self._good = good

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        if self._good <= 0:
            raise OSError(5, "Input/output error")
        count = min(len(target), self._good)
        target[:count] = bytes(count)
        self._good -= count
        return count


@pytest.mark.parametrize("good", [0, 100, BUFFER_SIZE + 1, LARGE])
def test_a_failing_source_leaves_nothing(vault, good):
    with pytest.raises(UnreadableError, match=r"vault\.source_unreadable"):
        vault.objects.put(cast("BinaryIO", Breaks(good)), case_number=CASE, size=0, job=Job())
    assert files(vault) == []
    assert not threads()


@pytest.mark.parametrize("stage", ["encrypt", "verify"])
@pytest.mark.parametrize("size", [100, LARGE])
def test_cancel_leaves_nothing(vault, stage, size):
    job = Job()
    job._report = lambda at, _done, _total: job.cancel() if at == stage else None
    data = io.BytesIO(content(size))
    try:
        vault.objects.put(data, case_number=CASE, size=size, job=job)
        if size > BUFFER_SIZE:
            pytest.fail("not canceled")
    except CanceledError:
        assert files(vault) == []
    assert not threads()


@pytest.mark.parametrize("size", [100, LARGE])
def test_what_the_disk_returns_is_compared(vault, size, monkeypatch):
    """The file is exchanged between writing and re-reading, as a bad disk would."""
    real = pyrage.decrypt_io

    def worse(cipher, plain, identities):
        sink = io.BytesIO()
        real(cipher, sink, identities)
        plain.write(sink.getvalue()[:-1] + b"\0\0"[: 1 if sink.getvalue()[-1] else 2])

    monkeypatch.setattr(pyrage, "decrypt_io", worse)
    with pytest.raises(IntegrityError, match=r"vault\.object_damaged"):
        put(vault, content(size))
    assert files(vault) == []


def test_batch_keeps_all_or_what_rows_refer_to(vault):
    kept = seal(vault, b"sealed before").objects[0].stored
    with vault.objects.batch():
        names = {put(vault, b"%d" % n).name for n in range(60)} | {put(vault, content(LARGE)).name}
        assert put(vault, b"sealed before") == kept
    assert set(files(vault)) == names | {kept.name}

    def half() -> None:
        with vault.objects.batch(), vault.objects.batch():
            put(vault, b"new")
            put(vault, b"sealed before")
            raise HostError("host.io", what="test", reason="test")

    with pytest.raises(HostError):
        half()
    assert set(files(vault)) == names | {kept.name}
    assert put(vault, b"after").name in files(vault)


def test_opening_for_writing_sweeps_what_no_row_refers_to(vault, clock):
    kept = seal(vault, b"sealed").objects[0].stored
    put(vault, b"never acknowledged")
    folder = vault.folder / "objects"
    (folder / "tmp-0123").write_bytes(b"half")
    (folder / "read me.txt").write_bytes(b"not ours")
    vault.close()
    Vault.open(vault.folder, PASSPHRASE, clock=clock, read_only=True).close()
    assert len(files(vault)) == 4
    with Vault.open(vault.folder, PASSPHRASE, clock=clock) as again:
        assert files(again) == sorted([kept.name, "read me.txt"])
        assert again.objects.check(kept, case_number=CASE, job=Job())


def test_a_reading_vault_stores_nothing(vault, clock):
    with (
        Vault.open(vault.folder, PASSPHRASE, clock=clock, read_only=True) as reader,
        pytest.raises(ConfigurationError, match=r"vault\.read_only"),
    ):
        put(reader, b"x")


def test_erasing_a_case_makes_its_originals_undecryptable(vault, clock):
    gone, kept = seal(vault, b"secret of one"), seal(vault, b"secret of two", case="案二")
    stored = gone.objects[0].stored
    cipher = (vault.folder / "objects" / stored.name).read_bytes()
    vault.erase_case(CASE)
    assert vault.is_erased(CASE)
    assert stored.name not in files(vault)
    (vault.folder / "objects" / stored.name).write_bytes(cipher)  # somebody kept a copy
    vault.close()
    with Vault.open(vault.folder, PASSPHRASE, clock=clock) as again:
        for action in (again.objects.open, lambda *a, **k: again.objects.check(*a, job=Job(), **k)):
            with pytest.raises(NotFoundError, match=r"vault\.case_erased"):
                action(stored, case_number=CASE)
        with pytest.raises(NotFoundError, match=r"vault\.case_erased"):
            put(again, b"more")
        with pytest.raises(NotFoundError, match=r"vault\.case_erased"):
            again.case_identity(CASE)
        with pytest.raises(pyrage.DecryptError):
            pyrage.decrypt_io(io.BytesIO(cipher), io.BytesIO(), [again.keybag.keys("案二").age_identity()])
        other = kept.objects[0].stored
        assert again.objects.open(other, case_number="案二").read() == b"secret of two"
        assert again.exhibits.exhibit(gone.leaf_hash) is not None
        assert again.log.size() == 2


def test_an_erasure_cut_short_is_finished_at_the_next_opening(vault, clock):
    gone, kept = seal(vault, b"one"), seal(vault, b"two", case="案二")
    vault.keybag.erase(CASE)  # and then the power went
    vault.close()
    with Vault.open(vault.folder, PASSPHRASE, clock=clock, read_only=True) as reader:
        assert gone.objects[0].stored.name in files(reader)
    with Vault.open(vault.folder, PASSPHRASE, clock=clock) as again:
        assert files(again) == [kept.objects[0].stored.name]
        assert again.exhibits.unerased_cases() == {"案二"}


def test_another_threads_originals_are_not_part_of_a_batch(vault):
    kept: list[StoredObject] = []

    def fail() -> None:
        with vault.objects.batch():
            put(vault, b"mine")
            other = threading.Thread(target=lambda: kept.append(put(vault, b"theirs")))
            other.start()
            other.join()
            raise HostError("host.io", what="test", reason="test")

    with pytest.raises(HostError):
        fail()
    assert files(vault) == [kept[0].name]


def test_a_name_that_is_a_path_is_refused(vault):
    put(vault, b"x")
    bad = StoredObject(name="../vault.toml", size=1, digests=DigestPair.of(b"x"))
    with pytest.raises(NotFoundError, match=r"vault\.object_name"):
        vault.objects.open(bad, case_number=CASE)


def test_files_are_private(vault):
    seal(vault, b"x")
    for path in [vault.folder, *vault.folder.rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path


def test_two_threads_may_put_at_once(vault):
    data = [content(LARGE, seed) for seed in range(3)] * 2
    results: dict[int, StoredObject] = {}

    def run(at):
        results[at] = put(vault, data[at])

    workers = [threading.Thread(target=run, args=(at,)) for at in range(len(data))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [results[at].digests for at in range(len(data))] == [DigestPair.of(item) for item in data]
    assert set(files(vault)) == {result.name for result in results.values()}
    assert len(files(vault)) == 3
