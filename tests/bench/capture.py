"""Web captures by the real browser: what recording costs a page, how long until it is sealed, memory, decoding, fidelity.

The peer of a page's load is the same engine in a bare window (`capture_bare`). Sites are a process of their own.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Final

from fastwarc.warc import ArchiveIterator, WarcRecordType

from evidence_desk.bootstrap.capturing import capture_tools
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.capture.plan import CapturePlan
from evidence_desk.core.job import Job
from evidence_desk.services.capture import CaptureOutcome, CaptureTools, capture
from evidence_desk.services.seal import SealRequest
from evidence_desk.texts import Language
from evidence_desk.wacz.build import BUILT, build
from tests.bench.capture_sites import NEW, OLD
from tests.bench.files import demo_session
from tests.bench.report import Figure, seconds
from tests.sites.clients import Http1Client, Http2Client, dial, trusting
from tests.sites.recording import Tape, TownResolver
from tests.sites.town import MODERN, SITE, Town

MB: Final = 1_000_000
PAGES: Final = {"/": "a page of text and pictures", "/bulk.html": "a page of 300 resources"}
PROTOCOLS: Final = {OLD: "HTTP/1.1", NEW: "HTTP/2"}
_FAITHFUL: Final = (
    "/",
    "/bulk.html",
    "/packed.html",
    "/bomb.html",
    "/video.html",
    "/long.html",
    "/big.html?size=30000000",
)
_ODD: Final = (
    "/odd/trailers",
    "/odd/duplicates",
    "/odd/long",
    "/odd/many",
    "/odd/drops",
    "/odd/early-hints",
    "/odd/non-ascii",
)
_SYSTEM: Final = {
    **os.environ,
    "QT_QPA_PLATFORM": "offscreen",
    "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
}


@dataclass
class Sites:
    """The sites' process."""

    process: subprocess.Popen[str]
    ports: dict[str, int] = field(default_factory=dict)
    root: str = ""
    _said: SimpleQueue[dict[str, Any]] = field(default_factory=SimpleQueue)

    def url(self, name: str, target: str) -> str:
        return f"https://{name}:{self.ports[name]}{target}"

    def begin(self) -> None:
        """Wait for it, and listen from then on."""
        Thread(target=self._listen, daemon=True).start()
        told = self._said.get(timeout=60)
        self.ports, self.root = told["ports"], told["root"]

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._said.put(json.loads(line))

    def timings(self, count: int) -> dict[str, float]:
        """What pages measured since, milliseconds by address."""
        found: dict[str, float] = {}
        while len(found) < count:
            try:
                told = self._said.get(timeout=10)["timing"]
            except Empty:
                break
            found[told["url"]] = told["ms"]
        return found

    def sent(self) -> list[dict[str, Any]]:
        """Digest of every body that was sent."""
        assert self.process.stdin is not None
        self.process.stdin.write("sent\n")
        self.process.stdin.flush()
        while "sent" not in (told := self._said.get(timeout=60)):
            continue
        listed: list[dict[str, Any]] = told["sent"]
        return listed


