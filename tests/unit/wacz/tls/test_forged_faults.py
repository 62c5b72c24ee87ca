"""What must not be: wrong records, messages and choices of TLS 1.3, written by hand."""

import tracemalloc

import pytest

from evidence_desk.wacz.tls import KeyLog, TlsDecoder
from tests.unit.wacz.tls.ends import said
from tests.unit.wacz.tls.forge import (
    IN,
    OUT,
    PSK,
    Forge,
    extensions,
    message,
    out,
    record,
    vector,
)


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


def test_padding_counts(forge):
    forge.shake()
    forge.data(IN, b"x" * 100, padding=16284)
    forge.data(IN, b"y" * 100, padding=16285)
    plain, facts = out(forge)
    assert said(plain, IN) == b"x" * 100
    assert facts.fault_server == "tls.record.malformed"


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
