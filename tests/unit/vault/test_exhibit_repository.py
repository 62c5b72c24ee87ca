from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.core.browse_ports import ExhibitQuery, ExhibitStates
from evidence_desk.core.digests import DigestPair, sha256
from evidence_desk.core.rows import (
    CaseRow,
    CertificateRow,
    CustodyRow,
    TimeRecordRow,
    TokenRow,
)
from evidence_desk.errors import BugError, IntegrityError, NotFoundError
from evidence_desk.vault.store import Vault
from evidence_desk.vault.time_tables import decode_tree, encode_tree
from tests.unit.vault.rows import CASE, ORIGIN, seal

AT = datetime(2026, 11, 21, 9, 0, 0, 250000, tzinfo=UTC)


def custody(vault: Vault, exhibit: bytes | None = None, action: str = "opened") -> CustodyRow:
    return CustodyRow(
        exhibit=exhibit or sha256(b"e"), at=vault.clock.now(), action=action, operator="王律师", details=b"{}"
    )


def token(seed: bytes = b"t", **changes: Any) -> TokenRow:
    row = TokenRow(
        token_sha256=sha256(seed),
        token=seed * 9,
        request=b"request",
        response=b"response",
        transport=b'{"status":200}',
        authority="联合信任",
        gen_time=AT,
        preimage=b"preimage",
        crls=(b"crl one", b"crl two", b"crl one"),
    )
    return replace(row, **changes)


def record(row: TokenRow, leaf_hash: bytes | None = None, group: int = 0) -> TimeRecordRow:
    data = b"note" if leaf_hash is None else b""
    tree = ((sha256(b"1"), sha256(b"2")), (sha256(b"3"),))
    return TimeRecordRow(
        token_sha256=row.token_sha256, leaf_hash=leaf_hash, group=group, tree=tree, data=data
    )


def test_an_exhibit_is_found_by_all_its_names(vault):
    row = seal(vault, b"one", number="ED-A")
    seal(vault, b"two", number="ED-B", case="案二")
    expected = replace(row, origin=ORIGIN)
    digests = row.objects[0].stored.digests
    assert vault.exhibits.exhibit(row.leaf_hash) == expected
    assert vault.exhibits.by_number("ED-A") == [expected]
    for digest in (digests.sha256, digests.sm3, row.leaf_hash):
        assert vault.exhibits.by_digest(digest) == [expected]
    assert list(vault.exhibits.exhibits(case_number=CASE)) == [expected]
    assert [item.number for item in vault.exhibits.exhibits()] == ["ED-A", "ED-B"]
    assert vault.exhibits.exhibit(bytes(32)) is None
    assert vault.exhibits.by_number("ED-C") == vault.exhibits.by_digest(bytes(32)) == []


def test_one_file_in_many_exhibits_finds_them_all(vault):
    rows = [seal(vault, b"same", number=f"ED-{n}") for n in range(3)]
    digest = rows[0].objects[0].stored.digests.sm3
    assert [item.leaf_hash for item in vault.exhibits.by_digest(digest)] == [row.leaf_hash for row in rows]


def test_numbers_may_collide(vault):
    rows = [seal(vault, b"%d" % n, number="ED-SAME") for n in range(2)]
    assert [item.leaf_hash for item in vault.exhibits.by_number("ED-SAME")] == [row.leaf_hash for row in rows]


def test_look_ups_use_an_index(vault):
    for sql in (
        "SELECT * FROM exhibits WHERE number = ?",
        "SELECT * FROM objects WHERE sha256 = ?",
        "SELECT * FROM objects WHERE sm3 = ?",
        "SELECT * FROM exhibits WHERE case_number = ? ORDER BY id",
        "SELECT * FROM exhibits WHERE leaf_hash = ?",
        "SELECT * FROM objects WHERE name = ?",
        "SELECT * FROM exhibits WHERE id > ? AND timestamped IS NULL",
        "SELECT * FROM custody WHERE id > ? AND leaf_seq IS NULL",
        "SELECT * FROM time_records WHERE leaf_hash = ?",
    ):
        plan = " ".join(row[3] for row in vault.database.rows(f"EXPLAIN QUERY PLAN {sql}", ("x",)))
        assert "SCAN" not in plan, (sql, plan)
        assert "INDEX" in plan, (sql, plan)


