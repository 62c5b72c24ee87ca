"""The packages of dist/ under wine: installed, tried, upgraded while at work, removed. Web capture needs real Windows."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from evidence_desk import __version__
from scripts.package_windows.pe import imported
from scripts.package_windows.signatures import is_program
from tests.package.windows.conftest import ROOT, SETUP, VERIFIER, Wine, wait_until
from tests.package.windows.test_setup import current, tree, versions

SCREENS = ROOT / "build" / "screens"
SAMPLE = ROOT / "assets" / "sample_case"
ORIGINAL = "设备采购合同.pdf"
_MB = 1_000_000
_LARGE = 600 * _MB
GRAB = """
import sys
from PySide6.QtGui import QGuiApplication
application = QGuiApplication([])
picture = application.primaryScreen().grabWindow(0).toImage()
picture.save(sys.argv[1])
print(len({picture.pixel(x, y) for x in range(0, picture.width(), 3) for y in range(0, picture.height(), 3)}))
"""


def documents(wine: Wine) -> Path:
    """A folder with a Chinese name in the person's home."""
    folder = wine.drive / "users" / wine.user / "我的 案件"
    folder.mkdir(exist_ok=True)
    return folder


def shown(wine: Wine, path: Path) -> str:
    return "C:\\" + path.relative_to(wine.drive).as_posix().replace("/", "\\")


def tool(wine: Wine, name: str, *words: str | Path, expect: int = 0) -> dict[str, Any]:
    """Run an installed program with ``--json``."""
    given = [shown(wine, word) if isinstance(word, Path) else word for word in words]
    value: dict[str, Any] = json.loads(wine.run(wine.own / f"{name}.exe", *given, "--json", expect=expect))
    return value


def test_selftest(real_wine: Wine) -> None:
    """Every native part and the main job, at a Chinese path."""
    told = tool(real_wine, "evidence-desk", "selftest", "--skip", "capture")
    assert told["passed"], told
    results = {step["name"]: step["result"] for step in told["steps"]}
    assert results.pop("capture") == "skipped"
    assert set(results.values()) == {"passed"}
    assert len(results) >= 17
    assert told["program"]["packaged"]


def test_every_library_finds_what_it_loads(real_wine: Wine) -> None:
    """A new Windows has no C++ runtime; ICU is part of Windows 10 since 1703."""
    app = real_wine.own / current(real_wine.own)
    windows = {path.name.lower() for path in (real_wine.drive / "windows" / "system32").iterdir()}
    windows = {name for name in windows if not name.startswith(("msvcp", "vcruntime", "concrt", "python"))}
    loaded_first = {path.name.lower() for name in ("python", "lib/PySide6", "lib/shiboken6") for path in (app / name).iterdir()}  # fmt: skip
    beside_python = {path.name.lower() for path in (app / "python").iterdir()}
    for path in (path for path in app.rglob("*") if is_program(path)):
        own = {item.name.lower() for item in path.parent.iterdir()}
        own |= {item.name.lower() for folder in app.glob("lib/*.libs") for item in folder.iterdir()}
        found = (
            own | windows | (loaded_first if {"PySide6", "shiboken6"} & set(path.parts) else beside_python)
        )
        lacking = {name for name in imported(path) - found if not name.startswith(("api-ms-", "ext-ms-"))}
        assert not lacking, path.name


@pytest.fixture(scope="session")
def verifier(real_wine: Wine) -> Path:
    """The small verifier, unpacked at a Chinese path."""
    folder = real_wine.drive / "核验 工具"
    with zipfile.ZipFile(VERIFIER) as archive:
        archive.extractall(folder)
    return folder / f"evidence-verify-{__version__}" / "evidence-verify.exe"


@pytest.fixture(scope="session")
def job(real_wine: Wine) -> dict[str, Path]:
    """Sealed, timestamped, certified, exported on this Windows."""
    folder = documents(real_wine)
    original, vault = folder / ORIGINAL, folder / "存证库"
    shutil.copy(SAMPLE / ORIGINAL, original)
    real_wine.run(real_wine.own / "evidence-desk.exe", "init", "--demo", "--vault", shown(real_wine, vault))
    (sealed,) = tool(real_wine, "evidence-desk", "seal", original, "--case", "（2026）京0105民初1号", "--vault", vault)[
        "exhibits"
    ]  # fmt: skip
    assert sealed["states"]["timestamped"]
    certificate, package = folder / "存证证书.pdf", folder / "证据包.asice"
    for verb, path in (("certify", certificate), ("export", package)):
        line = [verb, sealed["number"], "-o", shown(real_wine, path), "--vault", shown(real_wine, vault)]
        real_wine.run(real_wine.own / "evidence-desk.exe", *line)
    return {"original": original, "vault": vault, "certificate": certificate, "package": package}


