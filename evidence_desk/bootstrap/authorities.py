"""Timestamp authorities of a desk: add, remove, put in order, try out. Roots are read strictly: no key gets into the settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from asn1crypto import crl as revocation
from asn1crypto import pem, x509

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.digests import sha256
from evidence_desk.core.rows import TimestampReply
from evidence_desk.errors import MalformedError, NotFoundError, UnreadableError, UsageError
from evidence_desk.settings import AuthorityKind, AuthoritySetting

_LIMIT: Final = 1 << 20
_DER: Final = {"CERTIFICATE": x509.Certificate, "X509 CRL": revocation.CertificateList}
_TRIAL: Final = sha256(b"evidence-desk authority test")


def add_authority(
    session: Session,
    url: str,
    *,
    name: str = "",
    trust: Sequence[Path] = (),
    policy: str = "",
    crl_urls: Sequence[str] = (),
    last: bool = False,
) -> AuthoritySetting:
    """Add an authority, tried first unless `last`.

    Raises:
        UsageError: ``authority_setting.exists``, and what its address or policy lacks. MalformedError: ``malformed.pem``.
        UnreadableError: a file of roots.
    """
    setting = AuthoritySetting(
        name=name or url, kind=AuthorityKind.HTTP, url=url, policy=policy,
        roots="".join(_pem(path) for path in trust), crl_urls=tuple(crl_urls),
    )  # fmt: skip
    present = session.settings
    if any(item.name == setting.name for item in present):
        raise UsageError("authority_setting.exists", name=setting.name)
    session.authority(setting)
    session.set_authorities((*present, setting) if last else (setting, *present))
    return setting


def remove_authority(session: Session, name: str) -> tuple[AuthoritySetting, ...]:
    """Ask it no more; one with roots is retired, for tokens of it are in the log. Returns what is left.

    Raises:
        NotFoundError: ``authority_setting.unknown``.
    """
    if not any(item.name == name for item in session.settings):
        raise NotFoundError("authority_setting.unknown", name=name)
    left = tuple(
        replace(item, kind=AuthorityKind.RETIRED) if item.name == name else item
        for item in session.settings
        if item.name != name or item.roots
    )
    session.set_authorities(left)
    return left


def prefer_authority(session: Session, name: str) -> None:
    """Ask this one first from now on; NotFoundError ``authority_setting.unknown``."""
    first = [item for item in session.settings if item.name == name]
    if not first:
        raise NotFoundError("authority_setting.unknown", name=name)
    session.set_authorities((*first, *(item for item in session.settings if item.name != name)))


def try_authority(session: Session, name: str = "") -> TimestampReply:
    """A trial token over nothing of the first authority, or of the one with this name.

    Raises:
        NotFoundError: ``authority_setting.unknown``. RemoteError: silent, refusing or wrong.
    """
    active = [item for item in session.settings if item.kind is not AuthorityKind.RETIRED]
    found = [item for item in active if not name or item.name == name]
    if not found:
        raise NotFoundError("authority_setting.unknown", name=name or "-")
    return session.authority(found[0]).timestamp(_TRIAL)


def _pem(path: Path) -> str:
    """PEM text of certificates and CRLs, read strictly; DER files are taken too."""
    try:
        with path.open("rb") as stream:
            data = stream.read(_LIMIT + 1)
    except OSError as error:
        code = "input.missing" if isinstance(error, FileNotFoundError) else "input.unreadable"
        raise UnreadableError(code, path=path.name, reason=error.strerror or "") from error
    if len(data) > _LIMIT:
        raise MalformedError("malformed.too_large", what=path.name, limit=_LIMIT)
    if pem.detect(data):
        return _checked(data)
    for label, kind in _DER.items():
        try:
            kind.load(data, strict=True).native  # noqa: B018 - parsing is the point
        except (ValueError, TypeError, RecursionError):
            continue
        armored: bytes = pem.armor(label, data)
        return armored.decode()
    raise MalformedError("malformed.pem")


def _checked(data: bytes) -> str:
    """PEM text with nothing but certificates and revocation lists in it, written anew: no key gets into the settings."""
    parts: list[bytes] = []
    try:
        for label, _headers, der in pem.unarmor(data, multiple=True):
            _DER[label].load(der, strict=True).native  # noqa: B018 - parsing is the point
            parts.append(pem.armor(label, der))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise MalformedError("malformed.pem") from error
    return b"".join(parts).decode()
