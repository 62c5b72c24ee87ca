"""HTTP/2 frames made by hand, for what the h2 library would not send."""

from hpack import Encoder

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
END_STREAM, END_HEADERS, PADDED, PRIORITY = 1, 4, 8, 32


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3) + bytes((kind, flags)) + stream.to_bytes(4) + payload


def data(stream: int, payload: bytes, flags: int = 0) -> bytes:
    return frame(0, flags, stream, payload)


def settings(*pairs: tuple[int, int]) -> bytes:
    return frame(4, 0, 0, b"".join(name.to_bytes(2) + value.to_bytes(4) for name, value in pairs))


def reset(stream: int, code: int) -> bytes:
    return frame(3, 0, stream, code.to_bytes(4))


def goaway(last: int, code: int = 0, debug: bytes = b"") -> bytes:
    return frame(7, 0, 0, last.to_bytes(4) + code.to_bytes(4) + debug)


Fields = list[tuple[bytes, bytes]]
REQUEST: Fields = [
    (b":method", b"GET"),
    (b":scheme", b"https"),
    (b":authority", b"a.test"),
    (b":path", b"/x"),
]


class Side:
    """One end's sender, with its HPACK state."""

    def __init__(self) -> None:
        self.encoder = Encoder()

    def block(self, fields: Fields) -> bytes:
        return self.encoder.encode(fields)

    def headers(self, stream: int, fields: Fields, flags: int = 0) -> bytes:
        return frame(1, flags | END_HEADERS, stream, self.block(fields))

    def get(self, stream: int, path: bytes = b"/x", *extra: tuple[bytes, bytes]) -> bytes:
        return self.headers(stream, [*REQUEST[:3], (b":path", path), *extra], END_STREAM)

    def status(self, stream: int, status: bytes, *extra: tuple[bytes, bytes], end: bool = False) -> bytes:
        return self.headers(stream, [(b":status", status), *extra], END_STREAM if end else 0)
