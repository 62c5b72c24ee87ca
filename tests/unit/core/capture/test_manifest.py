"""Manifest and marks: what is written is read again, and nothing else is."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.core.canonical import encode
from evidence_desk.core.capture.manifest import encode_manifest, parse_manifest, place
from evidence_desk.core.capture.marks import (
    KnownHeader,
    Mark,
    MarkKind,
    Started,
    StreamMark,
    encode_mark,
    encode_started,
    mark_name,
    parse_mark,
    parse_started,
    token_name,
)
from evidence_desk.core.capture.plan import CapturePlan
from evidence_desk.core.digests import DigestPair, sha256
from evidence_desk.errors import MalformedError
from tests.unit.core.capture.samples import a_manifest

STARTED = Started(
    id=bytes(16), case_number="(2026)渝0103民初1号", at="2026-03-02T01:30:00.000Z",
    plan=CapturePlan(urls=("https://shop.example/",)), environment=DigestPair.of(b"before"), nonce=bytes(range(32)),
    header=KnownHeader(chain_id="court-1", height=7, digest=sha256(b"header")),
)  # fmt: skip
MARK = Mark(
    kind=MarkKind.RUNNING, started=sha256(b"started"), at="2026-03-02T01:31:00.000Z",
    streams=(
        StreamMark(number=1, sent=3, received=5, sent_sha256=sha256(b"a"), received_sha256=sha256(b"b")),
        StreamMark(number=4, sent=0, received=0, sent_sha256=sha256(b""), received_sha256=sha256(b"")),
    ),
    actions=2, head=sha256(b"head"),
)  # fmt: skip


def test_a_manifest_is_read_as_it_was_written():
    manifest = a_manifest()
    assert parse_manifest(encode_manifest(manifest)) == manifest
    bare = replace(manifest, before=None, after=None, pages=(), private=(), reasons=(), checks=(), marks=())
    assert parse_manifest(encode_manifest(bare)) == bare


@pytest.mark.parametrize(
    "change",
    [
        {"v": "capture/2"}, {"id": "00"}, {"started": "no digest"}, {"result": "perfect"}, {"reasons": {}},
        {"begun": "2026-03-02"}, {"browser": {"chromium": None}}, {"counts": {"connections": -1}},
        {"checks": [["clock", "pass"]]}, {"checks": [["clock", "fine", None]]}, {"marks": [{"name": "../x"}]},
        {"marks": [{"name": "mark-000.json", "token": True, "gen_time": None}]}, {"limits": [1]}, {"actions": True},
        {"files": [{"name": "A", "size": 1}]}, {"private": None}, {"further": 1}, {"pages": [{}]},
    ],
    ids=str,
)  # fmt: skip
def test_a_manifest_of_another_shape_is_refused(change):
    value = json.loads(encode_manifest(a_manifest())) | change
    with pytest.raises(MalformedError):
        parse_manifest(encode(value))


def test_files_stand_in_order_and_once():
    value = json.loads(encode_manifest(a_manifest()))
    for files in (value["files"][::-1], [value["files"][0]] * 2):
        with pytest.raises(MalformedError):
            parse_manifest(encode(value | {"files": files}))


@given(st.integers(min_value=0), st.integers(0, 255))
def test_a_damaged_manifest_never_crashes_the_reader(position, byte):
    data = bytearray(encode_manifest(a_manifest()))
    data[position % len(data)] = byte
    try:
        parse_manifest(bytes(data))
    except MalformedError:
        return


def test_started_and_marks_are_read_as_they_were_written():
    assert parse_started(encode_started(STARTED)) == STARTED
    bare = replace(STARTED, environment=None, header=None)
    assert parse_started(encode_started(bare)) == bare
    assert parse_mark(encode_mark(MARK)) == MARK
    end = replace(MARK, kind=MarkKind.END, environment_after=DigestPair.of(b"after"), streams=())
    assert parse_mark(encode_mark(end)) == end
    assert (mark_name(7), token_name(7)) == ("mark-007.json", "mark-007.tst")


@pytest.mark.parametrize(
    "change",
    [{"v": 1}, {"kind": "late"}, {"started": ""}, {"at": "now"}, {"streams": {}}, {"streams": [[1, 2]]},
     {"streams": [[0, 1, 1, "0" * 64, "0" * 64]]}, {"streams": [[2, 1, 1, "0" * 64, "0" * 64]] * 2},
     {"actions": -1}, {"head": None}, {"more": 1}, {"environment_after": 3}],
    ids=str,
)  # fmt: skip
def test_a_mark_of_another_shape_is_refused(change):
    with pytest.raises(MalformedError):
        parse_mark(encode(json.loads(encode_mark(MARK)) | change))


@pytest.mark.parametrize(
    "change",
    [{"v": 1}, {"id": "00"}, {"id": "G" * 32}, {"case": 1}, {"at": ""}, {"plan": {}}, {"nonce": "00"}, {"header": {}},
     {"header": {"chain_id": "c", "height": 0, "hash": "0" * 64}}, {"environment": {}}, {"more": 1}],
    ids=str,
)  # fmt: skip
def test_a_beginning_of_another_shape_is_refused(change):
    with pytest.raises(MalformedError):
        parse_started(encode(json.loads(encode_started(STARTED)) | change))


def test_where_files_lie_in_a_wacz():
    assert place("data.warc.gz") == "archive/data.warc.gz"
    assert place("manifest.json") == "evidence/manifest.json"
