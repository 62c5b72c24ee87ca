"""The second decoder really reads, and a difference is a failure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.tsa import forge
from tests.unit.tsa.judge import judge, not_passed
from tsa.response import read_tst_info
from tsa.verify.second import compare


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("hash_oid", forge.SM3),
        ("imprint", bytes(32)),
        ("serial", 43),
        ("gen_time_text", "20260601120001Z"),
        ("policy", "1.2.3"),
        ("nonce", None),
        ("nonce", 1),
    ],
)
def test_difference_is_told(field: str, value: object) -> None:
    changes: dict[str, Any] = {field: value}
    finding = compare(replace(read_tst_info(forge.tst_info()), **changes))
    assert finding.code == "token.second_decoder.differs"
    assert finding.parameters["field"] in (field, "hash_algorithm", "gen_time")


def test_unreadable() -> None:
    info = read_tst_info(forge.tst_info())
    for bad in (b"", b"\x30\x00", info.encoded + b"\0"):
        assert compare(replace(info, encoded=bad, plain=bad)).code == "token.second_decoder.unreadable"


def test_without_nonce() -> None:
    assert compare(read_tst_info(forge.tst_info(nonce=b""))).code == "token.second_decoder.passed"


def test_tsa_name_of_a_form_that_it_does_not_know() -> None:
    address = forge.tlv(0x86, b"https://tsa.example")
    pki = forge.Pki(leaf_extensions=(*forge.LEAF, forge.extension("2.5.29.17", forge.seq(address))))
    info = {"tsa": forge.tlv(0xA0, address)}
    assert not_passed(judge(forge.token(pki=pki, info=info), trust=pki.trust())) == {}
    assert not_passed(judge(forge.token(info=info))) == {"token.certificate.name": "failed"}


def test_time_to_the_microsecond() -> None:
    verdict = judge(forge.token(info={"gen_time": b"20260601120000.123456Z"}))
    assert not_passed(verdict) == {}
    assert verdict.facts is not None
    assert verdict.facts.gen_time == forge.GEN + timedelta(microseconds=123456)
