from __future__ import annotations

from datetime import timedelta

import pytest

from evidence_desk.errors import HostError, PermissionDeniedError
from evidence_desk.vault.attempts import Attempts, delay, remaining
from evidence_desk.vault.lock import FileLock
from evidence_desk.vault.store import Vault
from tests.unit.vault.rows import PASSPHRASE


def test_delays_grow_to_a_minute():
    assert [delay(n) for n in range(1, 10)] == [0.5, 1, 2, 4, 8, 16, 32, 60, 60]
    assert delay(10_000) == 60


def test_failures_are_counted_across_processes(tmp_path, clock):
    for _ in range(4):
        Attempts(tmp_path, clock, clock.sleep).failed()
    assert clock.slept == [0.5, 1, 2, 4]
    Attempts(tmp_path, clock, clock.sleep).wait()
    assert len(clock.slept) == 4  # it was slept out already
    Attempts(tmp_path, clock, clock.sleep).succeeded()
    Attempts(tmp_path, clock, clock.sleep).failed()
    assert clock.slept[-1] == 0.5


def test_killing_the_wait_does_not_shorten_it(tmp_path, clock):
    def killed(_seconds):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Attempts(tmp_path, clock, killed).failed()
    Attempts(tmp_path, clock, clock.sleep).wait()
    assert clock.slept == [0.5]


def test_a_clock_set_back_locks_nobody_out(tmp_path, clock):
    Attempts(tmp_path, clock, clock.sleep).failed()
    clock.moment -= timedelta(days=400)
    Attempts(tmp_path, clock, clock.sleep).wait()
    assert clock.slept == [0.5, 0.5]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b"[" * 2000,
        b'{"failures":-1,"not_before":"2026-01-01T00:00:00+00:00"}',
        b"\xff",
        b'{"failures":"x","not_before":1}',
    ],
)
def test_a_foreign_file_counts_as_none(tmp_path, clock, content):
    (tmp_path / "attempts").write_bytes(content)
    Attempts(tmp_path, clock, clock.sleep).wait()
    assert clock.slept == []


def test_remaining_is_told_without_waiting(tmp_path, clock):
    assert remaining(tmp_path, clock) == 0
    for _ in range(3):
        Attempts(tmp_path, clock, None).failed()
    assert clock.slept == []
    assert remaining(tmp_path, clock) == 2
    clock.moment += timedelta(seconds=1.5)
    assert remaining(tmp_path, clock) == 0.5
    clock.moment += timedelta(seconds=1)
    assert remaining(tmp_path, clock) == 0


def test_remaining_runs_out_also_when_the_clock_was_set_back(tmp_path, clock):
    Attempts(tmp_path, clock, None).failed()
    clock.moment -= timedelta(days=400)
    assert remaining(tmp_path, clock) == 0.5
    clock.moment += timedelta(seconds=0.5)
    assert remaining(tmp_path, clock) == 0


def test_refusing_instead_of_waiting(created, folder, clock):
    vault, _ = created
    vault.close()

    def opened(passphrase: str) -> str:
        try:
            Vault.open(folder, passphrase, clock=clock, sleep=None).close()
        except PermissionDeniedError as error:
            return f"{error.code} {error.parameters.get('seconds', '')}".strip()
        return "opened"

    assert opened("wrong") == "vault.wrong_passphrase"
    assert opened(PASSPHRASE) == "vault.wait 1"  # not even the right one, or the delay would be none
    clock.moment += timedelta(seconds=0.5)
    assert opened("wrong") == "vault.wrong_passphrase"
    assert remaining(folder, clock) == 1
    clock.moment += timedelta(seconds=1)
    assert opened(PASSPHRASE) == "opened"
    assert remaining(folder, clock) == 0
    assert clock.slept == []


def test_a_shown_wait_counts_for_a_sleeping_process_too(created, folder, clock):
    vault, _ = created
    vault.close()
    with pytest.raises(PermissionDeniedError):
        Vault.open(folder, "wrong", clock=clock, sleep=None)
    Vault.open(folder, PASSPHRASE, clock=clock, sleep=clock.sleep).close()
    assert clock.slept == [0.5]


def test_nobody_waits_under_the_lock(tmp_path, clock):
    """A program that shows the wait must not hang on one that sleeps it out."""

    def while_sleeping(seconds: float) -> None:
        with FileLock(tmp_path / "attempts.lock", busy_code="vault.busy"):
            clock.sleep(seconds)

    attempts = Attempts(tmp_path, clock, while_sleeping)
    assert attempts.guarded(lambda: None) is None
    assert attempts.guarded(lambda: None) is None
    assert clock.slept == [0.5, 1]
    Attempts(tmp_path, clock, None).failed()
    assert attempts.guarded(lambda: "open") == "open"
    assert clock.slept == [0.5, 1, 2]


def test_a_folder_that_takes_no_files_still_waits(tmp_path, clock, monkeypatch):
    def full(*_arguments: object, **_options: object) -> None:
        raise HostError("host.io", what="attempts")

    monkeypatch.setattr("evidence_desk.vault.attempts.write_atomically", full)
    assert Attempts(tmp_path, clock, clock.sleep).guarded(lambda: None) is None
    assert clock.slept == [0.5]
    assert remaining(tmp_path, clock) == 0
