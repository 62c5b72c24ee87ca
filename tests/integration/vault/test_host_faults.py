"""Full disk, size limit, read-only disk: our errors, and a vault that is unharmed afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence_desk.core.job import Job
from evidence_desk.errors import ConfigurationError, HostError
from evidence_desk.vault.backup import backup
from evidence_desk.vault.store import Vault
from tests.unit.vault.rows import CASE, CHEAP, ORIGIN, PASSPHRASE, add_leaves, put, seal

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="mounts of Linux")


def mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"no right to mount: {done.stderr.decode(errors='replace').strip()}")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount("-t", "tmpfs", "-o", "size=6m", "tmpfs", str(disk))
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk: Path, leave: int = 0) -> Path:
    """A file that takes all but `leave` bytes."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as stream:
        try:
            while True:
                stream.write(bytes(4096))
        except OSError:
            pass
        stream.truncate(max(0, stream.tell() - leave))
    return ballast


@pytest.mark.parametrize("size", [100_000, 3_000_000])
def test_a_full_disk_while_an_original_is_stored(small_disk, clock, size):
    vault, _ = Vault.create(small_disk / "v", PASSPHRASE, clock=clock, origin=ORIGIN, kdf=CHEAP)
    with vault:
        row = seal(vault, b"sealed before")
        ballast = fill(small_disk, leave=64 * 1024)
        with pytest.raises(HostError, match=r"host\.disk_full"):
            put(vault, os.urandom(size))
        assert [path.name for path in (vault.folder / "objects").iterdir()] == [row.objects[0].stored.name]
        ballast.unlink()
        put(vault, os.urandom(size))
    with Vault.open(small_disk / "v", PASSPHRASE, clock=clock) as again:
        assert again.objects.check(row.objects[0].stored, case_number=CASE, job=Job())


def test_a_full_disk_while_rows_are_written(small_disk, clock):
    vault, _ = Vault.create(small_disk / "v", PASSPHRASE, clock=clock, origin=ORIGIN, kdf=CHEAP)
    with vault:
        row = seal(vault, b"sealed before")
        ballast = fill(small_disk)
        with pytest.raises(HostError, match=r"host\.disk_full"), vault.transaction():
            add_leaves(vault, *(os.urandom(3000) for _ in range(250)))
        assert vault.log.size() == 1
        with pytest.raises(HostError, match=r"host\.disk_full"):
            vault.set_secret("a", os.urandom(20_000))
        with pytest.raises(HostError, match=r"host\.disk_full"):
            vault.envelope_key("新案件" * 2000)
        ballast.unlink()
        assert vault.secret("a") is None
        with vault.transaction():
            add_leaves(vault, b"after")
        assert vault.objects.check(row.objects[0].stored, case_number=CASE, job=Job())
        vault.check_database()
    with Vault.open(small_disk / "v", PASSPHRASE, clock=clock) as again:
        assert again.log.size() == 2


def test_a_full_disk_for_a_new_vault_or_a_backup(small_disk, clock, vault):
    seal(vault, os.urandom(500_000))
    target = small_disk / "copy.edbackup"
    backup(vault, target)
    before = target.read_bytes()
    seal(vault, os.urandom(500_000))
    fill(small_disk)
    with pytest.raises(HostError, match=r"host\.disk_full"):
        backup(vault, target)
    assert target.read_bytes() == before
    with pytest.raises(HostError, match=r"host\.disk_full"):
        Vault.create(small_disk / "v", PASSPHRASE, clock=clock, origin=ORIGIN, kdf=CHEAP)
    assert sorted(path.name for path in small_disk.iterdir()) == ["ballast", "copy.edbackup"]
    assert not [path for path in vault.folder.iterdir() if path.name.startswith("tmp-")]


LIMITED = """
import resource, signal, sys
from pathlib import Path
from evidence_desk.errors import HostError
from evidence_desk.vault.store import Vault
from tests.unit.vault.rows import PASSPHRASE, StandingClock, put
vault = Vault.open(Path(sys.argv[1]), PASSPHRASE, clock=StandingClock())
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
try:
    put(vault, bytes(int(sys.argv[2])))
except HostError as error:
    print(error.code)
"""


@pytest.mark.parametrize("size", [1_040_000, 5_000_000])
def test_a_file_system_that_takes_no_large_files(vault, size):
    vault.close()
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(vault.folder), str(size)],
        capture_output=True,
        check=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert done.stdout == b"host.file_too_large\n"
    assert list((vault.folder / "objects").iterdir()) == []


def test_a_read_only_disk_can_be_read_only(vault, clock, tmp_path):
    row = seal(vault, b"x")
    vault.close()
    mount("--bind", str(vault.folder), str(vault.folder))
    try:
        mount("-o", "remount,bind,ro", str(vault.folder))
        with pytest.raises(HostError, match=r"host\.read_only"):
            Vault.open(vault.folder, PASSPHRASE, clock=clock)
        with Vault.open(vault.folder, PASSPHRASE, clock=clock, read_only=True) as reader:
            assert reader.exhibits.exhibit(row.leaf_hash) is not None
            assert reader.objects.open(row.objects[0].stored, case_number=CASE).read() == b"x"
            with pytest.raises(ConfigurationError, match=r"vault\.read_only"):
                put(reader, b"y")
            backup(reader, tmp_path / "copy.edbackup")
        with pytest.raises(HostError, match=r"host\.read_only"):
            Vault.create(vault.folder / "new", PASSPHRASE, clock=clock, origin=ORIGIN, kdf=CHEAP)
    finally:
        subprocess.run(["umount", "-l", str(vault.folder)], check=True)
    with Vault.open(vault.folder, PASSPHRASE, clock=clock) as again:
        assert again.log.size() == 1
