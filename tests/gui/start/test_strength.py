"""The estimate of a passphrase."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ui.start.strength import Advice, Strength, estimate


@pytest.mark.parametrize(
    ("passphrase", "strength", "advice"),
    [
        ("", Strength.WEAK, Advice.LONGER),
        ("123456", Strength.WEAK, Advice.RUNS),
        ("Passw0rd!", Strength.WEAK, Advice.WORDS),
        ("drowssap", Strength.WEAK, Advice.WORDS),
        ("woaini1314", Strength.WEAK, Advice.WORDS),
        ("法院证据2024", Strength.WEAK, Advice.DATES),
        ("19900101", Strength.WEAK, Advice.DATES),
        ("a" * 40, Strength.WEAK, Advice.REPEATS),
        ("1234567890" * 12, Strength.WEAK, Advice.REPEATS),
        ("abcdefghijklmnop", Strength.WEAK, Advice.RUNS),
        ("xk2;9Lq!", Strength.WEAK, Advice.LONGER),
        ("xk2;9Lq!vbT", Strength.FAIR, Advice.LONGER),
        ("correct horse battery staple", Strength.STRONG, Advice.NONE),
        ("雨落山城 灯火可亲", Strength.STRONG, Advice.NONE),
    ],
)
def test_what_is_said(passphrase, strength, advice):
    found = estimate(passphrase)
    assert (found.strength, found.advice) == (strength, advice)


def test_words_of_the_office_count_for_nothing():
    assert estimate("lishu-packaging", ["lishu-packaging"]).advice is Advice.OWN
    assert estimate("lishu-packaging", ["lishu-packaging"]).digits < estimate("lishu-packaging").digits


def test_full_width_is_the_same():
    assert estimate("１２３４５６") == estimate("123456")


@given(st.text(max_size=200), st.lists(st.text(max_size=20), max_size=3))
def test_never_fails(text, own):
    assert estimate(text, own).digits >= 0


@given(st.text(alphabet="abcdxyz0189 雨山", max_size=40), st.text(alphabet="qwk7", min_size=1, max_size=5))
@example("za", "q")
@example("1989010", "7")
def test_more_is_never_much_weaker(text, more):
    """What is added may complete a year, a date or a run of the keyboard: by one digit at most."""
    assert estimate(text + more).digits >= estimate(text).digits - 1 - 1e-9
