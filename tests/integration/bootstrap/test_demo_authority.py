"""The embedded demo authority of a vault keeps its revocation list fresh."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from evidence_desk.bootstrap.opening import init_session
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.digests import sha256
from tests.unit.vault.rows import CHEAP


class Later:
    """The session's clock, set forward."""

    def __init__(self, session: Session, by: timedelta) -> None:
        self._clock = session.clock
        self._by = by

    def now(self) -> datetime:
        return self._clock.now() + self._by


def test_revocation_list_is_renewed_when_the_vault_is_used_again(tmp_path: Path):
    session, _ = init_session(tmp_path / "vault", "x", office="test", demo=True, kdf=CHEAP)
    (setting,) = session.settings
    old = session.trust.authorities[0]
    assert session.authority(setting).timestamp(sha256(b"now")).crls == old.crls
    session.clock = Later(session, timedelta(days=400))
    reply = session.authority(setting).timestamp(sha256(b"later"))
    new = session.trust.authorities[0]
    assert new.certificates == old.certificates
    assert reply.crls == new.crls != old.crls
    assert session.settings[0].roots != setting.roots
    session.close()
