"""Originals that are hard to seal: each gives a clear error or is sealed exactly; the rest of the batch is done."""

from __future__ import annotations

import os
import threading
import unicodedata
from pathlib import Path

import pytest

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.job import Job
from evidence_desk.core.statement import match_disclosures, parse_disclosures, parse_statement
from evidence_desk.errors import CanceledError
from evidence_desk.program import program
from evidence_desk.services.audit import audit
from evidence_desk.services.seal import SealOutcome, SealRequest, seal
from evidence_desk.services.sources import Source, find_sources, opened

REQUEST = SealRequest(case_number="（2026）测1号", allow_duplicates=True)


def seal_one(session: Session, path: Path) -> SealOutcome:
    (outcome,) = seal(session.desk, [path], REQUEST, job=Job())
    return outcome


def names_of(outcome: SealOutcome) -> list[tuple[str, bytes]]:
    row = outcome.exhibit
    assert row is not None
    disclosed = match_disclosures(parse_statement(row.statement), parse_disclosures(row.disclosures))
    assert not disclosed.wrong
    return [(entry.name, entry.raw_name) for _, entry in sorted(disclosed.files.items())]


def assert_sealed(session: Session, outcome: SealOutcome, *contents: bytes) -> None:
    row = outcome.exhibit
    assert row is not None, outcome.error
    assert [item.stored.digests for item in row.objects] == [DigestPair.of(data) for data in contents]
    for item, data in zip(row.objects, contents, strict=True):
        with session.vault.objects.open(item.stored, case_number=row.case_number) as stream:
            assert stream.read() == data
    assert audit(session.desk, job=Job()).faults == ()


def test_statement_names_the_program(session: Session, tmp_path: Path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"a")
    row = seal_one(session, path).exhibit
    assert row is not None
    ours = program()
    expected = {"name": ours.name, "version": ours.version, **ours.digests.to_json()}
    assert parse_statement(row.statement).tools == (expected,)


def test_empty_file(session: Session, tmp_path: Path):
    path = tmp_path / "空.txt"
    path.touch()
    assert_sealed(session, seal_one(session, path), b"")


@pytest.mark.parametrize(
    "name",
    [
        "一\n二.txt",
        "😀📎.txt",
        "invoice\u202efdp.exe",
        "\u2066bidi\u2069.txt",
        "x" * 251 + ".txt",
        "name with  spaces'\"$(x).txt",
        "-o",
        "𠮷䶮.txt",
    ],
)
def test_unusual_names(session: Session, tmp_path: Path, name: str):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / name).write_bytes(b"content")
    outcome = seal_one(session, folder / name)
    assert_sealed(session, outcome, b"content")
    assert names_of(outcome) == [(unicodedata.normalize("NFC", name), os.fsencode(name))]


def test_name_that_is_not_utf8(session: Session, tmp_path: Path):
    raw = b"\xd6\xa4\xbe\xdd.txt"  # GBK
    folder = tmp_path / "in"
    folder.mkdir()
    path = Path(os.fsdecode(os.fsencode(folder) + b"/" + raw))
    path.write_bytes(b"content")
    for given in (path, folder):
        outcome = seal_one(session, given)
        assert_sealed(session, outcome, b"content")
        ((shown, kept),) = names_of(outcome)
        assert kept == raw
        assert "\ufffd" in shown


def test_path_longer_than_260(session: Session, tmp_path: Path):
    folder = tmp_path / "in"
    deep = folder
    for _ in range(4):
        deep = deep / ("目录" * 35)
    deep.mkdir(parents=True)
    (deep / "a.txt").write_bytes(b"deep")
    assert len(str(deep)) > 260
    assert_sealed(session, seal_one(session, folder), b"deep")


def test_names_equal_after_normalization(session: Session, tmp_path: Path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "e\u0301.txt").write_bytes(b"one")
    (folder / "\u00e9.txt").write_bytes(b"two")
    outcome = seal_one(session, folder)
    assert_sealed(session, outcome, b"one", b"two")
    shown = names_of(outcome)
    assert shown[0][0] == shown[1][0]
    assert shown[0][1] != shown[1][1]


def test_duplicate_content(session: Session, tmp_path: Path):
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a", "b", "c"):
        (folder / name).write_bytes(b"same")
    assert_sealed(session, seal_one(session, folder), b"same", b"same", b"same")
    assert len(list((session.vault.folder / "objects").iterdir())) == 1


