import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence_desk.core.canonical import JSON, encode
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.statement import (
    Disclosure,
    ExhibitKind,
    FileEntry,
    Statement,
    make_statement,
    match_disclosures,
    parse_disclosures,
    parse_statement,
)
from evidence_desk.errors import BugError, MalformedError
from tests.fixed import AT, FILES, FixedRandom, draft, file_entry, mutations, refusal

DATA, DISCLOSURES, SALT = make_statement(draft(), FixedRandom())
STATEMENT = parse_statement(DATA)
MEMBERS = parse_disclosures(DISCLOSURES)
PATHS = {
    "/case/parties", "/exhibit/title", "/exhibit/purpose", "/source", "/operator", "/witness", "/interest",
    "/files/0", "/files/1",
}  # fmt: skip


def rewritten(change: dict[str, Any]) -> bytes:
    return encode({**json.loads(DATA), **change})


def test_open_members_and_salted_ones():
    assert STATEMENT.case_number == "（2026）浙0192民初1号"
    assert STATEMENT.kind is ExhibitKind.COMMUNICATION
    assert (STATEMENT.salt, STATEMENT.file_count, STATEMENT.clock.offset_ms) == (SALT, 2, 12)
    assert set(STATEMENT.salted) == PATHS
    for personal in (
        "张三",
        "李四",
        "王五",
        "合同.txt",
        "聊天",
        "付款",
        DigestPair.of(FILES[0][1]).sha256.hex(),
    ):
        assert personal not in DATA.decode()


def test_all_disclosed():
    disclosed = match_disclosures(STATEMENT, MEMBERS)
    assert disclosed.wrong == ()
    assert set(disclosed.values) == PATHS
    assert disclosed.values["/exhibit/title"] == "买卖合同及聊天记录"
    assert disclosed.values["/witness"] is None
    assert disclosed.files == {index: file_entry(*item) for index, item in enumerate(FILES)}


def test_every_salt_is_its_own():
    salts = [item.salt for item in MEMBERS] + [SALT]
    assert len(set(salts)) == len(salts)
    again, _, _ = make_statement(draft(), FixedRandom("other"))
    digests = {pair.sha256 for pair in STATEMENT.salted.values()}
    assert not digests & {pair.sha256 for pair in parse_statement(again).salted.values()}


@pytest.mark.parametrize("path", sorted(PATHS))
def test_each_member_can_be_withheld(path):
    kept = [item for item in MEMBERS if item.path != path]
    disclosed = match_disclosures(STATEMENT, kept)
    assert disclosed.wrong == ()
    assert set(disclosed.values) == PATHS - {path}
    assert {f"/files/{index}" for index in disclosed.files} == {p for p in PATHS - {path} if "files" in p}


@pytest.mark.parametrize("path", sorted(PATHS))
def test_each_wrong_member_is_reported_and_not_used(path):
    right = next(item for item in MEMBERS if item.path == path)
    others = [item for item in MEMBERS if item.path != path]
    for wrong in (
        replace(right, value="other"),
        replace(right, value=[right.value]),
        replace(right, salt=bytes(32)),
        replace(others[0], path=path),
    ):
        disclosed = match_disclosures(STATEMENT, [*others, wrong])
        assert disclosed.wrong == (path,)
        assert path not in disclosed.values
        assert set(disclosed.values) == PATHS - {path}
        assert {f"/files/{index}" for index in disclosed.files} == {p for p in PATHS - {path} if "files" in p}


@pytest.mark.parametrize(
    "alias",
    ["/files/00", "/files/01", "/files/+0", "/files/-1", "/files/-0", "/files/ 0", "/files/0 ", "/files/０", "/files/٠",
     "/files/0_0", "/files/2", "/files/", "/files", "files/0", "/files/0/name", "/case", "", "/exhibit/title/",
     "/salt", "/case/number", "/~files/0"],
)  # fmt: skip
def test_no_path_has_an_alias(alias):
    for item in MEMBERS:
        moved = replace(item, path=alias)
        disclosed = match_disclosures(STATEMENT, [moved])
        assert (disclosed.wrong, disclosed.values, disclosed.files) == ((alias,), {}, {})


