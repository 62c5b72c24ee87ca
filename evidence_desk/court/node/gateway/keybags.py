"""Copies of desks' keybags: ciphertext in files that can be deleted. Only who holds the desk's key may ask for one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from evidence_desk.core.digests import sha256
from evidence_desk.core.moment import format_moment, parse_moment
from evidence_desk.court.node.gateway.answers import Answers
from evidence_desk.court.node.gateway.index import GatewayIndex
from evidence_desk.court.node.gateway.pending import write_whole
from evidence_desk.court.protocol.keybag_request import (
    MAX_KEYBAG,
    KeybagAction,
    KeybagRule,
    check_family,
    parse_keybag_request,
    verify_keybag_request,
)
from evidence_desk.court.protocol.registry import DeskKeys
from evidence_desk.errors import HostError, NotFoundError, PermissionDeniedError

Charge = Callable[[int], None]
"""Takes tokens of the client who asks; raises 429 ``api.too_many`` when he has none left."""
_EPOCHS: Final = 64
"""First epochs that are tried for a family whose first log the network does not know."""


class Keybags:
    """The copies, by family.

    Every method is given `charge`, which takes tokens of the client for each further look-up or refuses.

    Raises:
        PermissionDeniedError: codes of `verify_keybag_request`, ``api.keybag_family`` for a family that isn't registered.
        MalformedError: ``malformed.keybag_request``, ``malformed.origin``.
        NotFoundError: ``api.no_keybag``.
        HostError: ``api.store``.
    """

    def __init__(self, folder: Path, index: GatewayIndex, answers: Answers, chain_id: str) -> None:
        self._folder = folder
        self._index = index
        self._answers = answers
        self._chain_id = chain_id

    async def put(self, family: str, header: str, body: bytes, charge: Charge) -> None:
        """Keep a copy in place of the one before."""
        at = await self._check(KeybagAction.PUT, family, header, body, charge)
        self._index.set_keybag_change(
            family, at
        )  # first: an older request must not follow, whatever fails now
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_whole(self._path(family), body)
        except OSError as error:
            raise HostError("api.store", reason=type(error).__name__) from error

    async def get(self, family: str, header: str, charge: Charge) -> bytes:
        """The copy."""
        await self._check(KeybagAction.GET, family, header, b"", charge)
        try:
            data = self._path(family).read_bytes()
        except FileNotFoundError as error:
            raise NotFoundError("api.no_keybag") from error
        except OSError as error:
            raise HostError("api.store", reason=type(error).__name__) from error
        return data[: MAX_KEYBAG + 1]

    async def delete(self, family: str, header: str, charge: Charge) -> None:
        """Delete the copy; there need not be one."""
        at = await self._check(KeybagAction.DELETE, family, header, b"", charge)
        self._index.set_keybag_change(family, at)  # first: an older request must not bring it back
        try:
            self._path(family).unlink(missing_ok=True)
        except OSError as error:
            raise HostError("api.store", reason=type(error).__name__) from error

    async def _check(
        self, action: KeybagAction, family: str, header: str, body: bytes, charge: Charge
    ) -> str:
        """Moment of a request that may be done now; the caller awaits nothing more before it has done it."""
        check_family(family)
        signed = parse_keybag_request(header)
        keys = await self._keys(family, charge)
        # Read only now: while the keys were asked for, another request may have changed the copy.
        after = self._index.keybag_change(family)
        rule = KeybagRule(
            action=action,
            chain_id=self._chain_id,
            family=family,
            body=body,
            keys=keys,
            now=datetime.now(UTC),
            after=parse_moment(after, what="at") if after else None,
        )
        verify_keybag_request(signed, rule)
        return format_moment(signed.request.at)

    async def _keys(self, family: str, charge: Charge) -> DeskKeys:
        """Registered keys of the newest log of a family, from proven entries."""
        origin = ""
        entry = (await self._answers.desk(f"{family}/1")).entry
        for epoch in range(2, _EPOCHS + 1):
            if entry is not None:
                break
            charge(1)
            entry = (await self._answers.desk(f"{family}/{epoch}")).entry
        while entry is not None and entry.successor and entry.successor != origin:
            charge(1)
            origin = entry.successor
            entry = (await self._answers.desk(origin)).entry
        if entry is None:
            raise PermissionDeniedError("api.keybag_family")
        return entry.keys

    def _path(self, family: str) -> Path:
        return self._folder / f"{sha256(family.encode()).hex()}.bag"
