"""A vault on a full and on a read-only disk, at every page's deeds; a stick pulled out while it is hashed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from evidence_desk.bootstrap.opening import init_session, open_session
from evidence_desk.core.job import Job
from evidence_desk.core.queue_ports import ItemState
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.errors import EvidenceDeskError, HostError
from evidence_desk.services.audit import audit
from evidence_desk.services.seal import SealRequest, seal
from evidence_desk.services.timestamp import timestamp
from evidence_desk.vault.vault_file import VaultFile
from tests.gui.cases.acting import settled
from tests.gui.conftest import CHEAP, PASSPHRASE, RecordedMessages
from ui.cases.acts import Acts
from ui.cases.finding import Chosen
from ui.cases.page import CasesPage
from ui.certify.drafting import Order
from ui.certify.issuing import Target
from ui.certify.work import issue_work
from ui.context import Context
from ui.page import PageName
from ui.seal.page import SealPage
from ui.settings.network import NetworkTab
from ui.settings.page import SettingsPage
from ui.settings.security import SecurityTab
from ui.start.paper import recovery_sheet, save_sheet
from ui.status.page import StatusPage
from ui.verify.page import VerifyPage
from ui.window import Window

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="mounts of Linux")
CASE = "案"
OTHER = "another long passphrase of words"
MB = 1 << 20


def mount(where: Path, *arguments: str) -> None:
    done = subprocess.run(["mount", *arguments, str(where)], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"no right to mount: {done.stderr.decode(errors='replace').strip()}")


@contextmanager
def mounted(where: Path, *arguments: str) -> Iterator[Path]:
    where.mkdir(exist_ok=True)
    mount(where, *arguments)
    try:
        yield where
    finally:
        subprocess.run(["umount", "-l", str(where)], check=True)


@dataclass
class Disk:
    """A disk with a vault, in a window."""

    where: Path
    window: Window
    row: ExhibitRow
    out: Path

    @property
    def context(self) -> Context:
        return self.window.context

    def fill(self) -> None:
        with (self.where / "ballast").open("wb", buffering=0) as stream:
            try:
                while True:
                    stream.write(bytes(4096))
            except OSError:
                pass

    def free(self) -> None:
        (self.where / "ballast").unlink()


@pytest.fixture
def disk(context: Context, tmp_path: Path, qtbot) -> Iterator[Disk]:
    with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "size=24m", "tmpfs") as where:
        session, _key = init_session(where / "vault", PASSPHRASE, office="test", demo=True, kdf=CHEAP)
        original = tmp_path / "原件.txt"
        original.write_text("原件")
        (outcome,) = seal(session.desk, [original], SealRequest(case_number=CASE), job=Job())
        assert outcome.exhibit is not None
        timestamp(session.desk, session.authorities, job=Job())
        context.desk.adopt(session)
        window = Window(context)
        qtbot.addWidget(window)
        window.show()
        out = tmp_path / "out"
        out.mkdir()
        made = Disk(where, window, outcome.exhibit, out)
        idle(made, qtbot)
        yield made
        idle(made, qtbot)
        subprocess.run(["mount", "-o", "remount,rw", str(where)], check=True)
        context.desk.close()
        with open_session(where / "vault", passphrase_of(where / "vault")) as again:
            assert audit(again.desk, job=Job()).faults == ()
            assert [row.leaf_hash for row in again.vault.exhibits.exhibits()][:1] == [
                outcome.exhibit.leaf_hash
            ]


def passphrase_of(folder: Path) -> str:
    """Which of the two opens it now."""
    return PASSPHRASE if VaultFile.read(folder).unlock(PASSPHRASE) is not None else OTHER


def idle(disk: Disk, qtbot) -> None:
    qtbot.waitUntil(lambda: not disk.context.tasks.busy(), timeout=30_000)


def cases(disk: Disk, qtbot) -> CasesPage:
    page = disk.window.show_page(PageName.CASES)
    assert isinstance(page, CasesPage)
    settled(page, qtbot)
    return page


def acts(disk: Disk, qtbot) -> Acts:
    page = cases(disk, qtbot)
    return Acts(disk.context, page.told, page)


def write_note(disk: Disk, qtbot) -> None:
    acts(disk, qtbot).write_note(disk.row.leaf_hash, None, "批" * 19_000)


def tag(disk: Disk, qtbot) -> None:
    act = acts(disk, qtbot)
    for number in range(300):
        act.add_tag(disk.row.leaf_hash, f"标签{number}")


def archive(disk: Disk, qtbot) -> None:
    page = cases(disk, qtbot)
    for _ in range(40):
        page.deeds.archive(CASE, archived=True)
        page.deeds.archive(CASE, archived=False)


def correct(disk: Disk, qtbot) -> None:
    disk.context.messages.texts.append("更正" * 500_000)  # type: ignore[attr-defined]
    acts(disk, qtbot).correct(disk.row)


def recheck(disk: Disk, qtbot) -> None:
    page = cases(disk, qtbot)
    page.deeds.recheck(Chosen(leaves=(disk.row.leaf_hash,)))


def certify(disk: Disk, qtbot) -> None:
    issue_work(disk.context).issue_alone(
        Order(groups=((disk.row.leaf_hash,),), operator="钱知微"),
        Target(path=disk.out / "证书.pdf", folder=False),
    )


def proxy(disk: Disk, qtbot) -> None:
    tab = settings_tab(disk, NetworkTab)
    assert isinstance(tab, NetworkTab)
    tab.proxy.setText("http://proxy.example:" + "1" * 2)
    tab._on_proxy()


def passphrase(disk: Disk, qtbot) -> None:
    tab = settings_tab(disk, SecurityTab)
    assert isinstance(tab, SecurityTab)
    tab.old.setText(PASSPHRASE)
    tab.new.first.setText(OTHER)
    tab.new.second.setText(OTHER)
    tab._on_change()


def settings_tab(disk: Disk, kind: type) -> object:
    page = disk.window.show_page(PageName.SETTINGS)
    assert isinstance(page, SettingsPage)
    return next(item for item in page.made if isinstance(item, kind))


def stamp(disk: Disk, qtbot) -> None:
    page = disk.window.show_page(PageName.STATUS)
    assert isinstance(page, StatusPage)
    page._on_timestamp()


Deed = Callable[[Disk, object], None]
DEEDS: tuple[Deed, ...] = (write_note, tag, archive, correct, recheck, certify, proxy, passphrase, stamp)


def told(messages: RecordedMessages, allowed: tuple[str, ...]) -> None:
    """Every error is the disk's, in our words."""
    assert {error.code for error in messages.errors} <= set(allowed), messages.errors


