"""How an operator's command reaches the network: the own node's engine, or any gateway.

What the own node says is believed; a gateway is only a carrier, and nothing is signed because a gateway said so.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast

import httpx

from evidence_desk.core.canonical import JSON, decode
from evidence_desk.core.court_ports import CourtGateway
from evidence_desk.core.digests import sha256
from evidence_desk.core.rows import Submission
from evidence_desk.court.client import HttpGateway
from evidence_desk.court.node.home import NodeHome
from evidence_desk.court.protocol.block import LightBlock, ValidatorSet, check_chain_id
from evidence_desk.court.protocol.light_block import MAX_BLOCK, members, number, read_light_block
from evidence_desk.court.protocol.rpc import RPC, read_answer, read_signed_header, read_validators
from evidence_desk.errors import MalformedError, RemoteError, UsageError

_PAGE: Final = 100
_MAX_ANSWER: Final = 4 * 1024 * 1024
_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Which network answers, and its newest height."""

    chain_id: str
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """Outcome of a transaction in a block; `code` 0 is a success."""

    height: int
    code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeBlock:
    """Transactions of a block, and what its header says of the block before it."""

    txs: tuple[bytes, ...]
    app_hash: bytes
    results_hash: bytes


class Door(Protocol):
    """A way to the network."""

    @property
    def url(self) -> str:
        """Address, for people."""
        ...

    def standing(self) -> Standing:
        """Network and height; RemoteError."""
        ...

    def governance(self) -> JSON:
        """Institutions, parameters, proposals as the application shows them; RemoteError, UsageError."""
        ...

    def submit(self, tx: bytes) -> Submission:
        """Hand over a transaction; RemoteError."""
        ...

    def executed(self, tx: bytes, identity: bytes) -> Executed | None:
        """Outcome, None while there is none; RemoteError."""
        ...

    def light_block(self, height: int) -> LightBlock:
        """Header, commit and validators of a height; RemoteError."""
        ...


