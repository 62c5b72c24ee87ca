"""Verification of a time record (RFC 4998 §4.3, §5.3): group, trees, renewals, and each token at its proper moment.

Hashes of the objects come from the caller, who made them from the originals. Must not read files or the network, and
must not take trust from the record.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Final, Protocol

from evidence_desk.core.time_record import (
    ArchiveTimeStamp,
    EvidenceRecord,
    HashAlgorithm,
    TokenImprint,
    encode_sequence,
    find_algorithm,
    parse_record,
    reduced_root,
    token_imprint,
)
from evidence_desk.core.verdict import (
    Caveat,
    Dimension,
    Finding,
    Parameter,
    Status,
    Vouches,
    unique_caveats,
    worst,
)
from evidence_desk.errors import MalformedError
from tsa.policy import TokenTrust
from tsa.response import TokenFacts
from tsa.verify import TokenVerdict, verify_token

ObjectDigests = Mapping[str, bytes] | Callable[[str], bytes | None]
"""Digests of one object by algorithm name (``"sha256"``) or OID; or a function of the name that hashes the original
again, which a hash-tree renewal asks for. A digest that cannot be had is undetermined, never passed."""


class TokenJudge(Protocol):
    """`tsa.verify.verify_token`, or something before it that remembers what it judged."""

    def __call__(
        self,
        token: bytes,
        *,
        hash_oid: str,
        imprint: bytes,
        trust: TokenTrust,
        now: datetime,
        proof_of_existence: datetime | None,
    ) -> TokenVerdict:
        """Verdict on one token over `imprint`."""
        ...


_CODES: Final = {Status.PASSED: "passed", Status.FAILED: "wrong", Status.UNDETERMINED: "unknown"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordVerdict:
    """What is known about one time record.

    Attributes:
        findings: ``record.*`` (integrity: group, tree, renewals; time: order), then the findings of each token from
            the oldest on; of several tokens each finding carries the parameter ``stamp`` (1 = initial).
        caveats: of the tokens, each once.
        tokens: verdict of each token, oldest first; shorter than the record when it is malformed.
        root: root of the initial hash tree; None when it cannot be computed.
        imprint: what the initial token says it covers, and its genTime; None when the record is malformed.
    """

    findings: tuple[Finding, ...]
    caveats: tuple[Caveat, ...] = ()
    tokens: tuple[TokenVerdict, ...] = ()
    root: bytes | None = None
    imprint: TokenImprint | None = None

    @property
    def first(self) -> TokenVerdict | None:
        """Verdict of the initial token: the one that dates the objects."""
        return self.tokens[0] if self.tokens else None

    @property
    def facts(self) -> TokenFacts | None:
        """What the initial token says, as read by ``tsa``; None when it could not be read."""
        return self.tokens[0].facts if self.tokens else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Link:
    """One archive timestamp in the order of time, with what is computed from it once."""

    number: int
    opens_chain: bool
    older: tuple[tuple[ArchiveTimeStamp, ...], ...]
    stamp: ArchiveTimeStamp
    imprint: TokenImprint
    algorithm: HashAlgorithm | None
    root: bytes | None

    @property
    def first_list(self) -> tuple[bytes, ...]:
        """First list of the tree; without a tree the token covers the one hash itself (RFC 4998 §4.2)."""
        return self.stamp.tree[0] if self.stamp.tree else (self.imprint.value,)


def verify_record(
    record: bytes,
    *,
    objects: Sequence[ObjectDigests],
    trust: TokenTrust,
    now: datetime,
    proof_of_existence: datetime | None = None,
    exact_group: bool = True,
    judge: TokenJudge = verify_token,
) -> RecordVerdict:
    """Verify an EvidenceRecord against objects (RFC 4998 §5.3).

    Args:
        record: DER, as it came.
        objects: digests of each object; all of them must be covered.
        trust: authorities accepted, as for `tsa.verify.verify_token`.
        now: moment of verification (UTC); the last token is judged at it.
        proof_of_existence: earliest independent proof that the *initial* token existed (an anchored leaf naming it).
        exact_group: the first list must hold exactly these objects (RFC 4998 §5.3, object groups); else an unlisted
            hash beside them is allowed.
        judge: judges each token; many records of one proof share theirs.
    """
    # 1. The record is strict DER, and each of its tokens names an imprint and a time.
    try:
        parsed = parse_record(record)
        links = _links(parsed)
    except MalformedError as error:
        return RecordVerdict(findings=(_finding("form", Status.FAILED, where=_where(error)),))
    findings = [_finding("form", Status.PASSED, stamps=len(links))]
    # 2. Each hash algorithm is known, listed, one for a chain, and the one that its token names (§4.3 step 4, §5.3).
    findings.append(_check_algorithms(parsed, links))
    # 3. Initial archive timestamp: its first list holds the objects' hashes (§5.3 step 1).
    covers = [_check_group(links[0], objects, exact=exact_group)]
    # 4. Later ones hold the hash of the token before (step 2) or, opening a chain, the objects again (step 3).
    for before, link in pairwise(links):
        renewed = (
            _check_objects_again(link, objects, exact=exact_group)
            if link.opens_chain
            else _check_token(link, before)
        )
        covers.append(renewed)
    # 5. Each tree leads to the imprint of its token (§4.3 steps 3 and 4).
    trees = [_check_tree(link) for link in links]
    findings += [*covers, *trees]
    # 6. Tokens are in the order of time (§5.1).
    if len(links) > 1:
        findings.append(_check_order(links))
    # 7. Each token, the last first: a later one is proof of existence for the certificates of an earlier one.
    holds = [
        worst((cover.status, tree.status)) is Status.PASSED for cover, tree in zip(covers, trees, strict=True)
    ]
    tokens = _judge_tokens(links, holds, judge, trust, now, proof_of_existence)
    several = len(links) > 1
    for number, token in enumerate(tokens, start=1):
        findings += [_numbered(item, number) if several else item for item in token.findings]
    return RecordVerdict(
        findings=tuple(findings),
        caveats=unique_caveats(caveat for token in tokens for caveat in token.caveats),
        tokens=tokens,
        root=links[0].root,
        imprint=links[0].imprint,
    )


def _where(error: MalformedError) -> str:
    facts = error.parameters
    return str(facts.get("where") or facts.get("rule") or error.code)


def _links(parsed: EvidenceRecord) -> tuple[_Link, ...]:
    links: list[_Link] = []
    for index, chain in enumerate(parsed.chains):
        for position, stamp in enumerate(chain):
            imprint = token_imprint(stamp.token)
            algorithm = find_algorithm(stamp.algorithm_oid)
            links.append(
                _Link(
                    number=len(links) + 1,
                    opens_chain=position == 0,
                    older=parsed.chains[:index],
                    stamp=stamp,
                    imprint=imprint,
                    algorithm=algorithm,
                    root=_root(stamp, imprint, algorithm),
                )
            )
    return tuple(links)


def _root(stamp: ArchiveTimeStamp, imprint: TokenImprint, algorithm: HashAlgorithm | None) -> bytes | None:
    if stamp.tree is None:
        return imprint.value
    return reduced_root(stamp.tree, algorithm) if algorithm else None


def _check_algorithms(parsed: EvidenceRecord, links: Sequence[_Link]) -> Finding:
    listed = {item.oid for item in parsed.digests}
    chain_oid = ""
    for link in links:
        oid = link.stamp.algorithm_oid
        chain_oid = oid if link.opens_chain else chain_oid
        if oid != link.imprint.oid:
            return _finding(
                "algorithm", Status.FAILED, "other_in_token", oid=link.imprint.oid, stamp=link.number
            )
        if oid not in listed:
            return _finding("algorithm", Status.FAILED, "unlisted", oid=oid, stamp=link.number)
        if oid != chain_oid:
            return _finding("algorithm", Status.FAILED, "changed", oid=oid, stamp=link.number)
    unknown = [link for link in links if link.algorithm is None]
    if unknown:
        oid, number = unknown[0].stamp.algorithm_oid, unknown[0].number
        return _finding("algorithm", Status.UNDETERMINED, oid=oid, stamp=number)
    return _finding("algorithm", Status.PASSED)


def _check_group(link: _Link, objects: Sequence[ObjectDigests], *, exact: bool) -> Finding:
    """RFC 4998 §5.3 step 1."""
    return _compare("group", link, [_digest(item, link) for item in objects], exact=exact)


def _check_objects_again(link: _Link, objects: Sequence[ObjectDigests], *, exact: bool) -> Finding:
    """RFC 4998 §5.3 step 3: H(H(object) ‖ H(older chains)), in this order (§5.2 step 4; the figure's sort is wrong)."""
    algorithm = link.algorithm
    if algorithm is None:
        return _compare("renewed_group", link, [None] * len(objects), exact=exact)
    older = algorithm.digest(encode_sequence(link.older))
    digests = [_digest(item, link) for item in objects]
    renewed = [None if digest is None else algorithm.digest(digest + older) for digest in digests]
    return _compare("renewed_group", link, renewed, exact=exact)


def _compare(check: str, link: _Link, digests: Sequence[bytes | None], *, exact: bool) -> Finding:
    known = Counter(digest for digest in digests if digest is not None)
    unknown = len(digests) - known.total()
    listed = Counter(link.first_list)
    missing = (known - listed).total() if exact else len(known.keys() - listed.keys())
    extra = max((listed - known).total() - unknown, 0) if exact else 0
    short = max(len(digests) - listed.total(), 0) if exact else 0

    def outcome(status: Status, reason: str = "", count: int = 0) -> Finding:
        return _finding(check, status, reason, objects=len(digests), stamp=link.number, count=count)

    if missing:
        return outcome(Status.FAILED, "missing", missing)
    if not digests:
        return outcome(Status.UNDETERMINED, "nothing")
    if extra:
        return outcome(Status.FAILED, "extra", extra)
    if short:
        return outcome(Status.FAILED, "missing", short)
    if unknown:
        return outcome(Status.UNDETERMINED, count=unknown)
    return outcome(Status.PASSED)


def _digest(source: ObjectDigests, link: _Link) -> bytes | None:
    algorithm = link.algorithm
    if callable(source):
        return source(algorithm.name) if algorithm else None
    if algorithm is None:
        return source.get(link.stamp.algorithm_oid)
    return source.get(algorithm.name, source.get(algorithm.oid))


def _check_token(link: _Link, before: _Link) -> Finding:
    """RFC 4998 §5.3 step 2: the first list holds the hash of the DER of the token before (§5.2, timestamp renewal)."""
    if link.algorithm is None:
        return _finding("renewal", Status.UNDETERMINED, stamp=link.number)
    holds = link.algorithm.digest(before.stamp.token) in link.first_list
    return _finding("renewal", Status.PASSED if holds else Status.FAILED, stamp=link.number)


def _check_tree(link: _Link) -> Finding:
    if link.root is None or link.algorithm is None:
        return _finding("tree", Status.UNDETERMINED, stamp=link.number)
    sound = link.root == link.imprint.value and all(
        len(value) == link.algorithm.size
        for values in (link.first_list, *(link.stamp.tree or ()))
        for value in values
    )
    return _finding("tree", Status.PASSED if sound else Status.FAILED, stamp=link.number)


def _check_order(links: Sequence[_Link]) -> Finding:
    for before, link in pairwise(links):
        if link.imprint.gen_time < before.imprint.gen_time:
            return _finding("order", Status.FAILED, dimension=Dimension.TIME, stamp=link.number)
    return _finding("order", Status.PASSED, dimension=Dimension.TIME)


def _judge_tokens(
    links: Sequence[_Link],
    holds: Sequence[bool],
    judge: TokenJudge,
    trust: TokenTrust,
    now: datetime,
    proof_of_existence: datetime | None,
) -> tuple[TokenVerdict, ...]:
    """Judge the last token first; `holds` says which archive timestamps really cover the one before them."""
    verdicts: list[TokenVerdict] = []
    known: datetime | None = None
    for link, covering in zip(reversed(links), reversed(holds), strict=True):
        if link.number == 1:
            known = _earliest(known, proof_of_existence)
        verdict = judge(
            link.stamp.token,
            hash_oid=link.stamp.algorithm_oid,
            imprint=link.imprint.value if link.root is None else link.root,
            trust=trust,
            now=now,
            proof_of_existence=known,
        )
        verdicts.append(verdict)
        if not covering:
            known = None
        elif verdict.status is Status.PASSED:
            known = _earliest(known, link.imprint.latest)
    return tuple(reversed(verdicts))


def _earliest(one: datetime | None, other: datetime | None) -> datetime | None:
    if one is None or other is None:
        return one or other
    return min(one, other)


def _finding(
    check: str,
    status: Status,
    reason: str = "",
    *,
    dimension: Dimension = Dimension.INTEGRITY,
    **parameters: Parameter,
) -> Finding:
    return Finding(
        dimension=dimension,
        check=f"record.{check}",
        status=status,
        code=f"record.{check}.{reason or _CODES[status]}",
        parameters=parameters,
        who_vouches=Vouches.COMPUTATION if dimension is Dimension.INTEGRITY else Vouches.AUTHORITY,
    )


def _numbered(finding: Finding, number: int) -> Finding:
    return replace(finding, parameters={**finding.parameters, "stamp": number})
