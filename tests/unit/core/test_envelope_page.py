"""The example of docs/spec/envelope.md is what the code makes, and the page names every content there is."""

from __future__ import annotations

import re
from pathlib import Path

from evidence_desk.core.envelope import MAX_BOXES, box_key_id, padded_size
from evidence_desk.core.merkle import leaf_hash
from evidence_desk.services import envelopes
from tests.spec_examples import PAGES, blocks, sealed

PAGE = (PAGES / "envelope.md").read_text("utf-8")


def test_key_id_and_sizes():
    digest = leaf_hash(sealed().encode())
    expected = [
        f"leaf hash    {digest.hex()}",
        f"key id       {box_key_id(bytes(range(32)), digest).hex()}",
        *(f"padded {size:<5} {padded_size(size)}" for size in (512, 1000, 5000)),
    ]
    assert blocks(PAGE)["envelope.key-id"].splitlines() == expected


def test_every_content_is_described():
    source = Path(envelopes.__file__).read_text("utf-8")
    assert set(re.findall(r'"v": "([a-z]+/1)"', source)) <= set(re.findall(r"`([a-z]+/1)`", PAGE))
    assert f"{MAX_BOXES:,} boxes" in PAGE
