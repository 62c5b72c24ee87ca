"""Tiny films made in code: WebM (VP8 key frames out of lossy WebP pictures) and MP4 (H.264, every macroblock as PCM)."""

from __future__ import annotations

import struct
from functools import cache

from tests.sites import images

WIDTH, HEIGHT, STEP_MS = 160, 96, 200
_H264_WIDTH, _H264_HEIGHT = 128, 96
_SPS = bytes.fromhex("6742000af841a2")  # baseline, 128x96
_PPS = bytes.fromhex("68ce3880")


@cache
def webm(frames: int = 10) -> bytes:
    """A film of `frames` colors, 200 ms each (Matroska: RFC 9559)."""
    colors = [f"hsl({360 * at // frames}, 70%, 60%)" for at in range(frames)]
    pictures = [_vp8(images.webp(WIDTH, HEIGHT, color, str(at))) for at, color in enumerate(colors)]
    head = _element(
        0x1A45DFA3,
        _unsigned(0x4286, 1) + _unsigned(0x42F7, 1) + _unsigned(0x42F2, 4) + _unsigned(0x42F3, 8)
        + _element(0x4282, b"webm") + _unsigned(0x4287, 2) + _unsigned(0x4285, 2),
    )  # fmt: skip
    info = _element(
        0x1549A966,
        _unsigned(0x2AD7B1, 1_000_000)
        + _element(0x4489, struct.pack(">d", float(frames * STEP_MS)))
        + _element(0x4D80, b"test sites") + _element(0x5741, b"test sites"),
    )  # fmt: skip
    video = _element(0xE0, _unsigned(0xB0, WIDTH) + _unsigned(0xBA, HEIGHT))
    track = _element(
        0xAE,
        _unsigned(0xD7, 1) + _unsigned(0x73C5, 1) + _unsigned(0x83, 1) + _element(0x86, b"V_VP8") + video,
    )
    blocks = b"".join(
        _element(0xA3, b"\x81" + struct.pack(">hB", at * STEP_MS, 0x80) + picture)
        for at, picture in enumerate(pictures)
    )
    cluster = _element(0x1F43B675, _unsigned(0xE7, 0) + blocks)
    return head + _element(0x18538067, info + _element(0x1654AE6B, track) + cluster)


@cache
def h264(frames: int = 5) -> bytes:
    """A film only a player with H.264 can show (ISO/IEC 14496-12, 14496-15)."""
    samples = [_pcm_frame(at) for at in range(frames)]
    kind = _box(b"ftyp", b"isom" + struct.pack(">I", 0x200) + b"isomiso2avc1mp41")
    return kind + _moov([len(one) for one in samples], len(kind)) + _box(b"mdat", b"".join(samples))


def _vp8(webp: bytes) -> bytes:
    assert webp[8:16] == b"WEBPVP8 ", "a simple lossy WebP was expected"
    return webp[20 : 20 + struct.unpack_from("<I", webp, 16)[0]]


def _element(name: int, content: bytes) -> bytes:
    size = (len(content) | 1 << 56).to_bytes(8, "big")
    return name.to_bytes((name.bit_length() + 7) // 8, "big") + size + content


def _unsigned(name: int, value: int) -> bytes:
    return _element(name, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def _pcm_frame(number: int) -> bytes:
    """An IDR picture, each macroblock I_PCM (H.264 §7.3.5), gray levels wandering from picture to picture."""
    data = bytearray(b"\x65\x88\x84\x21\xa0")
    for at in range(_H264_WIDTH // 16 * _H264_HEIGHT // 16):
        data += b"\x0d\x00" + bytes([64 + (at * 3 + number * 16) % 128]) * 256 + b"\x80" * 128
    data += b"\x80"
    return struct.pack(">I", len(data)) + bytes(data)


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


def _full(kind: bytes, content: bytes, flags: int = 0) -> bytes:
    return _box(kind, struct.pack(">I", flags) + content)


def _moov(sizes: list[int], before: int) -> bytes:
    first = _boxes(sizes, 0)
    return _boxes(sizes, before + len(first) + 8)


def _boxes(sizes: list[int], offset: int) -> bytes:
    count, step = len(sizes), 200
    length = count * step
    matrix = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    mvhd = struct.pack(">IIIIIHHII", 0, 0, 1000, length, 0x10000, 0x0100, 0, 0, 0) + matrix + bytes(24)
    tkhd = struct.pack(">IIIIIIIHHHH", 0, 0, 1, 0, length, 0, 0, 0, 0, 0, 0) + matrix
    tkhd += struct.pack(">II", _H264_WIDTH << 16, _H264_HEIGHT << 16)
    config = bytes([1, *_SPS[1:4], 0xFF, 0xE1]) + struct.pack(">H", len(_SPS)) + _SPS
    config += b"\x01" + struct.pack(">H", len(_PPS)) + _PPS
    entry = bytes(6) + struct.pack(">H", 1) + bytes(16) + struct.pack(">HH", _H264_WIDTH, _H264_HEIGHT)
    entry += (
        struct.pack(">III", 0x480000, 0x480000, 0) + struct.pack(">H", 1) + bytes(32) + b"\x00\x18\xff\xff"
    )
    entry += _box(b"avcC", config)
    table = _box(
        b"stbl",
        _full(b"stsd", struct.pack(">I", 1) + _box(b"avc1", entry))
        + _full(b"stts", struct.pack(">III", 1, count, step))
        + _full(b"stsc", struct.pack(">IIII", 1, 1, count, 1))
        + _full(b"stsz", struct.pack(f">II{count}I", 0, count, *sizes))
        + _full(b"stco", struct.pack(">II", 1, offset)),
    )
    reference = _box(b"dinf", _full(b"dref", struct.pack(">I", 1) + _full(b"url ", b"", 1)))
    media = _box(
        b"mdia",
        _full(b"mdhd", struct.pack(">IIIIHH", 0, 0, 1000, length, 0x55C4, 0))
        + _full(b"hdlr", bytes(4) + b"vide" + bytes(12) + b"film\0")
        + _box(b"minf", _full(b"vmhd", bytes(8), 1) + reference + table),
    )
    return _box(
        b"moov", _full(b"mvhd", mvhd + struct.pack(">I", 2)) + _box(b"trak", _full(b"tkhd", tkhd, 7) + media)
    )
