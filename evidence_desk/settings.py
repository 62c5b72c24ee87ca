"""Typed settings of a vault, kept inside its encrypted database."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.core.ports import ExhibitStore
from evidence_desk.errors import MalformedError

_AUTHORITIES: Final = "authorities"
_SIGNERS: Final = "signers"
_PERSON_ROOTS: Final = "persons.roots"
_NETWORKS: Final = "networks"
_PKCS11: Final = "signer.pkcs11"
_TWO_PERSON: Final = "two_person"
_PROXY: Final = "proxy"
_RETENTION: Final = "retention"
MAX_DAYS: Final = 3650
MAX_YEARS: Final = 100
_LIMIT: Final = 32 * 1024 * 1024


class AuthorityKind(StrEnum):
    """Where tokens come from."""

    EMBEDDED = "embedded"
    HTTP = "http"
    RETIRED = "retired"
    """Not asked any more; its roots stay, because tokens of it are in the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthoritySetting:
    """One configured timestamp authority; the list is tried in order.

    Attributes:
        url: "" for the embedded one.
        policy: OID asked for, "" for the authority's own choice.
        roots: PEM text of its CA certificates (and CRLs): given by hand, or the embedded one's; "" when none.
        crl_urls: where its revocation lists are fetched.
    """

    name: str
    kind: AuthorityKind
    url: str = ""
    policy: str = ""
    roots: str = ""
    crl_urls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSetting:
    """A court network that the desk joined; the first of the list is the one it anchors in.

    Attributes:
        gateways: addresses, in the order they are asked; none on a desk without network connection.
        network: trust in it (``network/1``), as it was given.
        authorities: timestamp authorities of its trust folder: name and PEM text; tokens over its headers are theirs.
    """

    chain_id: str
    gateways: tuple[str, ...]
    network: bytes
    authorities: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pkcs11Setting:
    """A key in a token that signs certificates; the PIN is never stored.

    Attributes:
        module: absolute path of the PKCS#11 module.
        token_label, token_serial: of the token. key_label: of the key. key_id: its CKA_ID in hex.
        certificate: DER. chain: DER certificates above it, the nearest first.
    """

    module: str
    token_label: str
    token_serial: str
    key_label: str
    key_id: str
    certificate: bytes
    chain: tuple[bytes, ...] = ()


def load_networks(store: ExhibitStore) -> tuple[NetworkSetting, ...]:
    """Court networks joined, the present one first."""
    data = store.get_setting(_NETWORKS)
    value = [] if data is None else decode(data, what=_NETWORKS, limit=_LIMIT)
    if not isinstance(value, list):
        raise MalformedError("malformed.setting", name=_NETWORKS)
    return tuple(_network(item) for item in value)


def save_networks(store: ExhibitStore, networks: tuple[NetworkSetting, ...]) -> None:
    """Replace the list; call within a transaction."""
    value: list[JSON] = [
        {
            "chain_id": item.chain_id,
            "gateways": list[JSON](item.gateways),
            "network": base64.b64encode(item.network).decode(),
            "authorities": [[name, roots] for name, roots in item.authorities],
        }
        for item in networks
    ]
    store.set_setting(_NETWORKS, encode(value))


def load_authorities(store: ExhibitStore) -> tuple[AuthoritySetting, ...]:
    """Configured authorities, in order."""
    data = store.get_setting(_AUTHORITIES)
    if data is None:
        return ()
    value = decode(data, what=_AUTHORITIES, limit=_LIMIT)
    if not isinstance(value, list):
        raise MalformedError("malformed.setting", name=_AUTHORITIES)
    return tuple(_authority(item) for item in value)


def save_authorities(store: ExhibitStore, authorities: tuple[AuthoritySetting, ...]) -> None:
    """Replace the list; call within a transaction."""
    value: list[JSON] = [
        {
            "name": item.name, "kind": item.kind.value, "url": item.url, "policy": item.policy,
            "roots": item.roots, "crl_urls": list[JSON](item.crl_urls),
        }
        for item in authorities
    ]  # fmt: skip
    store.set_setting(_AUTHORITIES, encode(value))


