"""Two-person mode: enroll, draft, confirm, issue; who and what is refused."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pikepdf
import pypdfium2
import pytest

from evidence_desk.bootstrap import persons as desk_persons
from evidence_desk.bootstrap.opening import init_session
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.certificate import squeeze
from evidence_desk.core.confirmation import Officer, parse_confirmation
from evidence_desk.core.job import Job
from evidence_desk.core.ports import CertificateIssuer
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.core.verdict import Dimension, Status
from evidence_desk.crypto import pki
from evidence_desk.errors import (
    IntegrityError,
    PermissionDeniedError,
    UsageError,
)
from evidence_desk.services import persons
from evidence_desk.services.certify import certify, draft, issue
from evidence_desk.services.confirm import Draft, confirm
from evidence_desk.services.timestamp import timestamp
from evidence_desk.verify.certified import verify_certified
from tests.fixed import refusal
from tests.unit.services.conftest import seal_files
from tests.unit.vault.rows import CHEAP, StandingClock

VAULT_PASSPHRASE = "存证库口令 vault"
OWN = "本人口令-own-1"
FIRST, SECOND = "钱知微", "刘子熙"


@dataclass
class Office:
    """A desk with one sealed, timestamped exhibit and a second person."""

    session: Session
    clock: StandingClock
    rows: list[ExhibitRow]
    issuer: CertificateIssuer
    folder: Path

    @property
    def keys(self):
        return desk_persons.person_keys(self.session, self.clock.sleep)

    @property
    def second(self) -> persons.Unlocked:
        return persons.unlock(self.keys, persons.one_person(self.session.desk, SECOND), OWN)

    def draft(self, operator: str = FIRST, *, two_person: bool | None = True) -> Draft:
        return draft(
            self.session.desk, self.rows, self.issuer, trust=self.session.trust, job=Job(), operator=operator,
            two_person=two_person,
        )  # fmt: skip

    def verdict(self, pdf: bytes):
        return verify_certified(
            pdf, files=(), trust=self.session.trust, now=datetime.now(UTC) + timedelta(seconds=30)
        )


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    session, _ = init_session(tmp_path / "vault", VAULT_PASSPHRASE, office="test", demo=True, kdf=CHEAP)
    rows = seal_files(session, tmp_path, "合同.txt")
    timestamp(session.desk, session.authorities, job=Job())
    fresh = [session.desk.store.exhibits.exhibit(row.leaf_hash) for row in rows]
    desk_persons.enroll_demo(session, Officer(name=SECOND, role="公证员", identification="工作证"), OWN)
    clock = StandingClock(moment=datetime.now(UTC))
    session.clock = clock
    yield Office(session, clock, [row for row in fresh if row], session.issuer(), tmp_path)
    session.close()


def text(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    return squeeze("".join(page.get_textpage().get_text_range() for page in document))


def test_enrolling_a_person_makes_no_institution(office: Office):
    """What his own CA signs is unknown to whoever verifies with the desk's trust folder."""
    start = datetime.now(UTC) - timedelta(days=1)
    own = pki.make_ca("李四自建根", pki.generate_key(pki.KeyKind.P256), not_before=start, years=5)
    person, institution = (
        pki.make_signer_certificate(name, pki.generate_key(pki.KeyKind.P256), own, not_before=start, years=2)
        for name in ("李四", "某公证处")
    )
    desk_persons.enroll_given(office.session, Officer(name="李四"), persons.OwnKey(person))
    folder = office.session.trust
    office.session.set_signer(institution)
    desk = office.session.desk
    pdf = certify(desk, office.rows, office.session.issuer(), trust=folder, job=Job(), operator=FIRST)
    findings = verify_certified(
        pdf.certificate.pdf, files=(), trust=folder, now=datetime.now(UTC) + timedelta(seconds=30)
    ).findings
    (signer,) = [item for item in findings if item.check == "certificate.signer"]
    assert (signer.status, signer.code) == (Status.UNDETERMINED, "certificate.signer.untrusted")


# --- issuing ---------------------------------------------------------------------------------------------------


