"""Time as a process lived it."""

from evidence_desk.capture.awake import TICK, AwakeTime


def test_time_runs_while_ticks_come_in_time():
    moments = iter([100.0, 100.5, 101.0, 101.75])
    awake = AwakeTime(lambda: next(moments))
    assert [awake.tick() for _ in range(3)] == [False] * 3
    assert awake.now == 1.75


def test_a_slow_machine_does_not_make_silence_long():
    moments = iter([0.0, 2.5, 5.0])
    awake = AwakeTime(lambda: next(moments))
    assert [awake.tick(), awake.tick()] == [False, False]
    assert awake.now == 4 * TICK


def test_a_process_that_was_stopped_knows():
    moments = iter([0.0, 0.5, 3600.0, 3600.5])
    awake = AwakeTime(lambda: next(moments))
    assert [awake.tick() for _ in range(3)] == [False, True, False]
    assert awake.now == 2.0