def test_the_main_job(real_wine: Wine, job: dict[str, Path]) -> None:
    trust = job["vault"] / "trust"
    for words in ((job["package"],), (job["certificate"], "--file", job["original"])):
        assert tool(real_wine, "evidence-verify", *words, "--trust", trust)["overall"] == "passed"
    damaged = job["package"].with_name("改动.asice")
    data = bytearray(job["package"].read_bytes())
    data[len(data) // 2] ^= 1
    damaged.write_bytes(data)
    assert tool(real_wine, "evidence-verify", damaged, "--trust", trust, expect=1)["overall"] == "failed"


def test_linux_says_the_same(job: dict[str, Path]) -> None:
    line = [sys.executable, "-c", "from evidence_desk.verifier import run; run()"]
    told = [str(job["package"]), "--trust", str(job["vault"] / "trust"), "--json"]
    done = subprocess.run([*line, *told], cwd=ROOT, capture_output=True, check=False)
    assert json.loads(done.stdout)["overall"] == "passed"


def test_the_small_verifier(real_wine: Wine, job: dict[str, Path], verifier: Path) -> None:
    assert VERIFIER.stat().st_size < 40 * _MB
    trust = shown(real_wine, job["vault"] / "trust")
    for path in (job["package"], job["certificate"]):
        words = [shown(real_wine, path), "--trust", trust, "--json"]
        assert json.loads(real_wine.run(verifier, *words))["overall"] == "passed"
    assert json.loads(real_wine.run(verifier, shown(real_wine, job["original"]), "--json", expect=None))
    names = {path.name.lower() for path in verifier.parent.rglob("*")}
    assert not names & {"pyside6", "sqlcipher3", "pyrage", "qt6core.dll"}


def test_the_window_shows(real_wine: Wine) -> None:
    """Widgets on a display; a picture of it for people to look at."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    picture = SCREENS / "windows-wine.png"
    environment = {**os.environ, "DISPLAY": real_wine.display, "QT_QPA_PLATFORM": "xcb"}

    def colors() -> int:
        line = [sys.executable, "-c", GRAB, str(picture)]
        done = subprocess.run(line, env=environment, capture_output=True, text=True, check=True)
        return int(done.stdout.split()[-1])

    empty = colors()
    program = real_wine.start(real_wine.own / "Evidence Desk.exe")
    try:
        wait_until(lambda: colors() > empty + 60, "the window is drawn", 240)
        assert program.poll() is None
    finally:
        real_wine.end(program)


def test_upgrade_while_the_vault_is_in_use(real_wine: Wine, job: dict[str, Path], tmp_path: Path) -> None:
    """A newer version is laid while the older seals; the vault is whole, and the newer one opens it."""
    from scripts.package_windows.__main__ import make_setup_of  # noqa: PLC0415

    old = current(real_wine.own)
    app = tmp_path / "app-99.0.0-00000000"
    shutil.copytree(real_wine.own / old, app)
    newer = tmp_path / "newer.exe"
    make_setup_of(tmp_path, app, "99.0.0", newer, packing="STORE")
    large = documents(real_wine) / "大 录像.mp4"
    with large.open("wb") as stream:
        stream.truncate(_LARGE)
    vault = shown(real_wine, job["vault"])
    sealing = real_wine.start(
        real_wine.own / "evidence-desk.exe", "seal", shown(real_wine, large), "--vault", vault, "--json"
    )
    wait_until(lambda: _grows(job["vault"]), "it seals")
    real_wine.run(newer, "/S", "/CurrentUser")
    assert current(real_wine.own) == app.name
    assert sealing.poll() is None, "it was done too soon for this test"
    assert (real_wine.own / old / "python" / "python313.dll").exists()
    out, err = sealing.communicate(timeout=600)
    assert sealing.returncode == 0, err.decode("utf-8", "replace")
    (sealed,) = json.loads(out)["exhibits"]
    assert sealed["states"]["logged"]
    assert "99.0.0" in (real_wine.own / "current").read_text()
    real_wine.run(real_wine.own / "evidence-desk.exe", "audit", "--vault", vault)
    real_wine.run(newer, "/S", "/CurrentUser")
    assert versions(real_wine.own) == [current(real_wine.own)]
    real_wine.run(SETUP, "/S", "/CurrentUser", expect=3)


def _grows(vault: Path) -> bool:
    return sum(path.stat().st_size for path in vault.rglob("*") if path.is_file()) > 20 * _MB


def test_for_all_users(real_wine: Wine) -> None:
    real_wine.run(SETUP, "/S", "/AllUsers")
    program = real_wine.all_users / "evidence-desk.exe"
    assert json.loads(real_wine.run(program, "selftest", "--json", "--skip", "capture"))["passed"]
    real_wine.uninstall(real_wine.all_users, "/AllUsers")
    assert not real_wine.all_users.exists()


def test_uninstalling_leaves_the_vault_and_nothing_of_the_program(
    real_wine: Wine, job: dict[str, Path]
) -> None:
    real_wine.uninstall(real_wine.own, "/CurrentUser")
    assert not real_wine.own.exists()
    assert not [
        name for name in tree(real_wine) if name.endswith(".lnk") and ("Evidence" in name or "证据" in name)
    ]
    assert "EvidenceDesk" not in real_wine.registry()
    assert (job["vault"] / "trust").is_dir()
    assert job["certificate"].is_file()
