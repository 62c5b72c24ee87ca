import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.errors import MalformedError
from evidence_desk.wacz.tls import KeyLog
from evidence_desk.wacz.tls import keylog as module

RANDOM = "ab" * 32
LINE = f"CLIENT_RANDOM {RANDOM} {'cd' * 48}\n"


def read(text: str) -> KeyLog:
    return KeyLog.parse(text.encode())


def test_lines():
    log = read(f"# comment\n\r\n{LINE}SERVER_TRAFFIC_SECRET_0 {RANDOM.upper()} {'EF' * 32}\r\n")
    assert log.secret("CLIENT_RANDOM", b"\xab" * 32, 48) == b"\xcd" * 48
    assert log.secret("SERVER_TRAFFIC_SECRET_0", b"\xab" * 32, 32) == b"\xef" * 32
    assert not log.torn


def test_wrong_sizes_and_strangers_have_no_secret():
    log = read(LINE)
    assert log.secret("CLIENT_RANDOM", b"\xab" * 32, 32) is None
    assert log.secret("CLIENT_RANDOM", bytes(32), 48) is None
    assert log.secret("SERVER_TRAFFIC_SECRET_0", b"\xab" * 32, 48) is None


def test_other_labels_are_left_aside():
    log = read(f"EXPORTER_SECRET {RANDOM} {'cd' * 32}\nRSA 0011 2233\nSOMETHING_NEW with words\n{LINE}")
    assert len(log.secrets) == 1


@pytest.mark.parametrize("end", ["CLIENT_RAN", f"CLIENT_RANDOM {RANDOM} cdcd", "\x00\x00", "x" * 300])
def test_torn_last_line(end):
    log = read(LINE + end)
    assert log.torn
    assert len(log.secrets) == 1


def test_last_line_without_line_feed():
    log = read(LINE[:-1])
    assert not log.torn
    assert len(log.secrets) == 1


@pytest.mark.parametrize(
    "line",
    [
        "client_random x", f"CLIENT_RANDOM {RANDOM} cd", f"CLIENT_RANDOM {RANDOM[2:]} {'cd' * 48}", "CLIENT_RANDOM",
        f"CLIENT_RANDOM  {RANDOM} {'cd' * 48}", f"CLIENT_RANDOM {RANDOM} {'cd' * 48} ", f"CLIENT_RANDOM {RANDOM} {'xy' * 48}",
        f"CLIENT_RANDOM {RANDOM} {'ce' * 48}", "\x00", "é", " ",
    ],
)  # fmt: skip
def test_wrong_lines(line):
    with pytest.raises(MalformedError) as caught:
        read(f"{LINE}{line}\n{LINE}")
    assert caught.value.code == "malformed.keylog"
    assert caught.value.parameters == {"line": 2}


def test_size_is_limited(monkeypatch):
    monkeypatch.setattr(module, "MAX_SIZE", 100)
    with pytest.raises(MalformedError) as caught:
        read(LINE)
    assert caught.value.code == "malformed.too_large"


@given(st.binary(max_size=500))
def test_random_bytes(data):
    with contextlib.suppress(MalformedError):
        assert len(KeyLog.parse(data).secrets) == 0


@given(st.integers(0, 2 * len(LINE)))
def test_every_cut_keeps_what_came_before(at):
    log = read((LINE + LINE.replace("ab", "ac"))[:at])
    assert len(log.secrets) == (at >= len(LINE) - 1) + (at >= 2 * len(LINE) - 1)
