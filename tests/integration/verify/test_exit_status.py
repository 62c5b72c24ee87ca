"""``evidence-verify`` on every kind of input: exit status and JSON as documented (docs/spec/exit-codes.md)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evidence_desk.core.job import Job
from evidence_desk.services.certify import certify
from evidence_desk.verifier import main
from tests.unit.verify.evidence import Scene

PASSED, FAILED, UNKNOWN, USAGE, UNRECOGNIZED = 0, 1, 2, 64, 65
KINDS = ["proof", "package", "certificate", "token", "response"]


class Shelf:
    """Every kind of evidence on the disk, each with the originals it needs."""

    def __init__(self, scene: Scene, folder: Path) -> None:
        self.folder = folder
        self.trust = str(scene.session.vault.folder / "trust")
        item = scene.item("single")
        record = scene.session.desk.store.exhibits.time_records(scene.rows["single"].leaf_hash)[0]
        token = scene.session.desk.store.exhibits.token(record.token_sha256)
        certificate = certify(
            scene.session.desk, [scene.rows["single"]], scene.session.issuer(), trust=scene.trust, job=Job()
        ).certificate
        self.data = {
            "proof": item.proof.encode(),
            "package": scene.package("single"),
            "certificate": certificate.pdf,
            "token": token.token,
            "response": token.response,
        }
        for name, data in self.data.items():
            (folder / name).write_bytes(data)
        (folder / "statement.json").write_bytes(item.statement or b"")
        (folder / "disclosures.json").write_bytes(item.disclosures or b"")
        (folder / "original").write_bytes(scene.contents["single"][0])
        (folder / "preimage").write_bytes(token.preimage)
        (folder / "stranger").write_bytes(b"stranger")

    def arguments(self, kind: str) -> list[str]:
        path = str(self.folder / kind)
        match kind:
            case "package":
                return [path]
            case "token" | "response":
                return [path, "--file", str(self.folder / "preimage")]
            case _:
                return [path, "--file", str(self.folder / "original")]


@pytest.fixture(scope="session")
def shelf(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return Shelf(scene, tmp_path_factory.mktemp("shelf"))


Run = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def running(*arguments: str) -> tuple[int, dict[str, Any]]:
        status = main([*arguments, "--json"])
        return status, json.loads(capsys.readouterr().out)

    return running


@pytest.mark.parametrize("kind", KINDS)
def test_passed(shelf: Shelf, run: Run, kind):
    status, said = run(*shelf.arguments(kind), "--trust", shelf.trust)
    assert (status, said["overall"], said["kind"]) == (PASSED, "passed", kind)
    assert {item["code"] for item in said["caveats"]} >= {"demo.authority", "trust.given"}


@pytest.mark.parametrize("kind", KINDS)
def test_strict_turns_caveats_into_undetermined(shelf: Shelf, run: Run, kind):
    status, said = run(*shelf.arguments(kind), "--trust", shelf.trust, "--strict")
    assert (status, said["overall"]) == (UNKNOWN, "passed")


@pytest.mark.parametrize("kind", KINDS)
def test_without_trust_undetermined(shelf: Shelf, run: Run, kind):
    status, said = run(*shelf.arguments(kind))
    assert (status, said["overall"]) == (UNKNOWN, "undetermined")


@pytest.mark.parametrize("kind", ["proof", "certificate", "token", "response"])
def test_without_originals_undetermined(shelf: Shelf, run: Run, kind):
    status, said = run(str(shelf.folder / kind), "--trust", shelf.trust)
    assert (status, said["overall"]) == (UNKNOWN, "undetermined")


@pytest.mark.parametrize("kind", KINDS)
def test_strangers_file_failed(shelf: Shelf, run: Run, kind):
    path, stranger = str(shelf.folder / kind), str(shelf.folder / "stranger")
    status, said = run(path, "--file", stranger, "--trust", shelf.trust)
    assert (status, said["overall"]) == (FAILED, "failed")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("strict", [False, True])
def test_damaged_is_failed_not_unrecognized(shelf: Shelf, run: Run, tmp_path, kind, strict):
    data = shelf.data[kind]
    damaged = tmp_path / kind
    damaged.write_bytes(data[: len(data) // 2])
    for name in ("statement.json", "disclosures.json"):
        (tmp_path / name).write_bytes((shelf.folder / name).read_bytes())
    rest = shelf.arguments(kind)[1:]
    options = ["--trust", shelf.trust, *(["--strict"] if strict else [])]
    status, said = run(str(damaged), *rest, *options)
    assert (status, said["overall"]) == (FAILED, "failed")


def test_every_finding_is_explained_in_both_languages(shelf: Shelf, run: Run):
    for kind in KINDS:
        for language in ("zh", "en"):
            _, said = run(*shelf.arguments(kind), "--trust", shelf.trust, "--lang", language)
            for item in [*said["findings"], *said["caveats"]]:
                assert item["explanation"]
                assert not item["explanation"].startswith(item["code"]), item["code"]
                assert "—" not in item["explanation"] or language == "zh", item


def test_not_recognizable(shelf: Shelf, run: Run):
    status, said = run(str(shelf.folder / "stranger"))
    assert status == UNRECOGNIZED
    assert said["error"]["code"] == "verify.unrecognized"


def test_one_unrecognizable_among_several(shelf: Shelf, run: Run):
    status, said = run(str(shelf.folder / "package"), str(shelf.folder / "stranger"), "--trust", shelf.trust)
    assert status == UNRECOGNIZED
    assert said["overall"] == "undetermined"


def test_worst_of_several_counts(shelf: Shelf, run: Run, tmp_path):
    (tmp_path / "broken").write_bytes(shelf.data["package"][:-5])
    package, broken = str(shelf.folder / "package"), str(tmp_path / "broken")
    assert run(package, package, "--trust", shelf.trust)[0] == PASSED
    assert run(package, broken, "--trust", shelf.trust)[0] == FAILED


def test_missing_is_no_input(shelf: Shelf, run: Run):
    assert run(str(shelf.folder / "none"))[0] == 66


def test_usage():
    assert main(["--no-such-option"]) == USAGE


def test_broken_trust_is_refused(shelf: Shelf, run: Run, tmp_path):
    (tmp_path / "trust.json").write_bytes(b"{}")
    assert run(*shelf.arguments("package"), "--trust", str(tmp_path))[0] == 65
