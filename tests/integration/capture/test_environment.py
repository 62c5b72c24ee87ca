"""All checks of this very machine, with private outputs, time limit and cancellation; nothing is faked."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from evidence_desk.capture.environment import (
    AuthorityClock,
    ClockSources,
    Machine,
    ProgramFacts,
    check_environment,
    checking,
)
from evidence_desk.core.capture.environment import Check, Item, Outcome, Target, When, because, compare
from evidence_desk.core.capture.environment_codec import encode, parse
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.job import Job
from evidence_desk.errors import CanceledError
from evidence_desk.texts import Language, has

NO_NET = ClockSources(ntp=())
PROGRAM = ProgramFacts(name="Evidence Desk", version="1", digests=DigestPair.of(b"program"))


@contextmanager
def hanging_up() -> Iterator[socket.socket]:
    """A server that ends every connection at once: reached, but no handshake."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    listener.accept()[0].close()
                except OSError:
                    return

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_before_and_after_on_this_machine(tmp_path):
    steps: list[tuple[str, int, int]] = []
    private: dict[str, bytes] = {}
    demo = AuthorityClock(name="演示", ask=lambda: datetime.now(UTC), demo=True)
    with hanging_up() as listener:
        target = Target(host="127.0.0.1", port=listener.getsockname()[1])
        reports = [
            check_environment(
                when, [target, target], sources=ClockSources(ntp=(), authorities=(demo,)),
                job=Job(lambda *step: steps.append(step)), folder=tmp_path, profile=[], program=PROGRAM,
                keep=private.__setitem__,
            )
            for when in When
        ]  # fmt: skip
    before, after = reports
    assert [item.check for item in before.items] == list(Check)
    assert parse(encode(before)) == before
    assert before.targets == (str(target),)
    assert before.demo == ("演示",)
    assert set(private) == {"environment-before-processes.txt", "environment-after-processes.txt"}
    for report in reports:
        raw = report.items[list(Check).index(Check.PROCESSES)].raws[0]
        assert raw.digests == DigestPair.of(private[raw.attachment or ""])
    told = {item.check: item for item in before.items}
    assert told[Check.REACH].outcome is Outcome.PASS
    assert told[Check.PROFILE].outcome is Outcome.PASS
    assert told[Check.CLOCK].outcome is Outcome.UNCHECKED  # the demonstration does not count
    assert not any(reason.code == "environment.broken" for item in before.items for reason in item.reasons)
    assert {step[0] for step in steps} == {"environment"}
    assert steps[-1][1:] == (len(Check), len(Check))
    assert not [
        item for item in compare(before, after) if item.check in {Check.HOSTS, Check.ROOTS, Check.PROGRAM}
    ]
    for item in before.items:
        for reason in item.reasons:
            assert all(has(reason.code, language) for language in Language), reason.code


def test_every_check_has_a_checker_on_both_systems():
    for system in ("linux", "windows"):
        assert set(checking.checkers(system)) == set(Check)


@pytest.mark.skipif(sys.platform == "win32", reason="real Windows has more than nothing")
@pytest.mark.parametrize("system", ["windows", "freebsd14"])
def test_a_machine_that_cannot_be_read_passes_nothing_that_was_not_run(tmp_path, system):
    machine = Machine(system=system, root=tmp_path, environ={}, home=None, run=lambda *_: None)
    report = check_environment(When.BEFORE, [], sources=NO_NET, job=Job(), machine=machine)
    assert parse(encode(report)) == report
    assert report.count(Outcome.FAIL) == 0
    assert [item.check for item in report.items if item.outcome is Outcome.PASS] == []


def test_a_check_that_is_late_or_broken_is_unchecked_and_the_others_stay(monkeypatch):
    waiting = threading.Event()

    def late(_: object) -> Item:
        waiting.wait(20)
        return Item(check=Check.CLOCK, outcome=Outcome.PASS, reasons=(because("environment.clock.agree"),))

    def broken(_: object) -> Item:
        raise ZeroDivisionError

    known = {Check.CLOCK: late, Check.ZONE: broken, Check.PROFILE: checking.checkers("linux")[Check.PROFILE]}
    monkeypatch.setattr(checking, "checkers", lambda _: known)
    started = time.monotonic()
    report = check_environment(When.BEFORE, [], sources=NO_NET, job=Job(), profile=[], limit=0.3)
    assert time.monotonic() - started < 15  # far below what the late one takes
    waiting.set()
    told = {item.check: item for item in report.items}
    assert (told[Check.CLOCK].outcome, told[Check.CLOCK].reasons[0].code) == (
        Outcome.UNCHECKED,
        "environment.late",
    )
    assert told[Check.ZONE].reasons[0].parameters == {"reason": "ZeroDivisionError"}
    assert told[Check.PROFILE].outcome is Outcome.PASS
    assert told[Check.HOSTS].reasons[0].code == "environment.not_on_system"


def test_cancellation():
    job = Job()
    job.cancel()
    with pytest.raises(CanceledError):
        check_environment(When.BEFORE, [], sources=NO_NET, job=job)


def test_a_report_names_the_targets_it_checked_and_counts_the_rest(tmp_path):
    machine = Machine(system="other", root=tmp_path, environ={}, home=None, run=lambda *_: None)
    targets = [Target(host=f"203.0.113.{number}", port=80) for number in range(70)]
    known = {Check.ANSWERS: checking.checkers("linux")[Check.ANSWERS]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checking, "checkers", lambda _: known)
        report = check_environment(When.BEFORE, targets, sources=NO_NET, job=Job(), machine=machine)
    item = report.item(Check.ANSWERS)
    assert item is not None
    assert len(report.targets) == 64
    assert item.reasons[-1].parameters == {"count": 6}