def test_cases_are_kept_as_first_written(vault):
    first = CaseRow(number="案一", details=b'{"court":"a"}', created=AT)
    second = CaseRow(number="案零", details=b"{}", created=AT + timedelta(seconds=1))
    with vault.transaction():
        vault.exhibits.add_case(second)
        vault.exhibits.add_case(first)
        vault.exhibits.add_case(replace(first, details=b"{}"))
    assert vault.exhibits.cases() == [first, second]
    assert vault.exhibits.next_exhibit_index("案一") == 1


def test_indexes_count_by_case(vault):
    seal(vault, b"1")
    seal(vault, b"2")
    seal(vault, b"3", case="案二")
    assert vault.exhibits.next_exhibit_index(CASE) == 3
    assert vault.exhibits.next_exhibit_index("案二") == 2


def test_an_exhibit_without_its_leaf_is_rolled_back(vault):
    row = seal(vault, b"x")
    orphan = replace(row, leaf_hash=sha256(b"other"), seq=5)
    with pytest.raises(IntegrityError, match=r"vault\.constraint"), vault.transaction():
        vault.exhibits.add_exhibit(orphan)
    assert vault.exhibits.exhibit(orphan.leaf_hash) is None
    with pytest.raises(BugError, match=r"bug\.exhibit_origin"), vault.transaction():
        vault.exhibits.add_exhibit(replace(orphan, origin=ORIGIN[:-1] + "7"))


def test_more_exhibits_than_a_page(vault):
    rows = [seal(vault, b"%d" % n, case="案一" if n % 2 else "案二") for n in range(520)]
    assert [item.leaf_hash for item in vault.exhibits.exhibits()] == [row.leaf_hash for row in rows]
    odd = list(vault.exhibits.exhibits(case_number="案一"))
    assert [item.leaf_hash for item in odd] == [row.leaf_hash for row in rows[1::2]]
    assert all(len(item.objects) == 1 for item in odd)
    assert len(vault.exhibits.awaiting_timestamp()) == 520


def test_a_token_sets_the_state_of_its_batch_once(vault):
    one, two = seal(vault, b"1"), seal(vault, b"2")
    first = token()
    records = [record(first, one.leaf_hash), record(first, one.leaf_hash, 1), record(first)]
    with vault.transaction():
        vault.exhibits.add_token(first, records)
    assert [item.leaf_hash for item in vault.exhibits.awaiting_timestamp()] == [two.leaf_hash]
    second = token(b"u", gen_time=AT + timedelta(days=1))
    with vault.transaction():
        vault.exhibits.add_token(second, [record(second, one.leaf_hash), record(second, two.leaf_hash)])
    assert vault.exhibits.awaiting_timestamp() == []
    stamped = [item.timestamped for item in vault.exhibits.exhibits()]
    assert stamped == [AT, AT + timedelta(days=1)]
    assert list(vault.exhibits.tokens()) == [first, second]
    assert vault.exhibits.token(first.token_sha256) == first
    assert vault.exhibits.time_records(one.leaf_hash) == [*records[:2], record(second, one.leaf_hash)]
    assert vault.exhibits.checkpoint_record(first.token_sha256) == records[2]
    assert vault.exhibits.checkpoint_record(second.token_sha256) is None
    assert vault.database.row("SELECT count(*) FROM crls") == (2,)


def test_attestation_names_leaf_and_log(vault):
    row = token()
    with vault.transaction():
        vault.exhibits.add_token(row, [])
        vault.exhibits.set_attested(row.token_sha256, 7)
    assert vault.exhibits.token(row.token_sha256) == replace(row, attested_seq=7, attested_origin=ORIGIN)
    with vault.transaction():
        vault.exhibits.add_token(token(b"v", attested_seq=9), [])
    assert vault.exhibits.token(sha256(b"v")).attested_seq == 9
    with pytest.raises(NotFoundError, match=r"vault\.no_token"), vault.transaction():
        vault.exhibits.set_attested(bytes(32), 7)
    with pytest.raises(NotFoundError, match=r"vault\.no_token"):
        vault.exhibits.token(bytes(32))


def test_records_of_another_token_or_exhibit_are_refused(vault):
    with pytest.raises(BugError, match=r"bug\.record_of_other_token"), vault.transaction():
        vault.exhibits.add_token(token(), [record(token(b"w"))])
    with pytest.raises(IntegrityError, match=r"vault\.constraint"), vault.transaction():
        vault.exhibits.add_token(token(), [record(token(), sha256(b"nobody"))])
    assert list(vault.exhibits.tokens()) == []


