"""Envelopes: the private rows behind the leaves that go to the network, encrypted under keys of the desk (docs/spec/envelope.md).

What belongs to a case lies under the key of that case, so that deleting the key erases it wherever it is. Under the
desk's own key lies what belongs to no case: tokens, nodes of hash trees, tombstones of erased cases. File contents
never go into an envelope.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from evidence_desk.core.canonical import JSON
from evidence_desk.core.digests import sha256
from evidence_desk.core.envelope import MAX_ENVELOPE, Box, encode_envelope, pack
from evidence_desk.core.groups import group_hashes
from evidence_desk.core.leaf import BlindedObject, Leaf, LeafType, as_ranges, attested_ranges, parse_leaf
from evidence_desk.core.rows import CaseRow, CustodyRow, ExhibitRow, LeafRow, TokenRow
from evidence_desk.core.slim_statement import slim_statement
from evidence_desk.core.time_record import build_batch
from evidence_desk.court.protocol.actions import Envelope
from evidence_desk.court.protocol.light_block import to_base64
from evidence_desk.services.desk import Desk

ERASED: Final = "erased"
"""Custody action of a tombstone."""
MAX_CRLS: Final = 64 * 1024
"""Revocation lists up to this many bytes travel with a token; longer ones are fetched again."""

Contents = dict[str | None, JSON]
"""Content of a box by case, None for the desk's own."""


def envelopes_for(desk: Desk, start: int, stop: int) -> tuple[Envelope, ...]:
    """Envelopes of the leaves start ≤ seq < stop of the active log, in their order.

    Leaves without private rows have none, nor have cases sent as leaves only (仅哈希), erased cases, and the rare leaf
    whose rows would not fit into 256 KiB.
    """
    found = (_envelope(desk, row) for row in desk.store.log.leaves(start, stop))
    return tuple(item for item in found if item is not None)


def _envelope(desk: Desk, row: LeafRow) -> Envelope | None:
    make = _MAKERS.get(LeafType(row.type))
    contents = {} if make is None else make(desk, row, parse_leaf(row.leaf))
    boxes: list[Box] = []
    for case_number, content in contents.items():
        box = desk.store.seal_box(case_number, row.leaf_hash, pack(content))
        if box is not None:
            boxes.append(box)
    if not boxes:
        return None
    data = encode_envelope(boxes)
    return Envelope(seq=row.seq, ciphertext=data) if len(data) <= MAX_ENVELOPE else None


# --- what belongs to a case -----------------------------------------------------------------------------------


def _case(desk: Desk, number: str) -> CaseRow | None:
    """The case, unless nothing of it may leave the desk."""
    case = desk.store.exhibits.case(number)
    return None if case is None or case.leaves_only else case


def _sealed(desk: Desk, row: LeafRow, leaf: Leaf) -> Contents:
    exhibit = desk.store.exhibits.exhibit(row.leaf_hash)
    case = None if exhibit is None else _case(desk, exhibit.case_number)
    if exhibit is None or case is None or exhibit.erased:
        return {}
    contents: Contents = {
        case.number: {
            "v": "exhibit/1",
            "case": _case_json(case),
            "statement": slim_statement(exhibit.statement, exhibit.disclosures).decode(),
            "disclosures": exhibit.disclosures.decode(),
            "registered": moment_text(exhibit.registered),
            "logged": moment_text(exhibit.logged),
        }
    }  # fmt: skip
    if not shows_group(leaf):
        contents[None] = {"v": "nodes/1", "nodes": [node.hex() for node in group_nodes(exhibit)]}
    return contents


def _capture(desk: Desk, row: LeafRow, _leaf: Leaf) -> Contents:
    """What the capture was asked to do; how it ended, a later leaf says."""
    capture = desk.store.captures.started_by(row.leaf_hash)
    case = None if capture is None else _case(desk, capture.case_number)
    if capture is None or case is None or not capture.document:
        return {}
    return {
        case.number: {
            "v": "capture/1",
            "case": _case_json(case),
            "document": capture.document.decode(),
            "started": moment_text(capture.started),
        }
    }


def _case_json(case: CaseRow) -> JSON:
    return {"number": case.number, "details": case.details.decode(), "created": moment_text(case.created)}


def _certificate(desk: Desk, row: LeafRow, leaf: Leaf) -> Contents:
    revoked = leaf.type is LeafType.CERTIFICATE_REVOKED
    certificate = desk.store.exhibits.certificate_of_leaf(leaf.ref or b"" if revoked else row.leaf_hash)
    if certificate is None:
        return {}
    exhibit = desk.store.exhibits.exhibit(certificate.exhibits[0])
    case = None if exhibit is None else _case(desk, exhibit.case_number)
    if case is None:
        return {}
    if revoked and certificate.revoked is not None:
        return {
            case.number: {
                "v": "revocation/1",
                "number": certificate.number,
                "at": moment_text(certificate.revoked),
                "reason": certificate.reason,
            }
        }
    return {
        case.number: {
            "v": "certificate/1",
            "number": certificate.number,
            "exhibits": [item.hex() for item in certificate.exhibits],
            "issued": moment_text(certificate.issued),
        }
    }


