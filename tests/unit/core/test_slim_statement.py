"""Statements without the digests that their disclosures give: exactly the same bytes come back."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.core.canonical import encode
from evidence_desk.core.slim_statement import full_statement, slim_statement
from evidence_desk.core.statement import make_statement, parse_disclosures
from evidence_desk.errors import EvidenceDeskError
from tests.fixed import FixedRandom, draft

STATEMENT, DISCLOSURES, _ = make_statement(draft(), FixedRandom())


def again(statement: bytes, disclosures: bytes) -> bytes:
    return full_statement(slim_statement(statement, disclosures), parse_disclosures(disclosures))[0]


def test_comes_back_smaller():
    slim = slim_statement(STATEMENT, DISCLOSURES)
    assert full_statement(slim, parse_disclosures(DISCLOSURES)) == (STATEMENT, True)
    assert b"salted" not in slim
    assert len(slim) < len(STATEMENT) * 2 // 3


@given(st.sets(st.integers(0, 20)))
def test_withheld_members_stay_as_they_are(kept):
    members = json.loads(DISCLOSURES)["members"]
    fewer = encode({"v": "disclosures/1", "members": [item for at, item in enumerate(members) if at in kept]})
    assert again(STATEMENT, fewer) == STATEMENT


def test_a_disclosure_of_something_else_is_left_alone():
    members = json.loads(DISCLOSURES)["members"]
    members[0]["salt"] = "00" * 32
    wrong = encode({"v": "disclosures/1", "members": members})
    assert again(STATEMENT, wrong) == STATEMENT
    assert not full_statement(slim_statement(STATEMENT, wrong), parse_disclosures(wrong))[1]


@pytest.mark.parametrize(
    "path", ["", "/", "x", "/files/99", "/files/x", "/files", "/v/x", "/files/0/salted/sha256/x", "/case"]
)
def test_paths_that_lead_nowhere(path):
    odd = encode({"v": "disclosures/1", "members": [{"path": path, "salt": "00" * 32, "value": 1}]})
    assert again(STATEMENT, odd) == STATEMENT


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(slim, disclosures):
    try:
        full_statement(slim, parse_disclosures(disclosures))
    except EvidenceDeskError:
        return


def test_another_statement_is_another():
    other, disclosures, _ = make_statement(replace(draft(), title="另一件"), FixedRandom("other"))
    assert again(other, disclosures) == other != STATEMENT
