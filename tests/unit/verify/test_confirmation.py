"""One forgery a rule: what a second person did not confirm does not pass for confirmed."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pikepdf
import pytest
from asn1crypto import algos, cms, core, x509
from hypothesis import given
from hypothesis import strategies as st
from pikepdf import Name

from evidence_desk.core.certificate import NAME as RECORD
from evidence_desk.core.certificate import printed as printed_format
from evidence_desk.core.certificate.values import certificate_values
from evidence_desk.core.confirmation import NAME, SIGNATURE_NAME, Confirmed, Officer
from evidence_desk.core.digests import DigestPair, sha256
from evidence_desk.core.trust import Roots, Trust
from evidence_desk.core.verdict import Dimension, Status, worst
from evidence_desk.crypto import pki
from evidence_desk.texts import Language, has
from evidence_desk.verify.certificate import CertificateTrust
from reports import certificate as made
from reports.certificate import printed_certificate
from reports.signing import PdfSigner
from tests.unit.reports.samples import a_certificate, make_signing
from tests.unit.verify.confirmed import FIRST, OTHERS, SECOND, Office, codes, credential, facts, signature


@pytest.fixture(scope="module")
def office() -> Office:
    signing = make_signing(datetime.now(UTC))
    return Office(signing, credential(signing))


def test_sound_confirmation(office):
    verdict = office.verify(office.pdf())
    assert worst(item.status for item in verdict.findings) is Status.PASSED
    found = [item for item in verdict.findings if item.check.startswith("confirmation.")]
    assert {item.dimension for item in found} == {Dimension.SIGNER}
    assert [item.check.removeprefix("confirmation.") for item in found] == [
        "presence", "form", "binding", "printed", "signature", "persons", "time", "credential", "signer",
    ]  # fmt: skip
    assert "demo.confirmation" in {item.code for item in verdict.caveats}
    assert all(has(item.code, language) for item in found for language in Language)


def test_one_person_certificate_is_not_judged(office):
    verdict = office.verify(office.pdf(certificate=a_certificate()))
    assert worst(item.status for item in verdict.findings) is Status.PASSED
    assert not [item for item in verdict.findings if item.check.startswith("confirmation.")]
    assert "demo.confirmation" not in {item.code for item in verdict.caveats}


# --- presence and form -----------------------------------------------------------------------------------------


def test_removed_confirmation(office):
    assert codes(office.verify(office.pdf({NAME: None}))) == {"confirmation.presence.missing"}


def test_removed_signature(office):
    assert codes(office.verify(office.pdf({SIGNATURE_NAME: None}))) == {"confirmation.presence.unsigned"}


@pytest.mark.parametrize("name", [NAME, SIGNATURE_NAME])
def test_confirmation_that_is_not_printed(office, name):
    pdf = office.pdf({name: b"{}"}, certificate=a_certificate())
    assert codes(office.verify(pdf)) == {"confirmation.presence.unannounced"}


@pytest.mark.parametrize("language", list(Language))
def test_two_persons_printed_but_not_recorded(office, language, monkeypatch):
    """Pages that name a second person do not pass because the values are silent about it."""

    def silent(certificate):
        values = certificate_values(certificate)
        declared = values["declared"]
        assert isinstance(declared, dict)
        return {**values, "declared": {k: v for k, v in declared.items() if k != "confirmation"}}

    monkeypatch.setattr(made, "certificate_values", silent)
    rendered = made.render_certificate(office.certificate, attachments={}, language=language)
    assert codes(office.verify(office.signing.sign(rendered.pdf))) >= {"confirmation.presence.missing"}


def test_malformed_record(office):
    pdf = office.pdf({NAME: b"{}", SIGNATURE_NAME: office.sign(b"{}")})
    assert codes(office.verify(pdf)) == {"confirmation.form.malformed"}


# --- signature -------------------------------------------------------------------------------------------------


def remade(office: Office, change: Callable[[cms.SignerInfo, cms.SignedData], None]) -> bytes:
    """The honest signature with its attributes changed and signed again by the same key."""
    content = cms.ContentInfo.load(office.sign(office.confirmation().encode()))
    data = content["content"]
    info = data["signer_infos"][0]
    change(info, data)
    info["signature"] = office.person.key.signer()(info["signed_attrs"].untag().dump(force=True))
    return bytes(content.dump(force=True))


def verdict_on(office: Office, encoded: bytes) -> set[str]:
    return codes(office.verify(office.pdf({SIGNATURE_NAME: encoded})))


def test_unreadable_signature(office):
    assert verdict_on(office, b"\x30\x00") == {"confirmation.signature.malformed"}


def test_unsigned_attribute(office):
    def change(info, _data):
        info["unsigned_attrs"] = cms.CMSAttributes(
            [{"type": "signing_time", "values": [cms.Time({"utc_time": datetime.now(UTC)})]}]
        )

    assert verdict_on(office, remade(office, change)) == {"confirmation.signature.signers"}


def test_signature_without_certificate(office):
    def change(_info, data):
        data["certificates"] = cms.CertificateSet(
            [
                cms.CertificateChoices(
                    "certificate", x509.Certificate.load(office.signing.identity.certificate)
                )
            ]
        )

    assert verdict_on(office, remade(office, change)) == {"confirmation.signature.certificate"}


@pytest.mark.parametrize("dropped", ["signing_certificate_v2", "content_type"])
def test_missing_attribute(office, dropped):
    def change(info, _data):
        kept = [item for item in info["signed_attrs"] if item["type"].native != dropped]
        info["signed_attrs"] = cms.CMSAttributes(kept)

    assert verdict_on(office, remade(office, change)) == {"confirmation.signature.attributes"}


def test_further_attribute(office):
    def change(info, _data):
        more = cms.CMSAttribute({"type": "1.2.3.4", "values": [core.Any(core.Integer(1))]})
        info["signed_attrs"] = cms.CMSAttributes(
            sorted([*info["signed_attrs"], more], key=lambda item: bytes(item.dump()))
        )

    assert verdict_on(office, remade(office, change)) == {"confirmation.signature.attributes"}


def test_weak_digest(office):
    def change(info, data):
        weak = algos.DigestAlgorithm({"algorithm": "sha1"})
        info["digest_algorithm"] = weak
        data["digest_algorithms"] = cms.DigestAlgorithms([weak])

    assert verdict_on(office, remade(office, change)) == {"confirmation.signature.attributes"}


def test_signature_over_another_record(office):
    other = office.confirmation(case="(2025)渝0103民初9号").encode()
    assert verdict_on(office, office.sign(other)) == {"confirmation.signature.digest"}


def test_signature_by_another_key(office):
    stranger = replace(office.person, key=pki.generate_key(pki.KeyKind.P256))
    encoded = signature(stranger, office.confirmation().encode())
    assert verdict_on(office, encoded) == {"confirmation.signature.value"}


def test_reference_to_another_certificate(office):
    def change(info, _data):
        attributes = []
        for item in info["signed_attrs"]:
            if item["type"].native == "signing_certificate_v2":
                identifier = {"cert_hash": sha256(b"another certificate")}
                item = cms.CMSAttribute(  # noqa: PLW2901
                    {"type": "signing_certificate_v2", "values": [{"certs": [identifier]}]}
                )
            attributes.append(item)
        info["signed_attrs"] = cms.CMSAttributes(sorted(attributes, key=lambda one: bytes(one.dump())))

    assert verdict_on(office, remade(office, change)) == {"confirmation.signature.reference"}


@given(st.binary(max_size=300))
def test_any_bytes_as_signature_end_in_a_finding(data):
    from evidence_desk.verify.certificate.confirmation import _signature  # noqa: PLC0415

    found, finding = _signature(data, b"x")
    assert finding.status is Status.FAILED
    assert found is None or found.wrong


# --- binding ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"number": "EC-0000-0000-0000-0000-0"}, "confirmation.binding.number"),
        ({"version": 2}, "confirmation.binding.version"),
        ({"case": "(2025)渝0103民初9号"}, "confirmation.binding.case"),
        ({"exhibits": (sha256(b"another exhibit"),)}, "confirmation.binding.exhibits"),
        ({"document": DigestPair.of(b"another text")}, "confirmation.binding.document"),
    ],
)
def test_confirmation_of_something_else(office, changes, code):
    assert codes(office.verify(office.signed(office.confirmation(**changes)))) == {code}


def test_confirmation_with_one_digest_right(office):
    right = office.confirmation().document
    half = DigestPair(sha256=right.sha256, sm3=sha256(b"another"))
    found = codes(office.verify(office.signed(office.confirmation(document=half))))
    assert found == {"confirmation.binding.document"}


def test_a_word_printed_after_the_confirmation(office):
    """The issuer confirms one text and prints another, all signatures sound."""
    confirmed = office.confirmation().encode()
    later = replace(office.certificate, issuer="另一签发人")
    pdf = office.pdf({NAME: confirmed, SIGNATURE_NAME: office.sign(confirmed)}, certificate=later)
    assert codes(office.verify(pdf)) == {"confirmation.binding.document"}


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"proof-001.json": b"{}"}, "proof-001.json"),
        ({"statement-001.json": None}, "statement-001.json"),
        ({"extra.txt": b"x"}, "extra.txt"),
    ],
)
def test_attachments_changed_after_the_confirmation(office, changes, name):
    verdict = office.verify(office.pdf(changes))
    (wrong,) = [item for item in verdict.findings if item.status is Status.FAILED]
    assert (wrong.code, wrong.parameters) == ("confirmation.binding.attachments", {"name": name})


# --- persons and credential ------------------------------------------------------------------------------------


def test_printed_person_is_not_the_one_who_confirmed(office):
    other = replace(office.certificate.confirmed, officer=Officer(name="刘子熙", role="主任"))
    verdict = office.verify(office.signed(office.confirmation(confirmed=other)))
    assert codes(verdict) == {"confirmation.printed.differs"}


def test_printed_first_person_is_another(office):
    verdict = office.verify(office.signed(office.confirmation(first=Officer(name="孙无咎"))))
    assert codes(verdict) == {"confirmation.printed.differs"}


@pytest.mark.parametrize("name", ["刘子熙", "刘 子熙", "刘子熙\u3000"])
def test_one_person_twice(office, name):
    twice = replace(office.certificate, handler=Officer(name=name))
    verdict = office.verify(office.pdf(certificate=twice))
    assert codes(verdict) == {"confirmation.persons.same_name"}


def test_the_issuers_own_key(office):
    own = Office(office.signing, office.signing.identity)
    verdict = own.verify(own.pdf())
    assert codes(verdict) == {"confirmation.persons.same_key"}


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"sha256": sha256(b"x")}, "sha256"),
        ({"subject": "CN=刘子熙, O=某公证机构"}, "subject"),
        ({"serial": 7}, "serial"),
        ({"demo": False}, "demo"),
    ],
)
def test_printed_credential_is_not_the_one_that_signed(office, changes, what):
    stated = replace(facts(office.person), **changes)
    about = replace(office.certificate, confirmed=replace(office.certificate.confirmed, credential=stated))
    verdict = office.verify(office.pdf(certificate=about))
    (wrong,) = [item for item in verdict.findings if item.status is Status.FAILED]
    assert (wrong.code, wrong.parameters) == ("confirmation.credential.differs", {"what": what})


def test_foreign_credential_in_the_second_persons_name(office):
    """Somebody else of the office signs in his name, with a confirmation that names his credential."""
    foreign = credential(office.signing, "赵六")
    record = office.confirmation().encode()
    pdf = office.pdf({SIGNATURE_NAME: signature(foreign, record)})
    assert codes(office.verify(pdf)) == {"confirmation.credential.differs"}


def test_credential_that_names_somebody_else_is_undetermined(office):
    foreign = Office(office.signing, credential(office.signing, "赵六"))
    verdict = foreign.verify(foreign.pdf())
    assert codes(verdict) == set()
    assert codes(verdict, Status.UNDETERMINED) == {"confirmation.credential.name"}


def test_confirmed_after_the_signature(office):
    later = Office(
        office.signing, office.person, at=datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    )
    assert codes(later.verify(later.pdf())) == {"confirmation.time.after"}


def test_printed_values_must_stand_on_the_page(office):
    """The record says another person than the paper; the confirmation is about that record."""
    about = office.certificate
    other = Confirmed(
        officer=Officer(name="周不惊"), credential=about.confirmed.credential, at=about.confirmed.at
    )
    forged = dataclasses.replace(
        printed_certificate(about),
        values=printed_certificate(replace(about, confirmed=other)).values,
    )
    record = office.confirmation(document=DigestPair.of(forged.to_bytes()), confirmed=other).encode()
    from reports.certificate import Attachment, render_certificate  # noqa: PLC0415

    whole = {**OTHERS, NAME: record, SIGNATURE_NAME: office.sign(record)}
    rendered = render_certificate(
        about,
        attachments={
            name: Attachment(data=data, media_type="application/octet-stream") for name, data in whole.items()
        },
        language=Language.ZH,
    )
    with pikepdf.open(io.BytesIO(rendered.pdf)) as document:
        names = document.Root.Names.EmbeddedFiles.Names
        at = next(index for index in range(0, len(names), 2) if str(names[index]) == RECORD)
        names[at + 1].EF.F = document.make_stream(forged.to_bytes(), Type=Name.EmbeddedFile)
        out = io.BytesIO()
        document.save(out, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    verdict = office.verify(office.signing.sign(out.getvalue()))
    assert codes(verdict) == {"certificate.values.absent"}
    assert forged.version == printed_format.VERSION


# --- whose credential ------------------------------------------------------------------------------------------


def stranger_office(office: Office, **kind: datetime) -> Office:
    """A second person whose credential comes from a CA of his own."""
    start = kind.get("start", datetime.now(UTC) - timedelta(days=1))
    ca = pki.make_ca("另一根", pki.generate_key(pki.KeyKind.P256), not_before=start, years=5)
    person = pki.make_signer_certificate(
        SECOND.name, pki.generate_key(pki.KeyKind.P256), ca, not_before=start, years=1
    )
    return Office(office.signing, person)


def with_roots(office: Office, *more: bytes, crls: tuple[bytes, ...] = ()) -> CertificateTrust:
    return CertificateTrust(roots=(office.signing.ca.certificate, *more), crls=(office.signing.ca.crl, *crls))


def test_unknown_root_is_undetermined(office):
    stranger = stranger_office(office)
    verdict = stranger.verify(stranger.pdf())
    assert codes(verdict) == set()
    assert codes(verdict, Status.UNDETERMINED) == {"confirmation.signer.untrusted"}


def test_without_roots_it_is_undetermined(office):
    verdict = office.verify(office.pdf(), trust=CertificateTrust())
    assert codes(verdict) == set()
    assert "confirmation.signer.no_roots" in codes(verdict, Status.UNDETERMINED)


def test_without_revocation_data_it_is_undetermined(office):
    stranger = stranger_office(office)
    trust = with_roots(office, stranger.person.root)
    found = codes(stranger.verify(stranger.pdf(), trust=trust), Status.UNDETERMINED)
    assert found == {"confirmation.signer.revocation_unknown"}
    trust = with_roots(office, stranger.person.root, crls=(stranger.person.crl,))
    assert codes(stranger.verify(stranger.pdf(), trust=trust), Status.UNDETERMINED) == set()


def test_a_root_of_persons_makes_nobody_a_signer(office):
    """Who was enrolled with a CA of his own issues a certificate in an institution's name."""
    start = datetime.now(UTC) - timedelta(days=1)
    own = pki.make_ca("刘子熙自建根", pki.generate_key(pki.KeyKind.P256), not_before=start, years=5)
    institution, person = (
        pki.make_signer_certificate(name, pki.generate_key(pki.KeyKind.P256), own, not_before=start, years=1)
        for name in ("某公证处", SECOND.name)
    )
    signing = replace(office.signing, identity=institution, signer=PdfSigner(institution))
    forger = Office(signing, person)
    pdf = forger.pdf()
    signing_ca = office.signing.ca
    its = Roots(name="persons 1", certificates=(own.certificate,), crls=(own.crl,))
    known = Roots(name="x", certificates=(signing_ca.certificate,), crls=(signing_ca.crl,))

    verdict = forger.verify(pdf, trust=CertificateTrust.of(Trust(signers=(known,), persons=(its,))))
    assert codes(verdict) == set()
    assert codes(verdict, Status.UNDETERMINED) == {"certificate.signer.untrusted"}
    assert "confirmation.signer.trusted" in codes(verdict, Status.PASSED)

    alone = forger.verify(pdf, trust=CertificateTrust.of(Trust(persons=(its,))))
    assert codes(alone, Status.UNDETERMINED) == {"certificate.signer.no_roots"}
    assert "confirmation.signer.trusted" in codes(alone, Status.PASSED)

    both = forger.verify(pdf, trust=CertificateTrust.of(Trust(signers=(its,))))
    assert worst(item.status for item in both.findings) is Status.PASSED, (
        "roots of signers vouch for persons too"
    )


