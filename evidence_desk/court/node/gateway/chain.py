"""Light blocks of the chain, verified against the network file, and the blocks after which the validators changed."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import structlog

from evidence_desk.court.node.gateway.engine_client import HEADERS, EngineClient
from evidence_desk.court.node.gateway.index import GatewayIndex
from evidence_desk.court.protocol.block import Header, LightBlock, ValidatorSet
from evidence_desk.court.protocol.history import NetworkTrust, walk
from evidence_desk.court.protocol.light import MAX_CLOCK_DRIFT
from evidence_desk.court.protocol.light_block import encode_light_block, parse_light_block
from evidence_desk.court.protocol.part import MAX_HISTORY
from evidence_desk.errors import EvidenceDeskError, IntegrityError, MalformedError, RemoteError

_log = structlog.get_logger()

_BLOCKS: Final = 512
"""Verified blocks kept in memory."""
_SETS: Final = 16
_AWAIT_SECONDS: Final = 5.0
_POLL_SECONDS: Final = 0.05
_FOLLOW_SECONDS: Final = 1.0
_FOLLOW_LATER: Final = 5.0


class Chain:
    """The chain as this gateway has verified it.

    Args:
        trust: the network file; nothing below is believed unless it leads back to it.
    """

    def __init__(self, engine: EngineClient, trust: NetworkTrust, index: GatewayIndex) -> None:
        self._engine = engine
        self._index = index
        self._origin = trust
        self._blocks: OrderedDict[int, LightBlock] = OrderedDict()
        self._sets: OrderedDict[bytes, ValidatorSet] = OrderedDict()
        self._changes: list[LightBlock] = []
        self._following = asyncio.Lock()
        self._trust = trust
        self._take_up()

    @property
    def chain_id(self) -> str:
        """Of the network file."""
        return self._origin.chain_id

    @property
    def changes(self) -> Sequence[LightBlock]:
        """Blocks after which the validators changed, ascending."""
        return self._changes

    async def tip(self) -> LightBlock:
        """The newest block, verified.

        Raises:
            RemoteError: ``api.engine_silent``, ``api.engine_wrong``, ``api.not_ready`` before the first block.
        """
        known = await self._engine.tip()
        if known.network != self.chain_id:
            raise RemoteError("api.engine_wrong")
        if known.height < self._origin.initial_height:
            raise RemoteError("api.not_ready")
        block = await self.block(known.height)
        if block is None:
            raise RemoteError("api.engine_wrong")
        return block

    async def awaited(self, height: int) -> LightBlock:
        """A block that is about to be there.

        Raises:
            RemoteError: ``api.header_awaited`` when it isn't within some seconds.
        """
        clock = asyncio.get_running_loop().time
        deadline = clock() + _AWAIT_SECONDS
        while True:
            block = await self.block(height)
            if block is not None:
                return block
            if clock() > deadline:
                raise RemoteError("api.header_awaited", height=height)
            await asyncio.sleep(_POLL_SECONDS)

    async def block(self, height: int) -> LightBlock | None:
        """A block, verified; None when the engine has none of that height yet.

        Raises:
            RemoteError: ``api.engine_wrong`` when what it has does not lead back to the network file.
        """
        known = self._blocks.get(height)
        if known is not None:
            self._blocks.move_to_end(height)
            return known
        found = await self._fetch(height)
        if found is None:
            return None
        if not self._holds(found):
            await self.follow(height - 1)  # the validators may have changed since we last looked
            if not self._holds(found):
                _log.error("gateway.engine_wrong", height=height)
                raise RemoteError("api.engine_wrong")
        if found.header.time.moment() > datetime.now(UTC) + MAX_CLOCK_DRIFT:
            raise RemoteError("api.clock")  # ours is slow, or the network's is fast
        self._keep(found)
        return found

    def history(self, targets: Sequence[LightBlock], since: int = 0) -> tuple[LightBlock, ...]:
        """Changes of the set that lead to the targets, for an asker who trusts the header of height `since`.

        An asker whose header is not below all targets starts from genesis: it may have no other below them.
        """
        heights = {block.header.height for block in targets}
        if since >= min(heights):
            since = 0
        last = max(heights)
        found = tuple(
            block
            for block in self._changes
            if since < block.header.height < last and block.header.height not in heights
        )
        if len(found) > MAX_HISTORY:
            raise RemoteError("api.history_too_long", count=len(found), limit=MAX_HISTORY)
        return found

    async def follow(self, height: int) -> None:
        """Look for changes of the set up to a height; RemoteError."""
        async with self._following:
            cursor = max(self._index.cursor, self._origin.initial_height - 1)
            while cursor < height:
                last = min(cursor + HEADERS, height)
                headers = await self._engine.headers(cursor + 1, last)
                found = [await self._change(item) for item in headers if _changes(item)]
                self._index.advance(last, {block.header.height: encode_light_block(block) for block in found})
                cursor = last

    async def keep_following(self) -> None:
        """Follow the engine until canceled."""
        while True:
            delay = _FOLLOW_SECONDS
            try:
                tip = await self._engine.tip()
                if tip.network == self.chain_id:
                    await self.follow(tip.height)
            except EvidenceDeskError as error:
                _log.warning("gateway.follow", code=error.code)
                delay = _FOLLOW_LATER
            await asyncio.sleep(delay)

    async def _change(self, header: Header) -> LightBlock:
        """Verify a block after which the set changes, and go on from it."""
        block = await self._fetch(header.height)
        if block is None or block.header != header or not self._holds(block):
            raise RemoteError("api.engine_wrong")
        self._enter(block)
        _log.info("gateway.validators_changed", height=header.height)
        return block

    async def _fetch(self, height: int) -> LightBlock | None:
        signed = await self._engine.signed_header(height)
        if signed is None:
            return None
        header, commit = signed
        if header.height != height:
            raise RemoteError("api.engine_wrong")
        members = self._sets.get(header.validators_hash)
        if members is None:
            members = await self._engine.validators(height)
            if members.hash != header.validators_hash:
                raise RemoteError("api.engine_wrong")
            self._sets[members.hash] = members
            if len(self._sets) > _SETS:
                self._sets.popitem(last=False)
        try:
            return LightBlock(header=header, commit=commit, validators=members)
        except MalformedError as error:
            raise RemoteError("api.engine_wrong") from error

    def _holds(self, block: LightBlock) -> bool:
        """Whether a block follows from what is verified below it."""
        try:
            walk(self._trust, [], [block])
        except IntegrityError:
            return False
        return True

    def _keep(self, block: LightBlock) -> None:
        self._blocks[block.header.height] = block
        if len(self._blocks) > _BLOCKS:
            self._blocks.popitem(last=False)

    def _enter(self, block: LightBlock) -> None:
        if any(item.header.height == block.header.height for item in self._changes):
            return  # it was found before, but could not be stored
        known = {header.height: header for header in self._trust.headers}
        known[block.header.height] = block.header
        self._trust = replace(self._trust, headers=tuple(known.values()))
        self._changes.append(block)

    def _take_up(self) -> None:
        """Verify what the index holds; when it doesn't hold, look through the chain again."""
        try:
            for data in self._index.changes():
                block = parse_light_block(data)
                walk(self._trust, [], [block])
                self._enter(block)
        except (MalformedError, IntegrityError):
            _log.warning("gateway.index_damaged")
            self._index.forget()
            self._changes, self._trust = [], self._origin


def _changes(header: Header) -> bool:
    return header.next_validators_hash != header.validators_hash