def test_symbolic_link_folder_loop_pipe_and_missing_are_refused(session: Session, tmp_path: Path):
    good = tmp_path / "good"
    good.write_bytes(b"good")
    link = tmp_path / "link"
    link.symlink_to(good)
    loop = tmp_path / "loop"
    loop.mkdir()
    (loop / "again").symlink_to(loop)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    empty = tmp_path / "empty"
    empty.mkdir()
    wrong = {
        link: "input.symlink",
        loop: "input.symlink",
        pipe: "input.special",
        Path("/dev/zero"): "input.special",
        tmp_path / "missing": "input.missing",
        empty: "input.empty_folder",
    }
    outcomes = seal(session.desk, [*wrong, good], REQUEST, job=Job())
    for outcome, code in zip(outcomes, wrong.values(), strict=False):
        assert outcome.exhibit is None
        assert outcome.error is not None
        assert outcome.error.code == code
    assert_sealed(session, outcomes[-1], b"good")


def test_unreadable_file(session: Session, tmp_path: Path):
    good = tmp_path / "good"
    good.write_bytes(b"good")
    outcomes = seal(session.desk, [Path("/proc/self/mem"), good], REQUEST, job=Job())
    assert outcomes[0].error is not None
    assert outcomes[0].error.exit_status == 66
    assert_sealed(session, outcomes[1], b"good")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_file_without_permission(session: Session, tmp_path: Path):
    path = tmp_path / "secret"
    path.write_bytes(b"x")
    path.chmod(0)
    outcome = seal_one(session, path)
    assert outcome.error is not None
    assert outcome.error.code == "input.unreadable"


def test_file_changed_between_listing_and_reading(tmp_path: Path):
    path = tmp_path / "growing"
    path.write_bytes(b"one")
    (source,) = find_sources(path)
    path.write_bytes(b"one two")
    with pytest.raises(Exception, match=r"input\.changed"), opened(source):
        pass


@pytest.mark.parametrize("change", ["append", "rewrite", "replace", "remove", "truncate"])
def test_file_changed_while_read(tmp_path: Path, change: str):
    path = tmp_path / "changing"
    path.write_bytes(b"0123456789")
    (source,) = find_sources(path)

    def read() -> None:
        with opened(source) as (stream, _):
            stream.read(5)
            _change(path, change)
            stream.read()

    with pytest.raises(Exception, match=r"input\.changed"):
        read()


def _change(path: Path, change: str) -> None:
    match change:
        case "append":
            with path.open("ab") as stream:
                stream.write(b"x")
        case "rewrite":
            path.write_bytes(b"9876543210")
        case "replace":
            other = path.with_name("other")
            other.write_bytes(b"0123456789")
            other.replace(path)
        case "remove":
            path.unlink()
        case _:
            os.truncate(path, 3)


def test_changed_file_leaves_nothing_behind(session: Session, tmp_path: Path):
    path = tmp_path / "changing"
    path.write_bytes(os.urandom(3 << 20))
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            with path.open("ab") as stream:
                stream.write(b"x")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        outcome = seal_one(session, path)
    finally:
        stop.set()
        writer.join()
    assert outcome.error is not None
    assert outcome.error.code == "input.changed"
    assert list(session.vault.exhibits.exhibits()) == []
    assert audit(session.desk, job=Job()).faults == ()


def test_cancel_keeps_whole_exhibits_only(session: Session, tmp_path: Path):
    paths = [tmp_path / f"{number}" for number in range(30)]
    for path in paths:
        path.write_bytes(os.urandom(100))
    job = Job()
    seal(session.desk, paths[:10], REQUEST, job=job)
    job.cancel()
    with pytest.raises(CanceledError):
        seal(session.desk, paths[10:], REQUEST, job=job)
    rows = list(session.vault.exhibits.exhibits())
    assert len(rows) == 10
    assert session.desk.log.size == 11
    assert audit(session.desk, job=Job()).faults == ()


def test_source_is_frozen():
    source = Source(path=Path("a"), name="a", raw_name=b"a", size=0)
    assert source.media_type == "application/octet-stream"


def test_whole_folder_is_sorted_by_raw_name(session: Session, tmp_path: Path):
    folder = tmp_path / "in"
    (folder / "乙").mkdir(parents=True)
    (folder / "乙" / "1.txt").write_bytes(b"3")
    (folder / "a.txt").write_bytes(b"1")
    (folder / "b.txt").write_bytes(b"2")
    outcome = seal_one(session, folder)
    assert [name for name, _ in names_of(outcome)] == ["a.txt", "b.txt", "乙/1.txt"]
    assert_sealed(session, outcome, b"1", b"2", b"3")
