"""``redaction.json``: one sequence of bytes for one value, and nothing else is read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.core.capture.manifest import SECRETS, FileDigest
from evidence_desk.core.capture.redaction import (
    Redaction,
    Why,
    Withheld,
    contradiction,
    encode_redaction,
    needed,
    parse_redaction,
)
from evidence_desk.core.digests import DigestPair
from evidence_desk.errors import MalformedError
from tests.unit.core.capture.samples import a_manifest

IDS = [f"<urn:uuid:{number:08x}-0000-0000-0000-000000000000>" for number in range(3)]
SAMPLE = Redaction(
    manifest=DigestPair.of(b"manifest"), at=datetime(2026, 3, 2, 1, 30, tzinfo=UTC), reason="与本案无关",
    files=(Withheld(name="network.jsonl", why=Why.CREDENTIALS), Withheld(name="page-001.txt", why=Why.CHOSEN)),
    records=(Withheld(name=IDS[2], why=Why.ADDRESS), Withheld(name=IDS[0], why=Why.CREDENTIALS)),
    opened=("keylog.txt",),
)  # fmt: skip

withheld = st.builds(Withheld, name=st.sampled_from(["a", "b.c", "d-1"]), why=st.sampled_from(Why))
redactions = st.builds(
    Redaction,
    manifest=st.binary().map(DigestPair.of),
    at=st.just(SAMPLE.at),
    reason=st.text(st.characters(codec="utf-8"), max_size=20),
    files=st.lists(withheld, unique_by=lambda item: item.name).map(
        lambda items: tuple(sorted(items, key=lambda item: item.name))
    ),
    records=st.lists(st.sampled_from(IDS), unique=True).map(
        lambda ids: tuple(Withheld(name=item, why=Why.CHOSEN) for item in ids)
    ),
    opened=st.lists(st.sampled_from(["x", "y.z"]), unique=True).map(lambda names: tuple(sorted(names))),
)


@given(redactions)
def test_what_is_written_is_read(redaction):
    assert parse_redaction(encode_redaction(redaction)) == redaction


@given(st.binary(max_size=300))
def test_anything_else_is_refused(data):
    with pytest.raises(MalformedError):
        parse_redaction(data)


def changed(**members: JSON) -> bytes:
    value = decode(encode_redaction(SAMPLE), what="", limit=1 << 20)
    assert isinstance(value, dict)
    return encode({**value, **members})


@pytest.mark.parametrize(
    "data",
    [
        changed(v="redaction/2"),
        changed(more=1),
        changed(counts={"files": 2, "records": 2, "opened": 2}),
        changed(counts={}),
        changed(reason=None),
        changed(reason="x" * 2001),
        changed(files=[{"name": "../a", "why": "chosen"}]),
        changed(files=[{"name": "a", "why": "because"}]),
        changed(files=[{"name": "a", "why": ["chosen"]}]),
        changed(files=[{"name": "b", "why": "chosen"}, {"name": "a", "why": "chosen"}]),
        changed(files={}),
        changed(records=[{"id": IDS[0], "why": "chosen"}, {"id": IDS[0], "why": "chosen"}]),
        changed(records=[{"id": "short", "why": "chosen"}]),
        changed(records=[{"name": IDS[0], "why": "chosen"}]),
        changed(opened=["b", "a"]),
        changed(opened=["redaction.json"]),
        changed(opened=[1]),
        changed(manifest="abc"),
        changed(at="yesterday"),
        encode_redaction(SAMPLE) + b"\n",
    ],
)
def test_other_forms_are_refused(data):
    with pytest.raises(MalformedError):
        parse_redaction(data)


def test_a_redaction_is_of_one_capture():
    manifest = replace(
        a_manifest(),
        files=tuple(
            FileDigest(name=name, size=1, digests=DigestPair.of(b""))
            for name in ("data.warc.gz", "network.jsonl", "page-001.txt", "records.jsonl", SECRETS)
        ),
    )
    digests = SAMPLE.manifest
    assert contradiction(SAMPLE, manifest, digests) is None
    assert contradiction(SAMPLE, manifest, DigestPair.of(b"other")) == "manifest"
    for name in ("records.jsonl", "data.warc.gz", "unknown"):
        wrong = replace(SAMPLE, files=(Withheld(name=name, why=Why.CHOSEN),))
        assert contradiction(wrong, manifest, digests) == "files"
    for name in ("cookies.json", "network.jsonl"):
        assert contradiction(replace(SAMPLE, opened=(name,)), manifest, digests) == "opened"
    bare = replace(manifest, files=tuple(item for item in manifest.files if item.name != SECRETS))
    assert contradiction(SAMPLE, bare, digests) == "opened"
    listed = FileDigest(name="redaction.json", size=1, digests=DigestPair.of(b""))
    assert contradiction(SAMPLE, replace(manifest, files=(*manifest.files, listed)), digests) == "listed"


def test_what_copies_cannot_do_without():
    assert needed(a_manifest()) == {
        "manifest.json", "records.jsonl", "data.warc.gz", "started.json", "started-leaf.json", "connections.jsonl",
        "mark-000.json", "mark-000.tst", "mark-001.json",
    }  # fmt: skip
