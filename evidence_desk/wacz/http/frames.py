"""Frames of HTTP/2 (RFC 9113 §4, §6)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from evidence_desk.wacz.http.feed import ProtocolFault

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_HEAD: Final = struct.Struct(">BHBBI")
_SETTING: Final = struct.Struct(">HI")
_MAX_SETTINGS: Final = 1024


class Kind(IntEnum):
    """Frame types (RFC 9113 §6); others are ignored."""

    DATA = 0
    HEADERS = 1
    PRIORITY = 2
    RST_STREAM = 3
    SETTINGS = 4
    PUSH_PROMISE = 5
    PING = 6
    GOAWAY = 7
    WINDOW_UPDATE = 8
    CONTINUATION = 9


class Flag:
    """Flags; their meaning depends on the frame type. Plain numbers: an IntFlag costs more than all else of a frame."""

    END_STREAM: Final = 1
    END_HEADERS: Final = 4
    PADDED: Final = 8
    PRIORITY: Final = 32


class Setting(IntEnum):
    """Settings that matter to a reader (RFC 9113 §6.5.2)."""

    HEADER_TABLE_SIZE = 1
    MAX_FRAME_SIZE = 5


ERRORS: Final = dict(
    enumerate(
        (
            "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT",
            "STREAM_CLOSED", "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR",
            "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
        )
    )
)  # fmt: skip
"""Names of error codes (RFC 9113 §7)."""


@dataclass(slots=True)
class FrameHead:
    """Head of a frame."""

    length: int
    kind: int
    flags: int
    stream: int


def read_head(data: bytes) -> FrameHead:
    """The 9 bytes before a frame (RFC 9113 §4.1)."""
    high, low, kind, flags, stream = _HEAD.unpack(data)
    return FrameHead(high << 16 | low, kind, flags, stream & 0x7FFFFFFF)


def unpadded(head: FrameHead, payload: bytes) -> bytes:
    """Payload of HEADERS or PUSH_PROMISE without padding.

    Raises:
        ProtocolFault: ``http2.frame_malformed``.
    """
    if not head.stream:
        raise ProtocolFault("http2.frame_malformed")
    if not head.flags & Flag.PADDED:
        return payload
    if not payload or payload[0] >= len(payload):
        raise ProtocolFault("http2.frame_malformed")
    return payload[1 : len(payload) - payload[0]]


def read_settings(head: FrameHead, payload: bytes) -> Iterator[tuple[int, int]]:
    """(identifier, value) of each setting.

    Raises:
        ProtocolFault: ``http2.frame_malformed``.
    """
    if head.stream or len(payload) % _SETTING.size or len(payload) > _MAX_SETTINGS * _SETTING.size:
        raise ProtocolFault("http2.frame_malformed")
    yield from _SETTING.iter_unpack(payload)
