"""What the program is asked to do, from the command line and from a second start."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.errors import MalformedError
from ui.arguments import MAX_BYTES, Request, decode_request, encode_request, parse_arguments


def test_every_option(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    request = parse_arguments(
        ["a.txt", "--seal", "b", "c", "--verify", "d.pdf", "--seal", "/e", "--vault", "库"]
    )
    assert request == Request(
        seal=(tmp_path / "b", tmp_path / "c", Path("/e")),
        verify=(tmp_path / "d.pdf",),
        paths=(tmp_path / "a.txt",),
        vault=tmp_path / "库",
    )


def test_an_action_without_files_brings_its_page(tmp_path):
    assert parse_arguments(["--verify"]) == Request(page="verify")
    assert decode_request(encode_request(Request(page="seal"))).page == "seal"


def test_what_is_good_is_taken():
    assert decode_request(json.dumps(GOOD).encode() + b"\n") == Request()


def test_a_lawyers_plain_files_are_sealed_and_certificates_verified():
    request = Request(paths=(Path("/a.txt"), Path("/b.PDF"), Path("/c.asice")), seal=(Path("/d.pdf"),))
    assert request.sorted(judge=False) == (
        (Path("/d.pdf"), Path("/a.txt")),
        (Path("/b.PDF"), Path("/c.asice")),
    )


def test_a_judges_plain_files_are_verified():
    request = Request(paths=(Path("/a.txt"), Path("/b.pdf")))
    assert request.sorted(judge=True) == ((), (Path("/a.txt"), Path("/b.pdf")))


@pytest.mark.parametrize("arguments", [["--nothing"], ["--vault"], ["--seal=x", "--vault"]])
def test_what_cannot_be_meant_ends_with_usage(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        parse_arguments(arguments)
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err


PATHS = st.lists(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40).map(
        lambda name: Path("/" + name)
    ),
    max_size=5,
).map(tuple)


@given(PATHS, PATHS, PATHS, st.none() | st.just(Path("/库")))
def test_round_trip(seal, verify, paths, vault):
    request = Request(seal=seal, verify=verify, paths=paths, vault=vault)
    assert decode_request(encode_request(request)) == request


def test_a_name_that_is_no_text_survives():
    request = Request(seal=(Path("/\udcff\udcfe.txt"),))
    assert decode_request(encode_request(request)) == request


GOOD = {"v": 1, "seal": [], "verify": [], "paths": [], "vault": "", "page": ""}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"null\n",
        b"[" * 100_000,
        b"{" + b" " * MAX_BYTES,
        b'{"v":1}\n',
        "{“}".encode(),
        json.dumps({**GOOD, "more": 1}).encode() + b"\n",
        json.dumps({**GOOD, "v": 2}).encode() + b"\n",
        json.dumps({**GOOD, "v": True}).encode() + b"\n",
        json.dumps({**GOOD, "v": 1.0}).encode() + b"\n",
        json.dumps({**GOOD, "seal": "x"}).encode() + b"\n",
        json.dumps({**GOOD, "seal": ["relative"]}).encode() + b"\n",
        json.dumps({**GOOD, "seal": ["/a/\0"]}).encode() + b"\n",
        json.dumps({**GOOD, "seal": ["/\ud800"]}).encode() + b"\n",
        json.dumps({**GOOD, "seal": [1]}).encode() + b"\n",
        json.dumps({**GOOD, "seal": ["/" + "a" * 5000]}).encode() + b"\n",
        json.dumps({**GOOD, "seal": ["/a"] * 10_001}).encode() + b"\n",
        json.dumps({**GOOD, "page": "settings"}).encode() + b"\n",
        json.dumps({**GOOD, "page": ["seal"]}).encode() + b"\n",
        json.dumps({**GOOD, "vault": "here"}).encode() + b"\n",
        json.dumps(GOOD).encode(),
        json.dumps(GOOD).encode() + b"\n\n",
        b'{"v": 1, "v": 1, "seal": [], "verify": [], "paths": [], "vault": "", "page": ""}\n',
    ],
    ids=range(24),
)
def test_hostile_bytes_are_refused(data):
    with pytest.raises(MalformedError):
        decode_request(data)


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_with_our_error(data):
    with pytest.raises(MalformedError):
        decode_request(data)
