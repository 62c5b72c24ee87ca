"""Sites → blind proxy → recorded streams → decryption: every response equal, byte for byte, to what the server logged."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from websockets.sync.client import connect

from evidence_desk.capture.guard import Guard
from evidence_desk.core.capture.connection import Connection, Ending, Fate
from evidence_desk.wacz.decode import Decoded
from evidence_desk.wacz.http.exchange import Exchange
from tests.sites.clients import Http1Client, Http2Client, dial, trusting
from tests.sites.pages import account, active, bulk, hostile, media, odd, reading
from tests.sites.recording import Comparison, Tape, compare
from tests.sites.town import (
    AGAIN,
    EXPIRED,
    MODERN,
    MODERN_OLD,
    OLD,
    PADDED,
    PLAIN,
    SITE,
    SOCKET,
    STAPLED,
    Town,
)

NOT_ALL_AT_ONCE = {"/endless", "/endless.html", "/slow", "/big.bin", "/bomb.gz", "/bomb.br", "/bomb.zst"}
CUT_SHORT = {"/reset", "/reset-chunked", "/reset-refused", "/cut"}
ENDS = {"/odd/last"}


def ordinary() -> list[str]:
    """Targets that both protocols answer in whole, connection kept."""
    routes = {
        **reading.routes(), **active.routes(), **media.routes(), **account.routes(), **odd.both(), **hostile.routes(),
    }  # fmt: skip
    return sorted({one for one in routes if not one.endswith("*")} - NOT_ALL_AT_ONCE - CUT_SHORT - ENDS)


@contextmanager
def http1(tape: Tape, name: str) -> Iterator[Http1Client]:
    site = tape.town.sites[name]
    with dial((name, site.port), tape.port) as connection:
        secured = connection
        if site.scheme == "https":
            context = trusting(tape.town.ca.root_pem, ["http/1.1"], tape.key_log)
            secured = context.wrap_socket(connection, server_hostname=name)
        with secured:
            yield Http1Client(secured, f"{name}:{site.port}")


@contextmanager
def http2(tape: Tape, name: str) -> Iterator[Http2Client]:
    site = tape.town.sites[name]
    context = trusting(tape.town.ca.root_pem, ["h2"], tape.key_log)
    with (
        dial((name, site.port), tape.port) as connection,
        context.wrap_socket(connection, server_hostname=name) as secured,
    ):
        yield Http2Client(secured, f"{name}:{site.port}")


def checked(town: Town, tape: Tape) -> Comparison:
    """All is equal, and nothing in the recording is unexplained."""
    decoded = tape.decoded()
    result = compare(town, decoded)
    assert result.wrong == []
    for one in decoded:
        if one.tls is not None:
            assert one.tls.complete
            assert one.tls.faults == ()
            assert one.tls.certificate_verify is not None
            assert one.tls.certificate_verify.status == "valid"
    return result


@pytest.mark.parametrize("name", [SITE, OLD, PLAIN, AGAIN, STAPLED])
def test_http1_is_recorded_byte_for_byte(town, tape, name):
    with tape.running(), http1(tape, name) as client:
        for target in ordinary():
            client.get(target)
    result = checked(town, tape)
    assert len(result.whole) == len(ordinary()) > 80
    assert result.begun == result.unsent == []


@pytest.mark.parametrize("name", [MODERN, MODERN_OLD, PADDED])
def test_http2_is_recorded_byte_for_byte(town, tape, name):
    with tape.running(), http2(tape, name) as client:
        client.get(ordinary()[:60])
        client.get(ordinary()[60:])
    result = checked(town, tape)
    assert len(result.whole) == len(ordinary()) > 80
    assert result.begun == result.unsent == []


def test_tls_facts_are_those_of_each_site(tape):
    with tape.running():
        for name in (SITE, OLD, AGAIN, STAPLED):
            with http1(tape, name) as client:
                client.get("/")
        for name in (MODERN, MODERN_OLD):
            with http2(tape, name) as client:
                client.get(["/"])
    facts = {one.connection.host: one.tls for one in tape.decoded()}
    found = {
        name: (tls.version, tls.suite, tls.alpn, tls.hello_retry, tls.group)
        for name, tls in facts.items()
        if tls
    }
    assert found[SITE] == ("TLS 1.3", "TLS_AES_256_GCM_SHA384", "http/1.1", False, "x25519")
    assert found[OLD][:3] == ("TLS 1.2", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "http/1.1")
    assert found[AGAIN][:4] == ("TLS 1.3", "TLS_AES_256_GCM_SHA384", "http/1.1", True)
    assert found[MODERN_OLD][:3] == ("TLS 1.2", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "h2")
    staples = {name: tls.ocsp is not None for name, tls in facts.items() if tls}
    assert staples == {**dict.fromkeys(found, False), STAPLED: False}, "Python's client asks for no staple"
    for name, tls in facts.items():
        assert tls is not None
        assert tls.sni == name
        assert len(tls.certificates) == 2


@pytest.mark.parametrize("target", sorted(odd.http1()))
@pytest.mark.parametrize("name", [SITE, PLAIN])
def test_oddities_are_recorded_as_they_are(town, tape, name, target):
    with tape.running(), http1(tape, name) as client:
        client._connection.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        client.rest()
    [one] = tape.decoded()
    [exchange], [sent] = one.exchanges, town.sites[name].log.sent
    assert exchange.complete
    assert exchange.response_head == sent.head
    assert list(exchange.informational) == sent.informational
    assert read(exchange) + (surplus := read_surplus(one)) == sent.body.data
    assert surplus == (b"what follows the body" if target == "/odd/extra-after" else b"")
    assert exchange.payload is not None
    assert exchange.payload.sha256 == sent.payload.sha256
    assert exchange.trailers == sent.trailers


@pytest.mark.parametrize("target", sorted(odd.wrong()))
def test_wrong_answers_are_recorded_and_never_called_complete(town, tape, target):
    with tape.running(), http1(tape, SITE) as client:
        client._connection.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        client.rest()
    [one] = tape.decoded()
    [exchange], [sent] = one.exchanges, town.sites[SITE].log.sent
    assert not exchange.complete
    assert exchange.fault is not None
    everything = (exchange.response_head or b"") + read(exchange) + read_surplus(one)
    assert everything == (sent.head or b"") + sent.body.data


@pytest.mark.parametrize("target", sorted(CUT_SHORT - {"/reset-refused"}))
@pytest.mark.parametrize("name", [SITE, OLD, PLAIN])
def test_what_came_before_a_reset_is_kept(town, tape, name, target):
    with tape.running(), http1(tape, name) as client:
        client._connection.sendall(f"GET {target} HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())
        client.rest()
    [one] = tape.decoded()
    result = compare(town, [one])
    assert result.wrong == []
    assert result.begun == [f"{name}{target}"]
    [exchange] = one.exchanges
    assert not exchange.complete
    assert exchange.payload is not None
    assert exchange.payload.size == 200_000
    assert one.connection.ending is (Ending.CLOSED if target == "/cut" else Ending.RESET)


def test_streams_that_are_reset_leave_the_others_whole(town, tape):
    with tape.running(), http2(tape, MODERN) as client:
        client.get(["/", "/reset", "/reset-refused", "/data.bin"])
    [one] = tape.decoded()
    result = compare(town, [one])
    assert result.wrong == []
    assert sorted(result.whole) == ["modern.test/", "modern.test/data.bin"]
    assert [exchange.reset for exchange in one.exchanges] == [None, "INTERNAL_ERROR", "REFUSED_STREAM", None]


@pytest.mark.parametrize("protocol", [http1, http2])
def test_a_client_that_leaves_early_has_the_beginning_recorded(town, tape, protocol):
    name = SITE if protocol is http1 else MODERN
    with tape.running(), protocol(tape, name) as client:
        if isinstance(client, Http1Client):
            client._connection.sendall(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
            connection = client._connection
        else:
            client._ask("/endless", "GET", b"")
            client._flush()
            connection = client._socket
        received = 0
        while received < 3_000_000:
            received += len(connection.recv(1 << 16))
    [one] = tape.decoded()
    result = compare(town, [one])
    assert result.wrong == []
    assert result.begun == [f"{name}/endless"]
    assert one.exchanges[0].payload is not None
    assert one.exchanges[0].payload.size > 2_000_000


@pytest.mark.parametrize("name", [SITE, OLD, PLAIN, MODERN])
def test_a_large_body_is_recorded_byte_for_byte(town, tape, name):
    target = "/big.bin?size=30000000"
    with tape.running():
        if name == MODERN:
            with http2(tape, name) as two:
                two.get([target])
        else:
            with http1(tape, name) as one:
                one.get(target)
    assert checked(town, tape).whole == [f"{name}{target}"]


@pytest.mark.full
@pytest.mark.parametrize("name", [SITE, MODERN])
def test_two_hundred_megabytes_are_recorded_byte_for_byte(town, tape, name):
    with tape.running():
        if name == MODERN:
            with http2(tape, name) as two:
                two.get(["/big.bin"])
        else:
            with http1(tape, name) as one:
                one.get("/big.bin")
    assert checked(town, tape).whole == [f"{name}/big.bin"]
    assert town.sites[name].log.sent[0].body.size == hostile.BIG


@pytest.mark.parametrize("name", [PLAIN, SITE, MODERN])
def test_one_changed_byte_is_noticed(town, tape, name):
    """The comparison itself: it must not be able to pass whatever comes."""
    with tape.running():
        if name == MODERN:
            with http2(tape, name) as two:
                two.get(["/data.bin"])
        else:
            with http1(tape, name) as one:
                one.get("/data.bin")
    path = tape.folder / "stream-000001.bin"
    data = bytearray(path.read_bytes())
    data[-1000] ^= 1
    path.write_bytes(data)
    decoded = tape.decoded()
    result = compare(town, decoded)
    assert result.whole == [f"{PLAIN}/data.bin"] if name == PLAIN else result.whole == []
    assert len(result.wrong) == (2 if name == PLAIN else 0), "body and payload"
    if name != PLAIN:
        assert decoded[0].tls is not None
        assert decoded[0].tls.fault_server is not None
        assert result.begun == [f"{name}/data.bin"]


def test_what_was_sent_but_not_recorded_is_noticed(town, tape):
    with tape.running(), http1(tape, PLAIN) as client:
        client.get("/")
        client.get("/style.css")
    with dial((PLAIN, town.sites[PLAIN].port)) as past:
        Http1Client(past, PLAIN).get("/more.css")
    decoded = tape.decoded()
    assert compare(town, decoded).wrong == [f"{PLAIN}/more.css: sent, but on no recorded connection"]
    [one] = decoded
    shorter = [replace(one, exchanges=one.exchanges[:1])]
    assert f"{PLAIN}/style.css: sent, but not decoded" in compare(town, shorter).wrong


def test_three_hundred_resources(town, tape):
    paths = sorted(path for path in bulk.routes() if path != "/bulk.html")
    with tape.running():
        with http2(tape, MODERN) as two:
            for start in range(0, 300, 90):
                two.get(paths[start : start + 90])
        for part in range(6):
            with http1(tape, SITE) as one:
                for path in paths[part::6]:
                    one.get(path)
    assert len(checked(town, tape).whole) == 600


def test_requests_with_bodies(town, tape):
    body = bytes(range(256)) * 200
    with tape.running():
        with http1(tape, SITE) as one:
            one.get("/odd/echo", method="POST", body=body)
            one.get("/odd/echo", method="PUT", body=b"x")
            one.get("/", method="HEAD")
        with http2(tape, MODERN) as two:
            two.get(["/odd/echo"], method="POST", body=body[:16_000])
    assert len(checked(town, tape).whole) == 4


def test_sessions_that_are_resumed_are_read_and_linked(town, tape):
    context = trusting(town.ca.root_pem, ["http/1.1"], tape.key_log)
    with tape.running():
        for name in (SITE, OLD):
            session = None
            for _ in range(2):
                with dial((name, town.sites[name].port), tape.port) as plain:
                    secured = context.wrap_socket(plain, server_hostname=name, session=session)
                    with secured:
                        Http1Client(secured, name).get("/style.css")
                        session = secured.session
    decoded = tape.decoded()
    assert compare(town, decoded).wrong == []
    assert len(compare(town, decoded).whole) == 4
    for first, second in (decoded[:2], decoded[2:]):
        assert first.tls is not None
        assert second.tls is not None
        assert (first.tls.resumed, second.tls.resumed) == (False, True)
        assert second.tls.resumed_from in first.tls.issued
        assert second.tls.finished_server
        assert second.tls.certificates == ()


def test_websocket_messages(town, tape):
    site = town.sites[SOCKET]
    with tape.running():
        for target in ("/echo", "/deflate", "/fragments"):
            plain = dial((SOCKET, site.port), tape.port)
            context = trusting(town.ca.root_pem, ["http/1.1"], tape.key_log)
            secured = context.wrap_socket(plain, server_hostname=SOCKET)
            with connect(f"ws://{SOCKET}:{site.port}{target}", sock=secured) as client:
                for message in ("䶮㛃𬱖𠮷", b"\0" * 5000, "长" * 90_000):
                    client.send(message)
                for _ in range(5 if target == "/fragments" else 4):
                    client.recv()
                client.send("bye")
                with pytest.raises(Exception, match="再见"):
                    client.recv()
    result = compare(town, tape.decoded())
    assert result.wrong == []
    assert result.messages == 4 * 3 + 4 * 3 + 1


def test_a_refused_certificate_is_recorded_with_its_chain(town, tape):
    with tape.running(), pytest.raises(ssl.SSLCertVerificationError), http1(tape, EXPIRED):
        pass
    [one] = tape.decoded()
    assert one.tls is not None
    assert one.tls.certificates[1] == town.ca.intermediate.public_bytes(Encoding.DER)
    assert one.exchanges == ()


def test_the_guard_lets_private_addresses_through_when_allowed(town, tape):
    with tape.running(Guard(allow_private=True)), http1(tape, SITE) as client:
        client.get("/")
    assert checked(town, tape).whole == [f"{SITE}/"]


def test_the_guard_refuses_the_sites_unless_allowed(town, tape):
    with (
        tape.running(Guard()),
        pytest.raises(ConnectionRefusedError),
    ):
        dial((SITE, town.sites[SITE].port), tape.port)
    [connection] = tape.connections()
    assert refused(connection)
    assert town.sites[SITE].log.connections == 0


def test_the_proxy_refuses_its_own_port_always(tape):
    with tape.running(), pytest.raises(ConnectionRefusedError):
        dial(("rebind.test", tape.port), tape.port)
    [connection] = tape.connections()
    assert refused(connection)


def refused(connection: Connection) -> bool:
    return (
        connection.fate is Fate.REFUSED and connection.answers == ("127.0.0.1",) and connection.received == 0
    )


def read(exchange: Exchange) -> bytes:
    if exchange.response_body is None:
        return b""
    with exchange.response_body.open() as file:
        return file.read()


def read_surplus(one: Decoded) -> bytes:
    if one.surplus is None:
        return b""
    with one.surplus.open() as file:
        return file.read()
