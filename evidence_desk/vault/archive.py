"""The backup file: a ZIP of stored members with a manifest at its end. Strict reader, streaming writer.

Knows members and digests, not what they mean.
"""

from __future__ import annotations

import errno
import hashlib
import hmac
import re
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final, Self

from evidence_desk.core import canonical
from evidence_desk.core.canonical import JSON
from evidence_desk.core.job import Job
from evidence_desk.errors import EvidenceDeskError, HostError, MalformedError, UnreadableError
from evidence_desk.vault.faults import host_faults

MANIFEST: Final = "manifest.json"
MANIFEST_MAC: Final = "manifest.mac"
FORMAT: Final = "evidence-desk-backup/1"
_MAX_MANIFEST: Final = 512 * 1024 * 1024
_MAX_MEMBERS: Final = 5_000_000
_PIECE: Final = 1024 * 1024
_MEMBER: Final = re.compile(r"vault\.toml|vault\.db|keybag\.age|objects/[0-9a-f]{64}\Z")
_FIXED_TIME: Final = (1980, 1, 1, 0, 0, 0)


class ArchiveWriter:
    """Writes members one after the other, hashing each; `finish` adds the manifest and its MAC."""

    def __init__(self, stream: BinaryIO) -> None:
        self._zip = zipfile.ZipFile(stream, "w", compression=zipfile.ZIP_STORED, allowZip64=True)
        self._members: dict[str, JSON] = {}

    def add(self, name: str, source: BinaryIO) -> int:
        """Append a member; returns its size in bytes."""
        hasher, size = hashlib.sha256(), 0
        with self._zip.open(zipfile.ZipInfo(name, _FIXED_TIME), "w", force_zip64=True) as target:
            while piece := source.read(_PIECE):
                hasher.update(piece)
                target.write(piece)
                size += len(piece)
        self._members[name] = {"sha256": hasher.hexdigest(), "size": size}
        return size

    def finish(self, *, mac_key: bytes, facts: dict[str, JSON]) -> None:
        """Write manifest and MAC and close the ZIP (not the stream)."""
        manifest = canonical.encode({"v": FORMAT, "members": self._members, **facts})
        self._zip.writestr(zipfile.ZipInfo(MANIFEST, _FIXED_TIME), manifest)
        mac = hmac.new(mac_key, manifest, hashlib.sha256).hexdigest()
        self._zip.writestr(zipfile.ZipInfo(MANIFEST_MAC, _FIXED_TIME), mac)
        self._zip.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        with suppress(OSError, ValueError):  # after a failure the file is thrown away
            self._zip.close()


class ArchiveReader:
    """A backup whose members are exactly those of its manifest; their digests are checked when extracted.

    Raises:
        MalformedError: ``malformed.backup`` for anything that is not a whole backup of ours.
    """

    def __init__(self, stream: BinaryIO) -> None:
        with _zip_faults():
            self._zip = zipfile.ZipFile(stream, "r")
            infos = self._zip.infolist()
            names = [info.filename for info in infos]
            if len(names) > _MAX_MEMBERS or len(set(names)) != len(names):
                raise MalformedError("malformed.backup", what="members")
            if any(info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1 for info in infos):
                raise MalformedError("malformed.backup", what="compression")
            self.manifest = self._small(MANIFEST, _MAX_MANIFEST)
            self._mac = self._small(MANIFEST_MAC, 64)
        self.members = _members(self.manifest)
        if set(names) != {*self.members, MANIFEST, MANIFEST_MAC}:
            raise MalformedError("malformed.backup", what="members")

    def check_mac(self, mac_key: bytes) -> None:
        """Refuse a manifest that the vault did not write.

        Raises:
            MalformedError: ``malformed.backup``.
        """
        expected = hmac.new(mac_key, self.manifest, hashlib.sha256).hexdigest().encode("ascii")
        if not hmac.compare_digest(expected, self._mac):
            raise MalformedError("malformed.backup", what=MANIFEST_MAC)

    def small(self, name: str, limit: int) -> bytes:
        """Checked content of a short member."""
        digest, size = self.members.get(name, ("", 0))
        with _zip_faults():
            data = self._small(name, limit)
        if len(data) != size or hashlib.sha256(data).hexdigest() != digest:
            raise MalformedError("malformed.backup", what=name)
        return data

    def extract(self, name: str, target: Path) -> None:
        """Write a member to a new file and compare size and digest."""
        digest, size = self.members[name]
        hasher, done = hashlib.sha256(), 0
        with host_faults(target.name), target.open("xb") as stream:
            for piece in self._pieces(name):
                hasher.update(piece)
                done += len(piece)
                if done > size:
                    break
                stream.write(piece)
        target.chmod(0o600)
        if done != size or hasher.hexdigest() != digest:
            raise MalformedError("malformed.backup", what=name.partition("/")[0])

    def close(self) -> None:
        """Close the ZIP (not the stream)."""
        self._zip.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _pieces(self, name: str) -> Iterator[bytes]:
        with _zip_faults():
            member = self._zip.open(name)
        with member:
            while True:
                with _zip_faults():
                    piece = member.read(_PIECE)
                if not piece:
                    return
                yield piece

    def _small(self, name: str, limit: int) -> bytes:
        try:
            info = self._zip.getinfo(name)
        except KeyError as error:
            raise MalformedError("malformed.backup", what=name) from error
        if info.file_size > limit:
            raise MalformedError("malformed.backup", what=name)
        return self._zip.read(info)


@contextmanager
def _zip_faults() -> Iterator[None]:
    """What zipfile raises on foreign bytes, as ours."""
    try:
        yield
    except EvidenceDeskError:
        raise
    except OSError as error:
        if error.errno == errno.EINVAL:  # offsets before the start of the file
            raise MalformedError("malformed.backup", what="zip") from error
        raise UnreadableError("vault.source_unreadable", reason=type(error).__name__) from error
    except (
        zipfile.BadZipFile,
        ValueError,
        KeyError,
        EOFError,
        NotImplementedError,
        RuntimeError,
        OverflowError,
    ) as error:
        raise MalformedError("malformed.backup", what="zip") from error


def _members(manifest: bytes) -> dict[str, tuple[str, int]]:
    """Members by name: (SHA-256 in hex, size in bytes)."""
    value = canonical.decode(manifest, what=MANIFEST, limit=_MAX_MANIFEST)
    listed = value.get("members") if isinstance(value, dict) else None
    if not isinstance(value, dict) or value.get("v") != FORMAT or not isinstance(listed, dict):
        raise MalformedError("malformed.backup", what=MANIFEST)
    members: dict[str, tuple[str, int]] = {}
    for name, entry in listed.items():
        digest = entry.get("sha256") if isinstance(entry, dict) else None
        size = entry.get("size") if isinstance(entry, dict) else None
        if not _MEMBER.match(name) or not isinstance(digest, str) or type(size) is not int or size < 0:
            raise MalformedError("malformed.backup", what=MANIFEST)
        members[name] = (digest, size)
    if not {"vault.toml", "vault.db", "keybag.age"} <= set(members):
        raise MalformedError("malformed.backup", what=MANIFEST)
    return members


def require_room(folder: Path, needed: int) -> None:
    """Refuse early when the disk of `folder` has not `needed` bytes left.

    Raises:
        HostError: ``host.disk_full``.
    """
    with host_faults(folder.name):
        free = shutil.disk_usage(folder).free
    if free < needed:
        raise HostError("host.disk_full", what=folder.name)


def progress(job: Job, stage: str, done: int, total: int) -> None:
    """One step of a job in bytes, `done` never beyond `total`."""
    job.step(stage, min(done, total), total)
