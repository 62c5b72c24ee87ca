"""The update check against a real server on this machine that keeps the bytes it is sent."""

import json
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence_desk import __version__
from evidence_desk.bootstrap.reader import SystemClock
from evidence_desk.cli.main import main
from evidence_desk.core.note import MAX_NOTE
from evidence_desk.core.release import KEY_NAME, Release, ReleaseFile, ReleaseKey
from evidence_desk.errors import ConfigurationError, MalformedError, RemoteError, UsageError
from evidence_desk.updates.check import UpdateStatus, check
from evidence_desk.updates.fetch import fetch
from evidence_desk.updates.setting import load_setting, turn_off, turn_on

SIGNER = Ed25519PrivateKey.generate()
KEY = ReleaseKey(name=KEY_NAME, public=SIGNER.public_key().public_bytes_raw())
FILE = ReleaseFile(name="setup.exe", size=1, sha256="0" * 64, sm3="0" * 64)


def a_list(version: str, *, later: int = 0, signer: Ed25519PrivateKey = SIGNER) -> bytes:
    issued = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=later)
    release = Release(version=version, issued=issued, demonstration=False, files=(FILE,))
    return KEY.sign(release.encode(), signer.sign)


def answer(body: bytes, status: str = "200 OK", *heads: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *heads]
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n" + body


class Server:
    """Answers each connection with `reply`; `asked` are the bytes that came."""

    def __init__(self) -> None:
        self.reply = b""
        self.asked: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}/releases/list.txt"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                data = b""
                while b"\r\n\r\n" not in data and (piece := connection.recv(65536)):
                    data += piece
                self.asked.append(data)
                try:
                    connection.sendall(self.reply)
                except OSError:
                    continue  # it was cut off

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVIDENCE_DESK_CONFIG", str(tmp_path / "配置"))
    monkeypatch.setenv("EVIDENCE_DESK_SITE_CONFIG", str(tmp_path / "site"))
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login someone password secret\n")
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def asked() -> tuple[UpdateStatus, str]:
    outcome = check(SystemClock(), here="1.0.0")
    return outcome.status, outcome.code


UNKNOWN = UpdateStatus.UNDETERMINED


def test_off_unless_turned_on(server: Server):
    server.reply = answer(a_list("2.0.0"))
    assert asked() == (UNKNOWN, "updates.off")
    turn_on()
    assert asked() == (UNKNOWN, "updates.no_address")
    turn_on(server.address)
    assert asked() == (UNKNOWN, "updates.no_key")
    turn_on(key=KEY.encode())
    turn_off()
    assert asked() == (UNKNOWN, "updates.off")
    assert server.asked == []
    turn_on()
    assert asked() == (UpdateStatus.NEWER, "updates.newer")


def test_what_goes_out(server: Server):
    turn_on(server.address, KEY.encode())
    server.reply = answer(a_list("2.0.0"), "200 OK", "Set-Cookie: who=you; Path=/", 'ETag: "1"')
    for _ in range(3):
        assert asked() == (UpdateStatus.NEWER, "updates.newer")
    request = f"GET /releases/list.txt HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode()
    assert server.asked == [request] * 3


def test_replay_downgrade_and_strangers(server: Server):
    turn_on(server.address, KEY.encode())
    first, second = a_list("1.0.0", later=-60), a_list("2.0.0")
    server.reply = answer(first)
    assert asked() == (UpdateStatus.CURRENT, "updates.current")
    server.reply = answer(second)
    assert asked() == (UpdateStatus.NEWER, "updates.newer")
    for body, code in (
        (first, "updates.replayed"),
        (a_list("1.5.0", later=30), "updates.downgrade"),
        (a_list("3.0.0", later=30, signer=Ed25519PrivateKey.generate()), "release.signature"),
        (second[:-9], "malformed.note"),
        (b"<html>", "malformed.note"),
    ):
        server.reply = answer(body)
        assert asked() == (UNKNOWN, code)
    server.reply = answer(second)
    assert asked() == (UpdateStatus.NEWER, "updates.newer")  # what was refused was not remembered


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (answer(b"", "302 Found", "Location: /other"), "updates.answer"),
        (answer(b"", "404 Not Found"), "updates.answer"),
        (answer(b"x", "200 OK", "Content-Encoding: gzip"), "updates.answer"),
        (answer(b"x" * (MAX_NOTE + 1)), "updates.too_large"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (4 << 20), "updates.too_large"),
        (b"", "updates.unreachable"),
        (b"\x00\xff nonsense\r\n\r\n", "updates.unreachable"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", "updates.unreachable"),
    ],
)
def test_answers_that_are_none(server: Server, reply: bytes, code: str):
    turn_on(server.address, KEY.encode())
    server.reply = reply
    assert asked() == (UNKNOWN, code)
    assert len(server.asked) == 1  # nobody follows, nobody tries again


