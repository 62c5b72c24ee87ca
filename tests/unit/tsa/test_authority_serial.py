"""Serial numbers: never twice, whatever happens; kill -9 in a real child process."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from evidence_desk.errors import HostError, IntegrityError
from tsa.authority import serial as serial_module
from tsa.authority.serial import SerialNumbers

CHILD = """
import os, sys
from pathlib import Path
from tsa.authority.serial import SerialNumbers
numbers = SerialNumbers(Path(sys.argv[1]), block=7)
out = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
while True:
    os.write(out, b"%x\\n" % numbers.next())
"""


def test_numbers_are_positive_unique_and_fit(tmp_path):
    numbers = SerialNumbers(tmp_path, block=10)
    given = [numbers.next() for _ in range(95)]
    assert len(set(given)) == 95
    assert given == sorted(given)
    assert all(0 < number < 1 << 159 for number in given)


def test_reopening_never_repeats_a_counter(tmp_path):
    counters = [SerialNumbers(tmp_path, block=3).next() >> 64 for _ in range(20)]
    assert len(set(counters)) == 20


def test_two_sources_of_one_folder_never_meet(tmp_path):
    sources = [SerialNumbers(tmp_path, block=2) for _ in range(3)]
    counters = [source.next() >> 64 for _ in range(9) for source in sources]
    assert len(set(counters)) == 27


def test_state_brought_back_from_a_backup_repeats_nothing(tmp_path):
    SerialNumbers(tmp_path, block=5).next()
    backup = (tmp_path / "serial").read_bytes()
    first = SerialNumbers(tmp_path, block=5)
    given = {first.next() for _ in range(5)}
    (tmp_path / "serial").write_bytes(backup)
    second = SerialNumbers(tmp_path, block=5)
    again = {second.next() for _ in range(5)}
    assert {item >> 64 for item in given} == {item >> 64 for item in again}
    assert not given & again


def test_threads(tmp_path):
    numbers = SerialNumbers(tmp_path, block=11)
    given: list[int] = []

    def work() -> None:
        given.extend(numbers.next() for _ in range(200))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(given)) == 1200


def test_forked_child_takes_its_own_block(tmp_path):
    numbers = SerialNumbers(tmp_path, block=10)
    numbers.next()
    numbers._pid = -1  # what a child sees after fork: the object of another process
    session = numbers._session
    counter = numbers.next() >> 64
    assert counter == 11
    assert numbers._session != session


@pytest.mark.parametrize(
    "content",
    [b"", b"next 5", b"next 05\n", b"next -5\n", b"next 5\n\n", b"5\n", b"next 99999999999999999999\n"],
)
def test_damaged_file_stops_everything(tmp_path, content):
    (tmp_path / "serial").write_bytes(content)
    with pytest.raises(IntegrityError, match=r"authority\.serial_file"):
        SerialNumbers(tmp_path).next()
    assert (tmp_path / "serial").read_bytes() == content


def test_counter_has_an_end(tmp_path):
    (tmp_path / "serial").write_bytes(b"next %d\n" % ((1 << 62) - 1))
    with pytest.raises(IntegrityError):
        SerialNumbers(tmp_path).next()


def test_no_number_without_a_durable_block(tmp_path, monkeypatch):
    numbers = SerialNumbers(tmp_path, block=1)
    first = numbers.next()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(serial_module, "write_durably", full)
        for _ in range(2):
            with pytest.raises(HostError, match=r"authority\.serial_write"):
                numbers.next()
    assert numbers.next() >> 64 == (first >> 64) + 1


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="needs a folder that refuses")
def test_folder_that_cannot_be_written(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(HostError):
        SerialNumbers(tmp_path).next()


def kill_while_issuing(folder, count: int) -> list[str]:
    out = folder / "issued"
    script = folder / "child.py"
    script.write_text(CHILD)
    for round_number in range(count):
        before = out.stat().st_size if out.exists() else 0
        child = subprocess.Popen([sys.executable, str(script), str(folder), str(out)])
        try:
            limit = time.monotonic() + 60
            while (out.stat().st_size if out.exists() else 0) <= before:
                assert child.poll() is None
                assert time.monotonic() < limit
                time.sleep(0.0005)
            time.sleep(0.003 * (round_number % 5))
        finally:
            child.send_signal(signal.SIGKILL)
            child.wait()
    lines = out.read_bytes().split(b"\n")
    assert lines[-1] == b""  # each line is one write: none is cut
    return [line.decode() for line in lines[:-1]]


def counters(issued: list[str]) -> list[int]:
    # The counter alone must not repeat; the random part would hide a fault.
    return [int(line, 16) >> 64 for line in issued]


def test_100_times_kill_9(tmp_path):
    given = counters(kill_while_issuing(tmp_path, 100))
    assert len(given) >= 100
    assert len(set(given)) == len(given)


@pytest.mark.full
@pytest.mark.timeout(1800)
def test_1000_times_kill_9(tmp_path):
    given = counters(kill_while_issuing(tmp_path, 1000))
    assert len(given) >= 1000
    assert len(set(given)) == len(given)
