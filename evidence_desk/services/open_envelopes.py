"""Open envelopes and write the rows again that stand behind leaves; each is compared with what its leaf commits to.

What no key of ours opens is left out: erased cases, cases sent as leaves only, keys a keybag copy lacks. Doing it twice
changes nothing.
"""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from typing import Final

from evidence_desk.core.canonical import JSON, decode
from evidence_desk.core.capture.marks import parse_started
from evidence_desk.core.capture.rows import CaptureRow, CaptureState
from evidence_desk.core.digests import DigestPair, parse_hex
from evidence_desk.core.envelope import parse_envelope, unpack
from evidence_desk.core.evidence_number import Prefix, format_number
from evidence_desk.core.leaf import Leaf, LeafType, parse_leaf
from evidence_desk.core.ports import Store
from evidence_desk.core.rows import (
    CaseRow,
    CertificateRow,
    CustodyRow,
    ExhibitRow,
    LeafRow,
    ObjectRow,
)
from evidence_desk.core.slim_statement import full_statement
from evidence_desk.core.statement import FileEntry, match_disclosures, parse_disclosures, parse_statement
from evidence_desk.errors import EvidenceDeskError, MalformedError, NotFoundError
from evidence_desk.services.envelopes import ERASED
from evidence_desk.services.refill import (
    Contents,
    Opened,
    Refill,
    find_leaf,
    read_hashes,
    read_moment,
    read_text,
)
from evidence_desk.services.refill_tokens import refill_token

PRIVATE: Final = frozenset(
    {
        LeafType.EXHIBIT_SEALED,
        LeafType.CAPTURE_STARTED,
        LeafType.CAPTURE_SEALED,
        LeafType.TIME_ATTESTED,
        LeafType.CUSTODY_EVENT,
        LeafType.CERTIFICATE_ISSUED,
        LeafType.CERTIFICATE_REVOKED,
    }
)
"""Types of leaves behind which private rows stand."""


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
    if leaf.type in (LeafType.CAPTURE_ABANDONED, LeafType.CAPTURE_SEALED):
        _capture_ended(state, row, leaf)
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
                refill_token(state, row, leaf, opened.contents[0][1])
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
            state.nodes[row.leaf_hash] = read_hashes(content["nodes"])
        case "capture/1" if case_number is not None:
            _capture(state, row, leaf, case_number, content)
        case "certificate/1":
            _certificate(state, row, leaf, content)
        case "revocation/1":
            certificate = state.store.exhibits.certificate(read_text(content["number"]))
            if certificate is not None and certificate.leaf_hash == leaf.ref:
                state.store.exhibits.revoke_certificate(
                    certificate.number, read_moment(content["at"]), read_text(content["reason"])
                )
        case _:
            raise MalformedError("malformed.envelope", reason="content")


# --- exhibits -------------------------------------------------------------------------------------------------


def _exhibit(state: Refill, row: LeafRow, leaf: Leaf, case_number: str, content: Mapping[str, JSON]) -> None:
    exhibits = state.store.exhibits
    if exhibits.exhibit(row.leaf_hash) is not None:
        return
    disclosures = read_text(content["disclosures"]).encode()
    members = parse_disclosures(disclosures)
    statement, matching = full_statement(read_text(content["statement"]).encode(), members)
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
    _add_case(state, case_number, content)
    exhibits.add_exhibit(
        ExhibitRow(
            leaf_hash=row.leaf_hash,
            seq=row.seq,
            number=format_number(Prefix.EVIDENCE, row.leaf_hash),
            case_number=case_number,
            exhibit_no=parsed.exhibit_no,
            title=read_text(values["/exhibit/title"]),
            kind=parsed.kind,
            statement=statement,
            disclosures=disclosures,
            objects=tuple(objects),
            registered=read_moment(content["registered"]),
            logged=read_moment(content["logged"]),
            origin=leaf.log,
        )
    )
    state.exhibits += 1


def _add_case(state: Refill, case_number: str, content: Mapping[str, JSON]) -> None:
    case = content["case"]
    if not isinstance(case, dict):
        raise MalformedError("malformed.envelope", reason="case")
    state.store.exhibits.add_case(
        CaseRow(
            number=case_number,
            details=read_text(case["details"]).encode(),
            created=read_moment(case["created"]),
        )
    )


def _capture(state: Refill, row: LeafRow, leaf: Leaf, case_number: str, content: Mapping[str, JSON]) -> None:
    document = read_text(content["document"]).encode()
    commitment = DigestPair.from_json(leaf.facts["commitment"], what="commitment")
    started = parse_started(document)
    if not commitment.matches(DigestPair.of(document)) or started.case_number != case_number:
        raise MalformedError("malformed.envelope", reason="capture")
    _add_case(state, case_number, content)
    state.store.captures.add(
        CaptureRow(
            id=started.id,
            case_number=case_number,
            started_leaf=row.leaf_hash,
            started=read_moment(content["started"]),
            document=document,
        )
    )


def _capture_ended(state: Refill, row: LeafRow, leaf: Leaf) -> None:
    """The leaf itself says that a capture ended; how it came out is not told by it."""
    capture = state.store.captures.started_by(leaf.ref or b"")
    if capture is not None and capture.state is CaptureState.RUNNING:
        ended = CaptureState.SEALED if leaf.type is LeafType.CAPTURE_SEALED else CaptureState.ABANDONED
        state.store.captures.end(capture.id, ended, leaf.at, row.leaf_hash)


def _certificate(state: Refill, row: LeafRow, leaf: Leaf, content: Mapping[str, JSON]) -> None:
    exhibits = state.store.exhibits
    covered = read_hashes(content["exhibits"])
    if exhibits.certificate_of_leaf(row.leaf_hash) is not None or not covered:
        return
    if any(exhibits.exhibit(item) is None for item in covered):
        raise MalformedError("malformed.envelope", reason="exhibits")
    exhibits.add_certificate(
        CertificateRow(
            number=read_text(content["number"]),
            leaf_hash=row.leaf_hash,
            exhibits=covered,
            digests=DigestPair.from_json(leaf.facts["certificate"], what="certificate"),
            pdf=b"",
            issued=read_moment(content["issued"]),
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
        at=read_moment(at),
        action=read_text(action),
        operator=read_text(operator),
        details=read_text(details).encode(),
        leaf_seq=seq,
    )


def _tombstone(state: Refill, event: CustodyRow) -> None:
    """An exhibit of an erased case: its place in the log and its number are left."""
    found = find_leaf(state, event.exhibit)
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


# --- forms ----------------------------------------------------------------------------------------------------


def erased_case(details: bytes) -> str:
    """Case number that a tombstone names, "" when it names none."""
    value = decode(details, what="custody", limit=len(details))
    number = value.get("case") if isinstance(value, dict) else None
    return number if isinstance(number, str) else ""
