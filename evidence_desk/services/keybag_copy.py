"""The copy of the keybag at gateways: put there whenever it changed, fetched by a desk without disk, deleted on request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.core.court_ports import CourtGateway
from evidence_desk.core.digests import sha256
from evidence_desk.court.protocol.keybag_request import (
    MAX_KEYBAG,
    KeybagAction,
    KeybagRequest,
    family_of,
    make_keybag_request,
)
from evidence_desk.errors import EvidenceDeskError, HostError, RemoteError
from evidence_desk.services.court_query import Court, GatewayFault, fault_of
from evidence_desk.services.desk import Desk

_SENT: Final = "keybag-copies"
"""Setting: gateway → digest of the copy it was given last."""
_LIMIT: Final = 1024 * 1024


@dataclass(slots=True)
class CopyOutcome:
    """Gateways that took the copy now, those that had it already, and what went wrong."""

    sent: list[str] = field(default_factory=list)
    current: list[str] = field(default_factory=list)
    faults: list[GatewayFault] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether every gateway has the present copy."""
        return not self.faults


@dataclass(frozen=True, slots=True, kw_only=True)
class Requester:
    """Who asks: an Ed25519 key (32 bytes) and its signatures, for one family of logs."""

    family: str
    key: bytes
    sign: Callable[[bytes], bytes]


def requester(desk: Desk) -> Requester:
    """The desk itself, by the key of its active log."""
    signer = desk.store.signer
    return Requester(family=family_of(desk.origin), key=signer.ed25519_public, sign=signer.sign_ed25519)


def send_again(desk: Desk, court: Court) -> CopyOutcome:
    """Give every gateway the present copy, whatever was sent before; as `send_copies`."""
    _remember(desk, {})
    return send_copies(desk, court)


def send_copies(desk: Desk, court: Court) -> CopyOutcome:
    """Give every gateway the present copy; those that were given it before are not asked again.

    The log must be registered, else the gateways refuse. A copy that is too large is a fault, and hinders nothing else.
    """
    digest, copy = desk.store.keybag_copy()
    known = _sent(desk)
    outcome = CopyOutcome()
    if len(copy) > MAX_KEYBAG:
        error = HostError("keybag_copy.too_large", size=len(copy), limit=MAX_KEYBAG)
        outcome.faults += [replace(fault_of(gateway, error), lied=False) for gateway in court.gateways]
        return outcome
    for gateway in court.gateways:
        if known.get(gateway.url) == digest.hex():
            outcome.current.append(gateway.url)
            continue
        try:
            _ask(court, gateway, requester(desk), KeybagAction.PUT, copy)
        except EvidenceDeskError as error:
            outcome.faults.append(fault_of(gateway, error))
        else:
            outcome.sent.append(gateway.url)
            known[gateway.url] = digest.hex()
    if outcome.sent:
        _remember(desk, known)
    return outcome


def delete_copies(desk: Desk, court: Court) -> CopyOutcome:
    """Have every gateway delete its copy: then only a backup or the vault itself opens the envelopes."""
    outcome = CopyOutcome()
    for gateway in court.gateways:
        try:
            _ask(court, gateway, requester(desk), KeybagAction.DELETE, b"")
        except EvidenceDeskError as error:
            outcome.faults.append(fault_of(gateway, error))
        else:
            outcome.sent.append(gateway.url)
    _remember(desk, {})
    return outcome


def fetch_copies(court: Court, who: Requester, faults: list[GatewayFault]) -> Sequence[bytes]:
    """Copies of all gateways that gave one; which is the newest shows when they are opened."""
    found: list[bytes] = []
    for gateway in court.gateways:
        try:
            found.append(_ask(court, gateway, who, KeybagAction.GET, b""))
        except EvidenceDeskError as error:
            faults.append(fault_of(gateway, error))
    return found


def _ask(court: Court, gateway: CourtGateway, who: Requester, action: KeybagAction, body: bytes) -> bytes:
    request = KeybagRequest(
        action=action,
        chain_id=court.chain_id,
        family=who.family,
        at=court.clock.now(),
        body=sha256(body),
        key=who.key,
    )
    header = make_keybag_request(request, who.sign).header()
    answer = gateway.keybag(action.name, who.family, authorization=header, body=body)
    if action is KeybagAction.GET and not 0 < len(answer) <= MAX_KEYBAG:
        raise RemoteError("gateway.malformed", gateway=gateway.url, reason="keybag")
    return answer


def _sent(desk: Desk) -> dict[str, JSON]:
    data = desk.store.exhibits.get_setting(_SENT)
    value = {} if data is None else decode(data, what=_SENT, limit=_LIMIT)
    return value if isinstance(value, dict) else {}


def _remember(desk: Desk, known: dict[str, JSON]) -> None:
    with desk.store.transaction():
        desk.store.exhibits.set_setting(_SENT, encode(known))
