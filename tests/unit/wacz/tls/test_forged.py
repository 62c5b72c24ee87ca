"""Ways of TLS 1.3 that peers seldom go, written by hand: early data, key updates, late requests."""

import hashlib
import hmac

import pytest

from evidence_desk.core.digests import sha256
from tests.unit.wacz.tls.ends import said
from tests.unit.wacz.tls.forge import (
    EARLY,
    IN,
    OUT,
    PSK,
    Forge,
    Key,
    expand,
    extensions,
    judged,
    message,
    out,
    record,
    server_signature,
    vector,
)


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
