"""Timestamping when the authority is away or lies, over several authorities, and of scattered exhibits."""

from __future__ import annotations

from pathlib import Path

import pytest

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.core.leaf import parse_leaf
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.errors import RemoteError
from evidence_desk.services.assess import assess
from evidence_desk.services.audit import audit
from evidence_desk.services.revoke import correct
from evidence_desk.services.seal import SealRequest, seal
from evidence_desk.services.timestamp import MAX_RANGES, timestamp
from evidence_desk.settings import AuthorityKind, AuthoritySetting
from tests.unit.tsa.liars import Answer, http_server

HTML = Answer(body=b"<html>login</html>", content_type="text/html")


def sealed(session: Session, folder: Path, count: int) -> list[ExhibitRow]:
    paths = [folder / f"{number}.txt" for number in range(count)]
    for path in paths:
        path.write_text(path.name)
    outcomes = seal(session.desk, paths, SealRequest(case_number="案"), job=Job())
    return [outcome.exhibit for outcome in outcomes if outcome.exhibit is not None]


def http(url: str, name: str = "http") -> AuthoritySetting:
    return AuthoritySetting(name=name, kind=AuthorityKind.HTTP, url=url)


def test_exhibits_wait_while_the_authority_lies_and_nothing_is_faked(session: Session, tmp_path: Path):
    (demo,) = session.settings
    (row,) = sealed(session, tmp_path, 1)
    before = session.desk.log.size
    with http_server(lambda _path, _body: HTML) as (url, _):
        session.set_authorities((http(url),))
        with pytest.raises(RemoteError):
            timestamp(session.desk, session.authorities, job=Job())
    assert session.desk.log.size == before
    assert list(session.vault.exhibits.tokens()) == []
    assert [item.leaf_hash for item in session.vault.exhibits.awaiting_timestamp()] == [row.leaf_hash]
    session.set_authorities((demo,))
    assert len(timestamp(session.desk, session.authorities, job=Job()).exhibits) == 1
    assert session.vault.exhibits.awaiting_timestamp() == []
    found = session.vault.exhibits.exhibit(row.leaf_hash)
    assert found is not None
    assert found.timestamped is not None


def test_the_next_authority_is_asked_when_the_first_is_away(session: Session, tmp_path: Path):
    (demo,) = session.settings
    sealed(session, tmp_path, 1)
    with http_server(lambda _path, _body: Answer(status=503)) as (url, heard):
        session.set_authorities((http(url), demo))
        outcome = timestamp(session.desk, session.authorities, job=Job())
    assert outcome.authority == demo.name
    assert heard.requests


def test_without_any_authority_the_error_says_so(session: Session, tmp_path: Path):
    session.set_authorities(())
    sealed(session, tmp_path, 1)
    with pytest.raises(RemoteError, match=r"client\.no_authority"):
        timestamp(session.desk, session.authorities, job=Job())


def test_nothing_waits(session: Session):
    assert timestamp(session.desk, session.authorities, job=Job()).exhibits == ()


def test_scattered_exhibits_take_several_tokens(session: Session, tmp_path: Path):
    count = MAX_RANGES + 20
    rows: list[ExhibitRow] = []
    for number in range(count):
        path = tmp_path / f"{number}.txt"
        path.write_text(path.name)
        (done,) = seal(session.desk, [path], SealRequest(case_number="案"), job=Job())
        assert done.exhibit is not None
        rows.append(done.exhibit)
        correct(session.desk, done.exhibit, note="更正")  # another leaf between two exhibits
    outcome = timestamp(session.desk, session.authorities, job=Job())
    assert len(outcome.exhibits) == count
    tokens = list(session.vault.exhibits.tokens())
    assert len(tokens) == 2
    ranges = [
        parse_leaf(session.vault.log.leaf(token.attested_seq).leaf).facts["ranges"]
        for token in tokens
        if token.attested_seq is not None
    ]
    assert [len(item) for item in ranges if isinstance(item, list)] == [MAX_RANGES, 20]
    for row in (rows[0], rows[-1]):
        _, facts = assess(session.desk, row, session.trust)
        assert facts.times[0].token is not None
    assert audit(session.desk, job=Job()).faults == ()
