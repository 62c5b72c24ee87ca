"""Parts of TLS 1.3 that peers seldom send, written by hand."""

import hashlib
import hmac
import tracemalloc
import zlib

import brotli
import pytest
import zstandard
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from evidence_desk.core.digests import sha256
from evidence_desk.wacz.tls import HandshakeSignature, KeyLog, Plain, TlsDecoder, TlsFacts
from tests.unit.wacz.tls.ends import decode, said
from tests.unit.wacz.tls.forge import IN, OUT, Forge, Key, expand, extensions, message, record, vector

PSK = {41: vector(vector(b"ticket of before", 2) + bytes(4), 2) + vector(vector(bytes(32), 1), 2)}
EARLY = {42: b"", **PSK}


@pytest.fixture
def forge(identity):
    return Forge(identity("p256"))


def out(forge: Forge) -> tuple[list[Plain], TlsFacts]:
    plain, facts = decode(forge.flights, forge.keylog)
    return plain, facts


@pytest.mark.parametrize("suite", [0x1301, 0x1302, 0x1303, 0x1304, 0x1305])
def test_every_suite(identity, suite):
    forge = Forge(identity("p256"), suite)
    forge.shake()
    forge.data(OUT, b"question")
    forge.data(IN, b"answer", padding=77)
    forge.data(IN, b"", padding=5)
    forge.close()
    plain, facts = out(forge)
    assert (said(plain, OUT), said(plain, IN)) == (b"question", b"answer")
    assert facts.faults == ()
    assert facts.complete
    assert facts.suite_code == suite
    assert (facts.group, facts.group_code) == ("X25519MLKEM768", 0x11EC)
    assert facts.certificates == (forge.certificate,)
    assert judged(facts) == ("valid", None)
    assert server_signature(facts).content_sha256 == sha256(server_signature(facts).content)
    assert facts.ended == facts.ended_client == "close_notify"


def server_signature(facts: TlsFacts) -> HandshakeSignature:
    assert facts.certificate_verify is not None
    return facts.certificate_verify


def judged(facts: TlsFacts) -> tuple[str, str | None]:
    return server_signature(facts).status.value, server_signature(facts).reason


def compressed(algorithm: int, data: tuple[bytes, bytes], size: int | None = None) -> bytes:
    return algorithm.to_bytes(2) + (len(data[0]) if size is None else size).to_bytes(3) + vector(data[1], 3)


PACKERS = {1: zlib.compress, 2: brotli.compress, 3: zstandard.compress}


@pytest.mark.parametrize(("algorithm", "name"), [(1, "zlib"), (2, "brotli"), (3, "zstd")])
def test_compressed_certificate(forge, algorithm, name):
    forge.client_hello()
    forge.server_hello()
    forge.encrypted_extensions()
    body = forge.certificate_body(
        {5: b"\1" + vector(b"ocsp", 3), 18: vector(vector(b"sct one", 2) + vector(b"two", 2), 2)}
    )
    forge.say(IN, 25, compressed(algorithm, (body, PACKERS[algorithm](body))))
    forge.verify()
    forge.finish(IN)
    forge.client_flight()
    _, facts = out(forge)
    assert facts.faults == ()
    assert facts.complete
    assert facts.compression == name
    assert facts.certificates == (forge.certificate,)
    assert judged(facts) == ("valid", None)
    assert facts.ocsp == b"ocsp"
    assert facts.scts == (b"sct one", b"two")


