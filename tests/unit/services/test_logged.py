"""A changed row of the vault answers to nothing: what a look-up or a bundle says of certificates and files, the log says too."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta

import pytest

from evidence_desk.bootstrap.examining import open_examiner
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.job import Job
from evidence_desk.core.leaf import PlainObject
from evidence_desk.core.merkle import leaf_hash
from evidence_desk.errors import IntegrityError
from evidence_desk.services.bundle import bundle
from evidence_desk.services.certify import certify
from evidence_desk.services.examination import Examination, Outcome, Subject
from evidence_desk.services.examine import examine
from evidence_desk.services.logged import logged_leaf
from evidence_desk.services.seal import SealRequest, seal
from evidence_desk.texts import Language
from evidence_desk.verify.answer import Result, sentence_of
from reports.bundle import PdfBundlePrinter
from tests.fixed import refusal
from tests.unit.services.court import court_of
from tests.unit.services.test_documents import tamper

ALIKE = b"look-alike"
OBJECTS = "UPDATE objects SET sha256 = ?, sm3 = ?, size = 10"
CERTIFICATES = "UPDATE certificates SET sha256 = ?, sm3 = ?"


@pytest.fixture(params=[False, True], ids=["plain", "blinded"])
def exhibit(session, tmp_path, request):
    (tmp_path / "a.txt").write_bytes(b"original")
    wanted = SealRequest(case_number="案一", blinded=request.param)
    (outcome,) = seal(session.desk, [tmp_path / "a.txt"], wanted, job=Job())
    return outcome.exhibit


def forge(session, sql: str, data: bytes = ALIKE) -> DigestPair:
    pair = DigestPair.of(data)
    with session.vault.transaction():
        session.vault.database.write(sql, (pair.sha256, pair.sm3))
    return pair


def asked(session, subject: Subject) -> Examination:
    with open_examiner(job=Job(), session=session) as by:
        return examine(subject, by=by)


@pytest.mark.usefixtures("exhibit")
def test_a_file_is_known_by_its_leaf(session, tmp_path):
    for subject in (Subject(path=tmp_path / "a.txt"), Subject(text=DigestPair.of(b"original").sm3.hex())):
        assert asked(session, subject).result is Result.PRESENT


@pytest.mark.usefixtures("exhibit")
def test_a_changed_row_does_not_answer_to_a_look_alike(session, tmp_path):
    alike = tmp_path / "b.txt"
    alike.write_bytes(ALIKE)
    pair = forge(session, OBJECTS)
    for subject in (
        Subject(path=alike),
        Subject(text=pair.sha256.hex()),
        Subject(text=f"sm3:{pair.sm3.hex()}"),
    ):
        found = asked(session, subject)
        (looked,) = found.looked_up
        assert (found.result, looked.vault.outcome) == (Result.UNDETERMINED, Outcome.UNDETERMINED)
        assert "不予采信" in sentence_of(found.answer, Language.ZH)


def test_a_digest_that_was_not_published_is_not_sent(joined, network, gateway, tmp_path, exhibit):
    """Whoever runs the gateway would learn what 盲化 hides, from the desk itself."""
    session, court = joined, court_of(network, gateway)
    leaf = logged_leaf(session.desk, exhibit.leaf_hash)
    assert leaf is not None
    subjects = (Subject(path=tmp_path / "a.txt"), Subject(text=DigestPair.of(b"original").sha256.hex()))
    before = len(gateway.asked)
    with open_examiner(job=Job(), session=session) as by:
        asking = replace(by, court=court, why_no_court=None)
        if isinstance(leaf.objects[0], PlainObject):
            examine(subjects[0], by=asking)
            assert len(gateway.asked) > before
            return
        for subject in subjects:
            (looked,) = examine(subject, by=asking).looked_up
            assert (looked.vault.outcome, looked.court.outcome) == (Outcome.FOUND, Outcome.NOT_ASKED)
            assert looked.court.why.code == "examination.court.blinded"
    assert len(gateway.asked) == before


def test_a_changed_certificate_is_neither_found_nor_bundled(session, exhibit, tmp_path):
    certify(session.desk, [exhibit], session.issuer(), trust=session.trust, job=Job())
    (row,) = session.vault.exhibits.certificates()
    assert asked(session, Subject(text=row.number)).result is Result.PRESENT
    forge(session, CERTIFICATES)
    with session.vault.transaction():
        session.vault.database.write("UPDATE certificates SET pdf = ?", (ALIKE,))
    assert asked(session, Subject(text=row.number)).looked_up[0].vault.here.certificates == ()
    alike = tmp_path / "b.pdf"
    alike.write_bytes(ALIKE)
    assert asked(session, Subject(path=alike)).result is Result.UNDETERMINED
    with refusal("bundle.certificate_damaged", IntegrityError):
        bundle(
            session.desk, [exhibit], io.BytesIO(), trust=session.trust, printer=PdfBundlePrinter(), job=Job()
        )


def test_a_leaf_that_was_changed_proves_nothing(session, exhibit):
    """Also one that somebody puts there himself, with a hash that fits."""
    desk = session.desk
    leaf = logged_leaf(desk, exhibit.leaf_hash)
    assert leaf is not None
    assert logged_leaf(desk, bytes(32)) is None
    made = replace(leaf, at=leaf.at - timedelta(days=365)).encode()
    tamper(session, f"UPDATE leaves SET leaf = x'{made.hex()}' WHERE seq = {exhibit.seq}")
    assert logged_leaf(desk, exhibit.leaf_hash) is None
    tamper(session, f"UPDATE leaves SET leaf_hash = x'{leaf_hash(made).hex()}' WHERE seq = {exhibit.seq}")
    assert logged_leaf(desk, leaf_hash(made)) is None
