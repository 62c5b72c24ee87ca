"""Boxes are sealed for one case and one leaf; keys stay inside."""

from __future__ import annotations

from pathlib import Path

import pytest

from evidence_desk.core.envelope import encode_envelope, pack, parse_envelope
from evidence_desk.errors import MalformedError
from evidence_desk.vault.envelope_boxes import EnvelopeBoxes
from evidence_desk.vault.keybag import Keybag, empty_keybag

LEAF = bytes(range(32))


def boxes_of(tmp_path: Path, name: str = "keybag") -> tuple[Keybag, EnvelopeBoxes]:
    keybag = Keybag(tmp_path / name, lambda: bytes(32))
    keybag.import_(empty_keybag())
    for case in ("案一", "案二"):
        keybag.keys_for_writing(case)
    return keybag, EnvelopeBoxes(keybag)


@pytest.mark.parametrize("case", ["案一", "案二", None])
def test_sealed_for_one_case_and_one_leaf(tmp_path, case):
    keybag, boxes = boxes_of(tmp_path)
    plain = pack({"title": "借条"})
    box = boxes.seal(case, LEAF, plain)
    assert box is not None
    assert boxes.open(LEAF, box) == (case, plain)
    assert boxes.open(bytes(32), box) is None, "another leaf"
    assert boxes_of(tmp_path, "other")[1].open(LEAF, box) is None, "another desk"
    assert boxes.seal("没有的案件", LEAF, plain) is None
    if case is not None:
        keybag.erase(case)
        assert boxes.open(LEAF, box) is None
        assert boxes.seal(case, LEAF, plain) is None


def test_every_flipped_bit_is_noticed(tmp_path):
    _, boxes = boxes_of(tmp_path)
    box = boxes.seal("案一", LEAF, pack({}))
    assert box is not None
    data = encode_envelope([box])
    for bit in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            (read,) = parse_envelope(bytes(flipped))
        except MalformedError:
            continue
        assert boxes.open(LEAF, read) is None, bit


def test_a_keybag_of_an_earlier_release_gets_a_key_of_the_desk(tmp_path):
    keybag = Keybag(tmp_path / "keybag", lambda: bytes(32))
    keybag.import_(b'{"cases":{},"erased":["old"],"v":1}')
    boxes = EnvelopeBoxes(keybag)
    assert list(keybag.envelope_keys()) == []
    box = boxes.seal(None, LEAF, pack({}))
    assert box is not None
    again = Keybag(tmp_path / "keybag", lambda: bytes(32))
    assert EnvelopeBoxes(again).open(LEAF, box) == (None, pack({}))
    assert again.erased() == {"old"}


def test_merging_copies(tmp_path):
    """Keys are added, erasures win, from whichever side they come."""
    here, there = (Keybag(tmp_path / name, lambda: bytes(32)) for name in ("here", "there"))
    here.import_(empty_keybag())
    for case in ("both", "erased here", "erased there"):
        here.keys_for_writing(case)
    there.import_(here.export())
    there.keys_for_writing("new there")
    here.keys_for_writing("new here")
    here.erase("erased here")
    there.erase("erased there")
    here.merge(there.export())
    assert set(here.envelope_keys()) == {None, "both", "new here", "new there"}
    assert here.erased() == {"erased here", "erased there"}
    assert here.keys("new there") == there.keys("new there")
