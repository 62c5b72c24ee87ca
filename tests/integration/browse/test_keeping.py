"""What lists show outlives closing, backup and restore; an erasure cut short is finished."""

from __future__ import annotations

from pathlib import Path

import pytest

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.browse_ports import ExhibitQuery
from evidence_desk.errors import HostError
from evidence_desk.services import annotate
from evidence_desk.services.derive import Relation, derived_source
from evidence_desk.vault.backup import backup, restore
from evidence_desk.vault.database import Database
from evidence_desk.vault.store import REWRITE, Vault
from tests.integration.browse.conftest import PASSPHRASE
from tests.integration.browse.filing import put


def found(vault: Vault, text: str, **fields: object) -> list[str]:
    return [line.title for line in vault.browse.page(ExhibitQuery(text=text, **fields), 0, 10)]  # type: ignore[arg-type]


def test_a_restored_backup_is_listed_and_searched_as_before(session: Session, tmp_path: Path):
    (row,) = put(session, tmp_path, "合同.txt")
    source = derived_source(session.desk, row, 1, Relation.TRANSCRIPT)
    put(session, tmp_path, "抄清.txt", source=source, case_number="案二")
    annotate.add_tag(session.desk, row.leaf_hash, "重要")
    note = annotate.add_note(session.desk, row.leaf_hash, "已核对原件", author="钱知微")
    annotate.archive_case(session.desk, "案二")
    backup(session.vault, tmp_path / "b")
    with restore(
        tmp_path / "b",
        tmp_path / "again",
        clock=session.clock,
        verify_log=lambda _log: None,
        passphrase=PASSPHRASE,
    ) as vault:
        assert found(vault, "重要 核对") == ["合同.txt"]
        assert vault.browse.notes(row.leaf_hash) == [note]
        assert found(vault, "抄清") == []
        assert found(vault, "抄清", archived=True) == ["抄清.txt"]
        assert [link.relation for link in vault.browse.links(row.leaf_hash)] == ["transcript"]


def test_what_a_full_disk_kept_from_being_rewritten_is_rewritten_at_the_next_opening(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    put(session, tmp_path, "合同.txt")

    def full(_self: Database) -> None:
        raise HostError("host.disk_full", what="vault.db")

    with monkeypatch.context() as patch:
        patch.setattr(Database, "rewrite", full)
        with pytest.raises(HostError, match=r"host\.disk_full"):
            session.vault.erase_case("案一")
        assert session.vault.exhibits.get_setting(REWRITE) == b"true"
        assert found(session.vault, "合同") == []
        session.close()
        with Vault.open(
            session.vault.folder, PASSPHRASE, clock=session.clock
        ) as vault:  # still full: it opens
            assert vault.exhibits.get_setting(REWRITE) == b"true"
    with Vault.open(session.vault.folder, PASSPHRASE, clock=session.clock) as vault:
        assert vault.exhibits.get_setting(REWRITE) == b"false"
