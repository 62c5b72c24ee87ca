"""TLS 1.2 from the ServerHello on (RFC 5246)."""

from __future__ import annotations

import hmac
from dataclasses import replace
from typing import Final

from evidence_desk.core.digests import sha256
from evidence_desk.wacz.tls import messages
from evidence_desk.wacz.tls.faults import Fault
from evidence_desk.wacz.tls.keylog import MASTER_SIZE
from evidence_desk.wacz.tls.messages import ServerHello
from evidence_desk.wacz.tls.names import GROUPS, named
from evidence_desk.wacz.tls.protection import Openers, openers_12
from evidence_desk.wacz.tls.schedule import VERIFY_SIZE, prf
from evidence_desk.wacz.tls.session import Session, Side
from evidence_desk.wacz.tls.signatures import check_signature, has_embedded_timestamps
from evidence_desk.wacz.tls.suites import Cipher, Suite, suite_name
from evidence_desk.wacz.tls.wire import Cursor

_NAMED_CURVE: Final = 3
_ORDER: Final = {
    True: (
        messages.CERTIFICATE, messages.CERTIFICATE_STATUS, messages.SERVER_KEY_EXCHANGE,
        messages.CERTIFICATE_REQUEST, messages.SERVER_HELLO_DONE, messages.NEW_SESSION_TICKET, messages.FINISHED,
    ),
    False: (
        messages.CERTIFICATE, messages.CLIENT_KEY_EXCHANGE, messages.CERTIFICATE_VERIFY, messages.NEXT_PROTOCOL,
        messages.FINISHED,
    ),
}  # fmt: skip
"""In which order the messages of server (True) and client come; each at most once."""


