"""Decoders of content codings, each a source over another one; nothing is held but a step. See `content`."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from typing import Final, Protocol, cast

import brotli
import zstandard

STEP: Final = 64 * 1024
"""Bytes that are read and given at once, at most."""

_MAX_WINDOW: Final = 8 * 1024 * 1024
"""Zstandard window that a browser must accept, and the most it does (RFC 9659)."""

_ZLIB: Final = 15
_RAW: Final = -15


class Source(Protocol):
    """Where coded bytes come from; `left`: it came to its end with bytes of its own source in hand."""

    @property
    def left(self) -> bool:
        """See above."""
        ...

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes, b"" at the end; CodingFault."""
        ...


class CodingFault(Exception):  # noqa: N818 - never leaves `content`
    """The content cannot be decoded further; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class _Decoder:
    """A coding that is being taken off.

    Attributes:
        left: it came to its end with bytes of its source in hand.
    """

    def __init__(self, source: Source, step: int = STEP) -> None:
        self._source = source
        self._step = step
        self._out = memoryview(b"")
        self.left = False

    def read(self, size: int, /) -> bytes:
        """Up to `size` decoded bytes, b"" at the end; CodingFault."""
        while not self._out:
            out = self._more()
            if out is None:
                return b""
            self._out = memoryview(out)
        data, self._out = bytes(self._out[:size]), self._out[size:]
        return data

    def _more(self) -> bytes | None:
        """Some decoded bytes, perhaps none yet; None at the end."""
        raise NotImplementedError


class _Inflate(_Decoder):
    """A deflate stream, in zlib's frame or bare. `rest` is what was read beyond its end."""

    def __init__(self, source: Source, bits: int) -> None:
        super().__init__(source)
        self._inflater = zlib.decompressobj(bits)
        self._begun = False
        self.rest = b""

    def _more(self) -> bytes | None:
        inflater = self._inflater
        if inflater.eof:
            self.rest = inflater.unused_data
            self.left = bool(self.rest)
            return None
        data = inflater.unconsumed_tail or self._source.read(self._step)
        if not data and not self._begun:
            return None  # an empty body, whatever it says
        self._begun = True
        try:
            out = inflater.decompress(data, STEP)
        except zlib.error:
            raise CodingFault("content.malformed") from None
        if not data and not out and not inflater.eof:
            raise CodingFault("content.truncated")
        return out


class _Deflate(_Decoder):
    """``deflate``: zlib by the letter, raw by custom; told by the first two bytes."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._inner: _Inflate | None = None

    def _more(self) -> bytes | None:
        if self._inner is None:
            start = _Start(self._source)
            head = start.peek(2)
            is_zlib = len(head) == 2 and head[0] & 0x0F == 8 and int.from_bytes(head) % 31 == 0
            self._inner = _Inflate(start, _ZLIB if is_zlib else _RAW)
        out = self._inner.read(STEP)
        self.left = self._inner.left
        return out or None


class _Gzip(_Decoder):
    """gzip (RFC 1952): the first member only, as in Chromium; the sum is checked after everything was given."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._inner: _Inflate | None = None
        self._over = False
        self._sum = self._size = 0

    def _more(self) -> bytes | None:
        if self._over:
            return None
        if self._inner is None:
            start = _Start(self._source)
            if not start.peek(1):
                self._over = True
                return None
            _skip_gzip_head(start)
            self._inner = _Inflate(start, _RAW)
        out = self._inner.read(STEP)
        if out:
            self._sum = zlib.crc32(out, self._sum)
            self._size += len(out)
            return out
        self._end(self._inner.rest)
        return None

    def _end(self, rest: bytes) -> None:
        self._over = True
        while len(rest) < 8 and (data := self._source.read(8 - len(rest))):
            rest += data
        if len(rest) < 8:
            raise CodingFault("content.truncated")
        self.left = len(rest) > 8
        if rest[:8] != self._sum.to_bytes(4, "little") + (self._size % (1 << 32)).to_bytes(4, "little"):
            raise CodingFault("content.checksum")


def _skip_gzip_head(start: _Start) -> None:
    """Go to where the deflate stream begins (RFC 1952 §2.3)."""
    head = start.exactly(10)
    if head[:3] != b"\x1f\x8b\x08" or head[3] & 0xE0:
        raise CodingFault("content.malformed")
    if head[3] & 4:
        start.exactly(int.from_bytes(start.exactly(2), "little"))
    for flag in (8, 16):
        if head[3] & flag:
            start.skip_text()
    if head[3] & 2:
        start.exactly(2)


class _Start:
    """The beginning of a source, which can be looked at before it is read."""

    left = False

    def __init__(self, source: Source) -> None:
        self._source = source
        self._held = b""

    def peek(self, size: int) -> bytes:
        while len(self._held) < size and (data := self._source.read(STEP)):
            self._held += data
        return self._held[:size]

    def exactly(self, size: int) -> bytes:
        data = self.peek(size)
        if len(data) < size:
            raise CodingFault("content.truncated")
        self._held = self._held[size:]
        return data

    def skip_text(self) -> None:
        """To the next zero byte, at most 64 KiB away."""
        text, zero, _ = self.peek(STEP).partition(b"\0")
        if not zero:
            raise CodingFault("content.malformed")
        self.exactly(len(text) + 1)

    def read(self, size: int, /) -> bytes:
        if not self._held:
            return self._source.read(size)
        data, self._held = self._held[:size], self._held[size:]
        return data


class _Brotli(_Decoder):
    """``br`` (RFC 7932). Bytes after the end make the library refuse the piece they are in: malformed."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._decoder = brotli.Decompressor()
        self._begun = False

    def _more(self) -> bytes | None:
        decoder = self._decoder
        if decoder.is_finished():
            return None
        data = self._source.read(self._step) if decoder.can_accept_more_data() else b""
        if not data and not self._begun:
            return None
        self._begun = True
        try:
            out = cast("bytes", decoder.process(data, output_buffer_limit=STEP))
        except brotli.error:
            raise CodingFault("content.malformed") from None
        if not data and not out and not decoder.is_finished():
            raise CodingFault("content.truncated")
        return out


class _Zstd(_Decoder):
    """``zstd`` (RFC 8878), any number of frames, with the window of RFC 9659.

    The library gives all that a piece of input holds, so the pieces are small: 512 bytes hold 128 blocks of 128 KiB.
    """

    def __init__(self, source: Source) -> None:
        super().__init__(source, step=512)
        self._frames = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW)
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._pushed = b""

    def _more(self) -> bytes | None:
        data, self._pushed = self._pushed or self._source.read(self._step), b""
        if not data:
            if self._frame is None:
                return None
            raise CodingFault("content.truncated")
        self._frame = self._frame or self._frames.decompressobj()
        try:
            out = self._frame.decompress(data)
        except zstandard.ZstdError:
            raise CodingFault("content.malformed") from None
        if self._frame.eof:
            self._pushed, self._frame = self._frame.unused_data, None
        return out


CODINGS: Final[Mapping[str, Callable[[Source], Source]]] = {
    "gzip": _Gzip,
    "x-gzip": _Gzip,
    "deflate": _Deflate,
    "br": _Brotli,
    "zstd": _Zstd,
}
"""By name, lower case."""
