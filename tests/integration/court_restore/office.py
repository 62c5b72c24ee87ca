"""A law office's desk: seals, anchors, backs up, loses its disk, comes back."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from evidence_desk.bootstrap.opening import init_session
from evidence_desk.bootstrap.reader import network_setting
from evidence_desk.bootstrap.restoring import Restored, Secret, restore_backup, restore_network, settle
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.services.anchor import anchor
from evidence_desk.services.certify import certify
from evidence_desk.services.envelopes import envelopes_for
from evidence_desk.services.keybag_copy import CopyOutcome, send_copies
from evidence_desk.services.network import register
from evidence_desk.services.seal import SealRequest, seal
from evidence_desk.services.timestamp import timestamp
from evidence_desk.vault.backup import backup
from evidence_desk.verify.files import read_trust
from tests.integration.court_node.network import Network
from tests.unit.vault.rows import CHEAP

PASSPHRASE = "office"


@dataclass
class Office:
    folder: Path
    network: Network
    session: Session
    recovery_key: str
    restored: list[Session] = field(default_factory=list)

    @classmethod
    def found(cls, folder: Path, network: Network) -> Office:
        session, paper = init_session(folder / "vault", PASSPHRASE, office="test", demo=True, kdf=CHEAP)
        made = cls(folder, network, session, paper)
        roots = read_trust(made.trust)
        session.join_network(network_setting(roots, network.chain_id, made.gateways))
        outcome = register(session.desk, session.court(), session.registry_keys(), job=Job())
        assert outcome.status == "approved"
        assert made.send_copies().whole
        return made

    @property
    def trust(self) -> Path:
        return Path(self.network.ready["trust"])

    @property
    def gateways(self) -> tuple[str, ...]:
        return tuple(self.network.ready["gateways"])

    def file(self, name: str, content: str = "") -> Path:
        path = self.folder / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content or f"content of {name}")
        return path

    def seal(
        self, *names: str, case: str = "案一", session: Session | None = None, **request: object
    ) -> list[ExhibitRow]:
        """Seal one exhibit a name; a name that ends in a slash is a folder of twenty files."""
        paths = [self._path(name) for name in names]
        wanted = replace(SealRequest(case_number=case, court="某法院", parties=("张三", "李四")), **request)  # type: ignore[arg-type]
        outcomes = seal((session or self.session).desk, paths, wanted, job=Job())
        rows = [item.exhibit for item in outcomes if item.exhibit is not None]
        assert len(rows) == len(names), outcomes
        return rows

    def _path(self, name: str) -> Path:
        if not name.endswith("/"):
            return self.file(name)
        for number in range(20):
            self.file(f"{name}{number:02d}.txt")
        return self.folder / "files" / name

    def timestamp(self, session: Session | None = None) -> None:
        used = session or self.session
        timestamp(used.desk, used.authorities, job=Job())

    def certify(self, rows: Sequence[ExhibitRow]) -> str:
        fresh = [self.session.vault.exhibits.exhibit(row.leaf_hash) or row for row in rows]
        outcome = certify(
            self.session.desk, fresh, self.session.issuer(), trust=self.session.trust, job=Job()
        )
        return outcome.certificate.number

    def send_copies(self, session: Session | None = None) -> CopyOutcome:
        used = session or self.session
        return send_copies(used.desk, used.court())

    def anchor(self, session: Session | None = None) -> None:
        """As the command does."""
        used = session or self.session
        court = used.court()
        settle(used, court, secret=lambda: Secret(passphrase=PASSPHRASE), job=Job())
        assert send_copies(used.desk, court).whole
        outcome = anchor(used.desk, court, used.authorities, wait=True, job=Job(), envelopes=envelopes_for)
        assert outcome.waiting == 0
        assert not outcome.faults

    def backup(self, name: str = "backup") -> Path:
        backup(self.session.vault, self.folder / name)
        return self.folder / name

    def lose_disk(self) -> None:
        self.session.close()
        shutil.rmtree(self.session.vault.folder)

    def from_network(self, name: str = "again", *, origin: str = "", paper: str = "") -> Restored:
        restored = restore_network(
            self.folder / name, origin=origin or self.session.vault.origin,
            recovery_key=paper or self.recovery_key, gateways=self.gateways, trust=read_trust(self.trust),
            chain_id=self.network.chain_id, job=Job(),
        )  # fmt: skip
        self.restored.append(restored.session)
        return restored

    def from_backup(
        self,
        file: Path,
        name: str = "again",
        *,
        by_paper: bool = False,
        offline: bool = False,
        further: bool = False,
    ) -> Restored:
        secret = Secret(recovery_key=self.recovery_key) if by_paper else Secret(passphrase=PASSPHRASE)
        restored = restore_backup(
            file, self.folder / name, secret, job=Job(), offline=offline, further_epoch=further
        )
        self.restored.append(restored.session)
        return restored

    def close(self) -> None:
        for session in (self.session, *self.restored):
            session.close()
