"""Release lists: read as written, refused otherwise, believed under the pinned key alone."""

import base64
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.core.release import (
    DEMO_KEY_NAME,
    KEY_NAME,
    MAX_FILES,
    Release,
    ReleaseFile,
    ReleaseKey,
    parse_release,
    parse_release_key,
    read_release,
)
from evidence_desk.errors import EvidenceDeskError, IntegrityError, MalformedError

SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = ReleaseKey(name=KEY_NAME, public=SIGNER.public_key().public_bytes_raw())
FILES = tuple(
    ReleaseFile(name=name, size=7, sha256="0a" * 32, sm3="0b" * 32) for name in ("a.txt", "b-1.0+c.exe")
)


def made(**changes: Any) -> Release:
    values: dict[str, Any] = {
        "version": "1.2.3",
        "issued": datetime(2026, 11, 22, tzinfo=UTC),
        "demonstration": False,
        "files": FILES,
    }
    return Release(**values | changes)


def test_read_as_written():
    for release in (made(), made(demonstration=True), made(files=FILES[:1]), made(version="0.0.999999")):
        assert read_release(KEY.sign(release.encode(), SIGNER.sign), KEY) == release
    assert parse_release_key(KEY.encode()) == KEY
    assert parse_release_key(KEY.encode().strip()) == KEY


def test_other_keys_and_other_bytes():
    note = KEY.sign(made().encode(), SIGNER.sign)
    stranger = Ed25519PrivateKey.generate()
    with pytest.raises(IntegrityError, match=r"release\.signature"):
        read_release(KEY.sign(made().encode(), stranger.sign), KEY)
    with pytest.raises(IntegrityError, match=r"release\.signature"):
        read_release(note, ReleaseKey(name=DEMO_KEY_NAME, public=KEY.public))
    for at in range(len(note)):
        changed = bytearray(note)
        changed[at] ^= 1
        with pytest.raises(EvidenceDeskError):
            read_release(bytes(changed), KEY)
    block = note.rpartition(b"\n\n")[2]
    with pytest.raises(IntegrityError):
        read_release(note + block, KEY)  # our line twice


@pytest.mark.parametrize(
    "change",
    [
        ("release/1", "release/2"),
        ("version 1.2.3", "version 1.2"),
        ("version 1.2.3", "version 01.2.3"),
        ("version 1.2.3", "version 1.2.1000000"),
        ("version 1.2.3", "version ١.2.3"),
        ("2026-11-22T", "2026-11-32T"),
        ("key release", "key nobody"),
        ("file 7", "file 07"),
        ("file 7", f"file {2**53}"),
        ("0a0a", "0A0A"),
        ("a.txt", "../a"),
        ("a.txt", "c.txt"),
        ("a.txt", "b-1.0+c.exe"),
        ("a.txt", "a.txt "),
        ("a.txt", ".txt"),
        ("a.txt", "a\r.txt"),
        ("a.txt\n", "a.txt\n\n"),
    ],
)
def test_refused(change):
    text = made().encode().replace(*change)
    assert text != made().encode()
    with pytest.raises(MalformedError):
        parse_release(text)


def test_bounds():
    many = tuple(
        ReleaseFile(name=f"{at:03}", size=0, sha256="0" * 64, sm3="0" * 64) for at in range(MAX_FILES + 1)
    )
    assert len(parse_release(made(files=many[:-1]).encode()).files) == MAX_FILES
    for files in (many, ()):
        with pytest.raises(MalformedError):
            parse_release(made(files=files).encode())
    with pytest.raises(MalformedError):
        parse_release(made().encode().removesuffix("\n"))


@pytest.mark.parametrize(
    "text",
    [
        "", "+", "++", "a+b+c", KEY.encode() + "\n", " " + KEY.encode(), KEY.encode().replace(KEY_NAME, "other"),
        KEY.encode().replace("+", "+0", 1), f"{KEY_NAME}+00000000+{base64.b64encode(b'1' + KEY.public).decode()}",
        f"{KEY_NAME}+é+é",
    ],
)  # fmt: skip
def test_keys_refused(text):
    with pytest.raises(MalformedError, match=r"malformed\.vkey"):
        parse_release_key(text)


@given(st.one_of(st.text(), st.text(alphabet="evidnc-skrlas/1\n file0 2.Z:T")))
def test_any_text(text):
    for parse in (parse_release, parse_release_key):
        try:
            parse(text)
        except EvidenceDeskError:
            continue


@given(st.binary(), st.integers(0, 400), st.binary(max_size=3))
def test_any_bytes(data, at, piece):
    note = KEY.sign(made().encode(), SIGNER.sign)
    for given_bytes in (data, note[:at] + piece + note[at + 1 :]):
        try:
            release = read_release(given_bytes, KEY)
        except EvidenceDeskError:
            continue
        assert release == made()
