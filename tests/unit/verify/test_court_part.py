"""What the court part of a proof adds to the rest of it, and what stays undetermined without being refuted."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence_desk.core.leaf import LeafType
from evidence_desk.core.log import note_keys
from evidence_desk.core.proof import parse_proof
from evidence_desk.core.trust import Roots, Trust
from evidence_desk.core.verdict import Dimension, Finding, Status, Vouches
from evidence_desk.court.protocol.network_file import encode_network
from evidence_desk.court.protocol.part import CourtPart, TimedBlock, read_court_part
from evidence_desk.court.protocol.registry import DeskStatus
from evidence_desk.crypto.pki import KeyKind, Revoked, make_crl
from evidence_desk.crypto.x509 import load_certificate
from evidence_desk.verify.exhibit import ExhibitVerdict
from tests.unit.verify.court_evidence import HEIGHT, Bench, Past, anchored, event, make_bench
from tests.unit.verify.evidence import STRANGER, Item, MovedClock, Scene, codes, overall
from tsa.authority.embedded import EmbeddedAuthority
from tsa.authority.keys import AuthorityKeys, make_demo_authority

PASSED, FAILED, UNKNOWN = Status.PASSED, Status.FAILED, Status.UNDETERMINED
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def bench(scene: Scene) -> Bench:
    return make_bench(scene)


def court(verdict: ExhibitVerdict) -> list[Finding]:
    return [item for item in verdict.findings if item.dimension is Dimension.COURT]


def court_status(verdict: ExhibitVerdict) -> Status:
    return max((item.status for item in court(verdict)), key=[PASSED, UNKNOWN, FAILED].index)


def part_of(item: Item) -> CourtPart:
    return read_court_part(item.proof.court)


def doubted(verdict: ExhibitVerdict, code: str) -> None:
    """The network's word is open, nothing is refuted, and the rest of the proof stands by itself."""
    assert codes(court(verdict), UNKNOWN) == {code}
    assert codes(verdict.findings, FAILED) == set()
    assert overall(verdict) is PASSED


# --- passed -----------------------------------------------------------------------------------------------------


def test_an_anchored_exhibit_passes_in_every_respect(bench: Bench):
    verdict = bench.item().judge(bench.trust)
    assert overall(verdict) is court_status(verdict) is PASSED
    assert {"court.anchor.right", "time.anchored.right"} <= codes(court(verdict), PASSED)
    (told,) = [item for item in court(verdict) if item.check == "court.anchor"]
    assert str(told.parameters["institutions"]).startswith("第一人民法院; 第二人民法院")
    assert {item.code for item in verdict.caveats} == {"demo.authority", "demo.chain"}
    assert verdict.facts is not None
    part = verdict.facts.court.part
    assert part is not None
    assert verdict.facts.court.anchored_at == part.anchor.header.block.header.time.moment()


def test_the_network_vouches_for_the_desk_where_the_trust_root_does_not(bench: Bench):
    verdict = bench.item().judge(bench.network_only)
    signature = next(item for item in verdict.findings if item.check == "log.signature")
    assert (signature.code, signature.who_vouches) == ("log.signature.registered", Vouches.COURT_NETWORK)
    assert "time.checkpoint.right" in codes(verdict.findings, PASSED)
    named = next(item for item in bench.item().judge(bench.trust).findings if item.check == "log.signature")
    assert (named.code, named.who_vouches) == ("log.signature.right", Vouches.DESK)


def test_changes_of_the_validators_are_followed(scene: Scene):
    bench = make_bench(scene, changes=10)
    verdict = bench.item().judge(bench.trust)
    assert court_status(verdict) is PASSED
    header = next(item for item in court(verdict) if item.check == "court.header")
    assert header.parameters["changes"] == 10


def test_size_of_the_court_part_for_seven_validators(bench: Bench):
    item = bench.scene.item("single")
    bare = bench.court.anchor(item, stamp=False)
    assert len(bare.encode()) < 12 * 1024
    assert len(anchored(item, bare).proof.encode()) - len(item.proof.encode()) < 12 * 1024


