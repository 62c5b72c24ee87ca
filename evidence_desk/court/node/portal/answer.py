"""The server's own answer to a number or digest, for readers without script: said to be not independently verified."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Protocol

from evidence_desk.core.digests import DIGEST_SIZE
from evidence_desk.core.evidence_number import Prefix, format_number, parse_number
from evidence_desk.core.verdict import Finding, Status
from evidence_desk.court.protocol.history import NetworkTrust
from evidence_desk.court.protocol.search import (
    KINDS,
    FoundLeaf,
    FoundVerdict,
    SearchAnswer,
    SearchVerdict,
    verify_found,
    verify_search,
)
from evidence_desk.court.protocol.state import LookupKind
from evidence_desk.court.protocol.verdict import CourtVerdict, TokenTime, finding
from evidence_desk.errors import EvidenceDeskError, MalformedError, NotFoundError

Facts = Mapping[str, str | int]
Note = tuple[str, Facts]
_DIGEST: Final = re.compile(r"(?:sha-?256|sm3)?([0-9a-f]{64})\Z")
_CODE: Final = re.compile(r"(?:\A|\s)leaf=([0-9a-f]{64})(?:\s|\Z)")
_CHAIN: Final = re.compile(r"(?:\A|\s)chain=([!-~]{1,50})(?:\s|\Z)")
_OF_FILES: Final = frozenset({LookupKind.OBJECT_SHA256, LookupKind.OBJECT_SM3, LookupKind.OBJECT_BLINDED})
_PRESENT: Final = "portal.answer.present.digest"
_REVOKED: Final = "court.events.revoked"


class Finder(Protocol):
    """What a gateway finds."""

    async def search(self, digest: bytes) -> SearchAnswer:
        """By digest."""
        ...

    async def numbers(self, text: str) -> tuple[str, tuple[FoundLeaf, ...]]:
        """By evidence number."""
        ...

    async def leaf(self, digest: bytes) -> FoundLeaf:
        """By leaf hash; NotFoundError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the page shows: outcome (present, absent, failed, undetermined, input), one sentence, and the proofs behind it.

    Attributes:
        asked: label and value of what was asked.
        notes: codes of sentences beside the answer, with their facts.
        lookups: kind of digest and finding.
        reason: the finding that the sentence gives as its reason.
    """

    outcome: str
    code: str
    facts: Facts
    asked: tuple[str, str]
    notes: tuple[Note, ...] = ()
    findings: tuple[Finding, ...] = ()
    lookups: tuple[tuple[int, Finding], ...] = ()
    records: tuple[FoundVerdict, ...] = ()
    reason: Finding | None = None


def no_token(token: bytes, imprint: bytes) -> TokenTime:  # noqa: ARG001
    """Tokens are for the offline verifier."""
    return TokenTime(status=Status.UNDETERMINED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """Answers questions typed into the page.

    Attributes:
        say: a moment in the reader's language.
    """

    finder: Finder
    trust: NetworkTrust
    now: datetime
    say: Callable[[datetime], str]

    async def answer(self, typed: str) -> Shown:
        """The answer to a number, digest, leaf hash or content of a QR code; never raises on what is typed."""
        text = " ".join(typed.split())[:400]
        asked = ("portal.ask", text)
        code, chain = _CODE.search(text), _CHAIN.search(text)
        if code and chain and chain[1] != self.trust.chain_id:
            return _told("input", "portal.answer.other_chain", {"chain": chain[1]}, asked)
        try:
            if code:
                return await self._leaf(bytes.fromhex(code[1]))
            digest = _DIGEST.match(text.lower().replace(" ", "").replace(":", ""))
            if digest:
                return await self._digest(bytes.fromhex(digest[1]))
            return await self._number(text, asked)
        except NotFoundError:
            return _told("undetermined", "portal.answer.leaf.none", {}, asked)
        except EvidenceDeskError as error:
            return _told("undetermined", "portal.answer.unreachable", {"reason": error.code}, asked)

    async def _number(self, text: str, asked: tuple[str, str]) -> Shown:
        try:
            parse_number(text, Prefix.EVIDENCE)
        except MalformedError as error:
            return self._no_number(text, error, asked)
        number, found = await self.finder.numbers(text)
        asked = ("portal.asked.number", number)
        if not found:
            return _told("undetermined", "portal.answer.number.none", {"number": number}, asked)
        shown = self._records([self._judge(item) for item in found], "portal.answer.number", asked)
        named = {**shown.facts, "number": number}
        return _with(shown, facts=named, notes=(("portal.note.number_only", {}),))

    def _no_number(self, text: str, error: MalformedError, asked: tuple[str, str]) -> Shown:
        mistyped = error.code == "malformed.number_check"
        try:
            parse_number(text, Prefix.CERTIFICATE)
        except MalformedError as other:
            mistyped = mistyped or other.code == "malformed.number_check"
            return _told("input", f"portal.answer.{'mistyped' if mistyped else 'unasked'}", {}, asked)
        return _told("input", "portal.answer.certificate_number", {}, asked)

    async def _leaf(self, digest: bytes) -> Shown:
        asked = ("portal.asked.leaf", digest.hex())
        found = await self.finder.leaf(digest)
        return _with(
            self._records([self._judge(found)], "portal.answer.leaf", asked),
            notes=(("portal.note.number_only", {}),),
        )

    async def _digest(self, digest: bytes) -> Shown:
        answer = await self.finder.search(digest)
        verdict = verify_search(answer, digest=digest, trust=self.trust, token=no_token, now=self.now)
        asked = ("portal.asked.digest", digest.hex())
        if not verdict.present and verdict.status is Status.PASSED:
            try:
                return await self._leaf(digest)
            except NotFoundError:
                pass
        return _with(
            self._search(answer, verdict, asked),
            notes=(("portal.note.digest_only", {}),),
            findings=_standing(verdict),
            lookups=_lookups(verdict),
        )

    def _search(self, answer: SearchAnswer, verdict: SearchVerdict, asked: tuple[str, str]) -> Shown:
        standing = answer.standing
        facts: Facts = {"height": standing.height, "time": self.say(standing.time)}
        refused = [
            item for part in verdict.lookups for item in part.findings if item.status is not Status.PASSED
        ]
        if any(item.status is Status.FAILED for item in refused):
            return _refused(refused, asked)
        if verdict.present:
            return self._present(verdict, asked, facts)
        if not refused:
            return _told("absent", "portal.answer.absent.digest", facts, asked)
        if {item.code for item in refused} == {"court.lookup.stale"}:
            return _told("undetermined", "portal.answer.stale", facts, asked)
        return _refused(refused, asked)

    def _present(self, verdict: SearchVerdict, asked: tuple[str, str], standing: Facts) -> Shown:
        """What the proven entries and the leaves shown of them say together; as reports.js does."""
        heights, records = verdict.heights, list(verdict.found)
        shown = {item.leaf_hash: item for item in records}
        failed = {item.leaf_hash for item in records if not item.counts}
        counted = sorted(set(heights) - failed, key=lambda item: (heights[item], item))
        hidden = [item for item in counted if item not in shown]
        count = len(counted) or len(heights)
        if len(failed) == len(records) and hidden:
            told = _told("present", "portal.answer.present.bare", {**standing, "count": count}, asked)
        else:
            told = self._told_by(verdict, counted, asked)
        told = _with(told, facts={**told.facts, "count": count}, records=tuple(records))
        first = told.facts.get("height", 0) if "time" in told.facts else 0
        unseen = [item for item in counted if item not in shown or not _seen(shown[item])]
        if isinstance(first, int) and len(records) > len(failed) and unseen and heights[unseen[0]] < first:
            told = _with(told, notes=(("portal.note.earlier", {"height": heights[unseen[0]]}),))
        if hidden:
            told = _with(told, notes=(("portal.note.more", {"shown": len(records), "count": len(heights)}),))
        return told

    def _told_by(self, verdict: SearchVerdict, counted: Sequence[bytes], asked: tuple[str, str]) -> Shown:
        records, heights = verdict.found, verdict.heights
        told = self._records(records, _PRESENT, asked)
        if not counted:
            return told
        eldest = next((item for item in records if item.leaf_hash == counted[0]), None)
        height = heights[counted[0]]
        files = zip(KINDS, verdict.lookups, strict=False)
        if not any(part.entries for kind, part in files if kind in _OF_FILES):
            # A certificate is what the desk says that registered it first, whatever others copied since.
            if eldest is None:
                hidden = finding("portal.shown", Status.UNDETERMINED, "eldest", height=height)
                return _with(_refused([hidden], asked), notes=told.notes)
            told = _with(self._records([eldest], _PRESENT, asked), notes=told.notes)
        if told.outcome != "present" and eldest is not None and _is_untimed(eldest):
            facts: Facts = {"height": height, "asof": verdict.lookups[0].height}
            told = _with(_told("present", "portal.answer.present.untimed", facts, asked), notes=told.notes)
        return told

    def _records(self, records: Sequence[FoundVerdict], code: str, asked: tuple[str, str]) -> Shown:
        """A record that failed says nothing, neither for nor against the others."""
        kept = [item for item in records if item.counts]
        shown = _with(self._decided(kept or records, code, asked), records=tuple(records))
        if kept and len(kept) < len(records):
            shown = _with(shown, notes=(("portal.note.failed", {"count": len(records) - len(kept)}),))
        return shown

    def _decided(self, records: Sequence[FoundVerdict], code: str, asked: tuple[str, str]) -> Shown:
        passed = [_court(item) for item in records if item.status is Status.PASSED]
        revoked = [item for item in records if _is_revoked(item)]
        if not passed:
            refused = [item for part in records for item in _all(part) if item.status is not Status.PASSED]
            return (
                _told("undetermined", "portal.answer.revoked", {}, asked)
                if revoked
                else _refused(refused, asked)
            )
        first = min(passed, key=lambda item: item.height)
        facts: Facts = {"height": first.height, "time": self.say(first.anchored_at or self.now)}
        shown = _told("present", code, {**facts, "count": len(records)}, asked)
        return _with(shown, notes=(("portal.note.revoked", {"count": len(revoked)}),)) if revoked else shown

    def _judge(self, found: FoundLeaf) -> FoundVerdict:
        return verify_found(found, trust=self.trust, token=no_token, now=self.now)


def number_of(record: FoundVerdict) -> str:
    """Evidence number of a record."""
    return format_number(Prefix.EVIDENCE, record.leaf_hash[:DIGEST_SIZE])


def _court(record: FoundVerdict) -> CourtVerdict:
    assert record.court is not None  # noqa: S101 - only records with a court verdict come here
    return record.court


def _all(record: FoundVerdict) -> tuple[Finding, ...]:
    return (*record.findings, *(record.court.findings if record.court else ()))


def _is_revoked(record: FoundVerdict) -> bool:
    return any(item.code == _REVOKED for item in _all(record))


def _is_untimed(record: FoundVerdict) -> bool:
    """Whether nothing but the time of anchoring is open: the newest state holds the entry all the same."""
    return all(item.status is Status.PASSED or item.check == "court.token" for item in _all(record))


def _seen(record: FoundVerdict) -> bool:
    return record.status is Status.PASSED or _is_revoked(record)


def _told(outcome: str, code: str, facts: Facts, asked: tuple[str, str]) -> Shown:
    return Shown(outcome=outcome, code=code, facts=facts, asked=asked)


def _with(
    shown: Shown, *, facts: Facts | None = None, notes: tuple[Note, ...] = (),
    findings: tuple[Finding, ...] = (), lookups: tuple[tuple[int, Finding], ...] = (),
    records: tuple[FoundVerdict, ...] = (),
) -> Shown:  # fmt: skip
    return replace(
        shown, facts=shown.facts if facts is None else facts, notes=(*shown.notes, *notes),
        findings=findings or shown.findings, lookups=lookups or shown.lookups, records=records or shown.records,
    )  # fmt: skip


def _refused(refused: Sequence[Finding], asked: tuple[str, str]) -> Shown:
    """Failed over undetermined; the first of the worst is the reason."""
    failed = [item for item in refused if item.status is Status.FAILED]
    outcome = "failed" if failed else "undetermined"
    reason = next(iter((*failed, *refused)), None)
    facts: Facts = {"reason": "" if reason is None else reason.code}
    shown = _told(outcome, f"portal.answer.{outcome}", facts, asked)
    return replace(shown, findings=tuple(refused), reason=reason)


def _standing(verdict: SearchVerdict) -> tuple[Finding, ...]:
    """Findings on the header, which all kinds share."""
    return tuple(item for item in verdict.lookups[0].findings if item.check != "court.lookup")


def _lookups(verdict: SearchVerdict) -> tuple[tuple[int, Finding], ...]:
    return tuple(
        (int(kind), item)
        for kind, part in zip(KINDS, verdict.lookups, strict=False)
        for item in part.findings
        if item.check == "court.lookup"
    )
