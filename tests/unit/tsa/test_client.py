"""The HTTP client against honest, silent, slow and lying servers, all real ones on the loopback."""

import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

import httpx
import pytest
from asn1crypto import x509

from evidence_desk.core.digests import sha256
from evidence_desk.crypto import der, oids, pki
from evidence_desk.errors import EvidenceDeskError, RemoteError, UsageError
from evidence_desk.texts import Language, error_sentences, has
from tests.unit.tsa.liars import Answer, http_server, raw_server
from tsa import client as client_module
from tsa.authority.issue import Failure, Issuer, Refusal, issue, refuse
from tsa.authority.keys import AuthorityKeys, make_demo_authority
from tsa.client import HttpAuthority
from tsa.policy import TokenTrust
from tsa.request import build_request, parse_request

DIGEST = sha256("证据".encode())


class RealClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@cache
def keys(kind: pki.KeyKind = pki.KeyKind.P256) -> AuthorityKeys:
    return make_demo_authority(kind, now=datetime.now(UTC) - timedelta(minutes=1))


def trust() -> TokenTrust:
    return TokenTrust(roots=(keys().ca.certificate,), crls=(keys().ca.crl,))


def issuer() -> Issuer:
    return Issuer(keys().tsa, policy=oids.DEMO_TSA_POLICY, accuracy=timedelta(seconds=1))


def honest(body: bytes, *, later: timedelta = timedelta(0)) -> bytes:
    return issue(issuer(), body, serial=7, time=datetime.now(UTC) + later)


@contextmanager
def authority(url: str, given: TokenTrust | None = None, **options) -> Iterator[HttpAuthority]:
    with httpx.Client(trust_env=False) as http:
        yield HttpAuthority("测试", url, given or trust(), http, RealClock(), **options)


def refused(answer: Callable[[bytes], Answer], given: TokenTrust | None = None, **options) -> RemoteError:
    with http_server(lambda _, body: answer(body)) as (url, heard):
        error = failing(url, given, **options)
        assert len(heard.requests) == 1  # an answer is never asked for twice
    return error


def failing(url: str, given: TokenTrust | None = None, **options) -> RemoteError:
    with authority(url, given, **options) as asked, pytest.raises(RemoteError) as caught:
        asked.timestamp(DIGEST)
    told(caught.value)
    return caught.value


def told(error: EvidenceDeskError) -> None:
    """Every error has its two sentences in both languages, all facts filled in."""
    for language in Language:
        assert has(error.code, language), error.code
        assert has(f"{error.code}.advice", language), error.code
        assert not any("{" in text for text in error_sentences(error, language))


def test_token_with_its_transport():
    with http_server(lambda _, body: Answer(body=honest(body))) as (url, heard), authority(url) as asked:
        reply = asked.timestamp(DIGEST)
    ((method, path, headers, body),) = heard.requests
    assert (method, path) == ("POST", "/tsa")
    assert headers["Content-Type"] == "application/timestamp-query"
    sent = parse_request(body)
    assert (sent.hash_oid, sent.imprint, sent.cert_req) == (oids.SHA256, DIGEST, True)
    assert sent.nonce is not None
    assert sent.nonce.bit_length() == 65
    assert (reply.authority, reply.request) == ("测试", body)
    assert reply.token in reply.response
    assert reply.tsa == sha256(keys().tsa.key.spki())
    transport = reply.transport
    assert (transport["url"], transport["status"], transport["attempts"]) == (url, 200, 1)
    assert transport["sent"] <= transport["received"]  # type: ignore[operator]


def test_nonces_differ():
    with http_server(lambda _, body: Answer(body=honest(body))) as (url, heard), authority(url) as asked:
        for _ in range(3):
            asked.timestamp(DIGEST)
    assert len({parse_request(item[3]).nonce for item in heard.requests}) == 3


def test_without_roots_the_token_is_taken_as_undetermined():
    with (
        http_server(lambda _, body: Answer(body=honest(body))) as (url, _),
        authority(url, TokenTrust()) as asked,
    ):
        assert asked.timestamp(DIGEST).token


def test_policy_is_asked_for():
    with (
        http_server(lambda _, body: Answer(body=honest(body))) as (url, heard),
        authority(url, policy=oids.DEMO_TSA_POLICY) as asked,
    ):
        asked.timestamp(DIGEST)
    assert parse_request(heard.requests[0][3]).policy == oids.DEMO_TSA_POLICY


