"""The setup's own work, with small setups: the real script and launchers, a program that tells how it was started."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scripts.package_windows import layout
from scripts.package_windows.__main__ import make_setup_of, moment
from tests.package.windows.conftest import SHIMS, SmallSetup, Wine, wait_until

OLD, NEW = "1.4.9", "1.5.0"
NEWER_INSTALLED, OLD_WINDOWS, LONG_FOLDER, IN_USE, NOT_DONE = 3, 4, 5, 6, 2
ANSWER = 42
PROGRAMS = {
    "Evidence Desk.exe": "evidence-desk-gui", "evidence-desk.exe": "evidence-desk", "evidence-verify.exe": "evidence-verify",
    "evidence-tsa.exe": "evidence-tsa",
}  # fmt: skip


def current(folder: Path) -> str:
    return (folder / "current").read_text("ascii")


def versions(folder: Path) -> list[str]:
    """Folders that a setup made, finished or not."""
    return sorted(path.name for path in folder.iterdir() if path.is_dir())


def is_whole(folder: Path, version: str) -> bool:
    """The installed version is this one, with every file of its own list."""
    app = folder / current(folder)
    listed = (app / "contents.txt").read_text("utf-8").splitlines()
    sizes = {line.split(" ", 2)[2]: int(line.split(" ", 2)[1]) for line in listed}
    there = all(
        (app / name).is_file() and (app / name).stat().st_size == size for name, size in sizes.items()
    )
    return there and len(sizes) > 40 and (app / "版本.txt").read_text("utf-8") == version


def tree(wine: Wine) -> set[str]:
    """Everything on the drive that is not Windows' own."""
    return {path.relative_to(wine.drive).as_posix() for path in wine.drive.rglob("*")} - _own(wine)


def _own(wine: Wine) -> set[str]:
    return {
        path.relative_to(wine.drive).as_posix()
        for top in ("windows", f"users/{wine.user}/Temp", f"users/{wine.user}/AppData/Local/Temp")
        for path in (wine.drive / top).rglob("*")
    }


