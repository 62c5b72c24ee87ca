"""A token from its envelope: its row, and the hash tree of its batch made again from leaves, statements and files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from evidence_desk.core.canonical import JSON
from evidence_desk.core.digests import parse_hex, sha256
from evidence_desk.core.groups import group_hashes
from evidence_desk.core.leaf import Leaf, PlainObject, parse_leaf
from evidence_desk.core.ports import Store
from evidence_desk.core.rows import LeafRow, TimeRecordRow, TokenRow
from evidence_desk.core.time_record import Batch, build_batch, token_imprint
from evidence_desk.court.protocol.light_block import from_base64
from evidence_desk.errors import MalformedError
from evidence_desk.services.envelopes import shows_group
from evidence_desk.services.refill import Refill, find_leaf, read_hashes, read_moment, read_text


def refill_token(state: Refill, row: LeafRow, leaf: Leaf, content: Mapping[str, JSON]) -> None:
    """Write a token, and the reduced trees of its batch; inside the caller's transaction.

    Raises:
        MalformedError: ``malformed.envelope``; KeyError, TypeError, ValueError for content of another shape.
    """
    exhibits = state.store.exhibits
    if content["v"] != "time/1":
        raise MalformedError("malformed.envelope", reason="content")
    token = _token_row(content["token"])
    if leaf.facts["token_sha256"] != token.token_sha256.hex():
        raise MalformedError("malformed.envelope", reason="token")
    known = exhibits.token_attested_at(row.seq) is not None
    checkpoint = read_text(content["checkpoint"]).encode()
    records: list[TimeRecordRow] = []
    built = _batch(state, content, checkpoint)
    if built is None or built[0].root != token_imprint(token.token).value:
        state.untimed += not known
    else:
        batch, owners = built
        token = replace(token, preimage=batch.preimage)
        records = [
            TimeRecordRow(token_sha256=token.token_sha256, leaf_hash=owner, group=group, tree=tree)
            for (owner, group), tree in zip(owners, batch.trees, strict=False)
            if owner is not None
        ]
        records.append(
            TimeRecordRow(
                token_sha256=token.token_sha256, leaf_hash=None, group=0, tree=batch.trees[-1], data=checkpoint
            )
        )  # fmt: skip
    if known:
        exhibits.add_records(token, records)
        return
    exhibits.add_token(token, records)
    exhibits.set_attested(token.token_sha256, row.seq)
    state.tokens += 1


def _token_row(value: JSON) -> TokenRow:
    if not isinstance(value, dict):
        raise MalformedError("malformed.envelope", reason="token")
    response, place, crls = from_base64(value["response"]), value["token"], value["crls"]
    if isinstance(place, list):
        start, size = (int(str(item)) for item in place)
        token = response[start : start + size]
    else:
        token = from_base64(place)
    if not isinstance(crls, list):
        raise MalformedError("malformed.envelope", reason="crls")
    return TokenRow(
        token_sha256=sha256(token),
        token=token,
        request=from_base64(value["request"]),
        response=response,
        transport=read_text(value["transport"]).encode(),
        authority=read_text(value["authority"]),
        gen_time=read_moment(value["gen_time"]),
        preimage=b"",
        crls=tuple(from_base64(crl) for crl in crls),
    )


_Owner = tuple[bytes | None, int]
"""Leaf hash of an exhibit whose row is here (None: not) and the number of its group."""


def _batch(
    state: Refill, content: Mapping[str, JSON], checkpoint: bytes
) -> tuple[Batch, list[_Owner]] | None:
    """The batch's hash tree; None when what it was made of is not here."""
    members, told = content["members"], content["nodes"]
    if not isinstance(members, list) or not isinstance(told, dict):
        raise MalformedError("malformed.envelope", reason="members")
    groups: list[tuple[bytes, ...]] = []
    owners: list[_Owner] = []
    for place in _places(state, members):
        if place is None:
            return None
        home, row = place
        nodes = told.get(str(row.seq)) if home is state.store else None
        own = _groups(state, home, row, () if nodes is None else read_hashes(nodes))
        if not own:
            return None
        exhibit = home.exhibits.exhibit(row.leaf_hash)
        known = exhibit is not None and not exhibit.erased
        owners += [(row.leaf_hash if known else None, number) for number in range(len(own))]
        groups += own
    return build_batch([*groups, (sha256(checkpoint),)]), owners


def _places(state: Refill, members: list[JSON]) -> Iterator[tuple[Store, LeafRow] | None]:
    for item in members:
        if isinstance(item, str):
            yield find_leaf(state, parse_hex(item, what="member"))
            continue
        first, last = item if isinstance(item, list) and len(item) == 2 else (None, None)
        if type(first) is not int or type(last) is not int or not 0 <= first <= last < state.store.log.size():
            raise MalformedError("malformed.envelope", reason="members")
        for row in state.store.log.leaves(first, last + 1):
            yield state.store, row


def _groups(
    state: Refill, home: Store, row: LeafRow, nodes: tuple[bytes, ...]
) -> tuple[tuple[bytes, ...], ...]:
    """Data-object groups of a leaf: from the leaf, its exhibit, or (a node each) from an envelope; () when unknown."""
    leaf = parse_leaf(row.leaf)
    if leaf.statement is None:
        return ()
    if shows_group(leaf):
        files = [item.digests.sha256 for item in leaf.objects if isinstance(item, PlainObject)]
        return group_hashes(leaf.statement.sha256, files)
    exhibit = home.exhibits.exhibit(row.leaf_hash)
    if exhibit is not None and not exhibit.erased:
        return group_hashes(leaf.statement.sha256, [item.stored.digests.sha256 for item in exhibit.objects])
    return tuple((node,) for node in nodes or state.nodes.get(row.leaf_hash, ()))
