"""``evidence-desk verify`` and ``evidence-verify``: verdicts, exit statuses, trust given and not given, reports."""

import pytest

from evidence_desk import verifier
from evidence_desk.core.verdict import Dimension
from tests.integration.cli.conftest import Runs, Said


@pytest.mark.parametrize("program", ["desk", "verifier"])
def test_verdict_without_and_with_trust(run: Runs, package, vault, program):
    def verify(*arguments: object) -> Said:
        if program == "verifier":
            return run(package, *arguments, program=verifier.main)
        return run("verify", package, *arguments)

    without = verify("--json")
    assert without.status == 2
    assert without.document["overall"] == "undetermined"
    given = verify("--trust", vault / "trust", "--json")
    assert given.status == 0
    assert given.document["overall"] == "passed"
    assert {"demo.authority", "trust.given"} <= {item["code"] for item in given.document["caveats"]}
    for finding in given.document["findings"]:
        assert set(finding) == {
            "dimension", "check", "status", "code", "parameters", "explanation", "who_vouches",
        }  # fmt: skip
        assert finding["dimension"] in set(Dimension)
        assert finding["explanation"] != finding["code"]
    strict = verify("--trust", vault / "trust", "--strict", "--json")
    assert strict.status == 2
    text = verify("--trust", vault / "trust").out.splitlines()
    assert text[0].startswith("✔ 通过：")
    assert text[1].startswith("! 演示/非第三方")


def test_desk_and_verifier_say_the_same(run, package, vault):
    trust = ("--trust", vault / "trust", "--json")
    ours, theirs = run("verify", package, *trust), run(package, *trust, program=verifier.main)
    assert ours.document == theirs.document


def test_a_changed_byte_fails(run, package, vault):
    data = bytearray(package.read_bytes())
    data[data.index("早\n".encode())] ^= 1
    package.write_bytes(data)
    said = run("verify", package, "--trust", vault / "trust")
    assert said.status == 1
    assert said.out.startswith("✘ 未通过（完整性")


def test_certificate_with_its_originals(run, certified, prepared, vault):
    path, _ = certified
    originals = [f"--file={item}" for item in sorted((prepared.files / "聊天记录").iterdir())]
    trust = f"--trust={vault / 'trust'}"
    assert run("verify", path, trust).status == 2
    assert run("verify", path, *originals, trust).status == 0
    stranger = run("verify", path, "--file", prepared.files / "合同.txt", trust, "--json")
    assert stranger.status == 1
    assert "object.digest.wrong" in {item["code"] for item in stranger.document["findings"]}
    missing = run("verify", path, "--file", prepared.files / "没有.txt", trust, "--json")
    assert (missing.status, missing.document["error"]["code"]) == (66, "input.missing")


def test_what_cannot_be_verified(run, prepared, package, tmp_path):
    text = run("verify", prepared.files / "合同.txt", "--json")
    assert (text.status, text.document["error"]["code"]) == (65, "verify.unrecognized")
    gone = run("verify", tmp_path / "没有", "--json")
    assert (gone.status, gone.document["error"]["code"]) == (66, "input.missing")
    untrusted = run("verify", package, "--trust", tmp_path, "--json")
    assert (untrusted.status, untrusted.document["error"]["code"]) == (66, "trust.missing")
    several = run("verify", package, prepared.files / "合同.txt", "--json")
    assert several.status == 65
    assert [item["kind"] for item in several.document["inputs"]] == ["package"]
    assert [item["code"] for item in several.document["errors"]] == ["verify.unrecognized"]
    assert several.document["overall"] == "undetermined"


def test_verification_report(run, package, vault, tmp_path):
    path = tmp_path / "报告.pdf"
    said = run("verify", package, "--trust", vault / "trust", "--report", path)
    assert said.status == 0
    assert path.read_bytes().startswith(b"%PDF-")
    existing = run("verify", package, "--report", path, "--json")
    assert (existing.status, existing.document["error"]["code"]) == (64, "output.exists")
    several = run("verify", package, package, "--report", tmp_path / "r.pdf", "--json")
    assert (several.status, several.document["error"]["code"]) == (64, "verify.report_one")