def test_content_type_may_carry_parameters():
    answer = Answer(body=b"", content_type="Application/Timestamp-Reply; charset=binary")
    with (
        http_server(lambda _, body: replace(answer, body=honest(body))) as (url, _),
        authority(url) as asked,
    ):
        assert asked.timestamp(DIGEST).transport["content_type"] == "application/timestamp-reply"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(), "client.empty"),
        (Answer(body=b"<html>log in</html>", content_type="text/html; charset=utf-8"), "client.html"),
        (Answer(body=b"{}", content_type="application/json"), "client.content_type"),
        (Answer(body=b"", content_type=""), "client.content_type"),
        (Answer(body=b"\x30\x00"), "client.malformed"),
        (Answer(body=b"<html></html>"), "client.malformed"),
        (Answer(status=401), "client.http_status"),
        (Answer(status=429), "client.http_status"),
        (Answer(status=500), "client.http_status"),
        (Answer(status=302, headers={"Location": "/elsewhere"}), "client.http_status"),
        (Answer(body=b"\x1f\x8b", headers={"Content-Encoding": "gzip"}), "client.content_type"),
        (Answer(body=bytes(300 << 10)), "client.too_large"),
        (Answer(headers={"Content-Length": str(50 << 20)}), "client.too_large"),
    ],
)
def test_answers_that_are_no_timestamp(answer, code):
    assert refused(lambda _: answer).code == code


def test_fifty_megabytes_are_not_read():
    sent = [0]

    def flood(connection: socket.socket, _: threading.Event) -> None:
        connection.recv(65536)
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/timestamp-reply\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        chunk = b"10000\r\n" + bytes(0x10000) + b"\r\n"
        for _number in range(800):
            connection.sendall(chunk)
            sent[0] += 0x10000

    with raw_server(flood) as (url, _):
        assert failing(url).code == "client.too_large"
    assert sent[0] < 20 << 20


@pytest.mark.parametrize("failure", [Failure.BAD_ALG, Failure.TIME_NOT_AVAILABLE, Failure.UNACCEPTED_POLICY])
def test_rejection_says_why(failure):
    error = refused(lambda _: Answer(body=refuse(Refusal(failure, "配额\x1b[2J\u202e已用完" * 50))))
    assert error.code == "client.rejected"
    assert str(error.parameters["failure"]).lower() == failure.name.replace("_", "").lower()
    text = str(error.parameters["text"])
    assert text.isprintable()
    assert len(text) <= 200


def rewritten(change: Callable[[dict], dict]) -> Callable[[bytes], Answer]:
    """An honest answer to a changed request."""

    def answer(body: bytes) -> Answer:
        asked = parse_request(body)
        wanted = {
            "hash_oid": asked.hash_oid,
            "imprint": asked.imprint,
            "nonce": asked.nonce,
            "cert_req": True,
        }
        return Answer(body=honest(build_request(**change(wanted))))

    return answer


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"imprint": sha256(b"other")}, "client.wrong_imprint"),
        ({"hash_oid": oids.SM3}, "client.wrong_imprint"),
        ({"nonce": 5}, "client.wrong_nonce"),
        ({"nonce": None}, "client.wrong_nonce"),
        ({"cert_req": False}, None),
    ],
)
def test_answer_to_another_question(change, code):
    answer = rewritten(lambda wanted: wanted | change)
    given = TokenTrust(roots=trust().roots)
    if code is None:
        assert refused(answer, given).code == "client.no_certificate"
    else:
        assert refused(answer).code == code


def test_certificate_may_be_supplied_instead():
    given = replace(trust(), certificates=(keys().tsa.certificate,))
    answer = rewritten(lambda wanted: wanted | {"cert_req": False})
    with http_server(lambda _, body: answer(body)) as (url, _), authority(url, given) as asked:
        assert asked.timestamp(DIGEST).tsa == sha256(keys().tsa.key.spki())


