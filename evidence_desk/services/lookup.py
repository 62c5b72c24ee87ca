"""Look up in the court network by digest, evidence number or leaf; what is told is what was proven.

Presence needs one proof. Absence is asked of two gateways: one may lag behind. An old answer leaves it undetermined.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import assert_never

from evidence_desk.core.court_ports import CourtGateway
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.evidence_number import Prefix, format_number, parse_number
from evidence_desk.core.leaf import LeafType, PlainObject
from evidence_desk.core.verdict import Caveat, Status, unique_caveats
from evidence_desk.court.protocol.header import demo_caveats
from evidence_desk.court.protocol.search import (
    KINDS,
    FoundLeaf,
    FoundVerdict,
    SearchVerdict,
    has_number,
    parse_leaf_answer,
    parse_numbers,
    parse_search_answer,
    verify_found,
    verify_search,
)
from evidence_desk.court.protocol.state import LookupKind
from evidence_desk.errors import BugError, EvidenceDeskError, MalformedError
from evidence_desk.services.court_query import (
    ENOUGH,
    Court,
    GatewayFault,
    ask_all,
    fault_of,
    refuse,
    unverified,
)
from evidence_desk.services.question import Question, QuestionKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrences:
    """How many leaves name the digest as this kind; of each the leaf hash and height are proven."""

    kind: LookupKind
    count: int


@dataclass(slots=True)
class LookupOutcome:
    """What the network was shown to know.

    Attributes:
        present: True or False when proven, None when undetermined.
        height, time: as of which absence or presence is proven.
        asked: gateways whose answers held.
        entries: proven leaves that name the digest; `found` may show fewer. `heights`: when each came on chain.
        found: leaves with their verdicts, oldest first; those that fail don't count, and refute no other.
        others: leaves left out of `found`: they name the digest with another file's (another SM3, another size).
    """

    chain_id: str
    present: bool | None = None
    height: int = 0
    time: datetime | None = None
    asked: list[str] = field(default_factory=list)
    occurrences: tuple[Occurrences, ...] = ()
    entries: int = 0
    heights: Mapping[bytes, int] = field(default_factory=dict)
    found: tuple[FoundVerdict, ...] = ()
    others: int = 0
    caveats: tuple[Caveat, ...] = ()
    faults: list[GatewayFault] = field(default_factory=list)
    stale: bool = False

    @property
    def status(self) -> Status:
        """Whether anything is proven."""
        return Status.UNDETERMINED if self.present is None else Status.PASSED


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    gateway: str
    verdict: SearchVerdict
    height: int
    time: datetime


def look_up(court: Court, question: Question, faults: list[GatewayFault] | None = None) -> LookupOutcome:
    """What the network knows of a file, digest, evidence number or leaf.

    Args:
        court: the network.
        question: a typed digest may also be a leaf hash: it is asked for as one when no file or certificate has it.
        faults: what goes wrong is added, also when nothing is returned.

    Raises:
        MalformedError: ``lookup.certificate_number``, ``lookup.other_chain``: the network cannot be asked that.
        RemoteError: ``network.unverified`` when no gateway gave an answer that holds.
    """
    noted: list[GatewayFault] = [] if faults is None else faults
    match question.kind:
        case QuestionKind.FILE:
            if question.digests is None:
                raise BugError("bug.question")
            return look_up_file(court, question.digests, question.size, noted)
        case QuestionKind.DIGEST:
            found = look_up_digest(court, question.digest, noted)
            if found.present is True or question.algorithm:
                return found
            leaf = look_up_leaf(court, question.digest)
            if not leaf.found:
                return found
            noted += [item for item in leaf.faults if item not in noted]
            return replace(leaf, faults=noted)
        case QuestionKind.EVIDENCE_NUMBER:
            return look_up_number(court, question.number, noted)
        case QuestionKind.CERTIFICATE_NUMBER:
            raise MalformedError("lookup.certificate_number", number=question.number)
        case QuestionKind.CODE:
            if question.code is None:
                raise BugError("bug.question")
            if question.code.chain_id not in {"", court.chain_id}:
                raise MalformedError("lookup.other_chain", chain=question.code.chain_id, ours=court.chain_id)
            return look_up_leaf(court, question.code.leaf_hash, noted)
        case _:
            assert_never(question.kind)


def look_up_digest(court: Court, digest: bytes, faults: list[GatewayFault] | None = None) -> LookupOutcome:
    """What the network knows of a SHA-256, SM3 or blinded digest, as object or certificate.

    Raises:
        RemoteError: ``network.unverified`` when no gateway gave an answer that holds.
    """
    outcome = _outcome(court, faults)
    answers = ask_all(court, lambda item: _search(court, item, digest), outcome.faults, enough=ENOUGH)
    if not answers:
        raise unverified(court, outcome.faults)
    outcome.asked = [item.gateway for item in answers]
    present = [item for item in answers if item.verdict.present]
    proven = present or [item for item in answers if item.verdict.status is Status.PASSED]
    if not proven:
        newest = max(answers, key=lambda item: item.height)
        outcome.stale, outcome.height, outcome.time = True, newest.height, newest.time
        return outcome
    best = max(proven, key=lambda item: item.height)
    outcome.present = bool(present)
    outcome.height, outcome.time = best.height, best.time
    outcome.occurrences = tuple(
        Occurrences(kind=kind, count=len(item.entries))
        for kind, item in zip(KINDS, best.verdict.lookups, strict=True)
        if item.entries
    )
    outcome.heights = best.verdict.heights
    outcome.entries = len(outcome.heights)
    outcome.found = best.verdict.found
    outcome.caveats = _caveats(outcome, best.verdict.caveats)
    return outcome


def look_up_file(
    court: Court, digests: DigestPair, size: int, faults: list[GatewayFault] | None = None
) -> LookupOutcome:
    """What the network knows of a file, asked for by its SHA-256; errors as `look_up_digest`.

    A leaf that names the SHA-256 beside another SM3 or size is not about this file: it is left out and counted. When
    nothing else was found, whether the file is present is undetermined.
    """
    outcome = look_up_digest(court, digests.sha256, faults)
    own = tuple(item for item in outcome.found if is_about(item, digests, size))
    outcome.others = len(outcome.found) - len(own)
    outcome.found = own
    if outcome.others and outcome.others == outcome.entries:
        outcome.present = None
    return outcome


def is_about(found: FoundVerdict, digests: DigestPair, size: int) -> bool:
    """Whether a leaf that names a file's SHA-256 can be about the file; one that shows no digests can."""
    leaf = found.leaf
    if leaf is None:
        return True
    plain = [item for item in leaf.objects if isinstance(item, PlainObject)]
    if leaf.type is LeafType.CERTIFICATE_ISSUED:
        return leaf.facts.get("certificate") == digests.to_json()
    if digests.sha256 not in {item.digests.sha256 for item in plain}:
        return True
    return PlainObject(digests=digests, size=size) in plain


