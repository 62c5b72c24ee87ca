import json
import os
import signal
import subprocess
import sys

import pytest

from evidence_desk.errors import CanceledError, MalformedError, NotFoundError
from evidence_desk.terminal.output import ErrorTold, Output, error_json
from evidence_desk.texts import Language


def leaving(out: Output, error: Exception) -> int:
    with pytest.raises(ErrorTold) as caught, out:
        raise error
    return caught.value.status


def test_our_errors_are_told_with_their_status(capsys):
    assert leaving(Output(Language.ZH, as_json=False), NotFoundError("find.exhibit", number="ED-X")) == 66
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("错误：本终端没有编号为 ED-X 的证据。\n  请核对编号")


def test_in_json_mode_the_error_is_the_document(capsys):
    assert leaving(Output(Language.EN, as_json=True), NotFoundError("find.exhibit", number="ED-X")) == 66
    said = capsys.readouterr()
    assert json.loads(said.out)["error"]["code"] == "find.exhibit"
    assert said.err.startswith("Error: This desk has no exhibit")


@pytest.mark.parametrize("as_json", [True, False])
def test_a_bug_is_told_and_is_no_verdict(capsys, as_json):
    assert leaving(Output(Language.ZH, as_json=as_json), KeyError("x")) == 70
    said = capsys.readouterr()
    assert "程序内部错误" in said.err
    assert "KeyError" in said.err
    assert (json.loads(said.out)["error"]["code"] == "bug.unexpected") if as_json else said.out == ""


def test_running_out_of_memory_is_told(capsys):
    assert leaving(Output(Language.ZH, as_json=False), MemoryError()) == 70
    assert "内存不足" in capsys.readouterr().err


def test_developers_can_ask_where_a_bug_arose(capsys, monkeypatch):
    monkeypatch.setenv("EVIDENCE_DESK_TRACEBACK", "1")
    leaving(Output(Language.ZH, as_json=False), KeyError("x"))
    assert "Traceback" in capsys.readouterr().err


def test_interrupts_and_broken_pipes_pass_through():
    for error in (KeyboardInterrupt(), BrokenPipeError()):
        with pytest.raises(type(error)), Output(Language.ZH, as_json=False):
            raise error


def test_only_one_document_and_no_lines_in_json_mode(capsys):
    out = Output(Language.ZH, as_json=True)
    out.line("for people")
    out.say("list.empty")
    out.document({"a": 1})
    out.document({"b": 2})
    assert json.loads(capsys.readouterr().out) == {"a": 1}


def test_names_that_are_no_utf8_make_a_document_all_the_same(capsys):
    Output(Language.ZH, as_json=True).document({"path": "a\udcff"})
    assert json.loads(capsys.readouterr().out) == {"path": "a?"}


def test_what_is_filled_in_is_printable(capsys):
    out = Output(Language.ZH, as_json=False)
    assert "\\u{1b}" in out.text("export.done", path="\x1b")
    out.fail(MalformedError("verify.unrecognized", path="\x1b[2J"))
    assert "\x1b" not in capsys.readouterr().err
    assert "\x1b" not in error_json(MalformedError("verify.unrecognized", path="\x1b"), Language.ZH)["title"]


def test_interrupting_cancels_the_job():
    out = Output(Language.ZH, as_json=False)
    before = signal.getsignal(signal.SIGINT)
    with out.job() as job:
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(CanceledError):
            job.step("hash", 0, 1)
    assert signal.getsignal(signal.SIGINT) is before


PROGRAM = """
from evidence_desk.terminal.output import Output
from evidence_desk.terminal.program import run_program
from evidence_desk.texts import Language

def main(arguments):
    out = Output(Language.ZH, as_json="--json" in arguments)
    for _ in range(20_000):
        out.say("list.empty")
    out.document({"name": "\\u8bc1\\u636e" * 1_000})
    return 1

run_program(main)
"""


def test_a_reader_that_goes_away_is_no_verdict():
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(1)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 74


def test_output_is_utf8_under_any_locale():
    done = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-c", PROGRAM.replace("20_000", "1"), "--json"],
        capture_output=True, check=False, env={**os.environ, "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"},
    )  # fmt: skip
    assert done.returncode == 1
    assert json.loads(done.stdout)["name"].startswith("证据")
