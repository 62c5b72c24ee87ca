import threading

import pytest

from evidence_desk.core.job import Job
from evidence_desk.errors import CanceledError
from tests.fixed import refusal


def test_progress_is_reported_until_canceled():
    seen: list[tuple[str, int, int]] = []
    job = Job(lambda stage, done, total: seen.append((stage, done, total)))
    job.step("hash", 1, 2)
    before = job.canceled
    job.cancel()
    assert (before, job.canceled) == (False, True)
    with refusal("job.canceled", CanceledError):
        job.step("hash", 2, 2)
    assert seen == [("hash", 1, 2)]


def test_a_job_without_listener_can_be_canceled():
    job = Job()
    job.step("x", 0, 0)
    job.cancel()
    with pytest.raises(CanceledError):
        job.step("x", 0, 0)


def test_paused_work_holds_at_its_next_step_until_resumed():
    steps: list[int] = []
    reached, job = threading.Event(), Job()

    def report(_stage: str, done: int, _total: int) -> None:
        steps.append(done)
        if done == 2:
            job.pause()
            reached.set()

    job._report = report

    def run() -> None:
        for done in range(1, 6):
            job.step("x", done, 5)

    worker = threading.Thread(target=run)
    worker.start()
    assert reached.wait(10)
    assert job.paused
    worker.join(0.05)
    assert worker.is_alive()
    assert steps == [1, 2]
    job.resume()
    worker.join(10)
    assert steps == [1, 2, 3, 4, 5]
    assert not job.paused


@pytest.mark.parametrize("order", ["pause, cancel", "cancel, pause"])
def test_cancel_wakes_paused_work_and_outlasts_a_pause(order: str):
    job = Job()
    for wish in order.split(", "):
        getattr(job, wish)()
    assert not job.paused
    with pytest.raises(CanceledError):
        job.step("x", 0, 0)


def test_cancel_wakes_work_that_holds():
    job = Job()
    job.pause()
    canceled: list[CanceledError] = []

    def run() -> None:
        try:
            job.step("x", 0, 0)
        except CanceledError as error:
            canceled.append(error)

    worker = threading.Thread(target=run)
    worker.start()
    worker.join(0.05)
    assert worker.is_alive()
    job.cancel()
    worker.join(10)
    assert len(canceled) == 1
