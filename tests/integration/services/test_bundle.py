"""Bundles from a real vault: what is printed was hashed again; custody says so; nothing is left of a bundle that failed."""

from __future__ import annotations

import io
import json
import tempfile
from pathlib import Path

import pikepdf
import pytest

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.bundle import PrintedBundle
from evidence_desk.core.digests import sha256
from evidence_desk.core.job import Job
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.errors import CanceledError, IntegrityError, UsageError
from evidence_desk.services import bundle as service
from evidence_desk.services.audit import audit
from evidence_desk.services.bundle import bundle
from evidence_desk.services.certify import certify
from evidence_desk.services.revoke import revoke
from evidence_desk.services.seal import SealRequest, seal
from evidence_desk.services.timestamp import timestamp
from reports.bundle import PdfBundlePrinter
from tests.unit.reports.bundle.printing import page_texts

CASE = "（2026）渝0103民初1号"


def sealed(session: Session, folder: Path, files: dict[str, bytes], case: str = CASE) -> ExhibitRow:
    place = folder / f"证据{len(list(session.vault.exhibits.exhibits()))}"
    place.mkdir()
    for name, data in files.items():
        (place / name).write_bytes(data)
    (outcome,) = seal(session.desk, [place], SealRequest(case_number=case, title=place.name), job=Job())
    assert outcome.exhibit is not None, outcome.error
    return outcome.exhibit


def fresh(session: Session, *rows: ExhibitRow) -> list[ExhibitRow]:
    found = [session.vault.exhibits.exhibit(row.leaf_hash) for row in rows]
    return [row for row in found if row is not None]


def made(session: Session, rows: list[ExhibitRow], job: Job | None = None) -> tuple[bytes, PrintedBundle]:
    out = io.BytesIO()
    printed = bundle(
        session.desk,
        rows,
        out,
        trust=session.trust,
        printer=PdfBundlePrinter(),
        job=job or Job(),
        operator="钱知微",
    )
    return out.getvalue(), printed


def test_a_case(session, tmp_path):
    one = sealed(session, tmp_path, {"合同.txt": "甲方乙方\n".encode(), "录像.mp4": bytes(100)})
    two = sealed(session, tmp_path, {"流水.csv": "日期,金额\n".encode("gb18030")})
    timestamp(session.desk, session.authorities, job=Job())
    certify(session.desk, fresh(session, one), session.issuer(), trust=session.trust, job=Job())
    pdf, printed = made(session, fresh(session, one, two))
    texts = ["".join(text.split()) for text in page_texts(pdf)]
    assert len(texts) == printed.pages
    assert [item.name for item in printed.unprinted] == ["录像.mp4"]
    joined = "".join(texts)
    assert "甲方乙方" in joined
    assert "日期,金额" in joined
    assert "存证证书" in joined
    assert all("演示/非第三方" in text for text in texts)
    assert "未上链" in joined
    first, last = printed.ranges[0]
    assert f"{first}–{last}" in joined
    for row, place in zip((one, two), printed.ranges, strict=True):
        (event,) = [e for e in session.vault.exhibits.custody(row.leaf_hash) if e.action == "exported"]
        facts = json.loads(event.details)
        assert event.operator == "钱知微"
        assert facts["bundle"] == sha256(pdf).hex()
        assert (facts["first"], facts["last"], facts["pages"]) == (*place, printed.pages)
    events = [
        event.leaf_seq
        for row in (one, two)
        for event in session.vault.exhibits.custody(row.leaf_hash)
        if event.action == "exported"
    ]
    assert len(set(events)) == 1, "one leaf for the whole bundle"
    assert audit(session.desk, job=Job()).faults == ()


def test_without_a_timestamp_and_after_a_revocation(session, tmp_path):
    one = sealed(session, tmp_path, {"合同.txt": b"text\n"})
    pdf, _ = made(session, fresh(session, one))
    assert "未盖时间戳" in "".join("".join(page_texts(pdf)).split())
    timestamp(session.desk, session.authorities, job=Job())
    outcome = certify(session.desk, fresh(session, one), session.issuer(), trust=session.trust, job=Job())
    _, with_certificate = made(session, fresh(session, one))
    revoke(session.desk, outcome.certificate, why="有误")
    _, without = made(session, fresh(session, one))
    assert without.pages < with_certificate.pages