def load_signer_roots(store: ExhibitStore) -> tuple[str, ...]:
    """PEM texts (root certificate and its revocation list) of every key that ever signed certificates here."""
    return _texts(store, _SIGNERS)


def save_signer_roots(store: ExhibitStore, roots: tuple[str, ...]) -> None:
    """Replace the list; call within a transaction."""
    store.set_setting(_SIGNERS, encode(list[JSON](roots)))


def load_person_roots(store: ExhibitStore) -> tuple[str, ...]:
    """PEM texts, as `load_signer_roots`, of every credential ever enrolled: they serve for confirmations alone."""
    return _texts(store, _PERSON_ROOTS)


def save_person_roots(store: ExhibitStore, roots: tuple[str, ...]) -> None:
    """Replace the list; call within a transaction."""
    store.set_setting(_PERSON_ROOTS, encode(list[JSON](roots)))


def load_pkcs11(store: ExhibitStore) -> Pkcs11Setting | None:
    """The key in a token that signs certificates, None when it is one in the key file."""
    data = store.get_setting(_PKCS11)
    value = None if data is None else decode(data, what=_PKCS11, limit=_LIMIT)
    if value is None:
        return None
    try:
        item = value if isinstance(value, dict) else {}
        chain = item["chain"]
        if not isinstance(chain, list):
            raise MalformedError("malformed.setting", name=_PKCS11)
        return Pkcs11Setting(
            module=str(item["module"]),
            token_label=str(item["token_label"]),
            token_serial=str(item["token_serial"]),
            key_label=str(item["key_label"]),
            key_id=str(item["key_id"]),
            certificate=base64.b64decode(str(item["certificate"]), validate=True),
            chain=tuple(base64.b64decode(str(der), validate=True) for der in chain),
        )
    except (KeyError, ValueError) as error:
        raise MalformedError("malformed.setting", name=_PKCS11) from error


def save_pkcs11(store: ExhibitStore, setting: Pkcs11Setting | None) -> None:
    """Set the key in a token, or none; call within a transaction."""
    value: JSON = None
    if setting is not None:
        value = {
            "module": setting.module, "token_label": setting.token_label, "token_serial": setting.token_serial,
            "key_label": setting.key_label, "key_id": setting.key_id,
            "certificate": base64.b64encode(setting.certificate).decode(),
            "chain": [base64.b64encode(der).decode() for der in setting.chain],
        }  # fmt: skip
    store.set_setting(_PKCS11, encode(value))


def load_two_person(store: ExhibitStore) -> bool:
    """Whether a certificate needs a second person's confirmation (双人出证)."""
    data = store.get_setting(_TWO_PERSON)
    value = False if data is None else decode(data, what=_TWO_PERSON, limit=_LIMIT)
    if not isinstance(value, bool):
        raise MalformedError("malformed.setting", name=_TWO_PERSON)
    return value


def save_two_person(store: ExhibitStore, *, on: bool) -> None:
    """Turn the two-person mode on or off; call within a transaction."""
    store.set_setting(_TWO_PERSON, encode(on))


UNSEEN_KEY: Final = {"recovery_key.unseen": b"true"}
"""Setting of a new vault whose recovery key nobody is known to have written down."""


def load_key_unseen(store: ExhibitStore) -> bool:
    """Whether nobody is known to have written down the recovery key."""
    return all(store.get_setting(name) == value for name, value in UNSEEN_KEY.items())