def look_up_number(court: Court, number: str, faults: list[GatewayFault] | None = None) -> LookupOutcome:
    """Leaves with an evidence number. The index of numbers proves nothing: not found stays undetermined.

    Raises:
        MalformedError: a mistyped number. RemoteError: ``network.unverified``.
    """
    text = format_number(Prefix.EVIDENCE, parse_number(number, Prefix.EVIDENCE))

    def ask(gateway: CourtGateway) -> tuple[str, Sequence[FoundVerdict]]:
        _, found = parse_numbers(gateway.get(f"/v1/numbers/{text}"))
        return gateway.url, [_verified(court, item) for item in found if has_number(item, text)]

    return _by_leaves(court, ask, faults)


def look_up_leaf(court: Court, leaf: bytes, faults: list[GatewayFault] | None = None) -> LookupOutcome:
    """The leaf with this hash; not found stays undetermined.

    Raises:
        RemoteError: ``network.unverified``.
    """

    def ask(gateway: CourtGateway) -> tuple[str, Sequence[FoundVerdict]]:
        item = _verified(court, parse_leaf_answer(gateway.get(f"/v1/leaves/{leaf.hex()}")))
        return gateway.url, [item] if item.leaf_hash == leaf else []

    return _by_leaves(court, ask, faults)


def _by_leaves(
    court: Court,
    ask: Callable[[CourtGateway], tuple[str, Sequence[FoundVerdict]]],
    faults: list[GatewayFault] | None,
) -> LookupOutcome:
    outcome = _outcome(court, faults)
    missing = 0
    for gateway in court.gateways:
        try:
            url, found = ask(gateway)
        except EvidenceDeskError as error:
            if error.code == "gateway.not_found":
                missing += 1
            else:
                outcome.faults.append(fault_of(gateway, error))
            continue
        outcome.asked.append(url)
        if found:
            outcome.found = tuple(found)
            outcome.present = True if any(item.status is Status.PASSED for item in found) else None
            newest = max((item.court.as_of for item in found if item.court is not None), default=0)
            outcome.height = newest
            outcome.caveats = _caveats(outcome, ())
            return outcome
        missing += 1
    if not missing:
        raise unverified(court, outcome.faults)
    return outcome


def _outcome(court: Court, faults: list[GatewayFault] | None) -> LookupOutcome:
    return LookupOutcome(
        chain_id=court.chain_id,
        caveats=demo_caveats(court.chain_id),
        faults=[] if faults is None else faults,
    )


def _search(court: Court, gateway: CourtGateway, digest: bytes) -> _Answer:
    """Answer of one gateway; one whose header or look-up fails is refused, an old one is kept as undetermined.

    A found leaf that fails is the affair of the desk that wrote it: refusing the answer would silence honest gateways.
    """
    answer = parse_search_answer(gateway.get(f"/v1/lookup/{digest.hex()}"))
    verdict = verify_search(
        answer, digest=digest, trust=court.trust, token=court.tokens(), now=court.clock.now()
    )
    refuse(
        [item for lookup in verdict.lookups for item in lookup.findings if item.code != "court.lookup.stale"]
    )
    return _Answer(
        gateway=gateway.url, verdict=verdict, height=answer.standing.height, time=answer.standing.time
    )


def _verified(court: Court, item: FoundLeaf) -> FoundVerdict:
    """A found leaf whose proof does not fail."""
    verdict = verify_found(item, trust=court.trust, token=court.tokens(), now=court.clock.now())
    failed = [one for one in verdict.findings if one.status is Status.FAILED]
    if verdict.court is not None:
        failed += [one for one in verdict.court.findings if one.status is Status.FAILED]
    refuse(failed)
    return verdict


def _caveats(outcome: LookupOutcome, more: Sequence[Caveat]) -> tuple[Caveat, ...]:
    told = [
        item for one in outcome.found if one.counts and one.court is not None for item in one.court.caveats
    ]
    return unique_caveats((*outcome.caveats, *more, *told))
