"""A node's folder: keys, genesis, the engine's configuration and ours. Written once; existing keys are never replaced.

``node.toml`` is ours; ``config/`` and ``data/`` are the engine's; ``app/`` holds the state machine's store.
"""

from __future__ import annotations

import base64
import json
import os
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence_desk.core.digests import sha256
from evidence_desk.court.node.gateway.settings import GatewaySettings, gateway_lines, read_gateway
from evidence_desk.errors import ConfigurationError, MalformedError, UsageError

SOCKET: Final = "app.sock"
"""Unix socket of the application, relative to the node's folder: an absolute path may be too long for the kernel."""
NETWORK_FILE: Final = "network.json"
"""The network file (``network/1``) in a node's folder: where its gateway's own verification starts."""
MAX_NAME: Final = 40
MAX_GENESIS: Final = 4 << 20
_PEER: Final = re.compile(r"[0-9a-f]{40}@[A-Za-z0-9.:\[\]-]{1,120}:[1-9][0-9]{0,4}\Z")

_CONFIG: Final = """\
# Written by court-node; what is not named here has the engine's default. Design: blocks at once when there is something
# to decide, an empty one every ten minutes so that header times stay fresh; nothing is ever pruned.
proxy_app = "unix://{socket}"
moniker = {name}
log_level = "main:info,state:info,*:error"

[rpc]
laddr = "tcp://127.0.0.1:{rpc_port}"
max_body_bytes = 2000000

[p2p]
laddr = "tcp://{listen}:{p2p_port}"
persistent_peers = "{peers}"
addr_book_strict = {strict}
allow_duplicate_ip = {duplicate}
flush_throttle_timeout = "10ms"

[mempool]
recheck = false
size = 5000
max_txs_bytes = 67108864
max_tx_bytes = 1048576

[consensus]
timeout_propose = "1s"
timeout_commit = "200ms"
peer_gossip_sleep_duration = "10ms"
create_empty_blocks = true
create_empty_blocks_interval = "10m0s"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSettings:
    """What ``node.toml`` says.

    Attributes:
        listen: address for other nodes; 127.0.0.1 on a localnet.
        peers: ``<node id>@<host>:<port>`` of the others.
        gateway: the HTTP door, None for a node without one.
    """

    name: str
    p2p_port: int
    rpc_port: int
    listen: str = "127.0.0.1"
    peers: tuple[str, ...] = ()
    gateway: GatewaySettings | None = None

    @property
    def rpc_url(self) -> str:
        """The engine's RPC, loopback only."""
        return f"http://127.0.0.1:{self.rpc_port}"

    @property
    def local(self) -> bool:
        """Whether all nodes live on this machine."""
        return self.listen == "127.0.0.1"


