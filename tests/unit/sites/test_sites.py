"""The test sites themselves: what arrives is what they say they sent."""

import contextlib
import gzip
import hashlib
import json
import socket
import ssl
import subprocess
import zlib
from collections.abc import Iterable, Iterator

import brotli
import pytest
import zstandard
from websockets.sync.client import ClientConnection, connect

from tests.sites import TLS12, TLS13, Ending, Http1Site, Http2Site, Routes, Sent, SiteCa, SiteLog, Tls
from tests.sites.answer import Answer, noise
from tests.sites.clients import Http1Client, Http2Client, dial, trusting
from tests.sites.pages import account, active, bulk, hostile, media, odd, reading
from tests.sites.server import Server
from tests.sites.town import AGAIN, BAD, MODERN, MODERN_OLD, OLD, PADDED, PLAIN, SITE, SOCKET, STAPLED, Town
from tests.sites.websocket import GREETING

WITHOUT_END = {"/endless", "/endless.html", "/slow", "/big.bin", "/slow-head"}
CUT_SHORT = {"/reset", "/reset-chunked", "/reset-refused", "/cut"}
BOMBS = {"/bomb.gz", "/bomb.br", "/bomb.zst"}


@contextlib.contextmanager
def http1(town: Town, name: str) -> Iterator[Http1Client]:
    site = town.sites[name]
    with dial((name, site.port)) as plain:
        connection: socket.socket = plain
        if site.scheme == "https":
            context = trusting(town.ca.root_pem, ["http/1.1"])
            connection = context.wrap_socket(plain, server_hostname=name, suppress_ragged_eofs=False)
        with connection:
            yield Http1Client(connection, f"{name}:{site.port}")


@contextlib.contextmanager
def http2(town: Town, name: str) -> Iterator[Http2Client]:
    site = town.sites[name]
    with dial((name, site.port)) as plain:
        context = trusting(town.ca.root_pem, ["h2"])
        with context.wrap_socket(plain, server_hostname=name) as connection:
            yield Http2Client(connection, f"{name}:{site.port}")


def targets(routes: Routes) -> list[str]:
    kept = {one for one in routes if not one.endswith("*")} - WITHOUT_END - CUT_SHORT - BOMBS
    return sorted(kept | {"/hops/3", "/missing"})


def last(town: Town, name: str, target: str) -> Sent:
    sent = town.sites[name].log.to(target)[-1]
    assert sent.settled.wait(20), "still being sent"
    return sent


def whole(sent: Sent) -> bytes:
    before = b"".join(one for one in sent.informational if isinstance(one, bytes))
    return before + (sent.head or b"") + sent.body.data


def quiet(site: Server) -> SiteLog:
    """Wait until the site has finished with every connection: logs are complete then."""
    site.stop()
    return site.log


@pytest.mark.parametrize("name", [SITE, OLD, PLAIN, AGAIN, STAPLED])
def test_http1_answers_are_logged_as_they_arrive(town, name):
    routes = {
        **reading.routes(),
        **active.routes(),
        **media.routes(),
        **account.routes(),
        **odd.both(),
        **hostile.routes(),
    }
    seen = 0
    for target in targets(routes):
        if target == "/events":
            continue
        with http1(town, name) as client:
            got = client.get(target)
        sent = last(town, name, target)
        assert (sent.head, sent.body.data, sent.informational) == (
            got.head,
            bytes(got.body),
            got.informational,
        ), target
        assert (sent.body.size, sent.body.sha256) == (len(got.body), hashlib.sha256(got.body).digest())
        seen += 1
    assert seen > 80


@pytest.mark.parametrize("name", [MODERN, MODERN_OLD, PADDED])
def test_http2_answers_are_logged_as_they_arrive(town, name):
    routes = {
        **reading.routes(),
        **active.routes(),
        **media.routes(),
        **account.routes(),
        **odd.both(),
        **hostile.routes(),
    }
    asked = [target for target in targets(routes) if target not in {"/events", "/odd/last"}]
    with http2(town, name) as client:
        answers = client.get(asked)
    for target, got in zip(asked, answers, strict=True):
        sent = last(town, name, target)
        assert sent.completed, target
        assert (sent.headers, sent.body.data, sent.trailers) == (
            got.headers,
            bytes(got.body),
            got.trailers,
        ), target
        assert sent.informational == got.informational
    assert len(asked) > 80


