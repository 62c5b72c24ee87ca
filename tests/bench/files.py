"""Hashing and sealing of files."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from evidence_desk.bootstrap.opening import init_session
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.services.seal import SealRequest, seal
from evidence_desk.services.timestamp import timestamp
from evidence_desk.settings import AuthorityKind, AuthoritySetting
from evidence_desk.vault.hashing import hash_stream
from tests.bench.report import Figure, paired, percentile, seconds
from tests.bench.servers import demo_authority

PASSPHRASE = "bench"


def demo_session(folder: Path) -> Session:
    """An open demo vault."""
    return init_session(folder, PASSPHRASE, office="bench", demo=True)[0]


def hashing(folder: Path, small: bool) -> Iterator[Figure]:
    """A large file: both digests, then sealing it, against ``openssl dgst -sm3`` of the same file (page cache warm)."""
    size = (256 << 20) if small else (4 << 30)
    path = folder / "large.bin"
    block = os.urandom(8 << 20)
    with path.open("wb") as stream:
        for _ in range(size // len(block)):
            stream.write(block)
        os.fsync(stream.fileno())  # else its write-back is counted as part of sealing

    def ours() -> None:
        with path.open("rb", buffering=0) as stream:
            hash_stream(stream, job=Job(), size=size)

    def peer() -> None:
        subprocess.run(["openssl", "dgst", "-sm3", path], check=True, capture_output=True)

    peer()
    ratio, mine, theirs = paired(ours, peer, 3)
    yield Figure(f"hash {size >> 20} MiB, SHA-256 and SM3", ratio, "×", 1.1,
                 f"hash_stream {mine:.2f} s / openssl dgst -sm3 {theirs:.2f} s, 3 pairs")  # fmt: skip
    took, memory = _seal_alone(path, folder / "vault-large")
    yield Figure("seal it (hash, encrypt, re-hash)", took / theirs, "×", 3.0, f"{took:.2f} s, own process")
    yield Figure("peak memory of that process", memory, "MB", 120, "ru_maxrss, libraries included")


def _seal_alone(path: Path, vault: Path) -> tuple[float, float]:
    """Seconds of sealing and peak memory (MB) in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.files", str(path), str(vault)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    took, memory = done.stdout.split()
    return float(took), float(memory)


def many(folder: Path, small: bool) -> Iterator[Figure]:
    """10,000 files of 4 KiB, each an exhibit, one token for all."""
    count = 500 if small else 10_000
    source = folder / "files"
    source.mkdir()
    paths = [source / f"{number:05d}.bin" for number in range(count)]
    for path in paths:
        path.write_bytes(os.urandom(4096))
    session = demo_session(folder / "vault")

    def work() -> None:
        seal(session.desk, paths, SealRequest(case_number="bench"), job=Job())
        timestamp(session.desk, session.authorities, job=Job())

    yield Figure(f"seal {count:,} files of 4 KiB with one token", seconds(work), "s", 15,
                 "each file an exhibit; durable; embedded authority")  # fmt: skip
    session.close()


def single(folder: Path, small: bool) -> Iterator[Figure]:
    """One small file at a time, sealed and timestamped by an authority over HTTP on loopback."""
    runs = 20 if small else 200
    session = demo_session(folder / "vault")
    path = folder / "one.bin"
    with demo_authority(folder / "authority") as (url, roots):
        session.set_authorities((
            AuthoritySetting(name="http", kind=AuthorityKind.HTTP, url=url, roots=roots, crl_urls=(f"{url}crl.der",)),
        ))  # fmt: skip
        times: list[float] = []
        for _ in range(runs):
            path.write_bytes(os.urandom(4096))
            start = time.perf_counter()
            seal(session.desk, [path], SealRequest(case_number="bench"), job=Job())
            timestamp(session.desk, session.authorities, job=Job())
            times.append((time.perf_counter() - start) * 1000)
    yield Figure("single seal with token, p50", percentile(times, 0.5), "ms", 60,
                 f"{runs} runs, open vault, HTTP authority; p99 {percentile(times, 0.99):.0f} ms")  # fmt: skip
    session.close()


if __name__ == "__main__":
    with contextlib.closing(demo_session(Path(sys.argv[2]))) as opened:
        large = Path(sys.argv[1])
        request = SealRequest(case_number="bench")
        elapsed = seconds(lambda: seal(opened.desk, [large], request, job=Job()))
    print(elapsed, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
