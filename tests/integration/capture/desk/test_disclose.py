"""Copies of a real capture with parts left out or opened: they verify, and hold nothing of what was left out."""

from __future__ import annotations

import hashlib
import io
import json
from datetime import UTC, datetime
from tempfile import TemporaryFile

import pytest

from evidence_desk.core.capture.redaction import REDACTION, Why, encode_redaction
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.job import Job
from evidence_desk.core.verdict import Dimension, Status
from evidence_desk.errors import UsageError
from evidence_desk.services.audit import audit
from evidence_desk.services.capture_check import check_capture
from evidence_desk.services.capture_disclose import Disclosed, DisclosureWish, disclose
from evidence_desk.services.prove import prove
from evidence_desk.services.timestamp import timestamp
from evidence_desk.verify.capture import verify_capture
from evidence_desk.verify.exhibit import ExhibitInput, GivenFile, verify_exhibit
from evidence_desk.wacz.read import WaczReader
from tests.integration.capture.desk.conftest import open_desk, taken
from tests.integration.capture.desk.test_capture import bond_of, wacz_of
from tests.sites.authority import SiteCa
from tests.sites.pages.account import SESSION

pytestmark = pytest.mark.timeout(180)


def spool():
    return TemporaryFile("w+b")


@pytest.fixture(scope="module")
def logged_in(tmp_path_factory, town):
    """A desk with a capture of an account: a cookie is set, sent back, over TLS and in the clear."""
    opened = open_desk(tmp_path_factory.mktemp("account"))
    outcome = taken(opened, town, "site.test/login-auto.html", "plain.test/login-auto.html", "site.test/")
    yield opened, outcome.exhibit
    opened.close()


def copied(session, exhibit, **wish) -> tuple[bytes, Disclosed]:
    out = io.BytesIO()
    done = disclose(
        session.desk,
        exhibit,
        DisclosureWish(**wish),
        out,
        trust=session.trust,
        spool=spool,
        job=Job(),
        operator="李四",
    )
    return out.getvalue(), done


def judged(session, exhibit, data: bytes):
    return verify_capture(
        io.BytesIO(data), bond=bond_of(session, exhibit), trust=session.trust, now=datetime.now(UTC), job=Job(),
        spool=spool,
    )  # fmt: skip


def codes(verdict, status: Status) -> set[str]:
    return {
        item.code
        for item in verdict.findings
        if item.status is status and (status is not Status.FAILED or item.dimension is Dimension.INTEGRITY)
    }


def text_of(data: bytes) -> bytes:
    """Everything a reader of a copy gets to see: files as they are, records unpacked."""
    reader = WaczReader(io.BytesIO(data))
    pieces = [reader.open(name).read() for name in reader.evidence]
    for record in reader.records():
        pieces += [record.head, record.body.read()]
    return b"\n".join(pieces)


def test_a_copy_without_credentials_holds_none_and_verifies(logged_in):
    session, exhibit = logged_in
    data, done = copied(session, exhibit, credentials=True, reason="账户凭据与本案无关")
    left_out = {item.name: item.why for item in done.redaction.files}
    assert left_out["network.jsonl"] is left_out["secrets.age"] is Why.CREDENTIALS
    clear = {name for name, why in left_out.items() if why is Why.REPEATS}
    assert "session.pcapng" in clear
    assert any(name.startswith("stream-") for name in clear), "plain.test was in the clear"
    whole = text_of(wacz_of(session, exhibit))
    assert SESSION.encode() in whole, "or the test would prove nothing"
    seen = text_of(data)
    for secret in (SESSION.encode(), b"Set-Cookie", b"set-cookie", b"word=correct"):
        assert secret not in seen, secret
    assert b"theme=dark" in seen, "the page shows what scripts may read of cookies"
    assert "，余额 1,234.50 元".encode() in seen, "pages themselves stay"

    verdict = judged(session, exhibit, data)
    assert codes(verdict, Status.FAILED) == set()
    assert codes(verdict, Status.UNDETERMINED) >= {
        "capture.files.withheld", "capture.records.withheld", "capture.streams.withheld", "capture.decryption.no_keys",
    }  # fmt: skip
    assert codes(verdict, Status.PASSED) >= {
        "capture.redaction.right", "capture.manifest.right", "capture.started.right", "capture.tokens.right",
        "capture.actions.right",
    }  # fmt: skip
    reader = WaczReader(io.BytesIO(data))
    assert reader.open(REDACTION).read() == encode_redaction(done.redaction)
    custody = session.vault.exhibits.custody(exhibit.leaf_hash)[-1]
    details = json.loads(custody.details)
    assert (custody.action, custody.operator) == ("disclosed", "李四")
    assert details["copy"] == hashlib.sha256(data).hexdigest() == done.sha256.hex()
    assert details["why"] == "账户凭据与本案无关"
    assert not audit(session.desk, job=Job()).faults


