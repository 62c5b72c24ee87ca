from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.core.canonical import decode, encode
from evidence_desk.core.derivation import Derivation, Relation, derivation_of
from evidence_desk.core.digests import DigestPair, sha256
from evidence_desk.errors import MalformedError
from tests.fixed import refusal

MADE = Derivation(
    relation=Relation.TRANSLATION, leaf_hash=sha256(b"leaf"), position=2, name="合同.pdf", size=5, digests=DigestPair.of(b"12345")
)  # fmt: skip


def test_what_is_written_is_read_again():
    again = decode(encode(MADE.to_json()), what="source", limit=1 << 20)
    assert Derivation.from_json(again) == MADE
    assert derivation_of({"derived_from": again, "obtained": "x"}) == MADE


@pytest.mark.parametrize(
    ("member", "value"),
    [("relation", "copy"), ("relation", 1), ("relation", ["redacted"]), ("number", "ED-0000-0000-0000-0000-0"), ("leaf_sha256", "00"),
     ("position", 0), ("position", True), ("position", "1"), ("name", ""), ("name", "x" * 5000), ("name", 1), ("size", -1), ("size", False)],
)  # fmt: skip
def test_one_wrong_member_refuses_the_whole(member, value):
    changed = {**MADE.to_json(), member: value}
    with pytest.raises(MalformedError):
        Derivation.from_json(changed)
    assert derivation_of({"derived_from": changed}) is None


def test_members_more_or_fewer_are_refused():
    with refusal("malformed.derivation"):
        Derivation.from_json({**MADE.to_json(), "x": 1})
    with refusal("malformed.derivation"):
        Derivation.from_json([])


@pytest.mark.parametrize(
    "source", [None, [], "x", {}, {"derived_from": "由手机导出"}, {"derived_from": None}]
)
def test_no_derivation(source):
    assert derivation_of(source) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*MADE.to_json(), "sha256"]), inner, max_size=7),
    max_leaves=12,
)  # fmt: skip


@given(JSON)
def test_anything_else_is_none(value):
    assert derivation_of({"derived_from": value}) is None
