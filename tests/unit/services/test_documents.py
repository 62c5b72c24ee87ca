"""Documents of a case over a real vault: what they hold is what was verified, and a forged vault gives none."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.certificate import DemoReason
from evidence_desk.core.documents import Standing
from evidence_desk.core.job import Job
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.core.statement import ExhibitKind
from evidence_desk.court.protocol.network_file import encode_network
from evidence_desk.errors import CanceledError, IntegrityError, NotFoundError, UsageError
from evidence_desk.services.anchor import anchor
from evidence_desk.services.certify import certify
from evidence_desk.services.custody import CustodyNote, record
from evidence_desk.services.documents import catalog, custody_record, obtaining_record, source_statement
from evidence_desk.services.erase import erase
from evidence_desk.services.export import export
from evidence_desk.services.recheck import recheck
from evidence_desk.services.seal import SealRequest, seal
from evidence_desk.services.timestamp import timestamp
from evidence_desk.texts import Language
from reports.blocks import Table
from reports.custody_document import custody_document
from reports.speak import Speaker
from tests.fixed import refusal
from tests.unit.court_node.chain import CHAIN
from tests.unit.services.conftest import seal_files
from tests.unit.services.court import HandMadeCourt, HandMadeGateway, court_of

BUILDERS = (catalog, source_statement, custody_record, obtaining_record)


@pytest.fixture
def exhibit(session: Session, tmp_path: Path) -> ExhibitRow:
    """Sealed with all that a person can say, timestamped, checked, certified, exported."""
    path = tmp_path / "合同.txt"
    path.write_text("甲方乙方", "utf-8")
    request = SealRequest(
        case_number="（2026）沪01民初1号", court="示例法院", cause="合同纠纷", parties=("原告 甲", "被告 乙"),
        title="买卖合同", kind=ExhibitKind.FILE, purpose="证明合同成立",
        source={"obtained": "原告提供", "from_whom": "甲", "medium": "手机", "is_original": False},
        operator={"name": "钱知微", "role": "律师"}, witness={"name": "李䶮"}, interest="无",
    )  # fmt: skip
    (outcome,) = seal(session.desk, [path], request, job=Job())
    assert outcome.exhibit is not None
    return outcome.exhibit


def busy(session: Session, row: ExhibitRow) -> ExhibitRow:
    timestamp(session.desk, session.authorities, job=Job())
    recheck(session.desk, [row], job=Job(), operator="孙")
    certify(session.desk, [row], session.issuer(), trust=session.trust, job=Job())
    export(session.desk, row, io.BytesIO(), trust=session.trust, job=Job())
    return again(session, row)


def again(session: Session, row: ExhibitRow) -> ExhibitRow:
    found = session.vault.exhibits.exhibit(row.leaf_hash)
    assert found is not None
    return found


def tamper(session: Session, sql: str) -> None:
    """By somebody who holds the database key."""
    database = session.vault._database
    for (name,) in database.rows("SELECT name FROM sqlite_schema WHERE type = 'trigger'"):
        database.script(f"DROP TRIGGER {name}")
    database.script("PRAGMA foreign_keys = OFF")
    database.script(sql)
    session.desk.forget()


def build(session: Session, builder, rows, **more):
    return builder(session.desk, rows, trust=session.trust, job=Job(), **more)


# --- what they hold -------------------------------------------------------------------------------------------


def test_the_catalog_holds_numbers_pages_and_what_was_stated(session, exhibit, tmp_path):
    (other,) = seal_files(session, tmp_path, "b.txt", case=exhibit.case_number)
    made = build(session, catalog, [exhibit, other], pages={exhibit.leaf_hash: (3, 7)})
    first, second = made.entries
    assert made.paged
    assert (first.pages, second.pages) == ((3, 7), None)
    assert first.exhibit.number == exhibit.number
    assert (first.exhibit.exhibit_no, first.exhibit.title) == ("证据1", "买卖合同")
    assert first.exhibit.source.is_original is False
    assert second.exhibit.source.is_original is None
    assert made.imprint.case.number == exhibit.case_number
    assert made.imprint.demo == ()
    assert first.exhibit.token is None
    assert not build(session, catalog, [exhibit]).paged


def test_a_demo_token_is_told(session, exhibit):
    row = busy(session, exhibit)
    for builder in BUILDERS:
        assert build(session, builder, [row]).imprint.demo == (DemoReason.TOKEN,)


def test_custody_has_every_event_with_its_leaf(session, exhibit):
    row = busy(session, exhibit)
    (item,) = build(session, custody_record, [row]).exhibits
    assert [line.action for line in item.lines] == [
        "sealed",
        "timestamped",
        "rechecked",
        "certified",
        "exported",
    ]
    assert {line.standing for line in item.lines} == {Standing.LOGGED}
    for line in item.lines:
        assert line.seq is not None
        assert session.vault.log.leaf(line.seq).leaf_hash == line.leaf_hash
    assert [line.seq for line in item.rechecks] == [item.lines[2].seq]
    assert dict(item.rechecks[0].details) == {"files": 1, "damaged": 0, "missing": 0}
    assert not any("salt" in name for line in item.lines for name, _ in line.details)
    assert not item.earlier_log


def test_the_source_statement_names_the_last_sound_recheck_only(session, exhibit):
    assert build(session, source_statement, [exhibit]).exhibits[0].last_recheck is None
    record(session.desk, [CustodyNote(exhibit=exhibit.leaf_hash, action="damaged", details={"damaged": [0]})])
    assert build(session, source_statement, [exhibit]).exhibits[0].last_recheck is None
    recheck(session.desk, [exhibit], job=Job())
    (made,) = build(session, source_statement, [exhibit]).exhibits
    assert made.last_recheck == session.vault.exhibits.custody(exhibit.leaf_hash)[-1].at
    assert made.source.medium == "手机"


def test_the_record_of_sealed_files_knows_no_capture(session, exhibit):
    (item,) = build(session, obtaining_record, [exhibit]).exhibits
    assert (item.by_capture, item.capture, item.environment) == (False, None, None)
    assert item.exhibit.capture is None
    assert item.exhibit.witness is not None
    assert item.exhibit.witness.name == "李䶮"
    assert item.exhibit.custody == ()


def test_anchored_is_what_the_proof_shows(
    joined: Session, network: HandMadeCourt, gateway: HandMadeGateway, tmp_path: Path
):
    (row,) = seal_files(joined, tmp_path, "a.txt")
    court = court_of(network, gateway, roots=joined.trust)
    anchor(joined.desk, court, joined.authorities, wait=True, job=Job(), pause=lambda _: None)
    trusting = replace(joined.trust, networks={CHAIN: encode_network(network.trust)})
    made = custody_record(joined.desk, [again(joined, row)], trust=trusting, job=Job())
    (item,) = made.exhibits
    assert [line.action for line in item.lines] == ["sealed", "anchored"]
    line = item.lines[1]
    assert item.exhibit.court is not None
    assert (line.standing, line.seq, line.at) == (Standing.NETWORK, None, item.exhibit.court.time)
    assert DemoReason.CHAIN in made.imprint.demo
    timestamp(joined.desk, joined.authorities, job=Job())  # its leaf lies beyond the anchored checkpoint
    (item,) = custody_record(joined.desk, [again(joined, row)], trust=trusting, job=Job()).exhibits
    stamped = next(line for line in item.lines if line.action == "timestamped")
    assert stamped.standing is Standing.LOGGED
    assert joined.vault.log.leaf(stamped.seq or 0).leaf_hash == stamped.leaf_hash
    unknown = custody_record(joined.desk, [row], trust=joined.trust, job=Job())
    assert [line.action for line in unknown.exhibits[0].lines] == ["sealed", "timestamped"]


# --- refusals -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("builder", BUILDERS)
def test_bad_choices_are_refused(session, exhibit, tmp_path, builder):
    with refusal("documents.none", UsageError):
        build(session, builder, [])
    with refusal("documents.repeated", UsageError):
        build(session, builder, [exhibit, exhibit])
    (other,) = seal_files(session, tmp_path, "b.txt", case="另案")
    with refusal("documents.several_cases", UsageError):
        build(session, builder, [exhibit, other])


@pytest.mark.parametrize("builder", BUILDERS)
def test_of_an_erased_case_there_is_nothing_to_print(session, exhibit, builder):
    erase(session.desk, exhibit.case_number, reason="当事人要求", court=None)
    with refusal("vault.case_erased", NotFoundError):
        build(session, builder, [again(session, exhibit)])


@pytest.mark.parametrize("builder", BUILDERS)
def test_canceling(session, exhibit, builder):
    job = Job()
    job.cancel()
    with pytest.raises(CanceledError):
        builder(session.desk, [exhibit], trust=session.trust, job=job)


@pytest.mark.parametrize("pages", [(0, 1), (3, 2), (-1, -1)])
def test_impossible_pages(session, exhibit, pages):
    with refusal("documents.pages", UsageError):
        build(session, catalog, [exhibit], pages={exhibit.leaf_hash: pages})


FORGED = {
    "statement": "UPDATE exhibits SET statement = CAST(replace(statement, '示例法院', '别家法院') AS BLOB)",
    "disclosures": "UPDATE exhibits SET disclosures = CAST(replace(disclosures, '买卖合同', '借款合同') AS BLOB)",
    "number": "UPDATE exhibits SET number = 'ED-0000-0000-0000-0000-0'",
    "place": "UPDATE exhibits SET seq = 2",
    "token": (
        "UPDATE tokens SET token = CAST(substr(token, 1, length(token) - 1) || "
        "CASE substr(token, -1) WHEN x'00' THEN x'01' ELSE x'00' END AS BLOB)"
    ),
}


@pytest.mark.parametrize("what", FORGED)
@pytest.mark.parametrize("builder", BUILDERS)
def test_a_forged_exhibit_is_not_printed(session, exhibit, builder, what):
    busy(session, exhibit)
    assert build(session, builder, [again(session, exhibit)])
    tamper(session, FORGED[what])
    with pytest.raises((IntegrityError, NotFoundError)) as caught:
        build(session, builder, [again(session, exhibit)])
    assert caught.value.code == "certify.unsound"


def test_a_forged_title_in_the_row_is_not_what_is_printed(session, exhibit):
    tamper(session, "UPDATE exhibits SET title = '借款合同', exhibit_no = '9'")
    (entry,) = build(session, catalog, [again(session, exhibit)]).entries
    assert (entry.exhibit.title, entry.exhibit.exhibit_no) == ("买卖合同", "证据1")


GONE = "DELETE FROM custody WHERE action = 'exported'"
LAST = "WHERE seq = (SELECT max(seq) FROM leaves WHERE type = 'custody.event')"
CUSTODY_FORGED = {
    "operator": ("UPDATE custody SET operator = '他人' WHERE action = 'rechecked'", "documents.custody"),
    "outcome": ("UPDATE custody SET action = 'damaged' WHERE action = 'rechecked'", "documents.custody"),
    "time": ("UPDATE custody SET at = '2020-01-01T00:00:00.000000Z' WHERE action = 'exported'", "documents.custody"),
    "event gone": (GONE, "documents.custody"),
    "event of another": ("UPDATE custody SET exhibit = zeroblob(32) WHERE action = 'exported'", "documents.custody"),
    "event moved": ("UPDATE custody SET leaf_seq = 0 WHERE action = 'exported'", "documents.custody"),
    "event and leaf hidden": (
        f"{GONE}; UPDATE leaves SET type = 'exhibit.sealed', leaf = (SELECT leaf FROM leaves WHERE seq = 1) {LAST}",
        "documents.log",
    ),
    "leaf called otherwise": (
        f"{GONE}; UPDATE leaves SET type = 'exhibit.sealed' {LAST}",
        "documents.log",
    ),
    "leaf gone": ("DELETE FROM leaves WHERE type = 'certificate.issued'", "documents.log"),
}  # fmt: skip


@pytest.mark.parametrize("what", CUSTODY_FORGED)
def test_forged_custody_is_not_printed(session, exhibit, what):
    row = busy(session, exhibit)
    sql, code = CUSTODY_FORGED[what]
    tamper(session, sql)
    for builder in (custody_record, source_statement):
        with refusal(code, IntegrityError):
            build(session, builder, [row])


def test_an_event_added_without_a_leaf_waits_for_one(session, exhibit):
    tamper(
        session,
        "INSERT INTO custody (exhibit, at, action, operator, details) SELECT leaf_hash, logged, 'opened', '他人', "
        "CAST('{}' AS BLOB) FROM exhibits",
    )
    (item,) = build(session, custody_record, [exhibit]).exhibits
    assert [(line.action, line.standing) for line in item.lines[1:]] == [("opened", Standing.PENDING)]


def test_a_recheck_that_no_leaf_bears_out_is_not_claimed(session, exhibit):
    """Who can write into the vault cannot have a sound re-check printed."""
    tamper(
        session,
        "INSERT INTO custody (exhibit, at, action, operator, details) SELECT leaf_hash, logged, 'rechecked', '他人', "
        "CAST('{\"files\":1}' AS BLOB) FROM exhibits",
    )
    (statement,) = build(session, source_statement, [exhibit]).exhibits
    assert statement.last_recheck is None
    record = build(session, custody_record, [exhibit])
    assert [line.standing for line in record.exhibits[0].rechecks] == [Standing.PENDING]
    said = [
        cell
        for block in custody_document(record, Speaker(Language.ZH)).blocks
        if isinstance(block, Table)
        for row in block.rows
        for cell in row
    ]
    assert ("文件 1 个", "待写入日志") in said
