"""The Debian packages: what they declare, that they run from where they are installed, and that removing leaves nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from evidence_desk import __version__
from tests.package.linux.conftest import DESKTOP_PACKAGE, NODE_PACKAGE, Installed

pytestmark = pytest.mark.skipif(shutil.which("dpkg") is None, reason="needs dpkg")


def field(package: Path, name: str) -> str:
    return subprocess.run(
        ["dpkg-deb", "-f", package, name], capture_output=True, text=True, check=True
    ).stdout.strip()


def dpkg(root: Path, *words: str | Path) -> None:
    """dpkg on a system of its own that has nothing else, so dependencies are not looked at."""
    for name in ("info", "updates", "triggers"):
        (root / "var/lib/dpkg" / name).mkdir(parents=True, exist_ok=True)
    (root / "var/lib/dpkg/status").touch()
    (root / "var/log").mkdir(exist_ok=True)
    done = subprocess.run(
        ["dpkg", f"--root={root}", "--force-not-root", "--force-depends", "--force-script-chrootless", "--log=/dev/null", *words],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def files(root: Path) -> list[str]:
    return [
        str(path.relative_to(root)) for path in root.rglob("*") if path.is_symlink() or path.is_file()
        if not str(path.relative_to(root)).startswith("var/")
    ]  # fmt: skip


@pytest.mark.parametrize("package", [DESKTOP_PACKAGE, NODE_PACKAGE], ids=lambda path: path.name.split("_")[0])
def test_declares_itself(package: Path):
    assert field(package, "Version") == __version__
    assert field(package, "Architecture") == "amd64"
    depends = field(package, "Depends")
    assert depends.startswith("libc6 (>= 2.")
    if package == DESKTOP_PACKAGE:
        assert {"libnss3", "libegl1", "libxkbcommon0"} <= set(depends.split(", "))
        assert "systemd" not in depends
    else:
        assert "systemd" in depends
        assert not [name for name in depends.split(", ") if name.startswith(("libx", "libegl", "libnss"))]
    told = subprocess.run(["dpkg-deb", "-c", package], capture_output=True, text=True, check=True).stdout
    assert all("root/root" in line for line in told.splitlines())
    rights = [line[:10] for line in told.splitlines() if line[0] != "l"]
    assert set(rights) <= {"drwxr-xr-x", "-rwxr-xr-x", "-rw-r--r--"}


@pytest.mark.parametrize("package", [DESKTOP_PACKAGE, NODE_PACKAGE], ids=lambda path: path.name.split("_")[0])
def test_installed_upgraded_removed(package: Path, tmp_path: Path):
    name = package.name.split("_")[0]
    dpkg(tmp_path, "-i", package)
    assert (tmp_path / "usr/bin" / name).resolve().is_relative_to(tmp_path)
    dpkg(tmp_path, "-i", package)
    dpkg(tmp_path, "-P", name)
    assert files(tmp_path) == []


def test_programs_of_the_desktop_package_run(tmp_path: Path, home: Path):
    subprocess.run(["dpkg-deb", "-x", DESKTOP_PACKAGE, tmp_path / "root"], check=True)
    installed = Installed(programs=tmp_path / "root/usr/bin", home=home)
    names = {path.name for path in installed.programs.iterdir()}
    assert names == {"evidence-desk-gui", "evidence-desk", "evidence-verify", "evidence-tsa"}
    told = installed.json("evidence-desk", "selftest", "--skip", "capture")
    assert told["passed"], told
    share = tmp_path / "root/usr/share"
    assert (share / "applications/evidence-desk.desktop").is_file()
    assert (share / "icons/hicolor/scalable/apps/evidence-desk.svg").is_file()
    assert (share / "doc/evidence-desk/manual/README.md").is_file()


def test_node_package_runs_and_its_units_are_sound(tmp_path: Path, home: Path):
    root = tmp_path / "root"
    subprocess.run(["dpkg-deb", "-x", NODE_PACKAGE, root], check=True)
    installed = Installed(programs=root / "usr/bin", home=home)
    assert not [path for path in root.rglob("*") if path.name.startswith(("PySide6", "libQt"))], (
        "a server has no screen"
    )
    names = {path.name for path in (root / "usr/lib/court-node/_internal").iterdir()}
    assert not names & {"ui", "reports", "sqlcipher3", "pikepdf", "assets"}, "what only a desk needs"
    engine = root / "usr/lib/court-node/_internal/engine/cometbft"
    assert os.access(engine, os.X_OK)
    installed.run("court-node", "init", "--help")
    with subprocess.Popen(
        [installed.programs / "court-node", "localnet", "4", "--dir", home / "网络", "--until-eof"],
        env=installed.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as network:  # fmt: skip
        assert network.stdout is not None
        line = network.stdout.readline()
        assert "gateways" in line, network.stderr and network.stderr.read()[-2000:]
        told = installed.json("court-node", "status", "--dir", home / "网络")
        assert [node["running"] for node in told["nodes"]] == [True] * 4
        network.communicate(timeout=120)
    assert network.returncode == 0
    units = root / "usr/lib/systemd/system"
    for path in units.iterdir():
        text = path.read_text("utf-8")
        assert "/usr/local/" not in text
        for line in text.splitlines():
            if line.startswith(("ExecStart=", "Environment=COURT_NODE_ENGINE=", "Documentation=file:")):
                place = line.split("=", 2)[-1] if line.startswith("Env") else line.partition("=")[2]
                named = place.removeprefix("file:").split()[0].lstrip("/")
                assert (root / named).exists(), line
    assert (root / "usr/lib/sysusers.d/court-node.conf").is_file()
