"""The tools of other projects accept our archives, and read the same from them."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from fastwarc.warc import ArchiveIterator

from evidence_desk.wacz.archive import Resource, write_warc
from evidence_desk.wacz.cdx import index_lines, parse_line, url_key
from evidence_desk.wacz.record import Bytes
from tests.unit.wacz.samples import ANSWERS, H2, NOISE, PAGE, sample
from tests.unit.wacz.tls_recording import AT

WARCIO = "import sys; sys.modules['brotli'] = None; from warcio.cli import main; main(sys.argv[1:])"
"""warcio 1.8 does not get on with brotli 1.2: it reads what Decompressor.process gives as if it were all."""


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command], check=False, capture_output=True, text=True, timeout=120
    )


@pytest.fixture
def warc(tmp_path: Path) -> Path:
    path = tmp_path / "data.warc.gz"
    path.write_bytes(sample().warc)
    return path


@pytest.fixture
def wacz(tmp_path: Path) -> Path:
    path = tmp_path / "capture.wacz"
    path.write_bytes(sample().wacz)
    return path


def test_wacz_validate(wacz: Path) -> None:
    done = run("-m", "wacz", "validate", "-f", str(wacz))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "is valid" in done.stdout


def test_wacz_validate_sees_what_is_wrong(wacz: Path) -> None:
    """So that the test above can fail."""
    data = wacz.read_bytes()
    at = data.index("网页取证".encode(), data.index(b"evidence/page-001.txt"))
    wacz.write_bytes(data[:at] + b"\xe4" * 3 + data[at + 3 :])
    assert run("-m", "wacz", "validate", "-f", str(wacz)).returncode != 0


def test_warcio_check(warc: Path) -> None:
    done = run("-c", WARCIO, "check", "-v", str(warc))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("digest pass") == len(sample().records)


def test_warcio_index_reads_every_head(warc: Path) -> None:
    done = run("-c", WARCIO, "index", "-f", "warc-type,http:status", str(warc))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == len(sample().records)
    assert sum('"http:status": "200"' in line for line in lines) >= len(H2)


INDEXER = """import sys; sys.modules['brotli'] = None
from cdxj_indexer.main import main; main(sys.argv[1:])"""


def test_the_indexer_of_webrecorder_finds_the_same(warc: Path) -> None:
    """Places, addresses, status, media types; its keys where neither method nor its own shortenings play a part."""
    done = run("-c", INDEXER, "--records", "response,resource", "-s", str(warc))
    assert done.returncode == 0, done.stderr
    theirs = {}
    for line in done.stdout.splitlines():
        key, moment, facts = line.split(" ", 2)
        theirs[json.loads(facts)["offset"]] = key, moment, json.loads(facts)
    ours = [parse_line(line) for line in index_lines(sample().records)]
    assert len(ours) == len(theirs)
    for entry in ours:
        key, moment, facts = theirs[str(entry.offset)]
        assert (facts["url"], facts["length"], facts["filename"]) == (
            entry.url,
            str(entry.length),
            "data.warc.gz",
        )
        assert facts.get("status") == (None if entry.status is None else str(entry.status))
        assert (facts.get("mime") or None) == entry.mime
        assert entry.at.startswith(moment)
        if entry.url.startswith("http") and entry.method is None and "?" not in entry.url:
            assert url_key(entry.url) == key


def test_fastwarc_check(warc: Path, tmp_path: Path) -> None:
    said = tmp_path / "said.txt"
    done = run("-m", "fastwarc.cli", "check", "-p", "-o", str(said), str(warc))
    assert done.returncode == 0, done.stdout + done.stderr
    lines = said.read_text().splitlines()
    assert len(lines) == len(sample().records), done.stderr
    assert all(": OK" in line for line in lines)


def test_fastwarc_reads_the_bytes_that_were_on_the_wire() -> None:
    """Heads and bodies as the server sent them, HTTP/1.1 with its chunk framing; HTTP/2 its data."""
    seen: dict[str, tuple[str, bytes]] = {}
    methods: dict[str, str] = {}
    for one in ArchiveIterator(io.BytesIO(sample().warc), parse_http=False, auto_decode="none"):
        kind, data = one.headers["WARC-Type"], one.reader.read()
        if kind == "response":
            seen[one.headers["WARC-Record-ID"]] = one.headers["WARC-Target-URI"], data
        elif kind == "request":
            methods[one.headers.get("WARC-Concurrent-To") or ""] = data.split(b" ", 1)[0].decode()
    assert len(methods) == len(seen) + 1  # one was never answered
    answers = {
        (methods[identity], url.removeprefix("https://site.test")): data
        for identity, (url, data) in seen.items()
    }
    early = ANSWERS["GET", "/early"]
    expected = {**ANSWERS, ("GET", "/early"): early[early.index(b"HTTP/1.1 200") :]}
    assert {key: data for key, data in answers.items() if key in expected} == expected
    assert {path: answers["GET", path].partition(b"\r\n\r\n")[2] for path in H2} == H2
    cut = answers["GET", "http://plain.test/cut"]
    assert cut.endswith(PAGE[:-100])


def test_large_bodies_pass_too(tmp_path: Path) -> None:
    """Stored and deflated members of several chunks."""
    path = tmp_path / "data.warc.gz"
    bodies = [NOISE * 30, PAGE * 4000]
    files = [
        Resource(uri=f"urn:file:{n}", content_type="video/mp4", at=AT, source=Bytes(b))
        for n, b in enumerate(bodies)
    ]
    with path.open("xb") as out:
        stored, deflated = write_warc(out, (), files, software="Evidence Desk 0.1.0", at=AT)[1:]
    assert stored.length > len(bodies[0]) > deflated.length
    assert run("-c", WARCIO, "check", str(path)).returncode == 0
    assert run("-m", "fastwarc.cli", "check", "-p", "-q", str(path)).returncode == 0
    read = [one.reader.read() for one in ArchiveIterator(io.BytesIO(path.read_bytes()))]
    assert read[1:] == bodies
