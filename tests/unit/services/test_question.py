"""What is typed, pasted or scanned is recognized, or refused with what is accepted."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.core.digests import DigestPair
from evidence_desk.core.evidence_number import Prefix, format_number
from evidence_desk.core.job import Job
from evidence_desk.core.qr_payload import CodePayload
from evidence_desk.errors import MalformedError
from evidence_desk.services.question import MAX_TEXT, QuestionKind, ask, recognize

DIGEST = DigestPair.of(b"x").sha256
GROUPS = " ".join(DIGEST.hex()[at : at + 8] for at in range(0, 64, 8))
ED, EC = (format_number(prefix, DIGEST) for prefix in Prefix)


@pytest.mark.parametrize(
    ("text", "algorithm"),
    [
        (DIGEST.hex(), ""), (DIGEST.hex().upper(), ""), (f"  {GROUPS}\n", ""), (GROUPS.replace(" ", "\n"), ""),
        (":".join(DIGEST.hex()[at : at + 2] for at in range(0, 64, 2)), ""), (f"sha256:{DIGEST.hex()}", "sha256"),
        (f"SHA-256: {GROUPS}", "sha256"), (f"SHA-256 {GROUPS}", "sha256"), (f"sm3:{DIGEST.hex()}", "sm3"), (f"SM3 {GROUPS}", "sm3"),
        (f"sm3={DIGEST.hex()}", "sm3"),
        ("".join(chr(ord(char) + 0xFEE0) for char in DIGEST.hex()), ""),
    ],
)  # fmt: skip
def test_digests_as_people_write_them(text, algorithm):
    found = recognize(text)
    assert (found.kind, found.digest, found.algorithm) == (QuestionKind.DIGEST, DIGEST, algorithm)


@pytest.mark.parametrize(
    "change", [str, str.lower, lambda text: text.replace("-", " "), lambda text: f" {text}\n"]
)
def test_numbers_come_in_one_spelling(change):
    assert (recognize(change(ED)).kind, recognize(change(ED)).number) == (QuestionKind.EVIDENCE_NUMBER, ED)
    assert (recognize(change(EC)).kind, recognize(change(EC)).number) == (QuestionKind.CERTIFICATE_NUMBER, EC)


def test_codes():
    payload = CodePayload(leaf_hash=DIGEST, chain_id="demo-c")
    assert recognize(f"{payload.encode()}\n").code == payload
    assert recognize(payload.encode()).text == payload.encode()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "question.empty"), (" \n\t　", "question.empty"), ("x" * (MAX_TEXT + 1), "question.too_long"),
        ("合同.pdf", "question.unknown"), ("ed", "malformed.number"), (f"{ED}0", "malformed.number"),
        (ED[:-1] + ("0" if ED[-1] != "0" else "1"), "malformed.number_check"), ("d41d8cd98f00b204e9800998ecf8427e", "question.unknown"),
        ("da39a3ee5e6b4b0d3255bfef95601890afd80709", "question.digest"), (DIGEST.hex() + "00", "question.digest"),
        (f"ED1 leaf={DIGEST.hex()}", "malformed.code"), ("https://court.example/", "malformed.code"), ("\ud800", "question.unknown"),
    ],
)  # fmt: skip
def test_the_rest_is_refused(text, code):
    with pytest.raises(MalformedError) as refused:
        recognize(text)
    assert refused.value.code == code


def test_a_clipboard_of_100_megabytes_is_not_even_copied():
    text = "ab " * 33_333_334
    tracemalloc.start()
    with pytest.raises(MalformedError, match=r"question\.too_long"):
        recognize(text)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000


@given(st.text(max_size=2 * MAX_TEXT))
def test_never_crashes(text):
    try:
        found = recognize(text)
    except MalformedError:
        return
    assert recognize(found.text).text == found.text


def test_a_word_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for name in (DIGEST.hex(), ED, "a.txt"):
        (tmp_path / name).write_bytes(b"y")
    assert ask(DIGEST.hex(), Job()).kind is QuestionKind.DIGEST, "a digest, though a file has its name"
    assert ask(ED, Job()).kind is QuestionKind.FILE, "a file, though it has the form of a number"
    found = ask("a.txt", Job())
    assert (found.digests, found.size) == (DigestPair.of(b"y"), 1)
    assert ask(EC, Job()).number == EC
    with pytest.raises(MalformedError, match=r"question\.unknown"):
        ask("missing.txt", Job())
