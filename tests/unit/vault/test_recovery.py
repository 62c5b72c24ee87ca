from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.core.digests import DigestPair
from evidence_desk.crypto.guomi import sm2_public
from evidence_desk.errors import MalformedError
from evidence_desk.vault.recovery import (
    format_recovery_key,
    new_recovery_key,
    next_key_digests,
    next_log_keys,
    parse_recovery_key,
)

ORIGIN = "desk.test.evidence/00000000-0000-4000-8000-000000000001/1"


def test_printed_form_is_fixed():
    assert format_recovery_key(bytes(32)) == "0000-" * 12 + "0002-7KS0"


@given(st.binary(min_size=32, max_size=32))
def test_round_trip(key):
    text = format_recovery_key(key)
    assert [len(group) for group in text.split("-")] == [4] * 14
    assert parse_recovery_key(text) == key


def test_what_people_type_is_understood():
    key = new_recovery_key()
    text = format_recovery_key(key)
    full_width = "".join(chr(ord(c) + 0xFEE0) if c.isalnum() else c for c in text)
    for typed in (
        text.lower(),
        text.replace("-", " "),
        f"  {text.replace('-', '')}\n",
        text.replace("0", "O").replace("1", "l"),
        text.replace("-", "—"),
        full_width,
    ):
        assert parse_recovery_key(typed) == key


@given(
    st.binary(min_size=32, max_size=32),
    st.integers(0, 55),
    st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"),
)
def test_a_wrong_character_is_noticed(key, place, digit):
    digits = format_recovery_key(key).replace("-", "")
    changed = digits[:place] + digit + digits[place + 1 :]
    if changed != digits:
        with pytest.raises(MalformedError, match=r"malformed\.recovery_key"):
            parse_recovery_key(changed)


def test_swapped_neighbors_are_noticed():
    digits = format_recovery_key(bytes(range(32))).replace("-", "")
    for place in range(55):
        if digits[place] != digits[place + 1]:
            swapped = digits[:place] + digits[place + 1] + digits[place] + digits[place + 2 :]
            with pytest.raises(MalformedError):
                parse_recovery_key(swapped)


@given(st.text(max_size=500))
def test_any_text_is_refused_without_a_crash(text):
    with pytest.raises(MalformedError, match=r"malformed\.recovery_key"):
        parse_recovery_key(text)


def test_next_keys_are_those_of_the_digests_and_of_no_other_log():
    key = new_recovery_key()
    seed, sm2_private = next_log_keys(key, ORIGIN)
    digests = next_key_digests(key, ORIGIN)
    assert digests.sm2 == DigestPair.of(sm2_public(sm2_private))
    assert next_log_keys(key, ORIGIN) == (seed, sm2_private)
    assert next_key_digests(key, f"{ORIGIN}0") != digests
    assert next_key_digests(new_recovery_key(), ORIGIN) != digests