def test_two_persons_issue(office: Office):
    drafted = office.draft()
    outcome = issue(
        office.session.desk,
        drafted,
        confirm(office.session.desk, drafted, office.second, office.issuer),
        office.issuer,
    )
    pdf = outcome.certificate.pdf
    verdict = office.verdict(pdf)
    signer = [item for item in verdict.findings if item.dimension is Dimension.SIGNER]
    assert {item.status for item in signer} == {Status.PASSED}
    assert {"confirmation.binding.right", "confirmation.signer.trusted"} <= {item.code for item in signer}
    assert "demo.confirmation" in {item.code for item in verdict.caveats}
    said = text(pdf)
    credential = office.second.person
    facts = persons.credential_facts(credential.certificate)
    for wanted in (
        FIRST,
        SECOND,
        "公证员",
        facts.serial_text,
        squeeze(facts.subject),
        "复核凭据由演示机构签发",
    ):
        assert wanted in said
    assert outcome.certificate.number == drafted.certificate.number


def test_the_draft_says_what_is_issued(office: Office):
    """But for issue time, persons and marks: what the second person sees is what is printed."""
    drafted = office.draft()
    seen = text(office.issuer.preview(drafted.certificate))
    assert "草稿" in seen
    assert "尚未复核" in seen
    signed = confirm(office.session.desk, drafted, office.second, office.issuer)
    issued = text(issue(office.session.desk, drafted, signed, office.issuer).certificate.pdf)
    exhibit = drafted.certificate.exhibits[0]
    for wanted in (
        drafted.certificate.number, exhibit.number, exhibit.leaf_hash.hex(), exhibit.files[0].digests.sm3.hex(),
        FIRST, "confirmation.p7s", *map(squeeze, drafted.certificate.commands),
    ):  # fmt: skip
        assert squeeze(wanted) in seen
        assert squeeze(wanted) in issued
    assert "草稿" not in issued


def test_a_draft_is_no_certificate(office: Office):
    pdf = office.issuer.preview(office.draft().certificate)
    with pikepdf.open(BytesIO(pdf)) as document:
        assert "/Names" not in document.Root or "/EmbeddedFiles" not in document.Root.Names
        assert "/AcroForm" not in document.Root
    verdict = office.verdict(pdf)
    assert "certificate.signature.missing" in {item.code for item in verdict.findings}
    assert office.session.desk.store.exhibits.certificates() == []


def test_a_batch_with_one_unlocking(office: Office):
    office.rows += seal_files(office.session, office.folder, "聊天记录.txt")
    second = office.second
    numbers = []
    for row in list(office.rows):
        office.rows = [row]
        drafted = office.draft()
        signed = confirm(office.session.desk, drafted, second, office.issuer)
        numbers.append(issue(office.session.desk, drafted, signed, office.issuer).certificate.number)
    assert len(set(numbers)) == 2
    assert office.clock.slept == []


def test_certified_by_two_is_in_the_custody_record(office: Office):
    drafted = office.draft()
    signed = confirm(office.session.desk, drafted, office.second, office.issuer)
    issue(office.session.desk, drafted, signed, office.issuer)
    last = office.session.desk.store.exhibits.custody(office.rows[0].leaf_hash)[-1]
    assert (last.action, last.operator, json.loads(last.details)["confirmed_by"]) == (
        "certified",
        FIRST,
        SECOND,
    )


def test_mode_refuses_one_person(office: Office):
    desk = office.session.desk
    desk_persons.set_two_person(office.session, on=True)
    with refusal("certify.two_person", PermissionDeniedError):
        certify(desk, office.rows, office.issuer, trust=office.session.trust, job=Job(), operator=FIRST)
    alone = office.draft(two_person=False)
    with refusal("certify.two_person", PermissionDeniedError):
        issue(desk, alone, None, office.issuer)
    by_setting = office.draft(two_person=None)
    assert by_setting.certificate.handler == Officer(name=FIRST)
    desk_persons.set_two_person(office.session, on=False)
    with refusal("certify.two_person", PermissionDeniedError):
        issue(desk, by_setting, None, office.issuer)  # drafted for two
    assert office.draft(two_person=None).certificate.handler is None
    certify(desk, office.rows, office.issuer, trust=office.session.trust, job=Job())


