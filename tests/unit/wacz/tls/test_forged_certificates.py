"""Certificates and signatures of TLS 1.3, written by hand."""

import zlib

import brotli
import pytest
import zstandard

from tests.unit.wacz.tls.ends import said
from tests.unit.wacz.tls.forge import (
    IN,
    judged,
    out,
    vector,
)


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
