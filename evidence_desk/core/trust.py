"""Trust manifest ``trust.json``: what a verifier starts from. One schema for the shipped bundle and a given folder.

Pure: bytes of the folder's files in, trust roots out. Trust found inside a package is never passed here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from asn1crypto import pem

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.core.checkpoint import check_origin
from evidence_desk.core.digests import parse_hex, sha256
from evidence_desk.core.note import NoteKeys, parse_keys
from evidence_desk.errors import MalformedError

VERSION: Final = "trust/1"
MANIFEST: Final = "trust.json"
MAX_MANIFEST: Final = 1024 * 1024
MAX_FILE: Final = 4 * 1024 * 1024
MAX_FILES: Final = 1_000
_CHAIN_ID: Final = re.compile(r"[!-~]{1,50}\Z")
_NAME: Final = re.compile(r"[^./\\:\x00-\x1f][^/\\:\x00-\x1f]{0,199}\Z")
"""A plain file name: no folder, drive or stream (``C:x``, ``x:y`` on Windows), not hidden."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roots:
    """Certificates to chain to, with the revocation lists that came with them (DER)."""

    name: str
    certificates: tuple[bytes, ...]
    crls: tuple[bytes, ...] = ()
    policies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Trust roots of one verification.

    Attributes:
        authorities: timestamp authorities; `signers`: CAs of certificate signers.
        persons: roots of those who confirm certificates (复核人), each for confirmations alone: a person's own CA signs no certificate.
        desks: origin → checkpoint keys; `former`: those that were replaced by a rotation.
        networks: chain ID → trust in a court network (``network/1``), as it came; read by ``verify``.
        fingerprint: SHA-256 of trust.json in hex, "" when nothing was given.
    """

    authorities: tuple[Roots, ...] = ()
    signers: tuple[Roots, ...] = ()
    persons: tuple[Roots, ...] = ()
    desks: Mapping[str, NoteKeys] = field(default_factory=dict)
    former: Mapping[str, tuple[NoteKeys, ...]] = field(default_factory=dict)
    networks: Mapping[str, bytes] = field(default_factory=dict)
    fingerprint: str = ""


NO_TRUST: Final = Trust()


def encode_manifest(
    *, authorities: Mapping[str, tuple[str, ...]], signers: Mapping[str, tuple[str, ...]],
    desks: Mapping[str, str], files: Mapping[str, bytes], networks: Mapping[str, str] | None = None,
    former: Mapping[str, tuple[str, ...]] | None = None, persons: Mapping[str, tuple[str, ...]] | None = None,
) -> bytes:  # fmt: skip
    """Write trust.json: names → file names of PEM certificates and CRLs, origins → .vkey files, chain IDs → network files."""
    present: list[JSON] = [{"origin": origin, "file": name} for origin, name in desks.items()]
    replaced: list[JSON] = [
        {"origin": origin, "file": name, "former": True}
        for origin, names in (former or {}).items()
        for name in names
    ]
    value: dict[str, JSON] = {
        "v": VERSION,
        "authorities": _named(authorities),
        "signers": _named(signers),
        "desks": [*present, *replaced],
        "networks": [{"chain_id": chain_id, "file": name} for chain_id, name in (networks or {}).items()],
        "files": {name: sha256(data).hex() for name, data in files.items()},
    }
    if persons:
        value["persons"] = _named(persons)
    return encode(value)


def _named(roots: Mapping[str, tuple[str, ...]]) -> list[JSON]:
    return [{"name": name, "files": list[JSON](names)} for name, names in roots.items()]


def parse_trust(manifest: bytes, read: Callable[[str], bytes]) -> Trust:
    """Read a trust folder: its manifest and, by `read`, the files it names (each checked against its digest).

    Raises:
        MalformedError: ``malformed.trust`` and codes of the parts.
    """
    value = _members(
        decode(manifest, what=MANIFEST, limit=MAX_MANIFEST),
        {"v", "authorities", "signers", "desks", "networks", "files"},
        optional=frozenset({"persons"}),
    )
    files = value["files"]
    if value["v"] != VERSION or not isinstance(files, dict) or len(files) > MAX_FILES:
        raise MalformedError("malformed.trust", reason="version")

    loaded: list[str] = []

    def load(name: JSON) -> bytes:
        # One file may serve several purposes, but a short list must not ask for gigabytes.
        if len(loaded) == MAX_FILES:
            raise MalformedError("malformed.trust", reason="files")
        if not isinstance(name, str) or name not in files or not _NAME.match(name):
            raise MalformedError("malformed.trust", reason="file name")
        loaded.append(name)
        data = read(name)
        if len(data) > MAX_FILE or sha256(data) != parse_hex(files[name], what=name):
            raise MalformedError("malformed.trust_digest", name=name)
        return data

    desks: dict[str, NoteKeys] = {}
    former: dict[str, tuple[NoteKeys, ...]] = {}
    for item in _list(value["desks"]):
        keys, replaced = _desk(item, load)
        if replaced:
            former[keys.name] = (*former.get(keys.name, ()), keys)
        elif keys.name in desks:
            raise MalformedError("malformed.trust", reason="origin")
        else:
            desks[keys.name] = keys
    networks = [_network(item, load) for item in _list(value["networks"])]
    if len(dict(networks)) != len(networks):
        raise MalformedError("malformed.trust", reason="chain_id")
    return Trust(
        authorities=tuple(_roots(item, load) for item in _list(value["authorities"])),
        signers=tuple(_roots(item, load) for item in _list(value["signers"])),
        persons=tuple(_roots(item, load) for item in _list(value.get("persons", []))),
        desks=desks,
        former=former,
        networks=dict(networks),
        fingerprint=sha256(manifest).hex(),
    )


def _roots(value: JSON, load: Callable[[JSON], bytes]) -> Roots:
    item = _members(value, {"name", "files"})
    name = item["name"]
    if not isinstance(name, str):
        raise MalformedError("malformed.trust", reason="name")
    certificates: list[bytes] = []
    crls: list[bytes] = []
    for file in _list(item["files"]):
        try:
            blocks = list(pem.unarmor(load(file), multiple=True))
        except (ValueError, TypeError) as error:
            raise MalformedError("malformed.trust", reason="PEM") from error
        for kind, _headers, der in blocks:
            match kind:
                case "CERTIFICATE":
                    certificates.append(der)
                case "X509 CRL":
                    crls.append(der)
                case _:
                    raise MalformedError("malformed.trust", reason="PEM")
    return Roots(name=name, certificates=tuple(certificates), crls=tuple(crls))


def _desk(value: JSON, load: Callable[[JSON], bytes]) -> tuple[NoteKeys, bool]:
    """Keys of a desk, and whether they were replaced since."""
    replaced = isinstance(value, dict) and "former" in value
    item = _members(value, {"origin", "file", "former"} if replaced else {"origin", "file"})
    if replaced and item["former"] is not True:
        raise MalformedError("malformed.trust", reason="former")
    origin = item["origin"]
    try:
        keys = parse_keys(load(item["file"]).decode("utf-8"))
    except UnicodeDecodeError as error:
        raise MalformedError("malformed.vkey") from error
    if not isinstance(origin, str) or keys.name != origin:
        raise MalformedError("malformed.trust", reason="origin")
    check_origin(origin)
    return keys, replaced


def _network(value: JSON, load: Callable[[JSON], bytes]) -> tuple[str, bytes]:
    item = _members(value, {"chain_id", "file"})
    chain_id = item["chain_id"]
    if not isinstance(chain_id, str) or not _CHAIN_ID.match(chain_id):
        raise MalformedError("malformed.trust", reason="chain_id")
    return chain_id, load(item["file"])


def _members(value: JSON, names: set[str], *, optional: frozenset[str] = frozenset()) -> dict[str, JSON]:
    if not isinstance(value, dict) or set(value) - optional != names:
        raise MalformedError("malformed.trust", reason="members")
    return value


def _list(value: JSON) -> list[JSON]:
    if not isinstance(value, list):
        raise MalformedError("malformed.trust", reason="list")
    return value
