"""Many tokens and records in one proof: nothing hidden, nothing judged twice, work bounded."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from evidence_desk.core.proof import MAX_TIMES
from evidence_desk.core.time_record import encode_record, parse_record, splice_crls
from evidence_desk.core.trust import NO_TRUST, Roots, Trust
from evidence_desk.core.verdict import Dimension, Status
from evidence_desk.crypto import der
from evidence_desk.verify import time_proof
from tests.unit.verify.evidence import Item, Scene, codes, overall
from tsa.verify import verify_token

PASSED, FAILED, UNKNOWN = Status.PASSED, Status.FAILED, Status.UNDETERMINED


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Tokens that were really judged, in order; the judge itself is the true one."""
    seen: list[bytes] = []

    def counting(token: bytes, **options):
        seen.append(token)
        return verify_token(token, **options)

    monkeypatch.setattr(time_proof, "verify_token", counting)
    return seen


def variants(record: bytes, count: int) -> tuple[bytes, ...]:
    """The same record with other junk in the token's unsigned crls each time."""
    parsed = parse_record(record)
    made = []
    for number in range(count):
        junk = der.encode(der.SEQUENCE, der.encode(der.OCTET_STRING, number.to_bytes(4, "big")))
        stamp = replace(parsed.first, token=splice_crls(parsed.first.token, [junk]))
        made.append(encode_record(replace(parsed, chains=((stamp,),))))
    return tuple(made)


def repeated(item: Item, count: int) -> Item:
    return replace(item, proof=replace(item.proof, times=item.proof.times * count))


@pytest.mark.parametrize("name", ["single", "large"])
def test_a_token_is_judged_once_for_all_its_records(scene: Scene, judged, name):
    verdict = scene.item(name).judge(scene.trust)
    assert overall(verdict) is PASSED
    assert len(judged) == 1


def test_a_token_repeated_is_judged_once(scene: Scene, judged):
    item = repeated(scene.item("large"), MAX_TIMES)
    assert overall(item.judge(scene.trust)) is PASSED
    assert len(judged) == 1


def test_records_beyond_the_groups_are_not_judged(scene: Scene, judged):
    item = scene.item("single")
    record = item.proof.times[0].records[0]
    verdict = item.timed(records=(record, *variants(record, 100))).judge(scene.trust)
    assert "time.groups.wrong" in codes(verdict.findings, FAILED)
    assert len(judged) == 1


def test_work_on_tokens_is_bounded(scene: Scene, judged, monkeypatch):
    monkeypatch.setattr(time_proof, "MAX_TOKENS", 5)
    item = replace(scene.item("blinded"), statement=None, disclosures=None)
    record = item.proof.times[0].records[0]
    verdict = item.timed(records=variants(record, 9), checkpoint=None).judge(scene.trust)
    assert len(judged) == 5
    assert "time.token.too_many" in codes(verdict.findings, UNKNOWN)
    assert overall(verdict) is UNKNOWN


def test_the_bound_is_no_way_to_pass(scene: Scene, monkeypatch):
    monkeypatch.setattr(time_proof, "MAX_TOKENS", 1)
    item = scene.item("single")
    first = item.proof.times[0]
    more = [replace(first, records=(one,)) for one in variants(first.records[0], 3)]
    verdict = replace(item, proof=replace(item.proof, times=(first, *more))).judge(scene.trust)
    assert codes(verdict.findings, FAILED) == set()
    assert overall(verdict) is UNKNOWN


# --- several groups, several tokens ---------------------------------------------------------------------------


def test_missing_record_of_a_group_is_undetermined(scene: Scene):
    item = scene.item("large")
    verdict = item.timed(records=item.proof.times[0].records[:1]).judge(scene.trust)
    assert codes(verdict.findings, FAILED) == set()
    assert "time.groups.wrong" in codes(verdict.findings, UNKNOWN)
    assert overall(verdict) is UNKNOWN