@given(st.lists(st.lists(st.binary(min_size=32, max_size=32), max_size=4), max_size=6))
def test_trees_round_trip(tree):
    expected = tuple(tuple(hashes) for hashes in tree)
    assert decode_tree(encode_tree(tree)) == expected


@given(st.binary(max_size=200))
def test_foreign_trees_are_refused_or_encode_to_themselves(data):
    try:
        tree = decode_tree(data)
    except IntegrityError:
        return
    assert encode_tree(tree) == data


def certificate(*exhibits: bytes, number: str = "CE-1") -> CertificateRow:
    return CertificateRow(
        number=number,
        leaf_hash=sha256(number.encode()),
        exhibits=exhibits,
        digests=DigestPair.of(b"pdf"),
        pdf=b"%PDF",
        issued=AT,
    )


def test_certificates_cover_exhibits_and_can_be_revoked(vault):
    one, two = seal(vault, b"1").leaf_hash, seal(vault, b"2").leaf_hash
    both, single = certificate(two, one), certificate(one, number="CE-2")
    with vault.transaction():
        vault.exhibits.add_certificate(both)
        vault.exhibits.add_certificate(single)
    assert vault.exhibits.certificate("CE-1") == both
    assert vault.exhibits.certificates() == vault.exhibits.certificates(one) == [both, single]
    assert vault.exhibits.certificates(two) == [both]
    assert vault.exhibits.certificate("CE-9") is None
    assert [item.certified for item in vault.exhibits.exhibits()] == [AT, AT]
    with vault.transaction():
        vault.exhibits.revoke_certificate("CE-1", AT + timedelta(1), "录入错误")
        vault.exhibits.revoke_certificate("CE-1", AT + timedelta(2), "again")
    revoked = vault.exhibits.certificate("CE-1")
    assert revoked is not None
    assert (revoked.revoked, revoked.reason) == (AT + timedelta(1), "录入错误")
    assert [item.certified for item in vault.exhibits.exhibits()] == [AT, None], "CE-2 covers the first alone"
    assert vault.browse.count(ExhibitQuery(states=ExhibitStates(certified=True))) == 1
    assert vault.exhibits.certificate_numbers(CASE) == ["CE-1", "CE-2"], "nothing is forgotten"
    later = replace(certificate(two, number="CE-3"), issued=AT + timedelta(3))
    with vault.transaction():
        vault.exhibits.add_certificate(later)
    assert [item.certified for item in vault.exhibits.exhibits()] == [AT, later.issued]
    with pytest.raises(NotFoundError, match=r"vault\.no_certificate"), vault.transaction():
        vault.exhibits.revoke_certificate("CE-9", AT, "")


def test_custody_waits_for_its_leaf(vault):
    events = [custody(vault, action=action) for action in ("sealed", "opened", "exported")]
    with vault.transaction():
        vault.exhibits.add_custody(events)
    pending = vault.exhibits.pending_custody()
    assert [event.action for event in pending] == ["sealed", "opened", "exported"]
    with vault.transaction():
        vault.exhibits.set_custody_seq([pending[0].id, pending[1].id], 4)
    stored = vault.exhibits.custody(sha256(b"e"))
    assert [(event.leaf_seq, event.leaf_origin) for event in stored] == [(4, ORIGIN), (4, ORIGIN), (None, "")]
    assert vault.exhibits.pending_custody() == [pending[2]]
    with pytest.raises(IntegrityError, match=r"vault\.constraint"), vault.transaction():
        vault.exhibits.set_custody_seq([pending[0].id], 5)
    with pytest.raises(IntegrityError, match=r"vault\.constraint"), vault.transaction():
        vault.database.write("UPDATE custody SET operator = 'other'")


def test_settings(vault):
    assert vault.exhibits.get_setting("authorities") is None
    for value in (b"[]", b"[1]"):
        with vault.transaction():
            vault.exhibits.set_setting("authorities", value)
        assert vault.exhibits.get_setting("authorities") == value


def test_times_keep_microseconds_and_need_a_zone(vault):
    local = AT.astimezone(datetime.fromisoformat("2026-01-01T00:00:00+08:00").tzinfo).replace(microsecond=7)
    with vault.transaction():
        vault.exhibits.add_case(CaseRow(number="n", details=b"", created=local))
    assert vault.exhibits.cases()[0].created == local
    with pytest.raises(BugError, match=r"bug\.naive_time"), vault.transaction():
        vault.exhibits.add_case(CaseRow(number="m", details=b"", created=AT.replace(tzinfo=None)))