@pytest.mark.parametrize("deed", DEEDS)
def test_a_full_disk(disk: Disk, messages: RecordedMessages, qtbot, deed: Deed):
    disk.fill()
    deed(disk, qtbot)
    idle(disk, qtbot)
    told(messages, ("host.disk_full",))
    disk.free()
    messages.errors.clear()
    deed(disk, qtbot)
    idle(disk, qtbot)
    assert messages.errors == []


@pytest.mark.parametrize("deed", DEEDS)
def test_a_read_only_disk(disk: Disk, messages: RecordedMessages, qtbot, deed: Deed):
    """The vault opens for looking only; whatever is tried all the same is refused in our words."""
    folder = disk.where / "vault"
    disk.context.desk.lock()
    qtbot.waitUntil(lambda: disk.context.desk.folder is None, timeout=20_000)
    subprocess.run(["mount", "-o", "remount,ro", str(disk.where)], check=True)
    opened: list[bool] = []
    errors: list[EvidenceDeskError] = []
    for looking in (False, True):
        disk.context.desk.unlock(
            folder, PASSPHRASE, owner=disk.window, done=lambda: opened.append(True), failed=errors.append, read_only=looking
        )  # fmt: skip
        idle(disk, qtbot)
        if opened:
            break
    assert opened, errors
    assert {error.code for error in errors} <= {"host.read_only"}
    deed(disk, qtbot)
    idle(disk, qtbot)
    told(messages, ("host.read_only", "vault.read_only", "authority.audit_write"))
    disk.context.desk.lock()
    qtbot.waitUntil(lambda: disk.context.desk.folder is None, timeout=20_000)
    subprocess.run(["mount", "-o", "remount,rw", str(disk.where)], check=True)


def test_a_wrong_passphrase_on_a_read_only_disk(disk: Disk, qtbot):
    """It is wrong, whether or not that can be counted there."""
    folder = disk.where / "vault"
    disk.context.desk.lock()
    qtbot.waitUntil(lambda: disk.context.desk.folder is None, timeout=20_000)
    subprocess.run(["mount", "-o", "remount,ro", str(disk.where)], check=True)
    errors: list[EvidenceDeskError] = []
    disk.context.desk.unlock(
        folder, "wrong", owner=disk.window, done=lambda: None, failed=errors.append, read_only=True
    )
    qtbot.waitUntil(lambda: bool(errors), timeout=20_000)
    assert [error.code for error in errors] == ["vault.wrong_passphrase"]
    subprocess.run(["mount", "-o", "remount,rw", str(disk.where)], check=True)


def seal_page(disk: Disk) -> SealPage:
    page = disk.window.show_page(PageName.SEAL)
    assert isinstance(page, SealPage)
    return page


def test_sealing_stops_at_a_full_disk_and_goes_on_when_there_is_room(
    disk: Disk, messages: RecordedMessages, tmp_path: Path, qtbot
):
    page = seal_page(disk)
    big = tmp_path / "大.bin"
    big.write_bytes(os.urandom(10 * MB))
    with (disk.where / "ballast").open("wb") as stream:
        stream.write(bytes(16 * MB))
    page.accept_paths([big])
    qtbot.waitUntil(lambda: bool(messages.errors), timeout=30_000)
    assert [error.code for error in messages.errors] == ["host.disk_full"]
    idle(disk, qtbot)
    assert [item.state for item in page.model.items] == [ItemState.WAITING]
    assert [path.name for path in (disk.where / "vault" / "objects").rglob("tmp-*")] == []
    disk.free()
    page.pause.click()
    qtbot.waitUntil(lambda: [item.state for item in page.model.items] == [ItemState.SEALED], timeout=30_000)
    idle(disk, qtbot)


