"""A judge with the network's trust folder and its gateways: look-ups by file, number and paper; silence, lies, revocation."""

from __future__ import annotations

import socket
from pathlib import Path

import pypdfium2
import pytest

from evidence_desk.bootstrap.examining import open_examiner
from evidence_desk.core.job import Job
from evidence_desk.core.verdict import Dimension, Status, Vouches
from evidence_desk.services.examination import Examination, Outcome, PlaceAnswer, Subject
from evidence_desk.services.examine import Examiner, examine
from evidence_desk.services.examine_all import examine_all
from evidence_desk.texts import Language
from evidence_desk.verify.answer import Result
from reports.verification import report_for
from tests.integration.court_desk.conftest import Crooked, Desk
from tests.integration.court_desk.test_anchoring import flipped, written
from tests.integration.court_node.network import Network

pytestmark = pytest.mark.engine


def court(found: Examination, part: int = 0) -> PlaceAnswer:
    return found.looked_up[part].court


def scanned(pdf: Path, out: Path) -> Path:
    document = pypdfium2.PdfDocument(pdf)
    pages = [document[index].render(scale=150 / 72).to_pil().convert("L") for index in range(len(document))]
    document.close()
    pages[0].save(out, save_all=True, append_images=pages[1:])
    return out


def test_what_a_judge_finds_on_the_network(desk: Desk, network: Network, tmp_path: Path):
    path = written(tmp_path, "合同.txt", "judge's copy")
    (sealed,) = desk.seal(path)
    assert desk.run("anchor", "--wait").status == 0
    certificate = tmp_path / "证书.pdf"
    assert desk.run("certify", sealed["number"], "-o", certificate).status == 0
    assert desk.run("anchor", "--wait").status == 0
    scan = scanned(certificate, tmp_path / "scan.pdf")
    trust, urls = Path(network.ready["trust"]), network.ready["gateways"][:2]
    with open_examiner(job=Job(), given=trust, gateways=urls) as by:
        assert by.court is not None
        _by_file(by, path)
        _by_text(by, sealed, path)
        _by_paper(by, scan, sealed)
        _absent(by, tmp_path)
        pdf, *_ = examine_all([certificate, path], by=by)
        assert court(pdf).outcome is Outcome.FOUND, "its digest is on chain"
        assert court(pdf, 1).outcome is Outcome.FOUND, "its exhibit is"
    with open_examiner(job=Job(), given=desk.vault / "trust", gateways=urls) as by:
        (whole,) = examine_all([certificate, path], by=by)
        assert whole.result is Result.PASSED
        number = whole.number
    assert desk.run("revoke", number, "--why", "错误").status == 0
    assert desk.run("anchor", "--wait").status == 0
    with open_examiner(job=Job(), given=desk.vault / "trust", gateways=urls) as by:
        (revoked,) = examine_all([certificate, path], by=by)
        assert (revoked.result, revoked.answer.said.code) == (
            Result.UNDETERMINED,
            "examination.answer.revoked",
        )


def _by_file(by: Examiner, path: Path) -> None:
    found = examine(Subject(path=path), by=by)
    assert (found.result, found.answer.said.code) == (Result.PRESENT, "examination.answer.court.file")
    rows = {row.dimension: row for row in found.rows}
    assert (rows[Dimension.INTEGRITY].status, rows[Dimension.COURT].status) == (Status.PASSED, Status.PASSED)
    assert Vouches.COURT_NETWORK in rows[Dimension.COURT].vouches
    assert found.verdict.overall is Status.PASSED
    assert {item.code for item in found.verdict.caveats} >= {"demo.chain", "trust.given"}
    assert "examination.limit.known" in found.limits
    report = report_for(found, language=Language.ZH)
    assert report.demo
    assert [item.outcome for item in report.looked_up] == ["not_asked", "found"]


def _by_text(by: Examiner, sealed: dict[str, object], path: Path) -> None:
    digest = str(sealed["objects"][0]["sm3"])  # type: ignore[index]
    for text, code in (
        (str(sealed["number"]), "number"), (digest, "digest"), (f"SM3 {digest}", "digest"), (str(sealed["leaf_sha256"]), "digest"),
    ):  # fmt: skip
        found = examine(Subject(text=text), by=by)
        assert (found.result, found.answer.said.code) == (
            Result.PRESENT,
            f"examination.answer.court.{code}",
        ), text
        assert found.verdict.overall is Status.UNDETERMINED, "no file was submitted"
        assert "examination.limit.no_file" in found.limits
    assert path.exists()


def _by_paper(by: Examiner, scan: Path, sealed: dict[str, object]) -> None:
    found = examine(Subject(path=scan), by=by)
    assert (found.result, found.number) == (Result.PRESENT, sealed["number"])
    assert found.answer.said.code == "examination.answer.scan.found"
    assert found.verdict.overall is Status.UNDETERMINED
    assert (court(found).outcome, court(found, 1).outcome) == (Outcome.ABSENT, Outcome.FOUND)


def _absent(by: Examiner, tmp_path: Path) -> None:
    found = examine(Subject(path=written(tmp_path, "never.txt", "never sealed")), by=by)
    assert (found.result, court(found).outcome) == (Result.ABSENT, Outcome.ABSENT)
    assert found.answer.said.parameters["height"]
    assert found.verdict.overall is Status.UNDETERMINED, "what is blinded is not found either"
    unknown = examine(Subject(text="ED-0000-0000-0000-0000-0"), by=by)
    assert (unknown.result, court(unknown).outcome) == (Result.UNDETERMINED, Outcome.UNDETERMINED)


def test_silence_and_lies(desk: Desk, network: Network, tmp_path: Path):
    path = written(tmp_path, "a.txt", "asked of liars")
    desk.seal(path)
    assert desk.run("anchor", "--wait").status == 0
    trust, honest = Path(network.ready["trust"]), network.ready["gateways"][0]
    with socket.create_server(("127.0.0.1", 0)) as free:
        gone = f"http://127.0.0.1:{free.getsockname()[1]}"
    with open_examiner(job=Job(), given=trust, gateways=[gone]) as by:
        silent = examine(Subject(path=path), by=by)
    assert (silent.result, court(silent).outcome) == (Result.UNDETERMINED, Outcome.NOT_ASKED)
    assert court(silent).error is not None
    with Crooked(honest, flipped) as liar:
        with open_examiner(job=Job(), given=trust, gateways=[liar.url]) as by:
            false = examine(Subject(path=path), by=by)
        assert (false.result, court(false).outcome) == (Result.UNDETERMINED, Outcome.UNDETERMINED)
        assert (court(false).why.code, [item.lied for item in court(false).faults]) == (
            "examination.court.false",
            [True],
        )
        with open_examiner(job=Job(), given=trust, gateways=[liar.url, honest]) as by:
            both = examine(Subject(path=path), by=by)
        assert both.result is Result.PRESENT
        assert "examination.note.lied" in {item.code for item in both.notes}
    with Crooked(honest) as passing, open_examiner(job=Job(), given=trust, gateways=[passing.url]) as by:
        url = passing.url
        passing._server.shutdown()
        passing._server.server_close()
        lost = examine(Subject(path=path), by=by)
    assert (court(lost).outcome, court(lost).why.code) == (Outcome.NOT_ASKED, "examination.court.silent")
    assert url in str(court(lost).why.parameters["gateways"])
