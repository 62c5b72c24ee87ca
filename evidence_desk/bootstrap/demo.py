"""Demo keys for timestamps and certificates, marked 演示/非第三方 by policy OID."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from evidence_desk.bootstrap import pem_texts
from evidence_desk.crypto.oids import DEMO_PDF_POLICY
from evidence_desk.crypto.pki import Identity, KeyKind, generate_key, make_ca, make_signer_certificate
from evidence_desk.settings import AuthorityKind, AuthoritySetting
from evidence_desk.vault.store import Vault

if TYPE_CHECKING:
    from evidence_desk.bootstrap.session import Session
    from tsa.authority.keys import AuthorityKeys

DEMO_CA: Final = "demo.tsa-ca"
DEMO_TSA: Final = "demo.tsa"


def make_demo(session: Session, others: tuple[AuthoritySetting, ...] = ()) -> None:
    """New demo keys for timestamps and certificates, both marked 演示/非第三方 by policy OID."""
    from tsa.authority.keys import make_demo_authority  # noqa: PLC0415

    now = session.clock.now()
    keys = make_demo_authority(KeyKind.P256, now=now)
    keep_demo(session.vault, keys)
    setting = AuthoritySetting(
        name="演示时间戳 demo", kind=AuthorityKind.EMBEDDED, roots=pem_texts.roots_of(keys.tsa)
    )
    session.set_authorities((setting, *others))
    session.signer.keep_identity(_demo_signer(now))  # a key in a token stays in use
    session.write_trust()


def use_demo_signer(session: Session) -> None:
    """Sign certificates with a new demo key (演示/非第三方), in the place of a key file's or a token's."""
    session.set_signer(_demo_signer(session.clock.now()))


def keep_demo(vault: Vault, keys: AuthorityKeys) -> None:
    """Store the embedded authority's keys."""
    vault.set_secret(DEMO_CA, keys.ca.to_bytes())
    vault.set_secret(DEMO_TSA, keys.tsa.to_bytes())


def _demo_signer(now: datetime) -> Identity:
    ca = make_ca("证据台演示签发根 Evidence Desk demo signing root", generate_key(KeyKind.P256), not_before=now,
                 years=20, policy=DEMO_PDF_POLICY)  # fmt: skip
    return make_signer_certificate(
        "证据台演示签发 Evidence Desk demo signer", generate_key(KeyKind.P256), ca, not_before=now, years=10
    )