def test_http1_keeps_a_connection_for_many_requests(town):
    with http1(town, SITE) as client:
        first = [client.get(target).body for target in ("/", "/style.css", "/events", "/odd/trailers", "/")]
    peers = {last(town, SITE, target).peer for target in ("/", "/style.css", "/events", "/odd/trailers")}
    assert len(peers) == 1
    assert first[0] == first[4] == reading.PAGE.encode()
    assert last(town, SITE, "/events").payload.data.count(b"data: ") == 6


def test_three_hundred_resources_over_both_protocols(town):
    paths = sorted(path for path in bulk.routes() if path != "/bulk.html")
    with http1(town, SITE) as one, http2(town, MODERN) as two:
        assert [one.get(path).body for path in paths] == [got.body for got in two.get(paths[:90])] + [
            got.body for start in range(90, 300, 90) for got in two.get(paths[start : start + 90])
        ]
    assert len(paths) == bulk.COUNT


@pytest.mark.parametrize("target", sorted(odd.http1()))
def test_oddities_arrive_exactly_as_scripted(town, target):
    connection = socket.create_connection(("127.0.0.1", town.sites[PLAIN].port), timeout=20)
    with connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: plain.test\r\nConnection: close\r\n\r\n".encode())
        arrived = Http1Client(connection, "").rest()
    sent = last(town, PLAIN, target)
    assert arrived == whole(sent)
    assert sent.completed
    assert sent.payload.data == odd.BODY


@pytest.mark.parametrize("target", sorted(odd.wrong()))
def test_wrong_answers_arrive_exactly_as_scripted(town, target):
    with http1(town, SITE) as client:
        client._connection.sendall(f"GET {target} HTTP/1.1\r\nHost: site.test\r\n\r\n".encode())
        arrived = client.rest()
    sent = last(town, SITE, target)
    assert arrived == whole(sent)
    assert sent.ending in {"close", "cut"}


def test_a_truncated_stream_has_no_close_notify(town):
    for target, error in (("/wrong/cut", True), ("/wrong/short", False)):
        with dial((SITE, town.sites[SITE].port)) as plain:
            context = trusting(town.ca.root_pem, ["http/1.1"])
            context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)  # a default with OpenSSL 3
            with context.wrap_socket(plain, server_hostname=SITE, suppress_ragged_eofs=False) as connection:
                connection.sendall(f"GET {target} HTTP/1.1\r\nHost: site.test\r\n\r\n".encode())
                assert _ends_raggedly(connection) is error


def _ends_raggedly(connection: ssl.SSLSocket) -> bool:
    try:
        while connection.recv(1 << 16):
            pass
    except ssl.SSLError as error:  # SSLEOFError in later versions of Python alone
        return "UNEXPECTED_EOF" in (error.reason or "") or isinstance(error, ssl.SSLEOFError)
    return False


@pytest.mark.parametrize("name", [SITE, PLAIN])
def test_a_reset_comes_after_what_was_sent(town, name):
    with http1(town, name) as client:
        client._connection.sendall(b"GET /reset HTTP/1.1\r\nHost: x\r\n\r\n")
        arrived, ended = b"", False
        while not ended:
            try:
                arrived += (block := client._connection.recv(1 << 16))
            except (ConnectionResetError, ssl.SSLEOFError):  # Python's ssl tells a reset as an early end
                ended = True
            else:
                assert block, "an end, not a reset"
    sent = last(town, name, "/reset")
    head, _, body = arrived.partition(b"\r\n\r\n")
    assert head + b"\r\n\r\n" == sent.head
    assert len(body) == 200_000
    assert not sent.completed
    assert sent.prefix_sha256(len(body)) == hashlib.sha256(body).digest()