def test_two_persons_need_a_first(office: Office):
    for name in ("", " ", "钱\n知微"):
        with refusal("confirm.no_first", UsageError):
            office.draft(name)
    with refusal("confirm.one_person_draft", UsageError):
        confirm(office.session.desk, office.draft(two_person=False), office.second, office.issuer)


def test_the_first_is_named_as_enrolled(office: Office):
    desk_persons.enroll_demo(office.session, Officer(name=FIRST, role="公证员助理"), "another-own-2")
    assert office.draft().certificate.handler == Officer(name=FIRST, role="公证员助理")


def test_same_person_by_name(office: Office):
    for name in (SECOND, "刘 子熙"):
        with refusal("confirm.same_person", UsageError):
            confirm(office.session.desk, office.draft(name), office.second, office.issuer)


def test_same_person_by_key(office: Office):
    """The institution's key, or the first person's under another name."""
    drafted, second = office.draft(), office.second
    institution = pki.Identity.from_bytes(office.session.vault.secret("pdf.signer") or b"")
    with refusal("confirm.same_key", UsageError):
        confirm(office.session.desk, drafted, replace(second, key=persons.OwnKey(institution)), office.issuer)
    first = desk_persons.enroll_demo(office.session, Officer(name=FIRST), "another-own-2")
    own = persons.unlock(office.keys, first, "another-own-2")
    with refusal("confirm.same_key", UsageError):
        confirm(office.session.desk, office.draft(), replace(second, key=own.key), office.issuer)


def test_credential_that_is_not_valid(office: Office):
    desk = office.session.desk
    desk.clock = office.clock
    second = office.second
    drafted = office.draft()
    office.clock.moment += timedelta(days=6 * 365)
    with refusal("confirm.expired", UsageError):
        confirm(desk, drafted, second, office.issuer)
    office.clock.moment = datetime.now(UTC)
    ca = pki.make_ca("x", pki.generate_key(pki.KeyKind.P256), not_before=office.clock.moment, years=2)
    with refusal("confirm.unfit", UsageError):
        confirm(desk, drafted, replace(second, key=persons.OwnKey(ca)), office.issuer)


# --- what was confirmed is what is issued --------------------------------------------------------------------------


def test_confirmation_of_another_draft(office: Office):
    desk = office.session.desk
    desk.clock = office.clock
    one = office.draft()
    signed = confirm(desk, one, office.second, office.issuer)
    office.clock.moment += timedelta(seconds=5)
    another = office.draft()
    assert another.certificate.number != one.certificate.number
    with refusal("confirm.other_draft", IntegrityError):
        issue(desk, another, signed, office.issuer)


def changed_model(signed):
    return replace(signed, certificate=replace(signed.certificate, issuer="另一签发人"))


def changed_person(signed):
    confirmed = replace(signed.certificate.confirmed, officer=Officer(name="周不惊"))
    return replace(signed, certificate=replace(signed.certificate, confirmed=confirmed))


def changed_time(signed):
    later = signed.certificate.issued + timedelta(seconds=1)
    return replace(signed, certificate=replace(signed.certificate, issued=later))


def changed_demo(signed):
    return replace(signed, certificate=replace(signed.certificate, demo=()))


def changed_record(signed):
    return replace(signed, record=signed.record.replace(b'"version":1', b'"version":2'))


def changed_signature(signed):
    return replace(signed, signature=signed.signature[:-1] + bytes([signed.signature[-1] ^ 1]))


def no_confirmation(signed):
    return replace(signed, certificate=replace(signed.certificate, confirmed=None))


@pytest.mark.parametrize(
    "change",
    [
        changed_model, changed_person, changed_time, changed_demo, changed_record, changed_signature,
        no_confirmation,
    ],
)  # fmt: skip
def test_changed_confirmation_is_not_issued(office: Office, change: Callable):
    drafted = office.draft()
    signed = change(confirm(office.session.desk, drafted, office.second, office.issuer))
    with refusal("confirm.other_draft", IntegrityError):
        issue(office.session.desk, drafted, signed, office.issuer)
    assert office.session.desk.store.exhibits.certificates() == []