def test_a_correction_is_a_caveat(bench: Bench):
    item = bench.scene.item("single")
    note = event(LeafType.CORRECTION_NOTED, item)
    verdict = anchored(item, bench.court.anchor(item, events=[note])).judge(bench.trust)
    assert court_status(verdict) is PASSED
    assert "court.corrected" in {caveat.code for caveat in verdict.caveats}


# --- undetermined, never passed -----------------------------------------------------------------------------------


def test_a_part_stripped_off_is_not_anchored(bench: Bench):
    item = bench.item()
    doubted(replace(item, proof=replace(item.proof, court=None)).judge(bench.trust), "court.anchor.missing")


def test_a_network_without_a_trust_root(bench: Bench):
    """Its word counts nowhere: neither for the anchoring, nor for the desk's keys, nor for time."""
    verdict = bench.item().judge(replace(bench.scene.trust, desks={}))
    doubted(verdict, "court.chain.no_trust")
    assert "log.signature.no_key" in codes(verdict.findings, UNKNOWN)
    assert verdict.facts is not None
    assert verdict.facts.court.anchored_at is None


def test_another_network_of_the_same_name(bench: Bench, scene: Scene):
    """A forger's network takes the known one's chain ID; its validators are nobody's."""
    forger = make_bench(scene, first=50)
    verdict = forger.item().judge(bench.network_only)
    doubted(verdict, "court.trust_unreached")
    assert "log.signature.no_key" in codes(verdict.findings, UNKNOWN)


def test_retired_validators_cannot_write_a_past(scene: Scene):
    """Keys of a set retired long ago sign a header of its time: without a timely token nobody can tell."""
    bench = make_bench(scene, born=datetime.now(UTC) - 400 * DAY)
    item = scene.item("single")
    past = datetime.now(UTC) - 300 * DAY
    for stamp, code in ((True, "court.token.late"), (False, "court.token.missing")):
        verdict = anchored(item, bench.court.anchor(item, at=past, stamp=stamp)).judge(bench.network_only)
        doubted(verdict, code)
        assert "log.signature.no_key" in codes(verdict.findings, UNKNOWN)


def test_years_later_the_tokens_stand_for_the_validators(scene: Scene):
    past = Past(scene, changes=3)
    verdict = past.anchored().judge(past.network_only)
    assert "court.token.timely" in codes(verdict.findings, PASSED)
    assert court_status(verdict) is overall(verdict) is PASSED


@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_years_later_every_header_needs_its_token(scene: Scene, number):
    past = Past(scene, changes=3)
    part = part_of(past.anchored())
    if number == 3:
        bare = replace(part.anchor, header=TimedBlock(block=part.anchor.header.block))
        part = replace(part, anchor=bare)
    else:
        steps = list(part.history)
        steps[number] = TimedBlock(block=steps[number].block)
        part = replace(part, history=tuple(steps))
    verdict = anchored(past.old, part).judge(past.network_only)
    doubted(verdict, "court.token.missing")
    assert "log.signature.no_key" in codes(verdict.findings, UNKNOWN)


def test_years_later_a_token_of_an_authority_that_the_verifier_does_not_know(scene: Scene):
    """Gateways may serve tokens of other authorities than the desk's: that refutes nothing, and proves nothing."""
    past = Past(scene)
    stranger = scene.stranger_authority(clock=-Past.AGO)
    part = replace(past.court, authority=stranger).anchor(past.old, at=datetime.now(UTC) - Past.AGO)
    doubted(anchored(past.old, part).judge(past.trust), "court.token.undetermined")


def test_fresh_headers_need_no_token(bench: Bench):
    """ADR 0009: the judge has the signatures in hand as early as a token would have been in time."""
    item = bench.scene.item("single")
    part = bench.court.anchor(item, stamp=False)
    verdict = anchored(item, part).judge(bench.trust)
    assert "court.token.fresh" in codes(verdict.findings, PASSED)
    stranger = replace(bench.court, authority=bench.scene.stranger_authority()).anchor(item)
    verdict = anchored(item, stranger).judge(bench.trust)
    assert "court.token.fresh" in codes(verdict.findings, PASSED)
    assert court_status(verdict) is PASSED
    later = anchored(item, part).judge(bench.trust, now=datetime.now(UTC) + 31 * DAY)
    assert "court.token.missing" in codes(later.findings, UNKNOWN)


