from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

import pytest

from evidence_desk.core.certificate import Certificate
from evidence_desk.core.job import Job
from evidence_desk.core.ports import CertificateIssuer
from evidence_desk.core.rows import IssuedPdf
from evidence_desk.core.statement import parse_disclosures
from evidence_desk.core.verdict import Status
from evidence_desk.errors import UsageError
from evidence_desk.services.certify import certify
from evidence_desk.services.derive import Relation, derivation, derived_source, links_of
from evidence_desk.services.erase import erase
from evidence_desk.services.timestamp import timestamp
from evidence_desk.vault.store import Vault
from evidence_desk.verify.certificate.text import pages_of
from evidence_desk.verify.certified import verify_certified
from tests.fixed import refusal
from tests.integration.browse.conftest import PASSPHRASE
from tests.integration.browse.filing import put, titles


@pytest.fixture
def original(session, tmp_path):
    return put(session, tmp_path, "合同.txt")[0]


@pytest.mark.parametrize("relation", Relation)
def test_the_statement_names_the_file_and_both_digests(session, tmp_path, original, relation):
    source = {"obtained": "本所制作", **derived_source(session.desk, original, 1, relation)}
    (derived,) = put(session, tmp_path, "副本.txt", source=source)
    values = {item.path: item.value for item in parse_disclosures(derived.disclosures)}
    said = values["/source"]
    assert isinstance(said, dict)
    told = said["derived_from"]
    stored = original.objects[0].stored
    assert told == {
        "relation": relation.value, "number": original.number, "leaf_sha256": original.leaf_hash.hex(), "position": 1,
        "name": "合同.txt", "size": stored.size,
        "digests": {"sha256": stored.digests.sha256.hex(), "sm3": stored.digests.sm3.hex()},
    }  # fmt: skip
    above, below = links_of(session.desk, original.leaf_hash), links_of(session.desk, derived.leaf_hash)
    assert above.source is None
    assert below.derived == ()
    assert above.derived == (below.source,)
    assert below.source is not None
    assert (below.source.derived, below.source.source) == (derived.leaf_hash, original.leaf_hash)
    assert (below.source.relation, below.source.position) == (relation, 1)
    assert titles(session, original.number) == {"合同.txt", "副本.txt"}


def certified(session, row, told=None) -> tuple[bytes, list[str]]:
    """A certificate over an exhibit, and the codes of what fails in it; `told`: what its model says in place of the truth."""
    issuer = session.issuer()

    class Printing:
        name, demo = issuer.name, issuer.demo

        def issue(self, certificate: Certificate, attachments: Mapping[str, bytes]) -> IssuedPdf:
            if told is not None:
                (exhibit,) = certificate.exhibits
                exhibit = replace(exhibit, source=replace(exhibit.source, derivation=told))
                certificate = replace(certificate, exhibits=(exhibit,))
            printed: IssuedPdf = issuer.issue(certificate, attachments)
            return printed

    pdf = certify(
        session.desk, [row], cast("CertificateIssuer", Printing()), trust=session.trust, job=Job()
    ).certificate.pdf
    verdict = verify_certified(pdf, files=(), trust=session.trust, now=session.desk.clock.now())
    return pdf, [item.code for item in verdict.findings if item.status is Status.FAILED]


def test_the_certificate_prints_it_and_its_values_hold(session, tmp_path, original):
    source = derived_source(session.desk, original, 1, Relation.REDACTED)
    (sealed,) = put(session, tmp_path, "遮盖.txt", source=source)
    timestamp(session.desk, session.authorities, job=Job())
    row = session.vault.exhibits.exhibit(sealed.leaf_hash)
    pdf, failed = certified(session, row)
    assert failed == []
    told = derivation(session.desk, original, 1, Relation.REDACTED)
    text = "".join("".join(pages_of(pdf)).split())
    for part in ("遮盖副本", original.number, "合同.txt", told.digests.sha256.hex(), told.digests.sm3.hex()):
        assert part in text
    _, failed = certified(session, row, replace(told, digests=row.objects[0].stored.digests))
    assert failed == ["certificate.values.differ"]


def test_what_cannot_be_derived_from(session, original):
    for position in (0, 2, -1):
        with refusal("derive.position", UsageError):
            derived_source(session.desk, original, position, Relation.REDACTED)
    erase(session.desk, "案一", reason="要求", court=None)
    with refusal("derive.erased", UsageError):
        derived_source(session.desk, original, 1, Relation.REDACTED)


def test_a_derivation_of_free_words_or_of_wrong_form_is_no_link(session, tmp_path, original):
    right = derived_source(session.desk, original, 1, Relation.REDACTED)["derived_from"]
    assert isinstance(right, dict)
    for number, value in enumerate(
        ["由合同复印", {**right, "relation": "copy"}, {**right, "number": "ED-0000-0000-0000-0000-0"}]
    ):
        (row,) = put(session, tmp_path, f"{number}.txt", source={"derived_from": value})
        assert links_of(session.desk, row.leaf_hash).source is None


def test_links_stay_after_the_source_is_erased_and_go_with_the_derived(session, tmp_path, original):
    source = derived_source(session.desk, original, 1, Relation.TRANSCRIPT)
    (derived,) = put(session, tmp_path, "抄清.txt", source=source, case_number="案二")
    erase(session.desk, "案一", reason="要求", court=None)
    assert links_of(session.desk, derived.leaf_hash).source is not None
    erase(session.desk, "案二", reason="要求", court=None)
    assert links_of(session.desk, derived.leaf_hash).source is None


def test_links_are_there_after_opening_again(session, tmp_path, original):
    source = derived_source(session.desk, original, 1, Relation.TRANSLATION)
    (derived,) = put(session, tmp_path, "译本.txt", source=source)
    session.close()
    with Vault.open(session.vault.folder, PASSPHRASE, clock=session.desk.clock, read_only=True) as vault:
        assert [item.relation for item in vault.browse.links(derived.leaf_hash)] == ["translation"]
