from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.core.canonical import decode, encode
from evidence_desk.core.certificate import (
    VERSION,
    Printed,
    VerificationReport,
    beijing_text,
    certificate_number,
    certificate_values,
    exhibit_values,
    page_text,
    parse_printed,
    proven_values,
    report_values,
    squeeze,
    utc_text,
)
from evidence_desk.core.digests import DigestPair, sha256
from evidence_desk.core.evidence_number import Prefix, parse_number
from evidence_desk.core.verdict import (
    CERTIFICATE_POLICY,
    Caveat,
    Dimension,
    Finding,
    Status,
    Verdict,
)
from evidence_desk.errors import MalformedError
from tests.unit.reports.samples import CAPTURE, NOW, a_certificate, a_court, a_file, a_token, an_exhibit

PRINTED = Printed(
    version=VERSION, number="EC-1", language="zh", pages=(("存证证书", "第 1 页"), ()), values={"a": 1}
)


def test_number_checks_itself_and_depends_on_every_fact():
    facts: dict[str, Any] = {
        "exhibits": [sha256(b"a"), sha256(b"b")],
        "version": 1,
        "issued": NOW,
        "origin": "desk",
    }
    number = certificate_number(**facts)
    assert len(parse_number(number, Prefix.CERTIFICATE)) == 10
    others = {
        certificate_number(**(facts | change))
        for change in (
            {"exhibits": [sha256(b"b"), sha256(b"a")]},
            {"version": 2},
            {"issued": NOW + timedelta(microseconds=1)},
            {"origin": "desk2"},
        )
    }
    assert number not in others
    assert len(others) == 4


def test_issuer_and_verifier_build_the_same_values():
    exhibit = CAPTURE
    assert exhibit_values(exhibit) == proven_values(
        number=exhibit.number,
        leaf_hash=exhibit.leaf_hash,
        seq=exhibit.seq,
        statement=exhibit.statement,
        files=exhibit.files,
        checkpoint=exhibit.checkpoint,
        token=exhibit.token,
        court=exhibit.court,
    )


@pytest.mark.parametrize(
    "change",
    [
        {"number": "ED-X"},
        {"leaf_hash": sha256(b"other")},
        {"seq": 1},
        {"statement": DigestPair.of(b"other")},
        {"files": (a_file(1), a_file(3))},
        {"files": (dataclasses.replace(a_file(1), name="其他"), a_file(2))},
        {"files": (dataclasses.replace(a_file(1), size=1), a_file(2))},
        {"checkpoint": dataclasses.replace(CAPTURE.checkpoint, size=100)},
        {"checkpoint": dataclasses.replace(CAPTURE.checkpoint, root=sha256(b"x"))},
        {"checkpoint": dataclasses.replace(CAPTURE.checkpoint, origin="x")},
        {"token": None},
        {"token": dataclasses.replace(a_token(), gen_time=NOW)},
        {"token": dataclasses.replace(a_token(), serial=1)},
        {"token": dataclasses.replace(a_token(), policy="1.2.3")},
        {"token": dataclasses.replace(a_token(), tsa="CN=x")},
        {"token": dataclasses.replace(a_token(), accuracy_us=None)},
        {"court": None},
        {"court": dataclasses.replace(a_court(), height=1)},
        {"court": dataclasses.replace(a_court(), time=NOW)},
    ],
)
def test_each_covered_value_counts(change):
    assert exhibit_values(dataclasses.replace(CAPTURE, **change)) != exhibit_values(CAPTURE)


def test_what_rests_on_the_issuers_word_is_not_among_the_covered_values():
    changed = dataclasses.replace(CAPTURE, purpose="别的", title="别的", interest="", custody=())
    assert exhibit_values(changed) == exhibit_values(CAPTURE)


def test_values_are_canonical_json():
    values = certificate_values(a_certificate(an_exhibit(), CAPTURE))
    assert decode(encode(values), what="values", limit=1 << 20) == values


def test_printed_round_trip():
    assert parse_printed(PRINTED.to_bytes()) == PRINTED


@pytest.mark.parametrize(
    "change",
    [
        {"v": "certificate/2"},
        {"number": 1},
        {"language": "fr"},
        {"pages": []},
        {"pages": [{"lines": [1]}]},
        {"pages": [{"lines": "x"}]},
        {"pages": [{"lines": [], "more": 1}]},
        {"pages": ["x"]},
        {"values": []},
        {"extra": 1},
    ],
)
def test_printed_refuses_other_forms(change):
    value = decode(PRINTED.to_bytes(), what="x", limit=1 << 20)
    assert isinstance(value, dict)
    with pytest.raises(MalformedError) as caught:
        parse_printed(encode(value | change))
    assert caught.value.code == "malformed.certificate_json"


@given(st.binary(max_size=300))
def test_printed_parser_never_crashes(data):
    with pytest.raises(MalformedError):
        parse_printed(data)


@given(st.lists(st.lists(st.text(), max_size=3), min_size=1, max_size=3), st.text())
def test_printed_round_trips_any_text(pages, number):
    try:
        printed = Printed(
            version=VERSION,
            number=number,
            language="en",
            pages=tuple(tuple(lines) for lines in pages),
            values={},
        )
        data = printed.to_bytes()
    except UnicodeEncodeError:
        return
    assert parse_printed(data) == printed


def test_text_comparison_ignores_white_space_only():
    assert squeeze(" 存 证\u3000证\n书 ") == "存证证书"
    assert page_text(("ab 12", "c")) == "ab12c"


def test_times():
    assert utc_text(datetime(2026, 1, 2, 3, 4, 5, 600, tzinfo=UTC)) == "2026-01-02T03:04:05.000600Z"
    assert beijing_text(datetime(2026, 1, 2, 20, 4, 5, tzinfo=UTC)) == "2026-01-03 04:04:05"


def test_report_values_hold_the_whole_verdict():
    finding = Finding(
        dimension=Dimension.TIME, check="token", status=Status.FAILED, code="x", parameters={"n": 1}
    )
    report = VerificationReport(
        number="R",
        checked=NOW,
        language="zh",
        subject="a.pdf",
        size=1,
        digests=DigestPair.of(b"x"),
        verdict=Verdict(
            policy=CERTIFICATE_POLICY, findings=(finding,), caveats=(Caveat(code="demo.signer"),)
        ),
        originals=(a_file(1),),
    )
    values = report_values(report)
    assert values["overall"] == "failed"
    assert values["findings"] == [
        {
            "dimension": "time",
            "check": "token",
            "status": "failed",
            "code": "x",
            "parameters": {"n": 1},
            "who_vouches": "computation",
        }
    ]
    assert encode(values)
