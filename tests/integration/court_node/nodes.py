"""Nodes of a network founded by its ceremony, each under a supervisor of its own: one can be killed, wiped, starved."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence_desk.court.node.door import NodeDoor
from evidence_desk.court.node.governance_key import open_governance_key
from evidence_desk.court.node.localnet import PORTS_A_NODE, governance_keys, open_localnet
from evidence_desk.court.protocol.light import check_signers, require_majority
from evidence_desk.court.protocol.transactions import Payload
from tests.integration.court_node import faulty
from tests.integration.court_node.links import Links
from tests.integration.court_node.network import PATIENCE, Network, alive, wait_until
from tests.unit.court_node.chain import signed

COURT_NODE = [sys.executable, "-m", "evidence_desk.court.node"]


def command(*arguments: str | Path, status: int = 0) -> dict[str, Any]:
    """One command of `court-node`, its JSON answer."""
    done = subprocess.run(
        [*COURT_NODE, *map(str, arguments), "--json"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    value: dict[str, Any] = json.loads(done.stdout)
    return value


def free_ports(count: int) -> list[int]:
    """Consecutive ports below those that the kernel gives to connections: nobody takes them while a node is down."""
    while True:
        base = secrets.randbelow(20_000) + 11_000
        with suppress(OSError), ExitStack() as held:
            for port in range(base, base + count):
                held.enter_context(socket.create_server(("127.0.0.1", port)))
            return list(range(base, base + count))


@dataclass
class Nodes(Network):
    """`count` institutions. `known` is every header that was seen final: none may ever change."""

    processes: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)
    known: dict[int, str] = field(default_factory=dict)
    links: Links | None = None
    ports: dict[int, tuple[int, int, int]] = field(default_factory=dict)

    @classmethod
    def found(cls, path: Path, count: int = 4) -> Nodes:
        """The ceremony by its commands."""
        nodes = cls(path=path, count=count)
        members: list[str | Path] = []
        for index in range(count):
            nodes.init(index)
            members += ["--member", path / f"node{index}" / "member.json"]
        nodes.ready = command("genesis", "--chain", "demo-faults", *members, "--out", path / "out")
        for index in range(count):
            nodes.join(index)
        return nodes

    @classmethod
    def behind_links(cls, path: Path, count: int = 4) -> Nodes:
        """A localnet's folder without gateways, its nodes apart, connected by links that can be cut."""
        net = open_localnet(path, count, base_port=free_ports(PORTS_A_NODE * count)[0])
        nodes = cls(path=net.path, count=count)
        nodes.ready = {"chain_id": net.chain_id, "trust": str(net.trust)}
        settings = [home.settings() for home in net.homes]
        document = json.loads(net.homes[0].genesis_file.read_text("utf-8"))
        # Old enough that a clock a day behind is still after it: before it an engine only waits.
        document["genesis_time"] = (datetime.now(UTC) - timedelta(days=3)).strftime("%Y-%m-%dT%H:%M:%SZ")
        for home in net.homes:
            home.genesis_file.write_text(json.dumps(document, indent=2) + "\n", "utf-8")
        links = nodes.links = Links({index: item.p2p_port for index, item in enumerate(settings)})
        for index, home in enumerate(net.homes):
            peers = tuple(
                f"{other.identity().node_id}@127.0.0.1:{links.ports[index, at]}"
                for at, other in enumerate(net.homes)
                if at != index
            )
            home.write_settings(replace(settings[index], peers=peers, gateway=None))
            config = home.path / "config" / "config.toml"
            # Without exchange of addresses nobody finds a way around a link that is cut.
            config.write_text(config.read_text("utf-8").replace("[p2p]\n", "[p2p]\npex = false\n"), "utf-8")
        return nodes

    def init(self, index: int) -> None:
        """An institution's node and keys."""
        p2p, rpc, gateway = self.ports.setdefault(index, tuple(free_ports(3)))  # type: ignore[arg-type]
        more = ["--gateway-port", str(gateway)] if index == 0 else []
        command(
            "init", "--dir", self.path / f"node{index}", "--name", f"node{index}", "--institution",
            f"court-{index}", "--title", f"示范机构{index}", "--listen", "127.0.0.1", "--p2p-port", str(p2p),
            "--rpc-port", str(rpc), "--address", f"127.0.0.1:{p2p}", "--governance-key", self.key_file(index),
            *more,
        )  # fmt: skip

    def join(self, index: int, *more: str | Path) -> dict[str, Any]:
        """Take up the network's documents."""
        out = self.path / "out"
        return command(
            "join", "--dir", self.path / f"node{index}", "--genesis", out / "genesis.json", "--network",
            out / "network.json", "--peers", out / "peers.txt", *more,
        )  # fmt: skip

    @property
    def gateway(self) -> str:
        """The first node's."""
        return f"http://127.0.0.1:{self.ports[0][2]}"

    def key_file(self, index: int) -> Path:
        return self.path / "keys" / f"court-{index}.pem"

    def governor(self, index: int) -> Ed25519PrivateKey:
        return open_governance_key(self.key_file(index), "")

    def approved(self, payload: Payload) -> bytes:
        keys = governance_keys(self.path) or [self.governor(index) for index in range(4)]
        return signed(payload, *keys, chain_id=self.chain_id).encode()

    # --- processes ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        for index in range(self.count):
            self.start_node(index)
        self.wait_for_height(1)

    def start_node(
        self,
        index: int,
        *,
        prefix: Sequence[str | Path] = (),
        faults: Sequence[str] = (),
        env: dict[str, str] | None = None,
    ) -> None:
        """`court-node start`, under an optional other program, or with a faulty application."""
        folder = self.path / f"node{index}"
        command: list[str | Path] = (
            [sys.executable, "-m", faulty.__name__, "start", folder, *faults]
            if faults
            else [*COURT_NODE, "start", "--dir", folder]
        )
        with self.log(index).open("a") as log:
            self.processes[index] = subprocess.Popen(
                [*prefix, *command],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, **(env or {})},
            )  # fmt: skip

    def log(self, index: int) -> Path:
        return self.path / f"node{index}.log"

    def stop_node(self, index: int) -> int:
        process = self.processes.pop(index)
        process.send_signal(signal.SIGTERM)
        return process.wait(PATIENCE)

    def kill_node(self, index: int) -> None:
        """kill -9 of supervisor, application and engine together."""
        running, process = self.running(index), self.processes.pop(index)
        for pid in (process.pid, running.application, running.engine):
            if pid:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        process.wait(PATIENCE)
        wait_until(lambda: not any(alive(pid) for pid in (running.application, running.engine) if pid))

    def stop(self) -> int:
        return max([self.stop_node(index) for index in list(self.processes)], default=0)

    def kill(self) -> None:
        for index in list(self.processes):
            with suppress(AssertionError):
                self.kill_node(index)
        if self.links is not None:
            self.links.close()

    # --- what must always hold -----------------------------------------------------------------------------------

    def live(self) -> list[int]:
        """Nodes that answer."""
        return [index for index in range(self.count) if self.height(index)]

    def stands_still(self, seconds: float = 6.0) -> bool:
        """Whether no node gets a new block for some time, in which there is something to decide."""
        before = [self.height(index) for index in range(self.count)]
        time.sleep(seconds)
        return before == [self.height(index) for index in range(self.count)]

    def caught_up(self, index: int, height: int) -> None:
        """Wait until a node has a height."""
        wait_until(lambda: self.height(index) >= height)

    def top(self) -> int:
        """Greatest height that any node has."""
        return max(self.height(index) for index in range(self.count))

    def one_history(self, first: int = 1) -> int:
        """All nodes that answer have the same blocks, each committed by more than two thirds; none known is lost."""
        live = self.live()
        top = min(self.height(index) for index in live)
        assert top >= max(self.known, default=0) - 1, "a final block is gone"
        for height in range(first, top + 1):
            hashes = {self.block_hash(index, height) for index in live}
            assert len(hashes) == 1, f"height {height} is two blocks"
            assert self.known.setdefault(height, *hashes) in hashes, f"height {height} has changed"
        return top

    def block_hash(self, index: int, height: int) -> str:
        """Hash of a header after a check of its commit."""
        with closing(NodeDoor(self.home(index))) as door:
            block = door.light_block(height)
        signers = check_signers(block, self.chain_id)
        require_majority(signers, height)
        return block.header.hash.hex()
