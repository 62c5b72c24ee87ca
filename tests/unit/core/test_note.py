import base64
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence_desk.core.note import (
    MAX_NOTE,
    MAX_SIGNATURES,
    Note,
    NoteCheck,
    NoteKeys,
    NoteSignature,
    check_note,
    parse_keys,
    parse_note,
    sign_note,
)
from evidence_desk.errors import MalformedError
from tests.fixed import KEYS, SIGNER, FixedSigner, mutations, refusal

TEXT = "first line\n\n— looks like a signature line\n"
NOTE = sign_note(TEXT, KEYS, ed25519=SIGNER.sign_ed25519, sm2=SIGNER.sign_sm2)
BOTH = NoteCheck(ed25519=True, sm2=True)


def with_lines(*lines: NoteSignature) -> Note:
    return Note(text=TEXT, signatures=lines)


def test_both_signatures_hold_after_the_bytes_are_read_again():
    note = parse_note(NOTE.encode())
    assert note == NOTE
    assert check_note(note, KEYS) == BOTH


def test_the_c2sp_example_is_read_and_its_signature_holds():
    """C2SP signed-note, example of the specification and of golang.org/x/mod/sumdb/note."""
    key = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    note = parse_note(
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n\n"
        "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n".encode()
    )
    public = base64.b64decode(key.split("+", 2)[2])[1:]
    keys = NoteKeys(name="PeterNeumann", ed25519=public, sm2=SIGNER.sm2_public)
    assert keys.ed25519_id.hex() == "c74f20a3"
    assert check_note(note, keys) == NoteCheck(ed25519=True, sm2=None)


def test_wrong_keys_and_wrong_text():
    other = FixedSigner(b"other")
    wrong = replace(KEYS, ed25519=other.ed25519_public, sm2=other.sm2_public)
    assert check_note(NOTE, wrong) == NoteCheck(ed25519=None, sm2=None)
    assert check_note(NOTE, replace(KEYS, name="another.name")) == NoteCheck(ed25519=None, sm2=None)
    changed = Note(text=TEXT + "more\n", signatures=NOTE.signatures)
    assert check_note(changed, KEYS) == NoteCheck(ed25519=False, sm2=False)
    forged = with_lines(
        replace(NOTE.signatures[0], signature=other.sign_ed25519(TEXT.encode())),
        replace(NOTE.signatures[1], signature=other.sign_sm2(TEXT.encode())),
    )
    assert check_note(forged, KEYS) == NoteCheck(ed25519=False, sm2=False)


def test_a_stripped_line_is_absent_not_wrong():
    ed25519, sm2 = NOTE.signatures
    assert check_note(parse_note(with_lines(ed25519).encode()), KEYS) == NoteCheck(ed25519=True, sm2=None)
    assert check_note(parse_note(with_lines(sm2).encode()), KEYS) == NoteCheck(ed25519=None, sm2=True)


def test_a_repeated_line_of_ours_counts_as_wrong():
    ed25519, sm2 = NOTE.signatures
    assert check_note(with_lines(ed25519, sm2, sm2), KEYS) == NoteCheck(ed25519=True, sm2=False)
    garbage = replace(ed25519, signature=b"x" * 64)
    assert check_note(with_lines(ed25519, garbage, sm2), KEYS) == NoteCheck(ed25519=False, sm2=True)


def test_lines_of_others_are_kept_and_ignored():
    ed25519, sm2 = NOTE.signatures
    stranger = NoteSignature(name="witness.example", key_id=b"abcd", signature=b"x")
    same_name = NoteSignature(name=KEYS.name, key_id=b"abcd", signature=b"y" * 64)
    note = parse_note(with_lines(stranger, ed25519, same_name, sm2).encode())
    assert len(note.signatures) == 4
    assert check_note(note, KEYS) == BOTH


def test_signatures_of_one_kind_are_not_taken_for_the_other():
    ed25519, sm2 = NOTE.signatures
    crossed = with_lines(replace(ed25519, signature=sm2.signature), replace(sm2, signature=ed25519.signature))
    assert check_note(crossed, KEYS) == NoteCheck(ed25519=False, sm2=False)
    empty = with_lines(replace(ed25519, signature=b"\x00"), replace(sm2, signature=b"\x00"))
    assert check_note(empty, KEYS) == NoteCheck(ed25519=False, sm2=False)


def test_no_mutation_leaves_the_same_note_or_two_good_signatures():
    for data in mutations(NOTE.encode()):
        try:
            note = parse_note(data)
        except MalformedError:
            continue
        assert note != NOTE
        assert note.encode() == data


def test_each_flip_spoils_a_signature():
    document = NOTE.encode()
    for at in range(0, len(document), 3):
        data = document[:at] + bytes([document[at] ^ 1]) + document[at + 1 :]
        try:
            note = parse_note(data)
        except MalformedError:
            continue
        assert check_note(note, KEYS) != BOTH