def test_a_stream_reset_carries_its_code(town):
    with http2(town, MODERN) as client:
        one, two, after = client.get(["/reset", "/reset-refused", "/"])
    assert (one.reset, two.reset) == (0x2, 0x7)
    assert len(one.body) == 200_000
    assert last(town, MODERN, "/reset").prefix_sha256(200_000) == hashlib.sha256(one.body).digest()
    assert after.body == reading.PAGE.encode()
    assert not last(town, MODERN, "/reset").completed


def test_goaway_ends_a_connection():
    ca = SiteCa()
    routes = {"/last": lambda _request: Answer(body=b"last", ending=Ending.CLOSE)}
    with (
        Http2Site("site.test", routes, tls=Tls(leaf=ca.leaf("site.test"))) as site,
        dial(("x", site.port)) as plain,
    ):
        connection = trusting(ca.root_pem, ["h2"]).wrap_socket(plain, server_hostname="site.test")
        with connection:
            client = Http2Client(connection, "site.test")
            assert client.get(["/last"])[0].body == b"last"
            left = b"".join(iter(lambda: connection.recv(1 << 16), b""))
            assert len(left) % 17 == 0, "GOAWAY alone (RFC 9113 §6.8: nine bytes and eight)"


def test_a_site_stops_while_it_sends_without_end():
    ca = SiteCa()
    for kind in (Http1Site, Http2Site):
        with contextlib.ExitStack() as stack:
            site = stack.enter_context(
                kind("site.test", hostile.routes(), tls=Tls(leaf=ca.leaf("site.test")))
            )
            plain = stack.enter_context(dial(("x", site.port)))
            alpn = "h2" if kind is Http2Site else "http/1.1"
            connection = stack.enter_context(
                trusting(ca.root_pem, [alpn]).wrap_socket(plain, server_hostname="site.test")
            )
            if kind is Http2Site:
                client = Http2Client(connection, "site.test")
                client._ask("/endless", "GET", b"")
                client._flush()
            else:
                connection.sendall(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
            received = 0
            while received < 20_000:
                received += len(connection.recv(1 << 16))
            log = quiet(site)
            connection.close()
        [sent] = log.to("/endless")
        assert not sent.completed
        assert sent.body.size > 0


def test_endless_and_slow_bodies_can_be_held_against_their_beginning(town):
    with http1(town, PLAIN) as client:
        client._connection.sendall(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
        arrived = b""
        while len(arrived) < 3_000_000:
            arrived += client._connection.recv(1 << 16)
    body = arrived.partition(b"\r\n\r\n")[2]
    assert last(town, PLAIN, "/endless").prefix_sha256(len(body)) == hashlib.sha256(body).digest()
    assert last(town, PLAIN, "/endless").prefix_sha256(len(body) - 1) != hashlib.sha256(body).digest()


def test_a_large_body_is_generated_and_only_its_digest_kept(town):
    size = 20_000_000
    with http1(town, SITE) as client:
        got = client.get(f"/big.bin?size={size}")
    sent = last(town, SITE, f"/big.bin?size={size}")
    assert not sent.body.kept
    assert (sent.body.size, sent.body.sha256) == (size, hashlib.sha256(got.body).digest())
    assert got.body == b"".join(noise("big", size))
    assert len(zlib.compress(got.body[:1_000_000], 1)) > 999_000


def test_bombs_are_small_and_become_large():
    packed = {kind: hostile.bomb(kind) for kind in ("gzip", "br", "zstd")}
    assert all(len(data) < 300_000 for data in packed.values())
    assert _size_of(gzip_blocks(packed["gzip"])) == hostile.BOMB
    reader = zstandard.ZstdDecompressor().stream_reader(packed["zstd"])
    assert _size_of(iter(lambda: reader.read(1 << 20), b"")) == hostile.BOMB
    assert len(brotli.decompress(packed["br"])) == hostile.BOMB


def gzip_blocks(data: bytes) -> Iterator[bytes]:
    coder = zlib.decompressobj(31)
    while data:
        yield coder.decompress(data, 1 << 20)
        data = coder.unconsumed_tail
    assert coder.eof


def _size_of(parts: Iterable[bytes]) -> int:
    return sum(len(part) for part in parts)


def test_packed_texts_say_the_same(town):
    with http1(town, SITE) as client:
        bodies = {kind: client.get(f"/packed.{kind}").body for kind in ("gz", "deflate", "br", "zst")}
    plain = gzip.decompress(bodies["gz"])
    assert plain == zlib.decompress(bodies["deflate"]) == brotli.decompress(bodies["br"])
    assert zstandard.decompress(bodies["zst"]) == plain


def test_handshakes_are_what_each_site_promises(town):
    seen = {}
    for name, site in town.sites.items():
        if name in BAD or site.scheme == "http":
            continue
        if site.alpn == ("h2",):
            with http2(town, name) as two:
                two.get(["/red.png"])
        else:
            with http1(town, name) as one:
                one.get("/red.png")
        shake = site.log.handshakes[-1]
        seen[name] = (shake.version, shake.cipher, shake.alpn)
    assert seen[OLD] == ("TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256", "http/1.1")
    assert seen[MODERN_OLD] == ("TLSv1.2", "ECDHE-ECDSA-CHACHA20-POLY1305", "h2")
    assert {seen[name][0] for name in (SITE, MODERN, AGAIN, STAPLED, PADDED, SOCKET)} == {"TLSv1.3"}
    assert {seen[name][2] for name in (MODERN, PADDED)} == {"h2"}


@pytest.mark.parametrize("name", BAD)
def test_bad_certificates_are_refused_and_logged(town, name):
    site = town.sites[name]
    before = len(site.log.handshakes)
    reasons = {BAD[0]: "expired", BAD[1]: "self-signed", BAD[2]: "mismatch"}
    with (
        dial((name, site.port)) as plain,
        pytest.raises(ssl.SSLCertVerificationError, match=reasons[name]),
    ):
        trusting(town.ca.root_pem, ["http/1.1"]).wrap_socket(plain, server_hostname=name)
    for thread, _link in list(site._links.values()):
        thread.join(10)
    assert len(site.log.handshakes) == before + 1
    assert not site.log.sent


@pytest.mark.parametrize(
    ("name", "said"), [(STAPLED, b"OCSP Response Status: successful"), (SITE, b"no response sent")]
)
def test_openssl_sees_the_staple(town, name, said):
    port = town.sites[name].port
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", name, "-status"]
    assert said in subprocess.run(command, input=b"", capture_output=True, check=False, timeout=30).stdout


def test_openssl_is_asked_again_for_another_group(town):
    port = town.sites[AGAIN].port
    command = [
        "openssl",
        "s_client",
        "-connect",
        f"127.0.0.1:{port}",
        "-groups",
        "X25519:P-384",
        "-msg",
        "-servername",
        AGAIN,
    ]
    output = subprocess.run(command, input=b"", capture_output=True, check=False, timeout=30).stdout
    assert output.count(b"ClientHello") == 2
    assert output.count(b"ServerHello") == 2


@pytest.mark.parametrize(("name", "version"), [(MODERN, "2"), (SITE, "1.1"), (OLD, "1.1"), (PADDED, "2")])
def test_curl_agrees(town, tmp_path, name, version):
    root = tmp_path / "root.pem"
    root.write_bytes(town.ca.root_pem)
    site = town.sites[name]
    command = ["curl", "-sS", "--http2", "--cacert", root, "--resolve", f"{name}:{site.port}:127.0.0.1"]
    for target in ("/", "/red.png", "/odd/trailers", "/odd/long", "/clip.webm", "/data.bin"):
        out = subprocess.run(
            [*command, "-w", "%{stderr}%{http_version}", site.url(target)],
            capture_output=True,
            check=True,
            timeout=60,
        )
        assert out.stderr.decode() == version
        assert out.stdout == last(town, name, target).payload.data, target


def test_login_needs_its_cookie(town):
    with http1(town, SITE) as client:
        assert b"Location: /login" in client.get("/account").head
        right = f"user={'%E5%BC%A0%E4%B8%89'}&word=correct+horse".encode()
        assert client.get("/login", method="POST", body=b"user=x&word=y").head.startswith(b"HTTP/1.1 403 ")
        welcome = client.get("/login", method="POST", body=right)
        assert welcome.head.startswith(b"HTTP/1.1 303 ")
        assert account.SESSION.encode() in welcome.head
        page = client.get("/account", (b"Cookie", b"theme=dark; session=" + account.SESSION.encode()))
        assert account.USER.encode() in page.body
    assert last(town, SITE, "/login").request_body == right


def test_ranges(town):
    with http1(town, SITE) as client:
        whole = client.get("/clip.webm").body
        cases = {
            "bytes=0-": whole,
            "bytes=10-19": whole[10:20],
            "bytes=-7": whole[-7:],
            "bytes=5-": whole[5:],
        }
        for asked, expected in cases.items():
            got = client.get("/clip.webm", (b"Range", asked.encode()))
            assert got.head.startswith(b"HTTP/1.1 206 ")
            assert got.body == expected
        assert client.get("/clip.webm", (b"Range", b"bytes=99999999-")).head.startswith(b"HTTP/1.1 416 ")


def test_head_and_conditional_requests_have_no_body(town):
    with http1(town, SITE) as client:
        assert client.get("/", method="HEAD").body == b""
        assert client.get("/odd/not-modified", (b"If-None-Match", b'"one"')).head.startswith(b"HTTP/1.1 304 ")
        assert client.get("/").body == reading.PAGE.encode()


@pytest.mark.parametrize(
    ("target", "compressed"), [("/echo", False), ("/deflate", True), ("/fragments", False)]
)
def test_websocket_conversations(town, target, compressed):
    site = town.sites[SOCKET]
    before = len(site.log.messages)
    with dial((SOCKET, site.port)) as plain:
        secured = trusting(town.ca.root_pem, ["http/1.1"]).wrap_socket(plain, server_hostname=SOCKET)
        url = f"wss://{SOCKET}:{site.port}{target}"
        with _socket(secured, url) as client:
            assert client.recv() == GREETING
            if target == "/fragments":
                assert client.recv() == "分三段送来的一句话"
            for message in ("第一条", b"\x00\x01" * 3000, "长" * 100_000):
                client.send(message)
                assert client.recv() == message
            assert bool(client.protocol.extensions) is compressed
            client.send("bye")
            with pytest.raises(Exception, match="再见"):
                client.recv()
    said = site.log.messages[before:]
    assert [one.data for one in said if one.direction == ">"][-1] == b"bye"
    assert said[0].data == GREETING.encode()


def _socket(secured: ssl.SSLSocket, url: str) -> ClientConnection:
    return connect(url.replace("wss:", "ws:"), sock=secured)


def test_the_probing_page_names_what_it_reaches_for(town):
    with http1(town, PLAIN) as client:
        page = client.get("/probe.html?port=4711").body.decode()
        client.get("/probed", method="POST", body=json.dumps([]).encode())
    assert "http://0x7f.1:4711/" in page
    assert "169.254.169.254" in page
    assert "{port}" not in page
    assert last(town, PLAIN, "/probed").request_body == b"[]"


@pytest.mark.parametrize("versions", [TLS12, TLS13])
def test_sessions_can_be_resumed(versions):
    ca = SiteCa()
    with Http1Site(
        "site.test", reading.routes(), tls=Tls(leaf=ca.leaf("site.test"), versions=versions)
    ) as site:
        context, session = trusting(ca.root_pem, ["http/1.1"]), None
        for _ in range(2):
            with dial(("x", site.port)) as plain:
                secured = context.wrap_socket(plain, server_hostname="site.test", session=session)
                with secured:
                    Http1Client(secured, "site.test").get("/data.json")
                    session = secured.session
        assert [one.resumed for one in site.log.handshakes] == [False, True]


def test_no_site_had_a_request_it_could_not_read(town):
    assert {name: site.log.faults for name, site in town.sites.items() if site.log.faults} == {}
