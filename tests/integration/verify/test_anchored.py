"""``evidence-verify`` on an anchored exhibit with a trust folder: no network is there to be asked."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from evidence_desk.core.job import Job
from evidence_desk.services.certify import certify
from evidence_desk.services.examination import Subject
from evidence_desk.services.examine import Examiner, examine
from evidence_desk.services.export import export
from evidence_desk.texts import Language
from evidence_desk.verifier import main
from evidence_desk.verify.certificate.text import pages_of
from evidence_desk.verify.files import read_trust
from reports.verification import verification_report
from tests.unit.verify.court_evidence import Bench, make_bench
from tests.unit.verify.evidence import Scene

KINDS = ["proof", "package", "certificate"]
Run = Callable[..., tuple[int, dict[str, Any]]]


class Shelf:
    """Proof, package and certificate on the disk; the desk's trust folder with and without the network."""

    def __init__(self, bench: Bench, folder: Path) -> None:
        self.folder, session = folder, bench.scene.session
        item = bench.keep("pair")
        session.write_trust(dict(bench.trust.networks))
        self.chain = bench.court.chain_id
        self.trust = session.vault.folder / "trust"
        row = bench.scene.rows["pair"]
        pdf = certify(session.desk, [row], session.issuer(), trust=session.trust, job=Job()).certificate.pdf
        (folder / "certificate").write_bytes(pdf)
        with (folder / "package").open("xb") as stream:
            export(session.desk, row, stream, trust=session.trust, job=Job())
        (folder / "proof").write_bytes(item.proof.encode())
        (folder / "statement.json").write_bytes(item.statement or b"")
        (folder / "disclosures.json").write_bytes(item.disclosures or b"")
        self.originals = []
        for number, data in enumerate(bench.scene.contents["pair"]):
            path = folder / f"original-{number}"
            path.write_bytes(data)
            self.originals.append(str(path))

    def arguments(self, kind: str) -> list[str]:
        files = [] if kind == "package" else ["--file", *self.originals]
        return [str(self.folder / kind), *files]


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    scene = Scene(tmp_path_factory.mktemp("anchored"))
    yield Shelf(make_bench(scene, changes=2), tmp_path_factory.mktemp("shelf"))
    scene.session.close()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    def no_network(*_arguments: object) -> None:
        raise AssertionError

    monkeypatch.setattr(socket.socket, "connect", no_network)

    def running(*arguments: str) -> tuple[int, dict[str, Any]]:
        status = main([*arguments, "--json"])
        return status, json.loads(capsys.readouterr().out)

    return running


def told(said: dict[str, Any], dimension: str) -> dict[str, str]:
    return {item["code"]: item["status"] for item in said["findings"] if item["dimension"] == dimension}


@pytest.mark.parametrize("kind", KINDS)
def test_everything_about_the_network_passes_offline(shelf: Shelf, run: Run, kind):
    status, said = run(*shelf.arguments(kind), "--trust", str(shelf.trust))
    assert (status, said["overall"]) == (0, "passed")
    assert set(told(said, "court").values()) == {"passed"}
    anchored = next(item for item in said["findings"] if item["code"] == "court.anchor.right")
    assert "第一人民法院" in anchored["explanation"]
    assert {item["code"] for item in said["caveats"]} >= {"demo.chain", "trust.given"}


@pytest.mark.parametrize("kind", KINDS)
def test_without_trust_roots_nothing_of_it_counts(shelf: Shelf, run: Run, kind):
    _, said = run(*shelf.arguments(kind))
    assert told(said, "court") == {"court.chain.no_trust": "undetermined"}


def test_text_for_people_names_time_and_institutions(shelf: Shelf, capsys):
    assert main([*shelf.arguments("certificate"), "--trust", str(shelf.trust)]) == 0
    text = capsys.readouterr().out
    assert "法院网络  通过" in text
    assert f"已上链：法院节点网络 {shelf.chain}" in text
    assert f"节点网络 {shelf.chain} 是演示网络" in text


@pytest.mark.parametrize("language", Language)
def test_the_report_has_the_findings_and_the_trust_root(shelf: Shelf, language):
    trust, now = read_trust(shelf.trust), datetime.now(UTC)
    originals = [Path(item) for item in shelf.originals]
    done = examine(
        Subject(path=shelf.folder / "certificate"),
        by=Examiner(now=now, job=Job(), trust=trust),
        originals=originals,
    )
    pdf = verification_report(done, language=language)
    text = "".join(pages_of(pdf))
    zh = language is Language.ZH
    assert ("签署该区块头的节点" if zh else "Signedby:第一人民法院") in text
    assert text.count(shelf.chain) >= 3
    assert ("所用节点网络为演示网络" if zh else "demonstration") in text
