"""State of a session that both versions of the protocol share: its two sides, its transcript, its facts."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol

from evidence_desk.core.capture.stream import Direction
from evidence_desk.core.digests import sha256
from evidence_desk.wacz.tls.facts import Plain, TlsFacts
from evidence_desk.wacz.tls.faults import Fault
from evidence_desk.wacz.tls.messages import MESSAGE_HASH
from evidence_desk.wacz.tls.protection import Opener
from evidence_desk.wacz.tls.records import RecordReader
from evidence_desk.wacz.tls.schedule import HashName

if TYPE_CHECKING:
    from evidence_desk.wacz.tls.keylog import KeyLog
    from evidence_desk.wacz.tls.messages import ClientHello

MAX_MESSAGE: Final = 1 << 18
"""Bytes of one handshake message."""
MAX_TRANSCRIPT: Final = 1 << 20
"""Bytes of all messages of a handshake."""
MAX_HELD: Final = 1 << 18
"""Bytes of a client that wait for the server's choice: hello, early data."""
MAX_ISSUED: Final = 256
"""Tickets of which digests are kept."""


class Side:
    """One direction of a session.

    Attributes:
        opener: opens its records; None as long as they are in the clear.
        secret: traffic secret of TLS 1.3 behind `opener`.
        held: nothing may be read until the other side has said something.
        open: application data may come.
        early: what comes is early data.
        updates: key updates since the last data.
        fault: why it is read no further.
    """

    def __init__(self, direction: Direction) -> None:
        self.direction = direction
        self.reader = RecordReader()
        self.opener: Opener | None = None
        self.secret = b""
        self.held = False
        self.open = False
        self.early = False
        self.fault: str | None = None
        self.ended: str | None = None
        self.unread = 0
        self.updates = 0
        self.out: list[Plain] = []
        self._fragment = bytearray()

    @property
    def is_server(self) -> bool:
        """Whether these are the server's bytes."""
        return self.direction is Direction.IN

    @property
    def within_message(self) -> bool:
        """Whether a handshake message has begun and not ended."""
        return bool(self._fragment)

    def protect(self, opener: Opener, secret: bytes = b"") -> None:
        """Change the key, which must not happen inside a message (RFC 8446 §5.1)."""
        if self._fragment:
            raise Fault(code="tls.message.straddles")
        self.opener = opener
        self.secret = secret

    def collect(self, data: bytes) -> None:
        """Take in a piece of the handshake."""
        self._fragment += data

    def message(self) -> bytes | None:
        """The next whole handshake message with its head."""
        if len(self._fragment) < 4:
            return None
        size = 4 + int.from_bytes(self._fragment[1:4])
        if size > MAX_MESSAGE:
            raise Fault(code="tls.message.too_large")
        if len(self._fragment) < size:
            return None
        whole = bytes(self._fragment[:size])
        del self._fragment[:size]
        return whole

    def emit(self, at: int, data: bytes) -> None:
        """Give out application data."""
        if data:
            self.updates = 0
            self.out.append(Plain(direction=self.direction, at=at, data=data, early=self.early))


class Transcript:
    """The messages of a handshake; kept until it ends, because digests are chosen late."""

    def __init__(self) -> None:
        self._messages: list[bytes] = []
        self._size = 0

    def add(self, message: bytes) -> None:
        """Append a message with its head."""
        self._size += len(message)
        if self._size > MAX_TRANSCRIPT:
            raise Fault(code="tls.message.too_large")
        self._messages.append(message)

    def digest(self, name: HashName) -> bytes:
        """Digest of all so far."""
        return hashlib.new(name, b"".join(self._messages)).digest()

    @property
    def content(self) -> bytes:
        """All so far."""
        return b"".join(self._messages)

    def retry(self, name: HashName) -> None:
        """Put the digest of the first ClientHello in its place (RFC 8446 §4.4.1)."""
        digest = self.digest(name)
        self._messages = [bytes([MESSAGE_HASH, 0, 0, len(digest)]) + digest]
        self._size = len(self._messages[0])

    def copy(self) -> Transcript:
        """One that goes on apart."""
        twin = Transcript()
        twin._messages = list(self._messages)
        twin._size = self._size
        return twin


class Handshake(Protocol):
    """A version of the protocol, from the ServerHello on."""

    def message(self, side: Side, kind: int, body: bytes, whole: bytes) -> None:
        """A handshake message came."""

    def change_cipher_spec(self, side: Side) -> None:
        """A ChangeCipherSpec came."""


class Session:
    """What is known of a session while it is read."""

    def __init__(self, secrets: KeyLog) -> None:
        self.secrets = secrets
        self.client = Side(Direction.OUT)
        self.server = Side(Direction.IN)
        self.transcript = Transcript()
        self.facts = TlsFacts()
        self.hello: ClientHello | None = None

    @property
    def offered(self) -> ClientHello:
        """The client's hello."""
        if self.hello is None:
            raise Fault(code="tls.message.unexpected")
        return self.hello

    def secret(self, label: str, size: int) -> bytes:
        """A secret of the key log; Fault ``tls.secret.missing``."""
        found = self.secrets.secret(label, self.offered.random, size)
        if found is None:
            raise Fault(code="tls.secret.missing")
        return found

    def note_fault(self, fault: Fault) -> None:
        """Record a fault that stops nothing."""
        if fault.code not in self.facts.faults:
            self.facts = replace(self.facts, faults=(*self.facts.faults, fault.code))

    def stop(self, side: Side, fault: Fault) -> None:
        """Read a side no further."""
        side.fault = fault.code
        self.note_fault(fault)

    def issue(self, ticket: bytes) -> None:
        """Record a ticket or session ID that the server gave out."""
        if ticket and len(self.facts.issued) < MAX_ISSUED:
            self.facts = replace(self.facts, issued=(*self.facts.issued, sha256(ticket)))

    def checkable(self, side: Side) -> bool:
        """Whether the transcript is whole: the other side's part of it may be unreadable."""
        if side.is_server:
            return self.client.fault is None or self.facts.version_code != 0x0303
        return self.server.fault is None or self.facts.finished_server is not None

    def note_finished(self, side: Side, *, right: bool) -> None:
        """Record whether a Finished message is right; Fault ``tls.finished.wrong``."""
        if side.is_server:
            self.facts = replace(self.facts, finished_server=right)
        else:
            self.facts = replace(self.facts, finished_client=right)
        if not right:
            raise Fault(code="tls.finished.wrong")