def test_a_suspect_desk_is_not_vouched_for(bench: Bench):
    item = bench.scene.item("single")
    part = bench.court.anchor(item, status=DeskStatus.REVOKED, suspect_from=HEIGHT - 5)
    verdict = anchored(item, part).judge(bench.network_only)
    doubted(verdict, "court.desk.suspect")
    assert "log.signature.no_key" in codes(verdict.findings, UNKNOWN)
    later = bench.court.anchor(item, status=DeskStatus.REVOKED, suspect_from=HEIGHT + 1)
    verdict = anchored(item, later).judge(bench.network_only)
    assert court_status(verdict) is PASSED
    assert "log.signature.registered" in codes(verdict.findings, PASSED)


def test_clocks_that_disagree_by_minutes_refute_nothing(bench: Bench):
    item = bench.scene.craft({"a": b"a"})
    part = bench.court.anchor(item, at=datetime.now(UTC) - timedelta(minutes=3))
    doubted(anchored(item, part).judge(bench.trust), "time.anchored.clocks")


# --- keys -------------------------------------------------------------------------------------------------------


def test_trust_root_and_registry_that_name_different_keys(bench: Bench):
    """Whichever of the two signed: the verifier's own sources contradict each other, and he is told so."""
    item, origin = bench.scene.item("single"), bench.scene.origin
    stranger = note_keys(origin, STRANGER)
    registered_other = anchored(item, bench.court.anchor(item, keys=stranger)).judge(bench.trust)
    given_other = bench.item().judge(replace(bench.trust, desks={origin: stranger}))
    for verdict in (registered_other, given_other):
        assert "log.signature.contradiction" in codes(verdict.findings, UNKNOWN)
        assert codes(verdict.findings, FAILED) == set()


def test_a_note_that_neither_of_them_signed_fails(bench: Bench):
    item, origin = bench.scene.item("single"), bench.scene.origin
    part = bench.court.anchor(item, keys=note_keys(origin, STRANGER))
    verdict = anchored(item, part).judge(bench.network_only)
    assert codes(verdict.findings, FAILED) == {"log.signature.wrong", "time.checkpoint.signature"}


def test_a_checkpoint_older_than_a_rotation_is_open(bench: Bench):
    """The stamped checkpoint bears a former key, which the registry no longer shows."""
    item, origin = bench.scene.item("single"), bench.scene.origin
    renewed = bench.scene.log(bench.scene.leaves, signer=STRANGER)
    item = replace(item, proof=replace(item.proof, checkpoint=renewed.note))
    part = bench.court.anchor(item, keys=note_keys(origin, STRANGER), keys_since=HEIGHT - 1)
    verdict = anchored(item, part).judge(bench.network_only)
    assert "log.signature.registered" in codes(verdict.findings, PASSED)
    assert "time.checkpoint.former_key" in codes(verdict.findings, UNKNOWN)
    assert codes(verdict.findings, FAILED) == set()


# --- time: an anchored leaf names the token ---------------------------------------------------------------------


class Compromise:
    """An authority whose key is revoked as stolen, and an exhibit that it stamped before."""

    def __init__(self, bench: Bench, revoked_at: datetime) -> None:
        keys = make_demo_authority(KeyKind.P256, now=datetime.now(UTC) - 2 * DAY)
        folder = bench.scene.folder / f"compromised{revoked_at.timestamp():.0f}"
        authority = EmbeddedAuthority(keys.tsa, folder, MovedClock(timedelta()))
        self.item = bench.scene.craft({"a": b"a"}, authority=authority)
        self.bench = bench
        crl = _revoking(keys, revoked_at)
        roots = Roots(name="stolen", certificates=(keys.ca.certificate,), crls=(crl,))
        self.trust: Trust = replace(bench.trust, authorities=(*bench.trust.authorities, roots))

    def judge(self, item: Item) -> ExhibitVerdict:
        return item.judge(self.trust, now=datetime.now(UTC) + 3 * DAY)


def _revoking(keys: AuthorityKeys, at: datetime) -> bytes:
    serial = load_certificate(keys.tsa.certificate).serial
    return make_crl(
        keys.ca, this_update=at, next_update=at + 30 * DAY, number=9,
        revoked=[Revoked(serial=serial, at=at, reason="key_compromise")],
    )  # fmt: skip