@contextmanager
def running(wine: Wine, program: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The program, started and at work; told to end at the end."""
    ended = wine.prefix.parent / "ended"
    ended.unlink(missing_ok=True)
    process = wine.start(program, "--wait", f"Z:{ended}")
    assert process.stdout is not None
    assert process.stdout.readline()
    try:
        yield process
    finally:
        ended.touch()
        process.communicate(timeout=60)


@pytest.mark.parametrize("mode", ["CurrentUser", "AllUsers"])
def test_install_and_uninstall(wine: Wine, small_setup: SmallSetup, mode: str) -> None:
    wine.run("cmd", "/c", "ver")
    before, registry = tree(wine), wine.registry()
    folder = wine.own if mode == "CurrentUser" else wine.all_users
    wine.run(small_setup(OLD), "/S", f"/{mode}")
    assert is_whole(folder, OLD)
    assert set(PROGRAMS) < {path.name for path in folder.iterdir()}
    told = wine.registry()
    for word in ("--seal", "--verify", ".asice", "DisplayVersion", "QuietUninstallString", OLD):
        assert word in told, word
    assert [path for path in tree(wine) - before if path.endswith(".lnk")]
    vault = wine.drive / "users" / wine.user / "AppData" / "Local" / "evidence-desk" / "vault" / "vault.db"
    vault.parent.mkdir(parents=True)
    vault.write_text("evidence")
    settings = vault.parents[1] / "desktop.json"
    settings.write_text("{}")
    wine.uninstall(folder, f"/{mode}")
    left = {
        path for path in tree(wine) - before if "evidence-desk" not in path and not path.startswith("Windows")
    }
    assert vault.read_text() == "evidence"
    assert not settings.exists()
    assert not {path for path in left if "Evidence" in path or "证据" in path}, left
    assert wine.registry() == registry


def test_programs_are_told_apart(wine: Wine, small_setup: SmallSetup) -> None:
    wine.run(small_setup(OLD), "/S", "/CurrentUser")
    for name, program in PROGRAMS.items():
        words = wine.run(wine.own / name, "--seal", "证据 一.pdf", expect=ANSWER).splitlines()
        assert words[1:4] == ["-B", "-X", "utf8"]
        assert words[4].endswith(f"{current(wine.own)}\\start.py")
        assert words[5:] == [program, "--seal", "证据 一.pdf"]


def test_an_upgrade_replaces_the_version(wine: Wine, small_setup: SmallSetup) -> None:
    wine.run(small_setup(OLD), "/S", "/CurrentUser")
    wine.run(small_setup(NEW), "/S", "/CurrentUser")
    assert is_whole(wine.own, NEW)
    assert versions(wine.own) == [current(wine.own)]
    assert OLD not in wine.registry()
    assert f"app-{NEW}" in wine.run(wine.own / "evidence-desk.exe", expect=ANSWER)


def test_a_downgrade_is_refused(wine: Wine, small_setup: SmallSetup) -> None:
    wine.run(small_setup(NEW), "/S", "/CurrentUser")
    before = tree(wine)
    wine.run(small_setup(OLD), "/S", "/CurrentUser", expect=NEWER_INSTALLED)
    assert tree(wine) == before
    assert is_whole(wine.own, NEW)


def test_the_same_setup_repairs(wine: Wine, small_setup: SmallSetup) -> None:
    wine.run(small_setup(OLD), "/S", "/CurrentUser")
    app = wine.own / current(wine.own)
    (app / "版本.txt").unlink()
    (app / "start.py").write_text("damaged")
    (wine.own / "evidence-desk.exe").unlink()
    wine.run(small_setup(OLD), "/S", "/CurrentUser")
    assert is_whole(wine.own, OLD)
    assert versions(wine.own) == [current(wine.own)]
    wine.run(wine.own / "evidence-desk.exe", expect=ANSWER)


def test_a_running_program_goes_on_with_its_own_version(wine: Wine, small_setup: SmallSetup) -> None:
    wine.run(small_setup(OLD), "/S", "/CurrentUser")
    old = current(wine.own)
    with running(wine, wine.own / "evidence-desk.exe") as process:
        wine.run(small_setup(NEW), "/S", "/CurrentUser")
        assert is_whole(wine.own, NEW)
        assert (wine.own / old / "python" / "python313.dll").exists(), "the running program lost its files"
        assert (wine.own / old / "start.py").exists(), "the running program lost its files"
        assert process.poll() is None
        assert f"app-{NEW}" in wine.run(wine.own / "evidence-desk.exe", expect=ANSWER)
        child = Wine(wine.prefix, wine.display, more={"EVIDENCE_DESK_RUNNING": old})
        assert f"app-{OLD}" in child.run(wine.own / "evidence-desk.exe", expect=ANSWER)
    wine.run(small_setup(NEW), "/S", "/CurrentUser")
    assert versions(wine.own) == [current(wine.own)]


def test_a_strange_name_of_a_version_is_not_followed(wine: Wine, small_setup: SmallSetup) -> None:
    wine.run(small_setup(OLD), "/S", "/CurrentUser")
    elsewhere = wine.own.parent / "app-x"
    shutil.copytree(wine.own / current(wine.own), elsewhere)
    for name in ("..\\app-x", "app-x\\..\\..\\app-x", str(elsewhere), "app-none"):
        child = Wine(wine.prefix, wine.display, more={"EVIDENCE_DESK_RUNNING": name})
        assert f"app-{OLD}" in child.run(wine.own / "evidence-desk.exe", expect=ANSWER)
    (wine.own / "current").write_text("..\\app-x", "ascii")
    wine.run(wine.own / "evidence-desk.exe", expect=70)


def test_uninstalling_waits_for_a_running_program(wine: Wine, small_setup: SmallSetup) -> None:
    wine.run(small_setup(OLD), "/S", "/CurrentUser")
    with running(wine, wine.own / "evidence-desk.exe"):
        wine.run(wine.own / "uninstall.exe", "/S", "/CurrentUser", expect=None)
        time.sleep(3)
        assert is_whole(wine.own, OLD)
    wine.uninstall(wine.own, "/CurrentUser")
    assert not wine.own.exists()


def test_what_stands_in_no_list_stays(wine: Wine, small_setup: SmallSetup) -> None:
    folder = wine.drive / "我的文件"
    folder.mkdir()
    (folder / "原件.pdf").write_bytes(b"%PDF")
    wine.run(small_setup(OLD), "/S", "/CurrentUser", "/D=C:\\我的文件")
    assert is_whole(folder, OLD)
    (folder / current(folder) / "写在这里.txt").write_text("mine")
    wine.uninstall(folder, "/CurrentUser")
    names = sorted(path.name for path in folder.rglob("*") if path.is_file())
    assert names == ["写在这里.txt", "原件.pdf"]


@pytest.mark.parametrize("share", [0.02, 0.2, 0.5, 0.8, 0.95, 1.0])
def test_a_killed_setup_leaves_the_old_or_the_new(wine: Wine, small_setup: SmallSetup, share: float) -> None:
    wine.run(small_setup(OLD), "/S", "/CurrentUser")
    setup = small_setup(NEW)
    process = wine.start(setup, "/S", "/CurrentUser")
    wait_until(
        lambda: _files(wine.own, "new-") >= max(1, int(43 * share)) or "1.5" in current(wine.own),
        "files laid",
        60,
    )
    wine.end(process)
    assert is_whole(wine.own, OLD) or is_whole(wine.own, NEW)
    wine.run(wine.own / "evidence-desk.exe", expect=ANSWER)
    wine.run(setup, "/S", "/CurrentUser")
    assert is_whole(wine.own, NEW)
    assert versions(wine.own) == [current(wine.own)]
    assert not [path for path in wine.own.iterdir() if path.suffix in {".new", ".old"}]


def _files(folder: Path, start: str) -> int:
    return sum(
        1
        for top in folder.iterdir()
        if top.name.startswith(start)
        for path in top.rglob("*")
        if path.is_file()
    )


def test_a_first_setup_that_was_killed_is_taken_away_by_a_newer(wine: Wine, small_setup: SmallSetup) -> None:
    process = wine.start(small_setup(OLD), "/S", "/CurrentUser")
    wait_until(lambda: wine.own.is_dir() and _files(wine.own, "new-") > 5, "files laid", 60)
    wine.end(process)
    wine.run(small_setup(NEW), "/S", "/CurrentUser")
    assert is_whole(wine.own, NEW)
    assert versions(wine.own) == [current(wine.own)]


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small disk")
def test_a_full_disk_leaves_the_old_version(wine: Wine, small_setup: SmallSetup) -> None:
    disk = wine.drive / "small"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", disk], check=True)
    try:
        wine.run(small_setup(OLD), "/S", "/CurrentUser", "/D=C:\\small\\desk")
        wine.run(small_setup(NEW), "/S", "/CurrentUser", expect=NOT_DONE)
        folder = disk / "desk"
        assert is_whole(folder, OLD)
        wine.run(folder / "evidence-desk.exe", expect=ANSWER)
        assert f'"Version"="{OLD}"' in wine.registry()
        subprocess.run(["mount", "-o", "remount,size=80m", disk], check=True)
        wine.run(small_setup(NEW), "/S", "/CurrentUser")
        assert is_whole(folder, NEW)
        assert versions(folder) == [current(folder)]
        wine.settle()
    finally:
        wine.end()
        subprocess.run(["umount", "-l", disk], check=True)


@pytest.mark.parametrize("seconds", [6, 600])
def test_a_file_that_another_program_holds(
    wine: Wine, small_setup: SmallSetup, tmp_path: Path, seconds: int
) -> None:
    """An antivirus that lets go of it costs time; one that does not leaves the old version."""
    wine.run(small_setup(OLD), "/S", "/CurrentUser")
    hold = tmp_path / "hold.exe"
    line = ["x86_64-w64-mingw32-gcc", "-O2", "-municode", "-o", str(hold), str(SHIMS / "hold.c")]
    subprocess.run(line, check=True)
    held = "C:\\" + (wine.own / "current").relative_to(wine.drive).as_posix().replace("/", "\\")
    holding = wine.start(hold, held, str(seconds))
    assert holding.stdout is not None
    assert b"held" in holding.stdout.readline()
    wine.run(small_setup(NEW), "/S", "/CurrentUser", expect=0 if seconds < 20 else NOT_DONE)
    wine.end(holding)
    assert is_whole(wine.own, NEW if seconds < 20 else OLD)
    wine.run(wine.own / "evidence-desk.exe", expect=ANSWER)
    wine.run(small_setup(NEW), "/S", "/CurrentUser")
    assert versions(wine.own) == [current(wine.own)]


def test_a_damaged_setup_installs_nothing(wine: Wine, small_setup: SmallSetup, tmp_path: Path) -> None:
    data = small_setup(OLD).read_bytes()
    chance = random.Random(7)
    places = [len(data) // 2, len(data) - 100_000, *(chance.randrange(200_000, len(data)) for _ in range(3))]
    before = tree(wine)
    for place in places:
        damaged = tmp_path / "damaged.exe"
        damaged.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        wine.run(damaged, "/S", "/CurrentUser", expect=2)
    (tmp_path / "cut.exe").write_bytes(data[: len(data) * 2 // 3])
    wine.run(tmp_path / "cut.exe", "/S", "/CurrentUser", expect=2)
    assert not wine.own.exists()
    assert tree(wine) == before


def test_an_older_windows_is_refused(wine: Wine, small_setup: SmallSetup) -> None:
    for name in ("win7", "win81"):
        wine.set_version(name)
        wine.run(small_setup(OLD), "/S", "/CurrentUser", expect=OLD_WINDOWS)
    assert not wine.own.exists()


def test_a_folder_that_is_too_deep_is_refused(wine: Wine, small_setup: SmallSetup) -> None:
    deep = "C:\\" + "\\".join(["很长的名字很长的名字" * 3] * 7)
    wine.run(small_setup(OLD), "/S", "/CurrentUser", f"/D={deep}", expect=LONG_FOLDER)
    assert not (wine.drive / "很长的名字很长的名字很长的名字很长的名字很长的名字很长的名字").exists()


def test_both_modes_stand_side_by_side(wine: Wine, small_setup: SmallSetup) -> None:
    wine.run(small_setup(NEW), "/S", "/AllUsers")
    wine.run(small_setup(OLD), "/S", "/CurrentUser")
    assert is_whole(wine.all_users, NEW)
    assert is_whole(wine.own, OLD)
    settings = wine.local / "evidence-desk" / "desktop.json"
    settings.parent.mkdir()
    settings.write_text("{}")
    wine.uninstall(wine.own, "/CurrentUser")
    assert is_whole(wine.all_users, NEW)
    assert settings.exists(), "the other installation still needs it"
    wine.run(wine.all_users / "evidence-desk.exe", expect=ANSWER)


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    """Launchers, lists and the setup itself, made in two folders."""
    made = []
    for name in ("one", "another/deeper"):
        app = tmp_path / name / "app"
        (app / "数据").mkdir(parents=True)
        (app / "数据" / "文件.txt").write_text("证据" * 5000, "utf-8")
        (app / "start.py").write_text("#\n", "ascii")
        folder = app.rename(app.with_name(f"app-{OLD}-{layout.seal_folder(app)}"))
        layout.set_times(folder, moment())
        target = tmp_path / name / "EvidenceDesk-setup.exe"
        make_setup_of(target.parent, folder, OLD, target, packing="FAST")
        made.append((folder.name, target.read_bytes()))
    assert made[0] == made[1]


def test_everything_we_build_is_signed_when_a_certificate_is_given(
    wine: Wine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a certificate made here; the steps are those of a real one."""
    key, certificate, both = (tmp_path / name for name in ("key.pem", "certificate.pem", "both.p12"))
    extension = ["-addext", "extendedKeyUsage=codeSigning", "-subj", "/O=演示 Test/CN=Test", "-utf8"]
    new = ["openssl", "req", "-x509", "-newkey", "rsa:3072", "-nodes", "-days", "2"]
    subprocess.run(
        [*new, "-keyout", str(key), "-out", str(certificate), *extension], check=True, capture_output=True
    )
    password = tmp_path / "password"
    password.write_text("测试-1")
    export = ["openssl", "pkcs12", "-export", "-inkey", str(key), "-in", str(certificate), "-out", str(both)]
    subprocess.run([*export, "-passout", f"file:{password}"], check=True)
    monkeypatch.setenv("EVIDENCE_DESK_SIGN_P12", str(both))
    monkeypatch.setenv("EVIDENCE_DESK_SIGN_PASSWORD_FILE", str(password))
    app = tmp_path / "app"
    (app / "python").mkdir(parents=True)
    (app / "python" / "python313.dll").write_bytes(b"MZ")
    folder = app.rename(tmp_path / f"app-{OLD}-{layout.seal_folder(app)}")
    setup = tmp_path / "EvidenceDesk-setup.exe"
    make_setup_of(tmp_path, folder, OLD, setup, packing="FAST")
    wine.run(setup, "/S", "/CurrentUser")
    for path in (setup, wine.own / "uninstall.exe", *(wine.own / name for name in PROGRAMS)):
        verify = ["osslsigncode", "verify", "-CAfile", str(certificate), "-in", str(path)]
        done = subprocess.run(verify, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{path.name}: {done.stdout[-500:]}"