class Tls12:
    """One session of TLS 1.2; begins when the ServerHello is in the transcript."""

    def __init__(self, session: Session, suite: Suite | None, hello: ServerHello) -> None:
        self._session = session
        self._suite = suite
        self._hello = hello
        self._place = {True: -1, False: -1}
        self._changed = {True: False, False: False}
        self._openers: Openers | None = None
        offered = session.offered
        session.facts = replace(
            session.facts,
            alpn=messages.read_alpn(hello.extensions),
            scts=_timestamps(hello),
            extended_master_secret=messages.EXTENDED_MASTER_SECRET in hello.extensions,
        )
        self._ticket = offered.extensions.get(messages.SESSION_TICKET, b"")
        if hello.session_id and hello.session_id == offered.session_id:
            self._note_resumption()

    def change_cipher_spec(self, side: Side) -> None:
        """From here on this side's records are protected (RFC 5246 §7.1)."""
        if self._changed[side.is_server]:
            raise Fault(code="tls.record.unexpected")
        if side.is_server and not self._seen(messages.SERVER_HELLO_DONE) and not self._session.facts.resumed:
            self._note_resumption()  # a ticket without a session ID (RFC 5077 §3.4)
        self._changed[side.is_server] = True
        openers = self._keys()
        side.protect(openers.server if side.is_server else openers.client)

    def message(self, side: Side, kind: int, body: bytes, whole: bytes) -> None:
        """A handshake message came."""
        if self._place[side.is_server] == len(_ORDER[side.is_server]) - 1:
            self._late(side, kind, body)
            return
        order = _ORDER[side.is_server]
        place = order.index(kind) if kind in order else -1
        protected = kind in (messages.FINISHED, messages.NEXT_PROTOCOL)
        if place <= self._place[side.is_server] or protected != self._changed[side.is_server]:
            raise Fault(code="tls.message.unexpected")
        self._place[side.is_server] = place
        if kind == messages.FINISHED:
            self._finished(side, body)
        elif side.is_server:
            self._from_server(kind, body)
        else:
            self._from_client(kind, body)
        self._session.transcript.add(whole)

    def _seen(self, kind: int) -> bool:
        return self._place[True] >= _ORDER[True].index(kind)

    def _note_resumption(self) -> None:
        """By which of the two that a client may offer is not told: a ticket, when there is one."""
        session = self._session
        link = self._ticket or session.offered.session_id
        session.facts = replace(
            session.facts,
            resumed=True,
            psk="ticket" if self._ticket else "session_id",
            resumed_from=sha256(link) if link else None,
        )

    def _keys(self) -> Openers:
        if self._suite is None:
            raise Fault(code="tls.suite.unsupported")
        if self._openers is None:
            master = self._session.secret("CLIENT_RANDOM", MASTER_SIZE)
            randoms = self._session.offered.random, self._hello.random
            then_mac = (
                messages.ENCRYPT_THEN_MAC in self._hello.extensions and self._suite.cipher is Cipher.CBC
            )
            self._openers = openers_12(self._suite, master, randoms, encrypt_then_mac=then_mac)
        return self._openers

    def _from_server(self, kind: int, body: bytes) -> None:
        session = self._session
        match kind:
            case messages.CERTIFICATE if not session.facts.resumed:
                chain = messages.read_certificates_12(body)
                embedded = bool(chain) and has_embedded_timestamps(chain[0])
                session.facts = replace(session.facts, certificates=chain, embedded_scts=embedded)
            case messages.CERTIFICATE_STATUS:
                session.facts = replace(session.facts, ocsp=messages.read_status(body))
            case messages.SERVER_KEY_EXCHANGE if not session.facts.resumed:
                self._key_exchange(body)
            case messages.CERTIFICATE_REQUEST if not session.facts.resumed:
                session.facts = replace(session.facts, client_certificate_requested=True)
            case messages.SERVER_HELLO_DONE if not body and not session.facts.resumed:
                session.issue(self._hello.session_id)
            case messages.NEW_SESSION_TICKET:
                session.issue(messages.read_ticket_12(body))
            case _:
                raise Fault(code="tls.message.unexpected")

    def _from_client(self, kind: int, body: bytes) -> None:
        session = self._session
        match kind:
            case messages.CERTIFICATE:
                session.facts = replace(
                    session.facts, client_certificates=messages.read_certificates_12(body)
                )
            case messages.CERTIFICATE_VERIFY:
                scheme, signature = messages.read_verify(body)
                leaf = next(iter(session.facts.client_certificates), None)
                made = check_signature(leaf, scheme, session.transcript.content, signature, is_13=False)
                session.facts = replace(session.facts, client_certificate_verify=made)
            case _:
                pass

    def _key_exchange(self, body: bytes) -> None:
        """ServerKeyExchange: parameters, and their signature (RFC 5246 §7.4.3, RFC 8422 §5.4)."""
        session = self._session
        exchange = suite_name(self._hello.suite).removeprefix("TLS_")
        cursor = Cursor(body)
        if exchange.startswith("ECDHE_"):
            if cursor.number(1) != _NAMED_CURVE:
                raise Fault(code="tls.message.malformed")
            group = cursor.number(2)
            cursor.vector(1)
            session.facts = replace(session.facts, group=named(GROUPS, group), group_code=group)
        elif exchange.startswith("DHE_"):
            size = 8 * len(cursor.vector(2).lstrip(b"\0"))
            cursor.vector(2)
            cursor.vector(2)
            session.facts = replace(session.facts, group=f"dh{size}")
        else:
            return
        scheme = cursor.number(2)
        signature = cursor.vector(2)
        cursor.done()
        parameters = body[: len(body) - 4 - len(signature)]
        leaf = next(iter(session.facts.certificates), None)
        content = session.offered.random + self._hello.random + parameters
        made = check_signature(leaf, scheme, content, signature, is_13=False)
        session.facts = replace(session.facts, certificate_verify=made)
        if made.status == "invalid":
            session.note_fault(Fault(code="tls.signature.wrong"))

    def _finished(self, side: Side, body: bytes) -> None:
        session = self._session
        if self._suite is None:
            raise Fault(code="tls.suite.unsupported")
        master = session.secret("CLIENT_RANDOM", MASTER_SIZE)
        label = b"server finished" if side.is_server else b"client finished"
        digest = session.transcript.digest(self._suite.digest)
        expected = prf(self._suite.digest, master, label, digest, VERIFY_SIZE)
        if session.checkable(side):
            session.note_finished(side, right=hmac.compare_digest(expected, body))
        side.open = True

    def _late(self, side: Side, kind: int, body: bytes) -> None:
        """After the handshake a server may ask for another one, which browsers decline or end."""
        if side.is_server and kind == messages.HELLO_REQUEST and not body:
            self._session.facts = replace(self._session.facts, renegotiation_asked=True)
            return
        if kind in (messages.CLIENT_HELLO, messages.SERVER_HELLO):
            raise Fault(code="tls.renegotiation")
        raise Fault(code="tls.message.unexpected")


def _timestamps(hello: ServerHello) -> tuple[bytes, ...]:
    data = hello.extensions.get(messages.SIGNED_TIMESTAMPS)
    return () if data is None else messages.read_timestamps(data)
