"""Whether an engine that still runs has stopped deciding.

After a fault in its consensus (a disk that was full, say) the engine goes on answering and follows no block ever after:
to whoever looks at processes alone it is well. Its neighbors tell: they are at greater heights, and it does not move.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from evidence_desk.court.node.rpc import call, engine_status
from evidence_desk.errors import RemoteError

_PERIOD: Final = 5.0
_PATIENCE: Final = 30.0
"""Seconds at one height, with a neighbor ahead all the time. A partition or an idle network has nobody ahead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """Height that an engine decides on, and the greatest one of its neighbors."""

    own: int
    ahead: int


async def fallen_behind(url: str) -> None:
    """Return when the engine's consensus has stopped; may take for ever."""
    clock = asyncio.get_running_loop().time
    since, height = clock(), -1
    while True:
        await asyncio.sleep(_PERIOD)
        seen = await _look(url)
        if seen is None or seen.own != height or seen.ahead <= seen.own:
            since, height = clock(), -1 if seen is None else seen.own
        elif clock() - since > _PATIENCE:
            return


async def _look(url: str) -> Sight | None:
    """None while nothing can be said: no answer, or the engine fetches old blocks."""
    try:
        if (await engine_status(url)).catching_up:
            return None
        return read_sight(await call(url, "dump_consensus_state"))
    except RemoteError:
        return None


def read_sight(state: dict[str, Any]) -> Sight | None:
    """From ``/dump_consensus_state``; None when it says something else."""
    try:
        neighbors = [_height(item["peer_state"]["round_state"]) for item in state["peers"]]
        return Sight(own=_height(state["round_state"]), ahead=max(neighbors, default=0))
    except (KeyError, TypeError, ValueError):
        return None


def _height(state: dict[str, Any]) -> int:
    return int(state["height"])