def test_a_backup_onto_a_full_disk(disk: Disk, messages: RecordedMessages, qtbot):
    page = disk.window.show_page(PageName.STATUS)
    assert isinstance(page, StatusPage)
    disk.fill()
    messages.saves.append(disk.where / "副本.backup")
    page._on_backup()
    idle(disk, qtbot)
    assert [error.code for error in messages.errors] == ["host.disk_full"]
    disk.free()
    assert {path.name for path in disk.where.iterdir()} == {"vault"}


def test_papers_and_certificates_onto_a_full_disk(disk: Disk, messages: RecordedMessages, qtbot):
    page = cases(disk, qtbot)
    other = disk.where / "target"
    with mounted(other, "-t", "tmpfs", "-o", "size=64k", "tmpfs"):
        for number in range(4):
            (other / f"{number}").write_bytes(bytes(16 * 1024))
        before = {path.name for path in other.iterdir()}
        messages.saves += [other / "卷宗.pdf", other / "证据包.asice"]
        page.deeds.bundle(CASE, packages=False)
        idle(disk, qtbot)
        page.deeds.export(Chosen(leaves=(disk.row.leaf_hash,)))
        idle(disk, qtbot)
        issue_work(disk.context).issue_alone(
            Order(groups=((disk.row.leaf_hash,),), operator="钱知微"), Target(path=other / "证书.pdf", folder=False)
        )  # fmt: skip
        idle(disk, qtbot)
        assert [error.code for error in messages.errors] == ["host.disk_full"] * 3
        assert {path.name for path in other.iterdir()} == before
    other.rmdir()


@pytest.fixture
def stick(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """(image, where): a file system in a file; without the file's rest every read of it is an I/O error."""
    image = tmp_path / "image"
    with image.open("wb") as stream:
        stream.truncate(48 * MB)
    done = subprocess.run(["mke2fs", "-q", "-t", "ext2", str(image)], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("no mke2fs")
    where = tmp_path / "stick"
    with mounted(where, "-o", "loop", str(image)):
        for name in ("a.bin", "b.bin", "c.bin"):
            (where / name).write_bytes(os.urandom(10 * MB))
    with mounted(where, "-o", "loop,ro", str(image)):  # anew: nothing is in the page cache
        yield image, where


def test_a_stick_pulled_out_while_it_is_hashed(
    window: Window, messages: RecordedMessages, stick: tuple[Path, Path], tmp_path: Path, qtbot
):
    image, where = stick
    page = window.show_page(PageName.SEAL)
    assert isinstance(page, SealPage)
    own = tmp_path / "自己的.txt"
    own.write_text("在自己的盘上")
    page.accept_paths([where / "a.bin", where / "b.bin", where, own])
    qtbot.waitUntil(lambda: page.model.rowCount() > 0, timeout=20_000)
    os.truncate(image, 4096)
    qtbot.waitUntil(lambda: not window.context.tasks.busy(), timeout=60_000)
    states = {os.fsdecode(item.path): item.state for item in page.model.items}
    assert states[str(own)] is ItemState.SEALED
    assert ItemState.FAILED in states.values()
    assert set(states.values()) <= {ItemState.SEALED, ItemState.FAILED}
    assert messages.errors == []  # each is told in its row, with what to do


def test_a_stick_pulled_out_while_it_is_verified(
    window: Window, messages: RecordedMessages, stick: tuple[Path, Path], qtbot
):
    image, where = stick
    page = window.show_page(PageName.VERIFY)
    assert isinstance(page, VerifyPage)
    os.truncate(image, 4096)
    page.accept_paths([where / "a.bin", where])
    qtbot.waitUntil(lambda: not window.context.tasks.busy(), timeout=60_000)
    told = [error.code for error in messages.errors]
    seen = [entry.examination.error.code for entry in page.model.entries if entry.examination.error]
    assert told + seen
    assert "bug.task" not in told + seen


def test_half_a_recovery_key_is_not_saved(tmp_path: Path, context: Context, qtbot):
    """On a disk that takes the beginning of the sheet only."""
    sheet = recovery_sheet(context.tongue, "存证库", "-".join(["ABCDEFGH"] * 8))
    with mounted(tmp_path / "stick", "-t", "tmpfs", "-o", "size=64k", "tmpfs") as where:
        (where / "ballast").write_bytes(bytes(56 * 1024))
        with pytest.raises(HostError, match=r"host\.disk_full"):
            save_sheet(sheet, where / "恢复.pdf")
        assert [path.name for path in where.iterdir()] == ["ballast"]
        (where / "ballast").unlink()
        save_sheet(sheet, where / "恢复.pdf")
        assert (where / "恢复.pdf").read_bytes().startswith(b"%PDF")
        assert (where / "恢复.pdf").stat().st_mode & 0o777 == 0o600
