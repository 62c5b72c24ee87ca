import json
import sys

import pytest
import rfc8785
from hypothesis import example, given, settings
from hypothesis import strategies as st

from evidence_desk.core.canonical import JSON, MAX_DEPTH, MAX_INTEGER, decode, encode
from evidence_desk.errors import BugError, MalformedError
from tests.fixed import refusal

TEXT = st.text(st.characters(codec="utf-8"))
ANY_TEXT = st.text(st.characters(exclude_categories=()))
SCALARS = st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | TEXT
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=30)


def read(data: bytes, limit: int = 1 << 20) -> JSON:
    return decode(data, what="test", limit=limit)


@given(VALUES)
@example({"\U0001f600": 1, "": 2, "z": 3})
@example({"\ue000": 1, "\ud7ff": 2, "\U00010000": 3, "\x7f": 4, "\u2028": 5})
@example('\x00\x1f\x7f\x80\u2028\u2029"\\/\b\f\n\r\t')
@settings(max_examples=600)
def test_equals_the_reference_and_round_trips(value):
    data = encode(value)
    assert data == rfc8785.dumps(value)
    assert read(data) == value


@pytest.mark.parametrize("code", [*range(0x100), 0x2028, 0x2029, 0xFEFF, 0xFFFD, 0xFFFF, 0x10000, 0x10FFFF])
def test_each_special_character_is_written_as_the_reference_does(code):
    value: JSON = {f"k{chr(code)}": chr(code), "k": 1}
    assert encode(value) == rfc8785.dumps(value)


def test_names_beyond_ascii_are_sorted_by_utf16_units():
    assert encode({"\ue000": 1, "\U00010000": 2}) == '{"\U00010000":2,"\ue000":1}'.encode()
    with refusal("malformed.json_not_canonical"):
        read('{"\ue000":1,"\U00010000":2}'.encode())


@given(st.binary(max_size=200))
@settings(max_examples=500)
def test_any_bytes_are_read_or_refused(data):
    try:
        value = read(data)
    except MalformedError:
        return
    assert encode(value) == data


@given(st.text(alphabet='[]{}":,\\u0d81e+-. \n\ta', max_size=60))
@settings(max_examples=1500)
def test_text_that_looks_like_json_is_read_or_refused(text):
    try:
        value = read(text.encode())
    except MalformedError:
        return
    assert rfc8785.dumps(value) == text.encode()


@given(
    st.recursive(
        SCALARS | st.floats() | ANY_TEXT | st.integers() | st.binary() | st.tuples(),
        lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT | st.integers(), inner),
        max_leaves=10,
    )
)
@settings(max_examples=500)
def test_encode_writes_only_what_decode_reads(value):
    try:
        data = encode(value)
    except BugError:
        return
    assert read(data) == value


DOCUMENT = encode(
    {"a": [1, -7, 0, True, None], "名": {"x": 'é\n"\\', "": []}, "z": MAX_INTEGER, "aé": "𠮷", "b": {}}
)


def test_no_single_byte_change_reads_as_the_same_value():
    value = read(DOCUMENT)
    accepted = 0
    for at in range(len(DOCUMENT) + 1):
        rest = DOCUMENT[at + 1 :]
        changed = [DOCUMENT[:at] + bytes([byte]) + rest for byte in range(256)]
        changed += [DOCUMENT[:at] + bytes([byte]) + DOCUMENT[at:] for byte in range(256)]
        changed.append(DOCUMENT[:at] + rest)
        for data in changed:
            if data == DOCUMENT:
                continue
            try:
                other = read(data)
            except MalformedError:
                continue
            accepted += 1
            assert json.dumps(other) != json.dumps(value), data
    assert accepted > 100


