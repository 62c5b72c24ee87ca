"""True evidence of every shape, whole and in part."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from evidence_desk.core.canonical import encode
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.leaf import Leaf, LeafType, PlainObject, parse_leaf
from evidence_desk.core.statement import parse_disclosures
from evidence_desk.core.trust import NO_TRUST, Trust
from evidence_desk.core.verdict import DATA_POLICY, Dimension, Status, Verdict
from evidence_desk.verify.exhibit import GivenFile
from evidence_desk.verify.originals import Objects
from tests.fixed import ORIGIN
from tests.unit.verify.evidence import Item, Scene, codes, edit, file_entry, given, overall

SHAPES = [
    "single", "other", "empty", "pair", "duplicates", "many", "large", "blinded", "blinded_many", "later",
]  # fmt: skip
PASSED, FAILED, UNKNOWN = Status.PASSED, Status.FAILED, Status.UNDETERMINED


def dimension(verdict, wanted: Dimension) -> Status:
    return Verdict(policy=DATA_POLICY, findings=verdict.findings).dimension(wanted)


@pytest.mark.parametrize("name", SHAPES)
def test_true_evidence_passes(scene: Scene, name):
    verdict = scene.item(name).judge(scene.trust)
    assert codes(verdict.findings, FAILED) == set()
    assert overall(verdict) is PASSED
    assert dimension(verdict, Dimension.LOG) is PASSED
    assert verdict.facts is not None
    assert verdict.facts.matched == frozenset(range(len(scene.contents[name])))


def test_what_nobody_can_know_is_undetermined(scene: Scene):
    verdict = scene.item("single").judge(scene.trust)
    assert codes(verdict.findings, UNKNOWN) == {
        "court.anchor.missing", "environment.report.missing", "original.statement.unknown",
    }  # fmt: skip


def test_demo_authority_is_a_caveat(scene: Scene):
    assert {item.code for item in scene.item("single").judge(scene.trust).caveats} == {"demo.authority"}


@pytest.mark.parametrize("name", SHAPES)
def test_without_trust_time_and_log_are_undetermined(scene: Scene, name):
    verdict = scene.item(name).judge(NO_TRUST)
    assert dimension(verdict, Dimension.INTEGRITY) is PASSED
    assert dimension(verdict, Dimension.TIME) is UNKNOWN
    assert dimension(verdict, Dimension.LOG) is UNKNOWN
    assert {"log.signature.no_key", "time.checkpoint.no_key"} <= codes(verdict.findings, UNKNOWN)
    assert overall(verdict) is UNKNOWN


def test_without_the_desks_key_only_the_log_is_undetermined(scene: Scene):
    verdict = scene.item("single").judge(Trust(authorities=scene.trust.authorities))
    assert dimension(verdict, Dimension.LOG) is UNKNOWN
    assert overall(verdict) is PASSED


def test_waiting_exhibit_has_no_time(scene: Scene):
    verdict = scene.item("waiting").judge(scene.trust)
    assert dimension(verdict, Dimension.INTEGRITY) is PASSED
    assert {"time.token.missing"} <= codes(verdict.findings, UNKNOWN)
    assert overall(verdict) is UNKNOWN


# --- parts missing ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHAPES)
def test_no_files_leave_integrity_undetermined(scene: Scene, name):
    verdict = replace(scene.item(name), files=()).judge(scene.trust)
    assert codes(verdict.findings, FAILED) == set()
    assert "files.complete.missing" in codes(verdict.findings, UNKNOWN)
    assert overall(verdict) is UNKNOWN


@pytest.mark.parametrize("name", SHAPES)
def test_no_statement_is_undetermined(scene: Scene, name):
    verdict = replace(scene.item(name), statement=None, disclosures=None).judge(scene.trust)
    assert codes(verdict.findings, FAILED) == set()
    assert "statement.digest.missing" in codes(verdict.findings, UNKNOWN)
    assert overall(verdict) is UNKNOWN


@pytest.mark.parametrize("name", SHAPES)
def test_no_disclosures_are_undetermined(scene: Scene, name):
    """The statement alone holds digests of its entries: whether the leaf registers the same files can't be said."""
    verdict = replace(scene.item(name), disclosures=None).judge(scene.trust)
    assert codes(verdict.findings, FAILED) == set()
    assert "objects.statement.withheld" in codes(verdict.findings, UNKNOWN)
    assert overall(verdict) is UNKNOWN