def statement_over(path: str, value: JSON) -> tuple[Statement, Disclosure]:
    """A statement whose maker committed to a value of the wrong type."""
    member = Disclosure(path=path, salt=bytes(32), value=value)
    return replace(STATEMENT, salted={**STATEMENT.salted, path: member.digests()}), member


ODD: list[JSON] = [None, True, 5, "x", [], [1], ["x"], {}, {"name": "x"}]
ALLOWED: dict[str, list[JSON]] = {
    "/case/parties": [[], ["x"]],
    "/exhibit/title": ["x"],
    "/exhibit/purpose": ["x"],
    "/source": [{}, {"name": "x"}],
    "/operator": [{}, {"name": "x"}],
    "/witness": [None, {}, {"name": "x"}],
    "/interest": ["x"],
    "/files/0": [],
    "/files/1": [],
}


@pytest.mark.parametrize("path", sorted(PATHS))
def test_values_of_the_wrong_type_are_reported_though_they_match(path):
    for value in ODD:
        statement, member = statement_over(path, value)
        disclosed = match_disclosures(statement, [member])
        if value in ALLOWED[path] and not isinstance(value, bool):
            assert disclosed.values == {path: value}
        else:
            assert disclosed.wrong == (path,)
            assert disclosed.values == {}


ENTRY = file_entry("名.txt", b"x").to_json()


@pytest.mark.parametrize(
    "change",
    [
        {"name": None}, {"name": "e\u0301"}, {"raw_name": "x"}, {"raw_name": "eB=="}, {"raw_name": "eA=="[:-1]}, {"raw_name": 1},
        {"size": -1}, {"size": True}, {"size": "1"}, {"media_type": None}, {"digests": None}, {"digests": {"sha256": "x"}},
        {"modified": "yesterday"}, {"modified": None}, {"extra": 1}, {"raw_name": "é"},
    ],
)  # fmt: skip
def test_malformed_file_entries(change):
    with pytest.raises(MalformedError):
        FileEntry.from_json({**ENTRY, **change})
    statement, member = statement_over("/files/0", {**ENTRY, **change})
    assert match_disclosures(statement, [member]).wrong == ("/files/0",)


@given(st.text(st.characters(codec="utf-8")), st.binary(), st.integers(0, 2**53 - 1))
def test_file_entries_round_trip(name, raw, size):
    entry = FileEntry(
        name=name, raw_name=raw, size=size, media_type="x/y", digests=DigestPair.of(raw), modified=AT
    )
    try:
        assert FileEntry.from_json(entry.to_json()) == entry
    except MalformedError:
        assert not name.isascii()  # only names that are not NFC


def without_bytes(statement: Statement) -> Statement:
    return replace(statement, data=b"")


def test_no_mutation_reads_as_the_same_statement():
    for data in mutations(DATA):
        try:
            other = parse_statement(data)
        except MalformedError:
            continue
        assert without_bytes(other) != without_bytes(STATEMENT)


def test_no_mutation_reads_as_the_same_disclosures():
    small = encode({**json.loads(DISCLOSURES), "members": json.loads(DISCLOSURES)["members"][-2:]})
    members = parse_disclosures(small)
    for data in mutations(small):
        try:
            other = parse_disclosures(data)
        except MalformedError:
            continue
        assert other != members
        assert match_disclosures(STATEMENT, other).wrong


@pytest.mark.parametrize("name", sorted(json.loads(DATA)))
def test_every_member_is_needed_and_checked(name):
    value = json.loads(DATA)
    with pytest.raises(MalformedError):
        parse_statement(encode({other: item for other, item in value.items() if other != name}))
    wrongs: list[JSON] = [
        *ODD,
        -1,
        "statement/2",
        {"salted": "x"},
        {"salted": {"sha256": "x", "sm3": "y"}},
        [[]],
        [None],
    ]
    for wrong in wrongs:
        if (name in {"environment", "capture"} and wrong is None) or (name == "tools" and wrong == []):
            continue
        with pytest.raises(MalformedError):
            parse_statement(rewritten({name: wrong}))


