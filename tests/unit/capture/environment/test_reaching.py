"""Hosts file, answers of resolvers, connections to real sockets, and routes from recorded outputs."""

from __future__ import annotations

import socket

import pytest

from evidence_desk.capture.environment.reaching import (
    check_answers,
    check_hosts,
    check_reach,
    check_trace,
    system_answers,
)
from evidence_desk.core.capture.environment import Outcome, Target
from evidence_desk.errors import RemoteError
from tests.unit.capture.environment.machines import a_machine, around, codes

SITE = Target(host="www.example.com")


@pytest.mark.parametrize(
    ("text", "outcome", "found"),
    [
        (
            "127.0.0.1 localhost\n::1 ip6-localhost # x\n127.0.1.1 desk desk.local\n",
            Outcome.PASS,
            ["hosts.plain"],
        ),
        ("# 10.0.0.1 www.example.com\n", Outcome.PASS, ["hosts.plain"]),
        ("10.0.0.1\tother.example ads.example\n", Outcome.WARN, ["hosts.other"]),
        ("10.0.0.1 WWW.Example.COM\n", Outcome.FAIL, ["hosts.target"]),
        ("10.0.0.1 www.example.com. other.example\n", Outcome.FAIL, ["hosts.target", "hosts.other"]),
        (None, Outcome.UNCHECKED, ["hosts.unread"]),
    ],
)
def test_hosts_file(tmp_path, text, outcome, found):
    machine = a_machine(tmp_path, files={} if text is None else {"/etc/hosts": text})
    item = check_hosts(around(machine, SITE), own="desk.local")
    assert item.outcome is outcome
    assert codes(item) == found


def test_the_hosts_file_of_windows_lies_elsewhere(tmp_path):
    files = {"/Windows/System32/drivers/etc/hosts": "10.0.0.1 www.example.com\r\n"}
    item = check_hosts(around(a_machine(tmp_path, files=files, system="windows"), SITE), own="desk")
    assert item.outcome is Outcome.FAIL
    assert item.facts["entries"] == ("10.0.0.1 www.example.com",)


def given(*addresses: str):
    return lambda _: addresses


def refuse(host: str) -> tuple[str, ...]:
    raise RemoteError("resolver.silent", host=host)


def fail(host: str) -> tuple[str, ...]:
    raise socket.gaierror(socket.EAI_NONAME, host)


@pytest.mark.parametrize(
    ("own", "others", "outcome", "found"),
    [
        (given("93.184.216.34"), {"a": given("93.184.216.34", "93.184.216.35")}, Outcome.PASS, ["answers.same"]),
        (given("93.184.216.34"), {"a": given("93.184.216.35")}, Outcome.WARN, ["answers.differ"]),
        (given("93.184.216.34"), {}, Outcome.UNCHECKED, ["answers.uncompared"]),
        (given("93.184.216.34"), {"a": refuse}, Outcome.UNCHECKED, ["answers.uncompared"]),
        (given("10.1.2.3"), {"a": given("10.1.2.3")}, Outcome.WARN, ["answers.private", "answers.same"]),
        (fail, {"a": given("93.184.216.34")}, Outcome.FAIL, ["answers.none"]),
        (refuse, {}, Outcome.FAIL, ["answers.none"]),
    ],
)  # fmt: skip
def test_answers_side_by_side(tmp_path, own, others, outcome, found):
    item = check_answers(around(a_machine(tmp_path), SITE, resolvers=others), own)
    assert item.outcome is outcome
    assert codes(item) == found


def test_answers_of_several_hosts(tmp_path):
    targets = (
        SITE,
        Target(host="203.0.113.9"),
        Target(host="b.example"),
        Target(host="www.example.com", port=8443),
    )
    item = check_answers(
        around(a_machine(tmp_path), *targets, resolvers={"a": given("1.1.1.1")}), given("1.1.1.1")
    )
    assert codes(item) == ["answers.same", "answers.literal", "answers.same"]
    assert item.facts["answers"] == ("b.example 1.1.1.1", "www.example.com 1.1.1.1")
    assert check_answers(around(a_machine(tmp_path))).outcome is Outcome.UNCHECKED


