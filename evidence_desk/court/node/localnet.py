"""A whole network of validators on this machine, for demonstrations and tests: 演示/非第三方.

The folder holds ``node0`` … and ``trust``; keys and ports are made once, so that a stopped localnet goes on where it was.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from asn1crypto import pem
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from evidence_desk.core.trust import MANIFEST, encode_manifest
from evidence_desk.court.node.app.genesis import app_state
from evidence_desk.court.node.app.records import Institution
from evidence_desk.court.node.ceremony import read_genesis
from evidence_desk.court.node.gateway.settings import GatewaySettings
from evidence_desk.court.node.home import (
    NETWORK_FILE,
    NodeHome,
    NodeSettings,
    create_home,
    genesis_document,
    write_secret,
)
from evidence_desk.court.node.rpc import EngineStatus, engine_status, gateway_answers
from evidence_desk.court.node.supervisor import Supervisor, exclusive
from evidence_desk.court.protocol.history import DEMO_PREFIX
from evidence_desk.court.protocol.network_file import encode_network
from evidence_desk.court.protocol.state import APP_VERSION
from evidence_desk.crypto.pki import KeyKind
from evidence_desk.errors import HostError, RemoteError, UsageError
from tsa.authority.keys import open_keys

MAX_NODES: Final = 16
PORTS_A_NODE: Final = 10
"""With a base port, node i has base + 10·i for peers, the next one for RPC and the one after it for its gateway."""
GOVERNANCE_FOLDER: Final = "governance"
AUTHORITY_FOLDER: Final = "authority"
"""Keys of the demo timestamp authority that the gateways embed."""
_AUTHORITY_NAME: Final = "演示时间戳 demo"
_AUTHORITY_FILE: Final = "tsa.pem"
_RATE: Final = 1_000
_BURST: Final = 2_000
_CONNECTIONS: Final = 512
"""Requests and connections of one client: on a localnet everybody comes from one address."""
_READY_SECONDS: Final = 120.0
_POLL_SECONDS: Final = 0.1
_PIECE: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Localnet:
    """A created localnet."""

    path: Path
    chain_id: str
    homes: tuple[NodeHome, ...]

    @property
    def trust(self) -> Path:
        """What a verifier of this network starts from: a folder with ``trust.json``."""
        return self.path / "trust"

    @property
    def gateways(self) -> list[str]:
        """Addresses of the gateways."""
        found = (home.settings().gateway for home in self.homes)
        return [gateway.url for gateway in found if gateway is not None]


def open_localnet(path: Path, count: int, *, base_port: int = 0) -> Localnet:
    """The localnet in a folder; made when there is none.

    Raises:
        UsageError: ``node.localnet_count`` for a number that is out of range or not that of the folder.
        HostError: ``node.port_taken``.
    """
    if not 1 <= count <= MAX_NODES:
        raise UsageError("node.localnet_count", found=count, wanted=f"1–{MAX_NODES}")
    path = path.resolve()
    if (path / "node0").exists():
        homes = tuple(NodeHome.open(path / f"node{index}") for index in range(_present(path)))
        if len(homes) != count:
            raise UsageError("node.localnet_count", found=count, wanted=str(len(homes)))
    else:
        homes = _create(path, count, base_port)
    genesis = json.loads(homes[0].genesis_file.read_text("utf-8"))
    return Localnet(path=path, chain_id=str(genesis["chain_id"]), homes=homes)


def _present(path: Path) -> int:
    count = 0
    while (path / f"node{count}").exists():
        count += 1
    return count


def _create(path: Path, count: int, base_port: int) -> tuple[NodeHome, ...]:
    ports = _ports(count, base_port)
    homes: list[NodeHome] = []
    for index, (p2p, rpc, door) in enumerate(ports):
        gateway = GatewaySettings(
            port=door,
            demo_authority=f"../{AUTHORITY_FOLDER}",
            governance=f"../{GOVERNANCE_FOLDER}",
            rate=_RATE,
            burst=_BURST,
            connections=_CONNECTIONS,
        )
        name = f"{DEMO_PREFIX}node{index}"
        settings = NodeSettings(name=name, p2p_port=p2p, rpc_port=rpc, gateway=gateway)
        homes.append(create_home(path / f"node{index}", settings))
    addresses = [
        f"{home.identity().node_id}@127.0.0.1:{p2p}" for home, (p2p, _, _) in zip(homes, ports, strict=True)
    ]
    chain_id = f"{DEMO_PREFIX}localnet-{secrets.token_hex(4)}"
    time = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    genesis = genesis_document(
        chain_id=chain_id,
        time=time,
        validators=[(home.settings().name, home.identity().validator_key) for home in homes],
        app_state=app_state(_institutions(path, homes)),
        app_version=APP_VERSION,
    )
    text = json.dumps(genesis, ensure_ascii=False, indent=2) + "\n"
    for index, home in enumerate(homes):
        others = tuple(address for at, address in enumerate(addresses) if at != index)
        home.write_settings(replace(home.settings(), peers=others))
        home.genesis_file.write_text(text, "utf-8")
    _write_trust(path, text)
    return tuple(homes)


def _write_trust(path: Path, genesis: str) -> None:
    """The trust folder: network file and root of the demo authority, under one manifest."""
    folder = path / "trust"
    folder.mkdir(mode=0o700, exist_ok=True)
    document = read_genesis(genesis.encode())
    authority = open_keys(path / AUTHORITY_FOLDER, KeyKind.P256, now=datetime.now(UTC)).ca
    files = {
        NETWORK_FILE: encode_network(document.trust({})),
        _AUTHORITY_FILE: pem.armor("CERTIFICATE", authority.root) + pem.armor("X509 CRL", authority.crl),
    }
    manifest = encode_manifest(
        authorities={_AUTHORITY_NAME: (_AUTHORITY_FILE,)},
        signers={},
        desks={},
        files=files,
        networks={document.chain_id: NETWORK_FILE},
    )
    for name, data in (files | {"genesis.json": genesis.encode(), MANIFEST: manifest}).items():
        (folder / name).write_bytes(data)


def _institutions(path: Path, homes: Sequence[NodeHome]) -> list[Institution]:
    """One institution a node. Their governance keys lie beside the nodes, for this network is only shown."""
    folder = path / GOVERNANCE_FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    members: list[Institution] = []
    for index, home in enumerate(homes):
        key, code = Ed25519PrivateKey.generate(), f"{DEMO_PREFIX}court-{index}"
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_secret(folder / f"{code}.pem", pem)
        members.append(
            Institution(
                institution=code,
                consensus_key=home.identity().validator_key,
                governance_key=key.public_key().public_bytes_raw(),
            )
        )
    return members


def governance_keys(path: Path) -> list[Ed25519PrivateKey]:
    """Governance keys of all institutions of a localnet."""
    found: list[Ed25519PrivateKey] = []
    for file in sorted((path / GOVERNANCE_FOLDER).glob("*.pem")):
        key = load_pem_private_key(file.read_bytes(), password=None)
        if isinstance(key, Ed25519PrivateKey):
            found.append(key)
    return found


def _ports(count: int, base_port: int) -> list[tuple[int, int, int]]:
    """Ports of each node; with base port 0 such as are free now."""
    wanted = [
        base_port + PORTS_A_NODE * index + offset if base_port else 0
        for index in range(count)
        for offset in range(3)
    ]
    with ExitStack() as held:
        found: list[int] = []
        for port in wanted:
            try:
                listener = held.enter_context(socket.create_server(("127.0.0.1", port)))
            except (OSError, OverflowError) as error:
                raise HostError("node.port_taken", port=port) from error
            found.append(listener.getsockname()[1])
    return list(zip(found[::3], found[1::3], found[2::3], strict=True))


async def run_localnet(
    localnet: Localnet, engine: Path, ready: Callable[[], None], *, until_eof: bool = False
) -> None:
    """Run all validators until SIGTERM or SIGINT; `ready` is called once, when every node has a block and every gateway answers.

    `until_eof`: until standard input is at its end too, so that no network outlives the program that started it.

    Raises:
        BusyError: ``node.running`` when another process runs one of them.
        RemoteError: ``node.not_ready`` when the nodes have no block after two minutes.
    """
    supervisors = [Supervisor(home, engine, log_to_files=True) for home in localnet.homes]
    async with _supervised(supervisors) as stopping:
        if until_eof:
            asyncio.get_running_loop().add_reader(sys.stdin.fileno(), _stop_at_eof, stopping)
        if await _all_ready(localnet.homes, stopping):
            ready()
            await stopping.wait()


def _stop_at_eof(stopping: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), _PIECE):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        stopping.set()


async def run_node(home: NodeHome, engine: Path) -> None:
    """Run one node until SIGTERM or SIGINT; its processes write to our stderr.

    Raises:
        BusyError: ``node.running``.
    """
    async with _supervised([Supervisor(home, engine, log_to_files=False)]) as stopping:
        await stopping.wait()


@asynccontextmanager
async def _supervised(supervisors: Sequence[Supervisor]) -> AsyncIterator[asyncio.Event]:
    """Supervisors at work; the event is set by SIGTERM, SIGINT, and by a supervisor that failed."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    with ExitStack() as locks:
        for supervisor in supervisors:
            locks.enter_context(exclusive(supervisor.home))
        tasks = [asyncio.create_task(supervisor.run()) for supervisor in supervisors]
        for task in tasks:
            task.add_done_callback(lambda _: stopping.set())
        try:
            yield stopping
        finally:
            for supervisor in supervisors:
                supervisor.stop()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome


async def _all_ready(homes: Sequence[NodeHome], stopping: asyncio.Event) -> bool:
    deadline = asyncio.get_running_loop().time() + _READY_SECONDS
    for home in homes:
        while not await _has_block(home):
            if stopping.is_set():
                return False
            if asyncio.get_running_loop().time() > deadline:
                raise RemoteError("node.not_ready", node=home.path.name, logs=os.fspath(home.logs))
            await asyncio.sleep(_POLL_SECONDS)
    return not stopping.is_set()


async def _has_block(home: NodeHome) -> bool:
    settings = home.settings()
    try:
        status: EngineStatus = await engine_status(settings.rpc_url)
    except RemoteError:
        return False
    gateway = settings.gateway
    ready = status.height > 0 and not status.catching_up
    return ready and (gateway is None or await gateway_answers(gateway))
