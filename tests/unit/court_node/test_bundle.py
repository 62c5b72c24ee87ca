"""Trust that moves on: over changes of the set, week by week, never past what the sets themselves signed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from evidence_desk.core.trust import MANIFEST, encode_manifest, parse_trust
from evidence_desk.court.node.bundle import bundle_files, extend, is_stale, started_from, trust_age
from evidence_desk.court.protocol.block import LightBlock, ValidatorSet
from evidence_desk.court.protocol.block_time import BlockTime
from evidence_desk.court.protocol.history import NetworkTrust, walk
from evidence_desk.court.protocol.network_file import encode_network, parse_network
from evidence_desk.errors import EvidenceDeskError, IntegrityError, RemoteError, UsageError
from tests.unit.court.network import make_header, nodes, signed

CHAIN = "demo-bundle-0a1b2c3d"
BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
A, B, C = nodes(1, 2, 3, 4), nodes(1, 2, 3, 5), nodes(2, 3, 5, 6)


class Chain:
    """Blocks an hour apart; `sets` names the set from a height on."""

    def __init__(self, top: int, sets: dict[int, ValidatorSet]) -> None:
        self.top, self.sets, self.asked = top, sets, 0
        self.changed: dict[int, LightBlock] = {}

    def at(self, height: int) -> ValidatorSet:
        return self.sets[max(first for first in self.sets if first <= height)]

    def time(self, height: int) -> datetime:
        return BEGIN + timedelta(hours=height)

    def light_block(self, height: int) -> LightBlock:
        self.asked += 1
        if height in self.changed:
            return self.changed[height]
        members = self.at(height)
        header = make_header(
            height,
            members,
            following=self.at(height + 1),
            chain_id=CHAIN,
            time=BlockTime.of(self.time(height)),
        )
        return signed(header, members)

    @property
    def trust(self) -> NetworkTrust:
        return NetworkTrust(chain_id=CHAIN, genesis=self.at(1), genesis_time=BlockTime.of(BEGIN))

    @property
    def now(self) -> datetime:
        return self.time(self.top)


def heights(trust: NetworkTrust) -> list[int]:
    return [header.height for header in trust.headers]


def test_a_short_chain_gives_its_newest_header():
    chain = Chain(5, {1: A})
    found = extend(chain.trust, chain, 5, now=chain.now)
    assert heights(found.trust) == [5]
    assert found.added == 1
    assert len(found.signers) >= 3
    assert parse_network(encode_network(found.trust)) == found.trust


def test_one_header_a_week():
    chain = Chain(24 * 30, {1: A})
    found = extend(chain.trust, chain, chain.top, now=chain.now)
    assert heights(found.trust) == [168, 336, 504, 672, 720]
    assert chain.asked < 100
    again = extend(found.trust, Chain(24 * 40, {1: A}), 24 * 40, now=chain.time(24 * 40))
    assert heights(again.trust) == [168, 336, 504, 672, 720, 888, 960]


@pytest.mark.parametrize(
    "sets",
    [
        {1: A, 40: B},
        {1: A, 40: B, 41: C},
        {1: A, 100: B, 150: A, 190: C},
        {1: A, 2: B, 169: A, 200: C, 600: B},
    ],
)
def test_over_changes_of_the_set(sets):
    chain = Chain(700, sets)
    found = extend(chain.trust, chain, 700, now=chain.now)
    assert found.newest == chain.light_block(700).header
    assert chain.at(701).hash == found.newest.next_validators_hash
    for header in found.trust.headers:
        assert header == chain.light_block(header.height).header
    for height in (3, 167, 300, 699):
        target = chain.light_block(height)
        below = [at for at in heights(found.trust) if at < height]
        start = max(below, default=0)
        history = [
            chain.light_block(at) for at in range(start + 1, height) if chain.at(at) != chain.at(at + 1)
        ]
        assert walk(found.trust, history, [target]).signers[height].power >= 3


def test_a_set_that_nobody_announced_is_refused():
    chain = Chain(50, {1: A, 20: nodes(7, 8, 9, 10)})
    step = chain.light_block(19)
    chain.changed[19] = signed(replace(step.header, next_validators_hash=A.hash), A)
    with pytest.raises(IntegrityError) as caught:
        extend(chain.trust, chain, 50, now=chain.now)
    assert caught.value.code == "court.trust_unreached"


@pytest.mark.parametrize("height", [19, 50])
def test_every_added_header_needs_its_signatures(height):
    chain = Chain(50, {1: A, 20: B})
    block = chain.light_block(height)
    few = signed(block.header, block.validators, absent=[0, 1])
    chain.changed[height] = few
    with pytest.raises(IntegrityError) as caught:
        extend(chain.trust, chain, 50, now=chain.now)
    assert caught.value.code == "court.commit_power"


def test_another_chain_is_refused():
    chain = Chain(10, {1: A})
    chain.changed[10] = signed(
        make_header(10, A, chain_id="demo-other-00000000", time=BlockTime.of(chain.now)), A
    )
    with pytest.raises(EvidenceDeskError):
        extend(chain.trust, chain, 10, now=chain.now)


def test_what_is_not_newer_not_asked_for_or_not_yet():
    chain = Chain(10, {1: A})
    trust = extend(chain.trust, chain, 10, now=chain.now).trust
    for top in (10, 9):
        with pytest.raises(RemoteError) as behind:
            extend(trust, chain, top, now=chain.now)
        assert behind.value.code == "bundle.behind"
    chain.changed[12] = chain.light_block(11)
    with pytest.raises(RemoteError) as other:
        extend(trust, chain, 12, now=chain.now)
    assert other.value.code == "bundle.other_height"
    with pytest.raises(IntegrityError) as future:
        extend(trust, chain, 11, now=chain.now)
    assert future.value.code == "bundle.time_future"


def test_ages():
    chain = Chain(10, {1: A})
    assert trust_age(chain.trust, chain.now) == timedelta(hours=10)
    newer = extend(chain.trust, chain, 10, now=chain.now)
    assert trust_age(newer.trust, chain.now) == timedelta(0)
    assert not is_stale(newer.newest, chain.now + timedelta(minutes=20))
    assert is_stale(newer.newest, chain.now + timedelta(minutes=21))


def test_the_folder_keeps_everything_else():
    chain = Chain(10, {1: A})
    other = replace(chain.trust, chain_id="demo-other-00000000")
    old = {"a.json": encode_network(chain.trust), "b.json": encode_network(other)}
    manifest = encode_manifest(
        authorities={}, signers={}, desks={}, files=old, networks={CHAIN: "a.json", other.chain_id: "b.json"}
    )
    assert started_from(manifest, old.__getitem__, CHAIN) == old["a.json"]
    with pytest.raises(UsageError):
        started_from(manifest, old.__getitem__, "demo-none-00000000")
    newer = extend(chain.trust, chain, 10, now=chain.now).trust
    files = bundle_files(newer, manifest, old.__getitem__)
    parsed = parse_trust(files[MANIFEST], files.__getitem__)
    assert parse_network(parsed.networks[CHAIN]) == newer
    assert parsed.networks[other.chain_id] == old["b.json"]
    assert set(files) == {MANIFEST, "b.json", f"network-{CHAIN}.json"}


def test_a_first_folder_has_the_network_alone():
    chain = Chain(10, {1: A})
    none: dict[str, bytes] = {}
    files = bundle_files(chain.trust, None, none.__getitem__)
    assert parse_trust(files[MANIFEST], files.__getitem__).networks == {CHAIN: encode_network(chain.trust)}
