"""Gateways live beside their nodes; a change of the validators is served with its token."""

import json
import os
import signal
import subprocess
import sys

import httpx
import pytest

from evidence_desk.core.verdict import Status
from evidence_desk.court.protocol.actions import Govern, Proposal, RemoveValidator
from evidence_desk.court.protocol.desk_answer import parse_desk_answer
from evidence_desk.court.protocol.part import TimedBlock
from tests.integration.court_gateway.asking import Asker
from tests.integration.court_node.network import wait_until

pytestmark = pytest.mark.engine


def served(asker: Asker, index: int) -> bool:
    try:
        return asker.get("/v1/network", index).status_code == 200
    except httpx.TransportError:
        return False


def test_a_dead_gateway_is_restarted_alone(network, asker):
    before = network.running(0)
    os.kill(before.gateway, signal.SIGKILL)
    wait_until(lambda: network.running(0).gateway not in {0, before.gateway})
    wait_until(lambda: served(asker, 0))
    after = network.running(0)
    assert (after.application, after.engine, after.restarts) == (
        before.application,
        before.engine,
        before.restarts,
    )
    assert after.gateway_restarts == before.gateway_restarts + 1


def test_a_gateway_outlives_its_node(network, asker):
    desk = asker.registered(index=1)
    before = network.running(2)
    os.kill(before.engine, signal.SIGKILL)
    answer = asker.anchored(desk, b"meanwhile", index=1)
    assert asker.judged(desk, answer, desk.leaves[0]).status is Status.PASSED
    wait_until(lambda: network.running(2).restarts == before.restarts + 1 and served(asker, 2))
    assert network.running(2).gateway == before.gateway
    assert asker.judged(desk, asker.final(desk, 2), desk.leaves[0]).status is Status.PASSED


def test_status_tells_of_gateways(network):
    command = [sys.executable, "-m", "evidence_desk.court.node", "status", "--dir", network.path]
    told = json.loads(subprocess.run([*command, "--json"], capture_output=True, check=True).stdout)
    assert [node["gateway"]["url"] for node in told["nodes"]] == network.ready["gateways"]
    assert all(node["gateway"]["answers"] for node in told["nodes"])
    text = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    assert all(url in text for url in network.ready["gateways"])


def test_what_is_logged_is_no_evidence(network, asker):
    desk = asker.registered()
    asker.anchored(desk, b"a secret of the parties")
    asker.get(f"/v1/lookup/{'12' * 32}")
    for index in range(4):
        log = (network.home(index).logs / "gateway.log").read_text()
        assert desk.origin not in log
        assert "12" * 32 not in log
        assert "Traceback" not in log


def history(asker: Asker, origin: str, index: int = 0, since: int = 0) -> tuple[TimedBlock, ...]:
    answer = asker.get(f"/v1/logs/{origin}", index, **{"from": str(since)})
    return parse_desk_answer(answer.content).standing.history


def test_a_change_of_validators_is_shown_with_a_token(network, asker):
    """The last test of this module: three validators remain."""
    desk = asker.registered()
    assert history(asker, desk.origin) == ()
    key = network.home(3).identity().validator_key
    payload = Govern(propose=Proposal(number=1, remove=RemoveValidator(consensus_key=key)))
    changed = int(network.commit(0, network.approved(payload))["height"])
    answer = asker.anchored(desk, b"after the change")
    wait_until(lambda: len(asker.get("/v1/network").json()["validators"]) == 3)
    answer = asker.anchored(desk, b"under the new set")
    assert [step.block.header.height for step in answer.history] == [changed + 1]
    verdict = asker.judged(desk, answer, desk.leaves[1])
    assert verdict.status is Status.PASSED, verdict.findings
    for index in range(4):
        wait_until(lambda index=index: all(step.token for step in history(asker, desk.origin, index)))  # type: ignore[misc]
        [step] = history(asker, desk.origin, index)
        assert asker.tokens(step.token, step.block.header.hash).status is Status.PASSED
    assert history(asker, desk.origin, since=changed) != ()
    assert history(asker, desk.origin, since=changed + 1) == ()
    timed = asker.get(f"/v1/headers/{changed + 1}").json()["timed"]
    assert timed["token"]
    before = network.running(0).gateway
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: network.running(0).gateway not in {0, before} and served(asker, 0))
    assert [item.block.header.height for item in history(asker, desk.origin)] == [changed + 1], "kept on disk"
    assert asker.entry(desk.origin) is not None
