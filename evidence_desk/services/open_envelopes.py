"""Open envelopes and write the rows again that stand behind leaves; each is compared with what its leaf commits to.

What no key of ours opens is left out: erased cases, cases sent as leaves only, keys a keybag copy lacks. Doing it twice
changes nothing.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from evidence_desk.core.canonical import JSON, decode
from evidence_desk.core.digests import DigestPair, parse_hex, sha256
from evidence_desk.core.envelope import parse_envelope, unpack
from evidence_desk.core.evidence_number import Prefix, format_number
from evidence_desk.core.groups import group_hashes
from evidence_desk.core.leaf import Leaf, LeafType, PlainObject, parse_leaf
from evidence_desk.core.ports import Store
from evidence_desk.core.rows import (
    CaseRow,
    CertificateRow,
    CustodyRow,
    ExhibitRow,
    LeafRow,
    ObjectRow,
    TimeRecordRow,
    TokenRow,
)
from evidence_desk.core.slim_statement import full_statement
from evidence_desk.core.statement import FileEntry, match_disclosures, parse_disclosures, parse_statement
from evidence_desk.core.time_record import Batch, build_batch, token_imprint
from evidence_desk.court.protocol.light_block import from_base64
from evidence_desk.errors import EvidenceDeskError, MalformedError, NotFoundError
from evidence_desk.services.envelopes import ERASED, moment_text, shows_group

PRIVATE: Final = frozenset(
    {
        LeafType.EXHIBIT_SEALED,
        LeafType.CAPTURE_SEALED,
        LeafType.TIME_ATTESTED,
        LeafType.CUSTODY_EVENT,
        LeafType.CERTIFICATE_ISSUED,
        LeafType.CERTIFICATE_REVOKED,
    }
)
"""Types of leaves behind which private rows stand."""

Contents = Sequence[tuple[str | None, Mapping[str, JSON]]]
"""(case, None for the desk; content) of boxes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What our keys open of an envelope; `whole`: all of its boxes."""

    contents: Contents = ()
    whole: bool = False


@dataclass(slots=True)
class Refill:
    """What came back of a log.

    Attributes:
        store: the log that is being filled in the active one's place; `stores`: all earlier logs so, this one among them.
        erased: cases that tombstones name.
        closed: leaves behind which something could not be opened.
        untimed: tokens whose hash tree could not be made again; their exhibits wait for a new one.
        refused: boxes that opened but did not fit their leaf, or could not be read.
        again: envelopes of leaves that were here before were opened once more.
    """

    store: Store
    stores: Sequence[Store]
    exhibits: int = 0
    tokens: int = 0
    certificates: int = 0
    events: int = 0
    closed: int = 0
    untimed: int = 0
    refused: int = 0
    again: bool = False
    erased: set[str] = field(default_factory=set)
    nodes: dict[bytes, tuple[bytes, ...]] = field(default_factory=dict)

    def add(self, later: Refill) -> None:
        """Count in what a later run opened."""
        self.exhibits += later.exhibits
        self.tokens += later.tokens
        self.certificates += later.certificates
        self.events += later.events
        self.closed = later.closed if later.again else self.closed + later.closed
        self.again |= later.again
        self.untimed += later.untimed
        self.refused += later.refused
        self.erased |= later.erased


def open_envelope(store: Store, leaf_hash: bytes, envelope: bytes | None) -> Opened:
    """What our keys open; nothing of an envelope that is absent, malformed, or of others."""
    if not envelope:
        return Opened()
    found: list[tuple[str | None, Mapping[str, JSON]]] = []
    try:
        boxes = parse_envelope(envelope)
        for box in boxes:
            opened = store.open_box(leaf_hash, box)
            content = None if opened is None else unpack(opened[1])
            if opened is not None and isinstance(content, dict):
                found.append((opened[0], content))
    except MalformedError:
        return Opened()
    return Opened(contents=found, whole=len(found) == len(boxes))


def refill(state: Refill, row: LeafRow, opened: Opened) -> None:
    """Write the rows behind one leaf, inside the caller's transaction; leaves must come in their order."""
    leaf = parse_leaf(row.leaf)
    if leaf.type not in PRIVATE:
        return
    state.closed += not opened.whole
    if not opened.contents:
        return
    try:
        match leaf.type:
            case LeafType.CUSTODY_EVENT:
                _custody(state, row, opened.contents)
            case LeafType.TIME_ATTESTED:
                _token(state, row, leaf, opened.contents[0][1])
            case _:
                for case_number, content in opened.contents:
                    _one(state, row, leaf, case_number, content)
    except (EvidenceDeskError, KeyError, TypeError, ValueError, binascii.Error) as error:
        if isinstance(error, EvidenceDeskError) and not isinstance(error, MalformedError | NotFoundError):
            raise  # the vault itself
        state.refused += 1


