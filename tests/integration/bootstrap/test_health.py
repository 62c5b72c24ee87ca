"""How a desk stands: what is wrong is not covered by something that is right, or newer."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asn1crypto import pem

from evidence_desk.bootstrap.authorities import add_authority
from evidence_desk.bootstrap.diagnosis import check_disk
from evidence_desk.bootstrap.health import Area, Fact, Level, local_health
from evidence_desk.bootstrap.opening import init_session
from evidence_desk.core.job import Job
from evidence_desk.crypto import der, pki
from evidence_desk.errors import HostError, MalformedError
from evidence_desk.services.erase import erase
from evidence_desk.services.recheck import recheck
from evidence_desk.services.seal import SealRequest, seal
from evidence_desk.settings import Retention, load_retention, save_retention
from tests.fixed import refusal
from tests.unit.vault.rows import CHEAP


@pytest.fixture
def session(tmp_path):
    opened, _ = init_session(tmp_path / "vault", "health", office="test", demo=True, kdf=CHEAP)
    yield opened
    opened.close()


def sealed(session, folder: Path, name: str):
    (folder / name).write_bytes(name.encode())
    (outcome,) = seal(session.desk, [folder / name], SealRequest(case_number=name), job=Job())
    return outcome.exhibit


def of_recheck(session) -> Fact:
    (fact,) = (item for item in local_health(session) if item.area is Area.RECHECK)
    return fact


def test_damaged_originals_are_not_called_checked(session, tmp_path):
    assert of_recheck(session).code == "health.recheck.never"
    bad, gone, sound = (sealed(session, tmp_path, name) for name in ("bad", "gone", "sound"))
    places = {row: session.vault.folder / "objects" / row.objects[0].stored.name for row in (bad, gone)}
    kept = places[bad].read_bytes()
    places[bad].chmod(0o600)
    places[bad].write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    places[gone].unlink()
    recheck(session.desk, [bad, gone], job=Job())
    recheck(session.desk, [sound], job=Job())
    fact = of_recheck(session)
    assert (fact.code, fact.level, fact.facts["count"]) == ("health.recheck.damaged", Level.WRONG, 2)
    places[bad].write_bytes(kept)
    recheck(session.desk, [bad], job=Job())
    assert (of_recheck(session).level, of_recheck(session).facts["count"]) == (Level.WORK, 1)
    erase(session.desk, "gone", reason="到期", court=None)
    assert (of_recheck(session).code, of_recheck(session).level) == ("health.recheck.recent", Level.RIGHT)


def of(session, area: Area) -> Fact:
    (fact,) = (item for item in local_health(session) if item.area is area)
    return fact


def remind(session, **wanted: int) -> None:
    with session.vault.transaction():
        save_retention(session.vault.exhibits, Retention(**wanted))


def test_reminders_come_when_the_vault_says_so(session, tmp_path, monkeypatch):
    row = sealed(session, tmp_path, "old")
    recheck(session.desk, [row], job=Job())
    assert of(session, Area.RETENTION).code == "health.retention.none"
    remind(session, recheck_days=10, keep_years=5)
    assert of_recheck(session).level is Level.RIGHT
    assert of(session, Area.RETENTION).code == "health.retention.within"
    later = session.clock.now() + timedelta(days=11)
    monkeypatch.setattr(type(session.clock), "now", lambda _self: later)
    assert (of_recheck(session).code, of_recheck(session).facts["days"]) == ("health.recheck.old", 10)
    assert of(session, Area.RETENTION).code == "health.retention.within"
    much_later = later + timedelta(days=5 * 366)
    monkeypatch.setattr(type(session.clock), "now", lambda _self: much_later)
    due = of(session, Area.RETENTION)
    assert (due.code, due.level, due.facts) == ("health.retention.due", Level.WORK, {"count": 1, "years": 5})
    assert session.vault.exhibits.exhibit(row.leaf_hash) == row  # nothing goes by itself


@pytest.mark.parametrize(
    "stored",
    [b"[]", b"{}", b'{"backup_days":0,"keep_years":0,"recheck_days":90}', b'{"backup_days":true,"keep_years":0,"recheck_days":90}',
     b'{"backup_days":7,"keep_years":101,"recheck_days":90}', b'{"backup_days":7,"keep_years":0,"more":1,"recheck_days":90}'],
)  # fmt: skip
def test_reminders_that_are_none_are_refused(session, stored):
    with session.vault.transaction():
        session.vault.exhibits.set_setting("retention", stored)
    with refusal("malformed.setting", MalformedError):
        load_retention(session.vault.exhibits)


def test_a_vault_that_is_gone_is_said(tmp_path):
    (tmp_path / "stick").mkdir()
    assert check_disk(tmp_path / "stick").fact
    shutil.rmtree(tmp_path / "stick")
    with pytest.raises(HostError):
        check_disk(tmp_path / "stick")


@pytest.mark.parametrize("armored", [False, True])
def test_a_root_that_is_nested_beyond_reason(session, tmp_path, armored):
    deep = b"\x05\x00"
    for _ in range(5_000):
        deep = der.encode(der.SEQUENCE, deep)
    ca = pki.make_ca("x", pki.generate_key(pki.KeyKind.P256), not_before=datetime.now(UTC), years=2)
    body, algorithm, value = der.parse(ca.certificate, what="x", limit=1 << 20).children()
    algorithm_with = der.encode(der.SEQUENCE, algorithm.children()[0].encoded, deep)
    data = der.encode(der.SEQUENCE, body.encoded, algorithm_with, value.encoded)
    file = tmp_path / "root"
    file.write_bytes(pem.armor("CERTIFICATE", data) if armored else data)
    with refusal("malformed.pem", MalformedError):
        add_authority(session, "https://tsa.example", trust=[file])
