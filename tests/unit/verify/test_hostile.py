"""Whatever stands in the papers, the verifier answers: never an exception, never a pass for what was changed."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evidence_desk.core.canonical import encode
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.statement import parse_disclosures
from evidence_desk.core.time_record import encode_record, parse_record
from evidence_desk.core.verdict import Status
from tests.unit.tsa import forge
from tests.unit.verify.evidence import Item, Scene, overall

RELAXED = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
FIELDS = [
    ("checkpoint",), ("leaf", "leaf"), ("leaf", "path", 0), ("times", 0, "token"), ("times", 0, "records", 0),
    ("times", 0, "attested", "leaf"), ("times", 0, "attested", "path", 0), ("times", 0, "checkpoint", "data"),
    ("times", 0, "checkpoint", "record"),
]  # fmt: skip


def reach(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


def mutated(data: bytes, draw: st.DrawFn) -> bytes:
    """Bytes cut, lengthened, overwritten, or others altogether."""
    kind = draw(st.sampled_from(["other", "cut", "longer", "overwritten"]))
    at = draw(st.integers(0, max(len(data) - 1, 0)))
    junk = draw(st.binary(min_size=1, max_size=8))
    match kind:
        case "other":
            return draw(st.binary(max_size=200))
        case "cut":
            return data[:at]
        case "longer":
            return data[:at] + junk + data[at:]
        case _:
            return data[:at] + junk + data[at + len(junk) :]


@RELAXED
@given(data=st.data(), path=st.sampled_from(FIELDS))
def test_every_part_of_a_proof_replaced(scene: Scene, data, path):
    item = scene.item("single")
    value = json.loads(item.proof.encode())
    parent, last = reach(value, path[:-1]), path[-1]
    before = base64.b64decode(parent[last])
    after = data.draw(st.composite(lambda draw: mutated(before, draw))())
    parent[last] = base64.b64encode(after).decode()
    verdict = item.judge(scene.trust, proof=encode(value))
    if after != before and path[-2:] not in (("records", 0), ("checkpoint", "record")):
        assert overall(verdict) is Status.FAILED


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@RELAXED
@given(data=st.data())
def test_any_member_of_a_proof_replaced_by_any_value(scene: Scene, data):
    item = scene.item("single")
    value = json.loads(item.proof.encode())
    path = data.draw(
        st.sampled_from([("v",), ("number",), ("leaf",), ("times",), ("court",), ("leaf", "seq"), ("leaf", "path"),
                         ("times", 0), ("times", 0, "records"), ("times", 0, "attested"), ("times", 0, "header"),
                         ("times", 0, "checkpoint"), ("times", 0, "attested", "seq")])
    )  # fmt: skip
    parent = reach(value, path[:-1])
    before = parent[path[-1]]
    parent[path[-1]] = data.draw(JSON_VALUES)
    verdict = item.judge(scene.trust, proof=encode(value))
    optional = {("times", 0, "attested"), ("times", 0, "checkpoint")}
    if parent[path[-1]] != before and path not in optional:
        assert overall(verdict) is not Status.PASSED


@RELAXED
@given(proof=st.binary(max_size=300))
def test_any_bytes_as_proof(scene: Scene, proof):
    assert overall(scene.item("single").judge(scene.trust, proof=proof)) is Status.FAILED


@RELAXED
@given(data=st.data())
def test_any_statement_that_the_owner_registers(scene: Scene, data):
    """The leaf holds its digests, so that only its content can refuse it."""
    item = scene.item("waiting")
    assert item.statement is not None
    value = json.loads(item.statement)
    value[data.draw(st.sampled_from(sorted(value)))] = data.draw(JSON_VALUES)
    statement = encode(value)
    owned = scene.owner_untimed(item, replace(item.leaf, statement=DigestPair.of(statement)))
    verdict = replace(owned, statement=statement).judge(scene.trust)
    assert overall(verdict) is not Status.PASSED


@RELAXED
@given(data=st.data())
def test_any_value_disclosed(scene: Scene, data):
    item = scene.item("pair")
    assert item.disclosures is not None
    members = [one.to_json() for one in parse_disclosures(item.disclosures)]
    at = data.draw(st.integers(0, len(members) - 1))
    name = data.draw(st.sampled_from(["path", "value", "salt"]))
    before = members[at][name]
    members[at][name] = data.draw(JSON_VALUES)
    changed = encode({"v": "disclosures/1", "members": [*members]})
    verdict = replace(item, disclosures=changed).judge(scene.trust)
    if members[at][name] != before:
        assert overall(verdict) is Status.FAILED


FAR = [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)]


@pytest.mark.parametrize("gen_time", FAR)
@pytest.mark.parametrize("accuracy", [forge.accuracy(59), forge.accuracy(2**31), b""])
def test_times_at_the_edge_of_the_calendar(scene: Scene, gen_time, accuracy):
    text = gen_time.isoformat().replace("-", "").replace(":", "").replace("T", "")[:14].encode() + b"Z"
    token = forge.token(info={"gen_time": text, "accuracy": accuracy})
    item = swapped_token(scene.item("single"), token)
    assert overall(item.judge(scene.trust)) is Status.FAILED


def swapped_token(item: Item, token: bytes) -> Item:
    parsed = parse_record(item.proof.times[0].records[0])
    record = encode_record(replace(parsed, chains=((replace(parsed.first, token=token),),)))
    return item.timed(token=token, records=(record,))


@pytest.mark.parametrize("moved", [timedelta(days=-700_000), timedelta(days=2_900_000)])
def test_registration_at_the_edge_of_the_calendar(scene: Scene, moved):
    item = scene.item("single")
    forged = scene.owner(item, leaf=replace(item.leaf, at=datetime(2026, 1, 1, tzinfo=UTC) + moved))
    codes = {one.code for one in forged.judge(scene.trust).findings if one.check == "clock.order"}
    assert codes <= {"clock.order.late", "clock.order.ahead"}
