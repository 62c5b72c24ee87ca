"""What a killed program left half written is removed at the next start; nothing else ever is."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from evidence_desk.bootstrap.files import written, written_folder
from evidence_desk.bootstrap.unfinished import remove_unfinished
from evidence_desk.errors import UsageError

WRITER = """
import sys, time
from pathlib import Path
from evidence_desk.bootstrap.files import written, written_folder
with written(Path(sys.argv[1]), force=False) as stream, written_folder(Path(sys.argv[2])) as folder:
    stream.write(b"half"); stream.flush(); (folder / "a.asice").write_bytes(b"half")
    print("BEGUN", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture(autouse=True)
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EVIDENCE_DESK_STATE", str(tmp_path / "state"))
    return tmp_path / "state" / "unfinished"


@contextmanager
def writer(file: Path, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process in the middle of its outputs."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(file), str(folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "BEGUN\n"
        try:
            yield process
        finally:
            process.kill()


def parts(folder: Path) -> list[Path]:
    return sorted(folder.glob(".*.part"))


def test_after_kill_9_file_and_folder_are_removed_and_told(tmp_path, notes):
    file, folder = tmp_path / "卷宗.pdf", tmp_path / "证据包"
    (tmp_path / ".mine.1.part").write_text("not ours")
    with writer(file, folder) as process:
        assert remove_unfinished() == [], "its program is at work"
        assert len(parts(tmp_path)) == 3
        process.kill()
        process.wait(30)
    assert sorted(remove_unfinished()) == sorted([file, folder])
    assert [path.name for path in parts(tmp_path)] == [".mine.1.part"]
    assert list(notes.iterdir()) == []
    assert remove_unfinished() == []


def test_what_ends_well_or_fails_leaves_no_note(tmp_path, notes):
    with written(tmp_path / "a.pdf", force=False) as stream:
        assert len(list(notes.glob("*.json"))) == 1
        stream.write(b"whole")
    with pytest.raises(UsageError), written(tmp_path / "b.pdf", force=False):
        raise UsageError("output.exists", path="")
    with written_folder(tmp_path / "c"):
        pass
    assert list(notes.iterdir()) == []
    assert (tmp_path / "a.pdf").read_bytes() == b"whole"


def test_without_a_place_for_notes_outputs_are_written_all_the_same(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EVIDENCE_DESK_STATE", str(tmp_path / "file"))
    with written(tmp_path / "a.pdf", force=False) as stream:
        stream.write(b"whole")
    assert (tmp_path / "a.pdf").read_bytes() == b"whole"
    assert remove_unfinished() == []


def note(notes: Path, value: object) -> Path:
    notes.mkdir(parents=True, exist_ok=True)
    path = notes / "0.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


@pytest.mark.parametrize(
    "name",
    ["合同.pdf", ".合同.pdf", ".合同.pdf.part", ".合同.pdf.8.part", "合同.pdf.7.part", ".7.part", "..7.part"],
)
def test_a_note_removes_nothing_that_does_not_bear_our_name(tmp_path, notes, name):
    kept = tmp_path / name
    kept.write_text("a person's")
    note(notes, {"path": str(kept), "pid": 7})
    assert remove_unfinished() == []
    assert kept.read_text() == "a person's"
    assert list(notes.iterdir()) == []


@pytest.mark.parametrize(
    "value",
    [
        "",
        "[" * 9999,
        "7",
        {},
        {"path": 7, "pid": 7},
        {"path": ".a.7.part", "pid": 7},
        {"path": "/\0/.a.7.part", "pid": 7},
    ],
)
def test_a_spoiled_note_is_dropped(notes, value):
    note(notes, value)
    assert remove_unfinished() == []
    assert list(notes.iterdir()) == []


def test_a_link_is_not_followed(tmp_path, notes):
    target = tmp_path / "folder"
    target.mkdir()
    (target / "a").write_text("a person's")
    link = tmp_path / ".a.7.part"
    link.symlink_to(target)
    note(notes, {"path": str(link), "pid": 7})
    assert remove_unfinished() == []
    assert (target / "a").exists()
    assert link.is_symlink()


def test_a_disk_that_is_away_is_kept_in_mind(tmp_path, notes):
    stick = tmp_path / "stick"
    note(notes, {"path": str(stick / ".a.pdf.7.part"), "pid": 7})
    assert remove_unfinished() == []
    stick.mkdir()
    (stick / ".a.pdf.7.part").write_text("half")
    assert remove_unfinished() == [stick / "a.pdf"]
    assert list(stick.iterdir()) == []
    assert list(notes.iterdir()) == []
