"""HTTP/2 header blocks: HPACK within bounds (RFC 7541), and their form as HTTP/1.1 heads."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from hpack import Decoder, HPACKError

from evidence_desk.wacz.http.feed import ProtocolFault
from evidence_desk.wacz.http.heads import Field, absolute_url, first, printable

_NAME: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-z]+\Z")
_BREAKS: Final = re.compile(rb"[\r\n\0]")
_STATUS: Final = re.compile(rb"[1-5][0-9]{2}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A decoded header block: pseudo-header fields, the others in order, what is wrong with it."""

    pseudo: dict[bytes, bytes]
    fields: list[Field]
    fault: str | None

    @property
    def status(self) -> int | None:
        """Status of a response."""
        status = self.pseudo.get(b":status", b"")
        return int(status) if _STATUS.match(status) else None

    @property
    def informational(self) -> bool:
        """Whether it is a 1xx response."""
        return self.status is not None and self.status < 200

    def url(self, scheme: str, authority: bytes) -> str:
        """URL of a request; `scheme` and `authority` are those of the connection, for what is missing."""
        asked = self.pseudo.get(b":scheme")
        return absolute_url(
            scheme if asked is None else printable(asked),
            self.pseudo.get(b":authority") or first(self.fields, b"host") or authority,
            self.pseudo.get(b":path", b""),
        )

    def text(self, line: bytes, authority: bytes | None = None) -> bytes:
        """A head in the form of HTTP/1.1."""
        lines = [line] if authority is None else [line, b"host: " + _plain(authority)]
        lines += [_plain(name) + b": " + _plain(value) for name, value in self.fields]
        return b"\r\n".join(lines) + b"\r\n\r\n"


def request_head(message: Message) -> bytes:
    """``METHOD path HTTP/1.1``, ``host:`` for :authority, then the fields as sent."""
    pseudo = message.pseudo
    target = pseudo.get(b":path", b"")
    if pseudo.get(b":method") == b"CONNECT":
        target = pseudo.get(b":authority", b"") + target
        if b":protocol" in pseudo:
            target = pseudo.get(b":scheme", b"https") + b"://" + target
    line = pseudo.get(b":method", b"") + b" " + target.replace(b" ", b"%20") + b" HTTP/1.1"
    return message.text(_plain(line), pseudo.get(b":authority"))


def response_head(message: Message) -> bytes:
    """``HTTP/1.1 status`` with an empty reason, then the fields as sent."""
    return message.text(b"HTTP/1.1 " + _plain(message.pseudo.get(b":status", b"")) + b" ")


def _plain(data: bytes) -> bytes:
    """Without line breaks, which HTTP/2 forbids (RFC 9113 §8.2.1) and a head could not carry."""
    return _BREAKS.sub(b" ", data)


class HeaderDecoder:
    """HPACK state of one direction."""

    def __init__(self, limit: int) -> None:
        self._decoder = Decoder(max_header_list_size=limit)

    def allow_table(self, size: int) -> None:
        """The receiver allows a table of this size; what it allowed before may still be in use."""
        self._decoder.max_allowed_table_size = max(self._decoder.max_allowed_table_size, size)

    def decode(self, block: bytes) -> Message:
        """Fields of a block.

        Raises:
            ProtocolFault: ``http2.hpack``; the state is lost, nothing after it can be read.
        """
        try:
            decoded = self._decoder.decode(block, raw=True)
        except (HPACKError, ValueError, IndexError, OverflowError) as error:
            raise ProtocolFault("http2.hpack") from error
        pseudo: dict[bytes, bytes] = {}
        found: list[Field] = []
        fault: str | None = None
        for name, value in ((bytes(item[0]), bytes(item[1])) for item in decoded):
            if name.startswith(b":"):
                if name in pseudo or found:
                    fault = "http2.pseudo_malformed"
                pseudo.setdefault(name, value)
                continue
            if not _NAME.match(name) or _BREAKS.search(value):
                fault = "http2.field_malformed"
            found.append((name, value))
        return Message(pseudo=pseudo, fields=found, fault=fault)
