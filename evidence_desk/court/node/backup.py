"""A node's backup in one file, and what may be done with it.

In it: settings, genesis, trust file, the application's state, and on wish the keys, encrypted by a passphrase. Blocks
come back from other nodes. The validator's signing state (``priv_validator_state.json``) is never in it: an older one
beside the same key would let the validator sign a second block of a height it has signed. So a restored key gets a new
signing state that lies above everything it can have signed, and signs nothing before the network is past it.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import IO, Final

import pyrage

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.core.digests import parse_hex
from evidence_desk.court.node.app.machine import CourtMachine, Head
from evidence_desk.court.node.app.sqlite_store import SqliteStore
from evidence_desk.court.node.ceremony import NETWORK_FILE, read_genesis
from evidence_desk.court.node.files import read_input
from evidence_desk.court.node.home import MAX_GENESIS, NodeHome, create_home, write_secret
from evidence_desk.court.node.supervisor import exclusive
from evidence_desk.court.protocol.light_block import number
from evidence_desk.errors import (
    HostError,
    IntegrityError,
    MalformedError,
    PermissionDeniedError,
    UnreadableError,
    UsageError,
)

VERSION: Final = "node-backup/1"
SUFFIX: Final = ".court-backup"
MARGIN: Final = 10
"""Heights above the network's at which a restored key may sign again: more than a node can be ahead of what we were told."""
_MANIFEST: Final = "manifest.json"
_STATE: Final = "state.db"
_KEYS: Final = "keys.age"
_KEY_FILES: Final = ("node_key.json", "priv_validator_key.json")
_SIGNING_STATE: Final = "priv_validator_state.json"
_SMALL: Final = {"node.toml": "node.toml", "genesis.json": "config/genesis.json", NETWORK_FILE: NETWORK_FILE}
_MAX_SMALL: Final = 8 << 20
_NAMES: Final = frozenset({*_SMALL, _STATE, _KEYS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup holds: the state after block `height`, digests of its files."""

    chain_id: str
    node_id: str
    height: int
    app_hash: bytes
    files: Mapping[str, bytes]

    @property
    def with_keys(self) -> bool:
        """Whether the keys are in it."""
        return _KEYS in self.files

    def encode(self) -> bytes:
        """Canonical bytes."""
        return encode(
            {
                "v": VERSION,
                "chain_id": self.chain_id,
                "node_id": self.node_id,
                "height": self.height,
                "app_hash": self.app_hash.hex(),
                "files": {name: digest.hex() for name, digest in self.files.items()},
            }
        )


def backup(home: NodeHome, file: Path, *, passphrase: str = "") -> Manifest:
    """Write a backup beside the running node; an existing file is never replaced.

    Args:
        home: the node.
        file: where to write.
        passphrase: encrypts the keys; "" leaves them out.

    Raises:
        UsageError: ``operation.exists``.
        HostError: ``operation.unwritable``; ``node.store``.
        IntegrityError: ``node.state_hash`` when the copied state is not what was committed.
    """
    if file.exists():
        raise UsageError("operation.exists", path=os.fspath(file))
    with _written(file) as temporary, tempfile.TemporaryDirectory(dir=temporary.parent) as folder:
        state = Path(folder) / _STATE
        _copy_state(home.store_file, state)
        head = checked_state(state)
        small = {name: home.path / place for name, place in _SMALL.items() if (home.path / place).is_file()}
        parts: dict[str, Path] = {**small, _STATE: state}
        if passphrase:
            parts[_KEYS] = Path(folder) / _KEYS
            parts[_KEYS].write_bytes(pyrage.passphrase.encrypt(_export_keys(home), passphrase))
        manifest = Manifest(
            chain_id=read_genesis(read_input(home.genesis_file, MAX_GENESIS)).chain_id,
            node_id=home.identity().node_id,
            height=head.height,
            app_hash=head.app_hash,
            files={name: _digest(path) for name, path in parts.items()},
        )
        with tarfile.open(temporary, "w:", format=tarfile.USTAR_FORMAT) as archive:
            _add(archive, _MANIFEST, io.BytesIO(manifest.encode()), len(manifest.encode()))
            for name, path in parts.items():
                with path.open("rb") as stream:
                    _add(archive, name, stream, path.stat().st_size)
    return manifest


@contextmanager
def _written(file: Path) -> Iterator[Path]:
    """A file that is whole or not there."""
    temporary = file.with_name(f".{file.name}.new")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        yield temporary
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        os.link(temporary, file)  # unlike a rename, refuses to replace
    except FileExistsError as error:
        raise UsageError("operation.exists", path=os.fspath(file)) from error
    except OSError as error:
        raise HostError("operation.unwritable", path=os.fspath(file)) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _copy_state(source: Path, target: Path) -> None:
    """In one step: a copy in small ones would never end beside a node that writes."""
    try:
        with (
            closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as present,
            closing(sqlite3.connect(target)) as copy,
        ):
            present.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise HostError("node.store", reason=getattr(error, "sqlite_errorname", "SQLITE_ERROR")) from error


def checked_state(file: Path) -> Head:
    """Where a state stands, after a check that its rows give its application hash; IntegrityError ``node.state_hash``."""
    store = SqliteStore(file)
    try:
        return CourtMachine(store).head
    finally:
        store.close()


def _export_keys(home: NodeHome) -> bytes:
    found = {name: (home.path / "config" / name).read_text("utf-8") for name in _KEY_FILES}
    return encode({"keys": dict[str, JSON](found), "signed": signed_height(home)})


def signed_height(home: NodeHome) -> int:
    """Height up to which the validator has signed, by its own record; 0 when there is none."""
    try:
        return int(json.loads((home.path / "data" / _SIGNING_STATE).read_text("ascii"))["height"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def _digest(path: Path) -> bytes:
    with path.open("rb") as stream:
        return file_digest(stream, "sha256").digest()


def _add(archive: tarfile.TarFile, name: str, stream: IO[bytes], size: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    archive.addfile(entry, stream)


# --- back ----------------------------------------------------------------------------------------------------------


@contextmanager
def opened(file: Path, *, beside: Path) -> Iterator[tuple[Manifest, Path]]:
    """A backup's manifest and a folder (beside `beside`) with its files, all as the manifest says.

    Raises:
        UnreadableError: ``operation.unreadable``.
        MalformedError: ``malformed.node_backup``.
    """
    beside.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=beside.parent) as name:
        folder = Path(name)
        try:
            with tarfile.open(file, "r:") as archive:
                manifest = _unpack(archive, folder)
        except (tarfile.TarError, EOFError, ValueError, OverflowError) as error:
            raise MalformedError("malformed.node_backup", reason="archive") from error
        except FileNotFoundError as error:
            raise UnreadableError("operation.unreadable", path=os.fspath(file)) from error
        except OSError as error:
            raise HostError("operation.unwritable", path=os.fspath(folder)) from error
        yield manifest, folder


def _unpack(archive: tarfile.TarFile, folder: Path) -> Manifest:
    manifest: Manifest | None = None
    for entry in archive:
        stream = archive.extractfile(entry) if entry.isreg() else None
        if stream is None:
            raise MalformedError("malformed.node_backup", reason="entry")
        if manifest is None:
            manifest = _manifest(entry.name, stream.read(_MAX_SMALL))
            continue
        if entry.name not in manifest.files or (entry.name in _SMALL and entry.size > _MAX_SMALL):
            raise MalformedError("malformed.node_backup", reason="entry")
        target = folder / entry.name
        if target.exists():
            raise MalformedError("malformed.node_backup", reason="entry")
        with target.open("wb") as out:
            shutil.copyfileobj(stream, out)
        if _digest(target) != manifest.files[entry.name]:
            raise MalformedError("malformed.node_backup", reason=entry.name)
    if manifest is None or {path.name for path in folder.iterdir()} != set(manifest.files):
        raise MalformedError("malformed.node_backup", reason="entries")
    return manifest


def _manifest(name: str, data: bytes) -> Manifest:
    value = decode(data, what=_MANIFEST, limit=_MAX_SMALL)
    wanted = {"v", "chain_id", "node_id", "height", "app_hash", "files"}
    if name != _MANIFEST or not isinstance(value, dict) or set(value) != wanted or value["v"] != VERSION:
        raise MalformedError("malformed.node_backup", reason="manifest")
    files = value["files"]
    if not isinstance(files, dict) or not {"node.toml", "genesis.json", _STATE} <= set(files) <= _NAMES:
        raise MalformedError("malformed.node_backup", reason="files")
    return Manifest(
        chain_id=str(value["chain_id"]),
        node_id=str(value["node_id"]),
        height=number(value["height"]),
        app_hash=parse_hex(value["app_hash"], what="application hash"),
        files={item: parse_hex(digest, what=item) for item, digest in files.items()},
    )


def restore_node(file: Path, path: Path, *, passphrase: str = "", network_height: int = 0) -> NodeHome:
    """Make a node's folder anew: settings, genesis, trust file, and the keys when a passphrase is given.

    State and blocks come from the other nodes. Without the keys the node gets fresh ones and is an observer.

    Args:
        file: the backup.
        path: a folder that is none yet.
        passphrase: of the keys; "" to leave them.
        network_height: newest height of the network, learned after the old node was stopped for good.

    Raises:
        UsageError: ``node.exists``; ``backup.no_keys``; ``backup.height_needed``.
        PermissionDeniedError: ``backup.passphrase``.
        IntegrityError: ``node.state_hash`` or ``backup.state`` for a backup whose state does not prove itself.
    """
    if (path / "node.toml").exists() or (path / "config").exists():
        raise UsageError("node.exists", path=os.fspath(path))
    with opened(file, beside=path) as (manifest, folder):
        check_backup(manifest, folder)
        keys: dict[str, str] = {}
        if passphrase:
            _require_height(manifest.height, network_height)
            keys, signed = _keys(manifest, folder, passphrase)
            _require_height(signed, network_height)
        settings = NodeHome(folder).settings()
        home = create_home(path, settings)
        for name, place in _SMALL.items():
            if name in manifest.files and name != "node.toml":
                shutil.copyfile(folder / name, home.path / place)
        for name, text in keys.items():
            _replace_secret(home.path / "config" / name, text.encode())
        if keys:
            # The last round there is: nothing of this height can be signed either.
            floor = {"height": str(network_height + MARGIN), "round": 2**31 - 1, "step": 3}
            _replace_secret(home.path / "data" / _SIGNING_STATE, json.dumps(floor, indent=2).encode())
    return home


def _require_height(least: int, network_height: int) -> None:
    if network_height < least:
        raise UsageError("backup.height_needed", least=least, found=network_height)


def check_backup(manifest: Manifest, folder: Path) -> None:
    """Whether the state proves itself and belongs to the genesis document."""
    head = checked_state(folder / _STATE)
    genesis = read_genesis(read_input(folder / "genesis.json", MAX_GENESIS))
    stated = (head.chain_id, head.height, head.app_hash)
    if stated != (manifest.chain_id, manifest.height, manifest.app_hash) or head.chain_id != genesis.chain_id:
        raise IntegrityError("backup.state", height=manifest.height)


def _keys(manifest: Manifest, folder: Path, passphrase: str) -> tuple[dict[str, str], int]:
    if not manifest.with_keys:
        raise UsageError("backup.no_keys")
    try:
        plain = pyrage.passphrase.decrypt((folder / _KEYS).read_bytes(), passphrase)
    except pyrage.DecryptError as error:
        raise PermissionDeniedError("backup.passphrase") from error
    value = decode(plain, what=_KEYS, limit=_MAX_SMALL)
    keys = value.get("keys") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(keys, dict) or set(keys) != set(_KEY_FILES):
        raise MalformedError("malformed.node_backup", reason=_KEYS)
    return {name: str(text) for name, text in keys.items()}, number(value["signed"])


def _replace_secret(path: Path, data: bytes) -> None:
    path.unlink()
    write_secret(path, data)


def restore_state(file: Path, home: NodeHome) -> Manifest:
    """Put the state of a backup into a stopped node whose state is damaged; the engine then executes the later blocks.

    Raises:
        BusyError: ``node.running``.
        UsageError: ``backup.other_node`` for a backup of another network.
    """
    with exclusive(home), opened(file, beside=home.store_file) as (manifest, folder):
        check_backup(manifest, folder)
        if read_genesis(read_input(home.genesis_file, MAX_GENESIS)).chain_id != manifest.chain_id:
            raise UsageError("backup.other_node", chain_id=manifest.chain_id)
        for suffix in ("", "-wal", "-shm"):
            old = home.store_file.with_name(home.store_file.name + suffix)
            if old.exists():
                old.replace(old.with_name(f"damaged-{old.name}"))
        (folder / _STATE).replace(home.store_file)
    return manifest


def wipe(home: NodeHome) -> None:
    """Remove state and blocks of a stopped node, which then follows from genesis again. Keys and signing state stay.

    Raises:
        BusyError: ``node.running``.
    """
    with exclusive(home):
        for path in (home.path / "data").iterdir():
            if path.name != _SIGNING_STATE:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        for path in home.store_file.parent.iterdir():
            path.unlink()
        (home.path / "config" / "addrbook.json").unlink(missing_ok=True)


def rotate(folder: Path, node_id: str, keep: int) -> list[Path]:
    """Delete all but the newest `keep` backups of a node in a folder; those deleted."""
    found = sorted(folder.glob(f"{node_id[:12]}-*{SUFFIX}"))
    old = found[:-keep] if keep else []
    for path in old:
        path.unlink(missing_ok=True)
    return old


def dated_name(node_id: str, moment: str) -> str:
    """Name of a backup in a folder of many; `moment` sorts."""
    return f"{node_id[:12]}-{moment}{SUFFIX}"
