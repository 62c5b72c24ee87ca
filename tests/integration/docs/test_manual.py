"""The commands of the manual and of the README, run as a reader would run them."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.integration.docs.pages import CERTIFICATE, NUMBER, PORT, ROOT, Reader, blocks, free_port

MANUAL = ROOT / "docs" / "manual"
START = MANUAL / "quick-start.md"
PAGES = sorted(page for page in MANUAL.glob("*.md") if page.name not in {"README.md", START.name})
OURS = re.compile(
    r"^\s*(\$ )?(evidence-desk|evidence-verify|evidence-tsa|openssl|sha256sum|age) ", re.MULTILINE
)


def found(reader: Reader) -> dict[str, str]:
    """Numbers that the vault gave to the contract and to its certificate."""
    listed = json.loads(reader.run("evidence-desk list --json").stdout)
    number = next(item["number"] for item in listed["exhibits"] if item["title"] == "设备采购合同")
    shown = json.loads(reader.run(f"evidence-desk show {number} --json").stdout)
    return {NUMBER: number, CERTIFICATE: shown["certificates"][0]["number"]}


def workspace(folder: Path) -> Reader:
    shutil.copytree(ROOT / "assets" / "sample_case", folder)
    return Reader(folder=folder)


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> tuple[Reader, str]:
    """A folder in which the page 快速上手 was followed, and the recovery key that it printed."""
    reader = workspace(tmp_path_factory.mktemp("manual") / "案件")
    first, *rest = blocks(START)
    made = reader.run(first.commands)
    assert made.returncode == 0, made.stdout
    key = re.search(r"^ {4}([0-9A-Z-]{40,})$", made.stdout, re.MULTILINE)
    assert key, made.stdout
    # The number is known only after sealing: the page is followed block by block.
    for block in rest:
        done = reader.run(reader.put_in(block.commands))
        assert done.returncode == block.status, f"{START.name}:{block.line}\n{done.stdout}"
        reader._compare(START, block, done.stdout)
        if "seal" in block.commands:
            listed = json.loads(reader.run("evidence-desk list --json").stdout)
            reader.names[NUMBER] = listed["exhibits"][0]["number"]
    return reader, key[1]


def test_quick_start(begun):
    reader, _ = begun
    assert (reader.folder / "合同证书.pdf").is_file()
    assert (reader.folder / "合同.asice").is_file()


def needs_engine(page: Path) -> bool:
    return "court-node localnet" in page.read_text("utf-8")


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, id=page.stem, marks=[pytest.mark.engine] if needs_engine(page) else [])
        for page in PAGES
    ],
)
def test_page(page, begun, tmp_path):
    base, recovery_key = begun
    folder = tmp_path / "案件"
    shutil.copytree(base.folder, folder)
    reader = Reader(folder=folder, more={"EVIDENCE_DESK_NEW_PASSPHRASE": "另一个口令-8"})
    reader.names = {**found(reader), PORT: str(free_port()), "恢复密钥原文": recovery_key}
    lacking = reader.follow(page)
    if lacking:
        pytest.skip(f"the rest was run; lacking: {', '.join(sorted(lacking))}")


def test_readme(begun, tmp_path):
    base, _ = begun
    folder = tmp_path / "案件"
    shutil.copytree(base.folder, folder)
    reader = Reader(folder=folder, names=dict(base.names))
    lacking = reader.follow(ROOT / "README.md")
    if lacking:
        pytest.skip(f"the rest was run; lacking: {', '.join(sorted(lacking))}")


@pytest.mark.parametrize(
    "page", [*sorted(MANUAL.glob("*.md")), ROOT / "README.md"], ids=lambda page: page.stem
)
def test_no_command_escapes(page):
    """Whatever looks like a command stands in a fence that is run."""
    rest = re.sub(r"^```sh.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    assert OURS.findall(rest) == []


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")) + sorted(ROOT.glob("*.md")), ids=str)
def test_links_lead_somewhere(page):
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    broken = [
        target
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text)
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert broken == []
