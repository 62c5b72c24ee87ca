"""Keys and certificates that lie in a token: public parts only, a private key never leaves it."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import load_der_x509_certificate
from pkcs11.constants import Attribute, ObjectClass
from pkcs11.exceptions import PKCS11Error
from pkcs11.mechanisms import KeyType

from evidence_desk.crypto.pki import KeyKind, kind_of
from evidence_desk.errors import PermissionDeniedError, UsageError
from evidence_desk.pkcs11.faults import token_faults
from evidence_desk.pkcs11.login import Login, log_in
from evidence_desk.pkcs11.module import TokenInfo, load

_P256: Final = bytes.fromhex("06082a8648ce3d030107")
"""DER of the OID prime256v1, as CKA_EC_PARAMS holds it."""
_MAX_OBJECTS: Final = 1000
_MAX_CERTIFICATE: Final = 64 * 1024

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyInfo:
    """A private key in a token.

    Attributes:
        label: CKA_LABEL. key_id: CKA_ID in hex.
        kind: None when certificates cannot be signed with its kind.
        can_sign: whether the token lets it sign. every_time: it wants the PIN again for each signature.
        spki: DER SubjectPublicKeyInfo, b"" when the token does not show it.
        certificate: DER certificate that belongs to it, b"" when the token holds none.
    """

    label: str
    key_id: str
    kind: KeyKind | None
    can_sign: bool
    every_time: bool
    spki: bytes
    certificate: bytes

    @property
    def name(self) -> str:
        """How to name it to a person."""
        return self.label or self.key_id


def list_keys(token: TokenInfo, pin: str) -> tuple[KeyInfo, ...]:
    """Private keys of a token, by label; ends a login that is kept for it.

    Raises:
        PermissionDeniedError, HostError: as `evidence_desk.pkcs11.login.log_in`.
    """
    module = load(token.module)
    login = log_in(module, token, pin)
    try:
        return read_keys(login)
    finally:
        login.end()


def read_keys(login: Login) -> tuple[KeyInfo, ...]:
    """Private keys of a token one is logged in to, by label."""
    with login.module.lock, token_faults(login.token.label):
        held = [(_bytes(item, Attribute.ID), der) for item, der in _certificates(login.session)]
        public = _objects(login.session, ObjectClass.PUBLIC_KEY)
        keys = [_key(item, public, held) for item in _objects(login.session, ObjectClass.PRIVATE_KEY)]
    return tuple(sorted(keys, key=lambda item: (item.label, item.key_id)))


def read_certificates(login: Login) -> tuple[bytes, ...]:
    """DER of all readable certificates of a token."""
    with login.module.lock, token_faults(login.token.label):
        return tuple(der for _, der in _certificates(login.session))


def find_key(login: Login, *, label: str, key_id: str) -> Any:
    """The library's object of a private key. Under the lock.

    Raises:
        PermissionDeniedError: ``signer.key_missing``, ``signer.key_cannot_sign``. UsageError: ``signer.key_several``.
    """
    with token_faults(login.token.label):
        found = [
            item
            for item in _objects(login.session, ObjectClass.PRIVATE_KEY)
            if _label(item) == label and _bytes(item, Attribute.ID).hex() == key_id
        ]
        name = label or key_id
        if not found:
            raise PermissionDeniedError("signer.key_missing", token=login.token.label, key=name)
        if len(found) > 1:
            raise UsageError("signer.key_several", token=login.token.label, keys=name)
        if not _flag(found[0], Attribute.SIGN, default=True):
            raise PermissionDeniedError("signer.key_cannot_sign", token=login.token.label)
    return found[0]


def asks_every_time(key: Any) -> bool:
    """Whether the key wants the PIN again for each signature (CKA_ALWAYS_AUTHENTICATE). Under the lock."""
    return _flag(key, Attribute.ALWAYS_AUTHENTICATE, default=False)


def choose_key(keys: Sequence[KeyInfo], wanted: str, *, token: str) -> KeyInfo:
    """The one key with label or ID `wanted`, or the only one that can sign when it is "".

    Raises:
        PermissionDeniedError: ``signer.key_missing``, ``signer.key_cannot_sign``. UsageError: ``signer.key_several``,
            ``signer.key_kind``.
    """
    if wanted:
        found = [item for item in keys if wanted == item.label or wanted.lower() == item.key_id]
    else:
        found = [item for item in keys if item.can_sign and item.kind is not None] or list(keys)
    if not found:
        raise PermissionDeniedError("signer.key_missing", token=token, key=wanted)
    if len(found) > 1:
        names = ", ".join(f"{item.label} ({item.key_id})" for item in found)
        raise UsageError("signer.key_several", token=token, keys=names[:300])
    (key,) = found
    if not key.can_sign:
        raise PermissionDeniedError("signer.key_cannot_sign", token=token)
    if key.kind is None:
        raise UsageError("signer.key_kind", key=key.name)
    return key


def public_key_of(certificate: bytes) -> PublicKey | None:
    """Public key of a DER certificate, None when it cannot be read or is of another kind."""
    try:
        key = load_der_x509_certificate(certificate).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey) else None


def spki_of(key: PublicKey) -> bytes:
    """DER SubjectPublicKeyInfo."""
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _key(item: Any, public: Sequence[Any], certificates: Sequence[tuple[bytes, bytes]]) -> KeyInfo:
    key_id, label = _bytes(item, Attribute.ID), _label(item)
    twins = [other for other in public if key_id and _bytes(other, Attribute.ID) == key_id]
    shown = next((found for found in map(_public, (item, *twins)) if found is not None), None)
    spki = b"" if shown is None else spki_of(shown)
    certificate = b""
    for owner, der in certificates:
        theirs = public_key_of(der)
        if theirs is not None and (spki_of(theirs) == spki if spki else bool(key_id) and owner == key_id):
            certificate, shown = der, shown or theirs
            break
    return KeyInfo(
        label=label,
        key_id=key_id.hex(),
        kind=kind_of(shown) if shown is not None else _hinted(item),
        can_sign=_flag(item, Attribute.SIGN, default=True),
        every_time=asks_every_time(item),
        spki=spki,
        certificate=certificate,
    )


def _hinted(item: Any) -> KeyKind | None:
    """Kind of a key whose public half the token does not show; the trial signature settles it."""
    kind = _read(item, Attribute.KEY_TYPE)
    if kind == KeyType.RSA:
        return KeyKind.RSA
    if kind == KeyType.EC and _bytes(item, Attribute.EC_PARAMS) == _P256:
        return KeyKind.P256
    return None


def _public(item: Any) -> PublicKey | None:
    """Public key that an object tells, None when it tells none or another kind."""
    with contextlib.suppress(ValueError, UnsupportedAlgorithm):
        if _read(item, Attribute.KEY_TYPE) == KeyType.RSA:
            modulus, exponent = _bytes(item, Attribute.MODULUS), _bytes(item, Attribute.PUBLIC_EXPONENT)
            numbers = rsa.RSAPublicNumbers(int.from_bytes(exponent, "big"), int.from_bytes(modulus, "big"))
            return numbers.public_key() if modulus and exponent else None
        point = _bytes(item, Attribute.EC_POINT)
        if point and _bytes(item, Attribute.EC_PARAMS) == _P256:
            # An OCTET STRING around the point; some modules give the bare point.
            bare = point[2:] if point[:3] == b"\x04\x41\x04" else point
            return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), bare)
    return None


def _certificates(session: Any) -> list[tuple[Any, bytes]]:
    found = []
    for item in _objects(session, ObjectClass.CERTIFICATE):
        der = _bytes(item, Attribute.VALUE)
        if 0 < len(der) <= _MAX_CERTIFICATE and public_key_of(der) is not None:
            found.append((item, der))
    return found


def _objects(session: Any, kind: ObjectClass) -> list[Any]:
    found = []
    for item in session.get_objects({Attribute.CLASS: kind}):
        found.append(item)
        if len(found) > _MAX_OBJECTS:
            break
    return found


def _read(item: Any, attribute: Attribute) -> Any:
    try:
        return item[attribute]
    except (PKCS11Error, NotImplementedError, ValueError):
        return None


def _bytes(item: Any, attribute: Attribute) -> bytes:
    value = _read(item, attribute)
    return value if isinstance(value, bytes) else b""


def _flag(item: Any, attribute: Attribute, *, default: bool) -> bool:
    value = _read(item, attribute)
    return value if isinstance(value, bool) else default


def _label(item: Any) -> str:
    value = _read(item, Attribute.LABEL)
    return value if isinstance(value, str) else ""
