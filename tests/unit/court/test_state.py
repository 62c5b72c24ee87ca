"""app_hash, look-up and lists: what is proven and what is refused."""

from dataclasses import replace
from typing import Any

import pytest

from evidence_desk.core.merkle import EMPTY_ROOT, leaf_hash, node_hash
from evidence_desk.court.protocol.registry import DESK_ENTRY
from evidence_desk.court.protocol.state import (
    SENTINEL_KEY,
    SENTINEL_VALUE,
    ListRoot,
    LookupEntry,
    LookupKind,
    StateRoots,
    check_desk,
    check_lookup,
    check_lookup_entry,
    desk_key,
    events_key,
    lookup_key,
    lookup_value,
)
from evidence_desk.errors import IntegrityError, MalformedError
from tests.fixed import ORIGIN
from tests.unit.court.network import World, digest, path_in

ROOTS = World().roots


def test_app_hash_by_hand():
    leaves = [
        leaf_hash(b"checkpoints\n" + (50).to_bytes(8, "big") + ROOTS.checkpoints.root),
        leaf_hash(b"desks\n" + ROOTS.desks),
        leaf_hash(b"governance\n" + ROOTS.governance),
        leaf_hash(b"lookup\n" + ROOTS.lookup),
    ]
    assert ROOTS.app_hash == node_hash(node_hash(*leaves[:2]), node_hash(*leaves[2:]))


def test_every_sub_root_and_the_size_are_in_app_hash():
    others = [
        replace(ROOTS, desks=digest(1)),
        replace(ROOTS, governance=digest(1)),
        replace(ROOTS, lookup=digest(1)),
        replace(ROOTS, checkpoints=replace(ROOTS.checkpoints, size=51)),
        replace(ROOTS, checkpoints=replace(ROOTS.checkpoints, root=digest(1))),
        replace(ROOTS, desks=ROOTS.lookup, lookup=ROOTS.desks),
    ]
    assert len({item.app_hash for item in [ROOTS, *others]}) == len(others) + 1


def world_with(entries: list[LookupEntry]) -> tuple[World, bytes]:
    world, key = World(lookups=30), lookup_key(LookupKind.OBJECT_SM3, digest("file"))
    if entries:
        world.lookup.update({key: lookup_value(entries)})
    world.roots = replace(world.roots, lookup=world.lookup.root())
    return world, key


ENTRIES = [LookupEntry(leaf_hash=digest(("leaf", number)), height=number + 1) for number in range(5)]


def test_presence_is_of_all_occurrences():
    world, key = world_with(ENTRIES)
    proof = world.lookup.prove(key)[1]
    check_lookup(world.roots, key, ENTRIES, proof)
    for wrong in (
        ENTRIES[:-1],
        ENTRIES[::-1],
        [],
        [*ENTRIES, ENTRIES[0]],
        [replace(ENTRIES[0], height=9), *ENTRIES[1:]],
    ):
        with pytest.raises(IntegrityError):
            check_lookup(world.roots, key, wrong, proof)


def test_absence():
    world, key = world_with([])
    proof = world.lookup.prove(key)[1]
    check_lookup(world.roots, key, [], proof)
    with pytest.raises(IntegrityError):
        check_lookup(world.roots, key, ENTRIES, proof)
    present, _ = world_with(ENTRIES)
    with pytest.raises(IntegrityError):
        check_lookup(present.roots, key, [], proof)


def test_one_occurrence_of_many():
    world, key = world_with(ENTRIES)
    proof = world.lookup.prove(key)[1]
    occurrences = ListRoot.of([entry.encode() for entry in ENTRIES])
    digests = [leaf_hash(entry.encode()) for entry in ENTRIES]
    good: dict[str, Any] = {
        "occurrences": occurrences,
        "entry": ENTRIES[3],
        "index": 3,
        "path": path_in(digests, 3),
        "proof": proof,
    }
    check_lookup_entry(world.roots, key, **good)
    for change in (
        {"index": 2}, {"entry": ENTRIES[2]}, {"path": path_in(digests, 2)}, {"index": 9}, {"index": -1},
        {"occurrences": replace(occurrences, size=6)}, {"path": ()},
    ):  # fmt: skip
        with pytest.raises(IntegrityError):
            check_lookup_entry(world.roots, key, **{**good, **change})


def test_kinds_of_digests_do_not_answer_for_each_other():
    one = digest("the same 32 bytes")
    kinds = [kind for kind in LookupKind if kind is not LookupKind.EVENTS]
    keys = {lookup_key(kind, one) for kind in kinds} | {events_key(ORIGIN, one), SENTINEL_KEY}
    assert len(keys) == len(kinds) + 2
    with pytest.raises(MalformedError):
        lookup_key(LookupKind.EVENTS, one)
    with pytest.raises(MalformedError):
        lookup_key(LookupKind.OBJECT_SM3, one[:-1])
    with pytest.raises(MalformedError):
        events_key(ORIGIN, b"")
    assert events_key(ORIGIN, one) == events_key(f"{ORIGIN[:-1]}2", one)
    assert events_key(ORIGIN, one) != events_key(ORIGIN.replace("example", "other"), one)


def test_a_desk_that_is_not_registered():
    world, stranger = World(), f"{ORIGIN[:-1]}77"
    proof = world.desks.prove(desk_key(stranger))[1]
    check_desk(world.roots, stranger, None, proof)
    with pytest.raises(IntegrityError):
        check_desk(world.roots, stranger, world.entry, proof)
    with pytest.raises(IntegrityError):
        check_desk(world.roots, ORIGIN, None, world.desks.prove(desk_key(ORIGIN))[1])


def test_an_entry_under_another_origin_is_refused():
    """Even if the application had a hole and put it there."""
    world, other = World(), f"{ORIGIN[:-1]}88"
    world.desks.update({desk_key(other): DESK_ENTRY.encode(world.entry)})
    roots = replace(world.roots, desks=world.desks.root())
    with pytest.raises(IntegrityError):
        check_desk(roots, other, world.entry, world.desks.prove(desk_key(other))[1])


def test_forms():
    assert bytes(8) + EMPTY_ROOT == SENTINEL_VALUE
    for make in (
        lambda: ListRoot(size=0, root=digest(1)),
        lambda: ListRoot(size=1, root=b""),
        lambda: ListRoot(size=-1, root=digest(1)),
        lambda: StateRoots(checkpoints=ROOTS.checkpoints, desks=b"", governance=digest(1), lookup=digest(1)),
        lambda: LookupEntry(leaf_hash=b"", height=1),
        lambda: LookupEntry(leaf_hash=digest(1), height=0),
    ):
        with pytest.raises(MalformedError):
            make()
    world, key = world_with(ENTRIES)
    with pytest.raises(MalformedError):
        check_lookup(world.roots, key, ENTRIES * 2001, world.lookup.prove(key)[1])
