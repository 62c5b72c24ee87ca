"""``evidence-desk bundle``: one file, or with packages; nothing when it fails."""

from __future__ import annotations

from contextlib import contextmanager

import pikepdf
import pytest

from evidence_desk.core.job import Job
from evidence_desk.terminal.output import Output

CASE = "（2026）沪01民初1号"


def test_json_is_the_contract(run, number, tmp_path):
    path = tmp_path / "卷宗.pdf"
    said = run("bundle", CASE, "-o", path, "--operator", "钱知微", "--json")
    assert said.status == 0
    assert said.document["path"] == str(path)
    assert said.document["packages"] == []
    assert said.document["unprinted"] == []
    (exhibit,) = said.document["exhibits"]
    assert exhibit["number"] == number
    with pikepdf.open(path) as document:
        assert len(document.pages) == said.document["pages"] == exhibit["last"]
    (event,) = [e for e in run("custody", number, "--json").document["events"] if e["action"] == "exported"]
    assert event["operator"] == "钱知微"
    assert event["details"]["pages"] == said.document["pages"]


def test_text(run, number, prepared, tmp_path):
    (prepared.files / "录像.mp4").write_bytes(bytes(64))
    run("seal", prepared.files / "录像.mp4", "--case", CASE)
    said = run("bundle", CASE, "-o", tmp_path / "卷宗.pdf")
    assert said.status == 0
    assert f"{number}  第 2–4 页" in said.out
    assert "录像.mp4" in said.out
    assert "另附光盘" in said.out
    english = run("bundle", CASE, "-o", tmp_path / "bundle.pdf", "--lang", "en")
    assert "Bundle made" in english.out


def test_packages_beside_it(run, number, tmp_path):
    folder = tmp_path / "证据包"
    said = run("bundle", CASE, "-o", tmp_path / "卷宗.pdf", "--with-packages", folder, "--json")
    assert said.status == 0
    assert said.document["packages"] == [str(folder / f"001-{number}.asice")]
    assert [path.name for path in folder.iterdir()] == [f"001-{number}.asice"]
    verified = run("verify", folder / f"001-{number}.asice", "--json")
    assert (
        verified.document["results"][0]["findings"]
        if "results" in verified.document
        else verified.status in {0, 2}
    )
    again = run("bundle", CASE, "-o", tmp_path / "二.pdf", "--with-packages", folder, "--json")
    assert again.status == 64
    assert again.document["error"]["code"] == "bundle.folder_used"
    assert not (tmp_path / "二.pdf").exists()


def test_no_such_case(run, tmp_path):
    said = run("bundle", "没有此案", "-o", tmp_path / "卷宗.pdf", "--json")
    assert said.status == 66
    assert said.document["error"]["code"] == "bundle.no_case"
    assert list(tmp_path.glob("*.pdf")) == []


def test_an_existing_file_stays(run, tmp_path):
    path = tmp_path / "卷宗.pdf"
    path.write_bytes(b"mine")
    assert run("bundle", CASE, "-o", path).status == 64
    assert path.read_bytes() == b"mine"
    assert run("bundle", CASE, "-o", path, "--force").status == 0
    assert path.read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("stage", ["document", "bundle", "package"])
def test_cancel_leaves_no_file(run, number, tmp_path, monkeypatch, stage):
    @contextmanager
    def impatient(_: Output):
        job = Job()
        job._report = lambda seen, *_: job.cancel() if seen == stage else None
        yield job

    monkeypatch.setattr(Output, "job", impatient)
    before = sorted(path.name for path in tmp_path.iterdir())
    said = run("bundle", CASE, "-o", tmp_path / "卷宗.pdf", "--with-packages", tmp_path / "包")
    assert said.status == 130
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert number
