"""A capture of the Chinese page over HTTP/1.1 and HTTP/2, replayed after the sites are gone: it shows the same."""

from __future__ import annotations

import io
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from evidence_desk.bootstrap.replaying import open_replay
from evidence_desk.bootstrap.unfinished import remove_unfinished
from evidence_desk.core.job import Job
from evidence_desk.errors import ConfigurationError, UsageError
from evidence_desk.texts import Language
from evidence_desk.wacz.read import WaczReader
from tests.integration.capture.desk.conftest import open_desk, taken
from tests.sites.pages.reading import TITLE
from tests.sites.town import Town

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def gone(tmp_path_factory):
    """A desk with a capture of two pages of sites that have ended since."""
    opened = open_desk(tmp_path_factory.mktemp("gone"))
    with Town() as town:
        captured = taken(opened, town, "site.test/", "modern.test/")
    yield opened, captured.exhibit
    opened.close()


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("EVIDENCE_DESK_STATE", str(tmp_path / "state"))


def reader_of(session, exhibit) -> WaczReader:
    with session.vault.objects.open(exhibit.objects[0].stored, case_number=exhibit.case_number) as stream:
        return WaczReader(io.BytesIO(stream.read()))


def picture(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def differing(first: Image.Image, second: Image.Image) -> float:
    """Share of pixels that differ visibly."""
    changed = ImageChops.difference(first, second).convert("L").point(lambda value: 255 if value > 16 else 0)
    return changed.histogram()[255] / (first.width * first.height)


def test_what_is_replayed_is_what_was_captured(gone, tmp_path):
    session, exhibit = gone
    folder = tmp_path / "saved"
    folder.mkdir()
    replay = open_replay(session, exhibit, Language.ZH, page=0, save=folder, job=Job())
    assert replay.wait(60)
    pages = json.loads((folder / "replay.json").read_bytes())["pages"]
    assert [(page["number"], page["title"], page["unanswered"]) for page in pages] == [
        (1, TITLE, []),
        (2, TITLE, []),
    ]
    reader = reader_of(session, exhibit)
    for stem in ("page-001", "page-002"):
        text = (folder / f"{stem}.txt").read_bytes()
        assert text == reader.open(f"{stem}.txt").read()
        assert "刘䶮、㛃、陈𬱖、𠮷野" in text.decode()
        assert "脚本已运行" in text.decode()
        was = picture(reader.open(f"{stem}-viewport.png").read())
        now = picture((folder / f"{stem}.png").read_bytes())
        assert was.size == now.size
        assert differing(was, now) < 0.002  # a picture that blinks, 32 by 32 pixels
    assert list(session.vault.folder.glob(".replay-*")) == []
    assert "opened" in [event.action for event in session.vault.exhibits.custody(exhibit.leaf_hash)]


def test_the_window_is_open_until_it_is_closed_and_its_copy_is_private(gone, monkeypatch):
    session, exhibit = gone
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    replay = open_replay(session, exhibit, Language.EN, page=2, job=Job())
    try:
        (folder,) = session.vault.folder.glob(".replay-*")
        if os.name == "posix":
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
            assert list(folder.iterdir()) == [], "the browser has it open, and deleted it"
        assert not replay.wait(0)
    finally:
        replay.close()
    assert not folder.exists()
    assert replay.wait(0)


def test_copies_of_a_killed_program_are_removed_at_the_next_start(gone):
    session, _ = gone
    code = (
        "import os, sys; from pathlib import Path; from evidence_desk.bootstrap import replaying\n"
        "with replaying._private_folder(Path(sys.argv[1])) as folder:\n"
        "    (folder / 'capture.wacz').write_bytes(b'plain'); os.kill(os.getpid(), 9)"
    )
    assert (
        subprocess.run([sys.executable, "-c", code, str(session.vault.folder)], check=False).returncode != 0
    )
    (folder,) = session.vault.folder.glob(".replay-*")
    remove_unfinished()
    assert not folder.exists()


def test_refusals(gone, monkeypatch):
    session, exhibit = gone
    with pytest.raises(UsageError, match=r"capture_replay\.no_page"):
        open_replay(session, exhibit, Language.ZH, page=3, save=Path("x"), job=Job())
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(ConfigurationError, match=r"capture_replay\.no_display"):
        open_replay(session, exhibit, Language.ZH, job=Job())
    assert list(session.vault.folder.glob(".replay-*")) == []
