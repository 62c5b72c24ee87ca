"""What a judge drops or types, on evidence of a real desk: with and without its vault, never with a network."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pikepdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evidence_desk.bootstrap.examining import open_examiner
from evidence_desk.bootstrap.opening import open_session
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.job import Job
from evidence_desk.core.qr_payload import CodePayload
from evidence_desk.core.verdict import Dimension, Status, Vouches
from evidence_desk.errors import CanceledError
from evidence_desk.services.examination import Examination, Matching, Outcome, Subject
from evidence_desk.services.examine import Examiner, examine
from evidence_desk.services.examine_all import examine_all
from evidence_desk.services.prove import prove
from evidence_desk.services.revoke import revoke
from evidence_desk.texts import Language, has
from evidence_desk.verify.answer import Result, sentence_of
from evidence_desk.verify.files import InputKind
from tests.integration.examine.conftest import CONTENTS, Made


@pytest.fixture
def judge(made: Made) -> Iterator[Examiner]:
    """A judge's machine: the desk's trust folder on a stick, no vault, no network."""
    with open_examiner(job=Job(), given=made.trust) as by:
        yield by


@pytest.fixture
def lawyer(made: Made) -> Iterator[Examiner]:
    with open_examiner(job=Job(), session=made.session) as by:
        yield by


def one(path: Path, by: Examiner) -> Examination:
    return examine(Subject(path=path), by=by)


def said(examination: Examination) -> str:
    code = examination.answer.said.code
    for text in Language:
        told = sentence_of(examination.answer, text)
        assert told
        assert code not in told
        for note in (
            *examination.notes,
            *(place.why for item in examination.looked_up for place in item.places),
        ):
            assert has(note.code, text), note.code
        assert all(has(item, text) for item in examination.limits)
    return code


# --- evidence -------------------------------------------------------------------------------------------------


def test_a_certificate_alone_leaves_integrity_open(made, judge):
    found = one(made.pdf, judge)
    assert (found.kind, found.result, found.number) == (
        InputKind.CERTIFICATE,
        Result.UNDETERMINED,
        made.certificate.number,
    )
    rows = {row.dimension: row for row in found.rows}
    assert list(rows) == list(Dimension)
    assert (rows[Dimension.INTEGRITY].status, rows[Dimension.TIME].status) == (
        Status.UNDETERMINED,
        Status.PASSED,
    )
    assert rows[Dimension.INTEGRITY].findings[0].code == "files.complete.missing", "what is wrong comes first"
    assert Vouches.AUTHORITY in rows[Dimension.TIME].vouches
    assert said(found) == "verdict.answer.undetermined"


def test_dropped_together_with_its_originals(made, judge):
    (found,) = examine_all([made.pdf, *made.originals.iterdir()], by=judge)
    assert found.result is Result.PASSED
    assert {(item.file.label, item.how, item.listed_as) for item in found.originals} == {
        (name, Matching.TOGETHER, name) for name in CONTENTS
    }
    assert [item.code for item in found.notes] == ["examination.note.together"]


def test_originals_beside_it_are_found_whatever_their_names(made, judge, tmp_path):
    shutil.copy(made.pdf, tmp_path)
    for number, data in enumerate(CONTENTS.values()):
        (tmp_path / f"IMG_{number}").write_bytes(data)
    (tmp_path / "same-size.txt").write_bytes(bytes(len(CONTENTS["附件.txt"])))
    (found,) = examine_all([tmp_path / made.pdf.name], by=judge)
    assert (found.result, {item.how for item in found.originals}) == (Result.PASSED, {Matching.BESIDE})
    assert {item.listed_as for item in found.originals} == set(CONTENTS)
    assert [item.code for item in found.notes] == ["examination.note.beside"]


def test_an_altered_original_is_called_so(made, judge, tmp_path):
    altered = tmp_path / "合同.txt"
    altered.write_bytes(CONTENTS["合同.txt"] + b"!")
    first, second = examine_all([made.pdf, altered, made.originals / "附件.txt"], by=judge)
    assert (first.result, len(first.originals)) == (Result.UNDETERMINED, 1)
    assert (second.subject.path, second.notes[0].code) == (altered, "examination.note.unlisted")
    told = examine(Subject(path=made.pdf), by=judge, originals=[altered])
    assert (told.result, said(told)) == (Result.FAILED, "verdict.answer.failed"), (
        "named as an original by the person"
    )
    assert [item.how for item in told.originals] == [Matching.GIVEN]


def test_a_folder_with_everything(made, judge, tmp_path):
    shutil.copytree(made.folder / "papers", tmp_path / "drop" / "papers")
    shutil.copytree(made.originals, tmp_path / "drop" / "originals")
    (tmp_path / "drop" / "note.txt").write_text("0 begins like DER", "utf-8")
    (tmp_path / "drop" / "link").symlink_to(made.pdf)
    found = {item.subject.name: item for item in examine_all([tmp_path / "drop"], by=judge)}
    assert set(found) == {"证书.pdf", "包.asice", "扫描.pdf", "照片.png", "note.txt", "link"}
    assert found["证书.pdf"].result is found["包.asice"].result is Result.PASSED
    assert len(found["包.asice"].originals) == 2
    assert (found["note.txt"].kind, found["note.txt"].result) == (None, Result.UNDETERMINED)
    link = found["link"].error
    assert link is not None
    assert link.code == "examination.symlink"


def test_a_package_a_proof_and_a_token(made, judge, tmp_path):
    assert one(made.package, judge).result is Result.PASSED
    proof = tmp_path / "proof.json"
    proof.write_bytes(prove(made.session.desk, made.row).encode())
    (tmp_path / "statement.json").write_bytes(made.row.statement)
    (tmp_path / "disclosures.json").write_bytes(made.row.disclosures)
    (found,) = examine_all([tmp_path, *made.originals.iterdir()], by=judge)
    assert (found.kind, found.result, found.number) == (InputKind.PROOF, Result.PASSED, made.row.number)
    (token,) = made.session.vault.exhibits.tokens()
    stamp, preimage = tmp_path / "timestamp.tsr", tmp_path / "timestamp.preimage"
    stamp.write_bytes(token.response)
    preimage.write_bytes(token.preimage)
    (stamped,) = examine_all([stamp, preimage], by=judge)
    assert (stamped.kind, stamped.result) == (InputKind.RESPONSE, Result.PASSED)
    assert [item.file.label for item in stamped.originals] == ["timestamp.preimage"]


def test_several_certificates_at_once(made, judge, tmp_path):
    for name in ("一.pdf", "二.pdf"):
        shutil.copy(made.pdf, tmp_path / name)
    found = examine_all([tmp_path / "一.pdf", tmp_path / "二.pdf", made.originals], by=judge)
    assert [item.result for item in found] == [Result.PASSED, Result.PASSED]


def test_without_trust_nothing_is_passed(made):
    with open_examiner(job=Job()) as by:
        found = one(made.package, by)
        assert found.result is Result.UNDETERMINED
        assert found.looked_up[0].court.why.code == "network.no_trust"
        code = CodePayload(leaf_hash=made.row.leaf_hash, chain_id="demo-x").encode()
        asked = examine(Subject(text=code), by=by)
    assert (asked.result, asked.number) == (Result.UNDETERMINED, made.row.number)
    assert [place.outcome for place in asked.looked_up[0].places] == [Outcome.NOT_ASKED, Outcome.NOT_ASKED]


def test_working_offline_is_told(made):
    with open_examiner(job=Job(), given=made.trust, network=False) as by:
        found = examine(Subject(text=made.row.number), by=by)
    assert (found.looked_up[0].court.why.code, found.answer.reason and found.answer.reason.code) == (
        "examination.offline", "examination.offline",
    )  # fmt: skip


# --- other files ----------------------------------------------------------------------------------------------


def docx() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as container:
        container.writestr("[Content_Types].xml", "<Types/>")
    return out.getvalue()


def plain_pdf() -> bytes:
    out = io.BytesIO()
    with pikepdf.new() as document:
        document.add_blank_page()
        document.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"", b"0123 a text", b"\x30\x82\x01", docx(), plain_pdf(), b"%PDF-1.7 broken", b"PK\x03\x04", b"PK\x05\x06" + bytes(18),
        json.dumps({"checkpoint": "model-7.pt"}).encode(), b"{" * 2000, b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0",
    ],
)  # fmt: skip
def test_any_other_file_is_no_broken_evidence(judge, tmp_path, data):
    path = tmp_path / "any"
    path.write_bytes(data)
    found = one(path, judge)
    assert (found.kind, found.result, found.digests) == (None, Result.UNDETERMINED, DigestPair.of(data))
    assert said(found) == "examination.answer.unknown"
    assert not any(item.status is Status.FAILED for item in found.verdict.findings)


def test_a_broken_certificate_or_package_stays_one(made, judge, tmp_path):
    pdf = tmp_path / "c.pdf"
    pdf.write_bytes(made.pdf.read_bytes()[:-2000])
    assert (one(pdf, judge).kind, one(pdf, judge).result) == (InputKind.CERTIFICATE, Result.FAILED)
    package = tmp_path / "p.zip"
    data = bytearray(made.package.read_bytes())
    data[len(data) // 2] ^= 1
    package.write_bytes(data)
    assert (one(package, judge).kind, one(package, judge).result) == (InputKind.PACKAGE, Result.FAILED)
    package.write_bytes(made.package.read_bytes()[:2000])
    assert one(package, judge).result is Result.FAILED


def test_what_cannot_be_read(judge, tmp_path):
    missing = one(tmp_path / "gone.pdf", judge)
    assert missing.error is not None
    assert (missing.error.code, missing.result, said(missing)) == (
        "input.missing", Result.UNDETERMINED, "examination.answer.unreadable",
    )  # fmt: skip
    assert one(tmp_path, judge).error is not None
    assert one(Path("a\x00b"), judge).error is not None
    results = examine_all([tmp_path / "gone", tmp_path / "gone" / "deeper"], by=judge)
    assert [item.error.code for item in results if item.error] == ["input.missing", "input.missing"]


def test_cancellation_passes_through(made):
    job = Job()
    job.cancel()
    with open_examiner(job=job, given=made.trust) as by, pytest.raises(CanceledError):
        examine_all([made.pdf], by=by)


# --- scans ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["scan", "photo"])
def test_a_scan_leads_to_the_entry_and_proves_nothing(made, lawyer, judge, name):
    path = getattr(made, name)
    found = one(path, lawyer)
    assert (found.result, found.number, said(found)) == (
        Result.PRESENT,
        made.row.number,
        "examination.answer.scan.found",
    )
    assert found.verdict.overall is Status.UNDETERMINED
    assert "examination.file.scan" in {item.code for item in found.rows[0].findings}
    assert found.limits[0] == "examination.limit.scan"
    assert {item.code for item in found.verdict.caveats} >= {"demo.authority", "trust.given"}
    away = one(path, judge)
    assert (away.result, said(away)) == (Result.UNDETERMINED, "examination.answer.scan.unknown")


# --- with the vault -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["number", "certificate", "sha256", "sm3", "leaf", "code"])
def test_the_own_vault_answers_with_its_proofs(made, lawyer, form):
    pair = made.row.objects[0].stored.digests
    text = {
        "number": made.row.number, "certificate": made.certificate.number, "sha256": pair.sha256.hex(),
        "sm3": f"SM3 {pair.sm3.hex()}", "leaf": made.row.leaf_hash.hex(),
        "code": CodePayload(leaf_hash=made.row.leaf_hash, origin=made.session.desk.origin).encode(),
    }[form]  # fmt: skip
    found = examine(Subject(text=text), by=lawyer)
    assert (found.result, said(found)) == (Result.PRESENT, "examination.answer.vault")
    assert [item.leaf_hash for item in found.looked_up[0].vault.here.exhibits] == [made.row.leaf_hash]
    rows = {row.dimension: row.status for row in found.rows}
    assert (rows[Dimension.TIME], rows[Dimension.LOG]) == (Status.PASSED, Status.PASSED)
    assert found.verdict.overall is Status.UNDETERMINED, "no file was submitted"
    assert "examination.limit.no_file" in found.limits


def test_a_file_of_the_own_vault(lawyer, tmp_path):
    path = tmp_path / "renamed"
    path.write_bytes(CONTENTS["合同.txt"])
    found = one(path, lawyer)
    assert found.result is Result.PRESENT
    codes = {item.code: item.status for item in found.verdict.findings}
    assert (codes["object.digest.right"], codes["files.complete.missing"]) == (
        Status.PASSED,
        Status.UNDETERMINED,
    )
    assert found.looked_up[0].court.why.code == "network.not_joined"
    path.write_bytes(b"unknown")
    assert one(path, lawyer).looked_up[0].vault.outcome is Outcome.ABSENT


def test_a_revoked_certificate_is_called_so(made, tmp_path):
    shutil.copytree(made.folder / "vault", tmp_path / "vault")
    with open_session(tmp_path / "vault", "examine") as session:
        row = session.vault.exhibits.certificate(made.certificate.number)
        assert row is not None
        revoke(session.desk, row, why="错误", operator="")
        with open_examiner(job=Job(), session=session) as by:
            typed = examine(Subject(text=made.certificate.number), by=by)
            (dropped,) = examine_all([made.pdf, made.originals], by=by)
    for found in (typed, dropped):
        assert (found.result, said(found)) == (Result.UNDETERMINED, "examination.answer.revoked")
    assert "examination.standing.revoked" in {item.code for item in dropped.verdict.findings}


# --- hostile input --------------------------------------------------------------------------------------------


@given(st.text(max_size=1200))
def test_no_text_raises(text):
    found = examine(Subject(text=text), by=BARE)
    assert (found.error is None) == (found.result is not Result.INPUT)
    said(found)


BARE = Examiner(now=datetime(2026, 11, 1, tzinfo=UTC), job=Job())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    kind=st.sampled_from(["pdf", "package", "photo", "scan"]),
    cuts=st.lists(st.tuples(st.integers(0, 2**31), st.binary(max_size=6)), min_size=1, max_size=4),
)
def test_no_mangled_file_raises_or_passes(made, judge, tmp_path, kind, cuts):
    data = bytearray(getattr(made, kind).read_bytes())
    whole = bytes(data)
    for place, noise in cuts:
        at = place % len(data)
        data[at : at + len(noise)] = noise
    path = tmp_path / "mangled"
    path.write_bytes(data)
    for found in examine_all([path, *made.originals.iterdir()], by=judge):
        said(found)
        if bytes(data) != whole and found.subject.path == path:
            assert found.result is not Result.PASSED


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=600),
    st.sampled_from([b"", b"%PDF-", b"PK\x03\x04", b"\x30\x82", b'{"checkpoint":', b"\x89PNG\r\n\x1a\n"]),
)
def test_no_noise_raises(judge, tmp_path, noise, head):
    path = tmp_path / "noise"
    path.write_bytes(head + noise)
    found = one(path, judge)
    said(found)
    assert found.result is not Result.PASSED