@pytest.mark.parametrize(
    "make",
    [
        lambda body: compressed(9, (body, body)),
        lambda body: compressed(1, (body, b"garbage")),
        lambda body: compressed(2, (body, b"garbage")),
        lambda body: compressed(3, (body, b"garbage")),
        lambda body: compressed(1, (body, zlib.compress(body)), len(body) + 1),
        lambda body: compressed(1, (body, zlib.compress(body)), len(body) - 1),
        lambda body: compressed(2, (body, brotli.compress(body)), len(body) - 1),
        lambda body: compressed(2, (body, brotli.compress(body)[:-3])),
        lambda body: compressed(3, (body, zstandard.compress(body)), len(body) - 1),
        lambda body: compressed(1, (body, zlib.compress(bytes(1 << 24))), (1 << 18) - 1),
        lambda body: compressed(2, (body, brotli.compress(bytes(1 << 24))), (1 << 18) - 1),
        lambda body: compressed(3, (body, zstandard.compress(bytes(1 << 24))), (1 << 18) - 1),
        lambda body: compressed(1, (body, zlib.compress(body)), 0xFFFFFF),
    ],
)  # fmt: skip
def test_a_certificate_that_does_not_open_is_told(forge, make):
    forge.client_hello()
    forge.server_hello()
    forge.encrypted_extensions()
    forge.say(IN, 25, make(forge.certificate_body()))
    forge.verify()
    forge.finish(IN)
    forge.client_flight()
    forge.data(IN, b"answer")
    plain, facts = out(forge)
    assert facts.faults == ("tls.certificate.compression",)
    assert facts.certificates == ()
    assert judged(facts) == ("unchecked", "certificate")
    assert facts.complete
    assert said(plain, IN) == b"answer"


def test_key_updates_of_both_sides(forge):
    forge.shake()
    for number in range(5):
        forge.data(OUT, b"q%d" % number)
        forge.update(OUT)
        for _ in range(number):
            forge.update(IN)
        forge.data(IN, b"a%d" % number)
    plain, facts = out(forge)
    assert (said(plain, OUT), said(plain, IN)) == (b"q0q1q2q3q4", b"a0a1a2a3a4")
    assert (facts.key_updates_client, facts.key_updates_server, facts.key_updates) == (5, 10, 15)
    assert facts.faults == ()


def test_a_key_update_ends_its_record(forge):
    forge.shake()
    forge.seal(IN, 22, b"\x18\0\0\1\0" * 2)
    assert out(forge)[1].fault_server == "tls.message.straddles"


def early(forge: Forge, *, accepted: bool, suite: int | None = None) -> None:
    """Early data, then a handshake with resumption."""
    forge.client_hello(EARLY)
    forge.keys[OUT] = Key(suite or forge.suite, forge.secrets["early"])
    forge.data(OUT, b"early ")
    forge.data(OUT, b"bird")
    forge.server_hello({41: b"\0\0", 51: b"\x00\x1d" + vector(bytes(32), 2)})
    forge.encrypted_extensions({42: b""} if accepted else {})
    forge.finish(IN)
    if accepted:
        forge.say(OUT, 5, b"")
    forge.client_flight()
    forge.data(OUT, b" catches")
    forge.data(IN, b"worm")


def test_accepted_early_data(forge):
    forge.known.add("early")
    early(forge, accepted=True)
    plain, facts = out(forge)
    assert [piece.data for piece in plain if piece.early] == [b"early ", b"bird"]
    assert said(plain, OUT) == b"early bird catches"
    assert said(plain, IN) == b"worm"
    assert facts.faults == ()
    assert facts.complete
    assert facts.early_data == "accepted"
    assert facts.resumed
    assert facts.psk == "psk_dhe_ke"
    assert facts.resumed_from == sha256(b"ticket of before")
    assert facts.certificates == ()
    assert facts.certificate_verify is None
    assert [piece.at for piece in plain][:2] == [forge.flights[1][1], forge.flights[2][1]]


def test_accepted_early_data_without_its_secret_is_not_read(forge):
    early(forge, accepted=True)
    plain, facts = out(forge)
    assert said(plain, OUT) == b""
    assert said(plain, IN) == b"worm"
    assert facts.fault_client == "tls.secret.missing"
    assert facts.fault_server is None
    assert facts.unread_sent > 0


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("suite", [0x1301, 0x1303])
def test_refused_early_data_is_skipped(forge, known, suite):
    if known:
        forge.known.add("early")
    early(forge, accepted=False, suite=suite)
    plain, facts = out(forge)
    assert said(plain, OUT) == b" catches"
    assert said(plain, IN) == b"worm"
    assert facts.faults == ()
    assert facts.early_data == "rejected"


