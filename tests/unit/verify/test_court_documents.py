"""Certificate, package and report of an anchored exhibit: what they print is what the attached court part proves."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from evidence_desk.core.certificate import CourtFacts, DemoReason, parse_printed
from evidence_desk.core.job import Job
from evidence_desk.core.trust import Trust
from evidence_desk.core.verdict import CERTIFICATE_POLICY, Status, Verdict
from evidence_desk.services.certify import certify
from evidence_desk.services.export import export
from evidence_desk.texts import Language, sentence
from evidence_desk.verify.certificate import CertificateTrust, verify_certificate
from evidence_desk.verify.certificate.text import pages_of
from evidence_desk.verify.certified import CertifiedVerdict, verify_certified
from evidence_desk.verify.exhibit import ExhibitFacts
from evidence_desk.verify.package import verify_package
from evidence_desk.verify.time_proof import token_trust
from evidence_desk.verify.values import court_facts
from tests.unit.verify.court_evidence import HEIGHT, Bench, make_bench
from tests.unit.verify.evidence import Scene, codes

PASSED, FAILED, UNKNOWN = Status.PASSED, Status.FAILED, Status.UNDETERMINED


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A desk of its own: certificates issued here would lie in the packages of other tests."""
    made = Scene(tmp_path_factory.mktemp("documents"))
    yield made
    made.session.close()


@pytest.fixture(scope="module")
def bench(scene: Scene) -> Bench:
    return make_bench(scene)


def issue(bench: Bench, *names: str, trust: Trust | None = None) -> bytes:
    session = bench.scene.session
    rows = [bench.scene.rows[name] for name in names]
    issued = certify(session.desk, rows, session.issuer(), trust=trust or bench.trust, job=Job())
    return issued.certificate.pdf


def judge(bench: Bench, pdf: bytes, *names: str, trust: Trust | None = None) -> CertifiedVerdict:
    files = tuple(file for name in names for file in bench.scene.item(name).files)
    now = datetime.now(UTC) + timedelta(seconds=2)
    return verify_certified(pdf, files=files, trust=trust or bench.trust, now=now)


def overall(verdict: CertifiedVerdict) -> Status:
    return Verdict(policy=CERTIFICATE_POLICY, findings=verdict.findings).overall


def attached(pdf: bytes, trust: Trust) -> dict[str, bytes]:
    outer = verify_certificate(
        pdf, trust=CertificateTrust(), token_trust=token_trust(trust), now=datetime.now(UTC)
    )
    return dict(outer.attachments)


def values(pdf: bytes, trust: Trust) -> dict[str, Any]:
    parse_printed(attached(pdf, trust)["certificate.json"])
    found: dict[str, Any] = json.loads(attached(pdf, trust)["certificate.json"])["values"]
    return found


def test_a_certificate_prints_the_anchoring(bench: Bench):
    bench.keep("single")
    pdf = issue(bench, "single")
    text = "".join(pages_of(pdf))
    shown = values(pdf, bench.trust)["exhibits"][0]["court"]
    assert shown["chain_id"] == bench.court.chain_id
    assert shown["height"] == HEIGHT
    for word in (
        bench.court.chain_id,
        shown["block_hash"],
        f"第{HEIGHT + 1}号区块头",
        "第一人民法院（已签名）",
        "演示网络",
    ):
        assert word in text, word
    assert "未上链" not in text
    verdict = judge(bench, pdf, "single")
    assert overall(verdict) is PASSED
    assert "certificate.values.right" in codes(verdict.findings, PASSED)
    (right,) = [item for item in verdict.findings if item.code == "certificate.values.right"]
    assert "签发人陈述" in sentence(right.code, right.parameters, Language.ZH)
    assert "issuer’s statement" in sentence(right.code, right.parameters, Language.EN)
    assert "court.header.right" in codes(verdict.findings, PASSED)
    assert {item.code for item in verdict.caveats} >= {"demo.chain", "demo.authority", "demo.signer"}


def test_what_is_printed_does_not_depend_on_the_judges_trust_roots(bench: Bench):
    """Without the network's trust root the anchoring is undetermined; the certificate is not false for that."""
    bench.keep("single")
    verdict = judge(bench, issue(bench, "single"), "single", trust=bench.scene.trust)
    assert "court.chain.no_trust" in codes(verdict.findings, UNKNOWN)
    assert codes(verdict.findings, FAILED) == set()
    assert overall(verdict) is PASSED


def test_several_exhibits_in_one_certificate(bench: Bench):
    bench.keep("single")
    bench.keep("pair")
    verdict = judge(bench, issue(bench, "single", "pair"), "single", "pair")
    assert overall(verdict) is PASSED
    assert codes(verdict.findings, FAILED) == set()


def test_an_anchoring_that_is_not_proven_is_not_printed(bench: Bench):
    """The issuer's own trust root lacks the network: the certificate says 未上链, and its proof says no more."""
    bench.keep("single")
    pdf = issue(bench, "single", trust=bench.scene.trust)
    assert "未上链" in "".join(pages_of(pdf))
    assert json.loads(attached(pdf, bench.trust)["proof-001.json"])["court"] is None
    assert overall(judge(bench, pdf, "single")) is PASSED


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("height", HEIGHT - 1), ("block_hash", bytes(32)), ("time", datetime(2020, 1, 1, tzinfo=UTC)),
        ("chain_id", "court-9c2e"),
    ],
)  # fmt: skip
def test_values_that_differ_from_the_court_part_are_refused(bench: Bench, monkeypatch, name: str, value: Any):
    """The issuer prints another anchoring than the one attached."""
    bench.keep("single")

    def false(facts: ExhibitFacts) -> CourtFacts:
        told = court_facts(facts)
        assert told is not None
        return replace(told, **{name: value})

    monkeypatch.setattr("evidence_desk.services.describe.court_facts", false)
    verdict = judge(bench, issue(bench, "single"), "single")
    assert "certificate.values.differ" in codes(verdict.findings, FAILED)
    assert overall(verdict) is FAILED


def test_a_package_carries_the_court_part(bench: Bench):
    bench.keep("pair")
    out = io.BytesIO()
    export(bench.scene.session.desk, bench.scene.rows["pair"], out, trust=bench.trust, job=Job())
    data = out.getvalue()
    assert f"法院节点网络 {bench.court.chain_id} 接收".encode() in data
    now = datetime.now(UTC) + timedelta(seconds=2)
    verdict = verify_package(io.BytesIO(data), trust=bench.trust, now=now, job=Job())
    assert verdict.overall is PASSED
    assert "court.checkpoint.right" in codes(verdict.findings, PASSED)
    by_network = verify_package(io.BytesIO(data), trust=bench.network_only, now=now, job=Job())
    assert {"log.signature.registered", "package.note.registered"} <= codes(by_network.findings, PASSED)
    assert by_network.overall is PASSED


def test_a_chain_that_is_no_demo_is_not_called_one(scene: Scene):
    bench = make_bench(scene, chain_id="court-9c2e")
    bench.keep("other")
    pdf = issue(bench, "other")
    assert DemoReason.CHAIN.value not in values(pdf, bench.trust)["declared"]["demo"]
    assert "demo.chain" not in {caveat.code for caveat in judge(bench, pdf, "other").caveats}
