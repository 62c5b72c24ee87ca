"""TLS 1.2 in the clear, written by hand."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from evidence_desk.core.digests import sha256
from tests.unit.wacz.tls.ends import decode
from tests.unit.wacz.tls.forge import (
    IN,
    Forge,
    judged,
    message,
    out,
    record,
    server_signature,
    vector,
)


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