def test_token_is_judged_even_when_the_objects_are_unknown(scene: Scene):
    item = replace(scene.item("blinded"), statement=None, disclosures=None)
    verdict = item.judge(scene.trust)
    assert "time.objects.unknown" in codes(verdict.findings, UNKNOWN)
    assert {"token.signature.passed", "record.tree.passed"} <= codes(verdict.findings, PASSED)
    assert "time.attested.right" in codes(verdict.findings, PASSED)


def withhold(item: Item, *paths: str) -> Item:
    assert item.disclosures is not None
    kept = [one.to_json() for one in parse_disclosures(item.disclosures) if one.path not in paths]
    return replace(item, disclosures=encode({"v": "disclosures/1", "members": [*kept]}))


def test_withheld_personal_member_still_verifies(scene: Scene):
    verdict = withhold(scene.item("pair"), "/operator", "/case/parties").judge(scene.trust)
    partly = next(item for item in verdict.findings if item.code == "disclosure.member.partly")
    assert partly.parameters == {"withheld": 2}
    assert overall(verdict) is PASSED


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("pair", "objects.statement.withheld"),
        ("many", "objects.statement.withheld"),
        ("blinded", "objects.statement.withheld"),
        ("blinded_many", "object.digest.no_list"),
    ],
)
def test_withheld_file_entry_is_undetermined(scene: Scene, name, code):
    verdict = withhold(scene.item(name), "/files/0").judge(scene.trust)
    assert codes(verdict.findings, FAILED) == set()
    assert code in codes(verdict.findings, UNKNOWN)
    assert overall(verdict) is UNKNOWN


# --- files --------------------------------------------------------------------------------------------------


def test_order_of_loose_files_does_not_matter(scene: Scene):
    item = scene.item("many")
    assert overall(replace(item, files=item.files[::-1]).judge(scene.trust)) is PASSED


def test_one_loose_original_stands_for_its_duplicates(scene: Scene):
    item = scene.item("duplicates")
    assert overall(replace(item, files=(item.files[0], item.files[2])).judge(scene.trust)) is PASSED
    assert overall(replace(item, files=(*item.files, item.files[0])).judge(scene.trust)) is PASSED


def test_duplicates_in_a_container_must_all_be_there(scene: Scene):
    item = scene.item("duplicates")
    placed = tuple(replace(file, index=index) for index, file in enumerate(item.files))
    assert overall(replace(item, files=placed).judge(scene.trust)) is PASSED
    verdict = replace(item, files=(placed[0], placed[2])).judge(scene.trust)
    assert "files.complete.missing" in codes(verdict.findings, UNKNOWN)


@pytest.mark.parametrize("name", SHAPES)
def test_missing_file_is_undetermined(scene: Scene, name):
    item = scene.item(name)
    verdict = replace(item, files=item.files[:-1]).judge(scene.trust)
    assert codes(verdict.findings, FAILED) == set()
    assert overall(verdict) is UNKNOWN


@pytest.mark.parametrize("name", SHAPES)
def test_stranger_among_the_files_fails(scene: Scene, name):
    item = scene.item(name)
    verdict = replace(item, files=(*item.files, given("x", b"stranger"))).judge(scene.trust)
    assert codes(verdict.findings, FAILED) == {"object.digest.wrong"}


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("missing", ["sha256", "sm3", "size"])
def test_one_measure_alone_is_undetermined(scene: Scene, name, missing):
    item = scene.item(name)
    lacking: dict[str, Any] = {missing: None}
    files = tuple(replace(file, **lacking) for file in item.files)
    verdict = replace(item, files=files).judge(scene.trust)
    assert codes(verdict.findings, FAILED) == set()
    assert "object.digest.one_digest" in codes(verdict.findings, UNKNOWN)
    assert "files.complete.right" not in codes(verdict.findings, PASSED)


def test_file_without_any_digest_is_undetermined(scene: Scene):
    item = scene.item("single")
    files = (GivenFile(label="x", size=6, sha256=None, sm3=None),)
    verdict = replace(item, files=files).judge(scene.trust)
    assert "object.digest.no_digest" in codes(verdict.findings, UNKNOWN)


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("wrong", ["sha256", "sm3", "size"])
def test_each_measure_of_a_file_counts(scene: Scene, name, wrong):
    item = scene.item(name)
    change: dict[str, Any] = {wrong: 10**6 if wrong == "size" else bytes(32)}
    files = (replace(item.files[0], **change), *item.files[1:])
    verdict = replace(item, files=files).judge(scene.trust)
    assert codes(verdict.findings, FAILED) == {"object.digest.wrong"}
    assert overall(verdict) is FAILED


