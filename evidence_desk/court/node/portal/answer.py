"""The server's own answer to a number or digest, for readers without script: said to be not independently verified."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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
from evidence_desk.court.protocol.verdict import CourtVerdict, TokenTime
from evidence_desk.errors import EvidenceDeskError, MalformedError, NotFoundError

Facts = Mapping[str, str | int]
_DIGEST: Final = re.compile(r"(?:sha-?256|sm3)?([0-9a-f]{64})\Z")
_CODE: Final = re.compile(r"(?:\A|\s)leaf=([0-9a-f]{64})(?:\s|\Z)")
_CHAIN: Final = re.compile(r"(?:\A|\s)chain=([!-~]{1,50})(?:\s|\Z)")
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
        notes: codes of sentences beside the answer.
        lookups: kind of digest and finding.
    """

    outcome: str
    code: str
    facts: Facts
    asked: tuple[str, str]
    notes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    lookups: tuple[tuple[int, Finding], ...] = ()
    records: tuple[FoundVerdict, ...] = ()


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
        return _with(shown, facts=named, notes=("portal.note.number_only",))

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
            notes=("portal.note.number_only",),
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
            notes=("portal.note.digest_only",),
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
            entries = {entry.leaf_hash for part in verdict.lookups for entry in part.entries or ()}
            shown = self._records(list(verdict.found), "portal.answer.present.digest", asked)
            return _with(shown, facts={**shown.facts, "count": len(entries)})
        if not refused:
            return _told("absent", "portal.answer.absent.digest", facts, asked)
        if {item.code for item in refused} == {"court.lookup.stale"}:
            return _told("undetermined", "portal.answer.stale", facts, asked)
        return _refused(refused, asked)

    def _records(self, records: Sequence[FoundVerdict], code: str, asked: tuple[str, str]) -> Shown:
        proven = [item for item in records if item.court and item.court.anchored_at]
        refused = [item for part in records for item in _all(part) if item.status is not Status.PASSED]
        if not proven:
            return _with(_refused(refused, asked), records=tuple(records))
        if refused:
            revoked = any(item.code == _REVOKED for item in refused)
            shown = (
                _told("undetermined", "portal.answer.revoked", {}, asked)
                if revoked
                else _refused(refused, asked)
            )
            return _with(shown, records=tuple(records))
        first = min((_court(item) for item in proven), key=lambda item: item.height)
        facts: Facts = {"height": first.height, "time": self.say(first.anchored_at or self.now)}
        return _with(_told("present", code, {**facts, "count": len(records)}, asked), records=tuple(records))

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


def _told(outcome: str, code: str, facts: Facts, asked: tuple[str, str]) -> Shown:
    return Shown(outcome=outcome, code=code, facts=facts, asked=asked)


def _with(
    shown: Shown, *, facts: Facts | None = None, notes: tuple[str, ...] = (),
    findings: tuple[Finding, ...] = (), lookups: tuple[tuple[int, Finding], ...] = (),
    records: tuple[FoundVerdict, ...] = (),
) -> Shown:  # fmt: skip
    return Shown(
        outcome=shown.outcome, code=shown.code, asked=shown.asked, facts=shown.facts if facts is None else facts,
        notes=(*shown.notes, *notes), findings=findings or shown.findings, lookups=lookups or shown.lookups,
        records=records or shown.records,
    )  # fmt: skip


def _refused(refused: Sequence[Finding], asked: tuple[str, str]) -> Shown:
    """Failed over undetermined; the first of the worst is the reason."""
    failed = [item for item in refused if item.status is Status.FAILED]
    outcome = "failed" if failed else "undetermined"
    reason = next((item.code for item in (*failed, *refused)), "")
    shown = _told(outcome, f"portal.answer.{outcome}", {"reason": reason}, asked)
    return _with(shown, findings=tuple(refused))


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