@pytest.mark.parametrize(
    "data",
    [
        b"", b" ", b"nul", b"\xef\xbb\xbf1", b"\xff", b"\xed\xa0\x80", b'"\xed\xa0\x80"', b'"\\ud800"',
        b'{"\\ud800":1}', b'"\\ud83d\\ude00"', b"1.0", b"1e2", b"1E2", b"-0", b"-0.0", b"00", b"01", b"+1",
        b"NaN", b"Infinity", b"-Infinity", b'{"a":1,"a":1}', b'{"a":1,"\\u0061":2}', b"[1,]", b"[1 ]",
        b" 1", b"1 ", b"1\n", b'"\\/"', b'"\\u000a"', b'"\\u001F"', b'"\x01"', b'{"b":1,"a":2}', b"1 2",
        b"[" * 40, b"]" * 40, b"[]" * 40, b"{" * 40, b"[[[" + b'"' + b"[" * 60, b"'a'", b"\x00", b"1\x00",
        b"9007199254740992", b"-9007199254740992", b"1" * 5000, b"-" + b"9" * 400_000, b"{1:2}", b"{null:1}",
        '"ａ'.encode(), "１".encode(), "٣".encode(), b'"\\x41"', b'"a\tb"',
    ],
)  # fmt: skip
def test_refused(data):
    with pytest.raises(MalformedError):
        read(data)


@pytest.mark.parametrize("opening", [b"[", b'{"":', b'{"":[', b'[{"\\"":'])
@pytest.mark.parametrize("count", [MAX_DEPTH + 1, 1000, 1_000_000])
def test_deep_documents_are_refused_without_recursion(opening, count):
    with pytest.raises(MalformedError):
        read(opening * count, limit=1 << 27)
    with pytest.raises(MalformedError):
        read(opening * count + b"1" + b"]" * count, limit=1 << 27)


def nested(depth: int) -> JSON:
    value: JSON = "[[[[{{{{"
    for _ in range(depth):
        value = [value, {}] if depth < MAX_DEPTH else [value]
    return value


def test_depth_limit_is_the_same_both_ways():
    deepest = nested(MAX_DEPTH)
    assert read(encode(deepest)) == deepest
    with refusal("bug.canonical", BugError):
        encode(nested(MAX_DEPTH + 1))
    empty: JSON = []
    for _ in range(MAX_DEPTH - 1):
        empty = {"a": empty}
    assert read(encode(empty)) == empty
    with pytest.raises(BugError):
        encode([empty])
    with refusal("malformed.json"):
        read(b"[" + encode(empty) + b"]")


@pytest.mark.parametrize("data", ['{"a":1,"a":1}', '{"a":1,"a":2}', '{"a":"é","a":"é"}', '[{"名":1,"名":1}]'])
def test_duplicate_names_are_refused_whether_or_not_the_document_is_ascii(data):
    with refusal("malformed.json_not_canonical"):
        read(data.encode())


def test_wide_documents_and_brackets_in_strings_are_no_depth():
    wide: JSON = [[], {}, "[" * 1000, '\\"[' * 1000, '"', "\\", {'{"': "[\\"}] * 50
    assert read(encode(wide)) == wide


def test_limit_is_in_bytes():
    assert read('"é"'.encode(), limit=4) == "é"
    with refusal("malformed.too_large"):
        read('"é"'.encode(), limit=3)


def test_cycles_are_refused():
    cycle: list[JSON] = []
    cycle.append(cycle)
    with pytest.raises(BugError):
        encode(cycle)


def test_read_near_the_end_of_the_stack():
    """A caller deep in recursion gets the value or our error, never a RecursionError from the parser itself."""
    data = encode(nested(MAX_DEPTH))

    def down(left: int) -> JSON:
        return down(left - 1) if left else read(data)

    limit = sys.getrecursionlimit()
    seen: set[type] = set()
    for margin in range(20, 120):
        try:
            seen.add(type(down(limit - margin - 60)))
        except MalformedError:
            seen.add(MalformedError)
        except RecursionError:
            continue
    assert list in seen
