"""Commands and files of a real machine: limits, masking, absent tools."""

from __future__ import annotations

import os
import socket
import ssl
import sys

import pytest

from evidence_desk.capture.environment import machine as module
from evidence_desk.capture.environment.machine import (
    Machine,
    call_raw,
    fault_name,
    file_raw,
    mask,
    run_command,
)
from evidence_desk.core.capture.environment import STOPPED

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="commands of Linux")


def test_a_command_runs_without_shell_in_a_fixed_language():
    ran = run_command(("env",))
    assert ran is not None
    assert "LC_ALL=C" in ran.text
    assert "LD_" not in ran.text
    assert ran.command.endswith("/env")
    ran = run_command(("echo", "$HOME; ls", "*"))
    assert ran is not None
    assert ran.text == "$HOME; ls *\n"
    assert ran.raws[0].ran.endswith("echo '$HOME; ls' '*'")


def test_errors_are_recorded_beside_the_output():
    ran = run_command(("ls", "/no/such/place"))
    assert ran is not None
    assert ran.exit_code == 2
    assert [raw.ran.endswith("(stderr)") for raw in ran.raws] == [False, True]
    assert all(raw.exit_code == 2 for raw in ran.raws)


def test_a_missing_tool_is_none():
    assert run_command(("no-such-tool-at-all",)) is None


def test_a_command_that_takes_too_long_is_stopped_and_says_so():
    ran = run_command(("sleep", "60"), 0.05)
    assert ran is not None
    assert ran.exit_code is None
    assert ran.raws[0].exit_code == STOPPED


def test_an_endless_output_is_cut(monkeypatch):
    monkeypatch.setattr(module, "MAX_OUTPUT", 10_000)
    ran = run_command(("yes",), 20.0)
    assert ran is not None
    assert (len(ran.output), ran.exit_code) == (10_000, None)


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("http://user:secret@10.0.0.1:8080", "http://***@10.0.0.1:8080"),
        ("a=socks5://u:s@x b=http://v:t@y", "a=socks5://***@x b=http://***@y"),
        ("http://u:p@ss@host/", "http://***@host/"),
        ("x.http authentication-password 'secret'", "x.http authentication-password ***"),
        ("ProxyPassword=secret", "ProxyPassword=***"),
        ("x.http authentication-password ''", None),
        ("http://host:8080/a@b", None),
        ("nothing here", None),
        ("passwd:         files systemd", None),
        ("openssh-client openssl passwd perl-base", None),
        ("the password file", None),
        ("password=", None),
    ],
)
def test_passwords_are_masked(text, hidden):
    data, masked = mask(text.encode())
    assert data.decode() == (hidden or text)
    assert masked is (hidden is not None)


def test_files_that_are_missing_too_long_or_no_files_are_none(tmp_path, monkeypatch):
    machine = Machine(root=tmp_path)
    (tmp_path / "long").write_bytes(b"x" * 11)
    monkeypatch.setattr(module, "MAX_OUTPUT", 10)
    assert machine.read("/long") is None
    assert machine.read("/gone") is None
    assert machine.read("/") is None
    assert machine.read("/a\0b") is None
    assert machine.names("/long") == machine.names("/gone") == ()
    assert machine.names("/") == ("long",)


def test_records():
    raw = file_raw("/etc/x", b"http://u:p@h\n")
    assert (raw.kept, raw.masked) == (b"http://***@h\n", True)
    assert call_raw("call()", ["a", "\udcff"]).kept == b"a\n\\udcff\n"


def test_names_of_faults():
    assert fault_name(ConnectionRefusedError(111, "x")) == "ECONNREFUSED"
    assert fault_name(socket.gaierror(socket.EAI_NONAME, "x")) == "EAI_NONAME"
    assert fault_name(socket.gaierror(12345, "x")) == "EAI"
    assert fault_name(TimeoutError()) == "TimeoutError"
    assert fault_name(ssl.SSLError(1, "x")) == "SSLError"
    assert fault_name(OSError(os.EX_OK, "x")) == "OSError"
