"""The archive: unpacked anywhere, all programs do their work without this checkout."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from evidence_desk.launch import PROGRAMS
from evidence_desk.program import program
from tests.package.linux.conftest import ROOT, Installed
from tests.sites import TLS13, Http1Site, SiteCa, Tls
from tests.sites.pages import reading
from ui.manual import DOCS, MANUAL

SCREENS = ROOT / "build" / "screens"
SAMPLE = ROOT / "assets" / "sample_case"
GRAB = """
import sys
from PySide6.QtGui import QGuiApplication
application = QGuiApplication([])
picture = application.primaryScreen().grabWindow(0).toImage()
picture.save(sys.argv[1])
print(len({picture.pixel(x, y) for x in range(0, picture.width(), 3) for y in range(0, picture.height(), 3)}))
"""


def test_selftest(unpacked: Installed):
    """What a user runs: all steps pass, the web capture too; nothing stays in the home."""
    told = unpacked.json("evidence-desk", "selftest")
    assert told["passed"], told
    assert {step["result"] for step in told["steps"]} == {"passed"}
    assert told["program"]["packaged"]
    left = {str(path.relative_to(unpacked.home)) for path in unpacked.home.rglob("*") if path.is_file()}
    assert left <= {".cache/dconf/user"}, left  # the system's GLib looks there for settings


@pytest.mark.skipif(
    os.getuid() != 0 or shutil.which("setpriv") is None, reason="needs root, to be somebody else"
)
def test_selftest_of_a_user_without_rights(archive_folder: Path):
    """Who may write neither program nor home of others; then Chromium's sandbox is on, too."""
    nobody = 65534
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, nobody, nobody)
        before = ("setpriv", f"--reuid={nobody}", f"--regid={nobody}", "--clear-groups")
        told = Installed(programs=archive_folder, home=Path(folder), before=before).json(
            "evidence-desk", "selftest"
        )
    assert told["passed"], told
    assert told["steps"][-1]["name"] == "capture"


def test_program_is_the_same_as_the_sources(unpacked: Installed):
    """Statements name the digest of the program: a package's is that of its sources."""
    told = unpacked.json("evidence-desk", "selftest", "--skip", "capture", "--skip", "window")
    assert told["program"]["digests"] == program().digests.to_json(), (
        "packed from other sources? make package-linux"
    )


@pytest.mark.parametrize("name", [name for name, item in PROGRAMS.items() if not item.windowed])
def test_programs_tell_their_use(unpacked: Installed, name: str):
    assert name in unpacked.run(name, "--help")


def test_the_main_job(unpacked: Installed):
    home = unpacked.home
    original = home / "设备采购合同.pdf"
    shutil.copy(SAMPLE / original.name, original)
    unpacked.run("evidence-desk", "init", "--demo")
    (sealed,) = unpacked.json("evidence-desk", "seal", original, "--case", "（2026）京0105民初1号")[
        "exhibits"
    ]
    assert sealed["states"]["timestamped"]
    certificate, package, trust = home / "存证证书.pdf", home / "证据包.asice", home / "存证库" / "trust"
    unpacked.run("evidence-desk", "certify", sealed["number"], "-o", certificate)
    unpacked.run("evidence-desk", "export", sealed["number"], "-o", package)
    for words in ((package,), (certificate, "--file", original)):
        assert unpacked.json("evidence-verify", *words, "--trust", trust)["overall"] == "passed"
    assert unpacked.json("evidence-verify", package, expect=2)["overall"] == "undetermined"
    for path in (certificate, package, original):
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    for words in ((package,), (certificate,)):
        assert unpacked.json("evidence-verify", *words, "--trust", trust, expect=1)["overall"] == "failed"


def test_capture_of_a_site(unpacked: Installed, display: str):
    """A page with subresources over TLS, recorded, decrypted, sealed, shown again."""
    unpacked.display = display
    ca = SiteCa()
    root = unpacked.home / "ca.pem"
    root.write_bytes(ca.root_pem)
    unpacked.run("evidence-desk", "init", "--demo")
    with Http1Site("localhost", reading.routes(), tls=Tls(leaf=ca.leaf("localhost"), versions=TLS13)) as site:
        told = unpacked.json(
            "evidence-desk",
            "capture",
            site.url("/"),
            "--allow-private",
            "--extra-ca",
            root,
            "--page-seconds",
            "60",
        )
    assert told["exhibits"], told
    number = told["exhibits"][0]["number"]
    assert told["exhibits"][0]["states"]["timestamped"]
    package = unpacked.home / "网页.asice"
    unpacked.run("evidence-desk", "export", number, "-o", package)
    verdict = unpacked.json("evidence-verify", package, "--trust", unpacked.home / "存证库" / "trust")
    assert verdict["overall"] == "passed", verdict
    shown = unpacked.home / "回放"
    told = unpacked.json("evidence-desk", "captures", "replay", number, "--save", shown)
    assert told["pages"]
    assert list(shown.glob("*.png"))


