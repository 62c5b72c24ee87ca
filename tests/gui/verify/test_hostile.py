"""Whatever is dropped: every outcome is a sentence, nothing crashes, nothing of the evidence is logged."""

import json
import logging
import os
import struct
import zipfile
import zlib
from pathlib import Path

import pytest

from evidence_desk.texts import Language
from evidence_desk.verify.answer import Result
from tests.gui.verify.conftest import flipped, result, said
from ui.verify.page import VerifyPage

SECRET = "绝密内容甲乙丙"


def bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("mimetype"), "application/vnd.etsi.asic-e+zip")
        with archive.open("files/0001.bin", "w") as entry:
            for _ in range(200):
                entry.write(bytes(1 << 20))
        archive.writestr("META-INF/ASiCManifest.xml", "<x/>")


def deep(path: Path) -> None:
    path.write_text('{"v":"proof/1","checkpoint":' + "[" * 200_000)


def hostile(folder: Path, papers) -> dict[str, Path]:
    made = {
        "empty": b"",
        "garbage.pdf": b"%PDF-1.7\n" + os.urandom(4000),
        "cut.pdf": papers.pdf.read_bytes()[:90_000],
        "der.tsr": bytes.fromhex("3084ffffffff06092a864886f70d010702"),
        "picture.png": b"\x89PNG\r\n\x1a\n" + b"\xff" * 500,
        "huge.png": _png_header(1 << 20, 1 << 20),
        "cut.asice": papers.package.read_bytes()[:100_000],
        "flipped.asice": flipped_package(papers.package.read_bytes()),
        f"名\u202efdp.{SECRET}": SECRET.encode(),
    }
    found = {}
    for name, data in made.items():
        found[name] = folder / name
        found[name].write_bytes(data)
    bomb(folder / "bomb.asice")
    deep(folder / "deep.json")
    return found | {"bomb.asice": folder / "bomb.asice", "deep.json": folder / "deep.json"}


def _png_header(width: int, height: int) -> bytes:
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


def flipped_package(data: bytes) -> bytes:
    at = data.index("甲方乙方".encode())
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.mark.parametrize("language", Language)
def test_every_hostile_file_has_its_sentence(
    with_trust, papers, settled, tmp_path, caplog, capfd, language, messages
):
    page: VerifyPage = with_trust
    page.context.tongue.set_language(language)
    caplog.set_level(logging.DEBUG)
    folder = tmp_path / "hostile"
    folder.mkdir()
    files = hostile(folder, papers)
    page.accept_paths(list(files.values()))
    settled(page)
    assert not messages.errors
    shown = {item.examination.subject.name: item.examination for item in page.model.entries}
    assert set(shown) == set(files)
    for row, entry in enumerate(page.model.entries):
        page.list.choose(row)
        done = entry.examination
        assert done.result is not Result.PASSED, done.subject.name
        first = page.detail.notices[0]
        assert first.said.strip()
        assert "\u202e" not in first.accessibleName()
        for part in page.detail.rows.values():
            part.handle.setChecked(part.handle.isEnabled())
    for name in ("cut.pdf", "cut.asice", "flipped.asice", "bomb.asice", "deep.json"):
        assert shown[name].result is Result.FAILED, name
    told = caplog.text + "".join(capfd.readouterr())
    assert SECRET not in told
    assert "甲方" not in told


def test_what_is_no_file_is_refused(page, settled, tmp_path):
    """A folder is opened, a link in it is not followed, a device and a pipe are not read, what is gone is missing."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.txt").write_text("a")
    (folder / "link").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe")
    page.accept_paths([folder, Path("/dev/zero"), tmp_path / "gone", Path("\0"), Path("/proc/self/mem")])
    settled(page)
    codes = {
        str(item.examination.subject.path.name): item.examination.error.code
        for item in page.model.entries
        if item.examination.error is not None
    }
    assert codes["link"] == "examination.symlink"
    assert codes["pipe"] == codes["zero"] == "input.not_regular"
    assert codes["gone"] == codes["\0"] == "input.missing"
    page.list.choose(page.model.row_of(f"path:{tmp_path / 'gone'}"))
    assert "未能核验" in said(page)
    assert page.detail.rows == {}


def test_an_empty_folder_says_nothing_and_breaks_nothing(page, settled, tmp_path, messages):
    folder = tmp_path / "empty"
    folder.mkdir()
    page.accept_paths([folder])
    settled(page)
    assert page.model.entries == []
    assert messages.said == [("ui_verify.nothing", {})]


def test_a_folder_that_disappears_meanwhile(page, settled, tmp_path, qtbot, messages):
    folder = tmp_path / "stick"
    folder.mkdir()
    for number in range(20):
        (folder / f"{number}.bin").write_bytes(os.urandom(1 << 20))
    page.accept_paths([folder])
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    settled(page)
    page.ask_again()
    settled(page)
    assert not [error for error in messages.errors if error.code.startswith("bug.")]


def test_a_huge_file_is_canceled_in_the_middle(page, qtbot, settled, tmp_path, messages):
    huge = tmp_path / "huge.bin"
    with huge.open("wb") as stream:
        stream.truncate(1 << 42)  # sparse
    page.accept_paths([huge])
    (line,) = page.progress.lines
    qtbot.waitUntil(lambda: line.bar.maximum() == 1000, timeout=20_000)
    assert "%" in line.label.text()
    qtbot.waitUntil(page.progress.isVisible)
    page.context.tongue.set_language(Language.EN)
    assert line.label.text().startswith("Verifying huge.bin")
    line.cancel.click()
    settled(page)
    assert page.model.entries == []
    assert messages.said == [("ui_verify.canceled", {})]


def test_other_work_goes_on_beside_a_long_one(page, qtbot, papers, settled, tmp_path):
    huge = tmp_path / "huge.bin"
    with huge.open("wb") as stream:
        stream.truncate(1 << 42)
    page.accept_paths([huge])
    page.ask_text("ED-1")
    qtbot.waitUntil(lambda: len(page.model.entries) == 1, timeout=20_000)
    assert len(page.progress.lines) == 1
    page.leave()
    settled(page)


def test_evidence_changed_between_two_looks(with_trust, papers, settled, tmp_path):
    page = with_trust
    path = tmp_path / "证书.pdf"
    path.write_bytes(papers.pdf.read_bytes())
    page.accept_paths([path])
    settled(page)
    before = result(page).result
    path.write_bytes(flipped(papers.pdf.read_bytes()))
    page.detail.again_button.click()
    settled(page)
    assert before is Result.UNDETERMINED
    assert result(page).result is Result.FAILED
    path.unlink()
    page.detail.again_button.click()
    settled(page)
    assert "未能核验" in said(page)


def test_a_proof_beside_a_deep_statement(page, papers, settled, tmp_path):
    with zipfile.ZipFile(papers.package) as archive:
        (tmp_path / "proof.json").write_bytes(archive.read("proof.json"))
    (tmp_path / "statement.json").write_text(json.dumps({"a": 1}) + "[" * 10_000)
    page.accept_paths([tmp_path / "proof.json"])
    settled(page)
    assert result(page).result is Result.FAILED
