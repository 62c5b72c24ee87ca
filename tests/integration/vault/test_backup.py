from __future__ import annotations

import io
import os
import threading
import zipfile
from pathlib import Path
from typing import Any

import pytest

from evidence_desk.core.digests import DigestPair
from evidence_desk.core.job import Job
from evidence_desk.core.merkle import root_of
from evidence_desk.core.ports import LogStore
from evidence_desk.errors import (
    CanceledError,
    ConfigurationError,
    EvidenceDeskError,
    IntegrityError,
    MalformedError,
    NotFoundError,
    PermissionDeniedError,
    UnreadableError,
    UsageError,
)
from evidence_desk.vault.backup import backup, restore
from evidence_desk.vault.recovery import format_recovery_key, new_recovery_key
from evidence_desk.vault.store import Vault, change_passphrase
from tests.unit.vault.rows import CASE, ORIGIN, PASSPHRASE, put, seal

NEXT = ORIGIN[:-1] + "2"


def check_log(log: LogStore) -> None:
    """What the audit of a log does in short: tiles and leaves agree."""
    hashes = [leaf.leaf_hash for leaf in log.leaves(0, log.size())]
    tiles = b"".join(log.tile(0, n) for n in range(log.size() // 256 + 1))
    if root_of(hashes) != root_of(tiles[at : at + 32] for at in range(0, len(tiles), 32)):
        raise IntegrityError("log.root")


@pytest.fixture
def sealed(created, tmp_path):
    vault, paper = created
    large = os.urandom(3_000_000)
    rows = [seal(vault, b"one"), seal(vault, large, case="案二"), seal(vault, b"one", number="ED-2")]
    file = tmp_path / "desk.edbackup"
    backup(vault, file)
    return vault, paper, rows, file


def test_a_restore_brings_everything_back_but_the_signing_keys(sealed, tmp_path, clock):
    vault, paper, rows, file = sealed
    vault.set_secret("demo-ca", b"stays here")
    old_key = vault.signer.ed25519_public
    expected = list(vault.exhibits.exhibits())
    for name, key in (("a", {"passphrase": PASSPHRASE}), ("b", {"recovery_key": paper})):
        seen: list[int] = []

        def verify(log: LogStore, seen: list[int] = seen) -> None:
            seen.append(log.size())
            check_log(log)

        restored = restore(
            file,
            tmp_path / name,
            clock=clock,
            verify_log=verify,
            **key,
        )
        with restored:
            assert seen == [3]
            assert restored.origins == [ORIGIN, NEXT]
            assert (restored.origin, restored.log.size(), restored.log.checkpoint()) == (NEXT, 0, b"")
            archive = restored.archived_log(ORIGIN)
            assert list(archive.leaves(0, 9)) == list(vault.log.leaves(0, 9))
            assert archive.checkpoint() == vault.log.checkpoint()
            assert list(restored.exhibits.exhibits()) == expected
            for row in rows:
                stored = row.objects[0].stored
                assert restored.objects.check(stored, case_number=row.case_number, job=Job())
                assert restored.envelope_key(row.case_number) == vault.envelope_key(row.case_number)
            assert restored.signer.ed25519_public != old_key
            assert restored.secret("demo-ca") is None
            assert restored.next_key_digests != vault.next_key_digests
            new = seal(restored, b"goes on")
            assert (new.seq, [row.origin for row in restored.exhibits.by_digest(new.leaf_hash)]) == (
                0,
                [NEXT],
            )
        Vault.open(tmp_path / name, PASSPHRASE, clock=clock).close()


def test_a_backup_of_a_restored_vault_restores_again(sealed, tmp_path, clock):
    _, paper, _, file = sealed
    with restore(file, tmp_path / "a", clock=clock, passphrase=PASSPHRASE, verify_log=check_log) as first:
        seal(first, b"second life")
        backup(first, tmp_path / "second")
    with restore(
        tmp_path / "second", tmp_path / "b", clock=clock, recovery_key=paper, verify_log=check_log
    ) as again:
        assert again.origins == [ORIGIN, NEXT, ORIGIN[:-1] + "3"]
        assert len(list(again.exhibits.exhibits())) == 4
    other = ORIGIN[:-1] + "7"
    with restore(
        file, tmp_path / "c", clock=clock, passphrase=PASSPHRASE, verify_log=check_log, origin=other
    ) as chosen:
        assert chosen.origin == other
    with pytest.raises(ConfigurationError, match=r"vault\.recovery_key_needed"):
        restore(
            file,
            tmp_path / "d",
            clock=clock,
            passphrase=PASSPHRASE,
            verify_log=check_log,
            origin=ORIGIN[:-1] + "99",
        )
    assert not (tmp_path / "d").exists()


def test_beside_a_writer_the_backup_is_one_moment(vault, tmp_path, clock):
    seal(vault, b"first")
    stop = threading.Event()
    failures: list[BaseException] = []

    def write():
        count = 0
        try:
            while not stop.is_set():
                seal(vault, b"%d" % count)
                count += 1
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with Vault.open(vault.folder, PASSPHRASE, clock=clock, read_only=True) as reader:
            for n in range(3):
                backup(reader if n else vault, tmp_path / f"{n}.edbackup")
    finally:
        stop.set()
        writer.join()
    assert failures == []
    for n in range(3):
        with restore(
            tmp_path / f"{n}.edbackup",
            tmp_path / f"r{n}",
            clock=clock,
            passphrase=PASSPHRASE,
            verify_log=check_log,
        ) as again:
            rows = list(again.exhibits.exhibits())
            assert len(rows) == again.archived_log(ORIGIN).size() >= 1


def test_wrong_keys_and_places(sealed, tmp_path, clock):
    vault, _, _, file = sealed

    def attempt(where: Path = tmp_path / "r", source: Path = file, **key: Any) -> Vault:
        return restore(source, where, clock=clock, verify_log=check_log, **key)

    with pytest.raises(PermissionDeniedError, match=r"vault\.wrong_passphrase"):
        attempt(passphrase="wrong")
    with pytest.raises(PermissionDeniedError, match=r"vault\.wrong_recovery_key"):
        attempt(recovery_key=format_recovery_key(new_recovery_key()))
    with pytest.raises(MalformedError, match=r"malformed\.recovery_key"):
        attempt(recovery_key="nonsense")
    with pytest.raises(UsageError, match=r"vault\.key_needed"):
        attempt()
    with pytest.raises(UsageError, match=r"vault\.exists"):
        attempt(where=vault.folder, passphrase=PASSPHRASE)
    with pytest.raises(UnreadableError, match=r"vault\.source_unreadable"):
        attempt(source=tmp_path / "nowhere", passphrase=PASSPHRASE)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["desk.edbackup", "vault"]
    assert len(list(vault.exhibits.exhibits())) == 3


def test_a_backup_opens_with_the_passphrase_of_its_time(sealed, tmp_path, clock):
    vault, _, _, file = sealed
    change_passphrase(vault.folder, PASSPHRASE, "新口令", clock=clock, sleep=clock.sleep)
    with pytest.raises(PermissionDeniedError):
        restore(file, tmp_path / "r", clock=clock, passphrase="新口令", verify_log=check_log)
    restore(file, tmp_path / "r", clock=clock, passphrase=PASSPHRASE, verify_log=check_log).close()
    backup(vault, file)
    restore(file, tmp_path / "s", clock=clock, passphrase="新口令", verify_log=check_log).close()


def test_a_log_that_does_not_hold_is_not_restored(sealed, tmp_path, clock):
    def refuse(_log):
        raise IntegrityError("log.root")

    with pytest.raises(IntegrityError, match=r"log\.root"):
        restore(sealed[3], tmp_path / "r", clock=clock, passphrase=PASSPHRASE, verify_log=refuse)
    assert not (tmp_path / "r").exists()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def rewritten(file: Path, change) -> Path:
    """A copy of a backup with some members changed."""
    target = file.with_name("changed.edbackup")
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(target, "w") as new:
        for info in old.infolist():
            data = change(info.filename, old.read(info))
            if data is not None:
                new.writestr(info.filename, data)
    return target


@pytest.mark.parametrize(
    "part", ["vault.toml", "vault.db", "keybag.age", "objects/", "manifest.json", "manifest.mac"]
)
@pytest.mark.parametrize("how", ["flip", "drop"])
def test_changed_or_missing_members_are_refused(sealed, tmp_path, clock, part, how):
    done: list[str] = []

    def change(name, data):
        if not name.startswith(part) or done:
            return data
        done.append(name)
        return None if how == "drop" else data[:-9] + bytes([data[-9] ^ 1]) + data[-8:]

    file = rewritten(sealed[3], change)
    assert done
    with pytest.raises((MalformedError, PermissionDeniedError, IntegrityError)):
        restore(file, tmp_path / "r", clock=clock, passphrase=PASSPHRASE, verify_log=check_log)
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize("name", ["../evil", "/evil", "objects/../../evil", "objects/x", "desk.keys"])
def test_members_that_are_not_ours_are_refused(sealed, tmp_path, clock, name):
    file = tmp_path / "extra.edbackup"
    file.write_bytes(sealed[3].read_bytes())
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(name, b"x")
    with pytest.raises(MalformedError, match=r"malformed\.backup"):
        restore(file, tmp_path / "r", clock=clock, passphrase=PASSPHRASE, verify_log=check_log)
    assert not (tmp_path / "evil").exists()


def test_cut_and_foreign_files_are_refused(sealed, tmp_path, clock):
    data = sealed[3].read_bytes()
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("vault.toml", bytes(50_000_000))
    file = tmp_path / "bad"
    for content in (b"", b"PK", b"x" * 1000, data[:-1], data[: len(data) // 2], data[100:], bomb.getvalue()):
        file.write_bytes(content)
        with pytest.raises(MalformedError, match=r"malformed\.backup"):
            restore(file, tmp_path / "r", clock=clock, passphrase=PASSPHRASE, verify_log=check_log)


def test_flipped_bytes_never_restore_quietly(sealed, tmp_path, clock):
    """Sampled over the whole file; bytes of the container that carry no data may flip without harm."""
    vault, _, rows, file = sealed
    data = file.read_bytes()
    wanted = [(row.leaf_hash, row.objects[0].stored) for row in rows]
    for place in range(0, len(data), len(data) // 60):
        file.write_bytes(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
        try:
            again = restore(
                file, tmp_path / f"r{place}", clock=clock, passphrase=PASSPHRASE, verify_log=check_log
            )
        except EvidenceDeskError:
            continue
        with again:
            assert [(row.leaf_hash, row.objects[0].stored) for row in again.exhibits.exhibits()] == wanted
            assert vault.origin in again.origins


def test_a_lost_original_stops_the_backup(sealed, tmp_path):
    vault, _, rows, _ = sealed
    (vault.folder / "objects" / rows[0].objects[0].stored.name).unlink()
    with pytest.raises(IntegrityError, match=r"vault\.object_missing"):
        backup(vault, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_damaged_original_stops_the_restore(sealed, tmp_path, clock):
    vault, _, rows, _ = sealed
    path = vault.folder / "objects" / rows[0].objects[0].stored.name
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    backup(vault, tmp_path / "new")
    with pytest.raises(IntegrityError, match=r"vault\.object_damaged"):
        restore(tmp_path / "new", tmp_path / "r", clock=clock, passphrase=PASSPHRASE, verify_log=check_log)


def test_an_erased_case_is_not_in_later_backups(sealed, tmp_path, clock):
    vault, _, rows, early = sealed
    vault.erase_case(CASE)
    late = tmp_path / "late"
    backup(vault, late)
    with restore(late, tmp_path / "r", clock=clock, passphrase=PASSPHRASE, verify_log=check_log) as again:
        assert again.is_erased(CASE)
        assert len(list(again.exhibits.exhibits())) == 3
        with pytest.raises(NotFoundError, match=r"vault\.case_erased"):
            again.objects.open(rows[0].objects[0].stored, case_number=CASE)
        assert again.objects.check(rows[1].objects[0].stored, case_number="案二", job=Job())
    with restore(early, tmp_path / "s", clock=clock, passphrase=PASSPHRASE, verify_log=check_log) as before:
        assert before.objects.open(rows[0].objects[0].stored, case_number=CASE).read() == b"one"


def test_cancel_leaves_nothing(sealed, tmp_path, clock):
    vault, _, _, file = sealed
    for stage in ("backup", "restore", "verify"):
        job = Job()
        job._report = lambda at, _done, _total, job=job, stage=stage: job.cancel() if at == stage else None

        def run(job: Job = job, stage: str = stage) -> None:
            if stage == "backup":
                backup(vault, tmp_path / "new", job=job)
            else:
                restore(
                    file, tmp_path / "r", clock=clock, passphrase=PASSPHRASE, verify_log=check_log, job=job
                )

        with pytest.raises(CanceledError):
            run()
        assert sorted(path.name for path in tmp_path.iterdir()) == ["desk.edbackup", "vault"]
    assert not [path for path in vault.folder.iterdir() if path.name.startswith("tmp-")]


def test_a_crash_during_restore_leaves_no_vault_behind(sealed, tmp_path, clock):
    def crash(_log):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restore(sealed[3], tmp_path / "r", clock=clock, passphrase=PASSPHRASE, verify_log=crash)
    assert not (tmp_path / "r").exists()


def test_objects_put_without_rows_are_not_in_the_backup(sealed, tmp_path):
    vault, _, rows, _ = sealed
    stray = put(vault, b"not acknowledged")
    backup(vault, tmp_path / "new")
    with zipfile.ZipFile(tmp_path / "new") as archive:
        names = archive.namelist()
    assert f"objects/{stray.name}" not in names
    assert f"objects/{rows[0].objects[0].stored.name}" in names
    assert "desk.keys" not in names
    assert len([name for name in names if name.startswith("objects/")]) == 2
    assert DigestPair.of(b"one") == rows[0].objects[0].stored.digests