@contextmanager
def sites() -> Iterator[Sites]:
    """Both sites, while it is entered."""
    command = [sys.executable, "-m", "tests.bench.capture_sites"]
    with subprocess.Popen(
        command, env=_SYSTEM, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            running = Sites(process)
            running.begin()
            yield running
        finally:
            process.kill()


def bench_tools(session: Session) -> CaptureTools:
    """Adapters of this machine; no time server, no independent resolver."""
    resolver = TownResolver(addresses=dict.fromkeys(PROTOCOLS, ("127.0.0.1",)))
    return capture_tools(session, Language.ZH, ntp=(), dns=(), resolver=resolver)


def _taken(session: Session, given: Sites, urls: Sequence[str], **more: Any) -> CaptureOutcome:
    plan = CapturePlan(
        urls=tuple(urls), allow_private=True, extra_ca=(base64.b64decode(given.root),), **more
    )  # fmt: skip
    return capture(session.desk, bench_tools(session), plan, SealRequest(case_number="案"), job=Job())


def _bare(given: Sites, urls: Sequence[str]) -> None:
    order = json.dumps({"urls": list(urls), "root": given.root})
    subprocess.run(
        [sys.executable, "-m", "tests.bench.capture_bare", order], env=_SYSTEM, check=True, stderr=subprocess.DEVNULL,
        timeout=120,
    )  # fmt: skip


def load(folder: Path, small: bool) -> Iterator[Figure]:
    """Pages measure their own load, recorded and in a bare window of the same engine in turn; then a whole capture."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    session, runs = demo_session(folder / "vault"), 1 if small else 7
    ratios: dict[tuple[str, str], list[tuple[float, float]]] = {}
    with sites() as given:
        pages = {(name, path): given.url(name, path) for name in PROTOCOLS for path in PAGES}
        for _ in range(runs):
            _bare(given, list(pages.values()))
            bare = given.timings(len(pages))
            _taken(session, given, list(pages.values()))
            ours = given.timings(len(pages))
            for key, url in pages.items():
                ratios.setdefault(key, []).append((ours[url], bare[url]))
        for (name, path), found in ratios.items():
            yield Figure(
                f"load, {PAGES[path]}, {PROTOCOLS[name]}", statistics.median(a / b for a, b in found), "×", 1.3,
                f"recorded {statistics.median(a for a, _ in found):.0f} ms, bare window without proxy, key log and observer"
                f" {statistics.median(b for _, b in found):.0f} ms, as the page measures it; {runs} pairs,"
                f" the quickest of each {min(a for a, _ in found):.0f} and {min(b for _, b in found):.0f} ms",
            )  # fmt: skip
        for name, protocol in PROTOCOLS.items():
            url = given.url(name, "/bulk.html")
            took = seconds(partial(_taken, session, given, [url]))
            own = statistics.median(b for _, b in ratios[name, "/bulk.html"]) / 1000
            yield Figure(
                f"capture and seal 300 resources, {protocol}", took - own, "s", 15,
                f"{took:.1f} s in all less {own:.2f} s of the bare load; both environment reports, picture, PDF, marks with tokens",
            )  # fmt: skip
            given.timings(1)
    session.close()


def memory(folder: Path, small: bool) -> Iterator[Figure]:
    """A body of 200 MB, in a process that captured a small one before: what is resident beyond what was before."""
    size = 20 * MB if small else 200 * MB
    with sites() as given:
        order = {
            "vault": str(folder / "vault"), "root": given.root, "small": given.url(OLD, "/big.html?size=100000"),
            "large": given.url(OLD, f"/big.html?size={size}"),
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.capture_child", json.dumps(order)], env=_SYSTEM, check=True,
            stdout=subprocess.PIPE, text=True, timeout=900,
        )  # fmt: skip
    said = json.loads(done.stdout.splitlines()[-1])["large"]
    peaks = {stage: peak for stage, peak in said["peaks"].items() if peak > 0.5}
    stages = ", ".join(f"{stage} {peak:.0f}" for stage, peak in peaks.items())
    yield Figure(
        f"extra memory, body of {size // MB} MB", max(said["peaks"].values()), "MB", 150,
        f"peak resident size of the recording process less {said['before']:.0f} MB before; by stage {stages};"
        f" {said['result']} {said['reasons']}, {said['seconds']:.0f} s",
    )  # fmt: skip


def decoding(folder: Path, small: bool) -> Iterator[Figure]:
    """Recorded streams of incompressible bodies to WARC, lists and packet capture; peers: a copy with SHA-256, OpenSSL."""
    size, runs = (20 * MB, 1) if small else (200 * MB, 3)
    with Town() as town:
        for name, protocol in ((SITE, "HTTP/1.1"), (MODERN, "HTTP/2")):
            tape = Tape(town, folder / name)
            with tape.running():
                _fetch(town, tape, name, size)
            speeds, alone, peers = [], [], []
            for _ in range(runs):
                peers.append(size / MB / seconds(partial(_copied, tape.folder)))
                making = partial(build, tape.workspace, software="bench", at=0, job=Job())
                busy = time.process_time()
                speeds.append(size / MB / seconds(making))
                alone.append(size / MB / (time.process_time() - busy))
                for made in BUILT:
                    tape.workspace.discard(made)
            ours, peer = statistics.median(speeds), statistics.median(peers)
            yield Figure(
                f"decryption and WARC, {protocol}", ours, "MB/s", 100,
                f"{size // MB} MB incompressible, packet capture and lists included; copy and SHA-256 of the same streams"
                f" {peer:,.0f} MB/s ({peer / ours:.1f} ×), openssl aes-256-gcm {_openssl():,.0f} MB/s;"
                f" {statistics.median(alone):,.0f} MB a second of CPU; {runs} runs",
                at_least=True,
            )  # fmt: skip
            shutil.rmtree(tape.folder)


def _fetch(town: Town, tape: Tape, name: str, size: int) -> None:
    alpn = "h2" if name == MODERN else "http/1.1"
    context = trusting(town.ca.root_pem, [alpn], tape.key_log)
    site = town.sites[name]
    with context.wrap_socket(dial((name, site.port), tape.port), server_hostname=name) as connection:
        target = f"/big.bin?size={size}"
        if alpn == "h2":
            (got,) = Http2Client(connection, f"{name}:{site.port}").get([target])
        else:
            got = Http1Client(connection, f"{name}:{site.port}").get(target)
    assert len(got.body) == size


def _copied(folder: Path) -> None:
    for path in sorted(folder.glob("stream-*.bin")):
        digest, copy = hashlib.sha256(), folder / "copy"
        with path.open("rb") as source, copy.open("wb") as sink:
            while block := source.read(1 << 20):
                digest.update(block)
                sink.write(block)
        copy.unlink()


def _openssl() -> float:
    command = ["openssl", "speed", "-seconds", "1", "-bytes", "16384", "-evp", "aes-256-gcm", "-mr"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout.split("+F:")[-1].split(":")[-1]) / MB


def fidelity(folder: Path, small: bool) -> Iterator[Figure]:
    """Bodies in the sealed archive, read by FastWARC, against what the sites sent."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    session = demo_session(folder / "vault")
    paths = _FAITHFUL[:2] if small else (*_FAITHFUL, *_ODD)
    for name, protocol in PROTOCOLS.items():
        with sites() as given:
            outcome = _taken(session, given, [given.url(name, path) for path in paths], settle_ms=500)
            sent = given.sent()
        archive = _archive(session, outcome, folder)
        kept = Counter(_bodies(archive))
        whole = Counter((item["url"], item["sha256"]) for item in sent if item["completed"])
        equal, size = (whole & kept).total(), sum(item["size"] for item in sent)
        yield Figure(
            f"bodies equal to what was sent, {protocol}", 100 * equal / max(whole.total(), kept.total()), "%", 100,
            f"{equal} of {whole.total()} sent whole, {kept.total()} in the archive, {size / MB:.0f} MB; {outcome.result}, read by FastWARC",
            at_least=True,
        )  # fmt: skip
    session.close()


def _archive(session: Session, outcome: CaptureOutcome, folder: Path) -> Path:
    exhibit = outcome.exhibit
    assert exhibit is not None
    wacz, warc = folder / "capture.wacz", folder / "data.warc.gz"
    with (
        session.vault.objects.open(exhibit.objects[0].stored, case_number=exhibit.case_number) as stream,
        wacz.open("wb") as out,
    ):
        shutil.copyfileobj(stream, out)
    with (
        zipfile.ZipFile(wacz) as container,
        container.open("archive/data.warc.gz") as source,
        warc.open("wb") as out,
    ):
        shutil.copyfileobj(source, out)
    return warc


def _bodies(archive: Path) -> Iterator[tuple[str, str]]:
    """(address, SHA-256 of the body as on the wire) of every response that came whole."""
    with archive.open("rb") as stream:
        for record in ArchiveIterator(stream, record_types=WarcRecordType.response, parse_http=False):
            if "WARC-Truncated" in record.headers:
                continue
            block = record.reader.read()
            _, _, body = block.partition(b"\r\n\r\n")
            yield record.headers["WARC-Target-URI"], hashlib.sha256(body).hexdigest()