def test_too_slow(server: Server):
    server.reply = answer(a_list("2.0.0"))
    with pytest.raises(RemoteError, match=r"updates\.slow"):
        fetch(server.address, seconds=-1)


def test_nobody_there(server: Server):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    turn_on(f"http://127.0.0.1:{port}/", KEY.encode())
    assert asked() == (UNKNOWN, "updates.unreachable")
    assert server.asked == []


@pytest.mark.parametrize(
    "address",
    [
        "ftp://a/", "file:///etc/passwd", "http://", "https://u:p@a/", "http://a/?case=1", "http://a/#x", "http://a:x/",
        "http://a/ b", "http://a/\r\nX: y", "http://法院/", "http://a\\b/", "http://[::1", "http://a/" + "x" * 2048,
    ],
)  # fmt: skip
def test_addresses_refused(address: str):
    with pytest.raises(UsageError, match=r"updates\.address"):
        turn_on(address)
    assert not load_setting().on


def test_keys_refused_and_changed(server: Server):
    with pytest.raises(MalformedError, match=r"malformed\.vkey"):
        turn_on(server.address, "nonsense")
    turn_on(server.address, KEY.encode())
    server.reply = answer(a_list("2.0.0"))
    asked()
    assert load_setting().seen is not None
    turn_on(key=KEY.encode())
    assert load_setting().seen is not None
    other = ReleaseKey(name=KEY_NAME, public=Ed25519PrivateKey.generate().public_key().public_bytes_raw())
    assert turn_on(key=other.encode()).seen is None


@pytest.mark.parametrize("text", ["", "[]", "{", '{"on": 1}', '{"more": 1}', '{"address": "ftp://a"}', '{"key": "x"}', '{"seen": {}}', '{"seen": {"issued": 1, "version": "1", "sha256": ""}}', "[" * 9000, "x" * 20000])  # fmt: skip
def test_a_setting_that_cannot_be_read_is_off(text: str, tmp_path: Path):
    (tmp_path / "配置").mkdir()
    (tmp_path / "配置" / "updates.json").write_text(text)
    assert asked() == (UNKNOWN, "updates.setting")
    with pytest.raises(ConfigurationError):
        load_setting()


def test_the_administrator_gives_address_and_key_and_no_more(server: Server, tmp_path: Path):
    (tmp_path / "site").mkdir()
    given = {"on": True, "address": server.address, "key": KEY.encode().strip()}
    (tmp_path / "site" / "updates.json").write_text(json.dumps(given))
    server.reply = answer(a_list("2.0.0"))
    assert asked() == (UNKNOWN, "updates.off")
    turn_on()
    assert asked() == (UpdateStatus.NEWER, "updates.newer")
    assert json.loads((tmp_path / "配置" / "updates.json").read_text())["address"] == ""


def test_commands(server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    def run(*words: str) -> tuple[int, dict]:
        status = main(["updates", *words, "--json"])
        return status, json.loads(capsys.readouterr().out)

    assert run("check")[0] == 2
    key = tmp_path / "release.vkey"
    key.write_text(KEY.encode())
    assert run("on", "--address", server.address, "--key", str(key)) == (
        0, {"on": True, "address": server.address, "key": KEY.fingerprint},
    )  # fmt: skip
    server.reply = answer(a_list("99.0.0"))
    status, told = run("check")
    assert (status, told["status"], told["version"], told["facts"]["here"]) == (
        0,
        "newer",
        "99.0.0",
        __version__,
    )
    assert run("on", "--address", "http://a/?b")[0] == 64
    assert run("on", "--key", str(tmp_path / "none"))[0] == 66
    assert run("off")[1]["on"] is False
    assert run("check")[1]["code"] == "updates.off"
    assert main(["updates", "check", "--lang", "en"]) == 2
    assert "nobody was asked" in capsys.readouterr().out


def test_no_other_file_is_left(tmp_path: Path):
    turn_on("http://a/")
    before = sorted(path.name for path in (tmp_path / "配置").iterdir())
    assert before == ["updates.json"]