def test_a_copy_with_its_secrets_open_is_decoded_again(logged_in):
    session, exhibit = logged_in
    data, done = copied(session, exhibit, open_secrets=True)
    assert done.redaction.opened == ("cookies.json", "keylog.txt", "storage.json")
    verdict = judged(session, exhibit, data)
    assert codes(verdict, Status.FAILED) == set()
    assert codes(verdict, Status.PASSED) >= {
        "capture.opened.right", "capture.files.right", "capture.records.right", "capture.decryption.right",
        "capture.handshake.right",
    }  # fmt: skip
    assert codes(verdict, Status.UNDETERMINED) >= {"capture.server.unknown"}


def test_the_desk_checks_its_capture_again(logged_in, town):
    session, exhibit = logged_in
    own = check_capture(
        session.desk, exhibit, trust=session.trust, spool=spool, job=Job(), roots=[town.ca.root_der]
    )
    assert own.overall is Status.PASSED
    assert codes(own, Status.PASSED) >= {
        "capture.decryption.right", "capture.handshake.right", "capture.server.right",
    }  # fmt: skip
    stranger = check_capture(
        session.desk, exhibit, trust=session.trust, spool=spool, job=Job(), roots=[SiteCa().root_der]
    )
    assert [item.parameters["host"] for item in stranger.findings if item.code == "capture.server.untrusted"]
    assert session.vault.exhibits.custody(exhibit.leaf_hash)[-1].action == "decrypted"


def test_records_by_address_and_files_by_name(logged_in, town):
    session, exhibit = logged_in
    pattern = town.url("site.test", "/account") + "*"
    data, done = copied(session, exhibit, addresses=(pattern,), names=("page-001.txt",))
    assert {item.why for item in done.redaction.records} == {Why.ADDRESS}
    assert {item.name for item in done.redaction.files} == {"network.jsonl", "page-001.txt"}
    reader = WaczReader(io.BytesIO(data))
    assert reader.find(town.url("site.test", "/account")) is None
    assert reader.find(town.url("site.test", "/")) is not None
    assert codes(judged(session, exhibit, data), Status.FAILED) == set()


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"credentials": True, "open_secrets": True}, "credentials_open"),
        ({"credentials": True, "opened": ("cookies.json",)}, "credentials_open"),
        ({"addresses": ("*",), "opened": ("keylog.txt",)}, "records_open"),
        ({"names": ("records.jsonl",)}, "needed"),
        ({"names": ("mark-000.tst",)}, "needed"),
        ({"names": ("../etc",)}, "no_file"),
        ({"names": ("keylog.txt",)}, "no_file"),
        ({"opened": ("page-001.txt",)}, "not_private"),
        ({"addresses": ("https://nowhere.test/*",)}, "no_record"),
        ({"reason": "x" * 3000, "credentials": True}, "reason_long"),
        ({}, "nothing"),
    ],
)
def test_wishes_that_cannot_be(logged_in, wish, code):
    session, exhibit = logged_in
    before = len(session.vault.exhibits.custody(exhibit.leaf_hash))
    with pytest.raises(UsageError) as caught:
        copied(session, exhibit, **wish)
    assert caught.value.code == f"capture_disclose.{code}"
    assert len(session.vault.exhibits.custody(exhibit.leaf_hash)) == before


def test_a_copy_beside_the_proof_belongs_to_the_exhibit(logged_in):
    session, exhibit = logged_in
    timestamp(session.desk, session.authorities, job=Job())
    exhibit = session.vault.exhibits.exhibit(exhibit.leaf_hash)
    data, _ = copied(session, exhibit, credentials=True)
    proof = prove(session.desk, exhibit).encode()

    def found(content: bytes, statement: bytes | None = exhibit.statement):
        digests = DigestPair.of(content)
        file = GivenFile(
            label="copy.wacz", size=len(content), sha256=digests.sha256, sm3=digests.sm3,
            open=lambda: io.BytesIO(content),
        )  # fmt: skip
        given = ExhibitInput(proof=proof, statement=statement, disclosures=exhibit.disclosures, files=(file,))
        return verify_exhibit(given, trust=session.trust, now=datetime.now(UTC), job=Job(), spool=spool)

    right = found(data)
    assert codes(right, Status.FAILED) == set()
    assert "object.digest.copy" in codes(right, Status.PASSED)
    assert "capture.manifest.right" in codes(right, Status.PASSED)
    assert codes(right, Status.UNDETERMINED) >= {"files.complete.missing", "capture.records.withheld"}
    broken = bytearray(data)
    broken[len(data) // 3] ^= 1
    assert "capture.form.wrong" in codes(found(bytes(broken)), Status.FAILED)
    whole = found(wacz_of(session, exhibit))
    assert "object.digest.right" in codes(whole, Status.PASSED)
