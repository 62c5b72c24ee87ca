"""The copy of the keybag for gateways: opens with paper or passphrase, cannot be made or changed by others."""

from __future__ import annotations

import base64
import io
import json

import pyrage
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyrage import x25519

from evidence_desk.core.canonical import encode
from evidence_desk.core.rows import CaseRow
from evidence_desk.errors import (
    EvidenceDeskError,
    IntegrityError,
    MalformedError,
    NotFoundError,
    PermissionDeniedError,
    UsageError,
)
from evidence_desk.vault import keybag_copy
from evidence_desk.vault.keybag_copy import open_copy, padded
from evidence_desk.vault.network_restore import rebuild
from evidence_desk.vault.passphrase import change_passphrase
from evidence_desk.vault.recovery import new_recovery_key, parse_recovery_key
from tests.unit.vault.rows import CASE, ORIGIN, PASSPHRASE, put, seal

NEXT = ORIGIN[:-1] + "2"


@pytest.fixture
def copied(created):
    vault, paper = created
    seal(vault, b"one")
    with vault.transaction():
        vault.exhibits.set_setting("authorities", b"[]")
        vault.exhibits.set_setting("something else", b"1")
    digest, data = vault.keybag_copy()
    return vault, parse_recovery_key(paper), digest, data


def test_opens_by_paper_and_by_passphrase(copied):
    vault, paper, _, data = copied
    for copy in (open_copy(data, recovery_key=paper), open_copy(data, passphrase=PASSPHRASE)):
        assert copy.keybag == vault.keybag.export()
        assert copy.settings == {"authorities": b"[]"}
        assert copy.origins == (ORIGIN,)
    for wrong in ({"recovery_key": new_recovery_key()}, {"passphrase": "x"}, {}):
        with pytest.raises(PermissionDeniedError):
            open_copy(data, **wrong)
    assert CASE.encode() not in data


def test_the_digest_tells_whether_anything_changed(copied, clock):
    vault, _, digest, data = copied
    clock.sleep(60)
    assert vault.keybag_copy()[0] == digest
    assert vault.keybag_copy()[1] != data, "encrypted anew each time"
    put(vault, b"two", case="案二")
    assert vault.keybag_copy()[0] != digest


def test_the_size_does_not_tell_the_number_of_cases(copied):
    vault, paper, _, data = copied
    for number in range(40):
        put(vault, f"file {number}".encode(), case=f"第{number}案")
    more = vault.keybag_copy()[1]
    assert abs(len(more) - len(data)) < 1024, "age's headers have a random length"
    assert len(open_copy(more, recovery_key=paper).keybag) > len(open_copy(data, recovery_key=paper).keybag)


@given(st.integers(1, 1 << 21))
def test_sizes_are_few(size):
    whole = len(padded(bytes(size)))
    assert size <= whole <= max(size + (16 << 10), size * 9 // 8 + (16 << 10))
    assert whole % (16 << 10) == 0


def test_a_copy_of_the_form_before_is_read(copied, monkeypatch):
    vault, paper, _, data = copied
    monkeypatch.setattr(keybag_copy, "padded", lambda plain: plain)
    old = vault.keybag_copy()[1]
    assert len(old) < len(data)
    assert open_copy(old, recovery_key=paper).keybag == vault.keybag.export()


def test_a_new_passphrase_opens_older_copies_of_the_same_vault(copied, clock):
    vault, _, digest, data = copied
    change_passphrase(vault.folder, PASSPHRASE, "新", clock=clock, sleep=clock.sleep)
    assert vault.keybag_copy()[0] != digest
    assert not vault.take_over_copy(data, passphrase="新")
    with pytest.raises(PermissionDeniedError):
        vault.take_over_copy(data, passphrase=PASSPHRASE)


def test_who_knows_the_recipient_cannot_make_one(copied):
    vault, paper, _, data = copied
    value = json.loads(data)
    box = io.BytesIO()
    pyrage.encrypt_io(io.BytesIO(b"x"), box, [x25519.Recipient.from_str(vault.backup_recipient)])
    forged = encode({**value, "sealed": base64.b64encode(box.getvalue()).decode()})
    with pytest.raises(MalformedError, match="keybag_copy"):
        open_copy(forged, recovery_key=paper)


@pytest.mark.parametrize(
    "change",
    [
        {"v": "keybag-copy/2"}, {"mac": "00" * 32}, {"mac": 1}, {"more": 1}, {"sealed": "!"}, {"sealed": None}, {"vault": ""},
    ],
)  # fmt: skip
def test_changed_members(copied, change):
    _, paper, _, data = copied
    with pytest.raises(EvidenceDeskError):
        open_copy(encode({**json.loads(data), **change}), recovery_key=paper)


def test_flipped_bits(copied):
    _, paper, _, data = copied
    for at in range(0, len(data), 7):
        flipped = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        with pytest.raises(EvidenceDeskError):
            open_copy(flipped, recovery_key=paper)


@given(st.binary(max_size=300))
def test_any_bytes_are_refused(data):
    with pytest.raises(MalformedError):
        open_copy(data, recovery_key=bytes(32))


def test_a_vault_from_a_copy(copied, tmp_path, clock):
    vault, paper, _, data = copied
    copy = open_copy(data, recovery_key=paper)
    case_key = vault.envelope_key(CASE)
    with rebuild(tmp_path / "new", copy, paper, earlier=[ORIGIN], successor=NEXT, clock=clock) as new:
        assert new.origins == [ORIGIN, NEXT]
        assert new.envelope_key(CASE) == case_key
        assert new.exhibits.settings() == {"authorities": b"[]"}
        assert new.signer.ed25519_public != vault.signer.ed25519_public
        assert new.next_key_digests != vault.next_key_digests
        earlier = new.rebuilding(ORIGIN)
        with new.transaction():
            earlier.exhibits.add_case(CaseRow(number=CASE, details=b"{}", created=clock.now()))
        assert new.exhibits.cases()[0].number == CASE
        with pytest.raises(EvidenceDeskError, match=r"vault\.log_archived"):
            _ = earlier.signer
        with pytest.raises(EvidenceDeskError, match=r"vault\.log_active"):
            new.rebuilding(NEXT)
        with pytest.raises(NotFoundError, match=r"vault\.no_log"):
            new.rebuilding(ORIGIN[:-1] + "7")
    with pytest.raises(UsageError, match=r"vault\.exists"):
        rebuild(tmp_path / "new", copy, paper, earlier=[ORIGIN], successor=NEXT, clock=clock)


def test_an_erasure_in_a_copy_is_carried_out(copied, tmp_path, clock):
    vault, paper, _, data = copied
    with rebuild(
        tmp_path / "other",
        open_copy(data, recovery_key=paper),
        paper,
        earlier=[ORIGIN],
        successor=NEXT,
        clock=clock,
    ) as other:
        other.erase_case(CASE)
        copy = other.keybag_copy()[1]
    assert vault.take_over_copy(copy, recovery_key=paper)
    assert vault.erased_cases() == {CASE}
    (row,) = vault.exhibits.exhibits()
    assert row.erased
    assert list((vault.folder / "objects").iterdir()) == []
    with pytest.raises(IntegrityError):
        vault.keybag.merge(b"{}")
