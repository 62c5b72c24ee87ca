"""The authority over HTTP: what it takes, what it refuses, what it shows to people."""

import asyncio
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import uvicorn

from evidence_desk.core.digests import sha256
from evidence_desk.crypto import oids, pki
from evidence_desk.errors import HostError
from tsa.authority import server as server_module
from tsa.authority.keys import make_demo_authority
from tsa.authority.responder import make_responder
from tsa.authority.server import MAX_BODY, QUERY, REPLY, Publication, create_app, listen, serve
from tsa.request import build_request
from tsa.response import parse_response

KEYS = make_demo_authority(pki.KeyKind.P256, now=datetime.now(UTC) - timedelta(minutes=1))
REQUEST = build_request(hash_oid=oids.SHA256, imprint=sha256(b"x"), nonce=5)
HEADERS = {"Content-Type": QUERY}


class RealClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@contextmanager
def running(folder, *, demo: bool = True, crl: bytes = KEYS.ca.crl) -> Iterator[httpx.Client]:
    responder = make_responder(
        KEYS.tsa, folder, RealClock(), policy=oids.DEMO_TSA_POLICY, accuracy=timedelta(seconds=1)
    )
    publication = Publication(
        ca_pem=pki.to_pem(KEYS.ca.certificate, "CERTIFICATE"),
        crl=crl,
        policy=oids.DEMO_TSA_POLICY,
        accuracy_ms=1000,
        demo=demo,
    )
    ready = threading.Event()
    app = create_app(responder, publication, on_ready=ready.set)
    with listen("127.0.0.1", 0) as listener:
        config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="on")
        running_server = uvicorn.Server(config)
        thread = threading.Thread(target=lambda: asyncio.run(running_server.serve([listener])))
        thread.start()
        try:
            assert ready.wait(20)
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            with httpx.Client(base_url=url, trust_env=False) as http:
                yield http
        finally:
            running_server.should_exit = True
            thread.join()


def test_query_gets_a_reply(tmp_path):
    with running(tmp_path) as http:
        for content_type in (QUERY, f"{QUERY}; charset=binary", QUERY.upper()):
            answer = http.post("/", content=REQUEST, headers={"Content-Type": content_type})
            assert (answer.status_code, answer.headers["content-type"]) == (200, REPLY)
            assert parse_response(answer.content).token is not None


def test_nonsense_gets_a_rejection_in_a_reply(tmp_path):
    with running(tmp_path) as http:
        answer = http.post("/", content=b"?", headers=HEADERS)
        assert (answer.status_code, parse_response(answer.content).failure) == (200, "badDataFormat")


def test_other_requests_are_refused(tmp_path):
    with running(tmp_path) as http:
        assert http.post("/", content=REQUEST).status_code == 415
        assert http.post("/", content=REQUEST, headers={"Content-Type": "text/plain"}).status_code == 415
        assert http.put("/", content=REQUEST, headers=HEADERS).status_code == 405
        assert http.get("/etc/passwd").status_code == 404
        assert http.post("/", content=bytes(MAX_BODY + 1), headers=HEADERS).status_code == 413
        assert parse_response(http.post("/", content=bytes(MAX_BODY), headers=HEADERS).content).status == 2


def test_slow_sender_is_cut_off(tmp_path, monkeypatch):
    monkeypatch.setattr(server_module, "BODY_SECONDS", 0.3)
    with (
        running(tmp_path) as http,
        socket.create_connection((http.base_url.host, http.base_url.port or 80)) as slow,
    ):
        slow.settimeout(20)
        head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: {QUERY}\r\nContent-Length: 60\r\n\r\n"
        slow.sendall(head.encode() + b"\x30")
        assert b" 408 " in slow.recv(200)


def test_sender_that_goes_away_hurts_nobody(tmp_path):
    with running(tmp_path) as http:
        with socket.create_connection((http.base_url.host, http.base_url.port or 80)) as gone:
            head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: {QUERY}\r\nContent-Length: 60\r\n\r\n"
            gone.sendall(head.encode())
        time.sleep(0.05)
        assert http.post("/", content=REQUEST, headers=HEADERS).status_code == 200


def test_page_is_bilingual_and_marked(tmp_path):
    with running(tmp_path) as http:
        page = http.get("/").text
    for words in (
        "演示",
        "非第三方",
        "not a third party",
        "Timestamp service",
        "时间戳服务",
        oids.DEMO_TSA_POLICY,
    ):
        assert words in page


def test_page_of_a_real_authority_is_not_marked(tmp_path):
    with running(tmp_path, demo=False, crl=b"") as http:
        assert "非第三方" not in http.get("/").text
        assert http.get("/crl.der").status_code == 404


def test_roots_and_revocation_list(tmp_path):
    with running(tmp_path) as http:
        assert http.get("/ca.pem").text == pki.to_pem(KEYS.ca.certificate, "CERTIFICATE")
        assert http.get("/crl.der").content == KEYS.ca.crl
        assert http.head("/crl.der").headers["content-type"] == "application/pkix-crl"


def test_many_clients_at_once_get_different_serials(tmp_path):
    serials: list[bytes] = []

    def work(http: httpx.Client) -> None:
        for _ in range(20):
            token = parse_response(http.post("/", content=REQUEST, headers=HEADERS).content).token
            assert token is not None
            serials.append(token)

    with running(tmp_path) as http:
        threads = [threading.Thread(target=work, args=(http,)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(set(serials)) == 120


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_signal_ends_serving_and_handlers_are_put_back(tmp_path):
    responder = make_responder(
        KEYS.tsa, tmp_path, RealClock(), policy=oids.DEMO_TSA_POLICY, accuracy=timedelta(seconds=1)
    )
    publication = Publication(ca_pem="", crl=b"", policy="1.2", accuracy_ms=1, demo=True)
    before = signal.getsignal(signal.SIGTERM)
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]

        def ask_then_stop() -> None:
            answer = httpx.post(
                f"http://127.0.0.1:{port}/", content=REQUEST, headers=HEADERS, trust_env=False
            )
            answers.append(answer.status_code)
            os.kill(os.getpid(), signal.SIGTERM)

        answers: list[int] = []
        thread = threading.Thread(target=ask_then_stop)
        serve(create_app(responder, publication, on_ready=thread.start), listener)
        thread.join()
    assert answers == [200]
    assert signal.getsignal(signal.SIGTERM) is before


def test_replies_are_not_held_back():
    with listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.proto == socket.IPPROTO_TCP


@pytest.mark.skipif(not socket.has_ipv6, reason="needs IPv6")
def test_ipv6():
    try:
        with listen("::1", 0) as listener, socket.create_connection(listener.getsockname()[:2]):
            assert listener.family == socket.AF_INET6
    except HostError:
        pytest.skip("no IPv6 here")


def test_port_that_is_taken():
    with listen("127.0.0.1", 0) as taken, pytest.raises(HostError, match=r"authority\.listen"):
        listen("127.0.0.1", taken.getsockname()[1])
    for host in ("no-such-host.invalid", "127.0.0.1.5"):
        with pytest.raises(HostError):
            listen(host, 0)
