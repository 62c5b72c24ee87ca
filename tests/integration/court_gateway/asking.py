"""A desk and a judge in front of the gateways of a localnet: what they ask, and how they verify the answers."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from evidence_desk.core.checkpoint import parse_checkpoint
from evidence_desk.core.merkle import leaf_hash
from evidence_desk.core.trust import Trust
from evidence_desk.core.verdict import Status
from evidence_desk.court.protocol.anchor import AnchorAnswer, parse_anchor_answer
from evidence_desk.court.protocol.desk_answer import parse_desk_answer, verify_desk_answer
from evidence_desk.court.protocol.history import NetworkTrust
from evidence_desk.court.protocol.network_file import parse_network
from evidence_desk.court.protocol.registry import DeskEntry
from evidence_desk.court.protocol.search import SearchVerdict, parse_search_answer, verify_search
from evidence_desk.court.protocol.verdict import CourtVerdict
from evidence_desk.court.protocol.verify import verify_court
from evidence_desk.verify.court import HeaderTokens
from evidence_desk.verify.files import read_trust
from evidence_desk.verify.time_proof import token_trust
from tests.integration.court_node.network import Network, wait_until
from tests.unit.court_node.chain import Desk


@dataclass
class Asker:
    """Asks the gateways; believes only the trust folder."""

    network: Network
    clients: list[httpx.Client] = field(init=False)
    roots: Trust = field(init=False)
    trust: NetworkTrust = field(init=False)

    def __post_init__(self) -> None:
        self.clients = [httpx.Client(base_url=url, timeout=60) for url in self.network.ready["gateways"]]
        self.roots = read_trust(Path(self.network.ready["trust"]))
        self.trust = parse_network(self.roots.networks[self.network.chain_id])

    def close(self) -> None:
        for client in self.clients:
            client.close()

    def get(self, path: str, index: int = 0, **parameters: Any) -> httpx.Response:
        return self.clients[index].get(path, params=parameters)

    def post(
        self, path: str, body: bytes | dict[str, Any], index: int = 0, **parameters: Any
    ) -> httpx.Response:
        if isinstance(body, bytes):
            return self.clients[index].post(path, content=body, params=parameters)
        return self.clients[index].post(path, json=body, params=parameters)

    @property
    def tokens(self) -> HeaderTokens:
        return HeaderTokens(token_trust(self.roots), datetime.now(UTC))

    def entry(self, origin: str, index: int = 0) -> DeskEntry | None:
        """Registry entry, verified."""
        found = self.get(f"/v1/logs/{origin}", index)
        assert found.status_code == 200, found.text
        verdict = verify_desk_answer(
            parse_desk_answer(found.content), origin=origin, trust=self.trust, token=self.tokens,
            now=datetime.now(UTC),
        )  # fmt: skip
        assert verdict.status is Status.PASSED, verdict.findings
        return verdict.entry

    def registered(self, name: str = "", index: int = 0) -> Desk:
        """A new desk, registered by the gateway's automatic consent."""
        desk = Desk(name=name or secrets.token_hex(8), chain_id=self.network.chain_id)
        answer = self.post("/v1/registrations", desk.sign(desk.registration()), index)
        assert answer.status_code == 202, answer.text
        assert answer.json()["status"] == "approved"
        assert answer.json()["demo"] is True
        wait_until(lambda: self.entry(desk.origin, index) is not None)
        return desk

    def anchored(self, desk: Desk, *contents: bytes, index: int = 0) -> AnchorAnswer:
        """Leaves over these contents, submitted and final."""
        old = len(desk.leaves)
        for content in contents:
            desk.leaf(content)
        answer = self.post("/v1/transactions", desk.submission(old), index)
        assert answer.status_code == 202, answer.text
        return self.final(desk, index)

    def final(self, desk: Desk, index: int = 0) -> AnchorAnswer:
        """Answer about a desk's newest checkpoint, as soon as there is one."""
        path = f"/v1/proofs/{desk.origin}/{len(desk.leaves)}"
        leaves = [leaf_hash(leaf).hex() for leaf in desk.leaves[-16:]]
        wait_until(lambda: self.get(path, index).status_code == 200)
        found = self.get(path, index, leaf=leaves)
        assert found.status_code == 200, found.text
        return parse_anchor_answer(found.content)

    def judged(self, desk: Desk, answer: AnchorAnswer, leaf: bytes) -> CourtVerdict:
        """The court's verdict on one leaf."""
        checkpoint, _ = parse_checkpoint(desk.note(answer.record.size))
        digest = leaf_hash(leaf)
        return verify_court(
            answer.part(digest), trust=self.trust, checkpoint=checkpoint, leaf_hash=digest, token=self.tokens,
            now=datetime.now(UTC),
        )  # fmt: skip

    def searched(self, digest: bytes, index: int = 0) -> SearchVerdict:
        """What a digest is found to be, verified."""
        found = self.get(f"/v1/lookup/{digest.hex()}", index)
        assert found.status_code == 200, found.text
        answer = parse_search_answer(found.content)
        return verify_search(
            answer, digest=digest, trust=self.trust, token=self.tokens, now=datetime.now(UTC)
        )


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal, whose form is checked."""
    value = json.loads(answer.content)
    assert set(value) == {"error", "parameters", "message_zh", "message_en"}
    assert value["message_zh"] != value["message_en"]
    assert value["error"] not in value["message_zh"], "a sentence, not a bare code"
    assert answer.headers["content-type"] == "application/json"
    if answer.status_code in {429, 503}:
        assert int(answer.headers["retry-after"]) > 0
    return answer.status_code, value["error"]