def _one(
    state: Refill, row: LeafRow, leaf: Leaf, case_number: str | None, content: Mapping[str, JSON]
) -> None:
    match content["v"]:
        case "exhibit/1" if case_number is not None:
            _exhibit(state, row, leaf, case_number, content)
        case "nodes/1":
            state.nodes[row.leaf_hash] = _hashes(content["nodes"])
        case "certificate/1":
            _certificate(state, row, leaf, content)
        case "revocation/1":
            certificate = state.store.exhibits.certificate(_text(content["number"]))
            if certificate is not None and certificate.leaf_hash == leaf.ref:
                state.store.exhibits.revoke_certificate(
                    certificate.number, _moment(content["at"]), _text(content["reason"])
                )
        case _:
            raise MalformedError("malformed.envelope", reason="content")


# --- exhibits -------------------------------------------------------------------------------------------------


def _exhibit(state: Refill, row: LeafRow, leaf: Leaf, case_number: str, content: Mapping[str, JSON]) -> None:
    exhibits = state.store.exhibits
    if exhibits.exhibit(row.leaf_hash) is not None:
        return
    disclosures = _text(content["disclosures"]).encode()
    members = parse_disclosures(disclosures)
    statement, matching = full_statement(_text(content["statement"]).encode(), members)
    if leaf.statement is None or not leaf.statement.matches(DigestPair.of(statement)):
        raise MalformedError("malformed.envelope", reason="statement")
    parsed = parse_statement(statement)
    told = None if matching else match_disclosures(parsed, members)
    values = {item.path: item.value for item in members} if told is None else told.values
    objects: list[ObjectRow] = []
    for position in range(parsed.file_count):
        entry = FileEntry.from_json(values[f"/files/{position}"])
        stored = state.store.stored_object(entry.digests, entry.size, case_number=case_number)
        if stored is None:
            return
        objects.append(
            ObjectRow(position=position, path=entry.name, media_type=entry.media_type, stored=stored)
        )
    case = content["case"]
    if not isinstance(case, dict):
        raise MalformedError("malformed.envelope", reason="case")
    exhibits.add_case(
        CaseRow(number=case_number, details=_text(case["details"]).encode(), created=_moment(case["created"]))
    )
    exhibits.add_exhibit(
        ExhibitRow(
            leaf_hash=row.leaf_hash,
            seq=row.seq,
            number=format_number(Prefix.EVIDENCE, row.leaf_hash),
            case_number=case_number,
            exhibit_no=parsed.exhibit_no,
            title=_text(values["/exhibit/title"]),
            kind=parsed.kind,
            statement=statement,
            disclosures=disclosures,
            objects=tuple(objects),
            registered=_moment(content["registered"]),
            logged=_moment(content["logged"]),
            origin=leaf.log,
        )
    )
    state.exhibits += 1


def _certificate(state: Refill, row: LeafRow, leaf: Leaf, content: Mapping[str, JSON]) -> None:
    exhibits = state.store.exhibits
    covered = _hashes(content["exhibits"])
    if exhibits.certificate_of_leaf(row.leaf_hash) is not None or not covered:
        return
    if any(exhibits.exhibit(item) is None for item in covered):
        raise MalformedError("malformed.envelope", reason="exhibits")
    exhibits.add_certificate(
        CertificateRow(
            number=_text(content["number"]),
            leaf_hash=row.leaf_hash,
            exhibits=covered,
            digests=DigestPair.from_json(leaf.facts["certificate"], what="certificate"),
            pdf=b"",
            issued=_moment(content["issued"]),
        )
    )
    state.certificates += 1


# --- custody --------------------------------------------------------------------------------------------------


