from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from evidence_desk.core.checkpoint import Checkpoint, parse_checkpoint
from evidence_desk.core.leaf import LeafType
from evidence_desk.core.log import TrustedLog, note_keys, verified_checkpoint
from evidence_desk.core.merkle import (
    TileTree,
    leaf_hash,
    root_from_inclusion,
    root_of,
    verify_consistency,
)
from evidence_desk.core.note import sign_note
from evidence_desk.errors import BugError, IntegrityError, MalformedError
from tests.fixed import KEYS, ORIGIN, SIGNER, FixedSigner, MemoryLog, opened_leaf, refusal, sealed_leaf


def grown(*counts: int) -> tuple[MemoryLog, TrustedLog]:
    store = MemoryLog()
    log = TrustedLog.open(store, KEYS)
    for count in counts:
        leaves = [sealed_leaf(log.size + at, content=b"%d" % (log.size + at)) for at in range(count)]
        log, append = log.append(leaves, SIGNER)
        store.write(append)
    return store, log


class LogMachine(RuleBasedStateMachine):
    """Appends, reopenings and attacks on what is stored; the model is the plain list of leaf bytes."""

    @initialize()
    def start(self) -> None:
        self.store = MemoryLog()
        self.log = TrustedLog.open(self.store, KEYS)
        self.leaves: list[bytes] = []

    @rule(count=st.integers(1, 5) | st.sampled_from([250, 260]))
    def append(self, count):
        old = self.log
        rows = [sealed_leaf(old.size + at, content=b"%d" % (old.size + at)) for at in range(count)]
        self.log, append = old.append(rows, SIGNER)
        assert append.old_size == old.size == len(self.leaves)
        self.store.write(append)
        self.leaves += [leaf.encode() for leaf in rows]
        if old.checkpoint is not None:
            assert self.log.checkpoint is not None
            assert verify_consistency(
                old_size=old.size,
                new_size=self.log.size,
                old_root=old.checkpoint.root,
                new_root=self.log.checkpoint.root,
                path=TileTree(self.store, self.log.size).consistency(old.size),
            )

    @rule()
    def reopen(self):
        again = TrustedLog.open(self.store, KEYS)
        assert (again.checkpoint, again.note) == (self.log.checkpoint, self.log.note)
        self.log = again

    @precondition(lambda self: self.leaves)
    @rule(data=st.data())
    def spoil_a_tile_of_the_edge(self, data):
        size = len(self.leaves)
        edge = [(level, count // 256) for level in range(3) if (count := size >> 8 * level) and count % 256]
        key = data.draw(st.sampled_from(edge))
        kept = self.store.tiles[key]
        at = data.draw(st.integers(0, len(kept) - 1))
        bad = data.draw(st.sampled_from([kept[:at], kept[:at] + bytes([kept[at] ^ 1]) + kept[at + 1 :], b""]))
        self.store.tiles[key] = bad
        for action in (self.open_store, self.append_one):
            with pytest.raises(IntegrityError) as caught:
                action()
            assert caught.value.code in {"log.root_mismatch", "log.tile_missing"}
        self.store.tiles[key] = kept

    @precondition(lambda self: self.leaves)
    @rule(at=st.integers(0), change=st.integers(1, 255))
    def spoil_the_checkpoint(self, at, change):
        size, note = self.store.notes[-1]
        place = at % len(note)
        bad = note[:place] + bytes([note[place] ^ change]) + note[place + 1 :]
        self.store.notes[-1] = (size, bad)
        with pytest.raises(IntegrityError):
            self.open_store()
        self.store.notes[-1] = (size, note)

    @precondition(lambda self: len(self.store.notes) > 1)
    @rule()
    def roll_back_the_checkpoint(self):
        newest = self.store.notes.pop()
        with refusal("log.size_mismatch", IntegrityError):
            self.open_store()
        self.store.notes.append(newest)

    @precondition(lambda self: self.leaves)
    @rule()
    def lose_a_leaf(self):
        row = self.store.rows.pop()
        with refusal("log.size_mismatch", IntegrityError):
            self.open_store()
        self.store.rows.append(row)

    def open_store(self) -> None:
        TrustedLog.open(self.store, KEYS)

    def append_one(self) -> None:
        self.log.append([sealed_leaf(self.log.size)], SIGNER)

    @invariant()
    def checkpoint_commits_to_all_leaves(self):
        if not getattr(self, "leaves", []):
            return
        checkpoint = verified_checkpoint(self.store.checkpoint(), KEYS)
        hashes = [leaf_hash(leaf) for leaf in self.leaves]
        assert checkpoint == Checkpoint(origin=ORIGIN, size=len(self.leaves), root=root_of(hashes))
        assert [row.leaf_hash for row in self.store.rows] == hashes

    def teardown(self) -> None:
        leaves = getattr(self, "leaves", [])
        if not leaves:
            return
        tree = TileTree(self.store, len(leaves))
        root = verified_checkpoint(self.store.checkpoint(), KEYS).root
        for index, leaf in enumerate(leaves):
            path = tree.inclusion(index)
            assert (
                root_from_inclusion(index=index, size=len(leaves), digest=leaf_hash(leaf), path=path) == root
            )


TestLogMachine = LogMachine.TestCase
TestLogMachine.settings = settings(max_examples=10, stateful_step_count=15, deadline=None)


def test_an_empty_log():
    log = TrustedLog.open(MemoryLog(), KEYS)
    assert (log.size, log.checkpoint, log.note) == (0, None, b"")


def test_the_first_append_opens_the_log():
    store = MemoryLog()
    log, append = TrustedLog.open(store, KEYS).append([opened_leaf()], SIGNER)
    store.write(append)
    assert append.new_size == log.size == 1
    assert append.leaves[0].type == LeafType.LOG_OPENED
    assert TrustedLog.open(store, KEYS).checkpoint == log.checkpoint


def test_the_old_state_stays_usable_when_the_store_rolls_back():
    store, log = grown(3)
    log.append([sealed_leaf(3, content=b"lost")], SIGNER)
    again, append = log.append([sealed_leaf(3, content=b"kept")], SIGNER)
    store.write(append)
    assert TrustedLog.open(store, KEYS).checkpoint == again.checkpoint


def test_leaves_must_belong_here_and_follow():
    _, log = grown(2)
    with refusal("log.leaf_origin", IntegrityError):
        log.append([replace(sealed_leaf(2), log=ORIGIN[:-1] + "2")], SIGNER)
    for seqs in ([1], [3], [2, 2], [2, 4], [3, 2]):
        with refusal("log.leaf_seq", IntegrityError):
            log.append([sealed_leaf(seq) for seq in seqs], SIGNER)
    with refusal("bug.log_empty_append", BugError):
        log.append([], SIGNER)


@pytest.mark.parametrize(
    "changes",
    [
        {"objects": ()}, {"statement": None}, {"ref": b"x" * 32}, {"facts": {"x": 1}}, {"facts": {"at": "x"}},
        {"objects": sealed_leaf(0).objects * 17}, {"root": b"r" * 32, "count": 2}, {"type": LeafType.HEARTBEAT},
        {"count": 5},
    ],
)  # fmt: skip
def test_leaves_that_nobody_could_read_are_never_written(changes):
    _, log = grown(1)
    with pytest.raises(BugError) as caught:
        log.append([replace(sealed_leaf(1), **changes)], SIGNER)
    assert caught.value.code in {"bug.leaf_form", "bug.leaf_too_large"}


def test_tiles_changed_behind_an_open_log_stop_the_next_append():
    store, log = grown(5)
    store.tiles[0, 0] = store.tiles[0, 0][:-32] + b"\x00" * 32
    with refusal("log.root_mismatch", IntegrityError):
        log.append([sealed_leaf(5)], SIGNER)


def test_what_open_refuses():
    store, _ = grown(5)
    note = store.checkpoint()
    other = FixedSigner(b"other")

    def stored(data: bytes) -> MemoryLog:
        store.notes[-1] = (5, data)
        return store

    with refusal("log.checkpoint_missing", IntegrityError):
        TrustedLog.open(stored(b""), KEYS)
    with refusal("log.checkpoint_malformed", IntegrityError):
        TrustedLog.open(stored(note[:-1]), KEYS)
    for stripped in (
        note.splitlines(keepends=True)[:-1],
        note.splitlines(keepends=True)[:4] + note.splitlines(keepends=True)[5:],
    ):
        with refusal("log.checkpoint_signature", IntegrityError):
            TrustedLog.open(stored(b"".join(stripped)), KEYS)
    with refusal("log.checkpoint_signature", IntegrityError):
        TrustedLog.open(stored(note), note_keys(ORIGIN, other))
    with refusal("log.checkpoint_origin", IntegrityError):
        TrustedLog.open(stored(note), note_keys(ORIGIN[:-1] + "2", SIGNER))
    text = Checkpoint(origin=ORIGIN, size=5, root=b"\x00" * 32).text()
    forged = sign_note(text, KEYS, ed25519=SIGNER.sign_ed25519, sm2=SIGNER.sign_sm2).encode()
    with refusal("log.root_mismatch", IntegrityError):
        TrustedLog.open(stored(forged), KEYS)


def test_a_checkpoint_over_an_emptied_store_is_noticed():
    store, _ = grown(2)
    store.rows.clear()
    with refusal("log.size_mismatch", IntegrityError):
        TrustedLog.open(store, KEYS)


def test_reading_a_foreign_checkpoint_keeps_malformed_apart():
    """For a verifier a broken note is bad input; only the desk's own store makes it an integrity failure."""
    with pytest.raises(MalformedError):
        verified_checkpoint(b"nothing", KEYS)
    store, log = grown(1)
    assert parse_checkpoint(store.checkpoint())[0] == log.checkpoint