@pytest.mark.parametrize(
    "change",
    [
        {"extra": None}, {"clock": {"utc": "x", "zone": "", "offset_ms": None, "sources": []}},
        {"clock": {"utc": "2026-03-02T01:30:00.123Z", "zone": 1, "offset_ms": None, "sources": []}},
        {"clock": {"utc": "2026-03-02T01:30:00.123Z", "zone": "", "offset_ms": True, "sources": []}},
        {"clock": {"utc": "2026-03-02T01:30:00.123Z", "zone": "", "offset_ms": None, "sources": [1]}},
        {"clock": {"utc": "2026-03-02T01:30:00.123Z", "zone": "", "offset_ms": None, "sources": "ab"}},
        {"exhibit": {**json.loads(DATA)["exhibit"], "kind": "movie"}},
        {"exhibit": {**json.loads(DATA)["exhibit"], "title": "open"}},
    ],
)  # fmt: skip
def test_malformed_parts(change):
    with pytest.raises(MalformedError):
        parse_statement(rewritten(change))


@pytest.mark.parametrize(
    "value",
    [
        [], {}, {"v": "disclosures/2", "members": []}, {"v": "disclosures/1", "members": {}}, {"v": "disclosures/1"},
        {"v": "disclosures/1", "members": [1]}, {"v": "disclosures/1", "members": [{}]},
        {"v": "disclosures/1", "members": [{"path": 1, "salt": "00" * 32, "value": 1}]},
        {"v": "disclosures/1", "members": [{"path": "/x", "salt": "00" * 32, "value": 1}] * 2},
        {"v": "disclosures/1", "members": [], "extra": 1},
    ],
)  # fmt: skip
def test_malformed_disclosures(value):
    with refusal("malformed.disclosures"):
        parse_disclosures(encode(value))


def test_salts_have_32_bytes():
    with refusal("malformed.digest"):
        parse_disclosures(
            encode({"v": "disclosures/1", "members": [{"path": "/x", "salt": "00" * 31, "value": 1}]})
        )


@given(st.binary(max_size=200))
@settings(max_examples=300)
def test_any_bytes_are_refused(data):
    for parse in (parse_statement, parse_disclosures):
        with pytest.raises(MalformedError):
            parse(data)


TEXT = st.text(st.characters(codec="utf-8"), max_size=20)


@given(
    TEXT,
    TEXT,
    st.lists(TEXT, max_size=3),
    st.dictionaries(TEXT, TEXT, max_size=3),
    st.sampled_from(ExhibitKind),
)
@settings(max_examples=100)
def test_round_trip(number, title, parties, source, kind):
    made = replace(
        draft(), case_number=number, title=title, parties=tuple(parties), source=dict(source), kind=kind,
        witness=dict(source), environment=DigestPair.of(b"e"), capture=DigestPair.of(b"c"),
    )  # fmt: skip
    data, disclosures, _ = make_statement(made, FixedRandom())
    statement = parse_statement(data)
    disclosed = match_disclosures(statement, parse_disclosures(disclosures))
    assert (statement.case_number, statement.kind, disclosed.wrong) == (number, kind, ())
    assert (statement.environment, statement.capture) == (DigestPair.of(b"e"), DigestPair.of(b"c"))
    assert disclosed.values["/exhibit/title"] == title
    assert disclosed.values["/case/parties"] == parties
    assert disclosed.values["/source"] == disclosed.values["/witness"] == source


def test_a_statement_has_files():
    with refusal("bug.statement_files", BugError):
        make_statement(replace(draft(), files=()), FixedRandom())
    with refusal("malformed.statement"):
        parse_statement(rewritten({"files": []}))
