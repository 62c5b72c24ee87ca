"""Certificate paths from a signer to a pinned CA (RFC 5280 §6), bounded against hostile sets.

Our own builder instead of a library's: a set of cross-signed certificates must not cost more than a fixed number of
signature checks, critical extensions we do not process must be refused, and SM2 must work like the rest. No
certificate policies are processed: a CA that demands them by a critical policyConstraints is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from evidence_desk.crypto import der, oids
from evidence_desk.crypto.suites import Outcome
from evidence_desk.crypto.x509 import (
    KEY_CERT_SIGN,
    Certificate,
    NameKey,
    load_certificate,
    read_name,
    signed_by,
)
from evidence_desk.errors import MalformedError

MAX_LENGTH: Final = 8
MAX_POOL: Final = 128
MAX_SIGNATURE_CHECKS: Final = 64
MAX_PATHS: Final = 16

_PROCESSED: Final = frozenset(
    {
        oids.BASIC_CONSTRAINTS,
        oids.KEY_USAGE,
        oids.EXTENDED_KEY_USAGE,
        oids.NAME_CONSTRAINTS,
        oids.SUBJECT_ALT_NAME,
        oids.SUBJECT_KEY_ID,
        oids.AUTHORITY_KEY_ID,
        # Without explicit-policy demands these two have no say in whether a path is valid (RFC 5280 §6.1.1).
        oids.CERTIFICATE_POLICIES,
        oids.INHIBIT_ANY_POLICY,
        oids.POLICY_MAPPINGS,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """Paths whose signatures and constraints hold, signer first, root last; time is not judged yet.

    Attributes:
        rule: why there is none: ``no_path``, ``too_many``, or the rule that the last candidate broke.
    """

    found: tuple[tuple[Certificate, ...], ...]
    rule: str = ""


@lru_cache(maxsize=256)
def build_paths(signer: Certificate, pool: tuple[bytes, ...], roots: tuple[bytes, ...]) -> Paths:
    """All acceptable paths from `signer` over `pool` to one of `roots` (DER certificates), at most a few."""
    if len(pool) + len(roots) > MAX_POOL:
        return Paths(found=(), rule="too_many")
    anchors = _readable(roots)
    search = _Search(
        anchors=anchors, issuers=[*anchors, *(item for item in _readable(pool) if item not in anchors)]
    )
    search.extend((signer,))
    return Paths(found=tuple(search.found), rule="" if search.found else search.rule)


def _readable(encoded: tuple[bytes, ...]) -> list[Certificate]:
    found: list[Certificate] = []
    for item in encoded:
        try:
            certificate = load_certificate(item)
        except MalformedError:
            continue
        if certificate not in found:
            found.append(certificate)
    return found


class _Search:
    """Depth-first search with a budget of signature checks."""

    def __init__(self, *, anchors: list[Certificate], issuers: list[Certificate]) -> None:
        self._anchors = frozenset(anchors)
        self._issuers = issuers
        self._budget = MAX_SIGNATURE_CHECKS
        self.found: list[tuple[Certificate, ...]] = []
        self.rule = "no_path"

    def extend(self, path: tuple[Certificate, ...]) -> None:
        last = path[-1]
        for issuer in self._issuers:
            if len(self.found) >= MAX_PATHS or len(path) >= MAX_LENGTH:
                return
            if not _may_have_issued(issuer, last) or any(
                issuer.subject.key == item.subject.key and issuer.spki == item.spki for item in path
            ):
                continue
            if self._budget == 0:
                self.rule = "too_many"
                return
            self._budget -= 1
            longer = (*path, issuer)
            rule = (
                "signature" if signed_by(last, issuer).outcome is not Outcome.RIGHT else broken_rule(longer)
            )
            if rule:
                self.rule = rule
            elif issuer in self._anchors:
                self.found.append(longer)
            else:
                self.extend(longer)


def _may_have_issued(issuer: Certificate, subject: Certificate) -> bool:
    if not issuer.subject.key or issuer.subject.key != subject.issuer.key:
        return False
    wanted, offered = subject.authority_key_id, issuer.subject_key_id
    return wanted is None or offered is None or wanted == offered


def broken_rule(path: tuple[Certificate, ...]) -> str:
    """The rule of RFC 5280 §6.1.4 that the last certificate breaks as issuer of the others, "" when none."""
    issuer = path[-1]
    if not issuer.is_ca:
        return "not_a_ca"
    if issuer.key_usage is not None and KEY_CERT_SIGN not in issuer.key_usage:
        return "key_usage"
    if issuer.purposes is not None and not issuer.purposes & {
        oids.TIME_STAMPING,
        oids.ANY_EXTENDED_KEY_USAGE,
    }:
        return "purpose"
    below = sum(not item.self_issued for item in path[1:-1])
    if issuer.path_length is not None and below > issuer.path_length:
        return "path_length"
    if unprocessed(issuer):
        return "critical_extension"
    return "" if _names_allowed(issuer, path[:-1]) else "name_constraints"


def unprocessed(certificate: Certificate) -> str:
    """OID of a critical extension that we do not process, "" when there is none (RFC 5280 §4.2)."""
    for kind, extension in certificate.extensions.items():
        if extension.critical and kind not in _PROCESSED:
            return kind
    return ""


def _names_allowed(issuer: Certificate, below: tuple[Certificate, ...]) -> bool:
    """Name constraints for directory names (RFC 5280 §4.2.1.10); other name forms under a constraint are refused."""
    extension = issuer.extensions.get(oids.NAME_CONSTRAINTS)
    if extension is None:
        return True
    try:
        permitted, excluded, forms = _name_constraints(extension.value)
        return all(
            _name_allowed(item, permitted, excluded, forms)
            for index, item in enumerate(below)
            if not (item.self_issued and index)
        )
    except MalformedError:
        return False


def _name_allowed(
    certificate: Certificate, permitted: list[NameKey] | None, excluded: list[NameKey], forms: set[int]
) -> bool:
    names = [certificate.subject.key] if certificate.subject.key else []
    for other in certificate.alternative_names:
        if other[0] == 0xA4:
            names.append(_directory_name(other))
        elif other[0] & 0x1F in forms:
            return False
    if 1 in forms and any(kind == oids.EMAIL_ADDRESS for rdn in certificate.subject.key for kind, _ in rdn):
        return False
    if permitted is not None and not all(any(_within(name, base) for base in permitted) for name in names):
        return False
    return not any(_within(name, base) for name in names for base in excluded)


def _within(name: NameKey, base: NameKey) -> bool:
    return name[: len(base)] == base


def _directory_name(general: bytes) -> NameKey:
    element = der.parse(general, what="GeneralName", limit=len(general), tag=0xA4)
    return read_name(der.only(element, der.SEQUENCE)).key


def _name_constraints(encoded: bytes) -> tuple[list[NameKey] | None, list[NameKey], set[int]]:
    """Permitted directory names (None: any), excluded ones, and the tag numbers of constrained other forms."""
    fields = der.Fields(der.parse(encoded, what="NameConstraints", limit=64 * 1024))
    permitted: list[NameKey] = []
    excluded: list[NameKey] = []
    forms: set[int] = set()
    for tag, names in ((0xA0, permitted), (0xA1, excluded)):
        trees = fields.maybe(tag)
        for tree in [] if trees is None else trees.children():
            parts = der.Fields(tree)
            base = parts.take()
            parts.done()  # minimum 0 is the default and maximum must be absent, so nothing may follow
            if base.tag == 0xA4:
                names.append(_directory_name(base.encoded))
            else:
                forms.add(base.tag & 0x1F)
    fields.done()
    return (permitted or None), excluded, forms


def first_outside(path: tuple[Certificate, ...], moment: datetime) -> Certificate | None:
    """The first certificate of `path` that is not valid at `moment`."""
    return next((item for item in path if not item.valid_at(moment)), None)