def test_a_changed_original_stops_the_bundle(session, tmp_path):
    one = sealed(session, tmp_path, {"合同.txt": b"text\n" * 1000, "录像.mp4": bytes(5000)})
    for item in one.objects:
        path = session.vault.folder / "objects" / item.stored.name
        whole = path.read_bytes()
        path.write_bytes(whole[:-40] + bytes(40))
        with pytest.raises(IntegrityError) as caught:
            made(session, fresh(session, one))
        assert caught.value.code == "vault.object_damaged"
        path.write_bytes(whole)
    made(session, fresh(session, one))
    (session.vault.folder / "objects" / one.objects[1].stored.name).unlink()
    with pytest.raises(IntegrityError):
        made(session, fresh(session, one))
    actions = [event.action for event in session.vault.exhibits.custody(one.leaf_hash)]
    assert actions.count("exported") == 1


def test_an_exchanged_original_stops_the_bundle(session, tmp_path):
    """Sound ciphertext of the case, but of other bytes: only the digests tell."""
    one = sealed(session, tmp_path, {"合同.txt": b"original\n"})
    two = sealed(session, tmp_path, {"别的.txt": b"replaced\n"})
    objects = session.vault.folder / "objects"
    (objects / one.objects[0].stored.name).write_bytes((objects / two.objects[0].stored.name).read_bytes())
    out = io.BytesIO()
    with pytest.raises(IntegrityError):
        bundle(
            session.desk, fresh(session, one), out, trust=session.trust, printer=PdfBundlePrinter(), job=Job()
        )
    assert b"replaced" not in out.getvalue()


def test_canceled_at_every_step_leaves_no_trace(session, tmp_path):
    one = sealed(session, tmp_path, {"合同.txt": b"text\n", "录像.mp4": bytes(100)})
    steps: list[str] = []
    made(session, fresh(session, one), Job(lambda stage, *_: steps.append(stage)))
    assert {"document", "bundle", "bundle.read"} <= set(steps)
    before = len(session.vault.exhibits.custody(one.leaf_hash))
    for stop in range(0, len(steps) - 1, 3):
        job = Job()
        count = iter(range(len(steps) + 1))
        job._report = lambda *_, job=job, stop=stop, count=count: (
            job.cancel() if next(count) >= stop else None
        )
        with pytest.raises(CanceledError):
            made(session, fresh(session, one), job)
    assert len(session.vault.exhibits.custody(one.leaf_hash)) == before


def test_large_originals_lie_beside_the_output_without_a_name(session, tmp_path, monkeypatch):
    monkeypatch.setattr(service, "_IN_MEMORY", 100)
    places: list[object] = []
    whole = tempfile.SpooledTemporaryFile

    def spool(*args: object, **given: object) -> object:
        places.append(given["dir"])
        made_file = whole(*args, **given)  # type: ignore[call-overload]
        made_file.rollover()
        assert [path.name for path in target.iterdir()] == ["卷宗.pdf"]
        return made_file

    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", spool)
    target = tmp_path / "输出"
    target.mkdir()
    with pikepdf.Pdf.new() as document:
        document.add_blank_page()
        buffer = io.BytesIO()
        document.save(buffer)
    one = sealed(session, tmp_path, {"合同.pdf": buffer.getvalue()})
    with (target / "卷宗.pdf").open("wb") as out:
        bundle(
            session.desk, fresh(session, one), out, trust=session.trust, printer=PdfBundlePrinter(), job=Job()
        )
    assert places == [str(target)]
    assert [path.name for path in target.iterdir()] == ["卷宗.pdf"]


def test_what_cannot_be_one_bundle(session, tmp_path):
    one = sealed(session, tmp_path, {"一.txt": b"1\n"})
    two = sealed(session, tmp_path, {"二.txt": b"2\n"}, case="另案")
    for rows, code in (([], "none"), ([one, two], "several_cases"), ([one, one], "repeated")):
        with pytest.raises(UsageError) as caught:
            made(session, rows)
        assert caught.value.code == f"documents.{code}"