def test_the_system_knows_this_machine():
    assert set(system_answers("localhost")) & {"127.0.0.1", "::1"}


def test_reach_by_real_connections(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        open_port, shut_port = listener.getsockname()[1], closed.getsockname()[1]
        item = check_reach(around(a_machine(tmp_path), Target(host="127.0.0.1", port=open_port)))
        both = check_reach(
            around(
                a_machine(tmp_path), *(Target(host="127.0.0.1", port=port) for port in (open_port, shut_port))
            )
        )
    assert item.outcome is Outcome.PASS
    assert item.facts["via"] == ("127.0.0.1",)
    assert both.outcome is Outcome.FAIL
    assert codes(both) == ["reach.reached", "reach.failed"]
    assert both.reasons[1].parameters["reason"] == "ECONNREFUSED"
    assert check_reach(around(a_machine(tmp_path))).outcome is Outcome.UNCHECKED


def test_a_name_that_is_none_is_not_reached(tmp_path):
    for host in ("no-such-host.invalid", "a" * 300, "..", "\ud800"):
        assert check_reach(around(a_machine(tmp_path), Target(host=host))).outcome is Outcome.FAIL


TRACE = "traceroute to www.example.com (93.184.216.34), 20 hops max\n 1  192.0.2.1  0.3 ms\n 2  *\n 3  93.184.216.34  9 ms\n"
PATH = " 1?: [LOCALHOST]                      pmtu 1500\n 1:  192.0.2.1  0.3ms\n 2:  93.184.216.34  9ms reached\n"


@pytest.mark.parametrize(
    ("outputs", "outcome", "found"),
    [
        ({"traceroute": (0, TRACE)}, Outcome.PASS, ["trace.ran"]),
        ({"tracepath": (0, PATH)}, Outcome.PASS, ["trace.ran"]),
        ({"traceroute": (None, TRACE)}, Outcome.UNCHECKED, ["trace.unfinished"]),
        ({"traceroute": (0, "")}, Outcome.UNCHECKED, ["trace.unfinished"]),
        ({}, Outcome.UNCHECKED, ["trace.no_tool"]),
    ],
)
def test_trace(tmp_path, outputs, outcome, found):
    item = check_trace(around(a_machine(tmp_path, outputs=outputs), SITE))
    assert item.outcome is outcome
    assert codes(item) == found


def test_trace_without_target_or_with_an_option_as_host(tmp_path):
    machine = a_machine(tmp_path, outputs={"traceroute": (0, TRACE)})
    assert codes(check_trace(around(machine))) == ["no_targets"]
    item = check_trace(around(machine, Target(host="-f")))
    assert item.outcome is Outcome.UNCHECKED
    assert item.raws == ()
    windows = a_machine(
        tmp_path,
        outputs={"tracert.exe": (0, "  1    <1 ms    <1 ms    <1 ms  192.0.2.1\r\n")},
        system="windows",
    )
    assert check_trace(around(windows, SITE)).outcome is Outcome.PASS


def test_targets_beyond_the_limit_are_told_as_unchecked(tmp_path):
    literal = Target(host="203.0.113.9")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        reached = around(
            a_machine(tmp_path), Target(host="127.0.0.1", port=listener.getsockname()[1]), rest=3
        )
        item = check_reach(reached)
    assert (item.outcome, codes(item)) == (Outcome.UNCHECKED, ["reach.reached", "targets_rest"])
    assert check_answers(around(a_machine(tmp_path), literal, rest=1)).outcome is Outcome.UNCHECKED
    machine = a_machine(tmp_path, outputs={"traceroute": (0, TRACE)})
    assert codes(check_trace(around(machine, SITE, literal))) == ["trace.ran", "trace.first_only"]
