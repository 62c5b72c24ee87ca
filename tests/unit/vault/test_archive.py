from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.core import canonical
from evidence_desk.core.canonical import JSON
from evidence_desk.errors import HostError, MalformedError
from evidence_desk.vault.archive import FORMAT, ArchiveReader, ArchiveWriter, require_room

PARTS = ("vault.toml", "vault.db", "keybag.age")
OBJECT = "objects/" + "0" * 64
KEY = bytes(32)


def written() -> bytes:
    stream = io.BytesIO()
    with ArchiveWriter(stream) as archive:
        for name in (*PARTS, OBJECT):
            archive.add(name, io.BytesIO(name.encode()))
        archive.finish(mac_key=KEY, facts={"created": "now"})
    return stream.getvalue()


WHOLE = written()


def test_members_come_back(tmp_path):
    with ArchiveReader(io.BytesIO(WHOLE)) as archive:
        archive.check_mac(KEY)
        assert set(archive.members) == {*PARTS, OBJECT}
        assert archive.small("vault.toml", 100) == b"vault.toml"
        archive.extract(OBJECT, tmp_path / "out")
        assert (tmp_path / "out").read_bytes() == OBJECT.encode()
        with pytest.raises(MalformedError, match=r"malformed\.backup"):
            archive.check_mac(b"x" * 32)
        with pytest.raises(MalformedError, match=r"malformed\.backup"):
            archive.small("vault.toml", 3)


@given(st.binary(max_size=400))
def test_foreign_bytes_are_refused(data):
    with pytest.raises(MalformedError, match=r"malformed\.backup"):
        ArchiveReader(io.BytesIO(data))


@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
def test_a_flipped_byte_is_refused_or_changes_no_content(tmp_path_factory, place, flip):
    data = bytearray(WHOLE)
    data[place] ^= flip
    target = tmp_path_factory.mktemp("flip") / "out"
    try:
        with ArchiveReader(io.BytesIO(bytes(data))) as archive:
            archive.check_mac(KEY)
            contents = {name: archive.small(name, 1000) for name in PARTS}
            archive.extract(OBJECT, target)
    except MalformedError:
        return
    assert contents == {name: name.encode() for name in PARTS}
    assert target.read_bytes() == OBJECT.encode()


def with_manifest(manifest: bytes, *, method: int = zipfile.ZIP_STORED) -> io.BytesIO:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name in PARTS:
            archive.writestr(name, name)
        archive.writestr("manifest.json", manifest)
        archive.writestr("manifest.mac", "0" * 64)
    return stream


def manifest(**changes: Any) -> bytes:
    members: dict[str, JSON] = {name: {"sha256": "00" * 32, "size": len(name)} for name in PARTS}
    members.update(changes)
    return canonical.encode({"v": FORMAT, "members": members})


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"[" * 100_000,
        b'{"v":"evidence-desk-backup/2","members":{}}',
        canonical.encode({"v": FORMAT, "members": []}),
        canonical.encode({"v": FORMAT, "members": {}}),
        manifest(**{"../../etc/passwd": {"sha256": "00" * 32, "size": 0}}),
        manifest(**{"vault.db": {"sha256": 1, "size": 0}}),
        manifest(**{"vault.db": {"sha256": "00" * 32, "size": -1}}),
        manifest(**{"vault.db": {"sha256": "00" * 32, "size": True}}),
        manifest(**{"vault.db": None}),
        manifest(**{OBJECT: {"sha256": "00" * 32, "size": 0}}),
    ],
)
def test_hostile_manifests_are_refused(content):
    with pytest.raises(MalformedError):
        ArchiveReader(with_manifest(content))


def test_a_digest_that_differs_is_refused(tmp_path):
    with ArchiveReader(with_manifest(manifest())) as archive:
        with pytest.raises(MalformedError, match=r"malformed\.backup"):
            archive.small("vault.toml", 100)
        with pytest.raises(MalformedError, match=r"malformed\.backup"):
            archive.extract("vault.db", tmp_path / "out")


def test_compressed_members_are_refused():
    with pytest.raises(MalformedError, match=r"malformed\.backup"):
        ArchiveReader(with_manifest(manifest(), method=zipfile.ZIP_DEFLATED))


def test_a_member_may_not_be_longer_than_listed(tmp_path):
    listed = manifest(**{"vault.db": {"sha256": "00" * 32, "size": 1}})
    with ArchiveReader(with_manifest(listed)) as archive:
        with pytest.raises(MalformedError, match=r"malformed\.backup"):
            archive.extract("vault.db", tmp_path / "out")
        assert (tmp_path / "out").stat().st_size <= 1


def test_too_little_room_is_said_early(tmp_path):
    require_room(tmp_path, 1)
    with pytest.raises(HostError, match=r"host\.disk_full"):
        require_room(tmp_path, 2**62)
