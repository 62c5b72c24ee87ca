"""Manifest and index: the one form each has, and everything else refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.core.digests import DigestPair
from evidence_desk.core.package import (
    IndexNote,
    ObjectReference,
    index_note_body,
    parse_index,
    parse_index_note,
    parse_manifest,
)
from evidence_desk.core.package.manifest import build_manifest
from evidence_desk.errors import MalformedError

MANIFEST = build_manifest(
    1,
    [
        ObjectReference(name="statement.json", sha256=bytes(32)),
        ObjectReference(name="文件 1.txt", sha256=b"\xff" * 32),
    ],
)


def test_manifest_text():
    assert MANIFEST.encode().decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<asic:ASiCManifest xmlns:asic="http://uri.etsi.org/02918/v1.2.1#"'
        ' xmlns:ds="http://www.w3.org/2000/09/xmldsig#">\n'
        '<asic:SigReference URI="META-INF/evidencerecord001.ers" MimeType="application/octet-stream"/>\n'
        '<asic:DataObjectReference URI="statement.json">'
        '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>'
        "<ds:DigestValue>AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=</ds:DigestValue></asic:DataObjectReference>\n"
        '<asic:DataObjectReference URI="%E6%96%87%E4%BB%B6%201.txt">'
        '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>'
        "<ds:DigestValue>//////////////////////////////////////////8=</ds:DigestValue></asic:DataObjectReference>\n"
        "</asic:ASiCManifest>\n"
    )
    assert parse_manifest(MANIFEST.encode(), 1) == MANIFEST


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"?>\n<", b"?>\n<!DOCTYPE a [<!ENTITY b 'c'>]><"),
        (b"statement.json", b"&b;"),
        (b"statement.json", b"statement.jso%6E"),
        (b"statement.json", b"%FF"),
        (b"statement.json", b"../statement.json"),
        (b"%E6%96%87", b"%e6%96%87"),
        (b"AAA=", b"AAB="),
        (b"AAA=", b"AAA"),
        (b"xmlenc#sha256", b"xmlenc#sha512"),
        (b"evidencerecord001", b"evidencerecord002"),
        (b"</asic:ASiCManifest>\n", b"</asic:ASiCManifest>"),
        (b"</asic:ASiCManifest>\n", b"</asic:ASiCManifest>\n<!-- -->"),
        (b'encoding="UTF-8"', b'encoding="GBK"'),
        (b"DigestValue>A", b"DigestValue>\xc3\xa9"),
        (b"%E6%96%87%E4%BB%B6%201.txt", b"statement.json"),
        (b"1.txt", b"1.txt%0A"),
    ],
)
def test_manifest_in_any_other_form(old, new):
    data = MANIFEST.encode()
    assert old in data
    with pytest.raises(MalformedError, match=r"malformed\.package"):
        parse_manifest(data.replace(old, new, 1), 1)


def test_manifest_without_objects_or_too_large():
    with pytest.raises(MalformedError):
        parse_manifest(build_manifest(1, ()).encode(), 1)
    with pytest.raises(MalformedError, match="too_large"):
        parse_manifest(bytes((64 << 20) + 1), 1)


@given(st.binary(max_size=300))
def test_manifest_noise(noise):
    with pytest.raises(MalformedError):
        parse_manifest(noise, 1)
    head, foot = MANIFEST.encode().split(b"<asic:DataObjectReference")[0], b"</asic:ASiCManifest>\n"
    with pytest.raises(MalformedError):
        parse_manifest(head + noise + foot, 1)


DIGEST = "00" * 32
ENTRY = {"name": "a", "size": 1, "sha256": DIGEST, "sm3": DIGEST}


@pytest.mark.parametrize(
    "value",
    [
        [],
        {},
        {"v": "index/1"},
        {"v": "index/2", "entries": []},
        {"v": "index/1", "entries": {}},
        {"v": "index/1", "entries": [], "x": 1},
        {"v": "index/1", "entries": ["a"]},
        {"v": "index/1", "entries": [{**ENTRY, "size": -1}]},
        {"v": "index/1", "entries": [{**ENTRY, "size": True}]},
        {"v": "index/1", "entries": [{**ENTRY, "size": "1"}]},
        {"v": "index/1", "entries": [{**ENTRY, "name": 1}]},
        {"v": "index/1", "entries": [{**ENTRY, "extra": 1}]},
        {"v": "index/1", "entries": [{**ENTRY, "sm3": DIGEST.upper() + "0"}]},
    ],
)
def test_index_of_another_shape(value):
    with pytest.raises(MalformedError):
        parse_index(json.dumps(value, separators=(",", ":"), sort_keys=True).encode())


def test_index_of_the_right_shape():
    data = json.dumps({"v": "index/1", "entries": [ENTRY]}, separators=(",", ":"), sort_keys=True).encode()
    assert parse_index(data)[0].size == 1


def test_note_text_round_trip(keys):
    digests = DigestPair.of(b"index")
    text = index_note_body(keys.name, digests).decode()
    assert text.split("\n")[:2] == [keys.name, "index.json"]
    assert parse_index_note(text) == IndexNote(origin=keys.name, digests=digests)
    for wrong in (text[:-1], text + "\n", text.upper(), text.replace("index.json", "7"), " " + text, ""):
        with pytest.raises(MalformedError, match=r"malformed\.index"):
            parse_index_note(wrong)
