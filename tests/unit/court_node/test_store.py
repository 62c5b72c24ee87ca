import sqlite3
import subprocess
import sys

import pytest

from evidence_desk.court.node.app.sqlite_store import SqliteStore
from evidence_desk.court.node.app.store import MemoryStore, Overlay
from evidence_desk.errors import ConfigurationError, HostError

ROWS = {("a", b"\x02"): b"two", ("a", b"\x01"): b"one", ("a", b"\x01\x00"): b"", ("b", b""): b"empty key"}


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    made = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "state.db")
    yield made
    made.close()


def test_rows_come_back_in_order(store):
    store.commit(ROWS)
    store.commit({("a", b"\x02"): b"changed"})
    assert list(store.scan("a")) == [(b"\x01", b"one"), (b"\x01\x00", b""), (b"\x02", b"changed")]
    assert store.get("b", b"") == b"empty key"
    assert store.get("b", b"x") is None
    assert store.get("c", b"") is None
    assert list(store.scan("c")) == []


def test_overlays_hide_and_merge(store):
    store.commit(ROWS)
    below = Overlay(store)
    below.set("a", b"\x01", b"newer")
    above = Overlay(below)
    above.set("a", b"\x02", b"newest")
    above.set("a", b"\x01\x00", b"")
    assert [above.get("a", key) for key in (b"\x01", b"\x02", b"\x01\x00", b"x")] == [
        b"newer", b"newest", b"", None,
    ]  # fmt: skip
    assert below.get("a", b"\x02") == b"two"
    below.merge(above)
    assert below.get("a", b"\x02") == b"newest"
    assert store.get("a", b"\x02") == b"two"


def test_a_commit_is_whole_or_not_at_all(tmp_path):
    path = tmp_path / "state.db"
    store = SqliteStore(path)
    store.commit({("a", b"1"): b"before"})
    with pytest.raises(HostError):
        store.commit({("a", b"1"): b"after", ("b", b"1"): None})  # type: ignore[dict-item]
    assert store.get("a", b"1") == b"before"
    store.commit({("a", b"1"): b"after"})
    store.close()
    again = SqliteStore(path)
    assert again.get("a", b"1") == b"after"
    again.close()


def test_what_was_committed_survives_a_kill(tmp_path):
    path = tmp_path / "state.db"
    code = (
        "import os, sys, signal\n"
        "from pathlib import Path\n"
        "from evidence_desk.court.node.app.sqlite_store import SqliteStore\n"
        "store = SqliteStore(Path(sys.argv[1]))\n"
        "for number in range(50):\n"
        "    store.commit({('a', bytes([number])): b'x', ('meta', b'head'): bytes([number])})\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, path], check=False)
    assert killed.returncode == -9
    store = SqliteStore(path)
    assert store.get("meta", b"head") == bytes([49])
    assert len(list(store.scan("a"))) == 50
    store.close()


def test_writes_are_synchronous(tmp_path):
    store = SqliteStore(tmp_path / "state.db")
    pragmas = [
        store._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")
    ]
    assert pragmas == ["wal", 2]
    store.close()


def test_another_format_is_refused(tmp_path):
    path = tmp_path / "state.db"
    SqliteStore(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 9")
    connection.close()
    with pytest.raises(ConfigurationError) as caught:
        SqliteStore(path)
    assert caught.value.parameters == {"found": 9, "wanted": 1}


def test_a_file_that_is_no_database(tmp_path):
    path = tmp_path / "state.db"
    path.write_bytes(b"no database at all " * 100)
    with pytest.raises(HostError) as caught:
        SqliteStore(path)
    assert caught.value.code == "node.store"
