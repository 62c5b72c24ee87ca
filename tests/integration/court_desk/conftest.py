"""Four validators with gateways on loopback, desks that run their commands in this process, and gateways that misbehave."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import httpx
import pytest

from evidence_desk.bootstrap.opening import init_session
from evidence_desk.cli.main import main
from tests.integration.court_node.network import Network, running
from tests.unit.vault.rows import CHEAP

SECRET = "口令 desk"


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with running(Network(tmp_path_factory.mktemp("court") / "net", 4)) as net:
        yield net


@dataclass(frozen=True)
class Said:
    """What one command left."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


@dataclass
class Desk:
    """A desk's folder; `run` runs a command on it."""

    vault: Path
    run: Callable[..., Said]
    recovery_key: str

    def seal(self, *paths: Path, case: str = "案一") -> list[dict[str, Any]]:
        said = self.run("seal", *paths, "--case", case, "--json")
        assert said.status == 0, said.err
        found: list[dict[str, Any]] = said.document["exhibits"]
        return found

    def states(self, number: str) -> dict[str, Any]:
        found: dict[str, Any] = self.run("show", number, "--json").document
        return found


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    monkeypatch.setenv("EVIDENCE_DESK_PASSPHRASE", SECRET)

    def runs(*arguments: object, program: Callable[[list[str]], int] = main) -> Said:
        capsys.readouterr()
        status = program([str(item) for item in arguments])
        said = capsys.readouterr()
        return Said(status=status, out=said.out, err=said.err)

    return runs


@pytest.fixture
def new_desk(tmp_path: Path, run: Callable[..., Said]) -> Callable[[str], Desk]:
    def make(name: str) -> Desk:
        folder = tmp_path / name
        session, key = init_session(folder, SECRET, office="test", demo=True, kdf=CHEAP)
        session.close()

        def on_this(*arguments: object, **named: Any) -> Said:
            return run(*arguments, "--vault", folder, **named)

        return Desk(folder, on_this, key)

    return make


@pytest.fixture
def desk(new_desk: Callable[[str], Desk], network: Network) -> Desk:
    """A desk that joined through two gateways."""
    made = new_desk("desk")
    said = made.run("network", "join", *gateways(network, 0, 1), "--trust", network.ready["trust"], "--json")
    assert said.status == 0, said.err
    assert said.document["registration"]["status"] == "approved"
    return made


def gateways(network: Network, *numbers: int) -> list[str]:
    urls = network.ready["gateways"]
    return [part for number in numbers for part in ("--gateway", urls[number])]


# --- a gateway that misbehaves --------------------------------------------------------------------------------

Answer = tuple[int, bytes]
Change = Callable[[str, str, Answer], Answer]
"""(method, path, honest answer) → the answer given."""


@dataclass
class Crooked:
    """Stands before an honest gateway and changes its answers; `swallows` transactions without handing them on."""

    behind: str
    change: Change = lambda _method, _path, answer: answer
    swallows: bool = False
    swallowed: list[bytes] = field(default_factory=list)

    def __enter__(self) -> Self:
        crooked = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer("GET", b"")

            def do_POST(self) -> None:
                self._answer("POST", self.rfile.read(int(self.headers.get("Content-Length", "0"))))

            def log_message(self, *_: object) -> None:
                pass

            def _answer(self, method: str, body: bytes) -> None:
                if crooked.swallows and self.path == "/v1/transactions":
                    crooked.swallowed.append(body)
                    answer = (202, b'{"code":0,"id":"%s"}' % (b"0" * 64))
                else:
                    given = httpx.request(
                        method, crooked.behind + self.path, content=body or None, timeout=30
                    )
                    answer = crooked.change(method, self.path, (given.status_code, given.content))
                self.send_response(answer[0])
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer[1])))
                self.end_headers()
                self.wfile.write(answer[1])

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"