def save_key_seen(store: ExhibitStore) -> None:
    """Somebody has it; call within a transaction."""
    for name in UNSEEN_KEY:
        store.set_setting(name, b"false")


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """When the desk says that something is due. It never deletes anything by itself.

    Attributes:
        backup_days: 1 to `MAX_DAYS`; a backup older than this is old.
        recheck_days: 1 to `MAX_DAYS`; likewise the last re-check of originals.
        keep_years: 0 to `MAX_YEARS` after its last exhibit a case is told as past its term; 0 for no term.
    """

    backup_days: int = 7
    recheck_days: int = 90
    keep_years: int = 0

    def __post_init__(self) -> None:
        """Refuse what is out of bounds (ValueError)."""
        days = range(1, MAX_DAYS + 1)
        if (
            self.backup_days not in days
            or self.recheck_days not in days
            or not 0 <= self.keep_years <= MAX_YEARS
        ):
            raise ValueError("retention")


def load_retention(store: ExhibitStore) -> Retention:
    """Reminders of this vault.

    Raises:
        MalformedError: ``malformed.setting``.
    """
    data = store.get_setting(_RETENTION)
    if data is None:
        return Retention()
    value = decode(data, what=_RETENTION, limit=_LIMIT)
    names = {"backup_days", "recheck_days", "keep_years"}
    if (
        not isinstance(value, dict)
        or set(value) != names
        or not all(type(item) is int for item in value.values())
    ):
        raise MalformedError("malformed.setting", name=_RETENTION)
    try:
        return Retention(**{name: int(str(value[name])) for name in names})
    except ValueError as error:
        raise MalformedError("malformed.setting", name=_RETENTION) from error


def save_retention(store: ExhibitStore, retention: Retention) -> None:
    """Set the reminders; call within a transaction."""
    value: dict[str, JSON] = {
        "backup_days": retention.backup_days, "recheck_days": retention.recheck_days,
        "keep_years": retention.keep_years,
    }  # fmt: skip
    store.set_setting(_RETENTION, encode(value))


def load_proxy(store: ExhibitStore) -> str:
    """Address of the proxy between this desk and the network; empty: as the system says."""
    data = store.get_setting(_PROXY)
    value = "" if data is None else decode(data, what=_PROXY, limit=_LIMIT)
    if not isinstance(value, str):
        raise MalformedError("malformed.setting", name=_PROXY)
    return value


def save_proxy(store: ExhibitStore, url: str) -> None:
    """Set the proxy; call within a transaction."""
    store.set_setting(_PROXY, encode(url))


def _texts(store: ExhibitStore, name: str) -> tuple[str, ...]:
    data = store.get_setting(name)
    value = [] if data is None else decode(data, what=name, limit=_LIMIT)
    if not isinstance(value, list):
        raise MalformedError("malformed.setting", name=name)
    return tuple(str(item) for item in value)


def _authority(value: JSON) -> AuthoritySetting:
    if not isinstance(value, dict):
        raise MalformedError("malformed.setting", name=_AUTHORITIES)
    urls = value.get("crl_urls")
    try:
        return AuthoritySetting(
            name=str(value["name"]),
            kind=AuthorityKind(str(value["kind"])),
            url=str(value["url"]),
            policy=str(value["policy"]),
            roots=str(value["roots"]),
            crl_urls=tuple(str(item) for item in urls) if isinstance(urls, list) else (),
        )
    except (KeyError, ValueError) as error:
        raise MalformedError("malformed.setting", name=_AUTHORITIES) from error


def _network(value: JSON) -> NetworkSetting:
    try:
        item = value if isinstance(value, dict) else {}
        gateways, authorities = item["gateways"], item["authorities"]
        if not isinstance(gateways, list) or not isinstance(authorities, list):
            raise MalformedError("malformed.setting", name=_NETWORKS)
        pairs = [pair for pair in authorities if isinstance(pair, list) and len(pair) == 2]
        return NetworkSetting(
            chain_id=str(item["chain_id"]),
            gateways=tuple(str(url) for url in gateways),
            network=base64.b64decode(str(item["network"]), validate=True),
            authorities=tuple((str(name), str(roots)) for name, roots in pairs),
        )
    except (KeyError, binascii.Error) as error:
        raise MalformedError("malformed.setting", name=_NETWORKS) from error
