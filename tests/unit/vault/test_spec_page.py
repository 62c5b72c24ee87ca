"""The examples of docs/spec/vault.md are what the code makes."""

from __future__ import annotations

from evidence_desk.core.digests import DigestPair
from evidence_desk.vault.archive import FORMAT
from evidence_desk.vault.database import WHOLE_CHECK_LIMIT
from evidence_desk.vault.keybag import CaseKeys
from evidence_desk.vault.keys import KdfParameters
from evidence_desk.vault.migrations import APPLICATION_ID
from evidence_desk.vault.objects import object_name
from evidence_desk.vault.recovery import format_recovery_key, next_key_digests
from tests.fixed import ORIGIN
from tests.spec_examples import PAGES, blocks

KEY = bytes(range(32))
WRITTEN = blocks((PAGES / "vault.md").read_text("utf-8"))


def test_recovery_key():
    assert WRITTEN["vault.recovery-key"].strip() == format_recovery_key(KEY)


def test_next_keys():
    digests = next_key_digests(KEY, ORIGIN)
    assert WRITTEN["vault.next-keys"].splitlines() == [
        f"origin          {ORIGIN}",
        f"ed25519 sha256  {digests.ed25519.sha256.hex()}",
        f"ed25519 sm3     {digests.ed25519.sm3.hex()}",
        f"sm2 sha256      {digests.sm2.sha256.hex()}",
        f"sm2 sm3         {digests.sm2.sm3.hex()}",
    ]


def test_object_name():
    shown = dict(
        line.split(maxsplit=1)
        for line in blocks((PAGES / "digests.md").read_text("utf-8"))["digests"].splitlines()
    )
    digests = DigestPair(sha256=bytes.fromhex(shown["sha256"]), sm3=bytes.fromhex(shown["sm3"]))
    keys = CaseKeys(identity="", name_key=KEY, envelope_key=b"")
    assert WRITTEN["vault.object-name"].strip() == object_name(keys, digests)


def test_numbers_in_the_text_are_those_of_the_code():
    text = (PAGES / "vault.md").read_text("utf-8")
    assert f"0x{APPLICATION_ID:08X}" in text
    assert (
        f"Argon2id(salt, {KdfParameters().memory_kib // 1024} MiB, {KdfParameters().iterations}, {KdfParameters().lanes})"
        in text
    )
    assert f"`{FORMAT}`" in text
    assert f"{WHOLE_CHECK_LIMIT // 1024 // 1024} MiB" in text
