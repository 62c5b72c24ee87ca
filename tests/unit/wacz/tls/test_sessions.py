import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from evidence_desk.core.capture.stream import Direction
from evidence_desk.core.digests import sha256
from evidence_desk.wacz.tls import KeyLog, TlsDecoder, select_lines
from tests.unit.wacz.tls.ends import decode, said

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
REQUEST = b"GET / HTTP/1.1\r\nHost: site.test\r\n\r\n"
ANSWER = bytes(range(256)) * 1000
NO_ENCRYPT_THEN_MAC = 1 << 19
NO_EXTENDED_MASTER_SECRET = 1 << 0


def right(tapped, plain, facts) -> None:
    assert said(plain, Direction.OUT) == tapped.sent
    assert said(plain, Direction.IN) == tapped.received
    assert facts.faults == ()
    assert facts.complete
    assert facts.sni == "site.test"


@pytest.mark.parametrize(
    ("kind", "scheme"),
    [
        ("rsa", "rsa_pss_rsae_sha256"), ("p256", "ecdsa_secp256r1_sha256"), ("p384", "ecdsa_secp384r1_sha384"),
        ("p521", "ecdsa_secp521r1_sha512"), ("ed25519", "ed25519"),
    ],
)  # fmt: skip
def test_13(contexts, kind, scheme):
    tapped = contexts(kind, TLS13, alpn=("h2", "http/1.1")).record(REQUEST, ANSWER)
    plain, facts = tapped.decode()
    right(tapped, plain, facts)
    assert (facts.version, facts.suite, facts.group) == ("TLS 1.3", "TLS_AES_256_GCM_SHA384", "x25519")
    assert facts.alpn == "h2"
    assert facts.certificates == (tapped.certificate,)
    assert facts.certificate_verify is not None
    assert (facts.certificate_verify.scheme_name, facts.certificate_verify.status) == (scheme, "valid")
    assert not facts.resumed
    assert facts.ended == facts.ended_client == "close_notify"
    assert len(facts.issued) == 2
    assert not facts.hello_retry


