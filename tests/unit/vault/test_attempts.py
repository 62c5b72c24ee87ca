from __future__ import annotations

from datetime import timedelta

import pytest

from evidence_desk.vault.attempts import Attempts, delay


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
