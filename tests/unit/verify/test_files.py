"""Recognizing what a person puts before us, and judging each kind with what lies beside it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from evidence_desk.core.job import Job
from evidence_desk.core.trust import NO_TRUST, Trust
from evidence_desk.core.verdict import Status, Verdict
from evidence_desk.errors import EvidenceDeskError, MalformedError, UnreadableError
from evidence_desk.verify import files
from evidence_desk.verify.files import InputKind, Originals, hash_original, read_trust, recognize, verify_path
from tests.unit.tsa import forge
from tests.unit.verify.evidence import Scene, codes

PASSED, FAILED, UNKNOWN = Status.PASSED, Status.FAILED, Status.UNDETERMINED


def put(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def judge(path: Path, trust: Trust = NO_TRUST, originals: Sequence[Path] = ()) -> Verdict:
    job = Job()
    return verify_path(
        path, originals=Originals(originals, job), trust=trust, now=datetime.now(UTC), job=job
    ).verdict


@pytest.fixture
def papers(scene: Scene, tmp_path: Path) -> Path:
    """A folder with proof, statement, disclosures and original of `pair`."""
    item = scene.item("pair")
    assert item.statement is not None
    assert item.disclosures is not None
    put(tmp_path, "proof.json", item.proof.encode())
    put(tmp_path, "statement.json", item.statement)
    put(tmp_path, "disclosures.json", item.disclosures)
    for name, data in zip(("a.txt", "b.txt"), scene.contents["pair"], strict=True):
        put(tmp_path, name, data)
    return tmp_path


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"PK\x03\x04", InputKind.PACKAGE),
        (b"PK\x05\x06", InputKind.PACKAGE),
        (b"%PDF-1.7\n", InputKind.CERTIFICATE),
        (b"junk\n%PDF-1.7\n", InputKind.CERTIFICATE),
        (b'{"checkpoint":"', InputKind.PROOF),
        (b'{ "v": "proof/1" }', InputKind.PROOF),
        (forge.token(), InputKind.TOKEN),
        (forge.response(forge.token()), InputKind.RESPONSE),
    ],
)
def test_kind_is_told_by_content(tmp_path, data, kind):
    assert recognize(put(tmp_path, "misleading.docx", data)) is kind


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"{}", b"{", b"[1]", b'{"v":"statement/1"}', b"0\x00", b"{" * 100_000, b"\x7fELF"]
)
def test_what_is_nothing_of_ours_is_not_recognized(tmp_path, data):
    with pytest.raises(MalformedError) as caught:
        judge(put(tmp_path, "x", data))
    assert caught.value.code == "verify.unrecognized"
    assert caught.value.exit_status == 65


@pytest.mark.parametrize("name", ["missing", "folder"])
def test_what_cannot_be_read(tmp_path, name):
    (tmp_path / "folder").mkdir()
    with pytest.raises(UnreadableError) as caught:
        judge(tmp_path / name)
    assert caught.value.code == ("input.missing" if name == "missing" else "input.not_regular")


@pytest.mark.parametrize("data", [b'{"checkpoint":1}', b'{"v":"proof/2"}', b'{"checkpoint":' + b"[" * 10**6])
def test_broken_proof_is_failed_not_unrecognized(tmp_path, data):
    verdict = judge(put(tmp_path, "proof.json", data))
    assert codes(verdict.findings, FAILED) == {"proof.form.wrong"}


@pytest.mark.parametrize(
    ("data", "limit", "code"),
    [
        (b'{"checkpoint":' + b" " * 100, "MAX_PROOF_FILE", "input.form.wrong"),
        (b"%PDF-" + b" " * 100, "MAX_PDF", "input.form.wrong"),
        (forge.token(), "RESPONSE_LIMIT", "input.form.wrong"),
    ],
)
def test_too_large_is_failed_not_unrecognized(tmp_path, monkeypatch, data, limit, code):
    monkeypatch.setattr(files, limit, 64)
    verdict = judge(put(tmp_path, "x", data))
    assert code in codes(verdict.findings, FAILED)
    assert verdict.overall is FAILED


# --- proof --------------------------------------------------------------------------------------------------------


def test_proof_with_its_papers_and_originals_passes(scene: Scene, papers):
    verdict = judge(papers / "proof.json", scene.trust, [papers / "b.txt", papers / "a.txt"])
    assert verdict.overall is PASSED
    assert [item.code for item in verdict.caveats] == ["demo.authority", "trust.given"]


def test_proof_alone_is_undetermined(scene: Scene, papers):
    (papers / "statement.json").unlink()
    (papers / "disclosures.json").unlink()
    verdict = judge(papers / "proof.json", scene.trust)
    assert verdict.overall is UNKNOWN


def test_numbered_proof_takes_the_papers_of_its_number(scene: Scene, papers):
    """Saved from a certificate over several exhibits: the statement of number 001 must not refute number 002."""
    item = scene.item("single")
    assert item.statement is not None
    put(papers, "proof-002.json", item.proof.encode())
    put(papers, "statement-001.json", b"{}")
    verdict = judge(papers / "proof-002.json", scene.trust)
    assert codes(verdict.findings, FAILED) == set()
    put(papers, "statement-002.json", item.statement)
    assert "statement.digest.right" in codes(judge(papers / "proof-002.json").findings, PASSED)


def test_wrong_original_fails(scene: Scene, papers):
    stranger = put(papers, "c.txt", b"stranger")
    assert judge(papers / "proof.json", scene.trust, [stranger]).overall is FAILED


def test_missing_original_is_told(scene: Scene, papers):
    with pytest.raises(UnreadableError):
        judge(papers / "proof.json", scene.trust, [papers / "none"])


# --- package ------------------------------------------------------------------------------------------------------


def test_package_with_an_original_beside_it(scene: Scene, papers):
    package = put(papers, "x.asice", scene.package("pair"))
    assert judge(package, scene.trust, [papers / "a.txt"]).overall is PASSED
    verdict = judge(package, scene.trust, [papers / "statement.json"])
    assert codes(verdict.findings, FAILED) == {"package.originals.other"}


# --- token --------------------------------------------------------------------------------------------------------


@pytest.fixture
def stamped(scene: Scene, tmp_path: Path) -> dict[str, Path]:
    """A bare token, the response it came in, and the data it covers."""
    row = scene.session.desk.store.exhibits.time_records(scene.rows["single"].leaf_hash)[0]
    token = scene.session.desk.store.exhibits.token(row.token_sha256)
    return {
        "token": put(tmp_path, "t.der", token.token),
        "response": put(tmp_path, "t.tsr", token.response),
        "data": put(tmp_path, "preimage", token.preimage),
        "other": put(tmp_path, "other", b"other"),
    }


@pytest.mark.parametrize("kind", ["token", "response"])
@pytest.mark.parametrize(
    ("beside", "status", "code"),
    [
        (["data"], PASSED, "token.imprint.passed"),
        (["other"], FAILED, "token.imprint.differs"),
        ([], UNKNOWN, "token.imprint.no_data"),
        (["data", "other"], UNKNOWN, "token.imprint.several_data"),
    ],
)
def test_token_over_a_file(scene: Scene, stamped, kind, beside, status, code):
    verdict = judge(stamped[kind], scene.trust, [stamped[name] for name in beside])
    assert code in codes(verdict.findings, status)
    assert verdict.overall is status


def test_token_without_trust_is_undetermined(stamped):
    assert judge(stamped["token"], NO_TRUST, [stamped["data"]]).overall is UNKNOWN


def test_broken_token_is_failed(stamped, tmp_path):
    broken = put(tmp_path, "broken", stamped["token"].read_bytes()[:-1])
    verdict = judge(broken, NO_TRUST, [stamped["data"]])
    assert verdict.overall is FAILED


def test_token_of_an_unknown_algorithm_says_so(scene: Scene, tmp_path):
    unknown = forge.seq(forge.algorithm("1.2.3.4"), forge.octets(bytes(32)))
    content = forge.tst_info().replace(
        forge.seq(
            forge.algorithm(forge.SHA256, b"\x05\x00"), forge.octets(forge.digest(forge.SHA256, forge.DATA))
        ),
        unknown,
    )
    fields = content[2:] if content[1] < 128 else content[3:]
    token = put(tmp_path, "t", forge.token(content=forge.seq(fields)))
    verdict = judge(token, scene.trust, [put(tmp_path, "d", b"d")])
    assert "token.imprint.unknown_digest" in codes(verdict.findings, FAILED)


# --- originals, trust folder --------------------------------------------------------------------------------------


def test_originals_are_hashed_once(tmp_path, monkeypatch):
    path = put(tmp_path, "a", b"a")
    seen: list[Path] = []

    def counting(one: Path, job: Job) -> Any:
        seen.append(one)
        return hash_original(one, job)

    monkeypatch.setattr(files, "hash_original", counting)
    originals = Originals([path], Job())
    assert seen == []
    assert originals.given is originals.given
    assert seen == [path]


def test_trust_folder_as_written(scene: Scene):
    trust = read_trust(scene.session.vault.folder / "trust")
    assert set(trust.desks) == {scene.origin}
    assert len(trust.fingerprint) == 64


@pytest.fixture
def folder(scene: Scene, tmp_path: Path) -> Path:
    return Path(shutil.copytree(scene.session.vault.folder / "trust", tmp_path / "trust"))


def refused(folder: Path) -> str:
    with pytest.raises(EvidenceDeskError) as caught:
        read_trust(folder)
    return caught.value.code


def test_trust_without_manifest(tmp_path):
    assert refused(tmp_path) == "trust.missing"


def test_trust_with_a_manifest_that_is_a_folder(tmp_path):
    (tmp_path / "trust.json").mkdir()
    assert refused(tmp_path) == "trust.missing"


def test_trust_file_swapped_or_gone(folder):
    names = [path.name for path in folder.iterdir() if path.name != "trust.json"]
    assert len(names) >= 3
    for name in names:
        original = (folder / name).read_bytes()
        (folder / name).write_bytes(original + b"\n")
        assert refused(folder) == "malformed.trust_digest"
        (folder / name).unlink()
        assert refused(folder) == "input.missing"
        (folder / name).write_bytes(original)


def test_trust_file_behind_a_link_counts_by_its_content(folder, tmp_path):
    """A link cannot bring in anything: what it leads to must have the digest that the manifest names."""
    outside = tmp_path / "outside"
    outside.write_bytes((folder / "desk.vkey").read_bytes())
    (folder / "desk.vkey").unlink()
    (folder / "desk.vkey").symlink_to(outside)
    assert read_trust(folder).desks
    outside.write_bytes(b"other")
    assert refused(folder) == "malformed.trust_digest"


def test_every_flipped_byte_of_the_manifest_changes_the_fingerprint_or_is_refused(folder, scene: Scene):
    data = (folder / "trust.json").read_bytes()
    for at in range(0, len(data), 7):
        (folder / "trust.json").write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        try:
            trust = read_trust(folder)
        except EvidenceDeskError:
            continue
        assert trust.fingerprint != scene.trust.fingerprint
