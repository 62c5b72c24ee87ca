"""Pages that mean harm, or have no end: bombs, endless and slow streams, resets, probes of what lies near."""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Iterator
from functools import cache, partial

import brotli
import zstandard

from tests.sites.answer import (
    Answer,
    Ending,
    Framing,
    Pause,
    Piece,
    Raw,
    Request,
    Routes,
    always,
    content,
    html,
    noise,
    text,
)
from tests.sites.pages.active import page
from tests.sites.record import Header

BIG = 200 << 20
BOMB = 256 << 20
_BINARY: Header = (b"Content-Type", b"application/octet-stream")
_TEXT: Header = (b"Content-Type", b"text/plain; charset=utf-8")

PROBED = (
    "http://127.0.0.1:{port}/", "http://localhost:{port}/", "http://sub.localhost:{port}/", "http://[::1]:{port}/",
    "http://0x7f.1:{port}/", "http://0177.0.0.1:{port}/", "http://2130706433:{port}/", "http://127.1:{port}/",
    "http://127.0.0.1.:{port}/", "http://localhost.:{port}/", "http://0.0.0.0:{port}/", "http://[::]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/", "http://[::ffff:7f00:1]:{port}/", "http://[64:ff9b::7f00:1]:{port}/",
    "http://[2002:7f00:1::]:{port}/", "http://[fe80::1]:{port}/", "http://[fd00::1]:{port}/", "http://10.0.0.1/",
    "http://172.16.0.1/", "http://192.168.1.1/", "http://100.64.0.1/", "http://169.254.1.1/", "http://224.0.0.1/",
    "http://169.254.169.254/latest/meta-data/", "http://100.100.100.200/latest/meta-data/", "http://[fd00:ec2::254]/",
    "http://metadata.google.internal/", "http://127.0.0.1:{port}/json/version", "http://rebind.test:{port}/",
)  # fmt: skip
"""Where the probing page reaches; ``{port}`` is the port it was given (the debug port, or one that listens)."""


def routes() -> Routes:
    """All of them."""
    return {
        "/endless": always(Answer(headers=(_BINARY,), body=_endless)),
        "/endless.html": always(
            Answer(headers=((b"Content-Type", b"text/html; charset=utf-8"),), body=_endless_page)
        ),
        "/slow": always(Answer(headers=(_TEXT,), body=partial(_slow, 600), size=600)),
        "/slow.html": always(html(page("慢", 'fetch("/slow").then(r => r.text()).then(say);\n'))),
        "/reset": always(Answer(headers=(_BINARY,), body=_half, size=400_000, ending=Ending.RESET)),
        "/reset-chunked": always(Answer(headers=(_BINARY,), body=_half, ending=Ending.RESET)),
        "/reset-refused": always(
            Answer(headers=(_BINARY,), body=_half, framing=Framing.NONE, ending=Ending.RESET, reset_code=0x7)
        ),
        "/cut": always(Answer(headers=(_BINARY,), body=_half, size=400_000, ending=Ending.CUT)),
        "/big.bin": _big,
        "/big.html": always(html(page("二百兆", _BIG_PAGE))),
        "/bomb.gz": _bomb("gzip"),
        "/bomb.br": _bomb("br"),
        "/bomb.zst": _bomb("zstd"),
        "/bomb-twice": always(
            _encoded("gzip, gzip", gzip.compress(gzip.compress(bytes(1 << 20), mtime=0), mtime=0))
        ),
        "/bomb.html": always(html(page("压缩炸弹", _BOMB_PAGE))),
        "/packed.gz": always(_encoded("gzip", gzip.compress(_LINES, mtime=0))),
        "/packed.deflate": always(_encoded("deflate", zlib.compress(_LINES))),
        "/packed.br": always(_encoded("br", brotli.compress(_LINES))),
        "/packed.zst": always(_encoded("zstd", zstandard.compress(_LINES))),
        "/packed-broken.gz": always(_encoded("gzip", gzip.compress(_LINES, mtime=0)[:200] + b"broken")),
        "/packed.html": always(html(page("压缩", _PACKED_PAGE))),
        "/probe.html": _probe,
        "/probed": always(text("收到\n")),
    }


def http1() -> Routes:
    """Those that only HTTP/1.1 can do."""
    return {"/slow-head": always(Raw(head=b"", body=_slow_head, ending=Ending.CLOSE))}


