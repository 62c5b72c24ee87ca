"""``confirmation.json`` and the list of persons: one spelling, everything else refused."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.core.canonical import encode
from evidence_desk.core.confirmation import (
    MAX_TEXT,
    Confirmation,
    Confirmed,
    CredentialFacts,
    Officer,
    names_person,
    parse_confirmation,
    same_person,
)
from evidence_desk.core.digests import DigestPair, sha256
from evidence_desk.core.person import (
    CredentialKind,
    OfficePerson,
    encode_persons,
    parse_persons,
    sound_text,
)
from evidence_desk.crypto import pki
from evidence_desk.crypto.x509 import load_certificate
from evidence_desk.errors import BugError, MalformedError
from tests.fixed import mutations, refusal

AT = datetime(2026, 3, 2, 1, 30, 0, tzinfo=UTC)


def a_confirmation(**changes: object) -> Confirmation:
    sound = Confirmation(
        number="EC-0000-0000-0000-0000-0",
        version=1,
        case="（2026）浙0192民初1号",
        exhibits=(sha256(b"leaf"),),
        document=DigestPair.of(b"certificate.json"),
        attachments={"proof-001.json": DigestPair.of(b"proof"), "a.txt": DigestPair.of(b"a")},
        first=Officer(name="钱知微", role="公证员助理"),
        confirmed=Confirmed(
            officer=Officer(name="刘子熙", role="公证员", identification="工作证"),
            credential=CredentialFacts(
                subject="CN=刘子熙", serial=0x0A0B, sha256=sha256(b"certificate"), demo=True
            ),
            at=AT,
        ),
    )
    return replace(sound, **changes)  # type: ignore[arg-type]


DATA = a_confirmation().encode()


def test_round_trip():
    assert parse_confirmation(DATA) == a_confirmation()
    value = json.loads(DATA)
    assert value["credential"]["serial"] == "0A0B"
    assert [item["name"] for item in value["attachments"]] == ["a.txt", "proof-001.json"]
    assert value["at"] == "2026-03-02T01:30:00.000Z"


@given(
    st.text(min_size=1, max_size=20).filter(str.strip),
    st.integers(min_value=0, max_value=2**160 - 1),
    st.dictionaries(
        st.text(min_size=1, max_size=9).filter(
            lambda name: name.strip() and not name.startswith("confirmation")
        ),
        st.binary(max_size=4),
        max_size=4,
    ),
)
def test_any_confirmation_round_trips(name, serial, attachments):
    made = a_confirmation()
    credential = replace(made.confirmed.credential, serial=serial, subject=name)
    whole = replace(
        made,
        first=Officer(name=name),
        attachments={key: DigestPair.of(data) for key, data in attachments.items()},
        confirmed=replace(made.confirmed, credential=credential),
    )
    try:
        data = whole.encode()
    except BugError:  # lone surrogates
        assert any(0xD800 <= ord(sign) < 0xE000 for sign in name + "".join(attachments))
        return
    assert parse_confirmation(data) == whole


@given(st.binary(max_size=200) | st.sampled_from(list(mutations(DATA))))
def test_nothing_else_is_read_as_the_same(data):
    try:
        read = parse_confirmation(data)
    except MalformedError:
        return
    assert data != DATA
    assert read != a_confirmation()
    assert read.encode() == data


def changed(path: list[str | int], value: object) -> bytes:
    document = json.loads(DATA)
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return encode(document)


ENTRY = {"name": "b.txt", **DigestPair.of(b"b").to_json()}


@pytest.mark.parametrize(
    ("path", "value", "what"),
    [
        (["v"], "confirmation/2", "v"),
        (["version"], 0, "version"),
        (["version"], True, "version"),
        (["version"], "1", "version"),
        (["number"], "", "number"),
        (["number"], 1, "number"),
        (["case"], None, "case"),
        (["case"], "x" * (MAX_TEXT + 1), "case"),
        (["exhibits"], [], "exhibits"),
        (["exhibits"], [sha256(b"x").hex()] * 2, "exhibits"),
        (["exhibits"], "x", "exhibits"),
        (["attachments"], {}, "attachments"),
        (["attachments"], [ENTRY, ENTRY], "attachments"),
        (["attachments"], [{**ENTRY, "name": "z"}, ENTRY], "attachments"),
        (["attachments"], [{**ENTRY, "name": "confirmation.json"}], "attachments"),
        (["attachments"], [{**ENTRY, "name": "confirmation.p7s"}], "attachments"),
        (["attachments"], [{"name": "x"}], "attachments"),
        (["attachments"], [{**ENTRY, "name": ""}], "attachments"),
        (["first"], {}, "first"),
        (["first", "name"], " ", "first"),
        (["second", "role"], 3, "second"),
        (["second", "more"], "x", "second"),
        (["credential", "serial"], "a0b", "credential"),
        (["credential", "serial"], "000A0B", "credential"),
        (["credential", "serial"], "0a0b", "credential"),
        (["credential", "serial"], "", "credential"),
        (["credential", "serial"], "+A", "credential"),
        (["credential", "serial"], "-1", "credential"),
        (["credential", "serial"], "x", "credential"),
        (["credential", "serial"], 10, "credential"),
        (["credential", "serial"], "A" * 65, "credential"),
        (["credential", "demo"], 1, "credential"),
        (["credential", "subject"], "", "credential"),
        (["at"], "2026-03-02T01:30:00.500Z", "at"),
    ],
)
def test_refused(path, value, what):
    with pytest.raises(MalformedError) as caught:
        parse_confirmation(changed(path, value))
    assert (caught.value.code, caught.value.parameters) == ("malformed.confirmation", {"what": what})


def test_refused_by_its_parts():
    with refusal("malformed.digest"):
        parse_confirmation(changed(["exhibits"], ["x"]))
    with refusal("malformed.digest"):
        parse_confirmation(changed(["document", "sm3"], "x"))
    with refusal("malformed.digest"):
        parse_confirmation(changed(["credential", "sha256"], "x"))
    with refusal("malformed.time"):
        parse_confirmation(changed(["at"], "2026-03-02"))
    document = json.loads(DATA)
    del document["case"]
    with refusal("malformed.confirmation"):
        parse_confirmation(encode(document))
    with refusal("malformed.json_not_canonical"):
        parse_confirmation(DATA + b"\n")


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 0},
        {"exhibits": ()},
        {"first": Officer(name="")},
        {"number": ""},
        {"case": "x" * 600},
    ],
)
def test_what_no_reader_takes_is_not_written(changes):
    with pytest.raises(BugError):
        a_confirmation(**changes).encode()
    later = replace(a_confirmation().confirmed, at=AT + timedelta(microseconds=5))
    with pytest.raises(BugError):
        a_confirmation(confirmed=later).encode()


def test_names():
    assert same_person("刘子熙", " 刘 子熙\u3000")
    assert same_person("LI Si", "ｌｉ ｓｉ")
    assert not same_person("刘子熙", "刘子")


def certificate(common_name: str):
    start = datetime(2026, 1, 1, tzinfo=UTC)
    key = pki.generate_key(pki.KeyKind.P256)
    return load_certificate(pki.make_ca(common_name, key, not_before=start, years=1).certificate)


@pytest.mark.parametrize(
    ("common_name", "name", "held"),
    [
        ("刘子熙", "刘子熙", True),
        ("051@刘子熙@Z5001@1", "刘子熙", True),
        ("刘子熙2号@刘子熙", "刘 子熙", True),
        ("LI Si", "li si", True),
        ("阿里木·买买提", "阿里木·买买提", True),
        ("刘子熙", "刘子", False),
        ("刘子熙2", "刘子熙", False),
        ("赵六", "刘子熙", False),
        ("演示", "DEMO", False),
        ("刘子熙", " ", False),
    ],
)
def test_credential_names_a_person(common_name, name, held):
    assert names_person(certificate(common_name), name) is held


# --- persons ---------------------------------------------------------------------------------------------------


def a_person(**changes: object) -> OfficePerson:
    sound = OfficePerson(
        id="00" * 8, name="刘子熙", role="公证员", identification="工作证", kind=CredentialKind.KEPT,
        certificate=b"certificate", chain=(b"root",), enrolled=AT,
    )  # fmt: skip
    return replace(sound, **changes)  # type: ignore[arg-type]


def test_persons_round_trip():
    everybody = (a_person(), a_person(id="01" * 8, kind=CredentialKind.GIVEN, retired=AT, chain=()))
    assert parse_persons(encode_persons(everybody)) == everybody
    assert parse_persons(encode_persons(())) == ()


PERSONS = encode_persons([a_person()])


@given(st.binary(max_size=200) | st.sampled_from(list(mutations(PERSONS))))
def test_damaged_lists_are_refused_or_say_something_else(data):
    try:
        read = parse_persons(data)
    except MalformedError:
        return
    assert encode_persons(read) == data
    assert read != (a_person(),)


@pytest.mark.parametrize(
    "value",
    [[], {"v": "persons/2", "persons": []}, {"v": "persons/1", "persons": {}}, {"v": "persons/1", "persons": [1]},
     {"v": "persons/1", "persons": [], "more": 1}],
)  # fmt: skip
def test_other_lists(value):
    with refusal("malformed.persons"):
        parse_persons(encode(value))


def test_sound_text():
    assert sound_text("刘子熙")
    assert sound_text("")
    assert not sound_text(" x")
    assert not sound_text("a\u202eb")
    assert not sound_text("a\nb")