def test_a_forged_record_is_no_refused_early_data(forge):
    forge.known.add("early")
    early(forge, accepted=False)
    direction, at, data = forge.flights[1]
    forge.flights[1] = direction, at, data[:-1] + bytes([data[-1] ^ 1])
    assert out(forge)[1].fault_client == "tls.record.forged"


def test_without_end_refused_early_data_is_given_up(forge):
    forge.client_hello(EARLY)
    forge.server_hello({41: b"\0\0"})
    forge.encrypted_extensions()
    for _ in range(20):
        forge.put(OUT, record(23, bytes(16000)))
    _, facts = out(forge)
    assert facts.fault_client == "tls.early_data.too_long"
    assert facts.psk == "psk_ke"
    assert facts.group is None


def test_hello_retry_refuses_early_data(forge):
    forge.client_hello(EARLY)
    forge.keys[OUT] = Key(forge.suite, forge.secrets["early"])
    forge.data(OUT, b"early")
    forge.retry()
    forge.data(OUT, b"still on its way")
    forge.put(OUT, record(20, b"\1"))
    forge.client_hello(PSK)
    forge.server_hello({41: b"\0\0", 51: b"\x11\xec" + vector(bytes(32), 2)})
    forge.put(IN, record(20, b"\1"))
    forge.encrypted_extensions()
    forge.finish(IN)
    forge.client_flight()
    forge.data(OUT, b"question")
    plain, facts = out(forge)
    assert facts.faults == ()
    assert facts.complete
    assert facts.hello_retry
    assert facts.early_data == "rejected"
    assert said(plain, OUT) == b"question"


def test_a_second_retry_is_none(forge):
    forge.client_hello()
    forge.retry()
    forge.client_hello()
    forge.retry()
    assert out(forge)[1].fault_server == "tls.message.unexpected"


def test_another_client_random_after_retry_is_refused(forge):
    forge.client_hello()
    forge.retry()
    forge.random = bytes(32)
    forge.client_hello()
    assert out(forge)[1].fault_client == "tls.hello.mismatch"


def test_held_client_is_bounded(forge):
    forge.client_hello()
    for _ in range(20):
        forge.put(OUT, record(23, bytes(16000)))
    _, facts = out(forge)
    assert facts.fault_client == "tls.early_data.too_long"
    assert facts.unread_sent == 20 * 16005


def test_application_settings_of_a_client(forge):
    forge.client_hello()
    forge.server_hello()
    forge.server_flight()
    forge.change(OUT, "client")
    forge.say(OUT, 8, extensions({17613: b"settings"}))
    forge.finish(OUT)
    assert out(forge)[1].complete


def late_finish(forge: Forge, transcript: bytes) -> bytes:
    secret = forge.keys[OUT].secret
    base = expand(forge.digest, secret, "finished", len(secret))
    return hmac.new(base, hashlib.new(forge.digest, transcript).digest(), forge.digest).digest()


@pytest.mark.parametrize("flip", [0, 1])
def test_client_certificate_after_the_handshake(forge, flip):
    forge.shake()
    request = message(13, vector(b"ctx", 1) + extensions({13: b"\0\2\4\3"}))
    forge.seal(IN, 22, request)
    forge.data(OUT, b"between")
    certificate = message(11, forge.certificate_body(context=b"ctx"))
    transcript = forge.transcript + request + certificate
    verify = message(15, b"\4\3" + vector(forge.signed(b"client", transcript), 2))
    finished = late_finish(forge, transcript + verify)
    forge.seal(OUT, 22, certificate + verify + message(20, finished[:-1] + bytes([finished[-1] ^ flip])))
    forge.data(OUT, b"after")
    plain, facts = out(forge)
    assert facts.client_certificate_requested
    assert facts.client_certificates == (forge.certificate,)
    assert facts.client_certificate_verify is not None
    assert facts.client_certificate_verify.status == "valid"
    assert facts.finished_client is not bool(flip)
    assert facts.fault_client == ("tls.finished.wrong" if flip else None)
    assert said(plain, OUT) == (b"between" if flip else b"betweenafter")


