"""Wireshark's own command line reads our packet capture: reassembles, decrypts, and exports what was sent."""

from __future__ import annotations

import hashlib
import io
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from evidence_desk.core.capture.connection import Ending
from evidence_desk.core.capture.stream import Chunk, Direction
from evidence_desk.wacz.pcapng import write_pcapng
from tests.unit.wacz.tls_recording import AT, Recording, connection, record

TSHARK = shutil.which("tshark")
pytestmark = pytest.mark.skipif(TSHARK is None, reason="tshark (Wireshark) is not installed")

BODIES = {
    f"/{index}.bin": hashlib.sha256(bytes([index])).digest() * (1 + 700 * index**3) for index in range(6)
}


def answer(request: bytes) -> bytes:
    body = BODIES[request.split()[1].decode()]
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def requests() -> list[bytes]:
    return [f"GET {path} HTTP/1.1\r\nHost: site.test\r\n\r\n".encode() for path in BODIES]


def tshark(*arguments: str | Path) -> str:
    assert TSHARK is not None
    return subprocess.run(
        [TSHARK, *arguments], check=True, capture_output=True, text=True, timeout=120
    ).stdout


def faults(path: Path, *options: str | Path) -> str:
    """Frames about which Wireshark has something to warn of, checksums included; a reset is a warning by itself."""
    checks = ["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"]
    return tshark(
        "-r",
        path,
        *options,
        *checks,
        "-Y",
        "!tcp.flags.reset && (_ws.expert.severity >= 6291456 || _ws.malformed)",
    )


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2], ids=["tls1.3", "tls1.2"])
def recording(request: pytest.FixtureRequest) -> Recording:
    return record(requests(), answer, request.param)


def exported(path: Path, folder: Path, *options: str | Path) -> set[bytes]:
    tshark("-r", path, *options, "-Q", "--export-objects", f"http,{folder}")
    return {item.read_bytes() for item in folder.iterdir()}


@pytest.mark.parametrize("family", [4, 6])
def test_decrypts_and_exports_the_same_bodies(tmp_path: Path, recording: Recording, family: int) -> None:
    capture, keys = tmp_path / "session.pcapng", tmp_path / "keys.txt"
    keys.write_bytes(recording.keylog)
    ends = connection(chunks=recording.chunks)
    if family == 6:
        ends = connection(chunks=recording.chunks, address="2001:db8::7", local="[2001:db8::4]:40001")
    with capture.open("xb") as out:
        count = write_pcapng(out, [(ends, recording.chunks)])
    options = ("-o", f"tls.keylog_file:{keys}")
    assert exported(capture, tmp_path / "objects", *options) == set(BODIES.values())
    assert faults(capture, *options) == ""
    assert len(tshark("-r", capture).splitlines()) == count
    times = tshark("-r", capture, "-T", "fields", "-e", "frame.time_epoch", "-Y", "tcp.len > 0").split()
    assert times[0] == f"{AT // 10**6}.{AT % 10**6:06}000"
    if TSHARK is not None and (capinfos := shutil.which("capinfos")):
        said = subprocess.run(
            [capinfos, capture], check=True, capture_output=True, text=True, timeout=60
        ).stdout
        assert "synthesized" in said


def test_secrets_in_the_file_decrypt_it_alone(tmp_path: Path, recording: Recording) -> None:
    capture = tmp_path / "session.pcapng"
    with capture.open("xb") as out:
        write_pcapng(out, [(connection(chunks=recording.chunks), recording.chunks)], recording.keylog)
    assert exported(capture, tmp_path / "objects") == set(BODIES.values())


def test_without_secrets_nothing_is_readable(tmp_path: Path, recording: Recording) -> None:
    capture = tmp_path / "session.pcapng"
    with capture.open("xb") as out:
        write_pcapng(out, [(connection(chunks=recording.chunks), recording.chunks)])
    assert exported(capture, tmp_path / "objects") == set()


def test_many_connections_and_endings(tmp_path: Path) -> None:
    """Streams side by side; ports used again a minute later."""
    capture = tmp_path / "session.pcapng"
    pieces = []
    for number in range(1, 41):
        minute, lane = divmod(number - 1, 20)
        start = AT + 60_000_000 * minute + number
        chunks = (
            Chunk(direction=Direction.OUT, at=start, data=b"q%d" % number),
            Chunk(direction=Direction.IN, at=start + 40, data=bytes([number]) * 200_000),
            Chunk(direction=Direction.OUT, at=start + 20, data=b"!" * number),  # the clock was set back
        )
        ending = (Ending.CLOSED, Ending.RESET, Ending.STOPPED, Ending.UNKNOWN)[lane % 4]
        known = ending is not Ending.UNKNOWN
        facts = {
            "opened_at": f"2026-02-02T02:4{minute}:00.000Z", "ending": ending,
            "closed_at": f"2026-02-02T02:4{minute}:50.000Z" if known else None,
            "local": f"198.51.100.4:{40_000 + lane}" if known else None,
        }  # fmt: skip
        pieces.append((connection(number, chunks, **facts), chunks))
    with capture.open("xb") as out:
        write_pcapng(out, pieces)
    assert faults(capture) == ""
    times = [float(item) for item in tshark("-r", capture, "-T", "fields", "-e", "frame.time_epoch").split()]
    assert times == sorted(times)
    by_stream: dict[str, list[int]] = {}
    for line in tshark("-r", capture, "-T", "fields", "-e", "tcp.stream", "-e", "tcp.len").splitlines():
        stream, size = line.split()
        by_stream.setdefault(stream, []).append(int(size))
    assert sorted(sum(sizes) for sizes in by_stream.values()) == sorted(
        sum(len(chunk.data) for chunk in chunks) for _, chunks in pieces
    )


def test_sequence_numbers_wrap(tmp_path: Path) -> None:
    """4 GiB would do it too; this connection begins just below the end."""
    near = next(number for number in range(1, 10**6) if number * 0x9E3779B1 % 2**32 > 2**32 - 50_000)
    chunks = tuple(
        Chunk(direction=way, at=AT + index, data=bytes([65 + index]) * 40_000)
        for index, way in enumerate((Direction.OUT, Direction.IN) * 3)
    )
    capture = tmp_path / "session.pcapng"
    with capture.open("xb") as out:
        write_pcapng(out, [(connection(near, chunks, port=9), chunks)])
    assert (
        len(
            {int(item) > 2**31 for item in tshark("-r", capture, "-T", "fields", "-e", "tcp.seq_raw").split()}
        )
        == 2
    )
    assert faults(capture) == ""
    followed = tshark("-r", capture, "-q", "-z", "follow,tcp,raw,0")
    sent = b"".join(
        bytes.fromhex(line)
        for line in followed.splitlines()
        if line[:1].isalnum() and set(line) <= set("0123456789abcdef")
    )
    assert sent == b"".join(chunk.data for chunk in chunks if chunk.direction is Direction.OUT)


def test_chunks_are_asked_for_one_connection_after_the_other() -> None:
    opened: list[int] = []

    def chunks(number: int) -> object:
        opened.append(number)
        yield Chunk(direction=Direction.OUT, at=AT, data=b"x")

    later = connection(1, opened_at="2026-02-02T02:40:30.000Z")
    pieces = [(later, chunks(1)), (connection(2), chunks(2))]
    write_pcapng(io.BytesIO(), pieces)  # type: ignore[arg-type]
    assert opened == [2, 1]
