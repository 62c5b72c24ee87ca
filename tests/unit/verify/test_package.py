"""Packages rewritten by someone who knows the format: each is canonical, and refused for what it says."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from evidence_desk.core.job import Job
from evidence_desk.core.log import note_keys
from evidence_desk.core.note import Note, parse_note, sign_note
from evidence_desk.core.package import (
    PackageContent,
    PackageEntry,
    PackageRecord,
    read_package,
    write_package,
)
from evidence_desk.core.ports import LogSigner
from evidence_desk.core.trust import NO_TRUST, Trust
from evidence_desk.core.verdict import Dimension, Status, Verdict
from evidence_desk.services.certify import certify
from evidence_desk.verify.package import verify_package
from tests.unit.verify.evidence import OTHER_DESK, STRANGER, Scene, codes, former, given

PASSED, FAILED, UNKNOWN = Status.PASSED, Status.FAILED, Status.UNDETERMINED


@pytest.fixture(scope="session")
def packages(scene: Scene) -> Mapping[str, bytes]:
    names = ["single", "other", "pair", "duplicates", "large", "blinded", "waiting", "later"]
    return {name: scene.package(name) for name in names}


def judge(data: bytes, trust: Trust, **options: Any) -> Verdict:
    return verify_package(io.BytesIO(data), trust=trust, now=datetime.now(UTC), job=Job(), **options)


def content(data: bytes, scene: Scene) -> PackageContent:
    """Everything in a package, ready to be written again under the desk's own signature."""
    package = read_package(io.BytesIO(data))
    extras = {name: package.read(name) for name in package.names if name.startswith("verify/")}
    return PackageContent(
        origin=package.index_note.origin,
        files=[entry(name, package.read(name)) for name in package.files],
        statement=package.statement,
        disclosures=package.disclosures,
        proof=package.proof,
        sign_index=partial(sign, scene.origin, scene.signer),
        records=[
            PackageRecord(der=part.der, objects=tuple(item.name for item in part.manifest.objects))
            for part in package.records
        ],
        certificate=package.read("certificate.pdf") if package.has("certificate.pdf") else None,
        verify={name.removeprefix("verify/"): value for name, value in extras.items()},
    )


def entry(name: str, data: bytes) -> PackageEntry:
    return PackageEntry(name=name, source=lambda: io.BytesIO(data), size=len(data))


def sign(origin: str, signer: LogSigner, body: bytes) -> bytes:
    keys = note_keys(origin, signer)
    return sign_note(body.decode(), keys, ed25519=signer.sign_ed25519, sm2=signer.sign_sm2).encode()


def written(made: PackageContent) -> bytes:
    out = io.BytesIO()
    write_package(out, made)
    return out.getvalue()


# --- true packages ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["single", "pair", "duplicates", "large", "blinded", "later"])
def test_true_package_passes(scene: Scene, packages, name):
    verdict = judge(packages[name], scene.trust)
    assert codes(verdict.findings, FAILED) == set()
    assert verdict.overall is PASSED
    assert verdict.dimension(Dimension.LOG) is PASSED
    assert verdict.policy.name == "data/1"


@pytest.mark.parametrize("name", ["single", "large", "blinded"])
def test_written_again_unchanged_it_is_the_same(scene: Scene, packages, name):
    verdict = judge(written(content(packages[name], scene)), scene.trust)
    assert verdict.overall is PASSED


def test_without_trust_undetermined(packages):
    verdict = judge(packages["single"], NO_TRUST)
    assert verdict.overall is UNKNOWN
    assert "package.note.no_key" in codes(verdict.findings, UNKNOWN)


def test_waiting_package_has_no_time(scene: Scene, packages):
    assert judge(packages["waiting"], scene.trust).overall is UNKNOWN


def test_originals_beside_the_package_are_compared(scene: Scene, packages):
    originals = [given("x", b"first"), given("y", b"stranger")]
    verdict = judge(packages["pair"], scene.trust, originals=originals)
    assert "package.originals.same" in codes(verdict.findings, PASSED)
    assert codes(verdict.findings, FAILED) == {"package.originals.other"}
    assert judge(packages["pair"], scene.trust, originals=originals[:1]).overall is PASSED


# --- forged ones --------------------------------------------------------------------------------------------------

