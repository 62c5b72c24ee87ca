import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence_desk.core.checkpoint import MAX_SIZE, Checkpoint, check_origin, parse_checkpoint
from evidence_desk.core.note import sign_note
from evidence_desk.errors import MalformedError
from tests.fixed import KEYS, ORIGIN, SIGNER, mutations, refusal

CHECKPOINT = Checkpoint(origin=ORIGIN, size=1234, root=bytes(range(32)))
ROOT = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


def signed(text: str) -> bytes:
    return sign_note(text, KEYS, ed25519=SIGNER.sign_ed25519, sm2=SIGNER.sign_sm2).encode()


DATA = signed(CHECKPOINT.text())


def test_text():
    assert CHECKPOINT.text() == f"{ORIGIN}\n1234\n{ROOT}\n"


@given(st.integers(0, MAX_SIZE), st.binary(min_size=32, max_size=32))
@settings(max_examples=30)
def test_round_trip(size, root):
    checkpoint = Checkpoint(origin=ORIGIN, size=size, root=root)
    read, note = parse_checkpoint(signed(checkpoint.text()))
    assert read == checkpoint
    assert note.text == checkpoint.text()


def test_no_mutation_reads_as_the_same_checkpoint_and_note():
    _, note = parse_checkpoint(DATA)
    for data in mutations(DATA):
        try:
            read, other = parse_checkpoint(data)
        except MalformedError:
            continue
        assert (read, other) != (CHECKPOINT, note)


@pytest.mark.parametrize(
    "text",
    [
        f"{ORIGIN}\n1234\n{ROOT}\nextension\n", f"{ORIGIN}\n1234\n", f"{ORIGIN}\n{ROOT}\n1234\n",
        f"{ORIGIN}\n01234\n{ROOT}\n", f"{ORIGIN}\n-1\n{ROOT}\n", f"{ORIGIN}\n+1\n{ROOT}\n", f"{ORIGIN}\n1_0\n{ROOT}\n",
        f"{ORIGIN}\n１２\n{ROOT}\n", f"{ORIGIN}\n²\n{ROOT}\n", f"{ORIGIN}\n\n{ROOT}\n", f"{ORIGIN}\n{MAX_SIZE + 1}\n{ROOT}\n",
        f"{ORIGIN}\n{'9' * 5000}\n{ROOT}\n", f"{ORIGIN}\n1234\n{ROOT[:-4]}\n", f"{ORIGIN}\n1234\n{ROOT[:-2]}9=\n",
        f"{ORIGIN}\n1234\n{ROOT} \n", f"{ORIGIN}\n1234\n{ROOT[:-1]}\n", f"{ORIGIN}\n1234\né\n", f"{ORIGIN}\n 1\n{ROOT}\n",
    ],
)  # fmt: skip
def test_malformed_texts(text):
    with refusal("malformed.checkpoint"):
        parse_checkpoint(signed(text))


@pytest.mark.parametrize(
    "origin",
    [
        "", "desk", ORIGIN + "\n", ORIGIN.upper(), ORIGIN + "1" * 6, ORIGIN[:-1] + "01", ORIGIN[:-1], "x" + ORIGIN,
        ORIGIN.replace("example", ""), ORIGIN.replace("example", "e" * 33), ORIGIN.replace("example", "例"),
        ORIGIN.replace("/1", "/１"), ORIGIN.replace("5f0c", "zzzz"), ORIGIN.replace("5f0c2", "5f0c"),
    ],
)  # fmt: skip
def test_malformed_origins(origin):
    with refusal("malformed.origin"):
        check_origin(origin)


def test_origins():
    for epoch in ("0", "1", "12", "999999"):
        assert check_origin(f"{ORIGIN[:-1]}{epoch}") == f"{ORIGIN[:-1]}{epoch}"


@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: f"{text}\n\n— a YWJjZGU=\n".encode()))
def test_any_bytes_are_refused(data):
    with pytest.raises(MalformedError):
        parse_checkpoint(data)
