"""Judge the certificates that servers showed in a capture: name, validity, stapled revocation, and path to given roots.

Which certificate was shown is what the list of TLS sessions says; that the list follows from the streams, the check of the
decryption shows. Without roots it stays undetermined whose servers they were.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509 import verification

from evidence_desk.core.canonical import JSON, decode
from evidence_desk.core.capture.connection import parse_index
from evidence_desk.core.capture.redaction import INDEX
from evidence_desk.core.digests import sha256
from evidence_desk.core.verdict import Dimension, Parameter, Status, Vouches
from evidence_desk.crypto import oids
from evidence_desk.crypto.x509 import CERTIFICATE_LIMIT, load_certificate
from evidence_desk.errors import MalformedError
from evidence_desk.verify.capture_work import Work, read, reason_of
from evidence_desk.wacz.archive import URN
from evidence_desk.wacz.build import SESSIONS
from evidence_desk.wacz.read import WaczReader
from tsa.verify.ocsp import OCSP_LIMIT, ask_ocsp

MAX_CHAIN: Final = 16
MAX_HOSTS: Final = 2_000
_TOLD: Final = 20
"""Servers that are told one by one."""
_MAX_LIST: Final = 512 << 20
_CHECK: Final = "capture.server"


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a server showed: host, SHA-256 of its certificates (hex, leaf first) and of the stapled response."""

    host: str
    chain: tuple[str, ...]
    ocsp: str | None
    logged: bool
    """Whether timestamps of certificate transparency came with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    host: str
    outcome: str
    stapled: bool = False
    logged: bool = False
    subject: str = ""
    until: str = ""


def check_servers(work: Work, reader: WaczReader, at: datetime, roots: Sequence[bytes]) -> None:
    """One finding for all servers that nothing speaks against, one for each other.

    Args:
        work: gets the findings.
        reader: of the capture.
        at: moment of the capture.
        roots: DER certificates to come to; none leaves undetermined who the servers were.
    """
    if SESSIONS in work.withheld or SESSIONS not in reader.evidence:
        return
    try:
        store = _store(roots)
        judged = [_judge(item, reader, at, store) for item in _shown(reader)]
    except MalformedError as error:
        work.failed(Dimension.ENVIRONMENT, _CHECK, "malformed", reason=reason_of(error))
        return
    ca = Vouches.CERTIFICATE_AUTHORITY
    for outcome, status in (("right", Status.PASSED), ("unknown", Status.UNDETERMINED)):
        group = [item for item in judged if item.outcome == outcome]
        facts: dict[str, Parameter] = {
            "count": len(group), "stapled": sum(item.stapled for item in group),
            "logged": sum(item.logged for item in group),
        }  # fmt: skip
        if group:
            work.add(Dimension.ENVIRONMENT, _CHECK, status, outcome, ca, **facts)
    bad = [item for item in judged if item.outcome not in ("right", "unknown")]
    for item in bad[:_TOLD]:
        work.add(
            Dimension.ENVIRONMENT, _CHECK, Status.FAILED, item.outcome, ca,
            host=item.host, subject=item.subject, until=item.until,
        )  # fmt: skip
    if len(bad) > _TOLD:
        work.failed(Dimension.ENVIRONMENT, _CHECK, "more", count=len(bad) - _TOLD)


def _shown(reader: WaczReader) -> list[_Shown]:
    """Each certificate once a host, of sessions in which one was shown; in order."""
    hosts = {item.number: item.host for item in parse_index(read(reader, INDEX, _MAX_LIST))}
    found: dict[_Shown, None] = {}
    for value in _sessions(read(reader, SESSIONS, _MAX_LIST)):
        number, sni, chain = value.get("connection"), value.get("sni"), _texts(value.get("certificates"))
        if not chain or type(number) is not int or number not in hosts:
            continue
        ocsp, scts = value.get("ocsp"), value.get("scts")
        item = _Shown(
            sni if isinstance(sni, str) else hosts[number],
            tuple(chain[:MAX_CHAIN]),
            ocsp if isinstance(ocsp, str) else None,
            bool(scts) or value.get("embedded_scts") is True,
        )
        if len(found) < MAX_HOSTS:
            found[item] = None
    return list(found)


def _sessions(data: bytes) -> Iterator[dict[str, JSON]]:
    for line in data.splitlines():
        value = decode(line, what=SESSIONS, limit=_MAX_LIST)
        if not isinstance(value, dict):
            raise MalformedError("malformed.records", reason=SESSIONS)
        yield value


def _texts(value: JSON) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _judge(shown: _Shown, reader: WaczReader, at: datetime, store: verification.Store | None) -> _Judged:
    host = shown.host.removesuffix(".")
    judged = _Judged(host=host[:255], outcome="missing", logged=shown.logged)
    chain = [_stored(reader, "certificate", digest, CERTIFICATE_LIMIT) for digest in shown.chain]
    if chain[0] is None:
        return judged
    try:
        leaf = x509.load_der_x509_certificate(chain[0])
        subject = leaf.subject.rfc4514_string()[:200]
        begins, ends, names = leaf.not_valid_before_utc, leaf.not_valid_after_utc, _names(leaf)
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension):
        return replace(judged, outcome="unreadable")
    judged = replace(judged, subject=subject, until=ends.date().isoformat())
    if not begins <= at <= ends:
        return replace(judged, outcome="expired")
    if not any(_is_name(host, name) for name in names):
        return replace(judged, outcome="name")
    ocsp = None if shown.ocsp is None else _stored(reader, "ocsp", shown.ocsp, OCSP_LIMIT)
    if ocsp is not None and len(chain) > 1 and chain[1] is not None:
        said = _stapled(ocsp, chain[0], chain[1], at)
        if said is False:
            return replace(judged, outcome="revoked")
        judged = replace(judged, stapled=said is True)
    if store is None:
        return replace(judged, outcome="unknown")
    others = [item for item in chain[1:] if item is not None]
    return replace(judged, outcome=_trusted(leaf, others, host, at, store))


def _stored(reader: WaczReader, kind: str, digest: str, limit: int) -> bytes | None:
    """A certificate or response in the archive by its SHA-256; None when it is not there."""
    found = reader.find(f"{URN}{kind}:sha256:{digest}")
    if found is None:
        return None
    data = found.body.read(limit + 1)
    return data if sha256(data).hex() == digest else None


def _stapled(response: bytes, leaf: bytes, issuer: bytes, at: datetime) -> bool | None:
    """Whether a stapled response says at `at` that the certificate is not revoked; None when it says nothing."""
    try:
        answer = ask_ocsp(response, load_certificate(leaf), load_certificate(issuer))
    except MalformedError:
        return None
    if answer is None:
        return None
    if answer.revocation is not None:
        return False if answer.revocation.at <= at else None
    current = answer.this_update <= at and (answer.next_update is None or at <= answer.next_update)
    return True if current else None


def _store(roots: Sequence[bytes]) -> verification.Store | None:
    try:
        return verification.Store([x509.load_der_x509_certificate(item) for item in roots]) if roots else None
    except (ValueError, UnsupportedAlgorithm) as error:
        raise MalformedError("malformed.extra_ca") from error


def _trusted(
    leaf: x509.Certificate, others: Sequence[bytes], host: str, at: datetime, store: verification.Store
) -> str:
    """``right`` when a path leads to one of the roots (RFC 5280 §6), ``unknown`` for signatures that are not checked here."""
    absent = (x509.AuthorityKeyIdentifier, verification.Criticality.NON_CRITICAL, None)
    builder = verification.PolicyBuilder().store(store).time(at)
    builder = builder.extension_policies(  # as browsers do: what is absent there forges nothing
        ca_policy=verification.ExtensionPolicy.webpki_defaults_ca().may_be_present(*absent),
        ee_policy=verification.ExtensionPolicy.webpki_defaults_ee().may_be_present(*absent),
    )
    try:
        pool = [x509.load_der_x509_certificate(item) for item in others]
        if any(item.signature_algorithm_oid.dotted_string == oids.SM2_SM3 for item in (leaf, *pool)):
            return "unknown"
        address = _address(host)
        subject: verification.Subject = x509.DNSName(host) if address is None else x509.IPAddress(address)
        builder.build_server_verifier(subject).verify(leaf, pool)
    except (ValueError, UnsupportedAlgorithm, verification.VerificationError):
        return "untrusted"
    return "right"


def _names(leaf: x509.Certificate) -> list[str]:
    """Names a certificate is for: DNS names in lower case, addresses (RFC 9525 §6)."""
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [
        *(item.lower() for item in names.get_values_for_type(x509.DNSName)),
        *map(str, names.get_values_for_type(x509.IPAddress)),
    ]


def _is_name(host: str, name: str) -> bool:
    """Whether a certificate's name covers a host; a star stands for one label, the first."""
    host = host.lower()
    if name.startswith("*.") and _address(host) is None:
        label, _, rest = host.partition(".")
        return bool(label) and rest == name[2:] and "." in rest
    return host == name


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
