from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence_desk.core.moment import format_moment, parse_moment
from evidence_desk.errors import BugError, MalformedError
from tests.fixed import mutations, refusal


def test_form():
    east = timezone(timedelta(hours=8))
    assert format_moment(datetime(2026, 3, 2, 9, 30, 0, 123999, tzinfo=east)) == "2026-03-02T01:30:00.123Z"
    assert format_moment(datetime(33, 1, 1, tzinfo=UTC)) == "0033-01-01T00:00:00.000Z"


@given(st.datetimes(timezones=st.just(UTC)))
def test_round_trip_to_the_millisecond(moment):
    cut = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    assert parse_moment(format_moment(moment), what="x") == cut


@pytest.mark.parametrize(
    "value",
    [
        None, 5, b"2026-03-02T01:30:00.123Z", "", "2026-03-02T01:30:00Z", "2026-03-02T01:30:00.123",
        "2026-03-02T01:30:00.123+00:00", "2026-03-02 01:30:00.123Z", "2026-03-02t01:30:00.123z",
        "2026-02-29T01:30:00.123Z", "2026-03-02T24:00:00.000Z", "2026-03-02T23:59:60.000Z", "0000-01-01T00:00:00.000Z",
        "2026-13-01T00:00:00.000Z", "2026-03-02T01:30:00.123Z\n", "２026-03-02T01:30:00.123Z", "2026-03-02T01:30:00,123Z",
    ],
)  # fmt: skip
def test_refused(value):
    with refusal("malformed.time"):
        parse_moment(value, what="x")


def test_each_mutation_is_refused_or_another_moment():
    text = "2026-03-02T01:30:00.123Z"
    for changed in mutations(text.encode()):
        try:
            other = parse_moment(changed.decode("latin-1"), what="x")
        except MalformedError:
            continue
        assert other != parse_moment(text, what="x")


@given(st.text(max_size=30) | st.from_regex(r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z"))
@settings(max_examples=500)
def test_any_text_is_refused_or_read(text):
    try:
        moment = parse_moment(text, what="x")
    except MalformedError:
        return
    assert format_moment(moment) == text


def test_times_without_zone_are_a_bug():
    with refusal("bug.naive_time", BugError):
        format_moment(datetime(2026, 1, 1))  # noqa: DTZ001 - the point