SUITES_12 = [
    ("rsa", "ECDHE-RSA-AES128-GCM-SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
    ("rsa", "ECDHE-RSA-AES256-GCM-SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
    ("rsa", "ECDHE-RSA-CHACHA20-POLY1305", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"),
    ("rsa", "ECDHE-RSA-AES128-SHA", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"),
    ("rsa", "ECDHE-RSA-AES256-SHA", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"),
    ("rsa", "ECDHE-RSA-AES128-SHA256", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"),
    ("rsa", "ECDHE-RSA-AES256-SHA384", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"),
    ("p256", "ECDHE-ECDSA-AES128-GCM-SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
    ("p384", "ECDHE-ECDSA-AES256-GCM-SHA384", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
    ("ed25519", "ECDHE-ECDSA-CHACHA20-POLY1305", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
    ("p256", "ECDHE-ECDSA-AES128-CCM", "TLS_ECDHE_ECDSA_WITH_AES_128_CCM"),
    ("p256", "ECDHE-ECDSA-AES256-CCM8:@SECLEVEL=0", "TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8"),
    ("p521", "ECDHE-ECDSA-AES256-SHA384", "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384"),
    ("rsa", "AES128-GCM-SHA256", "TLS_RSA_WITH_AES_128_GCM_SHA256"),
    ("rsa", "AES256-GCM-SHA384", "TLS_RSA_WITH_AES_256_GCM_SHA384"),
    ("rsa", "AES128-SHA", "TLS_RSA_WITH_AES_128_CBC_SHA"),
    ("rsa", "AES256-SHA256", "TLS_RSA_WITH_AES_256_CBC_SHA256"),
    ("rsa", "AES128-CCM", "TLS_RSA_WITH_AES_128_CCM"),
]


@pytest.mark.parametrize(("kind", "ciphers", "name"), SUITES_12)
@pytest.mark.parametrize("options", [0, NO_ENCRYPT_THEN_MAC | NO_EXTENDED_MASTER_SECRET])
def test_12(contexts, kind, ciphers, name, options):
    settings = contexts(kind, TLS12, ciphers, alpn=("http/1.1",))
    settings.client.options |= options
    tapped = settings.record(REQUEST, ANSWER)
    plain, facts = tapped.decode()
    right(tapped, plain, facts)
    assert (facts.version, facts.suite, facts.alpn) == ("TLS 1.2", name, "http/1.1")
    assert facts.extended_master_secret is not bool(options)
    assert facts.certificates == (tapped.certificate,)
    if name.startswith("TLS_RSA"):
        assert facts.certificate_verify is None
        assert facts.group is None
    else:
        assert facts.certificate_verify is not None
        assert facts.certificate_verify.status == "valid"
        assert facts.group == "x25519"
    assert facts.ended == facts.ended_client == "close_notify"
    assert not facts.resumed
    assert not facts.downgraded


@pytest.mark.parametrize("ciphers", ["CAMELLIA128-SHA", "ARIA128-GCM-SHA256"])
def test_a_suite_that_we_do_not_read(contexts, ciphers):
    tapped = contexts("rsa", TLS12, f"{ciphers}:@SECLEVEL=0").record(REQUEST, ANSWER)
    plain, facts = tapped.decode()
    assert plain == []
    assert facts.faults == ("tls.suite.unsupported",)
    assert facts.suite is not None
    assert facts.certificates == (tapped.certificate,)
    assert facts.ended == "fault"
    assert facts.unread_received > len(ANSWER)


def test_a_newer_server_says_so(contexts):
    settings = contexts("p256", TLS12)
    settings.server.maximum_version = TLS13
    assert settings.record(REQUEST, ANSWER).decode()[1].downgraded


def test_hello_retry(contexts):
    settings = contexts("p256", TLS13)
    settings.server.set_ecdh_curve("secp384r1")
    tapped = settings.record(REQUEST, ANSWER)
    plain, facts = tapped.decode()
    right(tapped, plain, facts)
    assert facts.hello_retry
    assert facts.group == "secp384r1"


@pytest.mark.parametrize("version", [TLS12, TLS13])
@pytest.mark.parametrize("tickets", [True, False])
def test_resumption_links_to_the_first_session(contexts, version, tickets):
    settings = contexts("p256", version)
    if not tickets:
        settings.server.options |= ssl.OP_NO_TICKET
        settings.server.num_tickets = 2
    first = settings.record(REQUEST, ANSWER)
    second = settings.record(REQUEST, b"second", session=first.session)
    facts = first.decode(second.keylog)[1]
    plain, again = second.decode()
    right(second, plain, again)
    assert not facts.resumed
    assert again.resumed
    assert again.certificates == ()
    assert again.certificate_verify is None
    assert again.finished_server
    assert again.resumed_from in facts.issued
    assert again.psk == ("psk_dhe_ke" if version is TLS13 else "ticket" if tickets else "session_id")


@pytest.mark.parametrize("version", [TLS12, TLS13])
@pytest.mark.parametrize("kind", ["rsa", "p256", "ed25519"])
def test_client_certificate(contexts, identity, version, kind):
    settings = contexts("p256", version)
    settings.server.verify_mode = ssl.CERT_REQUIRED
    settings.server.load_verify_locations(identity(kind))
    settings.client.load_cert_chain(identity(kind))
    tapped = settings.record(REQUEST, ANSWER)
    plain, facts = tapped.decode()
    right(tapped, plain, facts)
    assert facts.client_certificate_requested
    own = x509.load_pem_x509_certificate(identity(kind).read_bytes()).public_bytes(Encoding.DER)
    assert facts.client_certificates == (own,)
    assert facts.client_certificate_verify is not None
    assert facts.client_certificate_verify.status == "valid"


@pytest.mark.parametrize("version", [TLS12, TLS13])
def test_a_client_without_certificate(contexts, identity, version):
    settings = contexts("p256", version)
    settings.server.verify_mode = ssl.CERT_OPTIONAL
    settings.server.load_verify_locations(identity("p256"))
    plain, facts = (tapped := settings.record(REQUEST, ANSWER)).decode()
    right(tapped, plain, facts)
    assert facts.client_certificate_requested
    assert facts.client_certificates == ()


def test_client_certificate_after_the_handshake(contexts, identity):
    settings = contexts("p256", TLS13)
    settings.client.post_handshake_auth = settings.server.post_handshake_auth = True
    settings.server.verify_mode = ssl.CERT_REQUIRED
    settings.server.load_verify_locations(identity("rsa"))
    settings.client.load_cert_chain(identity("rsa"))
    ends = settings.ends()
    ends.shake()
    ends.say(REQUEST, b"one")
    assert ends.server.getpeercert(binary_form=True) is None
    ends.server.verify_client_post_handshake()
    ends.say(b"two", b"three")
    ends.say(b"four", b"five")
    own = ends.server.getpeercert(binary_form=True)
    ends.close()
    ends.tapped.keylog = settings.log.read_bytes()
    plain, facts = ends.tapped.decode()
    right(ends.tapped, plain, facts)
    assert facts.client_certificate_requested
    assert facts.client_certificates == (own,)
    assert facts.client_certificate_verify is not None
    assert facts.client_certificate_verify.status == "valid"


@pytest.mark.parametrize("version", [TLS12, TLS13])
def test_without_farewell_it_is_truncated(contexts, version):
    tapped = contexts("p256", version).record(REQUEST, ANSWER, close=False)
    plain, facts = tapped.decode()
    right(tapped, plain, facts)
    assert (facts.ended, facts.ended_client) == ("truncated", "truncated")


@pytest.mark.parametrize("version", [TLS12, TLS13])
def test_a_refused_certificate_ends_with_an_alert(contexts, version):
    settings = contexts("p256", version)
    settings.client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    settings.client.maximum_version = version
    settings.client.keylog_filename = str(settings.log)
    ends = settings.ends()
    with pytest.raises(ssl.SSLCertVerificationError):
        ends.shake()
    ends.move()
    ends.tapped.keylog = settings.log.read_bytes() if settings.log.exists() else b""
    _, facts = ends.tapped.decode()
    assert facts.ended_client in ("unknown_ca", "bad_certificate")
    assert not facts.complete
    assert facts.faults == (() if version is TLS12 else ("tls.alert.unprotected",))
    assert len(facts.certificates) == 1


def test_key_log_of_somebody_else(contexts):
    tapped = contexts("p256", TLS13).record(REQUEST, ANSWER)
    plain, facts = decode(tapped.flights, b"# nothing\n")
    assert plain == []
    assert facts.faults == ("tls.secret.missing",)
    assert facts.ended == facts.ended_client == "fault"
    total = sum(len(data) for direction, _, data in tapped.flights if direction is Direction.IN)
    assert 0 < total - facts.unread_received < 150  # ServerHello and ChangeCipherSpec


def test_swapped_secrets_open_nothing(contexts):
    settings = contexts("p256", TLS13)
    tapped = settings.record(REQUEST, ANSWER)
    settings.record(REQUEST, ANSWER)
    lines = settings.log.read_bytes().decode().splitlines()
    randoms = {line.split()[1] for line in lines if line.startswith("SERVER")}
    first = tapped.decode()[1].client_random
    assert first is not None
    (other,) = randoms - {first.hex()}
    swapped = "\n".join(
        line.replace(other, first.hex()) for line in lines if other in line
    ).encode() + b"\n"  # fmt: skip
    plain, facts = decode(tapped.flights, swapped)
    assert plain == []
    assert facts.faults == ("tls.record.forged",)


def test_lines_of_one_session(contexts):
    settings = contexts("p256", TLS13)
    one = settings.record(REQUEST, b"one")
    two = settings.record(REQUEST, b"two")
    random = one.decode()[1].client_random
    assert random is not None
    kept = select_lines(two.keylog, {random})
    assert said(decode(one.flights, kept)[0], Direction.IN) == b"one"
    assert decode(two.flights, kept)[0] == []


@pytest.mark.parametrize(
    "first",
    [
        b"GET / HTTP/1.1",
        b"\x16\x03\x01\x00\x00",
        b"\x16\x03\x01\x00\x05\x02",
        b"\x16\x02",
        b"\x15\x03",
        b"\x80.\1",
    ],
)
def test_other_protocols_are_left_alone(first):
    decoder = TlsDecoder(KeyLog.parse(b""))
    for byte in first:
        assert decoder.feed(Direction.OUT, 1, bytes([byte])) == []
    assert decoder.is_tls is False
    decoder.feed(Direction.IN, 2, b"HTTP/1.1 200 OK")
    decoder.finish()
    assert decoder.facts.faults == ()


def test_a_server_that_speaks_first_is_no_tls():
    decoder = TlsDecoder(KeyLog.parse(b""))
    decoder.feed(Direction.IN, 1, b"220 ready")
    assert decoder.is_tls is False


def test_moments_are_those_of_the_last_byte(contexts):
    tapped = contexts("p256", TLS13).record(REQUEST, b"answer")
    moments = {at: data for _, at, data in tapped.flights}
    for piece in tapped.decode()[0]:
        assert piece.at in moments
        assert len(piece.data) < len(moments[piece.at])


def test_facts_as_json(contexts):
    tapped = contexts("p256", TLS13).record(REQUEST, ANSWER)
    facts = tapped.decode()[1]
    told = facts.to_json()
    assert set(told) == set(facts.__dataclass_fields__)
    assert told["certificates"] == [sha256(tapped.certificate).hex()]