def _custody(desk: Desk, row: LeafRow, _leaf: Leaf) -> Contents:
    """Events by case, each with its place among those of the leaf; tombstones under the desk's key."""
    events: defaultdict[str | None, list[JSON]] = defaultdict(list)
    for position, event in enumerate(desk.store.exhibits.custody_of_leaf(row.seq)):
        exhibit = desk.store.exhibits.exhibit(event.exhibit)
        case = None if exhibit is None else _case(desk, exhibit.case_number)
        if case is not None:
            events[None if event.action == ERASED else case.number].append(_event(position, event))
    return {number: {"v": "custody/1", "events": items} for number, items in events.items()}


def _event(position: int, event: CustodyRow) -> JSON:
    return [
        position, event.exhibit.hex(), moment_text(event.at), event.action, event.operator, event.details.decode(),
    ]  # fmt: skip


# --- what belongs to the desk ---------------------------------------------------------------------------------


def _attested(desk: Desk, row: LeafRow, leaf: Leaf) -> Contents:
    """The token and what rebuilds its hash tree; the reduced trees themselves follow from the exhibits."""
    token = desk.store.exhibits.token_attested_at(row.seq)
    checkpoint = None if token is None else desk.store.exhibits.checkpoint_record(token.token_sha256)
    if token is None or checkpoint is None:
        return {}
    content: dict[str, JSON] = {
        "v": "time/1",
        "token": token_json(token),
        "checkpoint": checkpoint.data.decode(),
        "members": _members(desk, token, leaf),
        "nodes": _missing_nodes(desk, leaf),
    }
    return {None: content}


def token_json(token: TokenRow) -> JSON:
    """A token's row; the token itself is named by its place in the response, where it mostly lies."""
    at = token.response.find(token.token)
    return {
        "response": to_base64(token.response),
        "token": [at, len(token.token)] if at >= 0 else to_base64(token.token),
        "request": to_base64(token.request),
        "transport": token.transport.decode(),
        "authority": token.authority,
        "gen_time": moment_text(token.gen_time),
        "crls": [to_base64(crl) for crl in token.crls] if sum(map(len, token.crls)) <= MAX_CRLS else [],
    }


def _members(desk: Desk, token: TokenRow, leaf: Leaf) -> list[JSON]:
    """The batch in its order: ranges of seq of this log, leaf hashes of exhibits in earlier ones."""
    own = {seq for first, last in attested_ranges(leaf.facts) for seq in range(first, last + 1)}
    order: list[int | str] = []
    for leaf_hash in desk.store.exhibits.token_owners(token.token_sha256):
        exhibit = desk.store.exhibits.exhibit(leaf_hash)
        if exhibit is not None:
            order.append(exhibit.seq if exhibit.origin == leaf.log else leaf_hash.hex())
    gone = own - {item for item in order if isinstance(item, int)}
    if gone:  # erased since: others came first
        order = [item for item in order if isinstance(item, str)] + sorted(own)
    return list(_runs(order))


def _runs(order: Iterable[int | str]) -> Iterable[JSON]:
    run: list[int] = []
    for item in order:
        if run and item != run[-1] + 1 if isinstance(item, int) else run:
            yield from as_ranges(run)
            run = []
        if isinstance(item, int):
            run.append(item)
        else:
            yield item
    if run:
        yield from as_ranges(run)


def _missing_nodes(desk: Desk, leaf: Leaf) -> dict[str, JSON]:
    """Nodes that neither the leaf nor the envelope of an exhibit gives: blinded ones whose case sends leaves only."""
    nodes: dict[str, JSON] = {}
    for first, last in attested_ranges(leaf.facts):
        for row in desk.store.log.leaves(first, last + 1):
            if shows_group(parse_leaf(row.leaf)):
                continue
            exhibit = desk.store.exhibits.exhibit(row.leaf_hash)
            if exhibit is not None and not exhibit.erased and _case(desk, exhibit.case_number) is None:
                nodes[str(row.seq)] = [node.hex() for node in group_nodes(exhibit)]
    return nodes


def shows_group(leaf: Leaf) -> bool:
    """Whether a sealed leaf alone tells the hashes of its data-object group: its files listed and not blinded."""
    return bool(leaf.objects) and not any(isinstance(item, BlindedObject) for item in leaf.objects)


def group_nodes(exhibit: ExhibitRow) -> tuple[bytes, ...]:
    """Node of each data-object group of an exhibit: with the statement's salt in it, it tells nothing of the files."""
    files = [item.stored.digests.sha256 for item in exhibit.objects]
    return tuple(build_batch([group]).root for group in group_hashes(sha256(exhibit.statement), files))


_MAKERS: Final[Mapping[LeafType, Callable[[Desk, LeafRow, Leaf], Contents]]] = {
    LeafType.EXHIBIT_SEALED: _sealed,
    LeafType.CAPTURE_STARTED: _capture,
    LeafType.CAPTURE_SEALED: _sealed,
    LeafType.TIME_ATTESTED: _attested,
    LeafType.CUSTODY_EVENT: _custody,
    LeafType.CERTIFICATE_ISSUED: _certificate,
    LeafType.CERTIFICATE_REVOKED: _certificate,
}


# --- forms ----------------------------------------------------------------------------------------------------


def moment_text(moment: datetime) -> str:
    """A row's moment, UTC with microseconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