@pytest.mark.parametrize("broken", [0, 1])
def test_failure_of_one_group_is_not_hidden_by_the_other(scene: Scene, broken):
    item = scene.item("large")
    records = list(item.proof.times[0].records)
    parsed = parse_record(records[broken])
    assert parsed.first.tree is not None
    stamp = replace(parsed.first, tree=(*parsed.first.tree, (bytes(32),)))
    records[broken] = encode_record(replace(parsed, chains=((stamp,),)))
    verdict = item.timed(records=tuple(records)).judge(scene.trust)
    assert codes(verdict.findings, FAILED) == {"record.tree.wrong", "token.imprint.differs"}
    assert "record.tree.passed" not in codes(verdict.findings, PASSED)
    assert "token.imprint.passed" not in codes(verdict.findings, PASSED)


def without_crls(item: Item) -> Item:
    """The record's copies as the authority sent them, without the lists that the desk added."""
    first = item.proof.times[0]
    bare = []
    for record in first.records:
        parsed = parse_record(record)
        stamp = replace(parsed.first, token=first.token)
        bare.append(encode_record(replace(parsed, chains=((stamp,),))))
    return item.timed(records=tuple(bare), attested=None, checkpoint=None)


def test_exhibit_under_two_tokens(scene: Scene):
    """A second token over the same group, by another authority: the worst of the two counts."""
    first = scene.craft({"a": b"a"})
    other = scene.stranger_authority()
    second = scene.craft({"a": b"a"}, authority=other, at=first.leaf.at)
    assert second.statement == first.statement
    times = (*first.proof.times, *without_crls(second).proof.times)
    both = replace(first, proof=replace(first.proof, times=times))

    def trusting(crls: tuple[bytes, ...]) -> Trust:
        roots = Roots(name="other", certificates=other._trust.roots, crls=crls)
        return replace(scene.trust, authorities=(*scene.trust.authorities, roots))

    good = both.judge(trusting(other._trust.crls))
    assert overall(good) is PASSED
    assert "time.attested.missing" in codes(good.findings, UNKNOWN)
    assert good.facts is not None
    assert [facts.proven for facts in good.facts.times] == [True, True]
    unsure = both.judge(trusting(()))
    assert codes(unsure.findings, FAILED) == set()
    assert "token.revocation.no_source" in codes(unsure.findings, UNKNOWN)
    assert overall(unsure) is UNKNOWN
    assert overall(both.judge(scene.trust)) is FAILED


# --- moments ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moved", "code"),
    [
        (timedelta(days=-1), "token.time.future"),
        (timedelta(days=400), "token.revocation.stale"),
        (timedelta(days=4000), "token.chain.expired"),
    ],
)
def test_moment_of_judgment_counts(scene: Scene, moved, code):
    """No independent proof of existence stands in a proof without a court part: the token is judged now."""
    verdict = scene.item("single").judge(scene.trust, now=datetime.now(UTC) + moved)
    assert code in codes(verdict.findings, FAILED) | codes(verdict.findings, UNKNOWN)
    assert overall(verdict) is not PASSED


def test_the_revocation_list_in_the_record_serves_when_the_trust_has_none(scene: Scene):
    bare = tuple(replace(roots, crls=()) for roots in scene.trust.authorities)
    item = scene.item("single")
    assert overall(item.judge(replace(scene.trust, authorities=bare))) is PASSED
    verdict = without_crls(item).judge(replace(scene.trust, authorities=bare))
    assert codes(verdict.findings, FAILED) == set()
    assert "token.revocation.no_source" in codes(verdict.findings, UNKNOWN)


def test_other_revocation_lists_in_the_record_change_nothing(scene: Scene):
    """They are outside the signature: the record's copy may differ in them, and a stranger's list has no say."""
    item = scene.item("single")
    stranger = scene.stranger_authority()._trust.crls[0]
    record = parse_record(item.proof.times[0].records[0])
    spliced = replace(record.first, token=splice_crls(record.first.token, [stranger]))
    changed = item.timed(records=(encode_record(replace(record, chains=((spliced,),))),))
    assert overall(changed.judge(scene.trust)) is PASSED


def test_no_proof_without_a_time_dimension(scene: Scene):
    """Whatever stands in `times`, TIME is answered: silence must not pass for a yes."""
    for name in ("single", "waiting", "blinded"):
        for trust in (scene.trust, NO_TRUST):
            verdict = scene.item(name).judge(trust)
            assert any(item.dimension is Dimension.TIME for item in verdict.findings)
