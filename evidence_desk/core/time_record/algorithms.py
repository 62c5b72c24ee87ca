"""Hash algorithms of time records, by name and OID. Must not offer one that is broken (MD5, SHA-1)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from evidence_desk.core.digests import sha256, sm3
from evidence_desk.errors import BugError


@dataclass(frozen=True, slots=True, kw_only=True)
class HashAlgorithm:
    """A hash function: our name, its OID, digest size in bytes, and the function over whole bytes."""

    name: str
    oid: str
    size: int
    digest: Callable[[bytes], bytes]


def _library(name: str) -> Callable[[bytes], bytes]:
    return lambda data: hashlib.new(name, data).digest()


_ALGORITHMS: Final = (
    HashAlgorithm(name="sha256", oid="2.16.840.1.101.3.4.2.1", size=32, digest=sha256),
    HashAlgorithm(name="sm3", oid="1.2.156.10197.1.401", size=32, digest=sm3),
    HashAlgorithm(name="sha384", oid="2.16.840.1.101.3.4.2.2", size=48, digest=_library("sha384")),
    HashAlgorithm(name="sha512", oid="2.16.840.1.101.3.4.2.3", size=64, digest=_library("sha512")),
    HashAlgorithm(name="sha224", oid="2.16.840.1.101.3.4.2.4", size=28, digest=_library("sha224")),
    HashAlgorithm(name="sha3_256", oid="2.16.840.1.101.3.4.2.8", size=32, digest=_library("sha3_256")),
    HashAlgorithm(name="sha3_384", oid="2.16.840.1.101.3.4.2.9", size=48, digest=_library("sha3_384")),
    HashAlgorithm(name="sha3_512", oid="2.16.840.1.101.3.4.2.10", size=64, digest=_library("sha3_512")),
)
_FOUND: Final = {key: item for item in _ALGORITHMS for key in (item.name, item.oid)}


def find_algorithm(name_or_oid: str) -> HashAlgorithm | None:
    """The algorithm of a name (``"sha256"``) or dotted OID; None when it is unknown or broken."""
    return _FOUND.get(name_or_oid)


def known_algorithm(name_or_oid: str) -> HashAlgorithm:
    """Like `find_algorithm`, for names that our own code wrote.

    Raises:
        BugError: ``bug.time_record`` for any other.
    """
    found = _FOUND.get(name_or_oid)
    if found is None:
        raise BugError("bug.time_record", what=f"algorithm {name_or_oid}")
    return found
