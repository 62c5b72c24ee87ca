"""The commands of the manual and of the README, run as a reader would run them."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.integration.docs.pages import CERTIFICATE, NUMBER, PORT, ROOT, Reader, blocks, free_port
from ui.manual import anchor

MANUAL = ROOT / "docs" / "manual"
START = MANUAL / "quick-start.md"
ROLES = frozenset({"lawyer.md", "notary.md", "judge.md", "administrator.md", "operator.md"})
"""Ways through the other pages, which hold the commands."""
PAGES = sorted(page for page in MANUAL.glob("*.md") if page.name not in {"README.md", START.name, *ROLES})
PICTURES_SIZE = 3_000_000
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


def without_fences(page: Path) -> str:
    return re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", sorted(MANUAL.glob("*.md")), ids=lambda page: page.stem)
def test_links_lead_to_headings(page):
    broken = []
    for target, fragment in re.findall(r"\]\(([^)#\s]*)#([^)\s]+)\)", without_fences(page)):
        other = page.parent / target if target else page
        headings = re.findall(r"^#+ (.*)$", without_fences(other), re.MULTILINE)
        if fragment not in {anchor(heading) for heading in headings}:
            broken.append(f"{target}#{fragment}")
    assert broken == []


def test_every_role_has_its_page_in_the_contents():
    contents = (MANUAL / "README.md").read_text("utf-8")
    assert {name for name in ROLES if f"]({name})" in contents} == ROLES
    assert [
        page for page in MANUAL.glob("*.md") if page.name not in contents and page.name != "README.md"
    ] == []
    assert [page.name for page in PAGES if not blocks(page)] == []
    assert [name for name in ROLES if blocks(MANUAL / name)] == [], "commands of these pages would not be run"


def test_pictures_are_there_and_used():
    told = [
        (page.parent / target).resolve()
        for page in MANUAL.glob("*.md")
        for text, target in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", without_fences(page))
        if text  # who cannot see a picture reads what it shows
    ]
    every = re.findall(r"!\[", "".join(without_fences(page) for page in MANUAL.glob("*.md")))
    assert len(told) == len(every) == len(set(told))
    there = sorted(path for path in (MANUAL / "images").iterdir())
    assert sorted(told) == there
    assert sum(path.stat().st_size for path in there) < PICTURES_SIZE