def test_window(unpacked: Installed, display: str):
    """The desktop program comes up on a screen, complains of nothing, and ends."""
    unpacked.display = display
    unpacked.more["LANG"] = "C.UTF-8"  # Qt says on stderr that it takes this one for C
    SCREENS.mkdir(parents=True, exist_ok=True)
    picture = SCREENS / "package-linux.png"
    errors = unpacked.home / "stderr.txt"
    with (
        errors.open("wb") as sink,
        subprocess.Popen(
            [unpacked.programs / "evidence-desk-gui"],
            env=unpacked.environment,
            cwd=unpacked.home,
            stderr=sink,
        ) as window,
    ):
        try:
            assert shows_something(picture, display, window)
            children = Path(f"/proc/{window.pid}/maps").read_text("utf-8")
            assert str(ROOT) not in children, "libraries of the checkout"
        finally:
            window.send_signal(signal.SIGTERM)
    assert errors.read_text("utf-8") == ""
    logs = list(unpacked.home.rglob("desktop.log"))
    assert [log.read_text("utf-8") for log in logs] == [""]


def shows_something(picture: Path, display: str, window: subprocess.Popen[bytes]) -> bool:
    """Whether the screen comes to have more than a few colors."""
    environment = {**os.environ, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
    for _ in range(60):
        assert window.poll() is None, "it ended"
        told = subprocess.run(
            [sys.executable, "-c", GRAB, picture], env=environment, capture_output=True, text=True, check=True
        )
        if int(told.stdout) > 100:
            return True
        time.sleep(0.5)
    return False


def test_authority_as_a_server(unpacked: Installed):
    folder = str(unpacked.home / "时间戳")
    command = [str(unpacked.programs / "evidence-tsa"), "serve", "--port", "0", "--state", folder]
    with subprocess.Popen(command, env=unpacked.environment, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            url = server.stdout.readline().strip()
            ca = unpacked.home / "ca.pem"
            subprocess.run(["curl", "-sSf", "-o", ca, f"{url}ca.pem"], check=True, timeout=60)
            unpacked.run("evidence-desk", "init")
            unpacked.run("evidence-desk", "authority", "add", url, "--name", "HTTP", "--trust", ca)
            assert unpacked.json("evidence-desk", "authority", "test")["gen_time"]
        finally:
            server.terminate()


def test_demonstration_network(unpacked: Installed):
    """As the window starts it: the desk's own program in the role of a node, with the engine inside the package."""
    command = [
        str(unpacked.programs / "evidence-desk-gui"), "--role", "court-node", "localnet", "4", "--dir",
        str(unpacked.home / "演示网络"), "--until-eof",
    ]  # fmt: skip
    with subprocess.Popen(
        command,
        env=unpacked.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as network:
        assert network.stdout is not None
        line = network.stdout.readline()
        assert line, network.stderr and network.stderr.read()[-2000:]
        ready = json.loads(line)
        assert len(ready["gateways"]) == 4
        unpacked.run("evidence-desk", "init", "--demo")
        network.communicate(timeout=120)  # its standard input ends
    assert network.returncode == 0


def test_nothing_of_the_building_machine_is_told(archive_folder: Path):
    """Paths of whoever built it are in no module of ours, and bytecode of ours is there and current."""
    inner = archive_folder / "_internal"
    here = str(ROOT).encode()
    for name in ("evidence_desk", "ui", "tsa", "reports"):
        sources = list((inner / name).rglob("*.py"))
        assert sources
        for path in sources:
            (code,) = (path.parent / "__pycache__").glob(f"{path.stem}.cpython-*.pyc")
            assert here not in code.read_bytes()
            assert code.read_bytes()[4] == 1, "unchecked hash: read-only folders are never asked for its time"


def test_only_what_may_be_passed_on(archive_folder: Path):
    names = [path.name for path in archive_folder.rglob("*")]
    gpl = re.compile(
        r"Charts|DataVisualization|Graphs|NetworkAuth|HttpServer|Quick3D|Timeline|VirtualKeyboard|virtualkeyboard|readline"
    )
    assert [name for name in names if gpl.search(name)] == []
    licenses = archive_folder / "share" / "licenses"
    assert (licenses / "qt" / "LGPL-3.0.txt").is_file()
    for package in ("cryptography", "pikepdf", "sqlcipher3", "pyrage", "reportlab"):
        assert any((licenses / package).iterdir()), package


def test_manual_is_where_the_window_looks_for_it(archive_folder: Path):
    """`ui.manual` opens it beside the assets, with its links."""
    manual = archive_folder / "_internal" / MANUAL.relative_to(DOCS.parent)
    assert (archive_folder / "_internal" / "assets").is_dir()
    links = re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", manual.read_text("utf-8"))
    assert links
    assert [link for link in links if not (manual.parent / link).exists()] == []


def test_registered_for_one_user_and_taken_back(unpacked: Installed):
    before = set(unpacked.home.rglob("*"))
    script = unpacked.programs / "install.sh"
    subprocess.run(["sh", script], env=unpacked.environment, check=True)
    entry = unpacked.home / ".local/share/applications/evidence-desk.desktop"
    assert f'Exec="{unpacked.programs}/evidence-desk-gui" %F' in entry.read_text("utf-8")
    if validator := shutil.which("desktop-file-validate"):
        subprocess.run([validator, entry], check=True)
    done = subprocess.run(
        [unpacked.home / ".local/bin/evidence-verify", "--version"],
        env=unpacked.environment,
        capture_output=True,
        check=True,
    )
    assert done.stdout
    subprocess.run(["sh", script, "--remove"], env=unpacked.environment, check=True)
    left = {
        path.relative_to(unpacked.home)
        for path in set(unpacked.home.rglob("*")) - before
        if not path.is_dir()
    }
    assert {path for path in left if path.name != "mimeinfo.cache" and "mime" not in path.parts} == set()
