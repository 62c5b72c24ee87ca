"""Bounds that hostile bytes run into before they cost memory."""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one connection; sizes in bytes.

    Attributes:
        head: one head, or one list of HTTP/2 header fields (RFC 9113 §6.5.2 counting). Chromium's own bound.
        heads: all heads and trailers of the connection together, what it costs to keep them included.
        exchanges, messages: how many are kept; later ones are counted as faults.
        streams: HTTP/2 streams open at once; Chromium opens 256 at most.
        continuations: frames of one HTTP/2 header block.
        controls: HTTP/2 SETTINGS, PING, PRIORITY, unknown and empty DATA frames, before it is called a flood.
        table: HPACK table that a server may allow the browser.
        message: one inflated WebSocket message.
        inflated: inflated WebSocket messages of the connection together, or 50 times what came, whichever is more.
    """

    head: int = 256 * KIB
    heads: int = 64 * MIB
    exchanges: int = 50_000
    messages: int = 100_000
    streams: int = 1_000
    continuations: int = 256
    controls: int = 100_000
    table: int = 16 * MIB
    message: int = 64 * MIB
    inflated: int = 256 * MIB


DEFAULT_LIMITS = Limits()