@dataclass(frozen=True, slots=True)
class NodeHome:
    """Paths of one node."""

    path: Path

    @classmethod
    def open(cls, path: Path) -> Self:
        """An existing node folder.

        Raises:
            ConfigurationError: ``node.no_home`` when it is none.
        """
        home = cls(path.resolve())
        if not home.settings_file.is_file():
            raise ConfigurationError("node.no_home", path=os.fspath(path))
        return home

    @property
    def settings_file(self) -> Path:
        """Our configuration."""
        return self.path / "node.toml"

    @property
    def genesis_file(self) -> Path:
        """The network's genesis document."""
        return self.path / "config" / "genesis.json"

    @property
    def store_file(self) -> Path:
        """SQLite file of the state machine."""
        return self.path / "app" / "state.db"

    @property
    def logs(self) -> Path:
        """Where a localnet writes what its processes say."""
        return self.path / "logs"

    def settings(self) -> NodeSettings:
        """Read ``node.toml``.

        Raises:
            ConfigurationError: ``node.settings`` when it cannot be meant.
        """
        try:
            value = tomllib.loads(self.settings_file.read_text("utf-8"))
            return NodeSettings(
                name=_text(value["name"]),
                p2p_port=_port(value["p2p_port"]),
                rpc_port=_port(value["rpc_port"]),
                listen=_text(value["listen"]),
                peers=tuple(_text(item) for item in value["peers"]),
                gateway=read_gateway(value["gateway"]) if "gateway" in value else None,
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigurationError("node.settings", path=os.fspath(self.settings_file)) from error

    def write_settings(self, settings: NodeSettings) -> None:
        """Write ``node.toml`` and the engine's configuration that follows from it."""
        lines = [
            f"name = {_toml(settings.name)}",
            f'listen = "{settings.listen}"',
            f"p2p_port = {settings.p2p_port}",
            f"rpc_port = {settings.rpc_port}",
            f"peers = {_toml(list(settings.peers))}",
            *([] if settings.gateway is None else gateway_lines(settings.gateway)),
        ]
        self.settings_file.write_text("\n".join(lines) + "\n", "utf-8")
        config = _CONFIG.format(
            socket=SOCKET,
            name=_toml(settings.name),
            rpc_port=settings.rpc_port,
            listen=settings.listen,
            p2p_port=settings.p2p_port,
            peers=",".join(settings.peers),
            strict=str(not settings.local).lower(),
            duplicate=str(settings.local).lower(),
        )
        (self.path / "config" / "config.toml").write_text(config, "utf-8")

    def identity(self) -> NodeIdentity:
        """Public parts of the node's keys.

        Raises:
            ConfigurationError: ``node.keys`` when they cannot be read.
        """
        try:
            node = json.loads((self.path / "config" / "node_key.json").read_text("utf-8"))
            validator = json.loads((self.path / "config" / "priv_validator_key.json").read_text("utf-8"))
            return NodeIdentity(
                node_key=base64.b64decode(node["priv_key"]["value"], validate=True)[32:],
                validator_key=base64.b64decode(validator["pub_key"]["value"], validate=True),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigurationError("node.keys", path=os.fspath(self.path)) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeIdentity:
    """Public keys (Ed25519, 32 bytes): the node's for its connections, the validator's for its votes."""

    node_key: bytes
    validator_key: bytes

    @property
    def node_id(self) -> str:
        """Name of the node to its peers: 40 hex digits."""
        return sha256(self.node_key)[:20].hex()

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the validator's key in groups of four, to be read out at the ceremony."""
        digits = sha256(self.validator_key).hex().upper()
        return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


def create_home(path: Path, settings: NodeSettings) -> NodeHome:
    """Make a node's folder with fresh keys.

    Raises:
        UsageError: ``node.exists`` when there are keys already, ``node.name`` for a name that cannot be printed.
    """
    if not 1 <= len(settings.name) <= MAX_NAME or not settings.name.isprintable():
        raise UsageError("node.name", limit=MAX_NAME)
    home = NodeHome(path.resolve())
    if home.settings_file.exists() or (home.path / "config").exists():
        raise UsageError("node.exists", path=os.fspath(path))
    for folder in (home.path, home.path / "config", home.path / "data", home.path / "app", home.logs):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write_keys(home.path)
    home.write_settings(settings)
    return home


def install_genesis(home: NodeHome, source: Path) -> None:
    """Copy a genesis document into a node's folder.

    Raises:
        MalformedError: ``malformed.genesis`` for a file that is none.
    """
    try:
        data = source.read_bytes()
        chain_id = json.loads(data)["chain_id"] if len(data) <= MAX_GENESIS else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise MalformedError("malformed.genesis", path=os.fspath(source)) from error
    if not isinstance(chain_id, str) or not chain_id:
        raise MalformedError("malformed.genesis", path=os.fspath(source))
    home.genesis_file.write_bytes(data)


def _write_keys(path: Path) -> None:
    node, validator = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    public = validator.public_key().public_bytes_raw()
    _secret(path / "config" / "node_key.json", {"priv_key": _private(node)})
    _secret(
        path / "config" / "priv_validator_key.json",
        {
            "address": sha256(public)[:20].hex().upper(),
            "pub_key": public_key_json(public),
            "priv_key": _private(validator),
        },
    )
    # Only ever written beside a fresh key: without it a restarted validator could sign two blocks of one height.
    _secret(path / "data" / "priv_validator_state.json", {"height": "0", "round": 0, "step": 0})


def public_key_json(public: bytes) -> dict[str, str]:
    """An Ed25519 public key as the engine's JSON names it."""
    return {"type": "tendermint/PubKeyEd25519", "value": base64.b64encode(public).decode()}


def _private(key: Ed25519PrivateKey) -> dict[str, str]:
    raw = key.private_bytes_raw() + key.public_key().public_bytes_raw()
    return {"type": "tendermint/PrivKeyEd25519", "value": base64.b64encode(raw).decode()}


def _secret(path: Path, value: dict[str, Any]) -> None:
    write_secret(path, json.dumps(value, indent=2).encode("ascii"))


def write_secret(path: Path, data: bytes) -> None:
    """Write a file that only this user may read; an existing one is never replaced."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)


def genesis_document(
    *, chain_id: str, time: str, validators: Sequence[tuple[str, bytes]], app_state: Any, app_version: int
) -> dict[str, Any]:
    """A genesis document: validators of equal power by (name, public key), `time` as RFC 3339."""
    return {
        "genesis_time": time,
        "chain_id": chain_id,
        "initial_height": "1",
        "consensus_params": {
            "block": {"max_bytes": "4194304", "max_gas": "-1"},
            "evidence": {
                "max_age_num_blocks": "100000", "max_age_duration": "172800000000000", "max_bytes": "1048576",
            },
            "validator": {"pub_key_types": ["ed25519"]},
            "version": {"app": str(app_version)},
            "abci": {"vote_extensions_enable_height": "0"},
        },
        "validators": [
            {
                "address": sha256(public)[:20].hex().upper(), "pub_key": public_key_json(public),
                "power": "1", "name": name,
            }
            for name, public in validators
        ],
        "app_hash": "",
        "app_state": app_state,
    }  # fmt: skip


def check_peer(peer: str) -> str:
    """Return `peer` when it has the form ``<node id>@<host>:<port>``.

    Raises:
        UsageError: ``node.peer``.
    """
    if not _PEER.match(peer):
        raise UsageError("node.peer", peer=peer[:80])
    return peer


def _toml(value: str | list[str]) -> str:
    """JSON's strings and lists of strings are TOML's as well, if nothing is written as surrogates."""
    return json.dumps(value, ensure_ascii=False)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(type(value).__name__)
    return value


def _port(value: object) -> int:
    if not isinstance(value, int) or not 1 <= value <= 65535:
        raise ValueError("port")
    return value
