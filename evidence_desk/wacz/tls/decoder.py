"""Decryption of a recorded connection: records, alerts, hellos; the rest is that of `tls12` and `tls13`."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from evidence_desk.core.capture.stream import Direction
from evidence_desk.wacz.tls import messages
from evidence_desk.wacz.tls.facts import Plain, TlsFacts
from evidence_desk.wacz.tls.faults import Fault
from evidence_desk.wacz.tls.keylog import KeyLog
from evidence_desk.wacz.tls.messages import ServerHello
from evidence_desk.wacz.tls.names import ALERTS, GROUPS, VERSIONS, named
from evidence_desk.wacz.tls.protection import MAX_PLAINTEXT, SKIPPED
from evidence_desk.wacz.tls.records import ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE, Record
from evidence_desk.wacz.tls.session import MAX_HELD, Handshake, Session, Side
from evidence_desk.wacz.tls.suites import SUITES, suite_name
from evidence_desk.wacz.tls.tls12 import Tls12
from evidence_desk.wacz.tls.tls13 import Tls13

_TLS_12: Final = 0x0303
_TLS_13: Final = 0x0304
_WARNING: Final = 1
_USER_CANCELED: Final = 90


def looks_like_tls(data: bytes) -> bool | None:
    """Whether the first bytes of a client begin a ClientHello; None when they are too few to tell."""
    head = data[:6]
    if not (bytes([HANDSHAKE]).startswith(head[:1]) and b"\3".startswith(head[1:2])):
        return False
    if head[2:3] > b"\4" or (len(head) >= 5 and not 0 < int.from_bytes(head[3:5]) <= MAX_PLAINTEXT):
        return False
    return None if len(head) < 6 else head[5] == messages.CLIENT_HELLO


class TlsDecoder:
    """Reads both directions of one connection in the order they passed.

    Hostile bytes raise nothing: a fault ends the reading of its direction, what came before stays, and its code stands in
    `facts`. Memory is bounded: one record, one handshake message (256 KiB), and 256 KiB of a client that waits.
    """

    def __init__(self, secrets: KeyLog) -> None:
        self._session = Session(secrets)
        self._handshake: Handshake | None = None
        self._first = b""
        self._is_tls: bool | None = None
        self._retry: ServerHello | None = None

    @property
    def is_tls(self) -> bool | None:
        """False when the first bytes are no ClientHello (nothing is decoded then); None as long as they are too few."""
        return self._is_tls

    def feed(self, direction: Direction, at: int, data: bytes) -> list[Plain]:
        """Take in bytes that passed at `at` (µs); the application data that became readable, in order."""
        if self._is_tls is None:
            self._recognize(direction, data)
        if self._is_tls is False or not data:
            return []
        session = self._session
        side, other = session.client, session.server
        if direction is Direction.IN:
            side, other = other, side
        if side.fault is not None:
            side.unread += len(data)
            return []
        side.reader.feed(at, data)
        waited = other.held
        self._drain(side)
        if waited and not other.held:
            self._drain(other)
        given = _joined(side.out) + _joined(other.out)
        side.out, other.out = [], []
        return given

    def finish(self) -> None:
        """No more bytes come: tell how each side ended."""
        session = self._session
        if self._is_tls is not True:
            return
        for side in (session.server, session.client):
            if side.fault is None and (side.reader.waiting or side.within_message):
                session.note_fault(Fault(code="tls.held" if side.held else "tls.record.cut"))
            side.unread += side.reader.drop()
            if side.ended is None:
                side.ended = "fault" if side.fault else "truncated"
        if not session.facts.complete and not session.facts.faults and not self._alerted():
            session.note_fault(Fault(code="tls.handshake.incomplete"))

    @property
    def facts(self) -> TlsFacts:
        """All that is known so far."""
        session = self._session
        return replace(
            session.facts,
            ended=session.server.ended,
            ended_client=session.client.ended,
            fault_server=session.server.fault,
            fault_client=session.client.fault,
            unread_received=session.server.unread,
            unread_sent=session.client.unread,
        )

    def _alerted(self) -> bool:
        ends = {self._session.server.ended, self._session.client.ended}
        return bool(ends - {"truncated", "fault", "close_notify"})

    def _recognize(self, direction: Direction, data: bytes) -> None:
        if direction is Direction.IN:
            self._is_tls = False if data else None  # no server of TLS speaks first
            return
        self._first += data[:6]
        self._is_tls = looks_like_tls(self._first)

    def _drain(self, side: Side) -> None:
        """Read all records of a side that can be read."""
        while not side.held and side.fault is None and self._step(side):
            pass
        if side.held and side.reader.waiting > MAX_HELD:
            self._session.stop(side, Fault(code="tls.early_data.too_long"))
        if side.fault is not None:
            side.unread += side.reader.drop()

    def _step(self, side: Side) -> bool:
        """Read one record; False when there is none yet."""
        record = None
        try:
            record = side.reader.next()
            if record is not None:
                self._record(side, record)
        except Fault as fault:
            self._session.stop(side, fault)
            side.unread += 0 if record is None else len(record.header) + len(record.payload)
        return record is not None

    def _record(self, side: Side, record: Record) -> None:
        kind, content = record.kind, record.payload
        if side.ended is not None:
            side.unread += len(content)
            self._session.note_fault(Fault(code="tls.data.after_end"))
            return
        if side.opener is None:
            self._check_clear(record)
        elif not isinstance(self._handshake, Tls13) or kind == APPLICATION_DATA:
            kind, content = side.opener.open(record.header, content)
            if kind == CHANGE_CIPHER_SPEC and isinstance(self._handshake, Tls13):
                raise Fault(code="tls.record.malformed")
        elif kind == ALERT and not side.open:
            self._session.note_fault(Fault(code="tls.alert.unprotected"))
        elif kind != CHANGE_CIPHER_SPEC:
            raise Fault(code="tls.record.unexpected")
        if kind == APPLICATION_DATA:
            self._data(side, record.at, content)
        elif kind != SKIPPED:
            self._control(side, kind, content)

    def _check_clear(self, record: Record) -> None:
        if len(record.payload) > MAX_PLAINTEXT:
            raise Fault(code="tls.record.malformed")

    def _data(self, side: Side, at: int, content: bytes) -> None:
        if side.opener is None and not side.is_server and self._early_refused():
            return
        if not side.open:
            raise Fault(code="tls.record.unexpected")
        if side.within_message:
            raise Fault(code="tls.message.straddles")
        side.emit(at, content)

    def _early_refused(self) -> bool:
        """Whether a HelloRetryRequest has refused early data that is still on its way (RFC 8446 §4.2.10)."""
        return self._retry is not None and self._session.facts.early_data == "rejected"

    def _control(self, side: Side, kind: int, content: bytes) -> None:
        if kind == ALERT:
            self._alert(side, content)
            return
        if kind == CHANGE_CIPHER_SPEC:
            if content != b"\1":
                raise Fault(code="tls.record.malformed")
            if self._handshake is not None:
                self._handshake.change_cipher_spec(side)
            elif self._session.hello is None:
                raise Fault(code="tls.record.unexpected")
            return
        if kind != HANDSHAKE or not content:
            raise Fault(code="tls.record.malformed")
        side.collect(content)
        while side.fault is None and (whole := side.message()) is not None:
            self._message(side, whole)

    def _alert(self, side: Side, content: bytes) -> None:
        if len(content) != 2:
            raise Fault(code="tls.record.malformed")
        level, code = content
        name = named(ALERTS, code, 2)
        is_13 = isinstance(self._handshake, Tls13)
        if code == _USER_CANCELED or (level == _WARNING and code and not is_13):
            if len(self._session.facts.warnings) < 16:
                self._session.facts = replace(
                    self._session.facts, warnings=(*self._session.facts.warnings, name)
                )
            return
        side.ended = name

    def _message(self, side: Side, whole: bytes) -> None:
        kind, body = whole[0], whole[4:]
        if self._handshake is not None:
            self._handshake.message(side, kind, body, whole)
        elif kind == messages.CLIENT_HELLO and not side.is_server:
            self._client_hello(side, body, whole)
        elif kind == messages.SERVER_HELLO and side.is_server:
            self._server_hello(body, whole)
        else:
            raise Fault(code="tls.message.unexpected")

    def _client_hello(self, side: Side, body: bytes, whole: bytes) -> None:
        session = self._session
        hello = messages.read_client_hello(body)
        if session.hello is not None and hello.random != session.hello.random:
            raise Fault(code="tls.hello.mismatch")
        session.hello = hello
        session.transcript.add(whole)
        session.facts = replace(session.facts, client_random=hello.random, sni=hello.server_name)
        side.held = True

    def _server_hello(self, body: bytes, whole: bytes) -> None:
        session = self._session
        hello = messages.read_server_hello(body)
        offered = session.offered
        self._note_choice(hello)
        if hello.suite not in offered.suites or hello.compression:
            raise Fault(code="tls.hello.mismatch")
        if hello.version not in (_TLS_12, _TLS_13):
            raise Fault(code="tls.version.unsupported")
        suite = SUITES.get(hello.suite)
        early = messages.EARLY_DATA in offered.extensions
        if hello.version == _TLS_12:
            if suite is not None and suite.is_13:
                raise Fault(code="tls.hello.mismatch")
            session.transcript.add(whole)
            session.client.held = False
            self._handshake = Tls12(session, suite, hello)
            return
        if suite is None or not suite.is_13:
            raise Fault(code="tls.suite.unsupported")
        if hello.random == messages.HELLO_RETRY:
            self._hello_retry(hello, whole)
            return
        if self._retry is not None and self._retry.suite != hello.suite:
            raise Fault(code="tls.hello.mismatch")
        session.transcript.add(whole)
        handshake = Tls13(session, suite, hello)
        self._handshake = handshake
        handshake.begin(early_possible=early and self._retry is None)

    def _hello_retry(self, hello: ServerHello, whole: bytes) -> None:
        """RFC 8446 §4.1.4; early data is refused by it."""
        session = self._session
        if self._retry is not None:
            raise Fault(code="tls.message.unexpected")
        self._retry = hello
        session.transcript.retry(SUITES[hello.suite].digest)
        session.transcript.add(whole)
        refused = "rejected" if messages.EARLY_DATA in session.offered.extensions else None
        session.facts = replace(session.facts, hello_retry=True, early_data=refused)
        session.client.held = False

    def _note_choice(self, hello: ServerHello) -> None:
        facts = replace(
            self._session.facts,
            version=named(VERSIONS, hello.version),
            version_code=hello.version,
            suite=suite_name(hello.suite),
            suite_code=hello.suite,
            downgraded=hello.random.endswith(messages.DOWNGRADES) and hello.version < _TLS_13,
        )
        if hello.group is not None and hello.version == _TLS_13:
            facts = replace(facts, group=named(GROUPS, hello.group), group_code=hello.group)
        self._session.facts = facts


def _joined(pieces: list[Plain]) -> list[Plain]:
    """Neighbors of the same moment put together."""
    if len(pieces) < 2:
        return pieces
    joined: list[Plain] = []
    run: list[bytes] = []
    for number, piece in enumerate(pieces):
        run.append(piece.data)
        following = pieces[number + 1] if number + 1 < len(pieces) else None
        if following is None or (following.at, following.early) != (piece.at, piece.early):
            joined.append(replace(piece, data=b"".join(run)))
            run = []
    return joined
