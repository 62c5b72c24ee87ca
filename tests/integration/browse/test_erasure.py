"""No word of an erased case stays in the database: every page of the file is decrypted and looked through."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.services import annotate
from evidence_desk.services.browse import ExhibitQuery, count
from evidence_desk.services.derive import Relation, derived_source
from evidence_desk.services.erase import erase
from evidence_desk.services.timestamp import timestamp
from tests.integration.browse.filing import put, titles

SECRETS = ("𬱖", "qzxqzxvwq", "𪚥")
"""Outside the pages no text of ours holds these characters; four bytes each, so that chance cannot make them."""
PAGE, RESERVED, SALT = 4096, 80, 16


def decrypted(session: Session) -> bytes:
    """All pages of the closed database, those on the free list too (SQLCipher 4: AES-256-CBC, IV ‖ HMAC at the end)."""
    key = session.vault.key.subkey("vault.db")
    path = session.vault.folder / "vault.db"
    session.vault.database.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    assert path.with_name("vault.db-wal").stat().st_size == 0
    data, plain = path.read_bytes(), bytearray()
    for start in range(0, len(data), PAGE):
        page = data[start : start + PAGE]
        body = page[SALT if start == 0 else 0 : -RESERVED]
        vector = page[PAGE - RESERVED : PAGE - RESERVED + 16]
        plain += Cipher(algorithms.AES(key), modes.CBC(vector)).decryptor().update(body)
    return bytes(plain)


def fill(session: Session, folder: Path, case: str, secret: tuple[str, str, str], exhibits: int) -> None:
    person, word, note = secret
    for start in range(0, exhibits, 20):
        names = [f"{case}{index}-{person}{index % 7}{word}.txt" for index in range(start, start + 20)]
        rows = put(
            session, folder / case, *names,
            case_number=case, purpose=f"证明{person}甲 {word}{start}", source={"obtained": f"由{person}乙提供"},
            parties=(f"{person}丙",),
        )  # fmt: skip
        for row in rows[:5]:
            annotate.add_tag(session.desk, row.leaf_hash, f"{person}标")
            first = annotate.add_note(session.desk, row.leaf_hash, f"{note}一{word}")
            annotate.edit_note(session.desk, first.id, f"{note}二" * 50)
            gone = annotate.add_note(session.desk, row.leaf_hash, f"{note}三" * 20)
            annotate.remove_note(session.desk, gone.id)
        annotate.remove_tag(session.desk, rows[0].leaf_hash, f"{person}标")
        derived = derived_source(session.desk, rows[0], 1, Relation.REDACTED)
        put(session, folder / case, f"遮盖{start}{person}.txt", case_number=case, source=derived)
    timestamp(
        session.desk, session.authorities, job=Job()
    )  # rewrites rows, so that old copies are left in free space


@pytest.mark.parametrize(("exhibits", "others"), [(20, 400), (200, 40)], ids=["taken out", "built anew"])
def test_no_word_of_an_erased_case_stays(session: Session, tmp_path: Path, exhibits: int, others: int):
    put(session, tmp_path, "a.txt", case_number="先删")
    erase(session.desk, "先删", reason="先删一案", court=None)
    fill(session, tmp_path, "留案", ("张三", "contract", "备注"), others // 2)
    fill(session, tmp_path, "删案", SECRETS, exhibits)
    fill(session, tmp_path, "留案二", ("王五", "invoice", "另注"), others // 2)
    before = decrypted(session)
    assert all(secret.encode() in before for secret in SECRETS)
    kept = count(session.desk, ExhibitQuery(text="张三"))
    assert kept
    erase(session.desk, "删案", reason="当事人要求", court=None)

    after = decrypted(session)
    assert [(secret, after.count(secret.encode())) for secret in SECRETS if secret.encode() in after] == []
    session.vault.database.script(
        "CREATE VIRTUAL TABLE temp.terms USING fts5vocab (main, exhibit_grams, row)"
    )
    terms = {row[0] for row in session.vault.database.rows("SELECT term FROM temp.terms")}
    assert "张三" in terms
    assert not [term for term in terms if set(term) & set("𬱖𪚥")]
    for table in ("exhibit_tags", "notes", "note_versions", "exhibit_links"):
        left = session.vault.database.rows(f"SELECT * FROM {table}")
        assert left
        assert "𬱖" not in repr(left)

    assert count(session.desk, ExhibitQuery(text="张三")) == kept
    assert count(session.desk, ExhibitQuery(text="𬱖")) == 0
    assert count(session.desk, ExhibitQuery(case_number="删案")) == exhibits + exhibits // 20
    assert count(session.desk, ExhibitQuery(text="删案", erased=True)) == exhibits + exhibits // 20
    assert titles(session, case_number="删案") == {""}
    session.vault.check_database()
