"""A localnet under test: its command as a process, its engines by their RPC. Loopback only."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from evidence_desk.court.node.home import NodeHome
from evidence_desk.court.node.localnet import governance_keys
from evidence_desk.court.node.rpc import call
from evidence_desk.court.node.supervisor import Running, read_running
from evidence_desk.court.protocol.transactions import Payload
from evidence_desk.errors import RemoteError
from tests.unit.court_node.chain import Desk, signed

PATIENCE = 60.0


@dataclass
class Network:
    """`court-node localnet` in a process of its own."""

    path: Path
    count: int
    process: subprocess.Popen[str] = field(init=False)
    ready: dict[str, Any] = field(init=False)

    def start(self) -> None:
        command: list[str | Path] = [
            sys.executable, "-m", "evidence_desk.court.node", "localnet", str(self.count), "--dir", self.path,
        ]  # fmt: skip
        with (self.path.parent / "localnet.log").open("a") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, (self.path.parent / "localnet.log").read_text()
        self.ready = json.loads(line)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(PATIENCE)
        if self.process.stdout is not None:
            assert self.process.stdout.read() == "", "one line and nothing else"
            self.process.stdout.close()
        return status

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE)
        if self.process.stdout is not None:
            self.process.stdout.close()

    @property
    def chain_id(self) -> str:
        return str(self.ready["chain_id"])

    def home(self, index: int) -> NodeHome:
        return NodeHome.open(self.path / f"node{index}")

    def running(self, index: int) -> Running:
        return read_running(self.home(index))

    def ask(self, index: int, method: str, **parameters: str) -> dict[str, Any]:
        return asyncio.run(call(self.home(index).settings().rpc_url, method, **parameters))

    def height(self, index: int) -> int:
        try:
            return int(self.ask(index, "status")["sync_info"]["latest_block_height"])
        except RemoteError:
            return 0

    def header(self, index: int, height: int) -> dict[str, Any]:
        found: dict[str, Any] = self.ask(index, "header", height=str(height))["header"]
        return found

    def commit(self, index: int, tx: bytes) -> dict[str, Any]:
        """Send a transaction and wait for its block; a busy machine may take its time."""
        sent: list[dict[str, Any]] = []

        def send() -> bool:
            with suppress(RemoteError):
                sent.append(self.ask(index, "broadcast_tx_sync", tx=base64.b64encode(tx).decode()))
            return bool(sent) or self._found(index, tx) is not None

        wait_until(send)
        assert all(answer["code"] == 0 for answer in sent), sent
        wait_until(lambda: self._found(index, tx) is not None)
        found = self._found(index, tx)
        assert found is not None
        return found

    def _found(self, index: int, tx: bytes) -> dict[str, Any] | None:
        with suppress(RemoteError):
            return self.ask(index, "tx", hash=base64.b64encode(hashlib.sha256(tx).digest()).decode())
        return None

    def query(self, index: int, path: str, data: bytes, height: int = 0) -> dict[str, Any]:
        answer = self.ask(index, "abci_query", path=path, data=data.hex(), height=str(height))["response"]
        return (
            json.loads(base64.b64decode(answer["value"])) if not answer["code"] else {"code": answer["code"]}
        )

    def approved(self, payload: Payload) -> bytes:
        return signed(payload, *governance_keys(self.path), chain_id=self.chain_id).encode()

    def wait_for_height(self, height: int) -> None:
        for index in range(self.count):
            wait_until(partial(self._reached, index, height))

    def _reached(self, index: int, height: int) -> bool:
        return self.height(index) >= height

    def agree(self, height: int) -> str:
        """The application hash in this header, after a check that all nodes have the same header."""
        self.wait_for_height(height)
        headers = [self.header(index, height) for index in range(self.count)]
        assert all(header == headers[0] for header in headers)
        return str(headers[0]["app_hash"]).lower()


N = TypeVar("N", bound=Network)


@contextmanager
def running(net: N) -> Iterator[N]:
    """A network for the length of a block."""
    try:
        net.start()
        yield net
    finally:
        net.kill()


def registered(net: Network) -> Desk:
    """A desk known to the network."""
    desk = Desk(chain_id=net.chain_id)
    assert net.commit(0, net.approved(desk.registration()))["tx_result"]["code"] == 0
    return desk


def wait_until(condition: Callable[[], bool]) -> None:
    """Poll; PATIENCE is a bound against hanging, not a figure."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.1)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
