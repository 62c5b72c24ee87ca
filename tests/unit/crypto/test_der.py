"""Strict DER: every alternative encoding is refused, and asn1crypto agrees about the rest."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from asn1crypto import core
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.crypto import der
from evidence_desk.errors import MalformedError


def read(data: bytes, tag: int = der.SEQUENCE) -> der.Element:
    return der.parse(data, what="test", limit=1 << 20, tag=tag)


def rule(data: bytes, tag: int = der.SEQUENCE) -> str:
    with pytest.raises(MalformedError) as caught:
        der.check(read(data, tag))
    return str(caught.value.parameters.get("rule", caught.value.code))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "truncated"),
        (b"\x30", "truncated"),
        (b"\x30\x01", "truncated"),
        (b"\x30\x00\x00", "trailing"),
        (b"\x31\x00", "tag"),
        (b"\x30\x80\x00\x00", "length"),
        (b"\x30\x81\x01\x00", "length"),
        (b"\x30\x81\x7f" + bytes(127), "length"),
        (b"\x30\x82\x00\x80" + bytes(128), "length"),
        (b"\x30\x85\x00\x00\x00\x00\x00", "length"),
        (b"\x30\x84\xff\xff\xff\xff", "truncated"),
        (b"\x30\x82", "length"),
        (b"\x30\x02\x00\x00", "tag"),
        (b"\x30\x02\x1f\x00", "tag"),
        (b"\x30\x02\x24\x00", "tag"),
        (b"\x30\x02\x01\x00", "boolean"),
        (b"\x30\x03\x01\x01\x01", "boolean"),
        (b"\x30\x02\x02\x00", "integer"),
        (b"\x30\x04\x02\x02\x00\x7f", "integer"),
        (b"\x30\x04\x02\x02\xff\x80", "integer"),
        (b"\x30\x02\x03\x00", "bit_string"),
        (b"\x30\x03\x03\x01\x01", "bit_string"),
        (b"\x30\x04\x03\x02\x08\x00", "bit_string"),
        (b"\x30\x04\x03\x02\x01\x01", "bit_string"),
        (b"\x30\x03\x05\x01\x00", "null"),
        (b"\x30\x02\x06\x00", "oid"),
        (b"\x30\x03\x06\x01\x80", "oid"),
        (b"\x30\x04\x06\x02\x80\x01", "oid"),
        (b"\x30\x43\x06\x41" + b"\x01" * 65, "oid"),
    ],
)
def test_refused(data: bytes, expected: str) -> None:
    assert rule(data) == expected


def test_too_large() -> None:
    with pytest.raises(MalformedError) as caught:
        der.parse(b"\x30\x00", what="test", limit=1)
    assert caught.value.code == "malformed.too_large"


def test_depth_and_count_are_bounded() -> None:
    deep = b""
    for _ in range(60):
        deep = der.encode(der.SEQUENCE, deep)
    assert rule(deep) == "depth"
    assert rule(der.encode(der.SEQUENCE, b"\x05\x00" * 5000)) == "count"


@pytest.mark.parametrize(
    "text",
    [
        "260601120000",
        "2606011200Z",
        "260601120000+0000",
        "261301120000Z",
        "26060112000aZ",
    ],
)
def test_utc_time_refused(text: str) -> None:
    assert rule(der.encode(der.UTC_TIME, text.encode()), der.UTC_TIME) == "time"


@pytest.mark.parametrize(
    "text",
    [
        "20260601120000",
        "202606011200Z",
        "20260601120000.Z",
        "20260601120000.10Z",
        "20260601120000,1Z",
        "20260230120000Z",
    ],
)
def test_generalized_time_refused(text: str) -> None:
    assert rule(der.encode(der.GENERALIZED_TIME, text.encode()), der.GENERALIZED_TIME) == "time"


def test_times() -> None:
    def utc(text: str) -> datetime:
        return der.time(read(der.encode(der.UTC_TIME, text.encode()), der.UTC_TIME))

    assert utc("491231235959Z") == datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert utc("500101000000Z") == datetime(1950, 1, 1, tzinfo=UTC)
    fine = read(der.encode(der.GENERALIZED_TIME, b"20260601120000.1234567Z"), der.GENERALIZED_TIME)
    assert der.time(fine) == datetime(2026, 6, 1, 12, 0, 0, 123456, tzinfo=UTC)


@given(st.integers(-(1 << 300), 1 << 300))
def test_integers_as_asn1crypto_writes_them(value: int) -> None:
    assert der.integer(read(core.Integer(value).dump(), der.INTEGER)) == value


def test_integer_is_bounded() -> None:
    with pytest.raises(MalformedError):
        der.integer(read(core.Integer(1 << 600).dump(), der.INTEGER))


@given(
    st.integers(0, 2),
    st.integers(0, 39),
    st.lists(st.integers(0, 1 << 128), max_size=3),
)
def test_oids_as_asn1crypto_writes_them(first: int, second: int, rest: list[int]) -> None:
    dotted = ".".join(map(str, (first, second, *rest)))
    assert der.oid(read(core.ObjectIdentifier(dotted).dump(), der.OID)) == dotted


@given(st.sets(st.integers(0, 30)))
def test_named_bits(numbers: set[int]) -> None:
    size = max(numbers, default=-1) + 1
    octets = bytearray((size + 7) // 8)
    for item in numbers:
        octets[item // 8] |= 0x80 >> item % 8
    element = read(der.encode(der.BIT_STRING, bytes([-size % 8]), bytes(octets)), der.BIT_STRING)
    assert der.set_bits(element) == numbers


def test_bits_without_rest_only() -> None:
    with pytest.raises(MalformedError):
        der.bits(read(b"\x03\x02\x01\x02", der.BIT_STRING))
    assert der.bits(read(b"\x03\x02\x00\x02", der.BIT_STRING)) == b"\x02"


def test_booleans() -> None:
    assert der.true(None) is False
    assert der.true(read(b"\x01\x01\xff", der.BOOLEAN)) is True
    with pytest.raises(MalformedError):
        der.true(read(b"\x01\x01\x00", der.BOOLEAN))


def test_fields_keep_their_order() -> None:
    fields = der.Fields(read(bytes.fromhex("3006020101020102")))
    assert der.integer(fields.take(der.INTEGER)) == 1
    assert fields.maybe(der.OID) is None
    with pytest.raises(MalformedError):
        fields.done()
    with pytest.raises(MalformedError):
        fields.take(der.OID)
    assert fields.maybe(der.INTEGER) is not None
    fields.done()
    assert fields.maybe(der.INTEGER) is None
    with pytest.raises(MalformedError):
        fields.take()


def test_only_child() -> None:
    with pytest.raises(MalformedError):
        der.only(read(bytes.fromhex("3006020101020102")), der.INTEGER)
    with pytest.raises(MalformedError):
        der.expect(read(b"\x30\x00"), der.SET)
    with pytest.raises(MalformedError):
        read(b"\x04\x00", der.OCTET_STRING).children()


def test_set_of_is_ascending_without_doubles() -> None:
    for bad in ("3106020102020101", "3106020101020101"):
        with pytest.raises(MalformedError):
            der.sorted_set(read(bytes.fromhex(bad), der.SET).children())


@given(st.binary(max_size=70_000))
def test_encoded_element_reads_back(body: bytes) -> None:
    encoded = der.encode(der.OCTET_STRING, body)
    assert encoded == core.OctetString(body).dump()
    element = read(encoded, der.OCTET_STRING)
    assert (element.content, element.encoded) == (body, encoded)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        der.check(read(b"\x30" + data))
    except MalformedError:
        return
    assert core.Sequence.load(b"\x30" + data, strict=True).dump() == b"\x30" + data
