"""Re-checking originals: sound, damaged, gone, and of an erased case."""

from __future__ import annotations

from pathlib import Path

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.services.recheck import recheck
from evidence_desk.services.seal import SealRequest, seal


def sealed(session: Session, folder: Path, name: str, *, case: str = "案一") -> ExhibitRow:
    path = folder / name
    path.write_bytes(name.encode())
    (outcome,) = seal(session.desk, [path], SealRequest(case_number=case), job=Job())
    assert outcome.exhibit is not None
    return outcome.exhibit


def stored(session: Session, row: ExhibitRow) -> Path:
    return session.vault.folder / "objects" / row.objects[0].stored.name


def actions(session: Session, row: ExhibitRow) -> list[str]:
    return [event.action for event in session.vault.exhibits.custody(row.leaf_hash)]


def test_sound_damaged_and_missing_originals_are_told_and_recorded(session: Session, tmp_path: Path):
    sound, damaged, gone = (sealed(session, tmp_path, name) for name in ("sound", "damaged", "gone"))
    file = stored(session, damaged)
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.chmod(0o600)
    file.write_bytes(content)
    stored(session, gone).unlink()
    outcomes = recheck(session.desk, [sound, damaged, gone], job=Job(), operator="钱知微")
    assert [outcome.damaged for outcome in outcomes] == [(), (0,), (0,)]
    assert [actions(session, row) for row in (sound, damaged, gone)] == [
        ["rechecked"],
        ["damaged"],
        ["missing"],
    ]


def test_an_erased_case_is_neither_sound_nor_damaged(session: Session, tmp_path: Path):
    kept = sealed(session, tmp_path, "kept", case="案一")
    erased = sealed(session, tmp_path, "erased", case="案二")
    session.vault.erase_case("案二")
    outcomes = recheck(session.desk, [erased, kept], job=Job())
    assert [(outcome.erased, outcome.damaged) for outcome in outcomes] == [(True, ()), (False, ())]
    assert actions(session, erased) == []
