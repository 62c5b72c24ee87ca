"""What ARCHITECTURE.md and licenses.md say is what pyproject.toml and the running verifier do."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.integration.docs.pages import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def test_the_picture_of_layers_is_the_contract():
    text = (ROOT / "docs" / "ARCHITECTURE.md").read_text("utf-8")
    shown = re.search(r"^```layers\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert shown
    assert shown[1].splitlines() == PROJECT["tool"]["importlinter"]["contracts"][0]["layers"]


def names(requirements: list[str]) -> set[str]:
    found = (re.match(r"[A-Za-z0-9_.-]+", item) for item in requirements)
    return {match[0] for match in found if match}


@pytest.mark.parametrize(
    ("heading", "wanted"),
    [
        ("Direct dependencies of the product", names(PROJECT["project"]["dependencies"])),
        (
            "Used for development only",
            names([item for group in PROJECT["dependency-groups"].values() for item in group]),
        ),
    ],
)
def test_every_dependency_has_its_license(heading, wanted):
    text = (ROOT / "docs" / "licenses.md").read_text("utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    listed = re.findall(r"^\| ([a-z0-9-]+) \| (.+) \|$", text, re.MULTILINE)
    assert {name for name, _ in listed} - {"package"} == wanted
    assert [name for name, terms in listed if re.search(r"\bA?GPL", terms)] in ([], ["pyinstaller"])
    assert "pyinstaller" not in names(
        PROJECT["project"]["dependencies"]
    )  # it packs, and its exception lets us
    assert {name for name, terms in listed if "LGPL" in terms} <= {
        "pyside6-addons",
        "pyside6-essentials",
    }  # shared libraries


def test_verifying_loads_neither_vault_nor_network(tmp_path: Path):
    """The contract sees our imports; this sees what really gets loaded when a file is judged."""
    (tmp_path / "proof.json").write_bytes(b'{"v":"proof/1"}')
    code = (
        "import sys; from evidence_desk.verifier import main; main(['proof.json', '--json']); "
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    )
    assert '"overall": "failed"' in done.stdout
    loaded = {name.split(".")[0] for name in done.stderr.split()}
    assert (
        loaded & {"sqlcipher3", "pyrage", "httpx", "starlette", "uvicorn", "PySide6", "typer", "reports"}
        == set()
    )
