"""What goes into the Linux packages and what they declare; the packages themselves are tested in tests/package/linux."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from evidence_desk.launch import PROGRAMS
from scripts.package_linux.contents import DESKTOP, QT_LIBRARIES, SERVER, keep
from scripts.package_linux.debian import court_node, evidence_desk
from scripts.package_linux.links import outside

LINUX = Path(__file__).parents[2] / "installers" / "linux"
GPL_ONLY = (
    "Charts", "DataVisualization", "Graphs", "HttpServer", "NetworkAuth", "Quick3D", "QuickTimeline", "VirtualKeyboard",
    "ShaderTools", "WaylandCompositor",
)  # fmt: skip


def test_bundles_hold_the_programs():
    assert set(DESKTOP.programs) == set(PROGRAMS)
    assert SERVER.programs == ("court-node",)
    assert "ui" not in SERVER.modules
    assert "PySide6" in SERVER.excludes


@pytest.mark.parametrize("name", GPL_ONLY)
def test_modules_under_gpl_alone_stay_out(name):
    assert name not in QT_LIBRARIES
    found = [
        (f"PySide6/Qt/lib/libQt6{name}.so.6", "x", "BINARY"),
        (f"PySide6/Qt{name}.abi3.so", "x", "EXTENSION"),
    ]
    assert keep(found) == []


@pytest.mark.parametrize(
    ("place", "kind", "wanted"),
    [
        ("PySide6/Qt/lib/libQt6WebEngineCore.so.6", "BINARY", True),
        ("PySide6/Qt/libexec/QtWebEngineProcess", "BINARY", True),
        ("PySide6/Qt/resources/icudtl.dat", "DATA", True),
        ("PySide6/Qt/resources/qtwebengine_devtools_resources.pak", "DATA", False),
        ("PySide6/Qt/translations/qtbase_zh_CN.qm", "DATA", True),
        ("PySide6/Qt/translations/qtbase_fr.qm", "DATA", False),
        ("PySide6/Qt/translations/qtwebengine_locales/zh-CN.pak", "DATA", True),
        ("PySide6/Qt/translations/qtwebengine_locales/de.pak", "DATA", False),
        ("PySide6/Qt/plugins/platforms/libqxcb.so", "BINARY", True),
        ("PySide6/Qt/plugins/platforms/libqeglfs.so", "BINARY", False),
        ("PySide6/Qt/plugins/platforminputcontexts/libqtvirtualkeyboardplugin.so", "BINARY", False),
        ("PySide6/Qt/plugins/sqldrivers/libqsqlite.so", "BINARY", False),
        ("PySide6/Qt/qml/QtQuick/qmldir", "DATA", False),
        ("libQt6Core.so.6", "SYMLINK", False),
        ("libgtk-3.so.0", "BINARY", False),
        ("libreadline.so.8", "BINARY", False),
        ("libsoftokn3.chk", "DATA", False),
        ("libpython3.11.so.1.0", "BINARY", True),
        ("libxcb-cursor.so.0", "BINARY", True),
        ("libssl.so.3", "BINARY", True),
        ("_cffi_backend.cpython-311-x86_64-linux-gnu.so", "EXTENSION", True),
        ("evidence_desk/vault/schema/001.sql", "DATA", True),
    ],
)
def test_what_is_kept(place, kind, wanted):
    entry = (place, "/somewhere", kind)
    assert keep([entry]) == ([entry] if wanted else [])


@pytest.mark.skipif(shutil.which("objdump") is None, reason="needs binutils")
def test_links_are_read_from_the_files(tmp_path: Path):
    interpreter = Path(sys.executable).resolve()
    shutil.copy(interpreter, tmp_path / "program")
    (tmp_path / "text").write_text("no program")
    links = outside(tmp_path)
    assert links.glibc >= (2, 2)
    assert not [name for name in links.needed if name.startswith("libc.")]
    for name in links.needed:
        (tmp_path / name).write_bytes((tmp_path / "program").read_bytes())
    assert outside(tmp_path).needed & links.needed == set(), "what is inside is not needed from outside"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What `complete` leaves, small."""
    made = tmp_path / "programs"
    for name in ("share/doc/manual", "share/licenses/qt", "share/applications", "_internal/engine"):
        (made / name).mkdir(parents=True)
    for name in (
        "evidence-desk",
        "court-node",
        "_internal/engine/cometbft",
        "INSTALL.md",
        "share/applications/a.desktop",
    ):
        (made / name).write_text(name)
    (made / "court-node").chmod(0o700)
    (made / "_internal" / "link").symlink_to("engine")
    return made


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="needs dpkg-deb")
@pytest.mark.parametrize("make", [evidence_desk, court_node])
def test_debian_package(folder: Path, tmp_path: Path, make, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    given = {"depends": ["liba", "libb"], "recommends": ["libc-optional"], "glibc": (2, 36), "fast": True}
    package = make(folder, tmp_path / "work", tmp_path, **given)
    (tmp_path / "again").mkdir()
    again = make(folder, tmp_path / "work2", tmp_path / "again", **given)
    assert package.read_bytes() == again.read_bytes()
    told = subprocess.run(["dpkg-deb", "-f", package], capture_output=True, text=True, check=True).stdout
    assert "Depends: libc6 (>= 2.36), liba, libb" in told
    listed = subprocess.run(["dpkg-deb", "-c", package], capture_output=True, text=True, check=True).stdout
    name = package.name.split("_")[0]
    assert f"./usr/lib/{name}/_internal/engine/cometbft" in listed
    assert f"./usr/bin/{name} -> ../lib/{name}/{name}" in listed
    assert "INSTALL.md" not in listed
    assert ("court-node@.service" in listed) == (name == "court-node")


def test_entries_of_one_user_name_the_folder_whatever_it_is_called(tmp_path: Path):
    """And are taken back; a folder that no desktop entry can name is refused."""
    folder, home = tmp_path / "解压 a|b&c 100%", tmp_path / "家"
    home.mkdir()
    for kind, name in (
        ("applications", "evidence-desk.desktop"), ("applications", "evidence-desk-seal.desktop"),
        ("icons/hicolor/scalable/apps", "evidence-desk.svg"), ("mime/packages", "evidence-desk.xml"),
    ):  # fmt: skip
        (folder / "share" / kind).mkdir(parents=True, exist_ok=True)
        shutil.copy(LINUX / name, folder / "share" / kind / name)
    script = shutil.copy(LINUX / "install.sh", folder)
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    subprocess.run(["sh", script], env=environment, check=True)
    entry = home / ".local/share/applications/evidence-desk.desktop"
    named = f'"{folder}/evidence-desk-gui"'.replace("%", "%%")
    commands = [
        line.removeprefix("Exec=")
        for line in entry.read_text("utf-8").splitlines()
        if line.startswith("Exec=")
    ]
    assert commands == [f"{named} %F", f"{named} --seal %F", f"{named} --verify %F"]
    assert (home / ".local/bin/evidence-verify").readlink() == folder / "evidence-verify"
    subprocess.run(["sh", script, "--remove"], env=environment, check=True)
    assert not list(home.rglob("evidence-*"))
    strange = tmp_path / 'a"b'
    strange.mkdir()
    refused = subprocess.run(
        ["sh", shutil.copy(LINUX / "install.sh", strange)], env=environment, capture_output=True, check=False
    )
    assert refused.returncode == 1