Change = Callable[[PackageContent, Scene, Mapping[str, bytes]], PackageContent]


def other_file(made: PackageContent, *_: object) -> PackageContent:
    return replace(made, files=[entry(made.files[0].name, b"swapped"), *made.files[1:]])


def files_moved(made: PackageContent, *_: object) -> PackageContent:
    first, second = made.files
    return replace(
        made,
        files=[replace(second, name=first.name), replace(first, name=second.name)],
    )


def file_added(made: PackageContent, *_: object) -> PackageContent:
    records = [replace(made.records[0], objects=(*made.records[0].objects, "files/0003.txt"))]
    return replace(made, files=[*made.files, entry("files/0003.txt", b"more")], records=records)


def file_dropped(made: PackageContent, *_: object) -> PackageContent:
    records = [replace(made.records[0], objects=made.records[0].objects[:-1])]
    return replace(made, files=made.files[:-1], records=records)


def file_renamed(made: PackageContent, *_: object) -> PackageContent:
    records = [replace(made.records[0], objects=("statement.json", "files/0001.exe", "files/0002.txt"))]
    files = [replace(made.files[0], name="files/0001.exe"), made.files[1]]
    return replace(made, files=files, records=records)


def records_left_out(made: PackageContent, *_: object) -> PackageContent:
    return replace(made, records=[])


def records_of_another(made: PackageContent, scene: Scene, all_: Mapping[str, bytes]) -> PackageContent:
    theirs = content(all_["duplicates"], scene).records[0]
    return replace(made, records=[replace(made.records[0], der=theirs.der)])


def proof_of_another(made: PackageContent, scene: Scene, all_: Mapping[str, bytes]) -> PackageContent:
    return replace(made, proof=content(all_["other"], scene).proof)


def statement_of_another(made: PackageContent, scene: Scene, all_: Mapping[str, bytes]) -> PackageContent:
    return replace(made, statement=content(all_["other"], scene).statement)


def token_to_check_of_another(
    made: PackageContent, scene: Scene, all_: Mapping[str, bytes]
) -> PackageContent:
    theirs = content(all_["later"], scene).verify
    return replace(made, verify={**made.verify, "timestamp.tsr": theirs["timestamp.tsr"]})


def token_to_check_that_is_none(made: PackageContent, *_: object) -> PackageContent:
    return replace(made, verify={**made.verify, "timestamp.tsr": b"0\x00"})


def proof_that_is_none(made: PackageContent, *_: object) -> PackageContent:
    return replace(made, proof=b"{}")


def strangers_note(made: PackageContent, scene: Scene, _: Mapping[str, bytes]) -> PackageContent:
    return replace(made, sign_index=partial(sign, scene.origin, STRANGER))


def note_of_another_desk(made: PackageContent, *_: object) -> PackageContent:
    return replace(made, origin=OTHER_DESK, sign_index=partial(sign, OTHER_DESK, STRANGER))


def note_of_an_earlier_epoch(made: PackageContent, scene: Scene, _: Mapping[str, bytes]) -> PackageContent:
    origin = former(scene.origin)
    return replace(made, origin=origin, sign_index=partial(sign, origin, scene.signer))


def note_stripped(made: PackageContent, scene: Scene, _: Mapping[str, bytes]) -> PackageContent:
    def strip(body: bytes) -> bytes:
        note = parse_note(sign(scene.origin, scene.signer, body))
        return Note(text=note.text, signatures=note.signatures[:1]).encode()

    return replace(made, sign_index=strip)


FORGED: dict[str, tuple[Change, set[str]]] = {
    "other_file": (other_file, {"object.digest.place"}),
    "files_moved": (files_moved, {"object.digest.place"}),
    "file_added": (file_added, {"object.digest.unlisted"}),
    "file_dropped": (file_dropped, set()),
    "file_renamed": (file_renamed, {"package.name.differs"}),
    "records_left_out": (records_left_out, {"package.records.differ"}),
    "records_of_another": (records_of_another, {"package.records.differ"}),
    "proof_of_another": (proof_of_another, {"statement.digest.wrong", "package.records.differ"}),
    "statement_of_another": (statement_of_another, {"statement.digest.wrong"}),
    "token_to_check_of_another": (token_to_check_of_another, {"package.hand_check.token"}),
    "token_to_check_that_is_none": (token_to_check_that_is_none, {"package.hand_check.token"}),
    "proof_that_is_none": (proof_that_is_none, {"proof.form.wrong"}),
    "strangers_note": (strangers_note, {"package.note.wrong"}),
    "note_of_another_desk": (note_of_another_desk, {"package.desk.other"}),
    "note_of_an_earlier_epoch": (note_of_an_earlier_epoch, {"package.desk.other"}),
    "note_stripped": (note_stripped, {"package.note.lines"}),
}