@pytest.mark.parametrize("name", ["single", "pair", "empty", "duplicates"])
def test_loose_file_against_the_leaf_alone(scene: Scene, name):
    """Without a statement the public objects still tell whether a file was registered."""
    item = replace(scene.item(name), statement=None, disclosures=None)
    assert "files.complete.right" in codes(item.judge(scene.trust).findings, PASSED)
    wrong = replace(item, files=(given("x", b"stranger"),))
    assert "object.digest.wrong" in codes(wrong.judge(scene.trust).findings, FAILED)


@pytest.mark.parametrize(
    ("name", "code"), [("blinded", "no_salt"), ("many", "no_list"), ("large", "no_list")]
)
def test_file_that_the_leaf_alone_cannot_tell(scene: Scene, name, code):
    item = replace(scene.item(name), statement=None, disclosures=None)
    verdict = item.judge(scene.trust)
    assert f"object.digest.{code}" in codes(verdict.findings, UNKNOWN)
    assert verdict.facts is not None
    assert verdict.facts.undecided == frozenset(range(len(item.files)))


def test_blinded_file_against_the_leaf_by_the_salt(scene: Scene):
    item = replace(scene.item("blinded"), disclosures=None)
    verdict = item.judge(scene.trust)
    assert "object.digest.right" in codes(verdict.findings, PASSED)
    wrong = replace(item, files=(given("x", b"stranger"),)).judge(scene.trust)
    assert "object.digest.wrong" in codes(wrong.findings, FAILED)


@pytest.mark.parametrize("change", [{"sm3": bytes(32)}, {"size": 2}])
def test_entry_that_contradicts_itself_is_filled_by_no_file(change):
    """Two entries share a SHA-256; the file of one leaves the other missing."""
    at = datetime.now(UTC)
    true = file_entry("a", b"a", at)
    size = int(change.get("size", 1))
    digests = replace(true.digests, **{name: value for name, value in change.items() if name == "sm3"})
    other = file_entry("b", b"a", at, digests=digests, size=size)
    leaf = Leaf(
        log=ORIGIN, seq=0, type=LeafType.EXHIBIT_SEALED, at=at,
        objects=tuple(PlainObject(digests=item.digests, size=item.size) for item in (true, other)),
    )  # fmt: skip
    match = Objects(leaf, None, {0: true, 1: other}).match(given("a", b"a"))
    assert (match.status, match.indexes) == (PASSED, (0,))


# --- clock, environment, original -----------------------------------------------------------------------------


def clock_codes(item: Item, scene: Scene) -> set[str]:
    return {one.code for one in item.judge(scene.trust).findings if one.check == "clock.order"}


@pytest.mark.parametrize(
    ("moved", "code"),
    [
        (timedelta(), "clock.order.right"),
        (-timedelta(hours=23), "clock.order.right"),
        (-timedelta(days=2000), "clock.order.late"),
        (timedelta(hours=1), "clock.order.ahead"),
    ],
)
def test_registration_is_only_the_desks_word(scene: Scene, moved, code):
    item = scene.craft({"a": b"a"}, at=datetime.now(UTC) + moved)
    assert clock_codes(item, scene) == {code}


def test_leaf_written_after_the_token_is_told(scene: Scene):
    item = scene.item("single")
    late = replace(item.leaf, at=datetime.now(UTC) + timedelta(hours=1))
    assert clock_codes(scene.owner(item, leaf=late), scene) == {"clock.order.ahead"}


def test_unproven_token_says_nothing_of_the_clock(scene: Scene):
    assert not any(item.check == "clock.order" for item in scene.item("single").judge(NO_TRUST).findings)


def test_report_on_the_environment_is_not_taken_on_trust(scene: Scene):
    item = scene.item("single")
    assert item.statement is not None
    statement = edit(item.statement, {"environment": DigestPair.of(b"report").to_json()})
    leaf = replace(parse_leaf(item.proof.leaf.leaf), statement=DigestPair.of(statement))
    verdict = replace(scene.owner(item, leaf=leaf), statement=statement).judge(scene.trust)
    assert "environment.report.unchecked" in codes(verdict.findings, UNKNOWN)


def test_told_to_be_the_original_is_no_proof(scene: Scene):
    verdict = scene.craft({"a": b"a"}).judge(scene.trust)
    assert overall(verdict) is PASSED
    assert "original.statement.told" in codes(verdict.findings, UNKNOWN)