class NodeDoor:
    """The own node, by its engine's RPC on loopback."""

    def __init__(self, home: NodeHome) -> None:
        self._url = home.settings().rpc_url
        self._http = httpx.Client(timeout=_SECONDS, trust_env=False)

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    @property
    def url(self) -> str:
        """Address of the RPC."""
        return self._url

    def standing(self) -> Standing:
        """From ``/status``."""
        status = self._call("status")
        try:
            standing = Standing(
                chain_id=check_chain_id(status["node_info"]["network"]),
                height=int(status["sync_info"]["latest_block_height"]),
            )
        except (KeyError, TypeError, ValueError, MalformedError) as error:
            raise self._silent() from error
        if not standing.height:
            raise self._silent()
        return standing

    def governance(self) -> JSON:
        """By ``/governance`` of the application."""
        try:
            answer = self._call("abci_query", path="/governance", data="", height="0")["response"]
            if answer["code"]:
                raise self._silent()
            return decode(base64.b64decode(answer["value"]), what="governance", limit=_MAX_ANSWER)
        except (KeyError, TypeError, ValueError, MalformedError) as error:
            raise self._silent() from error

    def submit(self, tx: bytes) -> Submission:
        """By ``broadcast_tx_sync``; a transaction that waits in the pool already is taken."""
        answer = self._answer("broadcast_tx_sync", tx=base64.b64encode(tx).decode())
        result = answer.get("result")
        if isinstance(result, dict):
            return Submission(id="", code=int(result.get("code", 1)), reason=str(result.get("log"))[:80])
        if "already exists in cache" not in str(answer.get("error")):
            raise self._silent()
        return Submission(id="", code=0)

    def executed(self, tx: bytes, identity: bytes) -> Executed | None:  # noqa: ARG002 - gateways know it by ID
        """By the engine's index of transactions."""
        result = self._answer("tx", hash=base64.b64encode(sha256(tx)).decode()).get("result")
        if not isinstance(result, dict):
            return None
        try:
            return Executed(height=int(result["height"]), code=int(result["tx_result"]["code"]))
        except (KeyError, TypeError, ValueError) as error:
            raise self._silent() from error

    def light_block(self, height: int) -> LightBlock:
        """By ``/commit`` and ``/validators``; nothing about its truth is judged."""
        try:
            header, commit = read_signed_header(
                cast("RPC", self._call("commit", height=str(height))["signed_header"])
            )
            return LightBlock(header=header, commit=commit, validators=self._validators(height))
        except (KeyError, TypeError, ValueError) as error:
            raise self._silent() from error

    def block(self, height: int) -> NodeBlock:
        """By ``/block``."""
        try:
            block = self._call("block", height=str(height))["block"]
            return NodeBlock(
                txs=tuple(base64.b64decode(tx, validate=True) for tx in block["data"]["txs"] or []),
                app_hash=bytes.fromhex(block["header"]["app_hash"]),
                results_hash=bytes.fromhex(block["header"]["last_results_hash"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise self._silent() from error

    def _validators(self, height: int) -> ValidatorSet:
        found: list[Any] = []
        total = 1
        while len(found) < total:
            page = str(len(found) // _PAGE + 1)
            answer = self._call("validators", height=str(height), per_page=str(_PAGE), page=page)
            total = int(answer["total"])
            found += answer["validators"]
            if not answer["validators"]:
                raise self._silent()
        return read_validators(cast("RPC", found))

    def _call(self, method: str, **parameters: str) -> dict[str, Any]:
        result = self._answer(method, **parameters).get("result")
        if not isinstance(result, dict):
            raise self._silent()
        return result

    def _answer(self, method: str, **parameters: str) -> dict[str, Any]:
        request = {"jsonrpc": "2.0", "id": 0, "method": method, "params": parameters}
        try:
            answer = read_answer(self._http.post(self._url, json=request).content)
        except (httpx.HTTPError, MalformedError) as error:
            raise self._silent() from error
        if not isinstance(answer, dict):
            raise self._silent()
        return answer

    def _silent(self) -> RemoteError:
        return RemoteError("node.engine_silent", url=self._url)


class GatewayDoor:
    """Any gateway."""

    def __init__(self, gateway: CourtGateway) -> None:
        self._gateway = gateway

    @property
    def url(self) -> str:
        """Address of the gateway."""
        return self._gateway.url

    def standing(self) -> Standing:
        """From ``/v1/network``."""
        value = self._object("/v1/network", _MAX_ANSWER)
        try:
            return Standing(chain_id=check_chain_id(str(value["chain_id"])), height=number(value["height"]))
        except (KeyError, MalformedError) as error:
            raise self._wrong() from error

    def governance(self) -> JSON:
        """Gateways do not show it."""
        raise UsageError("governance.own_node")

    def submit(self, tx: bytes) -> Submission:
        """By ``/v1/transactions``."""
        return self._gateway.submit(tx)

    def executed(self, tx: bytes, identity: bytes) -> Executed | None:  # noqa: ARG002 - nodes know it by its bytes
        """By ``/v1/transactions/<id>``: gateways tell of those that were executed."""
        height = self._object(f"/v1/transactions/{identity.hex()}", _MAX_ANSWER).get("executed")
        return Executed(height=height, code=0) if isinstance(height, int) and height else None

    def light_block(self, height: int) -> LightBlock:
        """By ``/v1/headers/<height>``; nothing about its truth is judged."""
        try:
            timed = members(self._object(f"/v1/headers/{height}", 2 * MAX_BLOCK)["timed"], {"block", "token"})
            return read_light_block(timed["block"])
        except (KeyError, MalformedError) as error:
            raise self._wrong() from error

    def _object(self, path: str, limit: int) -> dict[str, JSON]:
        try:
            value = decode(self._gateway.get(path), what=path, limit=limit)
        except MalformedError as error:
            raise self._wrong() from error
        if not isinstance(value, dict):
            raise self._wrong()
        return value

    def _wrong(self) -> RemoteError:
        return RemoteError("gateway.malformed", gateway=self.url, reason="answer")


def open_door(home: NodeHome | None, gateway: str) -> Door:
    """The own node when its folder is given, else the gateway.

    Raises:
        UsageError: ``operation.no_door`` when neither or both are given.
    """
    if (home is None) is (not gateway):
        raise UsageError("operation.no_door")
    if home is not None:
        return NodeDoor(home)
    return GatewayDoor(HttpGateway(gateway, httpx.Client(follow_redirects=False)))