def test_tickets_are_noted(forge):
    forge.shake()
    ticket = bytes(8) + vector(b"n", 1) + vector(b"a ticket", 2) + extensions({42: bytes(4)})
    forge.seal(IN, 22, message(4, ticket) * 2)
    assert out(forge)[1].issued == (sha256(b"a ticket"),) * 2


@pytest.mark.parametrize("scheme", [0x0401, 0x0203])
def test_old_schemes_are_refused(forge, scheme):
    forge.client_hello()
    forge.server_hello()
    forge.encrypted_extensions()
    forge.say(IN, 11, forge.certificate_body())
    forge.verify(scheme=scheme)
    forge.finish(IN)
    _, facts = out(forge)
    assert judged(facts) == ("invalid", "scheme")
    assert "tls.signature.wrong" in facts.faults


@pytest.mark.parametrize(
    ("scheme", "status", "reason"),
    [
        (0x0804, "invalid", "key"), (0x0503, "invalid", "key"), (0x0807, "invalid", "key"),
        (0x0708, "unchecked", "scheme"), (0x0904, "unchecked", "scheme"), (0xFFFF, "unchecked", "scheme"),
    ],
)  # fmt: skip
def test_schemes_must_fit_the_key(forge, scheme, status, reason):
    forge.client_hello()
    forge.server_hello()
    forge.encrypted_extensions()
    forge.say(IN, 11, forge.certificate_body())
    forge.verify(scheme=scheme)
    forge.finish(IN)
    _, facts = out(forge)
    assert judged(facts) == (status, reason)
    assert facts.finished_server


def test_a_signature_over_something_else_is_invalid(forge):
    forge.client_hello()
    forge.server_hello()
    forge.encrypted_extensions()
    forge.say(IN, 11, forge.certificate_body())
    forge.say(IN, 15, b"\4\3" + vector(forge.signed(b"server", b"another transcript"), 2))
    forge.finish(IN)
    _, facts = out(forge)
    assert judged(facts) == ("invalid", "signature")
    assert facts.faults[0] == "tls.signature.wrong"


def test_delegated_credentials_are_not_judged(forge):
    forge.client_hello()
    forge.server_hello()
    forge.encrypted_extensions()
    forge.say(IN, 11, forge.certificate_body({34: b"credential"}))
    forge.verify()
    forge.finish(IN)
    _, facts = out(forge)
    assert judged(facts) == (
        "unchecked",
        "delegated_credential",
    )


@pytest.mark.parametrize("certificate", [b"", b"0", b"no certificate", bytes.fromhex("30053003020101")])
def test_an_unreadable_certificate_is_carried(forge, certificate):
    forge.certificate = certificate
    forge.shake()
    _, facts = out(forge)
    assert facts.certificates == (certificate,)
    assert judged(facts) == ("unchecked", "certificate")
    assert not facts.embedded_scts
    assert facts.complete


def test_a_server_without_proof_is_refused(forge):
    forge.client_hello()
    forge.server_hello()
    forge.encrypted_extensions()
    forge.finish(IN)
    forge.data(IN, b"answer")
    plain, facts = out(forge)
    assert facts.fault_server == "tls.message.unexpected"
    assert plain == []


def test_a_certificate_in_a_resumed_session_is_refused(forge):
    forge.client_hello(PSK)
    forge.server_hello({41: b"\0\0"})
    forge.server_flight()
    assert out(forge)[1].fault_server == "tls.message.unexpected"


def test_a_key_that_was_not_offered_is_refused(forge):
    forge.client_hello(PSK)
    forge.server_hello({41: b"\0\1"})
    assert out(forge)[1].fault_server == "tls.hello.mismatch"


def test_national_suite_is_named_and_not_read(identity):
    forge = Forge(identity("p256"))
    forge.suite = 0x00C6
    forge.client_hello()
    forge.hello(bytes(32), {43: b"\3\4", 51: b"\0\x29" + vector(bytes(65), 2)})
    forge.put(IN, record(23, bytes(100)))
    plain, facts = out(forge)
    assert plain == []
    assert (facts.suite, facts.group) == ("TLS_SM4_GCM_SM3", "curveSM2")
    assert facts.fault_server == "tls.suite.unsupported"


