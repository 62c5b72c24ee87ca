"""What a node's own supervisor asks the engine's RPC: how far it is. Loopback only; not the light client's door."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import httpx

from evidence_desk.court.node.gateway.settings import GatewaySettings
from evidence_desk.errors import RemoteError

_SECONDS: Final = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStatus:
    """Where an engine stands. `app_hash` is the newest header's: the state after the block before it."""

    network: str
    height: int
    app_hash: str
    block_hash: str
    block_time: str
    catching_up: bool
    power: int
    """Voting power of this node's key at the newest block; 0 for an observer."""


async def engine_status(url: str) -> EngineStatus:
    """Ask ``/status``.

    Raises:
        RemoteError: ``node.engine_silent`` when there is no proper answer.
    """
    result = await call(url, "status")
    try:
        sync, node, own = result["sync_info"], result["node_info"], result["validator_info"]
        return EngineStatus(
            network=str(node["network"]),
            height=int(sync["latest_block_height"]),
            app_hash=str(sync["latest_app_hash"]).lower(),
            block_hash=str(sync["latest_block_hash"]).lower(),
            block_time=str(sync["latest_block_time"]),
            catching_up=bool(sync["catching_up"]),
            power=int(own["voting_power"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise RemoteError("node.engine_silent", url=url) from error


async def peers(url: str) -> int:
    """Number of connected nodes.

    Raises:
        RemoteError: ``node.engine_silent``.
    """
    result = await call(url, "net_info")
    try:
        return int(result["n_peers"])
    except (KeyError, TypeError, ValueError) as error:
        raise RemoteError("node.engine_silent", url=url) from error


async def gateway_answers(settings: GatewaySettings) -> bool:
    """Whether the gateway of this node serves; its certificate may name another host than this machine."""
    try:
        async with httpx.AsyncClient(timeout=_SECONDS, trust_env=False, verify=False) as client:  # noqa: S501
            return (await client.get(f"{settings.url}/v1/network")).status_code == 200
    except httpx.HTTPError:
        return False


async def call(url: str, method: str, **parameters: str) -> dict[str, Any]:
    """Result of a JSON-RPC method.

    Raises:
        RemoteError: ``node.engine_silent`` when there is none.
    """
    request = {"jsonrpc": "2.0", "id": 0, "method": method, "params": parameters}
    try:
        async with httpx.AsyncClient(timeout=_SECONDS, trust_env=False) as client:
            answer = (await client.post(url, json=request)).json()
    except (httpx.HTTPError, ValueError) as error:
        raise RemoteError("node.engine_silent", url=url) from error
    result = answer.get("result") if isinstance(answer, dict) else None
    if not isinstance(result, dict):
        raise RemoteError("node.engine_silent", url=url)
    return result