LINE = "— a YWJjZGU=\n"


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\n", b"\n\n", b"text\n", b"text\n\n", "text\n— a YWJjZGU=\n".encode(), f"text\n\n{LINE[:-1]}".encode(),
        f"text\n\n{LINE}\n".encode(), f"text\n\n{LINE}x\n".encode(), f"text\r\n\n{LINE}".encode(), f"te\txt\n\n{LINE}".encode(),
        f"te\x00xt\n\n{LINE}".encode(), b"\xff\n\n" + LINE.encode(), "\ufefftext\n\n-- a YWJjZGU=\n".encode(),
        "text\n\n— a  YWJjZGU=\n".encode(), "text\n\n— a YWJjZGU\n".encode(), "text\n\n— a YWJjZGV=\n".encode(),
        "text\n\n— a YWJjZA==\n".encode(), "text\n\n— a+b YWJjZGU=\n".encode(), "text\n\n—  YWJjZGU=\n".encode(),
        "text\n\n— a\u3000b YWJjZGU=\n".encode(), "text\n\n— a é\n".encode(), "text\n\n— a YWJj ZGU=\n".encode(),
        "text\n\n— a YWJjZGU=\r\n".encode(), "text\n\n—\u00a0a YWJjZGU=\n".encode(), "text\n\n— YWJjZGU=\n".encode(),
        f"text\n\n{LINE * (MAX_SIGNATURES + 1)}".encode(), "text\n\n— a YWJj-GU_\n".encode(),
    ],
)  # fmt: skip
def test_malformed_notes(data):
    with refusal("malformed.note"):
        parse_note(data)


def test_size_limit():
    head = "x" * (MAX_NOTE - len(f"\n\n{LINE}".encode()))
    assert parse_note(f"{head}\n\n{LINE}".encode()).text == head + "\n"
    with refusal("malformed.too_large"):
        parse_note(f"{head}x\n\n{LINE}".encode())
    assert len(parse_note(f"t\n\n{LINE * MAX_SIGNATURES}".encode()).signatures) == MAX_SIGNATURES


@given(st.binary(max_size=100) | st.text(alphabet="—- \nab+YWJjZGU=\u2028é", max_size=60).map(str.encode))
@settings(max_examples=1500)
def test_any_bytes_are_refused_or_read(data):
    try:
        note = parse_note(data)
    except MalformedError:
        return
    assert note.encode() == data


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Z", "C"]), min_size=1).filter(
    lambda name: "+" not in name
)


@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]))),
    st.lists(
        st.tuples(NAMES, st.binary(min_size=4, max_size=4), st.binary(min_size=1)), min_size=1, max_size=16
    ),
)
def test_round_trip(lines, signatures):
    note = Note(
        text="".join(line + "\n" for line in lines) or "\n",
        signatures=tuple(NoteSignature(name=n, key_id=i, signature=s) for n, i, s in signatures),
    )
    assert parse_note(note.encode()) == note


def test_keys_round_trip():
    assert parse_keys(KEYS.encode()) == KEYS


def test_no_mutation_of_keys_reads_as_the_same_keys():
    for data in mutations(KEYS.encode().encode()):
        try:
            keys = parse_keys(data.decode("utf-8", errors="replace"))
        except MalformedError:
            continue
        assert keys != KEYS
        assert check_note(NOTE, keys) != BOTH


def spelled(name: str, ed25519: bytes, sm2: bytes) -> str:
    return NoteKeys(name=name, ed25519=ed25519, sm2=sm2).encode()


@pytest.mark.parametrize(
    "text",
    [
        "", "\n", "a\nb\n", "a+b+c\nd+e+f\n", KEYS.encode()[:-1], KEYS.encode() + "\n", KEYS.encode() * 2,
        "".join(reversed(KEYS.encode().splitlines(keepends=True))), KEYS.encode().splitlines(keepends=True)[0],
        spelled("", KEYS.ed25519, KEYS.sm2), spelled("a b", KEYS.ed25519, KEYS.sm2),
        spelled("a\u3000b", KEYS.ed25519, KEYS.sm2), spelled("n", KEYS.ed25519[:-1], KEYS.sm2),
        spelled("n", KEYS.ed25519, KEYS.sm2[:-1]), spelled("n", KEYS.ed25519, b"\x04" + b"\x01" * 64),
        spelled("n", KEYS.ed25519, b"\x02" + KEYS.sm2[1:]), "\ud800" + KEYS.encode(), "é+é+é\né+é+é\n",
    ],
)  # fmt: skip
def test_malformed_keys(text):
    with refusal("malformed.vkey"):
        parse_keys(text)


@given(st.text(max_size=200))
def test_any_text_is_no_key(text):
    with refusal("malformed.vkey"):
        parse_keys(text)