def test_suite_that_was_not_offered(forge):
    forge.client_hello(suites=b"\x13\x03")
    forge.server_hello()
    assert out(forge)[1].fault_server == "tls.hello.mismatch"


@pytest.mark.parametrize(
    ("version", "name"), [(b"\3\2", "TLS 1.1"), (b"\3\1", "TLS 1.0"), (b"\x7f\x1c", "0x7F1C")]
)
def test_other_versions_are_named_and_not_read(forge, version, name):
    forge.client_hello()
    forge.server_hello({43: version})
    _, facts = out(forge)
    assert facts.version == name
    assert facts.fault_server == "tls.version.unsupported"


def test_alerts(forge):
    forge.client_hello()
    forge.server_hello()
    forge.encrypted_extensions()
    forge.change(OUT, "client")
    forge.seal(OUT, 21, b"\2\x30")
    _, facts = out(forge)
    assert facts.ended_client == "unknown_ca"
    assert facts.faults == ()
    assert facts.ended == "truncated"


def test_an_alert_in_the_clear_is_told_apart(forge):
    forge.client_hello()
    forge.server_hello()
    forge.put(OUT, record(21, b"\2\x2a"))
    _, facts = out(forge)
    assert facts.ended_client == "bad_certificate"
    assert facts.faults == ("tls.alert.unprotected",)


def test_an_alert_in_the_clear_is_nothing_later(forge):
    forge.shake()
    forge.put(IN, record(21, b"\1\0"))
    assert out(forge)[1].fault_server == "tls.record.unexpected"


def test_refusal_before_any_key(forge):
    forge.client_hello()
    forge.put(IN, record(21, b"\2\x28"))
    _, facts = out(forge)
    assert facts.ended == "handshake_failure"
    assert facts.faults == ()


def test_cancellation_is_a_warning(forge):
    forge.shake()
    forge.seal(OUT, 21, b"\1\x5a")
    forge.close()
    _, facts = out(forge)
    assert facts.warnings == ("user_canceled",)
    assert facts.ended_client == "close_notify"


def test_data_after_the_end_is_not_relied_on(forge):
    forge.shake()
    forge.data(IN, b"before")
    forge.close()
    forge.data(IN, b"after")
    plain, facts = out(forge)
    assert said(plain, IN) == b"before"
    assert facts.faults == ("tls.data.after_end",)
    assert facts.unread_received > 0


@pytest.mark.parametrize(
    ("kind", "content", "code"),
    [
        (23, b"data", "tls.record.unexpected"), (22, b"", "tls.record.malformed"),
        (21, b"\1", "tls.record.malformed"), (20, b"\1", "tls.record.malformed"), (24, b"x", "tls.record.malformed"),
        (22, b"\x0b\x04\0\1", "tls.message.too_large"), (22, b"\x08\0\0\1\0", "tls.message.malformed"),
        (22, message(20, bytes(32)), "tls.message.unexpected"), (22, message(1, b""), "tls.message.unexpected"),
        (22, message(24, b"\0"), "tls.message.unexpected"),
    ],
)  # fmt: skip
def test_wrong_records_of_a_server(forge, kind, content, code):
    forge.client_hello()
    forge.server_hello()
    forge.seal(IN, kind, content)
    _, facts = out(forge)
    assert facts.fault_server == code
    assert facts.faults == (code,)


@pytest.mark.parametrize("kind", [0, 19, 24, 128, 255])
def test_unknown_records(forge, kind):
    forge.shake()
    forge.put(IN, record(kind, b"x"))
    assert out(forge)[1].fault_server == "tls.record.malformed"


def test_records_have_limits(forge):
    forge.shake()
    forge.data(IN, b"x" * 16384)
    forge.data(IN, b"y" * 16385)
    plain, facts = out(forge)
    assert said(plain, IN) == b"x" * 16384
    assert facts.fault_server == "tls.record.malformed"


def test_a_record_of_padding_only_is_wrong(forge):
    forge.shake()
    forge.seal(IN, 0, b"", 3)
    assert out(forge)[1].fault_server == "tls.record.malformed"


