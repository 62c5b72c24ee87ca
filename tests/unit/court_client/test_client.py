"""The adapter of gateways against servers on loopback that do not keep the rules."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx
import pytest

from evidence_desk.court import client as module
from evidence_desk.court.client import HttpGateway, gateway_url
from evidence_desk.errors import EvidenceDeskError, RemoteError, UsageError


def answer(status: str, body: bytes, *headers: str) -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]
    return "\r\n".join(head).encode() + body


@contextmanager
def server(reply: bytes, *, hold: bool = False) -> Iterator[tuple[str, list[bytes]]]:
    """Answers one request with these bytes; `hold` keeps the connection open behind them."""
    heard: list[bytes] = []
    released = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            data = b""
            while b"\r\n\r\n" not in data:
                data += connection.recv(65536)
            heard.append(data)
            connection.sendall(reply)
            if hold:
                released.wait(30)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", heard
    finally:
        released.set()
        thread.join()
        listener.close()


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False) as opened:
        yield opened


def test_a_transaction_is_taken(http):
    with server(answer("202 Accepted", b'{"code":0,"id":"ab"}')) as (url, heard):
        found = HttpGateway(url, http).submit(b"\x0atransaction")
    assert (found.id, found.code) == ("ab", 0)
    assert heard[0].startswith(b"POST /v1/transactions HTTP/1.1")


def test_a_known_one_is_a_success(http):
    with server(answer("200 OK", b'{"code":3,"id":"ab"}')) as (url, _):
        assert HttpGateway(url, http).submit(b"x").code == 3


def test_a_refusal_by_the_rules_is_an_answer(http):
    body = b'{"error":"court.tx_refused","parameters":{"code":9,"reason":"fork\\u0007"}}'
    with server(answer("422 Unprocessable Content", body)) as (url, _):
        found = HttpGateway(url, http).submit(b"x")
    assert (found.code, found.reason) == (9, "fork")


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (answer("404 Not Found", b"{}"), "gateway.not_found"),
        (answer("429 Too Many Requests", b"", "Retry-After: 1"), "gateway.busy"),
        (answer("503 Service Unavailable", b""), "gateway.busy"),
        (answer("500 Internal Server Error", b"<html>"), "gateway.refused"),
        (answer("413 Content Too Large", b'{"error":"api.too_large"}'), "gateway.refused"),
        (answer("302 Found", b"", "Location: http://127.0.0.1:1/"), "gateway.refused"),
        (
            answer("422 Unprocessable Content", b'{"error":"court.tx_refused","parameters":{"code":"9"}}'),
            "gateway.refused",
        ),
        (answer("202 Accepted", b"[]"), "gateway.malformed"),
        (answer("202 Accepted", b'{"id":"a","code":7}'), "gateway.malformed"),
        (answer("202 Accepted", b"{" * 5000), "gateway.malformed"),
        (answer("202 Accepted", b"{}", "Content-Encoding: gzip"), "gateway.malformed"),
        (b"SMTP ready\r\n\r\n", "gateway.unreachable"),
        (b"", "gateway.unreachable"),
    ],
)
def test_other_answers_are_errors_of_ours(http, reply, code):
    with server(reply) as (url, _), pytest.raises(RemoteError) as caught:
        HttpGateway(url, http).submit(b"x")
    assert caught.value.code == code


def test_an_answer_that_is_too_large_is_not_read_to_its_end(http, monkeypatch):
    monkeypatch.setattr(module, "MAX_REPLY", 1000)
    with (
        server(answer("200 OK", b"x" * 100_000)) as (url, _),
        pytest.raises(RemoteError, match=r"gateway\.too_large"),
    ):
        HttpGateway(url, http).get("/v1/network")


def test_a_silent_gateway_ends(http):
    with server(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", hold=True) as (url, _):
        gateway = HttpGateway(url, http, total_seconds=0.2)
        with pytest.raises(RemoteError, match=r"gateway\.silent"):
            gateway.get("/v1/network")


@contextmanager
def trickle(*parts: bytes) -> Iterator[str]:
    """Answers every connection with the first part, then with the others over and over, never silent for long."""
    over = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.05)
    connections: list[socket.socket] = []

    def serve() -> None:
        while not over.wait(0.01):
            with suppress(TimeoutError):
                connections.append(listener.accept()[0])
                connections[-1].sendall(parts[0])
            for connection in connections:
                with suppress(OSError):
                    connection.sendall(parts[-1])

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        over.set()
        thread.join()
        for connection in (*connections, listener):
            connection.close()


@pytest.mark.parametrize(
    ("scheme", "parts"),
    [
        ("http", (b"HTTP/1.1 103 Early Hints\r\n\r\n",)),
        ("http", (b"HTTP/1.1 200 OK\r\nX: ", b"a")),
        ("http", (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b" ")),
        ("http", (b"HTTP/1.1 200 OK\r\n\r\n", b" ")),
        ("https", (b"\x16\x03\x03\x3f\xff\x02\x00\x3f\xfb", b"\x03")),
    ],
    ids=["interim", "headers", "body", "body without length", "handshake"],
)
def test_who_never_comes_to_an_end_is_left(http, scheme, parts):
    with trickle(*parts) as place:
        gateway = HttpGateway(scheme + place, http, total_seconds=0.3)
        for _ in range(2):
            with pytest.raises(RemoteError, match=r"gateway\.silent"):
                gateway.get("/v1/network")


def test_a_connection_that_is_used_again_has_a_deadline_too(http):
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve() -> None:
        with listener.accept()[0] as connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            connection.recv(65536)
            while not over.wait(0.01):
                with suppress(OSError):
                    connection.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n")

    thread = threading.Thread(target=serve)
    thread.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        assert HttpGateway(url, http).get("/v1/network") == b"{}"
        with pytest.raises(RemoteError, match=r"gateway\.silent"):
            HttpGateway(url, http, total_seconds=0.3).get("/v1/network")
    finally:
        over.set()
        thread.join()
        listener.close()


def test_nobody_there(http):
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(RemoteError, match=r"gateway\.unreachable"):
        HttpGateway(url, http).post("/v1/registrations", b"x")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "gateway",
        "ftp://a",
        "http://",
        "http://[",
        "http://a:b@c",
        "https://a/b",
        "https://a?b",
        "http://a:0",
        "http://a:99999",
    ],
)
def test_addresses_that_are_none(url):
    with pytest.raises(UsageError, match=r"gateway\.url"):
        gateway_url(url)


def test_addresses_in_one_spelling():
    assert gateway_url("https://Gateway.Example/") == "https://gateway.example"
    assert issubclass(UsageError, EvidenceDeskError)
