"""Content codings taken off, within bounds, the way Chromium does it: gzip, deflate, br, zstd, stacked.

What cannot be decoded ends the stream early and leaves a fault code: garbage and bombs cost neither an exception nor
memory.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO, Final

from evidence_desk.wacz.http.codings import CODINGS, STEP, CodingFault, Source
from evidence_desk.wacz.http.heads import Field, values

_MAX_CODINGS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentLimits:
    """Bounds of decoding: `size` bytes at all, and beyond `free` bytes no more than `ratio` times what went in."""

    size: int = 1 << 30
    ratio: int = 200
    free: int = 16 * 1024 * 1024


DEFAULT_CONTENT = ContentLimits()


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
    if any(name not in CODINGS for name in names):
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
    while data := content.read(STEP):
        hasher.update(data)
        size += len(data)
    return ContentDigest(size=size, sha256=hasher.digest(), fault=content.fault)


class Content(io.BufferedIOBase):
    """Decoded bytes, to be read once from the beginning.

    Attributes:
        fault: None, or after the end was reached why it came early: ``content.malformed``, ``content.truncated``,
            ``content.too_large``, ``content.ratio``. ``content.checksum``: whole, but the sum of gzip is wrong, which
            Chromium does not look at; ``content.trailing``: whole, but bytes follow that no browser shows;
            ``content.unknown``: the bytes are not decoded; ``content.too_many``: nor are these.
    """

    def __init__(self, body: BinaryIO, names: list[str], limits: ContentLimits, fault: str | None) -> None:
        super().__init__()
        coded = _Counted(_Body(body), None, limits)
        self._chain = [coded]
        for name in reversed(names):
            self._chain.append(_Counted(CODINGS[name](self._chain[-1]), coded, limits))
        self._over = False
        self.fault = fault

    def readable(self) -> bool:
        """Always."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """`size` bytes, fewer at the end; everything within the limits without it."""
        wanted = -1 if size is None else size
        pieces: list[bytes] = []
        while wanted and (piece := self._read(STEP if wanted < 0 else wanted)):
            pieces.append(piece)
            wanted -= len(piece) if wanted > 0 else 0
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def read1(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes."""
        return self._read(size if size >= 0 else STEP)

    def _read(self, size: int) -> bytes:
        if self._over or not size:
            return b""
        try:
            data = self._chain[-1].read(min(size, STEP))
        except CodingFault as fault:
            self._over, self.fault = True, fault.code
            return b""
        if not data:
            self._over = True
            self.fault = self.fault or self._trailing()
        return data

    def _trailing(self) -> str | None:
        """Whether a decoder came to its end before its source did."""
        try:
            left = any(source.left or source.read(1) for source in self._chain)
        except CodingFault:
            left = True
        return "content.trailing" if left else None


class _Counted:
    """A source whose bytes are counted, and bounded where it is a decoder: one between two others too."""

    def __init__(self, source: Source, coded: _Counted | None, limits: ContentLimits) -> None:
        self._source = source
        self._coded = coded
        self._limits = limits
        self.size = 0

    @property
    def left(self) -> bool:
        return self._source.left

    def read(self, size: int, /) -> bytes:
        data = self._source.read(size)
        self.size += len(data)
        if self._coded is not None:
            if self.size > self._limits.size:
                raise CodingFault("content.too_large")
            if self.size > max(self._limits.free, self._limits.ratio * self._coded.size):
                raise CodingFault("content.ratio")
        return data


class _Body:
    """The body as a source."""

    left = False

    def __init__(self, body: BinaryIO) -> None:
        self._body = body

    def read(self, size: int, /) -> bytes:
        return self._body.read(size)
