"""The gateway as a process of its own; its node is away, which it says."""

import datetime as dt
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from evidence_desk.court.node.home import NodeHome
from evidence_desk.court.node.localnet import open_localnet
from tests.integration.court_gateway.asking import refusal
from tests.integration.court_node.network import PATIENCE, wait_until


@pytest.fixture
def home(tmp_path) -> NodeHome:
    return open_localnet(tmp_path / "net", 1).homes[0]


def change(home: NodeHome, **changes: object) -> None:
    settings = home.settings()
    assert settings.gateway is not None
    home.write_settings(replace(settings, gateway=replace(settings.gateway, **changes)))  # type: ignore[arg-type]


@contextmanager
def serving(home: NodeHome) -> Iterator[subprocess.Popen[bytes]]:
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "evidence_desk.court.node",
        "gateway",
        "--home",
        home.path,
    ]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stderr):
            if pipe is not None:
                pipe.close()


def address(home: NodeHome) -> str:
    gateway = home.settings().gateway
    assert gateway is not None
    return gateway.url


def answers(url: str, verify: ssl.SSLContext | None = None) -> httpx.Response | None:
    try:
        return httpx.get(f"{url}/v1/network", verify=verify or True, trust_env=False)
    except httpx.TransportError:
        return None


def make_certificate(folder: Path) -> ssl.SSLContext:
    """A certificate for this machine; returns what trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "gateway")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(Encoding.PEM)
    folder.mkdir()
    (folder / "cert.pem").write_bytes(pem)
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return ssl.create_default_context(cadata=pem.decode())


def test_tls(home):
    context = make_certificate(home.path / "tls")
    change(home, certificate="tls/cert.pem", key="tls/key.pem")
    url = address(home)
    assert url.startswith("https://")
    with serving(home):
        wait_until(lambda: answers(url, context) is not None)
        answer = answers(url, context)
        assert answer is not None
        assert refusal(answer) == (503, "api.engine_silent")
        assert "max-age" in answer.headers["strict-transport-security"]
        assert answers(url) is None, "not a certificate that anybody trusts"
        assert answers(url.replace("https", "http")) is None, "nothing in clear"
        with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), PATIENCE) as silent:
            assert silent.recv(1) == b"", "who does not begin with TLS is hung up on"


@pytest.mark.parametrize("broken", ["missing", "garbage"])
def test_a_certificate_that_cannot_be_used(home, broken):
    (home.path / "tls").mkdir()
    if broken == "garbage":
        for name in ("cert.pem", "key.pem"):
            (home.path / "tls" / name).write_text("garbage")
    change(home, certificate="tls/cert.pem", key="tls/key.pem")
    with serving(home) as process:
        assert process.wait(PATIENCE) == 78
        assert process.stderr is not None
        assert "TLS" in process.stderr.read().decode()


def test_a_taken_port(home):
    port = int(address(home).rpartition(":")[2])
    with socket.create_server(("127.0.0.1", port)), serving(home) as process:
        assert process.wait(PATIENCE) == 74


def test_it_ends_with_its_supervisor(home):
    with serving(home) as process:
        wait_until(lambda: answers(address(home)) is not None)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(PATIENCE) == 0


def test_it_ends_cleanly_on_sigterm_though_somebody_waits(home):
    with serving(home) as process:
        wait_until(lambda: answers(address(home)) is not None)
        port = int(address(home).rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as idle:
            idle.sendall(b"GET /v1/network HTTP/1.1\r\n")
            time.sleep(0.1)
            process.terminate()
            assert process.wait(PATIENCE) == 0


def test_automatic_approval_only_on_a_demonstration(home):
    text = home.genesis_file.read_text("utf-8")
    home.genesis_file.write_text(text.replace('"demo-localnet-', '"court-localnet-'), "utf-8")
    with serving(home) as process:
        assert process.wait(PATIENCE) == 78


def test_a_network_file_of_another_network(home, tmp_path):
    other = open_localnet(tmp_path / "other", 1)
    (home.path / "network.json").write_bytes((other.trust / "network.json").read_bytes())
    with serving(home) as process:
        assert process.wait(PATIENCE) == 65


def test_a_node_without_gateway(home):
    home.write_settings(replace(home.settings(), gateway=None))
    with serving(home) as process:
        assert process.wait(PATIENCE) == 78
