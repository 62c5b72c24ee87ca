"""Verify one exhibit: proof, statement, disclosures and files against each other («Bindings», docs/spec/verdict.md).

Every rule is a numbered step with its own check name. Nothing here raises on foreign input: what is malformed is failed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import BinaryIO

from evidence_desk.core.checkpoint import Checkpoint, parse_checkpoint
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.evidence_number import Prefix, format_number
from evidence_desk.core.groups import group_hashes
from evidence_desk.core.job import Job
from evidence_desk.core.leaf import (
    SEALED,
    Leaf,
    LeafObject,
    LeafType,
    PlainObject,
    blind,
    objects_root,
    parse_leaf,
)
from evidence_desk.core.merkle import leaf_hash, root_from_inclusion
from evidence_desk.core.moment import format_moment
from evidence_desk.core.note import Note
from evidence_desk.core.proof import Proof, ProvenLeaf, parse_proof
from evidence_desk.core.statement import (
    Disclosed,
    FileEntry,
    Statement,
    match_disclosures,
    parse_disclosures,
    parse_statement,
)
from evidence_desk.core.trust import Trust
from evidence_desk.core.verdict import (
    Caveat,
    Dimension,
    Finding,
    Status,
    Vouches,
    unique_caveats,
)
from evidence_desk.errors import MalformedError
from evidence_desk.verify.captured import Bond, Spool, is_copy_of, look_into
from evidence_desk.verify.checkpoint import KnownKeys, check_signature
from evidence_desk.verify.court import CourtJudgment, judge_court
from evidence_desk.verify.findings import Findings
from evidence_desk.verify.originals import GivenFile, Objects
from evidence_desk.verify.time_proof import TimeFacts, verify_times

__all__ = ["ExhibitFacts", "ExhibitInput", "ExhibitVerdict", "GivenFile", "verify_exhibit"]

CLOCK_TOLERANCE = timedelta(seconds=5)
LATE_TOKEN = timedelta(days=1)
"""Beyond this, the desk's own time of registration is shown as nobody's word but its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExhibitInput:
    """Bytes that speak about one exhibit; None where not given."""

    proof: bytes
    statement: bytes | None = None
    disclosures: bytes | None = None
    files: tuple[GivenFile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExhibitFacts:
    """What the exhibit's own bytes say, for reports and for comparing a certificate with its proof."""

    proof: Proof
    leaf: Leaf
    leaf_hash: bytes
    checkpoint: Checkpoint | None
    statement: Statement | None
    disclosed: Disclosed | None
    times: tuple[TimeFacts, ...]
    court: CourtJudgment
    matched: frozenset[int] = frozenset()
    """Indexes of `ExhibitInput.files` that belong to the exhibit."""
    undecided: frozenset[int] = frozenset()
    """Indexes of `ExhibitInput.files` of which that cannot be said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExhibitVerdict:
    """Findings on one exhibit; `facts` is None when not even the leaf could be read."""

    findings: tuple[Finding, ...]
    caveats: tuple[Caveat, ...] = ()
    facts: ExhibitFacts | None = None


@dataclass(slots=True)
class _Case(Findings):
    """Work of one verification."""

    trust: Trust
    now: datetime
    findings: list[Finding] = field(default_factory=list)


def verify_exhibit(
    given: ExhibitInput, *, trust: Trust, now: datetime, job: Job | None = None, spool: Spool | None = None
) -> ExhibitVerdict:
    """Findings on one exhibit under `trust`, judged at `now` (UTC).

    Args:
        given: bytes that speak about it.
        trust: roots.
        now: moment of judgment.
        job: told of long reading of captures.
        spool: makes anonymous files for decoding the streams of captures again; without it they are not.
    """
    case = _Case(trust, now)
    try:
        proof = parse_proof(given.proof)
        leaf = parse_leaf(proof.leaf.leaf)
    except MalformedError as error:
        case.failed(Dimension.INTEGRITY, "proof.form", "wrong", reason=error.code)
        return ExhibitVerdict(findings=tuple(case.findings))
    digest = leaf_hash(proof.leaf.leaf)
    _step_1_number(case, proof, leaf, digest)
    signed = _read_checkpoint(case, proof)
    checkpoint = None if signed is None else signed[0]
    court = judge_court(proof.court, checkpoint=checkpoint, leaf_hash=digest, trust=trust, now=now)
    keys = KnownKeys() if checkpoint is None else court.keys(trust, checkpoint.origin)
    if signed is not None:
        _step_2_log(case, proof, leaf, *signed, keys)
    statement = _step_3_statement(case, leaf, given.statement)
    disclosed = _step_4_disclosures(case, statement, given.disclosures)
    _step_5_objects(case, leaf, statement, disclosed)
    matched, undecided = _step_6_files(case, leaf, statement, disclosed, given.files)
    entries = _ordered_entries(statement, disclosed)
    times, caveats = verify_times(
        proof,
        leaf=leaf,
        checkpoint=checkpoint,
        groups=_groups(leaf, entries),
        included=lambda item: checkpoint is not None and _included(item, checkpoint),
        trust=trust,
        now=now,
        keys=keys,
        anchored=court.anchored_at,
    )
    case.findings.extend(court.findings)
    case.findings.extend(finding for facts in times for finding in facts.findings)
    if not times:
        case.unknown(Dimension.TIME, "time.token", "missing")
    _step_7_clock(case, statement, leaf, times)
    _step_8_rest(case, statement, disclosed)
    if leaf.type is LeafType.CAPTURE_SEALED:
        here = [file.open for at, file in enumerate(given.files) if at in matched and file.open is not None]
        captured = _step_9_capture(case, _bond(leaf, statement, disclosed, times), here, job or Job(), spool)
        caveats = (*caveats, *captured)
    return ExhibitVerdict(
        findings=tuple(case.findings),
        caveats=unique_caveats((*caveats, *court.caveats)),
        facts=ExhibitFacts(
            proof=proof, leaf=leaf, leaf_hash=digest, checkpoint=checkpoint, statement=statement,
            disclosed=disclosed, times=times, court=court, matched=matched, undecided=undecided,
        ),
    )  # fmt: skip


def _step_1_number(case: _Case, proof: Proof, leaf: Leaf, digest: bytes) -> None:
    """The evidence number is that of the leaf, and the leaf seals an exhibit."""
    if leaf.type not in SEALED:
        case.failed(Dimension.INTEGRITY, "proof.leaf_type", "wrong", type=leaf.type)
    if proof.number != format_number(Prefix.EVIDENCE, digest):
        case.failed(Dimension.INTEGRITY, "proof.number", "wrong")
    else:
        case.passed(Dimension.INTEGRITY, "proof.number", number=proof.number)


def _read_checkpoint(case: _Case, proof: Proof) -> tuple[Checkpoint, Note] | None:
    try:
        return parse_checkpoint(proof.checkpoint)
    except MalformedError as error:
        case.failed(Dimension.LOG, "log.checkpoint", "malformed", reason=error.code)
        return None


def _step_2_log(
    case: _Case, proof: Proof, leaf: Leaf, checkpoint: Checkpoint, note: Note, keys: KnownKeys
) -> None:
    """leaf.log = checkpoint origin, leaf.seq = index, the path leads to the root, the desk signed it."""
    if leaf.log != checkpoint.origin:
        case.failed(Dimension.LOG, "log.origin", "wrong")
    if leaf.seq != proof.leaf.seq:
        case.failed(Dimension.LOG, "log.seq", "wrong")
    if _included(proof.leaf, checkpoint):
        case.passed(Dimension.LOG, "log.inclusion", seq=leaf.seq, size=checkpoint.size)
    else:
        case.failed(Dimension.LOG, "log.inclusion", "wrong")
    case.findings.append(check_signature(note, checkpoint.origin, keys))


def _step_3_statement(case: _Case, leaf: Leaf, data: bytes | None) -> Statement | None:
    """The statement's digests are those of the leaf."""
    if data is None:
        case.unknown(Dimension.INTEGRITY, "statement.digest", "missing")
        return None
    if leaf.statement is None or not leaf.statement.matches(DigestPair.of(data)):
        case.failed(Dimension.INTEGRITY, "statement.digest", "wrong")
        return None
    try:
        statement = parse_statement(data)
    except MalformedError as error:
        case.failed(Dimension.INTEGRITY, "statement.form", "wrong", reason=error.code)
        return None
    case.passed(Dimension.INTEGRITY, "statement.digest")
    return statement


def _step_4_disclosures(case: _Case, statement: Statement | None, data: bytes | None) -> Disclosed | None:
    """Each disclosed member is the one whose digest the statement holds."""
    if statement is None or data is None:
        return None
    try:
        disclosed = match_disclosures(statement, parse_disclosures(data))
    except MalformedError as error:
        case.failed(Dimension.INTEGRITY, "disclosure.form", "wrong", reason=error.code)
        return None
    if disclosed.wrong:
        case.failed(Dimension.INTEGRITY, "disclosure.member", "wrong", count=len(disclosed.wrong))
    elif withheld := len(statement.salted) - len(disclosed.values):
        case.add(
            Dimension.INTEGRITY,
            "disclosure.member",
            Status.PASSED,
            "partly",
            withheld=withheld,
        )
    else:
        case.passed(Dimension.INTEGRITY, "disclosure.member", count=len(disclosed.values))
    return disclosed


def _step_5_objects(
    case: _Case, leaf: Leaf, statement: Statement | None, disclosed: Disclosed | None
) -> None:
    """The leaf's objects are the statement's files, in order, all plain or all blinded."""
    if statement is None:
        return
    count = _object_count(leaf)
    if count != statement.file_count:
        case.failed(Dimension.INTEGRITY, "objects.count", "wrong", leaf=count, statement=statement.file_count)
        return
    files = disclosed.files if disclosed else {}
    plain = {at: PlainObject(digests=item.digests, size=item.size) for at, item in files.items()}
    blinded = {at: blind(item.digests, statement.salt) for at, item in files.items()}
    withheld = count - len(files)
    if not any(_are_objects(leaf, objects, withheld) for objects in (plain, blinded)):
        case.failed(Dimension.INTEGRITY, "objects.statement", "wrong")
    elif withheld:
        case.unknown(Dimension.INTEGRITY, "objects.statement", "withheld", withheld=withheld, count=count)
    else:
        case.passed(Dimension.INTEGRITY, "objects.statement", count=count)


def _object_count(leaf: Leaf) -> int:
    return leaf.count if leaf.root is not None else len(leaf.objects)


def _are_objects(leaf: Leaf, objects: Mapping[int, LeafObject], withheld: int) -> bool:
    """Whether the known objects are the leaf's; under a root that can be said only when all are known."""
    if leaf.root is None:
        return all(leaf.objects[at] == item for at, item in objects.items())
    return withheld > 0 or leaf.root == objects_root(tuple(objects[at] for at in sorted(objects)))


def _step_6_files(
    case: _Case,
    leaf: Leaf,
    statement: Statement | None,
    disclosed: Disclosed | None,
    files: Sequence[GivenFile],
) -> tuple[frozenset[int], frozenset[int]]:
    """Each given file is one of the exhibit's; files = the statement's list exactly."""
    objects = Objects(leaf, statement, disclosed.files if disclosed else {})
    total = _object_count(leaf)
    found: set[int] = set()
    matched: set[int] = set()
    undecided: set[int] = set()
    for position, file in enumerate(files):
        match = objects.match(file)
        if match.status is not Status.PASSED and _is_copy(leaf, statement, file):
            matched.add(position)
            case.add(
                Dimension.INTEGRITY, "object.digest", Status.PASSED, "copy", file=file.label
            )  # fmt: skip
        elif match.status is Status.PASSED:
            found.update(match.indexes)
            matched.add(position)
            case.passed(Dimension.INTEGRITY, "object.digest", file=file.label, index=match.indexes[0] + 1)
        elif match.status is Status.FAILED:
            case.failed(Dimension.INTEGRITY, "object.digest", match.reason, file=file.label)
        else:
            undecided.add(position)
            case.unknown(Dimension.INTEGRITY, "object.digest", match.reason, file=file.label)
    missing = total - len(found)
    if missing > 0:
        case.unknown(Dimension.INTEGRITY, "files.complete", "missing", missing=missing, total=total)
    elif len(matched) == len(files):
        case.passed(Dimension.INTEGRITY, "files.complete", total=total)
    return frozenset(matched), frozenset(undecided)


def _step_7_clock(case: _Case, statement: Statement | None, leaf: Leaf, times: Sequence[TimeFacts]) -> None:
    """Registration by the desk's clock must not lie after the token: existence is proven at genTime, never at `at`.

    Only a token that passed in every respect says anything about the desk's clock.
    """
    stamps = [facts.token.gen_time for facts in times if facts.token is not None and facts.proven]
    if not stamps:
        return
    first = min(stamps)
    told = (leaf.at,) if statement is None else (leaf.at, statement.clock.utc)
    ahead = int((max(told) - first).total_seconds())
    facts = {"registered": format_moment(min(told)), "gen_time": format_moment(first)}
    gap = max(int((first - min(told)).total_seconds()), 0)
    if max(told) - first > CLOCK_TOLERANCE:
        case.unknown(Dimension.ENVIRONMENT, "clock.order", "ahead", seconds=ahead)
    elif first - min(told) > LATE_TOKEN:
        case.unknown(Dimension.ENVIRONMENT, "clock.order", "late", seconds=gap, **facts)
    else:
        case.add(
            Dimension.ENVIRONMENT, "clock.order", Status.PASSED, "right", Vouches.DESK,
            seconds=gap, **facts,
        )  # fmt: skip


def _step_8_rest(case: _Case, statement: Statement | None, disclosed: Disclosed | None) -> None:
    """What this program cannot decide is said: environment, original."""
    if statement is None or statement.capture is None:
        reported = statement is not None and statement.environment is not None
        case.unknown(Dimension.ENVIRONMENT, "environment.report", "unchecked" if reported else "missing")
    source = disclosed.values.get("/source") if disclosed else None
    told = isinstance(source, dict) and source.get("is_original") is True
    case.add(
        Dimension.ORIGINAL, "original.statement", Status.UNDETERMINED,
        "told" if told else "unknown", Vouches.USER,
    )  # fmt: skip


def _is_copy(leaf: Leaf, statement: Statement | None, file: GivenFile) -> bool:
    """Whether a file is a disclosure copy of the exhibit's capture, known by its manifest."""
    if leaf.type is not LeafType.CAPTURE_SEALED or statement is None or statement.capture is None:
        return False
    return file.open is not None and file.index is None and is_copy_of(file.open, statement.capture)


def _bond(
    leaf: Leaf, statement: Statement | None, disclosed: Disclosed | None, times: Sequence[TimeFacts]
) -> Bond:
    proven = [facts.token.gen_time for facts in times if facts.token is not None and facts.proven]
    return Bond(
        manifest=None if statement is None else statement.capture,
        environment=None if statement is None else statement.environment,
        started=leaf.ref,
        existed=min(proven, default=None),
        log=leaf.log,
        seq=leaf.seq,
        files=() if disclosed is None else tuple((i.name, i.digests) for i in disclosed.files.values()),
    )


def _step_9_capture(
    case: _Case, bond: Bond, here: Sequence[Callable[[], BinaryIO]], job: Job, spool: Spool | None
) -> tuple[Caveat, ...]:
    """The web capture among the exhibit's files, or a copy of it, is what its statement commits to."""
    findings, caveats = look_into(here, bond, trust=case.trust, now=case.now, job=job, spool=spool)
    case.findings.extend(findings)
    return caveats


def _included(item: ProvenLeaf, checkpoint: Checkpoint) -> bool:
    try:
        root = root_from_inclusion(
            index=item.seq, size=checkpoint.size, digest=leaf_hash(item.leaf), path=item.path
        )
    except MalformedError:
        return False
    return root == checkpoint.root


def _ordered_entries(
    statement: Statement | None, disclosed: Disclosed | None
) -> tuple[FileEntry, ...] | None:
    """All file entries in order, None when any is withheld."""
    if statement is None or disclosed is None or len(disclosed.files) != statement.file_count:
        return None
    return tuple(disclosed.files[index] for index in range(statement.file_count))


def _groups(leaf: Leaf, entries: tuple[FileEntry, ...] | None) -> tuple[tuple[bytes, ...], ...] | None:
    """SHA-256 of the exhibit's data objects by group; None when they are not known."""
    if leaf.statement is None:
        return None
    if entries is not None:
        return group_hashes(leaf.statement.sha256, [item.digests.sha256 for item in entries])
    plain = [item.digests.sha256 for item in leaf.objects if isinstance(item, PlainObject)]
    if leaf.root is None and len(plain) == len(leaf.objects):
        return group_hashes(leaf.statement.sha256, plain)
    return None
