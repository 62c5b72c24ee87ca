"""Keys of the embedded authority: a demo CA and a TSA certificate under it, made at the first run and kept private.

The demo CA is nobody's third party; its names and its policy say so. Keys of an institution are not stored here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from asn1crypto import crl as asn1_crl
from asn1crypto import x509

from evidence_desk.crypto.oids import DEMO_TSA_POLICY
from evidence_desk.crypto.pki import (
    Identity,
    KeyKind,
    Revoked,
    generate_key,
    make_ca,
    make_crl,
    make_tsa_certificate,
)
from evidence_desk.errors import HostError, UnreadableError
from tsa.authority.durable import exclusive, write_durably

CA_NAME: Final = "证据台演示时间戳根 Evidence Desk demo TSA root"
TSA_NAME: Final = "证据台演示时间戳 Evidence Desk demo TSA"
CA_YEARS: Final = 20
TSA_YEARS: Final = 10
CRL_LIFE: Final = timedelta(days=366)
CRL_RENEWAL: Final = timedelta(days=7)
"""A list older than this is made anew when the authority starts."""
TSA_RENEWAL: Final = timedelta(days=366)
"""A TSA certificate with less left than this is replaced, with a new key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorityKeys:
    """The demo CA and the TSA certificate that it issued; both hold the newest revocation list."""

    ca: Identity
    tsa: Identity


def make_demo_authority(kind: KeyKind, *, now: datetime) -> AuthorityKeys:
    """A new demo CA and TSA certificate, policy `DEMO_TSA_POLICY`."""
    ca = make_ca(CA_NAME, generate_key(kind), not_before=now, years=CA_YEARS, policy=DEMO_TSA_POLICY)
    tsa = make_tsa_certificate(TSA_NAME, generate_key(kind), ca, not_before=now, years=TSA_YEARS)
    return AuthorityKeys(ca=ca, tsa=tsa)


def refresh(keys: AuthorityKeys, *, now: datetime) -> AuthorityKeys:
    """The same keys with a revocation list younger than a week, and a TSA certificate good for a year at least.

    A clock before the list's own beginning changes nothing: what it would sign could not be true.
    """
    present = asn1_crl.CertificateList.load(keys.ca.crl)["tbs_cert_list"]
    if now - present["this_update"].native > CRL_RENEWAL:
        keys = _with_crl(keys, present, now)
    if x509.Certificate.load(keys.tsa.certificate).not_valid_after - now < TSA_RENEWAL:
        renewed = make_tsa_certificate(
            TSA_NAME, generate_key(keys.tsa.key.kind), keys.ca, not_before=now, years=TSA_YEARS
        )
        keys = replace(keys, tsa=renewed)
    return keys


def _with_crl(keys: AuthorityKeys, present: asn1_crl.TbsCertList, now: datetime) -> AuthorityKeys:
    number = next(
        item["extn_value"].parsed.native
        for item in present["crl_extensions"]
        if item["extn_id"].native == "crl_number"
    )
    revoked = [
        Revoked(
            serial=entry["user_certificate"].native,
            at=entry["revocation_date"].native,
            reason=_reason(entry),
        )
        for entry in present["revoked_certificates"] or ()
    ]
    renewed = make_crl(
        keys.ca, this_update=now, next_update=now + CRL_LIFE, number=number + 1, revoked=revoked
    )
    return AuthorityKeys(ca=replace(keys.ca, crl=renewed), tsa=replace(keys.tsa, crl=renewed))


def _reason(entry: asn1_crl.RevokedCertificate) -> str | None:
    value = entry.crl_reason_value
    return None if value is None else str(value.native)


def open_keys(folder: Path, kind: KeyKind, *, now: datetime) -> AuthorityKeys:
    """Keys kept in `folder`, made when there are none; readable by their owner only, not encrypted.

    Raises:
        HostError: ``authority.state`` when the folder can't be written.
        MalformedError: ``pki.identity`` when a key file is damaged.
        UnreadableError: ``authority.keys_incomplete`` when one of the two files is missing.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with exclusive(folder / "keys.lock"):
            found = _read(folder)
            keys = refresh(found, now=now) if found else make_demo_authority(kind, now=now)
            if keys != found:
                write_durably(folder / "ca.identity", keys.ca.to_bytes())
                write_durably(folder / "tsa.identity", keys.tsa.to_bytes())
    except OSError as error:
        raise HostError("authority.state", reason=error.strerror or "") from error
    return keys


def _read(folder: Path) -> AuthorityKeys | None:
    paths = (folder / "ca.identity", folder / "tsa.identity")
    present = [path.exists() for path in paths]
    if not any(present):
        return None
    if not all(present):
        raise UnreadableError("authority.keys_incomplete", file=paths[present.index(False)].name)
    ca, tsa = (Identity.from_bytes(path.read_bytes()) for path in paths)
    return AuthorityKeys(ca=ca, tsa=tsa)
