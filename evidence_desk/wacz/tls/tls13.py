"""TLS 1.3 from the ServerHello on (RFC 8446)."""

from __future__ import annotations

import hmac
from dataclasses import replace
from typing import Final

from evidence_desk.core.digests import sha256
from evidence_desk.wacz.tls import messages
from evidence_desk.wacz.tls.compression import open_compressed
from evidence_desk.wacz.tls.faults import Fault
from evidence_desk.wacz.tls.messages import CertificateEntry, ServerHello
from evidence_desk.wacz.tls.names import COMPRESSIONS, named
from evidence_desk.wacz.tls.protection import Aead13, AfterRefusedEarlyData, Locked
from evidence_desk.wacz.tls.schedule import HASH_SIZE, finished_13, next_secret
from evidence_desk.wacz.tls.session import MAX_HELD, Session, Side, Transcript
from evidence_desk.wacz.tls.signatures import check_signature, has_embedded_timestamps, unchecked
from evidence_desk.wacz.tls.suites import SUITES, Suite

MAX_REQUESTS: Final = 16
"""Certificate requests after the handshake."""
MAX_UPDATES: Final = 32
"""Key updates without data between them; browsers end the connection at more."""
_START: Final = -1
_AFTER: Final = {
    True: {
        _START: {messages.ENCRYPTED_EXTENSIONS},
        messages.ENCRYPTED_EXTENSIONS: {
            messages.CERTIFICATE_REQUEST, messages.CERTIFICATE, messages.COMPRESSED_CERTIFICATE, messages.FINISHED,
        },
        messages.CERTIFICATE_REQUEST: {messages.CERTIFICATE, messages.COMPRESSED_CERTIFICATE},
        messages.CERTIFICATE: {messages.CERTIFICATE_VERIFY},
        messages.CERTIFICATE_VERIFY: {messages.FINISHED},
    },
    False: {
        _START: {
            messages.END_OF_EARLY_DATA, messages.ENCRYPTED_EXTENSIONS, messages.CERTIFICATE,
            messages.COMPRESSED_CERTIFICATE, messages.FINISHED,
        },
        messages.END_OF_EARLY_DATA: {
            messages.ENCRYPTED_EXTENSIONS, messages.CERTIFICATE, messages.COMPRESSED_CERTIFICATE, messages.FINISHED,
        },
        messages.ENCRYPTED_EXTENSIONS: {
            messages.CERTIFICATE, messages.COMPRESSED_CERTIFICATE, messages.FINISHED,
        },
        messages.CERTIFICATE: {messages.CERTIFICATE_VERIFY, messages.FINISHED},
        messages.CERTIFICATE_VERIFY: {messages.FINISHED},
    },
}  # fmt: skip
"""What may follow what, for server (True) and client; clients send EncryptedExtensions where they speak ALPS."""


