"""The network's part of a trust bundle: from trust that is there, along verified blocks, to newer headers.

Each added header is signed by more than two thirds of a set that the chain of sets leads to. Nothing is trusted on
first use: the start is a trust folder, or a genesis document compared at the ceremony.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final, Protocol

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.core.digests import sha256
from evidence_desk.core.trust import MANIFEST, MAX_MANIFEST, encode_manifest, parse_trust
from evidence_desk.court.protocol.block import Header, LightBlock
from evidence_desk.court.protocol.history import NetworkTrust, walk
from evidence_desk.court.protocol.network_file import encode_network
from evidence_desk.errors import IntegrityError, RemoteError, UsageError

PERIOD: Final = timedelta(days=7)
"""Distance of periodic headers."""
STALE: Final = timedelta(minutes=20)
"""Two intervals of empty blocks: a network that lives has a newer block."""
OLD_TRUST: Final = timedelta(days=30)
"""Beyond it validators of the start may have left, and their keys be anybody's."""
_FUTURE: Final = timedelta(minutes=10)
_MAX_CHANGES: Final = 1_000


class Blocks(Protocol):
    """Where unverified blocks come from."""

    def light_block(self, height: int) -> LightBlock:
        """Header, commit and validators of a height; RemoteError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """Trust with more headers: how many were added, the newest one, and who signed it (addresses)."""

    trust: NetworkTrust
    added: int
    newest: Header
    signers: tuple[bytes, ...]


def trust_age(trust: NetworkTrust, now: datetime) -> timedelta:
    """How long ago the newest thing known for sure was made."""
    times = [trust.genesis_time, *(header.time for header in trust.headers)]
    return now - max(times).moment()


def extend(trust: NetworkTrust, blocks: Blocks, top: int, *, now: datetime) -> Extension:
    """Add the header at `top`, one a week before it, and those at which the validators changed.

    Raises:
        IntegrityError: codes of `walk`; ``bundle.time_future`` for a header ahead of our clock.
        RemoteError: ``bundle.behind`` when the network shown is not newer than the trust.
    """
    cached = _Cache(blocks)
    known = max((header.height for header in trust.headers), default=trust.initial_height - 1)
    if top <= known:
        raise RemoteError("bundle.behind", height=top, known=known)
    last = cached.light_block(top).header
    if last.time.moment() > now + _FUTURE:
        raise IntegrityError("bundle.time_future", height=top, time=last.time.text())
    before = len(trust.headers)
    signers: tuple[bytes, ...] = ()
    for height in [*_periodic(trust, cached, known, top), top]:
        trust, signers = _advance(trust, cached, height)
    return Extension(trust=trust, added=len(trust.headers) - before, newest=last, signers=signers)


class _Cache:
    """Blocks asked for once: what was judged is what is used."""

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        self._found: dict[int, LightBlock] = {}

    def light_block(self, height: int) -> LightBlock:
        if height not in self._found:
            block = self._blocks.light_block(height)
            if block.header.height != height:
                raise RemoteError("bundle.other_height", height=height)
            self._found[height] = block
        return self._found[height]


def _not_before(blocks: _Cache, moment: datetime, height: int) -> bool:
    return blocks.light_block(height).header.time.moment() >= moment


def _periodic(trust: NetworkTrust, blocks: _Cache, known: int, top: int) -> list[int]:
    """Heights of the first blocks of each following week, not verified yet."""
    start = max([trust.genesis_time, *(header.time for header in trust.headers)]).moment()
    end = blocks.light_block(top).header.time.moment()
    heights: list[int] = []
    low, moment = known + 1, start + PERIOD
    while moment < end:
        low = _first(low, top, partial(_not_before, blocks, moment))
        if low == top:
            break
        heights.append(low)
        moment = max(moment, blocks.light_block(low).header.time.moment()) + PERIOD
        low += 1
    return heights


def _first(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """Smallest height from `low` on for which it holds, given that it does for `high`."""
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low


def _advance(trust: NetworkTrust, blocks: _Cache, height: int) -> tuple[NetworkTrust, tuple[bytes, ...]]:
    """Trust with the header at `height` and those of the changes on the way, all verified."""
    target, history = blocks.light_block(height), _changes(trust, blocks, height)
    walked = walk(trust, history, [target])
    found = {header.height: header for header in trust.headers}
    found |= {block.header.height: block.header for block in (*history, target)}
    signers = tuple(item.address for item in walked.signers[height].signed)
    return replace(trust, headers=tuple(found[at] for at in sorted(found))), signers


def _changes(trust: NetworkTrust, blocks: _Cache, height: int) -> list[LightBlock]:
    """Blocks after which the set is another one, on a way from the newest trusted header to `height`."""
    newest = max(trust.headers, key=lambda header: header.height, default=None)
    low = trust.initial_height - 1 if newest is None else newest.height
    present = trust.genesis.hash if newest is None else newest.next_validators_hash
    found: list[LightBlock] = []
    while blocks.light_block(height).header.validators_hash != present:
        if len(found) == _MAX_CHANGES or low + 1 >= height:
            raise IntegrityError("court.trust_unreached", height=height)
        other = _first(
            low + 1,
            height,
            lambda at, present=present: blocks.light_block(at).header.validators_hash != present,  # type: ignore[misc]
        )
        step = blocks.light_block(max(other - 1, low + 1))
        if step.header.next_validators_hash == present:
            raise IntegrityError("court.trust_unreached", height=height)
        found.append(step)
        low, present = step.header.height, step.header.next_validators_hash
    return found


# --- the folder ---------------------------------------------------------------------------------------------------


def started_from(manifest: bytes, read: Callable[[str], bytes], chain_id: str) -> bytes:
    """The network file of `chain_id` in a trust folder.

    Raises:
        MalformedError: codes of `parse_trust`.
        UsageError: ``bundle.no_network``.
    """
    data = parse_trust(manifest, read).networks.get(chain_id)
    if data is None:
        raise UsageError("bundle.no_network", chain_id=chain_id)
    return data


def bundle_files(
    trust: NetworkTrust, manifest: bytes | None, read: Callable[[str], bytes]
) -> dict[str, bytes]:
    """All files of the new trust folder: those of the old one, with this network's file in its newest state."""
    name, network = f"network-{trust.chain_id}.json", encode_network(trust)
    if manifest is None:
        files = {name: network}
        return files | {MANIFEST: _manifest(name, trust.chain_id, files)}
    parse_trust(manifest, read)
    value = decode(manifest, what=MANIFEST, limit=MAX_MANIFEST)
    if not isinstance(value, dict):
        raise UsageError("bundle.no_network", chain_id=trust.chain_id)
    networks, digests = _list(value["networks"]), value["files"]
    old = {str(item["file"]) for item in networks if item["chain_id"] == trust.chain_id}
    kept: list[JSON] = [item for item in networks if item["chain_id"] != trust.chain_id]
    names = [str(item) for item in digests] if isinstance(digests, dict) else []
    files = {item: read(item) for item in names if item not in old} | {name: network}
    value["networks"] = [*kept, {"chain_id": trust.chain_id, "file": name}]
    value["files"] = {item: sha256(data).hex() for item, data in files.items()}
    made = encode(value)
    parse_trust(made, lambda item: files[item])
    return files | {MANIFEST: made}


def _list(value: JSON) -> list[dict[str, JSON]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _manifest(name: str, chain_id: str, files: dict[str, bytes]) -> bytes:
    return encode_manifest(authorities={}, signers={}, desks={}, files=files, networks={chain_id: name})


def is_stale(header: Header, now: datetime) -> bool:
    """Whether a network whose newest header this is stands still, or hides what is newer."""
    return now.astimezone(UTC) - header.time.moment() > STALE
