"""Sessions between the openssl programs over loopback, recorded by a tap: what Python's own module cannot be asked for."""

from __future__ import annotations

import base64
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509 import ocsp

from evidence_desk.core.capture.stream import Direction
from evidence_desk.wacz.tls import Plain, TlsFacts
from tests.unit.wacz.tls.ends import Flight, decode, keep, said

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl program")
OUT, IN = Direction.OUT, Direction.IN
SECONDS = 20


class Tap:
    """Forwards connections to a port and notes what passes, before it goes on."""

    def __init__(self, target: int) -> None:
        self.flights: list[Flight] = []
        self._lock = threading.Lock()
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with suppress(OSError), self._listener:
            near, _ = self._listener.accept()
            with near, socket.create_connection(("127.0.0.1", self._target)) as far:
                back = threading.Thread(target=self._carry, args=(far, near, IN))
                back.start()
                self._carry(near, far, OUT)
                back.join()

    def _carry(self, source: socket.socket, target: socket.socket, direction: Direction) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                with self._lock:
                    self.flights.append((direction, time.time_ns() // 1000, data))
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR if direction is IN else socket.SHUT_WR)

    def done(self) -> None:
        self._thread.join(SECONDS)
        assert not self._thread.is_alive()


@pytest.fixture(scope="module")
def pem(tmp_path_factory) -> Path:
    return keep(tmp_path_factory.mktemp("identity"), "rsa")


SERVERS: dict[int, subprocess.Popen[bytes]] = {}
"""Running servers by port."""


def speak(port: int, line: bytes) -> None:
    """Type a line at a server."""
    pipe = SERVERS[port].stdin
    assert pipe is not None
    pipe.write(line)
    pipe.flush()


@contextmanager
def server(pem: Path, *arguments: str) -> Iterator[int]:
    """An openssl s_server that answers each line backwards; its port."""
    with subprocess.Popen(
        ["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", pem, "-key", pem, *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if found := re.match(rb"ACCEPT 127\.0\.0\.1:(\d+)", line):
                    threading.Thread(target=process.stdout.read, daemon=True).start()
                    SERVERS[int(found[1])] = process
                    yield int(found[1])
                    break
            else:
                pytest.fail("the server did not start")
        finally:
            os.killpg(process.pid, signal.SIGKILL)


class Client:
    """An openssl s_client behind a tap."""

    def __init__(self, port: int, folder: Path, *arguments: str | Path) -> None:
        self.tap = Tap(port)
        self.log = folder / "keys.log"
        self.process = subprocess.Popen(
            [
                "openssl", "s_client", "-connect", f"127.0.0.1:{self.tap.port}", "-servername", "site.test",
                "-keylogfile", self.log, *arguments,
            ],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.seen = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        while data := os.read(self.process.stdout.fileno(), 65536):
            self.seen += data

    def until(self, text: bytes) -> None:
        end = time.monotonic() + SECONDS
        while text not in self.seen:
            assert time.monotonic() < end, self.seen[-2000:]
            time.sleep(0.01)

    def say(self, line: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line)
        self.process.stdin.flush()

    def ask(self, line: bytes) -> None:
        self.say(line + b"\n")
        self.until(line[::-1])

    def end(self) -> tuple[list[Plain], TlsFacts]:
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(SECONDS)
        finally:
            self.process.kill()
            self._reader.join(SECONDS)
            assert self.process.stdout is not None
            self.process.stdout.close()
        self.tap.done()
        return decode(self.tap.flights, self.log.read_bytes())


def talk(pem: Path, folder: Path, serving: Sequence[str], asking: Sequence[str]) -> TlsFacts:
    """A line there and back; the facts."""
    with server(pem, "-rev", *serving) as port:
        client = Client(port, folder, *asking)
        client.until(b"Verify return code")
        client.ask(b"first line")
        plain, facts = client.end()
    assert said(plain, OUT) == b"first line\n"
    assert said(plain, IN) == b"enil tsrif\n"
    assert facts.faults == ()
    assert facts.complete
    assert facts.sni == "site.test"
    return facts


@pytest.mark.parametrize(
    "suite",
    [
        "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_CCM_SHA256",
        "TLS_AES_128_CCM_8_SHA256",
    ],
)  # fmt: skip
def test_suites_of_13(pem, tmp_path, suite):
    assert talk(pem, tmp_path, ["-ciphersuites", suite], ["-ciphersuites", suite]).suite == suite


@pytest.mark.parametrize(
    ("cipher", "name"),
    [
        ("DHE-RSA-AES128-GCM-SHA256", "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"),
        ("DHE-RSA-CHACHA20-POLY1305", "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256"),
        ("DHE-RSA-AES256-SHA256", "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256"),
        ("DHE-RSA-AES256-CCM", "TLS_DHE_RSA_WITH_AES_256_CCM"),
    ],
)
def test_finite_field_groups_of_12(pem, tmp_path, cipher, name):
    facts = talk(pem, tmp_path, ["-tls1_2", "-cipher", cipher], ["-cipher", cipher])
    assert facts.suite == name
    assert facts.group is not None
    assert facts.group.startswith("dh")
    assert facts.certificate_verify is not None
    assert facts.certificate_verify.status == "valid"


@pytest.mark.parametrize("algorithms", ["RSA+SHA1", "RSA+SHA256", "RSA+SHA512", "RSA-PSS+SHA384"])
def test_signatures_of_12(pem, tmp_path, algorithms):
    weak = ["-cipher", "DEFAULT:@SECLEVEL=0", "-sigalgs", algorithms]
    facts = talk(pem, tmp_path, ["-tls1_2", *weak], weak)
    assert facts.certificate_verify is not None
    assert facts.certificate_verify.status == "valid"


def test_hello_retry(pem, tmp_path):
    facts = talk(pem, tmp_path, ["-groups", "P-521"], ["-groups", "X25519:P-521"])
    assert facts.hello_retry
    assert facts.group == "secp521r1"


def test_finite_field_group_of_13(pem, tmp_path):
    assert talk(pem, tmp_path, [], ["-groups", "ffdhe2048"]).group == "ffdhe2048"


def test_padding(pem, tmp_path):
    assert talk(pem, tmp_path, ["-record_padding", "512"], ["-record_padding", "300"]).version == "TLS 1.3"


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_small_fragments(pem, tmp_path, version):
    talk(pem, tmp_path, ["-max_send_frag", "512"], [version, "-max_send_frag", "512"])


def test_key_updates(pem, tmp_path):
    with server(pem, "-rev") as port:
        client = Client(port, tmp_path, "-tls1_3")
        client.until(b"Verify return code")
        client.ask(b"one")
        client.say(b"k\n")
        client.until(b"KEYUPDATE")
        client.ask(b"two")
        client.seen = b""
        client.say(b"K\n")
        client.until(b"KEYUPDATE")
        client.ask(b"three")
        client.ask(b"four")
        plain, facts = client.end()
    assert said(plain, OUT) == b"one\ntwo\nthree\nfour\n"
    assert said(plain, IN) == b"eno\nowt\neerht\nruof\n"
    assert (facts.key_updates_client, facts.key_updates_server) == (2, 1)
    assert facts.faults == ()


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_resumption(pem, tmp_path, version):
    kept = tmp_path / "session.pem"
    with server(pem, "-rev") as port:
        first = Client(port, tmp_path, version, "-sess_out", kept)
        first.until(b"Verify return code")
        first.ask(b"one")
        _, facts = first.end()
        second = Client(port, tmp_path, version, "-sess_in", kept)
        second.until(b"Verify return code")
        second.ask(b"two")
        plain, again = second.end()
    assert said(plain, IN) == b"owt\n"
    assert again.faults == ()
    assert again.complete
    assert again.resumed
    assert again.resumed_from in facts.issued
    assert len(facts.certificates) == 1
    assert again.certificates == ()


@pytest.mark.parametrize("same", [True, False])
def test_early_data(pem, tmp_path, same):
    """A server that has the ticket's key takes early data; another one, of the same name, refuses them."""
    kept, early = tmp_path / "session.pem", tmp_path / "early.txt"
    early.write_bytes(b"GET /early HTTP/1.1\r\n")
    with server(pem, "-early_data", "-tls1_3") as port, server(pem, "-early_data", "-tls1_3") as other:
        first = Client(port, tmp_path, "-sess_out", kept)
        first.until(b"Verify return code")
        first.until(b"Early data was not sent")
        end = time.monotonic() + SECONDS
        while not kept.exists():
            assert time.monotonic() < end
            time.sleep(0.01)
        _, facts = first.end()
        second = Client(port if same else other, tmp_path, "-sess_in", kept, "-early_data", early)
        second.until(b"Early data was accepted" if same else b"Early data was rejected")
        second.say(b"late\n")
        plain, again = second.end()
    assert again.faults == ()
    assert again.complete
    assert again.early_data == ("accepted" if same else "rejected")
    assert again.resumed is same
    assert [piece.data for piece in plain if piece.early] == ([b"GET /early HTTP/1.1\r\n"] if same else [])
    assert said([piece for piece in plain if not piece.early], OUT) == b"late\n"
    assert (again.resumed_from in facts.issued) is same


def test_renegotiation_is_told(pem, tmp_path):
    with server(pem, "-rev", "-tls1_2", "-client_renegotiation") as port:
        client = Client(port, tmp_path)
        client.until(b"Verify return code")
        client.ask(b"one")
        client.say(b"R\n")
        client.until(b"RENEGOTIATING")
        client.ask(b"two")
        plain, facts = client.end()
    assert said(plain, OUT) == b"one\n"
    assert said(plain, IN) == b"eno\n"
    assert facts.faults == ("tls.renegotiation",)
    assert facts.unread_sent > 0


def test_a_server_that_asks_for_renegotiation_and_gets_none(pem, tmp_path):
    with server(pem, "-tls1_2") as port:
        client = Client(port, tmp_path, "-no_renegotiation")
        client.until(b"Verify return code")
        client.say(b"question\n")
        speak(port, b"answer\n")
        client.until(b"answer")
        flights = len(client.tap.flights)
        speak(port, b"r\n")
        end = time.monotonic() + SECONDS
        while len(client.tap.flights) < flights + 2:
            assert time.monotonic() < end
            time.sleep(0.01)
        plain, facts = client.end()
    assert said(plain, OUT) == b"question\n"
    assert said(plain, IN) == b"answer\n"
    assert facts.renegotiation_asked
    assert facts.warnings == ("no_renegotiation",)
    assert facts.complete


def staple(pem: Path, path: Path) -> bytes:
    certificate = x509.load_pem_x509_certificate(pem.read_bytes())
    now = datetime.now(UTC).replace(microsecond=0)
    answer = (
        ocsp.OCSPResponseBuilder()
        .add_response(
            cert=certificate, issuer=certificate, algorithm=SHA256(), cert_status=ocsp.OCSPCertStatus.GOOD,
            this_update=now, next_update=now + timedelta(days=1), revocation_time=None, revocation_reason=None,
        )
        .responder_id(ocsp.OCSPResponderEncoding.HASH, certificate)
        .sign(load_pem_private_key(pem.read_bytes(), None), SHA256())  # type: ignore[arg-type]
        .public_bytes(Encoding.DER)
    )  # fmt: skip
    path.write_bytes(answer)
    return answer


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_stapled_status_and_timestamps(pem, tmp_path, version):
    answer = staple(pem, tmp_path / "ocsp.der")
    timestamp = bytes(range(47))
    listed = (len(timestamp) + 2).to_bytes(2) + len(timestamp).to_bytes(2) + timestamp
    context = b"\0\0\1\xd0" if version == "-tls1_2" else b"\0\0\x11\x20"
    extension = context + (18).to_bytes(2) + len(listed).to_bytes(2) + listed
    information = tmp_path / "serverinfo.pem"
    information.write_text(
        "-----BEGIN SERVERINFOV2 FOR EXTENSION 18-----\n"
        f"{base64.b64encode(extension).decode()}\n"
        "-----END SERVERINFOV2 FOR EXTENSION 18-----\n"
    )
    facts = talk(
        pem, tmp_path, ["-status_file", str(tmp_path / "ocsp.der"), "-serverinfo", str(information)],
        [version, "-status", "-serverinfo", "18"],
    )  # fmt: skip
    assert facts.ocsp == answer
    assert facts.scts == (timestamp,)


@pytest.mark.parametrize("protocol", ["-tls1", "-tls1_1"])
def test_older_versions_are_named_and_kept(pem, tmp_path, protocol):
    weak = ["-cipher", "ALL:@SECLEVEL=0", protocol]
    with server(pem, "-rev", *weak) as port:
        client = Client(port, tmp_path, *weak)
        client.until(b"Verify return code")
        client.ask(b"one")
        plain, facts = client.end()
    assert plain == []
    assert facts.version == {"-tls1": "TLS 1.0", "-tls1_1": "TLS 1.1"}[protocol]
    assert "tls.version.unsupported" in facts.faults
