"""A running gateway's parts, put together from a node's folder. Routes of API and portal are given this."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from evidence_desk.court.node.ceremony import read_genesis
from evidence_desk.court.node.gateway.answers import Answers
from evidence_desk.court.node.gateway.chain import Chain
from evidence_desk.court.node.gateway.engine_client import EngineClient
from evidence_desk.court.node.gateway.found import Finder
from evidence_desk.court.node.gateway.index import GatewayIndex
from evidence_desk.court.node.gateway.keybags import Keybags
from evidence_desk.court.node.gateway.pending import Pending
from evidence_desk.court.node.gateway.registrations import Registrations, automatic_keys
from evidence_desk.court.node.gateway.settings import GatewaySettings
from evidence_desk.court.node.gateway.submissions import Submissions
from evidence_desk.court.node.gateway.tokens import Tokens, open_authority
from evidence_desk.court.node.home import NETWORK_FILE, NodeHome
from evidence_desk.court.protocol.history import NetworkTrust
from evidence_desk.court.protocol.network_file import encode_network, parse_network
from evidence_desk.errors import ConfigurationError, MalformedError

FOLDER: Final = "gateway"
"""In the node's folder: what the gateway keeps."""
REGISTRATIONS: Final = "registrations"
KEYBAGS: Final = "keybags"


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayContext:
    """Parts of a running gateway.

    Attributes:
        settings: as in ``node.toml``.
        network: the network file as served (``network/1``); `trust` the same, read.
        folder: what the gateway keeps on disk.
    """

    settings: GatewaySettings
    network: bytes
    trust: NetworkTrust
    folder: Path
    engine: EngineClient
    index: GatewayIndex
    chain: Chain
    tokens: Tokens
    answers: Answers
    finder: Finder
    submissions: Submissions
    registrations: Registrations
    keybags: Keybags

    @property
    def chain_id(self) -> str:
        """Of the network."""
        return self.trust.chain_id

    async def close(self) -> None:
        """Close connections and files."""
        await self.engine.close()
        self.index.close()


def open_context(home: NodeHome, transport: httpx.AsyncBaseTransport | None = None) -> GatewayContext:
    """Put a gateway together.

    Args:
        home: the node's folder.
        transport: to the engine, for tests.

    Raises:
        ConfigurationError: ``api.no_gateway``, ``api.automatic_approval``, ``api.tsa_roots``, ``node.no_genesis``.
        MalformedError: a network file or genesis document that is none.
        HostError: ``api.store``.
    """
    settings = home.settings()
    gateway = settings.gateway
    if gateway is None:
        raise ConfigurationError("api.no_gateway", path=str(home.settings_file))
    network = network_bytes(home)
    trust = parse_network(network)
    folder = home.path / FOLDER
    index = GatewayIndex(folder / "index.db", trust.chain_id)
    engine = EngineClient(settings.rpc_url, transport)
    tokens = Tokens(index, open_authority(gateway, home.path, folder / "authority"))
    chain = Chain(engine, trust, index)
    answers = Answers(engine, chain, tokens)
    submissions = Submissions(engine, answers, chain_id=trust.chain_id, busy=gateway.busy_transactions)
    pending = Pending(folder / REGISTRATIONS, index, trust.chain_id)
    keys = automatic_keys(home.path / gateway.governance, trust.chain_id) if gateway.governance else ()
    return GatewayContext(
        settings=gateway,
        network=network,
        trust=trust,
        folder=folder,
        engine=engine,
        index=index,
        chain=chain,
        tokens=tokens,
        answers=answers,
        finder=Finder(answers),
        submissions=submissions,
        registrations=Registrations(submissions, answers, chain, pending, keys),
        keybags=Keybags(folder / KEYBAGS, index, answers, trust.chain_id),
    )


def network_bytes(home: NodeHome) -> bytes:
    """The node's network file where the operator has put a newer one, else what its genesis document says.

    Raises:
        ConfigurationError: ``node.no_genesis``.
        MalformedError: ``malformed.genesis_document``; ``malformed.court_trust``, also for a file of another network.
    """
    try:
        genesis = read_genesis(home.genesis_file.read_bytes()).trust({})
    except OSError as error:
        raise ConfigurationError("node.no_genesis", path=str(home.genesis_file)) from error
    file = home.path / NETWORK_FILE
    if not file.is_file():
        return encode_network(genesis)
    data = file.read_bytes()
    if parse_network(data).chain_id != genesis.chain_id:
        raise MalformedError("malformed.court_trust", reason="chain ID")
    return data