class Tls13:
    """One session of TLS 1.3; begins when the ServerHello is in the transcript."""

    def __init__(self, session: Session, suite: Suite, hello: ServerHello) -> None:
        self._session = session
        self._suite = suite
        self._size = HASH_SIZE[suite.digest]
        self._last = {True: _START, False: _START}
        self._context: Transcript | None = None
        self._requests: dict[bytes, Transcript] = {}
        self._asked = 0
        self._answering: bytes | None = None
        self._early_expected = False
        self._delegated = False
        self._note_resumption(hello)

    def begin(self, *, early_possible: bool) -> None:
        """Put the handshake keys in place; a client that sent early data waits for the server's answer to that."""
        session = self._session
        session.client.held = early_possible
        if not early_possible:
            self._protect(session.client, "CLIENT_HANDSHAKE_TRAFFIC_SECRET")
        self._protect(session.server, "SERVER_HANDSHAKE_TRAFFIC_SECRET")

    def change_cipher_spec(self, side: Side) -> None:
        """Means nothing, but only during the handshake (RFC 8446 §5)."""
        if self._done(side):
            raise Fault(code="tls.record.unexpected")

    def message(self, side: Side, kind: int, body: bytes, whole: bytes) -> None:
        """A handshake message came under a key."""
        if self._done(side):
            self._late(side, kind, body, whole)
            return
        shape = messages.CERTIFICATE if kind == messages.COMPRESSED_CERTIFICATE else kind
        if kind not in _AFTER[side.is_server].get(self._last[side.is_server], ()):
            raise Fault(code="tls.message.unexpected")
        self._last[side.is_server] = shape
        if kind == messages.FINISHED:
            self._finished(side, body, whole)
            return
        if side.is_server:
            self._from_server(kind, body)
        else:
            self._from_client(kind, body)
        self._session.transcript.add(whole)
        if kind == messages.END_OF_EARLY_DATA:
            self._end_early()
        elif kind == messages.ENCRYPTED_EXTENSIONS and side.is_server and self._session.client.held:
            self._session.client.held = False
            self._answer_early(accepted=messages.EARLY_DATA in messages.read_encrypted_extensions(body))

    def _done(self, side: Side) -> bool:
        return self._last[side.is_server] == messages.FINISHED

    def _note_resumption(self, hello: ServerHello) -> None:
        session = self._session
        if hello.selected is None:
            return
        identities = session.offered.identities
        if hello.selected >= len(identities):
            raise Fault(code="tls.hello.mismatch")
        session.facts = replace(
            session.facts,
            resumed=True,
            psk="psk_ke" if hello.group is None else "psk_dhe_ke",
            resumed_from=sha256(identities[hello.selected]),
        )

    def _protect(self, side: Side, label: str) -> None:
        """Put the key of a secret in the log in place."""
        secret = self._session.secrets.secret(label, self._session.offered.random, self._size)
        side.protect(Locked() if secret is None else Aead13(self._suite, secret), secret or b"")

    def _answer_early(self, *, accepted: bool) -> None:
        session, client = self._session, self._session.client
        session.facts = replace(session.facts, early_data="accepted" if accepted else "rejected")
        try:
            if accepted:
                self._early_expected = client.open = client.early = True
                self._protect(client, "CLIENT_EARLY_TRAFFIC_SECRET")
                return
            self._protect(client, "CLIENT_HANDSHAKE_TRAFFIC_SECRET")
        except Fault as fault:
            session.stop(client, fault)  # the client's, though it is the server's message that is read
            return
        if isinstance(client.opener, Aead13):
            client.opener = AfterRefusedEarlyData(client.opener, self._early_openers(), MAX_HELD)

    def _early_openers(self) -> list[Aead13]:
        """One for each suite that the refused data may have been made with: that of the earlier session is not told."""
        random = self._session.offered.random
        return [
            Aead13(suite, secret)
            for suite in SUITES.values()
            if suite.is_13
            and (
                secret := self._session.secrets.secret(
                    "CLIENT_EARLY_TRAFFIC_SECRET", random, HASH_SIZE[suite.digest]
                )
            )
        ]

    def _end_early(self) -> None:
        client = self._session.client
        client.open = client.early = False
        self._protect(client, "CLIENT_HANDSHAKE_TRAFFIC_SECRET")

    def _from_server(self, kind: int, body: bytes) -> None:
        session = self._session
        match kind:
            case messages.ENCRYPTED_EXTENSIONS:
                extensions = messages.read_encrypted_extensions(body)
                session.facts = replace(session.facts, alpn=messages.read_alpn(extensions))
            case messages.CERTIFICATE_REQUEST:
                messages.read_request_context(body)
                session.facts = replace(session.facts, client_certificate_requested=True)
            case messages.CERTIFICATE | messages.COMPRESSED_CERTIFICATE if not session.facts.resumed:
                self._server_certificates(kind, body)
            case messages.CERTIFICATE_VERIFY:
                self._server_verify(body)
            case _:
                raise Fault(code="tls.message.unexpected")

    def _from_client(self, kind: int, body: bytes) -> None:
        match kind:
            case messages.END_OF_EARLY_DATA if self._early_expected:
                pass
            case messages.ENCRYPTED_EXTENSIONS:
                messages.read_encrypted_extensions(body)
            case messages.CERTIFICATE | messages.COMPRESSED_CERTIFICATE:
                self._client_certificates(kind, body)
            case messages.CERTIFICATE_VERIFY:
                self._client_verify(body, self._session.transcript)
            case _:
                raise Fault(code="tls.message.unexpected")

    def _entries(self, kind: int, body: bytes) -> tuple[str | None, tuple[CertificateEntry, ...]]:
        """How the certificates were compressed, and they; none, with a fault noted, when they do not open."""
        algorithm = None
        if kind == messages.COMPRESSED_CERTIFICATE:
            algorithm = named(COMPRESSIONS, int.from_bytes(body[:2]))
            try:
                _, body = open_compressed(body)
            except Fault as fault:
                self._session.note_fault(fault)
                return algorithm, ()
        return algorithm, messages.read_certificates_13(body)[1]

    def _server_certificates(self, kind: int, body: bytes) -> None:
        session = self._session
        compression, entries = self._entries(kind, body)
        session.facts = replace(session.facts, compression=compression)
        if not entries:
            return
        first = entries[0].extensions
        status, timestamps = first.get(messages.STATUS_REQUEST), first.get(messages.SIGNED_TIMESTAMPS)
        self._delegated = messages.DELEGATED_CREDENTIAL in first
        session.facts = replace(
            session.facts,
            certificates=tuple(entry.certificate for entry in entries),
            ocsp=None if status is None else messages.read_status(status),
            scts=() if timestamps is None else messages.read_timestamps(timestamps),
            embedded_scts=has_embedded_timestamps(entries[0].certificate),
        )

    def _server_verify(self, body: bytes) -> None:
        session = self._session
        scheme, signature = messages.read_verify(body)
        content = self._signed(b"server", session.transcript)
        if self._delegated:
            made = unchecked(scheme, content, signature, "delegated_credential")
        else:
            leaf = next(iter(session.facts.certificates), None)
            made = check_signature(leaf, scheme, content, signature, is_13=True)
        session.facts = replace(session.facts, certificate_verify=made)
        if made.status == "invalid":
            session.note_fault(Fault(code="tls.signature.wrong"))

    def _client_certificates(self, kind: int, body: bytes) -> None:
        session = self._session
        _, entries = self._entries(kind, body)
        session.facts = replace(
            session.facts, client_certificates=tuple(entry.certificate for entry in entries)
        )

    def _client_verify(self, body: bytes, transcript: Transcript) -> None:
        session = self._session
        scheme, signature = messages.read_verify(body)
        leaf = next(iter(session.facts.client_certificates), None)
        made = check_signature(leaf, scheme, self._signed(b"client", transcript), signature, is_13=True)
        session.facts = replace(session.facts, client_certificate_verify=made)

    def _signed(self, who: bytes, transcript: Transcript) -> bytes:
        """What a CertificateVerify signs (RFC 8446 §4.4.3)."""
        return (
            b" " * 64 + b"TLS 1.3, " + who + b" CertificateVerify\0" + transcript.digest(self._suite.digest)
        )

    def _finished(self, side: Side, body: bytes, whole: bytes) -> None:
        session = self._session
        if side.is_server and not session.facts.resumed and session.facts.certificate_verify is None:
            raise Fault(code="tls.message.unexpected")
        if not side.is_server and self._early_expected and side.early:
            raise Fault(code="tls.message.unexpected")
        if session.checkable(side):
            self._check(side, body, session.transcript)
        session.transcript.add(whole)
        if not side.is_server:
            self._context, session.transcript = session.transcript, Transcript()
        self._protect(side, f"{'SERVER' if side.is_server else 'CLIENT'}_TRAFFIC_SECRET_0")
        side.open = True

    def _check(self, side: Side, body: bytes, transcript: Transcript) -> None:
        expected = finished_13(self._suite.digest, side.secret, transcript.digest(self._suite.digest))
        self._session.note_finished(side, right=hmac.compare_digest(expected, body))

    def _late(self, side: Side, kind: int, body: bytes, whole: bytes) -> None:
        """Messages after the handshake (RFC 8446 §4.6)."""
        session = self._session
        match kind:
            case messages.KEY_UPDATE if body in (b"\0", b"\1"):
                self._update(side)
            case messages.NEW_SESSION_TICKET if side.is_server:
                session.issue(messages.read_ticket_13(body))
            case messages.CERTIFICATE_REQUEST if side.is_server and self._context is not None:
                self._request(messages.read_request_context(body), whole)
            case _ if not side.is_server:
                self._late_answer(side, kind, body, whole)
            case _:
                raise Fault(code="tls.message.unexpected")

    def _update(self, side: Side) -> None:
        """KeyUpdate (RFC 8446 §4.6.3)."""
        side.updates += 1
        if side.updates > MAX_UPDATES:
            raise Fault(code="tls.message.unexpected")
        secret = next_secret(self._suite.digest, side.secret)
        side.protect(Aead13(self._suite, secret), secret)
        facts = self._session.facts
        if side.is_server:
            self._session.facts = replace(facts, key_updates_server=facts.key_updates_server + 1)
        else:
            self._session.facts = replace(facts, key_updates_client=facts.key_updates_client + 1)

    def _request(self, context: bytes, whole: bytes) -> None:
        self._asked += 1
        if self._context is None or context in self._requests or self._asked > MAX_REQUESTS:
            raise Fault(code="tls.message.unexpected")
        self._requests[context] = self._context.copy()
        self._requests[context].add(whole)
        self._session.facts = replace(self._session.facts, client_certificate_requested=True)

    def _late_answer(self, side: Side, kind: int, body: bytes, whole: bytes) -> None:
        """Certificate, CertificateVerify, Finished of a client that was asked after the handshake."""
        if kind == messages.CERTIFICATE:
            self._answering = messages.read_certificates_13(body)[0]
        transcript = None if self._answering is None else self._requests.get(self._answering)
        if transcript is None:
            raise Fault(code="tls.message.unexpected")
        match kind:
            case messages.CERTIFICATE:
                self._client_certificates(kind, body)
            case messages.CERTIFICATE_VERIFY:
                self._client_verify(body, transcript)
            case messages.FINISHED:
                self._check(side, body, transcript)
                del self._requests[self._answering or b""]
                self._answering = None
                return
            case _:
                raise Fault(code="tls.message.unexpected")
        transcript.add(whole)