def test_an_anchored_token_outlives_the_theft_of_its_key(bench: Bench):
    stolen = Compromise(bench, datetime.now(UTC) + DAY)
    assert "token.revocation.revoked" in codes(stolen.judge(stolen.item).findings, FAILED)
    verdict = stolen.judge(anchored(stolen.item, bench.court.anchor(stolen.item)))
    assert "token.revocation.proven_before" in codes(verdict.findings, PASSED)
    assert overall(verdict) is PASSED


def test_anchored_after_the_theft_it_does_not(bench: Bench):
    stolen = Compromise(bench, datetime.now(UTC) - DAY)
    verdict = stolen.judge(anchored(stolen.item, bench.court.anchor(stolen.item)))
    assert "token.revocation.revoked" in codes(verdict.findings, FAILED)


def test_an_anchoring_that_is_not_shown_saves_no_token(bench: Bench):
    stolen = Compromise(bench, datetime.now(UTC) + DAY)
    unknown = replace(bench.court, chain_id="court-nobody-knows").anchor(stolen.item)
    verdict = stolen.judge(anchored(stolen.item, unknown))
    assert "token.revocation.revoked" in codes(verdict.findings, FAILED)


def test_a_token_that_no_anchored_leaf_names_is_not_saved(bench: Bench):
    stolen = Compromise(bench, datetime.now(UTC) + DAY)
    item = stolen.item.timed(attested=None)
    verdict = stolen.judge(anchored(item, bench.court.anchor(item)))
    assert "token.revocation.revoked" in codes(verdict.findings, FAILED)


def test_decades_later_a_header_of_the_trust_bundle_is_enough(bench: Bench):
    """All certificates have ended; the header stands in the verifier's bundle, and dates the token."""
    item = bench.scene.item("single")
    part = bench.court.anchor(item, stamp=False)
    network = replace(bench.court.network, headers=(part.anchor.header.block.header,))
    trust = replace(bench.trust, networks={network.chain_id: encode_network(network)})
    later = datetime.now(UTC) + 12_000 * DAY
    assert overall(item.judge(trust, now=later)) is UNKNOWN
    verdict = anchored(item, part).judge(trust, now=later)
    assert court_status(verdict) is PASSED
    assert "token.chain.passed" in codes(verdict.findings, PASSED)
    assert overall(verdict) is PASSED


# --- form -------------------------------------------------------------------------------------------------------


def test_a_proof_with_a_part_reads_as_it_was_written(bench: Bench):
    data = bench.item().proof.encode()
    proof = parse_proof(data)
    assert proof.encode() == data
    assert read_court_part(proof.court).to_json() == json.loads(data)["court"]


def test_a_record_that_names_another_token_than_the_leaf_is_not_dated_by_it(bench: Bench):
    """The leaf names the token as received; a record of another token is refused, whatever was anchored."""
    item, later = bench.scene.item("single"), bench.scene.item("later")
    mixed = item.timed(records=later.proof.times[0].records)
    verdict = anchored(mixed, bench.court.anchor(mixed)).judge(bench.trust)
    assert "time.token.differs" in codes(verdict.findings, FAILED)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 2**53 - 1) | st.text(max_size=8) | st.just("AAAA"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def past(scene: Scene) -> Past:
    return Past(scene, changes=1)


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_any_member_replaced_is_judged_and_never_passes(past: Past, data):
    """Long after, when every part of it is needed."""
    item = past.anchored()
    part = json.loads(item.proof.encode())["court"]
    where = part
    while True:
        key = data.draw(st.sampled_from(list(where) if isinstance(where, dict) else range(len(where))))
        if not isinstance(where[key], dict | list) or not where[key] or data.draw(st.booleans()):
            break
        where = where[key]
    original, where[key] = where[key], data.draw(JUNK)
    verdict = replace(item, proof=replace(item.proof, court=part)).judge(past.trust)
    same = where[key] == original and type(where[key]) is type(original)
    assert (court_status(verdict) is PASSED) is same
    assert overall(verdict) is not UNKNOWN
