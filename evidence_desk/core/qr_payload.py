"""Content of the QR codes on certificates: full leaf hash, and where to look it up. No address of ours.

A scanned address counts for nothing but the payload it carries: a look-alike portal must not win. See docs/spec/certificate.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from evidence_desk.core.checkpoint import check_origin
from evidence_desk.core.digests import DIGEST_SIZE
from evidence_desk.core.evidence_number import Prefix, format_number
from evidence_desk.errors import BugError, MalformedError

MAX_PAYLOAD: Final = 600
"""Characters of a payload, or of an address around it."""
_PAYLOAD: Final = re.compile(r"ED1 leaf=([0-9a-f]{64}) (chain|log)=([!-~]{1,400})")
_MAX_CHAIN: Final = 50
_QUESTION: Final = "q"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodePayload:
    """What a QR code says: an address, never a proof.

    Attributes:
        leaf_hash: of the exhibit, 32 bytes.
        chain_id: court network that had it when the certificate was printed, "" while not anchored.
        origin: log that holds it, "" when `chain_id` is given.
    """

    leaf_hash: bytes
    chain_id: str = ""
    origin: str = ""

    def __post_init__(self) -> None:
        if len(self.leaf_hash) != DIGEST_SIZE or bool(self.chain_id) == bool(self.origin):
            raise BugError("bug.code_payload")

    @property
    def number(self) -> str:
        """Evidence number of the leaf."""
        return format_number(Prefix.EVIDENCE, self.leaf_hash)

    def encode(self) -> str:
        """Text of the QR code."""
        place = f"chain={self.chain_id}" if self.chain_id else f"log={self.origin}"
        return f"ED1 leaf={self.leaf_hash.hex()} {place}"


def parse_code(text: str) -> CodePayload:
    """Read what a QR code says; of an address only its one parameter ``q`` is read, its host is ignored.

    Raises:
        MalformedError: ``malformed.code`` for anything that `CodePayload.encode` does not write.
    """
    if len(text) > MAX_PAYLOAD:
        raise MalformedError("malformed.code")
    match = _PAYLOAD.fullmatch(_carried(text))
    if match is None:
        raise MalformedError("malformed.code")
    leaf, kind, place = bytes.fromhex(match[1]), match[2], match[3]
    if kind == "chain":
        if len(place) > _MAX_CHAIN:
            raise MalformedError("malformed.code")
        return CodePayload(leaf_hash=leaf, chain_id=place)
    try:
        check_origin(place)
    except MalformedError as error:
        raise MalformedError("malformed.code") from error
    return CodePayload(leaf_hash=leaf, origin=place)


def is_code(text: str) -> bool:
    """Whether a short text means to be the content of one of our QR codes, right or wrong."""
    return "ED1 " in text or "leaf=" in text or text[:8].lower().startswith(("http://", "https://"))


def _carried(text: str) -> str:
    """The payload itself, or that of an address."""
    if not text[:8].lower().startswith(("http://", "https://")):
        return text
    try:
        given = parse_qsl(urlsplit(text).query, strict_parsing=True, max_num_fields=8)
    except ValueError as error:
        raise MalformedError("malformed.code") from error
    asked = [value for name, value in given if name == _QUESTION]
    return asked[0] if len(asked) == 1 else ""
