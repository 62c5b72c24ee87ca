"""The first issue's list of bad input, dropped on the window."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import QApplication

from evidence_desk.core.queue_ports import ItemState
from tests.gui.conftest import RecordedMessages
from tests.gui.faults.conftest import all_texts, sparse
from tests.gui.watchdog import Watchdog
from ui.page import PageName
from ui.seal.model import Column
from ui.seal.page import SealPage
from ui.verify.page import VerifyPage
from ui.window import Window

linux = pytest.mark.skipif(sys.platform != "linux", reason="names and devices of Linux")


@pytest.fixture
def page(window: Window) -> SealPage:
    made = window.show_page(PageName.SEAL)
    assert isinstance(made, SealPage)
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "材料"
    made.mkdir()
    return made


def idle(window: Window, qtbot) -> None:
    qtbot.waitUntil(lambda: not window.context.tasks.busy(), timeout=60_000)


def drop(window: Window, paths: list[Path]) -> None:
    """As a file manager drops them: as URLs, undecodable names percent-encoded."""
    data = QMimeData()
    data.setUrls([QUrl.fromEncoded(path.as_uri().encode()) for path in paths])
    place, action = QPointF(4, 4), Qt.DropAction.CopyAction
    held, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    over = QDragEnterEvent(place.toPoint(), action, data, held, keys)
    QApplication.sendEvent(window, over)
    assert over.isAccepted()
    QApplication.sendEvent(window, QDropEvent(place, action, data, held, keys))


def outcomes(page: SealPage) -> dict[str, tuple[ItemState, str]]:
    """By path: state and the code of its error."""
    return {os.fsdecode(item.path): (item.state, item.error) for item in page.model.items}


@linux
def test_what_is_no_file(window: Window, page: SealPage, folder: Path, messages: RecordedMessages, qtbot):
    target = folder / "真.txt"
    target.write_text("真")
    (folder / "链接").symlink_to(target)
    (folder / "断链").symlink_to(folder / "没有")
    (folder / "圈").symlink_to(folder / "圈")
    os.mkfifo(folder / "管道")
    given = [
        target,
        folder / "链接",
        folder / "断链",
        folder / "圈",
        folder / "管道",
        Path("/dev/zero"),
        folder / "没有",
    ]
    drop(window, given)
    idle(window, qtbot)
    found = outcomes(page)
    assert found.pop(str(target))[0] is ItemState.SEALED
    assert len(found) == len(given) - 1
    assert {state for state, _ in found.values()} == {ItemState.FAILED}
    assert all(code.startswith("input.") for _, code in found.values()), found
    assert messages.errors == []


HOSTILE = (
    b"\xe6\x96\x87\n\xe4\xbb\xb6.txt", b"\xe2\x80\xaegpj.exe", b"\xff\xfe\x80.txt", b"<b>x<b>&amp;.txt", b"%00%2e%2e.txt",
    b" lead.txt", b"trail. ", b"-rf", b"a" * 250 + b".txt", "e\u0301.txt".encode(), "é.txt".encode(), b"\x1b[31m.txt",
)  # fmt: skip


@linux
def test_names(window: Window, page: SealPage, folder: Path, messages: RecordedMessages, qtbot):
    paths = []
    for number, name in enumerate(HOSTILE):
        path = Path(os.fsdecode(os.fsencode(folder) + b"/" + name))
        path.write_text(f"内容 {number}")
        paths.append(path)
    drop(window, paths)
    idle(window, qtbot)
    found = outcomes(page)
    assert {os.fsencode(path) for path in found} == {os.fsencode(path) for path in paths}
    assert {state for state, _ in found.values()} == {ItemState.SEALED}
    shown = [page.model.index(row, Column.FILE).data() for row in range(page.model.rowCount())]
    for text in [*shown, *all_texts()]:
        assert "\u202e" not in text
        assert "\x1b" not in text
        text.encode("utf-8")  # no lone surrogate reaches a widget
    assert all("\n" not in text for text in shown)
    drop(window, [path.with_name(f"{path.name}.没有") for path in paths[:-6]])
    idle(window, qtbot)
    assert sum(item.state is ItemState.FAILED for item in page.model.items) == len(paths) - 6
    verify = window.show_page(PageName.VERIFY)
    assert isinstance(verify, VerifyPage)
    verify.accept_paths(paths)
    idle(window, qtbot)
    window.show_page(PageName.CASES)
    idle(window, qtbot)
    window.show_page(PageName.CERTIFY)
    idle(window, qtbot)
    for text in all_texts():
        assert "\u202e" not in text
        text.encode("utf-8")
    assert messages.errors == []


def test_a_name_of_ten_thousand_characters(window: Window, page: SealPage, folder: Path, messages, qtbot):
    page.accept_paths([folder / ("长" * 10_000)])
    idle(window, qtbot)
    assert [item.state for item in page.model.items] == [ItemState.FAILED]
    page.intake.path.setText("/" + "长" * 10_000)
    page.intake.path.returnPressed.emit()
    page.intake.path.setText("~nobody-of-this-name/\0x")
    page.intake.path.returnPressed.emit()
    idle(window, qtbot)
    assert {item.state for item in page.model.items} == {ItemState.FAILED}
    verify = window.show_page(PageName.VERIFY)
    assert isinstance(verify, VerifyPage)
    verify.accept_paths([folder / ("长" * 10_000), Path("/tmp/\0")])
    idle(window, qtbot)
    assert "bug.task" not in {error.code for error in messages.errors}


def test_empty_twins_and_deep(window: Window, page: SealPage, folder: Path, messages, qtbot):
    empty, one, two = folder / "空.txt", folder / "一.txt", folder / "二.txt"
    empty.touch()
    one.write_text("同")
    two.write_text("同")
    deep = folder / "深"
    for number in range(70):
        deep = deep / f"第{number}层"
    deep.mkdir(parents=True)
    (deep / "底.txt").write_text("底")
    (folder / "空文件夹").mkdir()
    page.form.flags["each_file"].setChecked(True)
    drop(window, [empty, one, two, folder / "深", folder / "空文件夹"])
    idle(window, qtbot)
    found = {Path(path).name: value for path, value in outcomes(page).items()}
    assert found["空.txt"][0] in {ItemState.SEALED, ItemState.FAILED}
    assert {found["一.txt"][0], found["二.txt"][0]} == {ItemState.SEALED, ItemState.DUPLICATE}
    assert all(state is not ItemState.WAITING for state, _ in found.values())
    assert messages.errors == []


def test_a_huge_sparse_file_is_paused_and_canceled_at_once(
    window: Window, page: SealPage, folder: Path, qtbot
):
    page.accept_paths([sparse(folder / "1T.bin", 1 << 40)])
    qtbot.waitUntil(lambda: 0 < page.work._part < 1, timeout=20_000)
    assert "TB" in page.model.index(0, Column.SIZE).data() or "TiB" in page.model.index(0, Column.SIZE).data()
    page.work.cancel()
    idle(window, qtbot)
    assert [item.state for item in page.model.items] == [ItemState.CANCELED]


@linux
def test_a_file_that_grows_while_it_is_read(window: Window, page: SealPage, folder: Path, qtbot):
    path = sparse(folder / "增长.log", 256 << 20)
    page.accept_paths([path])
    qtbot.waitUntil(lambda: 0 < page.work._part < 1, timeout=20_000)
    with path.open("ab") as stream:
        stream.write(b"more")
    idle(window, qtbot)
    ((state, code),) = outcomes(page).values()
    assert state is ItemState.FAILED
    assert code == "input.changed"


@linux
@pytest.mark.skipif(os.getuid() == 0, reason="root may read everything")
def test_a_folder_without_permission(window: Window, page: SealPage, folder: Path, qtbot):
    folder.chmod(0)
    page.accept_paths([folder])
    idle(window, qtbot)
    folder.chmod(0o700)
    assert [item.state for item in page.model.items] == [ItemState.FAILED]


def test_a_folder_that_disappears_while_it_is_dropped(
    window: Window, page: SealPage, folder: Path, messages, qtbot
):
    inner = folder / "内"
    inner.mkdir()
    for number in range(200):
        (inner / f"{number}.txt").write_text(str(number))
    page.form.flags["each_file"].setChecked(True)
    drop(window, [inner])
    for path in inner.iterdir():
        path.unlink()
    inner.rmdir()
    idle(window, qtbot)
    assert {item.state for item in page.model.items} <= {ItemState.SEALED, ItemState.FAILED}
    assert messages.errors == []


@pytest.fixture
def clipboard() -> Iterator[QMimeData]:
    data = QMimeData()
    yield data
    QGuiApplication.clipboard().clear()


@pytest.mark.parametrize("name", PageName)
def test_a_hundred_megabytes_of_text_on_the_clipboard(
    window: Window, clipboard: QMimeData, messages: RecordedMessages, qtbot, name: PageName
):
    clipboard.setText("9" * (100 << 20))
    QGuiApplication.clipboard().setMimeData(clipboard)
    window.show_page(name)
    idle(window, qtbot)
    dog = Watchdog()
    dog.start()
    page = window.page
    if isinstance(page, SealPage):
        page.intake.paste()
    elif isinstance(page, VerifyPage):
        page.intake.paste()
        page.intake._on_field_paste()
    qtbot.keyClick(window, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    idle(window, qtbot)
    assert "bug.task" not in {error.code for error in messages.errors}
    print(name, dog.stop())


def test_ten_thousand_files_on_the_clipboard(
    window: Window, page: SealPage, clipboard: QMimeData, folder: Path, qtbot
):
    clipboard.setUrls([QUrl.fromLocalFile(str(folder / f"{number}.txt")) for number in range(10_000)])
    QGuiApplication.clipboard().setMimeData(clipboard)
    page.intake.paste()
    qtbot.waitUntil(lambda: page.model.rowCount() == 10_000, timeout=60_000)
    idle(window, qtbot)
    assert {item.state for item in page.model.items} == {ItemState.FAILED}