@pytest.mark.parametrize("hours", [-26, -1, 1, 26])
def test_clock_of_the_authority_is_off(hours):
    # Before the demo certificates exist the issuer refuses; so it is given older ones.
    old = make_demo_authority(pki.KeyKind.P256, now=datetime.now(UTC) - timedelta(days=9))
    wrong = Issuer(old.tsa, policy=oids.DEMO_TSA_POLICY, accuracy=timedelta(seconds=1))

    def answer(body: bytes) -> Answer:
        return Answer(body=issue(wrong, body, serial=7, time=datetime.now(UTC) + timedelta(hours=hours)))

    error = refused(answer, TokenTrust(roots=(old.ca.certificate,)))
    assert error.code == "client.clock_off"
    assert abs(int(error.parameters["seconds"]) - abs(hours) * 3600) < 60


def test_replayed_answer_is_refused():
    kept: list[bytes] = []

    def answer(body: bytes) -> Answer:
        kept.append(honest(body))
        return Answer(body=kept[0])

    with http_server(lambda _, body: answer(body)) as (url, _):
        with authority(url) as asked:
            asked.timestamp(DIGEST)
        assert failing(url).code == "client.wrong_nonce"


def test_stranger_is_refused_when_roots_are_set():
    stranger = make_demo_authority(pki.KeyKind.P256, now=datetime.now(UTC) - timedelta(minutes=1))
    given = TokenTrust(roots=(stranger.ca.certificate,))
    error = refused(lambda body: Answer(body=honest(body)), given)
    assert error.code == "client.token_refused"
    assert "token.chain" in str(error.parameters["reason"])


def test_broken_signature_is_refused():
    error = refused(lambda body: Answer(body=honest(body)[:-1] + bytes([honest(body)[-1] ^ 1])))
    assert error.code == "client.token_refused"


def test_policy_that_is_not_allowed_is_refused():
    given = replace(trust(), policies=frozenset({"1.2.3"}))
    assert "policy" in str(refused(lambda body: Answer(body=honest(body)), given).parameters["reason"])


def test_token_beside_a_rejection_is_refused():
    def answer(body: bytes) -> Answer:
        token = der.parse(honest(body), what="response", limit=1 << 16).children()[1].encoded
        return Answer(body=der.encode(der.SEQUENCE, b"\x30\x03\x02\x01\x02", token))

    assert refused(answer).code == "client.rejected"


def test_grant_without_a_token_is_refused():
    assert refused(lambda _: Answer(body=b"\x30\x05\x30\x03\x02\x01\x00")).code == "client.malformed"


# --- revocation lists -----------------------------------------------------------------------------------------


def with_crl(crl: bytes, status: int = 200) -> Callable[[str, bytes], Answer]:
    return lambda path, body: (
        Answer(body=crl, status=status, content_type="application/pkix-crl")
        if path == "/crl"
        else Answer(body=honest(body))
    )


def test_revocation_list_is_fetched_and_kept():
    given = TokenTrust(roots=trust().roots)
    with http_server(with_crl(keys().ca.crl)) as (url, _):
        crl_url = url.replace("/tsa", "/crl")
        with authority(url, given, crl_urls=(crl_url,)) as asked:
            reply = asked.timestamp(DIGEST)
    assert reply.crls == (keys().ca.crl,)
    assert reply.transport["crls"] == 1


@pytest.mark.parametrize(("crl", "status"), [(b"", 200), (b"<html>", 200), (b"\x30\x00", 404)])
def test_revocation_list_that_cannot_be_had_is_left_out(crl, status):
    with http_server(with_crl(crl, status)) as (url, _):
        crl_url = url.replace("/tsa", "/crl")
        with authority(url, crl_urls=(crl_url, "http://127.0.0.1:9/crl"), total_seconds=2) as asked:
            assert asked.timestamp(DIGEST).crls == ()


def test_revoked_authority_is_refused():
    now = datetime.now(UTC)
    serial = x509.Certificate.load(keys().tsa.certificate).serial_number
    revoked = pki.make_crl(
        keys().ca,
        this_update=now.replace(microsecond=0),
        next_update=now + timedelta(days=1),
        number=9,
        revoked=(pki.Revoked(serial=serial, at=now.replace(microsecond=0), reason="key_compromise"),),
    )
    with http_server(with_crl(revoked)) as (url, _):
        error = failing(url, TokenTrust(roots=trust().roots), crl_urls=(url.replace("/tsa", "/crl"),))
    assert error.code == "client.token_refused"
    assert "revo" in str(error.parameters["reason"])


# --- transport ------------------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_nobody_there_is_tried_again():
    error = failing(f"http://127.0.0.1:{free_port()}/")
    assert error.code == "client.unreachable"
    assert error.parameters["attempts"] == 3


