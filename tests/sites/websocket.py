"""WebSocket conversations of the HTTP/1.1 test site (RFC 6455; permessage-deflate RFC 7692)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.frames import Frame, Opcode
from websockets.http11 import Request as Handshake
from websockets.protocol import State
from websockets.server import ServerProtocol

from tests.sites.answer import Ending, Upgrade
from tests.sites.record import Message, Sent

if TYPE_CHECKING:
    from tests.sites.server import Link, Server

GREETING = "你好，证据台。𠮷"
GOODBYE = "再见"


def talk(site: Server, link: Link, sent: Sent, upgrade: Upgrade, early: bytes) -> None:
    """Speak until the client closes: greet, echo every message, close with 1000 when told ``bye``."""
    deflate = [ServerPerMessageDeflateFactory()] if upgrade.deflate else None
    _Talk(site, link, sent, ServerProtocol(extensions=deflate, max_size=8 << 20), upgrade.speak).run(early)


class _Talk:
    def __init__(self, site: Server, link: Link, sent: Sent, protocol: ServerProtocol, speak: str) -> None:
        self._site, self._link, self._sent, self._protocol, self._speak = site, link, sent, protocol, speak
        self._parts = b""
        self._text = False

    def run(self, early: bytes) -> None:
        self._protocol.receive_data(self._sent.request_head + early)
        for event in self._protocol.events_received():
            if isinstance(event, Handshake):
                response = self._protocol.accept(event)
                self._protocol.send_response(response)
                self._shake(response.status_code)
            else:
                self._answer(event)
        self._flush()
        while self._protocol.state is not State.CLOSED and not self._protocol.close_expected():
            data = self._link.socket.recv(1 << 16)
            if data:
                self._protocol.receive_data(data)
            else:
                self._protocol.receive_eof()
            for event in self._protocol.events_received():
                self._answer(event)
            self._flush()
            if not data:
                break
        self._sent.completed = True
        self._sent.payload = self._sent.body
        self._link.end(Ending.CLOSE)

    def _shake(self, status: int) -> None:
        head = b"".join(self._protocol.data_to_send())
        self._link.socket.sendall(head)
        self._sent.status, self._sent.head = status, head
        if status == 101:
            self._say(True, GREETING.encode())
            if self._speak == "fragments":
                self._fragments()

    def _fragments(self) -> None:
        """One text in three frames, a ping between them, the cut inside a character."""
        data = "分三段送来的一句话".encode()
        self._protocol.send_text(data[:4], fin=False)
        self._protocol.send_ping(b"between")
        self._protocol.send_continuation(data[4:10], fin=False)
        self._protocol.send_continuation(data[10:], fin=True)
        self._log("<", True, data)

    def _answer(self, event: object) -> None:
        if not isinstance(event, Frame) or event.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            return
        if event.opcode is not Opcode.CONT:
            self._parts, self._text = b"", event.opcode is Opcode.TEXT
        self._parts += event.data
        if not event.fin:
            return
        self._log(">", self._text, self._parts)
        if self._text and self._parts == b"bye":
            self._protocol.send_close(1000, GOODBYE)
            return
        self._say(self._text, self._parts)

    def _say(self, text: bool, data: bytes) -> None:
        (self._protocol.send_text if text else self._protocol.send_binary)(data)
        self._log("<", text, data)

    def _log(self, direction: str, text: bool, data: bytes) -> None:
        number, peer = self._link.number, self._link.peer
        self._site.log.message(
            Message(connection=number, peer=peer, direction=direction, text=text, data=data)
        )

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._link.socket.sendall(data)
                self._sent.body.add(data)
