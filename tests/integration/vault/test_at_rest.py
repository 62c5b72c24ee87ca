"""Nothing readable at rest: every byte of the folder and of a backup is searched."""

from __future__ import annotations

import base64
import os
from pathlib import Path

from evidence_desk.core.rows import CustodyRow
from evidence_desk.vault.backup import backup
from tests.unit.vault.rows import CASE, ORIGIN, PASSPHRASE, add_leaves, put, seal

NAME = "借条（张三）.pdf"
CONTENT = "今借到人民币壹拾万元整".encode() * 40


def forms(text: bytes) -> list[bytes]:
    """A value as it could stand in a file: raw, hex of both cases, base64 at each offset."""
    encoded = [
        base64.b64encode(bytes(shift) + text)[4 if shift else 0 : -4].rstrip(b"=") for shift in range(3)
    ]
    return [
        text,
        text.hex().encode(),
        text.hex().upper().encode(),
        *(form for form in encoded if len(form) > 8),
    ]


def searched(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def assert_unreadable(files: dict[str, bytes], secrets: dict[str, bytes]) -> None:
    for name, data in files.items():
        for what, secret in secrets.items():
            for form in forms(secret):
                assert form not in data, (name, what)
                assert form not in name.encode(), (name, what)


def test_no_byte_of_the_folder_tells_anything(created, tmp_path):
    vault, paper = created
    row = seal(vault, CONTENT, name=NAME)
    large = put(vault, CONTENT * 2000)
    event = CustodyRow(
        exhibit=row.leaf_hash, at=vault.clock.now(), action="opened", operator="王律师", details=b"{}"
    )
    with vault.transaction():
        vault.exhibits.add_custody([event])
        add_leaves(vault, b'{"leaf":"LEAF-BYTES"}')
    vault.set_secret("pdf-signer", b"PRIVATE-KEY-BLOB")
    digests = row.objects[0].stored.digests
    secrets = {
        "file name": NAME.encode(),
        "file name, UTF-16": NAME.encode("utf-16-le"),
        "case": CASE.encode(),
        "content": CONTENT[:33],
        "sha256": digests.sha256,
        "sm3": digests.sm3,
        "large sha256": large.digests.sha256,
        "leaf hash": row.leaf_hash,
        "title": "借款合同".encode(),
        "statement": row.statement,
        "operator": "王律师".encode(),
        "leaf": b"LEAF-BYTES",
        "private": b"PRIVATE-KEY-BLOB",
        "origin": ORIGIN.encode(),
        "schema": b"CREATE TABLE",
        "identity": b"AGE-SECRET-KEY",
        "passphrase": PASSPHRASE.encode(),
        "recovery key": paper[:9].encode(),
    }
    assert (vault.folder / "vault.db-wal").stat().st_size > 0
    assert_unreadable(searched(vault.folder), secrets)
    with vault.transaction():
        add_leaves(vault, *(b"LEAF-BYTES" + os.urandom(4000) for _ in range(200)))
        assert_unreadable(searched(vault.folder), secrets)
    copy = tmp_path / "backup" / "copy.edbackup"
    copy.parent.mkdir()
    backup(vault, copy)
    assert_unreadable(searched(copy.parent), secrets)
    vault.close()
    assert_unreadable(searched(vault.folder), secrets)


def test_the_search_would_find_what_is_there(vault, tmp_path):
    row = seal(vault, CONTENT)
    leak = tmp_path / "leak"
    for form in forms(row.leaf_hash):
        leak.write_bytes(b"x" * 7 + form + b"y")
        try:
            assert_unreadable(searched(tmp_path), {"leaf hash": row.leaf_hash})
        except AssertionError:
            continue
        raise AssertionError(form)