def _custody(state: Refill, row: LeafRow, contents: Contents) -> None:
    here = {(item.exhibit, item.details) for item in state.store.exhibits.custody_of_leaf(row.seq)}
    events: list[tuple[int, CustodyRow]] = []
    for _, content in contents:
        items = content["events"]
        if content["v"] != "custody/1" or not isinstance(items, list):
            raise MalformedError("malformed.envelope", reason="content")
        events += [_event(row.seq, item) for item in items]
    events.sort(key=lambda item: item[0])
    rows = [event for _, event in events if (event.exhibit, event.details) not in here]
    for event in rows:
        if event.action == ERASED:
            _tombstone(state, event)
    state.store.exhibits.add_custody(rows)
    state.events += len(rows)


def _event(seq: int, item: JSON) -> tuple[int, CustodyRow]:
    if not isinstance(item, list) or len(item) != 6 or type(item[0]) is not int:
        raise MalformedError("malformed.envelope", reason="event")
    position, exhibit, at, action, operator, details = item
    return int(str(position)), CustodyRow(
        exhibit=parse_hex(exhibit, what="exhibit"),
        at=_moment(at),
        action=_text(action),
        operator=_text(operator),
        details=_text(details).encode(),
        leaf_seq=seq,
    )


def _tombstone(state: Refill, event: CustodyRow) -> None:
    """An exhibit of an erased case: its place in the log and its number are left."""
    found = _find(state, event.exhibit)
    number = erased_case(event.details)
    if found is None or not number:
        return
    home, row = found
    leaf = parse_leaf(row.leaf)
    home.exhibits.add_case(CaseRow(number=number, details=b"{}", created=leaf.at, erased=event.at))
    state.erased.add(number)
    if home.exhibits.exhibit(event.exhibit) is None:
        home.exhibits.add_exhibit(
            ExhibitRow(
                leaf_hash=event.exhibit, seq=leaf.seq, number=format_number(Prefix.EVIDENCE, event.exhibit),
                case_number=number, exhibit_no="", title="", kind="", statement=b"", disclosures=b"", objects=(),
                registered=leaf.at, logged=leaf.at, origin=leaf.log,
            )
        )  # fmt: skip


# --- tokens ---------------------------------------------------------------------------------------------------


def _token(state: Refill, row: LeafRow, leaf: Leaf, content: Mapping[str, JSON]) -> None:
    """The token, and the reduced trees of its batch made again from statements and files."""
    exhibits = state.store.exhibits
    if content["v"] != "time/1":
        raise MalformedError("malformed.envelope", reason="content")
    token = _token_row(content["token"])
    if leaf.facts["token_sha256"] != token.token_sha256.hex():
        raise MalformedError("malformed.envelope", reason="token")
    known = exhibits.token_attested_at(row.seq) is not None
    checkpoint = _text(content["checkpoint"]).encode()
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
        transport=_text(value["transport"]).encode(),
        authority=_text(value["authority"]),
        gen_time=_moment(value["gen_time"]),
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
        own = _groups(state, home, row, () if nodes is None else _hashes(nodes))
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
            yield _find(state, parse_hex(item, what="member"))
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


# --- forms ----------------------------------------------------------------------------------------------------


def erased_case(details: bytes) -> str:
    """Case number that a tombstone names, "" when it names none."""
    value = decode(details, what="custody", limit=len(details))
    number = value.get("case") if isinstance(value, dict) else None
    return number if isinstance(number, str) else ""


def _find(state: Refill, leaf_hash: bytes) -> tuple[Store, LeafRow] | None:
    for home in state.stores:
        row = home.log.leaf_by_hash(leaf_hash)
        if row is not None:
            return home, row
    return None


def _hashes(value: JSON) -> tuple[bytes, ...]:
    if not isinstance(value, list):
        raise MalformedError("malformed.envelope", reason="hashes")
    return tuple(parse_hex(item, what="hash") for item in value)


def _text(value: JSON) -> str:
    if not isinstance(value, str):
        raise MalformedError("malformed.envelope", reason="text")
    return value


def _moment(value: JSON) -> datetime:
    moment = datetime.fromisoformat(_text(value))
    if moment_text(moment.astimezone(UTC)) != value:
        raise MalformedError("malformed.envelope", reason="time")
    return moment