@pytest.mark.parametrize("name", list(FORGED))
def test_forged_package_is_refused(scene: Scene, packages, name):
    change, expected = FORGED[name]
    verdict = judge(written(change(content(packages["pair"], scene), scene, packages)), scene.trust)
    assert codes(verdict.findings, FAILED) == expected
    assert verdict.overall is (FAILED if expected else UNKNOWN)


def test_note_of_another_trusted_desk_is_refused(scene: Scene, packages):
    """A second desk that the verifier trusts too may not wrap this desk's exhibit as its own."""
    desks = {**scene.trust.desks, OTHER_DESK: note_keys(OTHER_DESK, STRANGER)}
    made = note_of_another_desk(content(packages["pair"], scene))
    verdict = judge(written(made), replace(scene.trust, desks=desks))
    assert "package.note.right" in codes(verdict.findings, PASSED)
    assert codes(verdict.findings, FAILED) == {"package.desk.other"}


def test_records_listing_the_files_of_another_group(scene: Scene, packages):
    made = content(packages["large"], scene)
    first, second = made.records
    swapped = [replace(first, objects=second.objects), replace(second, objects=first.objects)]
    verdict = judge(written(replace(made, records=swapped)), scene.trust)
    assert codes(verdict.findings, FAILED) == {"package.records.group"}


def test_a_stranger_who_wraps_it_anew_cannot_change_a_file(scene: Scene, packages):
    """Without the desk's key in the trust roots his index stands, but the exhibit's own digests do not."""
    trust = Trust(authorities=scene.trust.authorities)
    made = strangers_note(content(packages["pair"], scene), scene, packages)
    assert judge(written(made), trust).overall is PASSED
    for change in (other_file, files_moved, file_renamed, token_to_check_of_another):
        assert judge(written(change(made, scene, packages)), trust).overall is FAILED


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"PK\x05\x06" + bytes(18), b"x" * 1000])
def test_what_is_no_package_fails(scene: Scene, data):
    verdict = judge(data, scene.trust)
    assert codes(verdict.findings, FAILED) == {"package.form.wrong"}
    assert verdict.overall is FAILED


# --- the certificate inside ---------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def certificates(scene: Scene) -> Mapping[str, bytes]:
    issued = {}
    for name in ("single", "other"):
        outcome = certify(
            scene.session.desk, [scene.rows[name]], scene.session.issuer(), trust=scene.trust, job=Job()
        )
        issued[name] = outcome.certificate.pdf
    return issued


def with_certificate(data: bytes, pdf: bytes, scene: Scene) -> bytes:
    return written(replace(content(data, scene), certificate=pdf))


def test_package_with_its_certificate_passes(scene: Scene, packages, certificates):
    verdict = judge(with_certificate(packages["single"], certificates["single"], scene), scene.trust)
    assert codes(verdict.findings, FAILED) == set()
    assert "package.certificate.right" in codes(verdict.findings, PASSED)
    assert verdict.overall is PASSED
    assert verdict.policy.name == "package/1"


def test_certificate_of_another_exhibit_is_refused(scene: Scene, packages, certificates):
    verdict = judge(with_certificate(packages["single"], certificates["other"], scene), scene.trust)
    assert codes(verdict.findings, FAILED) == {"package.certificate.other"}
    assert verdict.overall is FAILED


def test_false_certificate_does_not_travel_under_the_answer_on_the_data(scene: Scene, packages, certificates):
    """Its signature is broken: the signer is not summed for data, but a failure refutes."""
    pdf = bytearray(certificates["single"])
    pdf[pdf.index(b"/Contents <") + 400] ^= 1
    for broken in (bytes(pdf), b"%PDF-1.7\n", b""):
        verdict = judge(with_certificate(packages["single"], broken, scene), scene.trust)
        assert verdict.overall is FAILED
