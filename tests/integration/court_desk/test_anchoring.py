"""Desks and the real network: joining, anchoring, proofs, look-up, by file; gateways that lie, withhold and vanish."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from evidence_desk.verifier import main as verify_main
from tests.integration.court_desk.conftest import SECRET, Answer, Crooked, gateways

pytestmark = pytest.mark.engine


def written(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return path


def test_from_a_file_to_a_certificate_with_the_networks_word(desk, network, tmp_path):
    path = written(tmp_path, "合同.txt", "甲方乙方")
    (sealed,) = desk.seal(path)
    assert sealed["states"]["anchored"] is None
    said = desk.run("anchor", "--wait", "--json")
    assert said.status == 0, said.err
    outcome = said.document
    assert (outcome["before"], outcome["size"], outcome["waiting"], outcome["exhibits"]) == (0, 3, 0, 1)
    assert outcome["chain_id"] == network.chain_id
    assert outcome["tokens"] == {"stored": 1, "missing": 0, "error": None}
    assert outcome["faults"] == []
    shown = desk.states(sealed["number"])
    (anchored,) = outcome["anchored"]
    assert shown["states"]["anchored"] == anchored["time"] == shown["court"]["time"]
    assert shown["court"]["height"] == anchored["height"]
    assert shown["court"]["timestamped"]
    certificate = tmp_path / "证书.pdf"
    assert desk.run("certify", sealed["number"], "-o", certificate).status == 0
    verdict = desk.run(
        certificate, "--file", path, "--trust", desk.vault / "trust", "--json", program=verify_main
    )
    assert verdict.status == 0, verdict.out
    court = {
        item["check"]: item["status"] for item in verdict.document["findings"] if item["dimension"] == "court"
    }
    assert set(court.values()) == {"passed"}
    assert {"court.chain", "court.header", "court.token", "court.checkpoint", "court.desk"} <= set(court)
    text = desk.run("show", sealed["number"]).out
    assert "已上链" in text
    assert f"第 {anchored['height']} 号区块" in text


def test_not_joined_waiting_and_anchored_read_apart(new_desk, network, tmp_path):
    lone = new_desk("lone")
    (sealed,) = lone.seal(written(tmp_path, "a.txt", "a"))
    assert "未上链" in lone.run("show", sealed["number"]).out
    assert lone.run("anchor", "--json").document["error"]["code"] == "network.not_joined"
    lone.run("network", "join", *gateways(network, 2), "--trust", network.ready["trust"])
    assert "待上链" in lone.run("show", sealed["number"]).out
    assert lone.run("anchor", "--wait").status == 0
    assert "已上链" in lone.run("list").out


def test_status_tells_what_waits_and_what_to_do(desk, tmp_path):
    desk.seal(written(tmp_path, "a.txt", "a"))
    found = desk.run("network", "status", "--json").document
    assert [item["verified"] for item in found["gateways"]] == [True, True]
    assert all(item["fresh"] for item in found["gateways"])
    assert (found["registered"], found["size"], found["anchored"]) == (True, 3, 0)
    assert found["outbox"]["waiting"] == 3
    assert [item["code"] for item in found["advice"]] == ["network.advice.anchor"]
    desk.run("anchor", "--wait")
    found = desk.run("network", "status", "--json").document
    assert (found["desk"]["size"], found["anchored"], found["outbox"]["waiting"]) == (3, 3, 0)
    assert found["advice"] == []


def test_look_up_without_a_vault(desk, new_desk, network, tmp_path, run):
    path = written(tmp_path, "same.txt", "两台终端登记同一文件")
    desk.seal(path)
    other = new_desk("other")
    other.run("network", "join", *gateways(network, 3), "--trust", network.ready["trust"])
    (there,) = other.seal(path)
    for each in (desk, other):
        assert each.run("anchor", "--wait").status == 0
    asked = [*gateways(network, 0, 3), "--trust", network.ready["trust"], "--json"]
    found = run("lookup", path, *asked)
    assert found.status == 0, found.err
    answer = found.document["network"]
    assert (answer["present"], len(answer["asked"])) == (True, 2)
    assert answer["occurrences"] == [{"kind": "object_sha256", "count": 2}]
    assert {item["status"] for item in answer["found"]} == {"passed"}
    assert {item["log"] for item in answer["found"]} >= {there["log"]}
    by_number = run("lookup", there["number"], *asked).document["network"]
    assert [item["leaf_sha256"] for item in by_number["found"]] == [there["leaf_sha256"]]
    by_leaf = run("lookup", there["leaf_sha256"], *asked).document["network"]
    assert by_leaf["found"][0]["number"] == there["number"]
    sm3 = there["objects"][0]["sm3"]
    assert run("lookup", sm3, *asked).document["network"]["occurrences"][0]["kind"] == "object_sm3"
    absent = run("lookup", written(tmp_path, "never.txt", "never sealed"), *asked)
    assert absent.status == 66
    assert absent.document["network"]["present"] is False
    assert absent.document["network"]["height"] > 0
    unknown = run("lookup", "ED-0000-0000-0000-0000-0", *asked)
    assert unknown.status == 2
    assert unknown.document["network"]["present"] is None
    own = desk.run("lookup", path, "--network", "--json").document
    assert len(own["exhibits"]) == 1
    assert own["network"]["present"] is True


def flipped(_method: str, path: str, answer: Answer) -> Answer:
    """One digit of a signature is another one."""
    if "/v1/logs/" not in path and "/v1/proofs/" not in path and "/v1/lookup/" not in path:
        return answer
    match = re.search(rb'"commit","[^"]+","(.)', answer[1])
    if match is None:
        return answer
    at = match.start(1)
    return answer[0], answer[1][:at] + (b"A" if answer[1][at : at + 1] != b"A" else b"B") + answer[1][
        at + 1 :
    ]


def test_a_lying_gateway_is_named_and_not_believed(desk, network, tmp_path, run):
    path = written(tmp_path, "a.txt", "lied about")
    (sealed,) = desk.seal(path)
    honest = network.ready["gateways"][0]
    with Crooked(honest, flipped) as liar:
        joined = desk.run("network", "join", "--gateway", liar.url, "--gateway", honest, "--json")
        assert joined.status == 0, joined.err
        outcome = desk.run("anchor", "--wait", "--json").document
        assert outcome["waiting"] == 0
        assert {(item["gateway"], item["lied"]) for item in outcome["faults"]} == {(liar.url, True)}
        text = desk.run("network", "status").out
        assert liar.url in text
        assert "停用该网关" in text
        asked = ["--trust", network.ready["trust"], "--json"]
        alone = run("lookup", path, "--gateway", liar.url, *asked)
        assert alone.status == 69
        assert alone.document["error"]["code"] == "network.unverified"
        both = run("lookup", path, "--gateway", liar.url, "--gateway", honest, *asked).document["network"]
        assert both["present"] is True
        assert both["faults"][0]["gateway"] == liar.url
    assert desk.states(sealed["number"])["court"] is not None


def test_a_withheld_transaction_goes_by_another_gateway(desk, network, tmp_path):
    desk.seal(written(tmp_path, "a.txt", "withheld"))
    honest = network.ready["gateways"][1]
    with Crooked(honest, swallows=True) as thief:
        desk.run("network", "join", "--gateway", thief.url)
        said = desk.run("anchor", "--json")
        assert said.status == 0
        assert said.document["waiting"] == 3
        assert thief.swallowed
        desk.run("network", "join", "--gateway", thief.url, "--gateway", honest)
        assert desk.run("anchor", "--wait", "--json").document["waiting"] == 0


def test_when_the_network_is_away_sealing_goes_on(desk, network, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        gone = f"http://127.0.0.1:{free.getsockname()[1]}"
    desk.run("network", "join", *gateways(network, 0))
    (sealed,) = desk.seal(written(tmp_path, "a.txt", "away"))
    assert sealed["states"]["timestamped"] is not None
    # A gateway that vanished after it was configured.
    with Crooked(network.ready["gateways"][0]) as passing:
        desk.run("network", "join", "--gateway", passing.url)
    said = desk.run("anchor", "--json")
    assert said.status == 69
    assert said.document["error"]["code"] == "network.unverified"
    assert (
        desk.run("network", "join", "--gateway", gone, "--json")
        .document["error"]["code"]
        .startswith("gateway.")
    )
    assert desk.run("network", "status", "--json").document["gateways"][0]["reachable"] is False
    desk.run("network", "join", *gateways(network, 0))
    assert desk.run("anchor", "--wait", "--json").document["waiting"] == 0


KILLED = """
import os, signal, sys
import evidence_desk.services.anchor as anchoring
anchoring.keep = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
from evidence_desk.cli.main import main
main(["anchor", "--wait", "--vault", sys.argv[1]])
"""


def test_killed_between_submission_and_storing(desk, tmp_path):
    (sealed,) = desk.seal(written(tmp_path, "a.txt", "killed"))
    done = subprocess.run([sys.executable, "-c", KILLED, desk.vault], check=False, timeout=120)
    assert done.returncode == -signal.SIGKILL
    assert desk.states(sealed["number"])["court"] is None
    outcome = desk.run("anchor", "--wait", "--json").document
    assert outcome["before"] == 3, "the network has it already"
    assert [item["size"] for item in outcome["anchored"]] == [3]
    assert desk.states(sealed["number"])["court"]["height"] == outcome["anchored"][0]["height"]


def test_a_desk_without_connection(new_desk, network, tmp_path, run, monkeypatch):
    desk = new_desk("air")
    trust = network.ready["trust"]
    assert "anchor --export" in desk.run("network", "join", "--trust", trust).out
    (first,) = desk.seal(written(tmp_path, "a.txt", "air gap"))
    outbox, answers = tmp_path / "outbox.json", tmp_path / "answers.json"
    told = desk.run("anchor", "--export", outbox, "--json").document
    assert (told["registration"], told["transactions"], told["wanted"]) == (True, 1, 1)
    monkeypatch.delenv("EVIDENCE_DESK_PASSPHRASE")
    carried = run(
        "anchor", "--carry", outbox, *gateways(network, 0, 1), "--trust", trust, "--out", answers, "--json"
    )
    assert carried.status == 0, carried.err
    assert (carried.document["registered"], carried.document["sizes"]) == (True, [3])
    monkeypatch.setenv("EVIDENCE_DESK_PASSPHRASE", SECRET)
    damaged = tmp_path / "damaged.json"
    damaged.write_bytes(flipped("", "/v1/proofs/", (200, answers.read_bytes()))[1])
    assert desk.run("anchor", "--import", damaged).status == 1
    assert desk.states(first["number"])["court"] is None
    outcome = desk.run("anchor", "--import", answers, "--json").document
    assert (outcome["size"], outcome["waiting"], outcome["tokens"]["missing"]) == (3, 0, 0)
    shown = desk.states(first["number"])
    assert shown["court"]["timestamped"]
    assert desk.run("anchor", "--import", answers).status == 0, "twice is harmless"
    again = desk.run("anchor", "--export", outbox, "--force", "--json").document
    assert (again["registration"], again["transactions"]) == (False, 0)


def test_a_correction_reaches_the_proof(desk, tmp_path):
    (sealed,) = desk.seal(written(tmp_path, "a.txt", "corrected"))
    desk.run("anchor", "--wait")
    desk.run("correct", sealed["number"], "--note", "页码有误")
    desk.run("anchor", "--wait")
    assert desk.states(sealed["number"])["court"]["events"] == 1
    package = tmp_path / "p.asice"
    assert desk.run("export", sealed["number"], "-o", package).status == 0
    verdict = desk.run("verify", package, "--trust", desk.vault / "trust", "--json")
    assert "court.corrected" in {item["code"] for item in verdict.document["caveats"]}
    assert verdict.status == 0


def test_joining_what_is_not_in_the_trust_root_is_refused(new_desk, desk, network):
    other = new_desk("other")
    assert json.loads(
        other.run("network", "join", *gateways(network, 0), "--trust", desk.vault / "trust", "--json").out
    )
    lone = new_desk("lone")
    said = lone.run("network", "join", *gateways(network, 0), "--trust", lone.vault / "trust", "--json")
    assert said.status == 64
    assert said.document["error"]["code"] == "network.no_trust"
    for url in ("ftp://x", "http://user:pw@127.0.0.1", "http://127.0.0.1/path", "http://["):
        said = lone.run("network", "join", "--gateway", url, "--trust", network.ready["trust"], "--json")
        assert said.document["error"]["code"] == "gateway.url"


def test_stolen_keys_rotated_away(desk, run, tmp_path, monkeypatch):
    (before,) = desk.seal(written(tmp_path, "before.txt", "before"))
    desk.run("anchor", "--wait")
    stolen = tmp_path / "stolen"
    shutil.copytree(desk.vault, stolen, ignore=shutil.ignore_patterns("*.lock"))
    monkeypatch.setenv("EVIDENCE_DESK_RECOVERY_KEY", desk.recovery_key)
    assert (
        desk.run("identity", "rotate", "--json").document["error"]["code"]
        == "identity.rotate_by_recovery_key"
    )
    turned = desk.run("identity", "rotate", "--recovery-key", "--json")
    assert turned.status == 0, turned.err
    assert turned.document["registered"]
    desk.seal(written(tmp_path, "after.txt", "after"))
    assert desk.run("anchor", "--wait", "--json").document["waiting"] == 0
    assert desk.run("audit").status == 0
    said = run("anchor", "--json", "--vault", stolen)
    assert said.status == 1, "the network's log is no longer the stolen one's"
    package = tmp_path / "before.asice"
    assert desk.run("export", before["number"], "-o", package).status == 0
    verdict = desk.run("verify", package, "--trust", desk.vault / "trust", "--json")
    assert verdict.status == 0, verdict.out
