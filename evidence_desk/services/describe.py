"""Describe an exhibit and its case for printing, the same in certificates and documents: every value from verified facts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from evidence_desk.core import certificate as model
from evidence_desk.core.canonical import JSON
from evidence_desk.core.capture.manifest import Manifest, parse_manifest
from evidence_desk.core.capture.rows import CaptureResult, CaptureState
from evidence_desk.core.derivation import derivation_of
from evidence_desk.core.digests import DigestPair, parse_hex
from evidence_desk.core.leaf import BlindedObject
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.core.statement import Statement
from evidence_desk.errors import IntegrityError
from evidence_desk.services.desk import Desk
from evidence_desk.verify.exhibit import ExhibitFacts
from evidence_desk.verify.values import (
    checkpoint_facts,
    court_facts,
    file_facts,
    statement_digests,
    token_facts,
)


def describe_case(facts: ExhibitFacts) -> model.CaseFacts:
    """The case as the exhibit's statement names it; empty when there is no statement."""
    statement, disclosed = facts.statement, facts.disclosed
    if statement is None:
        return model.CaseFacts()
    parties = disclosed.values.get("/case/parties") if disclosed else None
    return model.CaseFacts(
        number=statement.case_number,
        court=statement.court,
        cause=statement.cause,
        parties=tuple(str(item) for item in parties) if isinstance(parties, list) else (),
    )


def describe_exhibit(
    desk: Desk, row: ExhibitRow, facts: ExhibitFacts, *, attachments: tuple[str, ...] = ()
) -> model.Exhibit:
    """The exhibit as documents print it, from facts that `assess_for_print` verified.

    Raises:
        IntegrityError: ``certify.unsound`` when it has no statement. MalformedError: a value of a wrong form.
    """
    statement, values = facts.statement, facts.disclosed.values if facts.disclosed else {}
    if statement is None:
        raise IntegrityError("certify.unsound", number=row.number, code="statement")
    blinded = bool(facts.leaf.objects) and isinstance(facts.leaf.objects[0], BlindedObject)
    return model.Exhibit(
        number=row.number,
        leaf_hash=facts.leaf_hash,
        seq=facts.leaf.seq,
        statement=statement_digests(facts),
        files=file_facts(facts),
        files_root=facts.leaf.root,
        checkpoint=checkpoint_facts(facts),
        registered=statement.clock.utc,
        logged=facts.leaf.at,
        token=token_facts(facts),
        court=court_facts(facts),
        blinded=blinded,
        exhibit_no=statement.exhibit_no,
        title=_text(values.get("/exhibit/title")),
        kind=statement.kind.value,
        purpose=_text(values.get("/exhibit/purpose")),
        clock=model.ClockFacts(
            zone=statement.clock.zone, offset_ms=statement.clock.offset_ms, sources=statement.clock.sources
        ),
        operator=_person(values.get("/operator")) or model.Person(),
        witness=_person(values.get("/witness")),
        source=_source(values.get("/source")),
        tools=tuple(
            model.Tool(
                name=_text(tool.get("name")),
                version=_text(tool.get("version")),
                sha256=parse_hex(tool["sha256"], what="tool") if "sha256" in tool else None,
            )
            for tool in statement.tools
        ),
        interest=_text(values.get("/interest")),
        capture=captured(desk, row, statement),
        custody=_custody(desk, row),
        last_recheck=_last_recheck(desk, row),
        attachments=attachments,
    )


def captured(desk: Desk, row: ExhibitRow, statement: Statement) -> Manifest | None:
    """Manifest of the web capture that an exhibit is; None for files, and when it is not at hand.

    Raises:
        IntegrityError: ``certify.unsound`` when what is kept is not what the statement commits to.
    """
    kept = None if statement.capture is None else desk.store.captures.ended_by(row.leaf_hash)
    if kept is None or not kept.manifest or statement.capture is None:
        return None
    if not statement.capture.matches(DigestPair.of(kept.manifest)):
        raise IntegrityError("certify.unsound", number=row.number, code="capture.manifest")
    return parse_manifest(kept.manifest)


def failed_captures(desk: Desk, case_number: str) -> int | None:
    """Captures of a case that failed, were given up, or were begun and never sealed; None when one may have without being known here."""
    rows = desk.store.captures.captures(case_number)
    if any(row.state is CaptureState.SEALED and row.result is None for row in rows):
        return None  # restored from the network, which does not tell how they came out
    return sum(row.state is not CaptureState.SEALED or row.result is CaptureResult.FAILED for row in rows)


def _custody(desk: Desk, row: ExhibitRow) -> tuple[model.CustodyEvent, ...]:
    return tuple(
        model.CustodyEvent(at=event.at, action=event.action, operator=event.operator)
        for event in desk.store.exhibits.custody(row.leaf_hash)
    )


def _last_recheck(desk: Desk, row: ExhibitRow) -> datetime | None:
    checks = [event.at for event in desk.store.exhibits.custody(row.leaf_hash) if event.action == "rechecked"]
    return max(checks, default=None)


def _text(value: JSON | None) -> str:
    return value if isinstance(value, str) else ""


def _person(value: JSON | None) -> model.Person | None:
    if not isinstance(value, Mapping):
        return None
    return model.Person(
        name=_text(value.get("name")),
        role=_text(value.get("role")),
        identification=_text(value.get("identification")),
    )


def _source(value: JSON | None) -> model.SourceFacts:
    if not isinstance(value, Mapping):
        return model.SourceFacts()
    original = value.get("is_original")
    return model.SourceFacts(
        obtained=_text(value.get("obtained")),
        from_whom=_text(value.get("from_whom")),
        medium=_text(value.get("medium")),
        medium_serial=_text(value.get("medium_serial")),
        is_original=original if isinstance(original, bool) else None,
        derived_from=_text(value.get("derived_from")),
        derivation=derivation_of(dict(value)),
        basis=_text(value.get("basis")),
    )