_LINES = "".join(f"第{at}行：可压缩的文字。\n" for at in range(3000)).encode()
_BIG_PAGE = """fetch("/big.bin" + location.search).then(async r => {
  let n = 0; const reader = r.body.getReader();
  for (;;) { const {done, value} = await reader.read(); if (done) break; n += value.length; }
  say(n); document.body.dataset.done = "1";
}).catch(e => say(String(e)));
"""
_BOMB_PAGE = """(async () => { for (const kind of ["gz", "br", "zst"]) {
  let n = 0;
  try { const reader = (await fetch("/bomb." + kind)).body.getReader();
    for (;;) { const {done, value} = await reader.read(); if (done) break; n += value.length; }
    say(kind + " " + n); } catch (e) { say(kind + " " + n + " " + e); }
} document.body.dataset.done = "1"; })();
"""
_PACKED_PAGE = """(async () => { for (const kind of [".gz", ".deflate", ".br", ".zst", "-broken.gz"])
  await fetch("/packed" + kind).then(r => r.text()).then(t => say(kind + " " + t.length), e => say(kind + " " + e));
  document.body.dataset.done = "1"; })();
"""
_PROBE_PAGE = """(async () => {
  const found = [];
  await Promise.all(%s.map(async url => {
    const gone = new AbortController(); setTimeout(() => gone.abort(), 4000);
    try { await fetch(url, {mode: "no-cors", signal: gone.signal}); found.push(url); say("通 " + url); }
    catch (e) { say("不通 " + url); }
  }));
  for (const make of [() => new WebSocket("ws://127.0.0.1:%d/"), () => { const i = new Image(); i.src = "http://127.0.0.1:%d/i.png"; }])
    try { make(); } catch (e) { say(String(e)); }
  try { const p = new RTCPeerConnection({iceServers: [{urls: "stun:127.0.0.1:%d"}]}); p.createDataChannel("x");
    p.setLocalDescription(await p.createOffer()); } catch (e) { say(String(e)); }
  await fetch("/probed", {method: "POST", body: JSON.stringify(found)});
  document.body.dataset.done = "1";
})();
"""


def _probe(request: Request) -> Answer:
    port = int(request.query.removeprefix("port=") or 80)
    targets = [target.format(port=port) for target in PROBED]
    return html(page("探测近处", _PROBE_PAGE % (str(targets), port, port, port)))


def _endless() -> Iterator[Piece]:
    number = 0
    while True:
        yield from noise(f"endless {number}", 1 << 20)
        number += 1


def _endless_page() -> Iterator[Piece]:
    yield "<!doctype html><meta charset=utf-8><title>没完没了</title>".encode()
    number = 0
    while True:
        number += 1
        yield f"<p>第{number}段</p>\n".encode()
        yield Pause(0.01)


def _slow(size: int) -> Iterator[Piece]:
    for at in range(size):
        yield b"%d" % (at % 10)
        yield Pause(1)


def _slow_head() -> Iterator[Piece]:
    for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok":
        yield bytes([byte])
        yield Pause(1)


def _half() -> Iterator[Piece]:
    yield from noise("half", 200_000)


def _big(request: Request) -> Answer:
    size = int(request.query.removeprefix("size=") or BIG)
    return Answer(headers=(_BINARY,), body=partial(noise, "big", size), size=size)


def _encoded(encoding: str, data: bytes) -> Answer:
    return content("text/plain; charset=utf-8", data, (b"Content-Encoding", encoding.encode()))


def _bomb(encoding: str) -> partial[Answer]:
    return partial(_bomb_answer, encoding)


def _bomb_answer(encoding: str, _request: Request) -> Answer:
    return _encoded(encoding, bomb(encoding))


@cache
def bomb(encoding: str) -> bytes:
    """Few bytes that become `BOMB` zeros."""
    if encoding == "gzip":
        return _gzip_bomb()
    if encoding == "br":
        coder = brotli.Compressor(quality=5, lgwin=22)
        return bytes(b"".join(coder.process(bytes(1 << 20)) for _ in range(BOMB >> 20)) + coder.finish())
    packer = zstandard.ZstdCompressor(level=3).compressobj(size=BOMB)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(BOMB >> 20)) + packer.flush()


def _gzip_bomb() -> bytes:
    coder, total = zlib.compressobj(9, zlib.DEFLATED, -15), 0
    zeros = bytes(1 << 20)
    block = coder.compress(zeros) + coder.flush(
        zlib.Z_FULL_FLUSH
    )  # nothing before it is referred to after it
    for _ in range(BOMB >> 20):
        total = zlib.crc32(zeros, total)
    head = b"\x1f\x8b\x08" + bytes(6) + b"\xff"
    return (
        head
        + block * (BOMB >> 20)
        + coder.flush(zlib.Z_FINISH)
        + struct.pack("<II", total, BOMB & 0xFFFFFFFF)
    )
