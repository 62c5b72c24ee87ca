"""Sealing and opening the boxes of envelopes: the keys come from the keybag and do not leave the vault."""

from __future__ import annotations

from itertools import chain

from evidence_desk.core.envelope import Box, box_aad, box_key_id
from evidence_desk.errors import NotFoundError
from evidence_desk.vault.keybag import Keybag
from evidence_desk.vault.keys import unwrap, wrap


class EnvelopeBoxes:
    """Boxes of one vault."""

    def __init__(self, keybag: Keybag) -> None:
        self._keybag = keybag
        self._recent: str | None = None

    def seal(self, case_number: str | None, leaf_hash: bytes, plain: bytes) -> Box | None:
        """Box of a case (of the desk for None) for one leaf; None when the case has no keys, or no longer."""
        try:
            key = (
                self._keybag.desk_key()
                if case_number is None
                else self._keybag.keys(case_number).envelope_key
            )
        except NotFoundError:
            return None
        return Box(key_id=box_key_id(key, leaf_hash), sealed=wrap(key, plain, box_aad(leaf_hash)))

    def open(self, leaf_hash: bytes, box: Box) -> tuple[str | None, bytes] | None:
        """(case or None for the desk, plain bytes); None when none of our keys opens the box.

        The key id is made with the leaf hash, so every key is tried; neighbors in the log are mostly of one case.
        """
        keys = self._keybag.envelope_keys()
        for owner in chain((self._recent,), keys):
            key = keys.get(owner)
            if key is None or box_key_id(key, leaf_hash) != box.key_id:
                continue
            plain = unwrap(key, box.sealed, box_aad(leaf_hash))
            if plain is not None:
                self._recent = owner
                return owner, plain
        return None
