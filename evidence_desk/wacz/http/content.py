"""Content codings taken off, within bounds, the way Chromium does it: gzip, deflate, br, zstd, stacked.

What cannot be decoded ends the stream early and leaves a fault code: garbage and bombs cost neither an exception nor
memory.
"""

from __future__ import annotations

import hashlib
import io
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Final, Protocol, cast

import brotli
import zstandard

from evidence_desk.wacz.http.heads import Field, values

_STEP: Final = 64 * 1024
_MAX_CODINGS: Final = 5
_MAX_WINDOW: Final = 8 * 1024 * 1024
"""Zstandard window that a browser must accept, and the most it does (RFC 9659)."""

_GZIP: Final = 31
_ZLIB: Final = 15
_RAW: Final = -15


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentLimits:
    """Bounds of decoding: `size` bytes at all, and beyond `free` bytes no more than `ratio` times what went in."""

    size: int = 1 << 30
    ratio: int = 200
    free: int = 16 * 1024 * 1024


DEFAULT_CONTENT = ContentLimits()


class _Source(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Fault(Exception):  # noqa: N818 - never leaves this module
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def codings(headers: Iterable[Field]) -> list[str]:
    """Codings in the order they were applied (RFC 9110 §8.4), lower case, without ``identity``."""
    found = (value.decode("latin-1").lower() for value in values(list(headers), b"content-encoding"))
    return [name for name in found if name != "identity"]


def decoded(headers: Iterable[Field], body: BinaryIO, limits: ContentLimits = DEFAULT_CONTENT) -> Content:
    """The content of a body (its payload, without chunk framing); see `Content` for what can be wrong.

    As in Chromium, an unknown coding leaves the body as it is.
    """
    names = codings(headers)
    if not names:
        return Content(body, [], limits, None)
    if any(name not in _CODINGS for name in names):
        return Content(body, [], limits, "content.unknown")
    if len(names) > _MAX_CODINGS:
        return Content(body, [], limits, "content.too_many")
    return Content(body, names, limits, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentDigest:
    """Size and SHA-256 of a content, as far as it could be decoded."""

    size: int
    sha256: bytes
    fault: str | None


def content_digest(
    headers: Iterable[Field], body: BinaryIO, limits: ContentLimits = DEFAULT_CONTENT
) -> ContentDigest:
    """Decode a body only to hash it."""
    content, hasher, size = decoded(headers, body, limits), hashlib.sha256(), 0
    while data := content.read(_STEP):
        hasher.update(data)
        size += len(data)
    return ContentDigest(size=size, sha256=hasher.digest(), fault=content.fault)


class Content(io.BufferedIOBase):
    """Decoded bytes, to be read once from the beginning.

    Attributes:
        fault: None, or after the end was reached why it came early: ``content.malformed``, ``content.truncated``,
            ``content.too_large``, ``content.ratio``; ``content.trailing``: whole, but bytes follow that no browser
            shows; ``content.unknown``: the bytes are not decoded; ``content.too_many``: nor are these.
    """

    def __init__(self, body: BinaryIO, names: list[str], limits: ContentLimits, fault: str | None) -> None:
        super().__init__()
        self._coded = _Counted(body)
        self._chain: list[_Source] = [self._coded]
        for name in reversed(names):
            self._chain.append(_CODINGS[name](self._chain[-1]))
        self._limits = limits
        self._size = 0
        self._over = False
        self.fault = fault

    def readable(self) -> bool:
        """Always."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """Up to `size` bytes; everything within the limits without it."""
        if size is not None and size >= 0:
            return self._read(size)
        pieces: list[bytes] = []
        while piece := self._read(_STEP):
            pieces.append(piece)
        return b"".join(pieces)

    def read1(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes."""
        return self._read(size if size >= 0 else _STEP)

    def _read(self, size: int) -> bytes:
        if self._over or not size:
            return b""
        try:
            data = self._chain[-1].read(min(size, _STEP))
            self._size += len(data)
            self._check()
        except _Fault as fault:
            self._over, self.fault = True, fault.code
            return b""
        if not data:
            self._over = True
            self.fault = self.fault or self._trailing()
        return data

    def _check(self) -> None:
        if len(self._chain) == 1:
            return
        if self._size > self._limits.size:
            raise _Fault("content.too_large")
        if self._size > max(self._limits.free, self._limits.ratio * self._coded.size):
            raise _Fault("content.ratio")

    def _trailing(self) -> str | None:
        """Whether a decoder came to its end before its source did."""
        try:
            left = any(source.read(1) for source in self._chain)
        except _Fault:
            left = True
        return "content.trailing" if left else None


class _Counted:
    """The coded bytes, counted."""

    def __init__(self, body: BinaryIO) -> None:
        self._body = body
        self.size = 0

    def read(self, size: int, /) -> bytes:
        data = self._body.read(size)
        self.size += len(data)
        return data


class _Decoder:
    """A coding that is being taken off."""

    def __init__(self, source: _Source, step: int = _STEP) -> None:
        self._source = source
        self._step = step
        self._out = memoryview(b"")

    def read(self, size: int, /) -> bytes:
        """Up to `size` decoded bytes, b"" at the end; _Fault."""
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
    """gzip and deflate: the first member only, as in Chromium."""

    def __init__(self, source: _Source, bits: int) -> None:
        super().__init__(source)
        self._inflater = zlib.decompressobj(bits)
        self._begun = False

    def _more(self) -> bytes | None:
        inflater = self._inflater
        if inflater.eof:
            if inflater.unused_data:
                raise _Fault("content.trailing")
            return None
        data = inflater.unconsumed_tail or self._source.read(self._step)
        if not data and not self._begun:
            return None  # an empty body, whatever it says
        self._begun = True
        try:
            out = inflater.decompress(data, _STEP)
        except zlib.error:
            raise _Fault("content.malformed") from None
        if not data and not out and not inflater.eof:
            raise _Fault("content.truncated")
        return out


class _Deflate(_Decoder):
    """``deflate``: zlib by the letter, raw by custom; told by the first two bytes."""

    def __init__(self, source: _Source) -> None:
        super().__init__(source)
        self._inner: _Inflate | None = None

    def _more(self) -> bytes | None:
        if self._inner is None:
            start = self._source.read(1)
            start += self._source.read(1) if start else b""
            is_zlib = len(start) == 2 and start[0] & 0x0F == 8 and int.from_bytes(start) % 31 == 0
            self._inner = _Inflate(_Pushed(start, self._source), _ZLIB if is_zlib else _RAW)
        return self._inner.read(_STEP) or None


class _Pushed:
    """A source whose first bytes were read already."""

    def __init__(self, start: bytes, source: _Source) -> None:
        self._start = start
        self._source = source

    def read(self, size: int, /) -> bytes:
        if not self._start:
            return self._source.read(size)
        data, self._start = self._start[:size], self._start[size:]
        return data


class _Brotli(_Decoder):
    """``br`` (RFC 7932). Bytes after the end make the library refuse the piece they are in."""

    def __init__(self, source: _Source) -> None:
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
            out = cast("bytes", decoder.process(data, output_buffer_limit=_STEP))
        except brotli.error:
            raise _Fault("content.malformed") from None
        if not data and not out and not decoder.is_finished():
            raise _Fault("content.truncated")
        return out


class _Zstd(_Decoder):
    """``zstd`` (RFC 8878), any number of frames, with the window of RFC 9659.

    The library gives all that a piece of input holds, so the pieces are small: 512 bytes hold 128 blocks of 128 KiB.
    """

    def __init__(self, source: _Source) -> None:
        super().__init__(source, step=512)
        self._frames = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW)
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._pushed = b""

    def _more(self) -> bytes | None:
        data, self._pushed = self._pushed or self._source.read(self._step), b""
        if not data:
            if self._frame is None:
                return None
            raise _Fault("content.truncated")
        self._frame = self._frame or self._frames.decompressobj()
        try:
            out = self._frame.decompress(data)
        except zstandard.ZstdError:
            raise _Fault("content.malformed") from None
        if self._frame.eof:
            self._pushed, self._frame = self._frame.unused_data, None
        return out


_CODINGS: Final[Mapping[str, Callable[[_Source], _Source]]] = {
    "gzip": lambda source: _Inflate(source, _GZIP),
    "x-gzip": lambda source: _Inflate(source, _GZIP),
    "deflate": _Deflate,
    "br": _Brotli,
    "zstd": _Zstd,
}