def test_data_inside_a_message_are_wrong(forge):
    forge.shake()
    forge.seal(IN, 22, b"\4\0")
    forge.data(IN, b"x")
    assert out(forge)[1].fault_server == "tls.message.straddles"


def test_hello_with_something_behind_it_straddles(forge):
    forge.client_hello()
    body = (
        b"\3\3"
        + bytes(32)
        + vector(b"s" * 32, 1)
        + b"\x13\1\0"
        + extensions({43: b"\3\4", 51: b"\0\x1d\0\0"})
    )
    forge.put(IN, record(22, message(2, body) + b"\x08"))
    assert out(forge)[1].fault_server == "tls.message.straddles"


def test_a_long_chain_over_many_records(forge):
    forge.client_hello()
    forge.server_hello()
    forge.encrypted_extensions()
    entry = vector(forge.certificate, 3) + b"\0\0"
    whole = message(11, b"\0" + vector(entry * (200_000 // len(entry)), 3))
    forge.transcript += whole
    for at in range(0, len(whole), 9999):
        forge.seal(IN, 22, whole[at : at + 9999])
    forge.verify()
    forge.finish(IN)
    forge.client_flight()
    _, facts = out(forge)
    assert facts.complete
    assert len(facts.certificates) == 200_000 // len(entry)


@pytest.mark.parametrize("name", ["client", "server", "client data", "server data"])
def test_a_secret_that_is_not_there(forge, name):
    forge.known.discard(name)
    forge.shake()
    forge.data(OUT, b"question")
    forge.data(IN, b"answer")
    plain, facts = out(forge)
    assert facts.faults == ("tls.secret.missing",)
    assert said(plain, OUT) == (b"" if name.startswith("client") else b"question")
    assert said(plain, IN) == (b"" if name.startswith("server") else b"answer")
    assert facts.finished_client is {"client": None, "server": None}.get(name, True)
    assert not facts.complete or "data" in name


def test_endless_key_updates_are_cut_off(forge):
    forge.shake()
    for _ in range(40):
        forge.update(IN)
    _, facts = out(forge)
    assert facts.key_updates_server == 32
    assert facts.fault_server == "tls.message.unexpected"


def test_endless_requests_are_cut_off(forge):
    forge.shake()
    for number in range(17):
        forge.seal(IN, 22, message(13, vector(bytes([number]), 1) + extensions({13: b"\0\2\4\3"})))
    assert out(forge)[1].fault_server == "tls.message.unexpected"


@pytest.mark.parametrize(
    "whole",
    [
        message(11, b"\3new\0\0\0"), message(15, b"\4\3\0\0"), message(20, bytes(32)), message(4, bytes(20)),
        message(13, b"\0\0\0"), message(24, b"\2"), message(1, b""),
    ],
)  # fmt: skip
def test_what_a_client_may_not_say_after_the_handshake(forge, whole):
    forge.shake()
    forge.seal(OUT, 22, whole)
    assert out(forge)[1].fault_client in ("tls.message.unexpected", "tls.message.malformed")


@pytest.mark.parametrize(
    "whole", [message(11, b"\0\0\0\0"), message(20, bytes(32)), message(4, b""), message(24, b"")]
)
def test_what_a_server_may_not_say_after_the_handshake(forge, whole):
    forge.shake()
    forge.seal(IN, 22, whole)
    assert out(forge)[1].fault_server in ("tls.message.unexpected", "tls.message.malformed")


def test_an_answer_that_is_no_answer(forge):
    forge.shake()
    forge.seal(IN, 22, message(13, b"\3ctx" + extensions({13: b"\0\2\4\3"})))
    forge.seal(OUT, 22, message(11, forge.certificate_body(context=b"ctx")))
    forge.seal(OUT, 22, message(4, b""))
    assert out(forge)[1].fault_client == "tls.message.unexpected"


def test_early_data_must_end_before_finished(forge):
    forge.known.add("early")
    forge.client_hello(EARLY)
    forge.keys[OUT] = Key(forge.suite, forge.secrets["early"])
    forge.server_hello({41: b"\0\0"})
    forge.encrypted_extensions({42: b""})
    forge.finish(IN)
    forge.finish(OUT)
    assert out(forge)[1].fault_client == "tls.message.unexpected"


def test_padding_counts(forge):
    forge.shake()
    forge.data(IN, b"x" * 100, padding=16284)
    forge.data(IN, b"y" * 100, padding=16285)
    plain, facts = out(forge)
    assert said(plain, IN) == b"x" * 100
    assert facts.fault_server == "tls.record.malformed"


def hello_12(forge: Forge, suite: int = 0xC02F, *, resumed: bool = False) -> None:
    forge.client_hello(suites=suite.to_bytes(2))
    forge.suite = suite
    forge.hello(bytes(range(32)), {})
    if not resumed:
        direction, at, data = forge.flights[-1]
        forge.flights[-1] = direction, at, data.replace(vector(b"s" * 32, 1), vector(b"t" * 32, 1))


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (message(12, b"\1\0\x1d\1x\4\3\0\0"), "tls.message.malformed"), (message(11, b"\0\0\1\0"), "tls.message.malformed"),
        (message(14, b"x"), "tls.message.unexpected"), (message(20, bytes(12)), "tls.message.unexpected"),
        (message(14, b"") + message(12, b""), "tls.message.unexpected"), (message(2, b""), "tls.message.unexpected"),
    ],
)  # fmt: skip
def test_wrong_messages_of_12(forge, content, code):
    hello_12(forge)
    forge.put(IN, record(22, content))
    assert out(forge)[1].fault_server == code


@pytest.mark.parametrize("kind", [11, 12, 13, 14])
def test_a_resumed_session_of_12_has_no_key_exchange(forge, kind):
    hello_12(forge, resumed=True)
    forge.put(IN, record(22, message(kind, b"")))
    assert out(forge)[1].fault_server == "tls.message.unexpected"


def test_change_of_keys_twice(forge):
    hello_12(forge, resumed=True)
    log = f"CLIENT_RANDOM {forge.random.hex()} {'ab' * 48}\n".encode()
    forge.put(IN, record(20, b"\1"))
    plain, facts = decode(forge.flights, log)
    assert facts.psk == "session_id"
    assert facts.faults == ("tls.handshake.incomplete",)
    forge.put(IN, record(20, b"\1"))
    assert decode(forge.flights, log)[1].fault_server == "tls.record.forged"
    assert plain == []


@pytest.mark.parametrize("suite", [0xC012, 0xC011])
def test_signature_of_a_suite_that_we_do_not_read(forge, suite):
    """The proof of who the server is does not need the cipher."""
    hello_12(forge, suite)
    parameters = b"\3\0\x1d" + vector(bytes(32), 1)
    content = forge.random + bytes(range(32)) + parameters
    assert isinstance(forge.key, ec.EllipticCurvePrivateKey)
    signature = forge.key.sign(content, ec.ECDSA(SHA256()))
    forge.put(IN, record(22, message(11, vector(vector(forge.certificate, 3), 3))))
    forge.put(IN, record(22, message(12, parameters + b"\4\3" + vector(signature, 2))))
    forge.put(IN, record(22, message(14, b"")))
    _, facts = out(forge)
    assert judged(facts) == ("valid", None)
    assert server_signature(facts).content == content
    assert facts.group == "x25519"
    assert facts.issued == (sha256(b"t" * 32),)


def test_suites_do_not_cross_versions(forge):
    forge.client_hello()
    forge.hello(bytes(32), {})
    assert out(forge)[1].fault_server == "tls.hello.mismatch"


def test_memory_does_not_grow(forge):
    forge.shake()
    decoder = TlsDecoder(KeyLog.parse(forge.keylog))
    for flight in forge.flights:
        decoder.feed(*flight)
    pieces = [b"".join(forge.keys[IN].seal(23, bytes(16384)) for _ in range(16)) for _ in range(128)]
    tracemalloc.start()
    try:
        got = sum(len(plain.data) for piece in pieces for plain in decoder.feed(IN, 1, piece))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert got == 128 * 16 * 16384
    assert peak < 4 << 20
