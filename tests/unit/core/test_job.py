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