def test_attachment_changed_after_the_confirmation(office: Office):
    drafted = office.draft()
    signed = confirm(office.session.desk, drafted, office.second, office.issuer)
    other = replace(drafted, attachments={**drafted.attachments, "statement-001.json": b"{}"})
    with refusal("confirm.other_draft", IntegrityError):
        issue(office.session.desk, other, signed, office.issuer)


def test_a_draft_goes_out_of_date(office: Office):
    desk = office.session.desk
    drafted = office.draft()
    signed = confirm(desk, drafted, office.second, office.issuer)
    certify(desk, office.rows, office.issuer, trust=office.session.trust, job=Job())
    with refusal("certify.stale", UsageError):
        issue(desk, drafted, signed, office.issuer)
    again = office.draft()
    office.session.vault.erase_case(office.rows[0].case_number)
    with refusal("certify.stale", UsageError):
        issue(desk, again, confirm(desk, again, office.second, office.issuer), office.issuer)


class Meanwhile:
    """An issuer that signs while something else happens in the vault: it waits for its timestamp."""

    def __init__(self, issuer: CertificateIssuer, what: Callable[[], object]) -> None:
        self._issuer, self._what = issuer, what

    def __getattr__(self, name: str) -> object:
        return getattr(self._issuer, name)

    def issue(self, certificate, attachments):
        made = self._issuer.issue(certificate, attachments)
        what, self._what = self._what, lambda: None
        what()
        return made


def test_erased_or_certified_while_it_is_signed(office: Office):
    """Nothing of an erased case comes back with a certificate that was being signed."""
    desk = office.session.desk

    def another() -> None:
        certify(desk, office.rows, office.issuer, trust=office.session.trust, job=Job())

    def erased() -> None:
        office.session.vault.erase_case(office.rows[0].case_number)

    for meanwhile, left in ((another, 1), (erased, 1)):
        drafted = office.draft(two_person=False)
        with refusal("certify.stale", UsageError):
            issue(desk, drafted, None, Meanwhile(office.issuer, meanwhile))  # type: ignore[arg-type]
        assert len(desk.store.exhibits.certificates()) == left
    assert [item.pdf for item in desk.store.exhibits.certificates()] == [b""]


def test_names_that_cannot_be_printed(office: Office):
    desk_persons.enroll_demo(office.session, Officer(name="李ཀ"), "another-own-2")
    second = persons.unlock(office.keys, persons.one_person(office.session.desk, "李ཀ"), "another-own-2")
    with refusal("confirm.unprintable", UsageError):
        confirm(office.session.desk, office.draft(), second, office.issuer)


def test_record_binds_every_attachment(office: Office):
    drafted = office.draft()
    signed = confirm(office.session.desk, drafted, office.second, office.issuer)
    record = parse_confirmation(signed.record)
    assert set(record.attachments) == set(drafted.attachments)
    assert record.exhibits == tuple(row.leaf_hash for row in office.rows)
    assert record.case == office.rows[0].case_number
    assert record.confirmed.at == signed.certificate.issued


def test_openssl_reads_the_confirmation(office: Office):
    drafted = office.draft()
    signed = confirm(office.session.desk, drafted, office.second, office.issuer)
    (office.folder / "confirmation.json").write_bytes(signed.record)
    (office.folder / "confirmation.p7s").write_bytes(signed.signature)
    roots = office.session.vault.folder / "trust"
    (office.folder / "CA.pem").write_text("".join(item.read_text() for item in roots.glob("person-*.pem")))
    command = "\n".join(drafted.certificate.commands[-2:])
    assert command.startswith("openssl cms")
    done = subprocess.run(
        ["bash", "-c", command], cwd=office.folder, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, signed.record.decode()), done.stderr
    (office.folder / "confirmation.json").write_bytes(signed.record.replace(b'"version":1', b'"version":2'))
    done = subprocess.run(
        ["bash", "-c", command], cwd=office.folder, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