def test_silent_server():
    def silent(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(9999)
        over.wait(20)

    with raw_server(silent) as (url, _):
        start = time.monotonic()
        assert failing(url, total_seconds=0.6).code == "client.timeout"
        assert time.monotonic() - start < 10


@pytest.mark.parametrize("part", ["head", "body"])
def test_slow_drip_ends_too(part):
    def drip(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(9999)
        head = (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/timestamp-reply\r\nContent-Length: 99999\r\n\r\n"
        )
        if part == "body":
            connection.sendall(head)
        for byte in (
            b"X-Slow: " + bytes([0x61]) * 5000 if part == "body" else b"HTTP/1.1 200 OK\r\nX: " + b"a" * 5000
        ):
            connection.sendall(bytes([byte]))
            if over.wait(0.02):
                return

    with raw_server(drip) as (url, count):
        start = time.monotonic()
        assert failing(url, total_seconds=0.8).code == "client.timeout"
        assert time.monotonic() - start < 10
        assert len(count) == 1


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", b"SSH-2.0-x\r\n"])
def test_connection_that_breaks_is_tried_again(said):
    def breaks(connection: socket.socket, _: threading.Event) -> None:
        connection.recv(9999)
        connection.sendall(said)

    with raw_server(breaks) as (url, count):
        error = failing(url)
        assert (error.code, error.parameters["attempts"], len(count)) == ("client.interrupted", 3, 3)


def test_second_attempt_succeeds():
    calls = [0]

    def sometimes(connection: socket.socket, _: threading.Event) -> None:
        calls[0] += 1
        data = b""
        while b"\r\n\r\n" not in data or len(data.partition(b"\r\n\r\n")[2]) < 60:
            data += connection.recv(9999)
        if calls[0] == 1:
            return
        body = honest(data.partition(b"\r\n\r\n")[2])
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/timestamp-reply\r\nContent-Length: %d\r\n\r\n"
            % len(body)
            + body
        )

    with raw_server(sometimes) as (url, _), authority(url) as asked:
        assert asked.timestamp(DIGEST).transport["attempts"] == 2


def test_deadline_before_an_attempt():
    with authority(f"http://127.0.0.1:{free_port()}/") as asked, pytest.raises(RemoteError) as caught:
        asked._once(httpx.Request("GET", "http://x/"), limit=1, deadline=time.monotonic() - 1, number=2)
    assert (caught.value.code, caught.value.parameters["attempts"]) == ("client.timeout", 2)


def test_silence_longer_than_allowed_within_the_total(monkeypatch):
    monkeypatch.setattr(client_module, "SILENCE_SECONDS", 0.1)

    def silent(connection: socket.socket, _: threading.Event) -> None:
        while connection.recv(9999):  # until the client gives up; head and body may come apart
            pass

    with raw_server(silent) as (url, count):
        error = failing(url)
        assert (error.code, error.parameters["attempts"], len(count)) == ("client.timeout", 3, 3)


def test_retries_write_nothing_to_standard_output(capfd):
    failing(f"http://127.0.0.1:{free_port()}/")
    assert capfd.readouterr().out == ""


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")
def test_tls_with_a_certificate_nobody_knows(tmp_path):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1", "-days", "2",
         "-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "cert")],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert", tmp_path / "key")

    def handshake(connection: socket.socket, _: threading.Event) -> None:
        context.wrap_socket(connection, server_side=True).close()

    with raw_server(handshake) as (url, _):
        assert failing(url.replace("http:", "https:")).code == "client.tls"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")
@pytest.mark.parametrize("drip", [False, True])
def test_tls_works_and_is_ended_when_it_drips(tmp_path, drip):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2",
         "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "cert")],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert", tmp_path / "key")

    def talk(connection: socket.socket, over: threading.Event) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            data = b""
            while b"\r\n\r\n" not in data or len(data.partition(b"\r\n\r\n")[2]) < 60:
                data += secure.recv(9999)
            body = honest(data.partition(b"\r\n\r\n")[2])
            head = (
                b"HTTP/1.1 200 OK\r\nContent-Type: application/timestamp-reply\r\nContent-Length: %d\r\n\r\n"
            )
            secure.sendall(head % len(body))
            while drip and not over.wait(0.02):
                secure.sendall(b"\x00")
            secure.sendall(body)

    verify = ssl.create_default_context(cafile=str(tmp_path / "cert"))
    with (
        raw_server(talk) as (url, _),
        httpx.Client(trust_env=False, verify=verify) as http,
    ):
        asked = HttpAuthority(
            "测试",
            url.replace("http:", "https:"),
            trust(),
            http,
            RealClock(),
            total_seconds=1 if drip else 30,
        )
        if drip:
            with pytest.raises(RemoteError, match=r"client\.timeout"):
                asked.timestamp(DIGEST)
        else:
            assert asked.timestamp(DIGEST).token


