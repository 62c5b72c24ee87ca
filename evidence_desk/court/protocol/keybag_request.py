"""Signed requests for the copy of a desk's keybag that gateways keep in deletable storage (docs/spec/keybag-copy.md).

Who may ask: the holder of the registered Ed25519 key of the newest log of the family, or of the key whose digests were
registered as the next one. That key is derived from the recovery key on paper, so a desk without disk can ask too.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.core.checkpoint import check_origin
from evidence_desk.core.digests import DigestPair, parse_hex, sha256
from evidence_desk.core.moment import format_moment, parse_moment
from evidence_desk.court.protocol.block import KEY_SIZE, check_chain_id
from evidence_desk.court.protocol.ed25519 import Judgment, judge
from evidence_desk.court.protocol.light_block import to_base64
from evidence_desk.court.protocol.registry import DeskKeys
from evidence_desk.errors import MalformedError, PermissionDeniedError

VERSION: Final = "keybag-request/1"
SCHEME: Final = "EvidenceDesk"
"""Scheme of the ``Authorization`` header."""
MAX_KEYBAG: Final = 4 * 1024 * 1024
"""Greatest body in bytes."""
MAX_AGE: Final = timedelta(minutes=5)
"""How far `at` may lie from the gateway's clock, either way."""
_DOMAIN: Final = b"evidence-desk/keybag/1\x00"
_MAX_HEADER: Final = 4096
_SIGNATURE_SIZE: Final = 64
_HEADER: Final = re.compile(rf"{SCHEME} ([A-Za-z0-9+/]+={{0,2}})\.([A-Za-z0-9+/]+={{0,2}})\Z")


class KeybagAction(StrEnum):
    """What is asked."""

    PUT = "put"
    GET = "get"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeybagRequest:
    """One request.

    Attributes:
        family: origin without its epoch, ``desk.<office>.evidence/<uuid>``.
        body: SHA-256 of the body, of no bytes when there is none.
        key: raw Ed25519 public key of the signer.
    """

    action: KeybagAction
    chain_id: str
    family: str
    at: datetime
    body: bytes
    key: bytes

    def __post_init__(self) -> None:
        check_chain_id(self.chain_id)
        check_family(self.family)
        if len(self.key) != KEY_SIZE:
            raise _malformed("key")

    def encode(self) -> bytes:
        """Canonical bytes, the part that is signed."""
        return encode(
            {
                "v": VERSION,
                "action": self.action.value,
                "chain_id": self.chain_id,
                "family": self.family,
                "at": format_moment(self.at),
                "sha256": self.body.hex(),
                "key": to_base64(self.key),
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedKeybagRequest:
    """A request with its signature, not yet judged."""

    request: KeybagRequest
    signature: bytes

    def header(self) -> str:
        """Value of the ``Authorization`` header."""
        return f"{SCHEME} {to_base64(self.request.encode())}.{to_base64(self.signature)}"


def family_of(origin: str) -> str:
    """Origin without its epoch.

    Raises:
        MalformedError: ``malformed.origin``.
    """
    return check_origin(origin).rpartition("/")[0]


def check_family(family: str) -> str:
    """Return a family of the form ``desk.<office>.evidence/<uuid>``; ``malformed.origin``."""
    check_origin(f"{family}/1")
    return family


def make_keybag_request(request: KeybagRequest, sign: Callable[[bytes], bytes]) -> SignedKeybagRequest:
    """Sign a request; `sign` gives the 64-byte Ed25519 signature of `request.key` over a message."""
    return SignedKeybagRequest(request=request, signature=sign(_DOMAIN + request.encode()))


def parse_keybag_request(header: str) -> SignedKeybagRequest:
    """Read an ``Authorization`` header strictly; nothing is judged.

    Raises:
        MalformedError: ``malformed.keybag_request`` and the codes of the members.
    """
    found = _HEADER.match(header) if len(header) <= _MAX_HEADER else None
    if found is None:
        raise _malformed("header")
    data, signature = _bytes(found[1]), _bytes(found[2])
    value = decode(data, what="keybag request", limit=_MAX_HEADER)
    if not isinstance(value, dict) or value.get("v") != VERSION:
        raise _malformed("version")
    if set(value) != {"v", "action", "chain_id", "family", "at", "sha256", "key"}:
        raise _malformed("members")
    action, chain_id, family, key = value["action"], value["chain_id"], value["family"], value["key"]
    if not isinstance(chain_id, str) or not isinstance(family, str) or not isinstance(key, str):
        raise _malformed("members")
    if len(signature) != _SIGNATURE_SIZE:
        raise _malformed("signature")
    request = KeybagRequest(
        action=_action(action),
        chain_id=chain_id,
        family=family,
        at=parse_moment(value["at"], what="at"),
        body=parse_hex(value["sha256"], what="sha256"),
        key=_bytes(key),
    )
    return SignedKeybagRequest(request=request, signature=signature)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeybagRule:
    """What a gateway holds a request against.

    Attributes:
        action: that of the HTTP method; `chain_id`: of the gateway's network; `family`: of the path.
        body: the body as received, b"" for none.
        keys: registered keys of the newest log of the family.
        now: the gateway's clock.
        after: `at` of the last change it accepted for this family (kept also after a deletion), None for none: an
            older keybag is not put back by who recorded its request.
    """

    action: KeybagAction
    chain_id: str
    family: str
    body: bytes
    keys: DeskKeys
    now: datetime
    after: datetime | None = None


def verify_keybag_request(signed: SignedKeybagRequest, rule: KeybagRule) -> None:
    """Refuse a request that is not what the holder of the family's key asked just now.

    Raises:
        PermissionDeniedError: ``keybag_request.other`` (about something else), ``keybag_request.time``,
            ``keybag_request.replayed``, ``keybag_request.key`` or ``keybag_request.signature``.
    """
    request = signed.request
    if (request.action, request.chain_id, request.family) != (rule.action, rule.chain_id, rule.family):
        raise PermissionDeniedError("keybag_request.other")
    if not hmac.compare_digest(request.body, sha256(rule.body)):
        raise PermissionDeniedError("keybag_request.other")
    if abs(rule.now - request.at) > MAX_AGE:
        raise PermissionDeniedError("keybag_request.time")
    if rule.action is not KeybagAction.GET and rule.after is not None and request.at <= rule.after:
        raise PermissionDeniedError("keybag_request.replayed")
    if not may_ask(request.key, rule.keys):
        raise PermissionDeniedError("keybag_request.key")
    if judge(request.key, _DOMAIN + request.encode(), signed.signature) is not Judgment.RIGHT:
        raise PermissionDeniedError("keybag_request.signature")


def may_ask(key: bytes, keys: DeskKeys) -> bool:
    """Whether an Ed25519 key is the registered one or the one registered as its successor."""
    digests = DigestPair.of(key)
    return hmac.compare_digest(key, keys.ed25519) or hmac.compare_digest(
        digests.sha256 + digests.sm3, keys.next_ed25519
    )


def _action(value: JSON) -> KeybagAction:
    try:
        return KeybagAction(str(value))
    except ValueError as error:
        raise _malformed("action") from error


def _bytes(text: str) -> bytes:
    """Bytes of base64 in its one spelling."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _malformed("base64") from error
    if to_base64(data) != text:
        raise _malformed("base64")
    return data


def _malformed(reason: str) -> MalformedError:
    return MalformedError("malformed.keybag_request", reason=reason)