def test_revoked_credential_fails(office):
    now = datetime.now(UTC)
    serial = x509.Certificate.load(office.person.certificate).serial_number
    crl = pki.make_crl(
        office.signing.ca, this_update=now.replace(microsecond=0), next_update=now + timedelta(days=1), number=2,
        revoked=[pki.Revoked(serial=serial, at=now - timedelta(hours=1), reason="key_compromise")],
    )  # fmt: skip
    verdict = office.verify(
        office.pdf(),
        trust=CertificateTrust(roots=(office.signing.ca.certificate,), crls=(crl,)),
        now=now + timedelta(seconds=5),
    )
    assert codes(verdict) == {"confirmation.signer.revoked"}


def test_expired_credential_fails(office):
    stranger = stranger_office(office, start=datetime.now(UTC) - timedelta(days=800))
    trust = with_roots(office, stranger.person.root, crls=(stranger.person.crl,))
    assert codes(stranger.verify(stranger.pdf(), trust=trust)) == {"confirmation.signer.expired"}


def test_credential_for_another_use_fails(office):
    for_stamps = pki.make_tsa_certificate(
        SECOND.name, pki.generate_key(pki.KeyKind.P256), office.signing.ca,
        not_before=datetime.now(UTC) - timedelta(days=1), years=2,
    )  # fmt: skip
    wrong = Office(office.signing, for_stamps)
    assert wrong.certificate.confirmed is not None
    about = replace(
        wrong.certificate,
        confirmed=replace(wrong.certificate.confirmed, credential=replace(facts(for_stamps), demo=False)),
    )
    assert codes(wrong.verify(wrong.pdf(certificate=about))) == {"confirmation.signer.unfit"}
    assert FIRST.name != SECOND.name
