"""A statement tells the clock's offset when a token was taken shortly before, and says nothing otherwise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.core.rows import TimestampReply
from evidence_desk.core.statement import ClockState, parse_statement
from evidence_desk.services.clock_offset import clock_state, last_comparison, note_offset
from evidence_desk.services.seal import SealRequest, seal
from evidence_desk.services.timestamp import timestamp

AT = datetime(2026, 5, 1, 8, 0, 0, tzinfo=UTC)


def reply(*, sent: datetime, received: datetime, gen_time: datetime) -> TimestampReply:
    return TimestampReply(
        authority="某机构", token=b"", request=b"", response=b"", gen_time=gen_time, tsa=b"",
        transport={"sent": sent.isoformat(), "received": received.isoformat()},
    )  # fmt: skip


def state_at(session: Session, moment: datetime) -> ClockState:
    return clock_state(moment, zone="UTC", comparison=last_comparison(session.desk))


def sealed_clock(session: Session, path: Path) -> ClockState:
    path.write_bytes(b"x")
    (outcome,) = seal(session.desk, [path], SealRequest(case_number="案", allow_duplicates=True), job=Job())
    assert outcome.exhibit is not None
    return parse_statement(outcome.exhibit.statement).clock


def test_first_statement_knows_nothing_the_next_one_does(session: Session, tmp_path: Path):
    first = sealed_clock(session, tmp_path / "1")
    assert (first.offset_ms, first.sources) == (None, ())
    timestamp(session.desk, session.authorities, job=Job())
    second = sealed_clock(session, tmp_path / "2")
    assert second.offset_ms is not None
    assert abs(second.offset_ms) < 2_000
    assert second.sources[0].startswith(session.settings[0].name)


def test_offset_is_desk_minus_authority_at_the_middle_of_the_exchange(session: Session):
    with session.vault.transaction():
        note_offset(session.desk, reply(
            sent=AT, received=AT + timedelta(seconds=2), gen_time=AT - timedelta(seconds=4)
        ))  # fmt: skip
    state = state_at(session, AT + timedelta(minutes=1))
    assert state.offset_ms == 5_000
    assert state.sources == ("某机构 (2026-05-01T08:00:02.000Z)",)


def test_an_old_or_future_comparison_is_not_told(session: Session):
    with session.vault.transaction():
        note_offset(session.desk, reply(sent=AT, received=AT, gen_time=AT))
    for moment in (AT + timedelta(minutes=61), AT - timedelta(seconds=1)):
        assert state_at(session, moment).offset_ms is None


def test_transport_without_times_is_no_comparison(session: Session):
    empty = TimestampReply(authority="a", token=b"", request=b"", response=b"", gen_time=AT, tsa=b"")
    with session.vault.transaction():
        note_offset(session.desk, empty)
    assert last_comparison(session.desk) is None
