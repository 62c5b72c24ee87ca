"""After a restore: exhibits of the former log are timestamped and proven under the new one, and still verify."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from evidence_desk.bootstrap.opening import init_session
from evidence_desk.bootstrap.restoring import restore_session
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.core.leaf import parse_leaf
from evidence_desk.core.verdict import Status
from evidence_desk.services.export import export
from evidence_desk.services.prove import prove
from evidence_desk.services.seal import SealRequest, seal
from evidence_desk.services.timestamp import timestamp
from evidence_desk.vault.backup import backup
from evidence_desk.verify.package import verify_package
from tests.unit.verify.evidence import PASSPHRASE, Item, codes, given, overall

CONTENTS = {"before": b"stamped before", "waiting": b"sealed before, stamped after", "after": b"sealed after"}


class Restored:
    """A desk restored while one exhibit still waited for its timestamp."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        first = init_session(folder / "vault", PASSPHRASE, office="example", demo=True)[0]
        self.rows: dict[str, bytes] = {}
        self.seal(first, "before")
        timestamp(first.desk, first.authorities, job=Job())
        self.seal(first, "waiting")
        backup(first.vault, folder / "backup")
        first.close()
        self.session = restore_session(
            folder / "backup", folder / "new", passphrase=PASSPHRASE, recovery_key=None, job=Job()
        )
        timestamp(self.session.desk, self.session.authorities, job=Job())
        self.seal(self.session, "after")
        timestamp(self.session.desk, self.session.authorities, job=Job())

    def seal(self, session: Session, name: str) -> None:
        path = self.folder / name
        path.write_bytes(CONTENTS[name])
        (outcome,) = seal(session.desk, [path], SealRequest(), job=Job())
        assert outcome.exhibit is not None
        self.rows[name] = outcome.exhibit.leaf_hash

    def item(self, name: str) -> Item:
        row = self.session.desk.store.exhibits.exhibit(self.rows[name])
        assert row is not None
        return Item(
            proof=prove(self.session.desk, row),
            statement=row.statement,
            disclosures=row.disclosures,
            files=(given(name, CONTENTS[name]),),
            row=row,
        )


@pytest.fixture(scope="module")
def restored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Restored]:
    made = Restored(tmp_path_factory.mktemp("restored"))
    yield made
    made.session.close()


@pytest.mark.parametrize("name", list(CONTENTS))
def test_every_exhibit_verifies_under_its_own_log(restored: Restored, name):
    item = restored.item(name)
    verdict = item.judge(restored.session.trust)
    assert codes(verdict.findings, Status.FAILED) == set()
    assert overall(verdict) is Status.PASSED
    assert parse_leaf(item.proof.leaf.leaf).log.endswith("/2" if name == "after" else "/1")


def test_token_taken_after_the_restore_is_not_attested_in_the_former_log(restored: Restored):
    (time,) = restored.item("waiting").proof.times
    assert time.attested is None
    assert time.checkpoint is None
    verdict = restored.item("waiting").judge(restored.session.trust)
    assert "time.attested.missing" in codes(verdict.findings, Status.UNDETERMINED)


@pytest.mark.parametrize("name", list(CONTENTS))
def test_package_of_the_successor_passes(restored: Restored, name):
    row = restored.item(name).row
    assert row is not None
    out = io.BytesIO()
    export(restored.session.desk, row, out, trust=restored.session.trust, job=Job())
    verdict = verify_package(out, trust=restored.session.trust, now=datetime.now(UTC), job=Job())
    assert codes(verdict.findings, Status.FAILED) == set()
    assert verdict.overall is Status.PASSED
