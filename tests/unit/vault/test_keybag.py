from __future__ import annotations

from pathlib import Path

import pytest

from evidence_desk.errors import IntegrityError, NotFoundError
from evidence_desk.vault.keybag import Keybag, empty_keybag
from evidence_desk.vault.keys import wrap

KEY = b"k" * 32
AAD = b"evidence-desk/keybag/1"


@pytest.fixture
def keybag(tmp_path: Path) -> Keybag:
    bag = Keybag(tmp_path / "keybag", lambda: KEY)
    bag.import_(empty_keybag())
    return bag


def other(keybag: Keybag) -> Keybag:
    return Keybag(keybag._path, lambda: KEY)


def test_keys_are_made_once_and_differ_by_case(keybag):
    first = keybag.keys_for_writing("案一")
    assert keybag.keys_for_writing("案一") == first == other(keybag).keys("案一")
    second = keybag.keys_for_writing("案二")
    assert len({first.identity, second.identity}) == 2
    assert len({first.name_key, second.name_key, first.envelope_key, second.envelope_key}) == 4


def test_additions_of_another_process_are_seen(keybag):
    reader = other(keybag)
    with pytest.raises(NotFoundError, match=r"vault\.case_unknown"):
        reader.keys("案一")
    keys = keybag.keys_for_writing("案一")
    assert reader.keys("案一") == keys


def test_erasing_is_final(keybag):
    kept = keybag.keys_for_writing("案二")
    gone = keybag.keys_for_writing("案一")
    keybag.erase("案一")
    for bag in (keybag, other(keybag)):
        assert bag.is_erased("案一")
        assert not bag.is_erased("案二")
        with pytest.raises(NotFoundError, match=r"vault\.case_erased"):
            bag.keys("案一")
        with pytest.raises(NotFoundError, match=r"vault\.case_erased"):
            bag.keys_for_writing("案一")
        assert bag.keys("案二") == kept
    assert gone.identity.encode() not in keybag.export()


def test_the_file_tells_nothing_without_the_key(keybag):
    keys = keybag.keys_for_writing("案一")
    box = keybag._path.read_bytes()
    assert "案一".encode() not in box
    assert keys.identity.encode() not in box
    with pytest.raises(IntegrityError, match=r"vault\.damaged"):
        Keybag(keybag._path, lambda: b"x" * 32).keys("案一")


@pytest.mark.parametrize(
    "plain",
    [
        b"",
        b"[]",
        b'{"v":1}',
        b'{"cases":[],"erased":[],"v":1}',
        b'{"cases":{"a":1},"erased":[],"v":1}',
        b'{"cases":{"a":{}},"erased":[],"v":1}',
        b'{"cases":{"a":{"envelope_key":"","identity":"x","name_key":""}},"erased":[],"v":1}',
        b'{"cases":{"a":{"envelope_key":1,"identity":"x","name_key":""}},"erased":[],"v":1}',
        b'{"cases":{},"erased":{},"v":1}',
        b'{"cases":{},"erased":[],"v":2}',
    ],
)
def test_foreign_content_is_damage(keybag, plain):
    keybag._path.write_bytes(wrap(KEY, plain, AAD))
    with pytest.raises(IntegrityError, match=r"vault\.damaged"):
        other(keybag).keys("a")


def test_a_missing_or_cut_file_is_damage(keybag):
    keybag._path.write_bytes(keybag._path.read_bytes()[:-1])
    with pytest.raises(IntegrityError, match=r"vault\.damaged"):
        other(keybag).keys("a")
    keybag._path.unlink()
    with pytest.raises(IntegrityError, match=r"vault\.damaged"):
        other(keybag).keys("a")