def test_broken_proxy():
    with httpx.Client(proxy=f"http://127.0.0.1:{free_port()}", trust_env=False) as http:
        asked = HttpAuthority("测试", "http://tsa.invalid/", trust(), http, RealClock())
        with pytest.raises(RemoteError) as caught:
            asked.timestamp(DIGEST)
    assert caught.value.code in ("client.unreachable", "client.proxy")


def test_proxy_that_refuses():
    def refuse_tunnel(connection: socket.socket, _: threading.Event) -> None:
        connection.recv(9999)
        connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

    with raw_server(refuse_tunnel) as (url, _), httpx.Client(proxy=url, trust_env=False) as http:
        asked = HttpAuthority("测试", "https://tsa.invalid/", trust(), http, RealClock())
        with pytest.raises(RemoteError) as caught:
            asked.timestamp(DIGEST)
    told(caught.value)
    assert caught.value.code == "client.proxy"


def test_watchdog_ends_sockets_that_come_late_and_those_already_closed():
    dog = client_module._Watchdog(60)
    first, second = socket.socketpair()
    closed = socket.socket()
    closed.close()
    with first, second:
        dog.trace("connection.connect_tcp.complete", {"return_value": Stream(closed)})
        dog.trace("connection.connect_tcp.complete", {"return_value": Stream(None)})
        dog._bark()
        assert dog.barked
        dog.trace("connection.start_tls.complete", {"return_value": Stream(first)})
        assert second.recv(1) == b""


class Stream:
    def __init__(self, found: socket.socket | None) -> None:
        self._found = found

    def get_extra_info(self, info: str) -> object:
        assert info == "socket"
        return self._found


def test_body_that_ends_at_the_last_moment_is_too_late(monkeypatch):
    def late(_asked: HttpAuthority, response: httpx.Response, _limit: int) -> bytes:
        body = response.read()
        time.sleep(0.4)
        return body

    monkeypatch.setattr(HttpAuthority, "_read", late)
    with http_server(lambda _, body: Answer(body=honest(body))) as (url, _):
        assert failing(url, total_seconds=0.2).code == "client.timeout"


# --- addresses and passwords ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "",
        "tsa",
        "ftp://host/",
        "http://",
        "file:///etc/passwd",
        "http://h:abc/",
        "http://[",
        "http://h:99999999/",
    ],
)
def test_address_that_cannot_be_meant(url):
    with pytest.raises(UsageError) as caught, authority(url):
        pass
    assert caught.value.code == "client.url"
    told(caught.value)


@pytest.mark.parametrize("where", ["url", "crl", "client"])
def test_no_password_in_the_clear(where):
    clear = "http://user:secret@tsa.invalid/"
    auth = ("user", "secret") if where == "client" else None
    with httpx.Client(trust_env=False, auth=auth) as http, pytest.raises(UsageError) as caught:
        HttpAuthority(
            "测试",
            clear if where == "url" else "http://tsa.invalid/",
            trust(),
            http,
            RealClock(),
            crl_urls=(clear,) if where == "crl" else (),
        )
    assert caught.value.code == "client.password_in_clear"
    assert "secret" not in str(caught.value)
    told(caught.value)


def test_password_does_not_get_into_the_evidence():
    url = httpx.URL("https://user:secret@tsa.example/x?y=1")
    assert "secret" not in str(url.copy_with(userinfo=b""))
    with httpx.Client(trust_env=False) as http:
        asked = HttpAuthority("测试", str(url), trust(), http, RealClock())
        answer = client_module._Answer(
            status=200,
            content_type="x",
            body=b"",
            sent=RealClock().now(),
            received=RealClock().now(),
            attempts=1,
        )
        assert asked._transport(answer, 0)["url"] == "https://tsa.example/x?y=1"
        assert asked.name == "测试"
