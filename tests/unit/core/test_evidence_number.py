from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence_desk.core.evidence_number import Prefix, format_number, parse_number
from evidence_desk.errors import BugError, MalformedError
from tests.fixed import refusal

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
DIGESTS = [
    bytes(10),
    b"\xff" * 10,
    *(bytes((seed * 7 + at * 41) % 256 for at in range(32)) for seed in range(6)),
]


def reads(text: str, prefix: Prefix) -> bytes | None:
    try:
        return parse_number(text, prefix)
    except MalformedError:
        return None


def test_form():
    assert format_number(Prefix.EVIDENCE, bytes(32)) == "ED-0000-0000-0000-0000-0"
    assert format_number(Prefix.CERTIFICATE, bytes(32)) == "EC-0000-0000-0000-0000-K"
    number = format_number(Prefix.EVIDENCE, bytes.fromhex("00443214c74254b635cf") + b"rest")
    assert number[:-2] == "ED-0123-4567-89AB-CDEF"
    assert parse_number(number, Prefix.EVIDENCE) == bytes.fromhex("00443214c74254b635cf")


@given(st.binary(min_size=10, max_size=40), st.sampled_from(Prefix))
def test_round_trip(digest, prefix):
    number = format_number(prefix, digest)
    assert parse_number(number, prefix) == digest[:10]
    assert parse_number(number.lower().replace("-", " "), prefix) == digest[:10]
    assert parse_number(number.replace("-", ""), prefix) == digest[:10]
    wide = "".join(chr(ord(char) + 0xFEE0) for char in number)
    assert parse_number(wide, prefix) == digest[:10]
    alike = number[:3] + number[3:].replace("0", "o").replace("1", "l")
    assert parse_number(alike, prefix) == digest[:10]
    assert parse_number(number[:3] + number[3:].replace("1", "I"), prefix) == digest[:10]


@pytest.mark.parametrize("digest", DIGESTS)
@pytest.mark.parametrize("prefix", Prefix)
def test_every_single_wrong_character_is_caught(digest, prefix):
    number = format_number(prefix, digest)
    for at, char in enumerate(number):
        if char == "-":
            continue
        for other in ALPHABET:
            if other == char:
                continue
            wrong = number[:at] + other + number[at + 1 :]
            for reading in Prefix:
                assert reads(wrong, reading) is None, wrong


@pytest.mark.parametrize("digest", DIGESTS)
@pytest.mark.parametrize("prefix", Prefix)
def test_every_swap_of_two_characters_is_caught(digest, prefix):
    number = format_number(prefix, digest)
    places = [at for at, char in enumerate(number) if char != "-"]
    for one, two in combinations(places, 2):
        if number[one] == number[two]:
            continue
        chars = list(number)
        chars[one], chars[two] = chars[two], chars[one]
        for reading in Prefix:
            assert reads("".join(chars), reading) is None, "".join(chars)


def test_prefix_swapped_with_each_value_of_each_digit_is_caught():
    """The prefix's own letter against every digit: D and C are digits of the alphabet too."""
    for at in range(16):
        for letter in "CD":
            digits = ["7"] * 16
            digits[at] = letter
            value = 0
            for digit in digits:
                value = value << 5 | ALPHABET.index(digit)
            for prefix in Prefix:
                number = format_number(prefix, value.to_bytes(10, "big")).replace("-", "")
                if number[1] == letter:
                    continue
                swapped = number[0] + letter + number[2 : 2 + at] + number[1] + number[3 + at :]
                assert all(reads(swapped, reading) is None for reading in Prefix)


@pytest.mark.parametrize(
    "text",
    [
        "", "ED", "ED-", "ED-0000-0000-0000-0000", "ED-0000-0000-0000-0000-00", "0000-0000-0000-0000-0",
        "XX-0000-0000-0000-0000-0", "ED-000U-0000-0000-0000-0", "ED-0000_0000-0000-0000-0", "EDED-0000-0000-0000-0",
        "ED-0000-0000-0000-0000-0\n", "ED\t0000-0000-0000-0000-0", "ED-٠000-0000-0000-0000-0", " " * 70,
        "ED-0000-0000-0000-0000-0" + " " * 60, "ＥＤ中", "ED-000ı-0000-0000-0000-0", "ED-ſ000-0000-0000-0000-0",
    ],
)  # fmt: skip
def test_other_forms_are_refused(text):
    with refusal("malformed.number"):
        parse_number(text, Prefix.EVIDENCE)


def test_a_mistake_is_told_from_a_wrong_form():
    with refusal("malformed.number_check"):
        parse_number("ED-0000-0000-0000-0000-1", Prefix.EVIDENCE)


@given(st.text(max_size=80))
@settings(max_examples=500)
def test_any_text_is_refused_or_read(text):
    for prefix in Prefix:
        value = reads(text, prefix)
        assert value is None or len(value) == 10


def test_too_few_bits_is_a_bug():
    with refusal("bug.number", BugError):
        format_number(Prefix.EVIDENCE, b"123456789")
