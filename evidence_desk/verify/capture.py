"""Verify a web capture (WACZ): container, manifest, streams against marks and tokens, action log, environment reports.

What is said of the machine and of how the capture came out rests on the desk alone. Never raises on foreign input.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import BinaryIO, Final

from evidence_desk.core.capture.actions import NAME as ACTIONS
from evidence_desk.core.capture.actions import Action, verify_actions
from evidence_desk.core.capture.environment import Outcome
from evidence_desk.core.capture.environment_codec import parse as parse_environment
from evidence_desk.core.capture.manifest import MANIFEST, MAX_MANIFEST, Manifest, parse_manifest
from evidence_desk.core.capture.marks import (
    MAX_MARK,
    MAX_STARTED,
    STARTED,
    STARTED_LEAF,
    Mark,
    parse_mark,
    parse_started,
    token_name,
)
from evidence_desk.core.capture.redaction import KEYLOG
from evidence_desk.core.capture.rows import CaptureResult, CaptureTally
from evidence_desk.core.digests import DigestPair, sha256
from evidence_desk.core.job import Job
from evidence_desk.core.leaf import MAX_LEAF, LeafType, parse_leaf
from evidence_desk.core.merkle import leaf_hash
from evidence_desk.core.moment import format_moment
from evidence_desk.core.trust import Trust
from evidence_desk.core.verdict import Dimension, Parameter, Status, Vouches, worst
from evidence_desk.crypto import oids
from evidence_desk.errors import MalformedError
from evidence_desk.verify.capture_contents import check_contents
from evidence_desk.verify.capture_copy import check_files, check_opened, check_records, read_contents
from evidence_desk.verify.capture_course import check_course
from evidence_desk.verify.capture_decryption import check_decryption
from evidence_desk.verify.capture_journals import check_journals
from evidence_desk.verify.capture_private import check_limits, check_private
from evidence_desk.verify.capture_report import Press, check_report
from evidence_desk.verify.capture_servers import check_servers
from evidence_desk.verify.capture_streams import check_streams
from evidence_desk.verify.capture_told import check_told
from evidence_desk.verify.capture_work import CaptureVerdict, Work, read, reason_of
from evidence_desk.verify.captured import Bond
from evidence_desk.verify.time_proof import token_trust
from evidence_desk.wacz.read import WaczReader
from evidence_desk.wacz.tls.keylog import MAX_SIZE as MAX_KEYLOG
from tsa.response import RESPONSE_LIMIT
from tsa.verify import verify_token

__all__ = ["CaptureVerdict", "Press", "verify_capture"]

MAX_TOKENS: Final = 2_000
_MAX_SMALL: Final = 64 << 20
_SUFFIX: Final = ".wacz"


def verify_capture(
    source: BinaryIO,
    *,
    bond: Bond | None,
    trust: Trust,
    now: datetime,
    job: Job,
    spool: Callable[[], BinaryIO] | None = None,
    key_log: bytes | None = None,
    secrets: bytes | None = None,
    press: Press | None = None,
    tally: CaptureTally | None = None,
    roots: Sequence[bytes] = (),
) -> CaptureVerdict:
    """Findings on a WACZ of ours, whole or a disclosure copy.

    Args:
        source: seekable.
        bond: of the exhibit it belongs to; None when it is judged by itself, which leaves undetermined whose it is.
        trust: for the tokens over the marks.
        now: moment of judgment (UTC).
        job: told stage ``verify`` in bytes.
        spool: makes anonymous files ("w+b") for decoding the streams again; without it they are not.
        key_log: the browser's secrets, for whoever has them; a copy may hold them itself.
        secrets: content of ``secrets.age`` for whoever has the keys of the case, b"" when these do not open it; the key
            log is taken from it when none is given.
        press: prints the environment report again, for whoever has what that takes.
        tally: of all captures of the desk, for the desk itself.
        roots: DER certificates that those of servers have to lead to.
    """
    work = Work(bond, trust, now)
    try:
        reader = WaczReader(source)
        reader.check(job)
    except MalformedError as error:
        work.failed(Dimension.INTEGRITY, "capture.form", "wrong", reason=reason_of(error))
        return work.verdict(None)
    work.passed(Dimension.INTEGRITY, "capture.form", files=len(reader.evidence))
    try:
        data = read(reader, MANIFEST, MAX_MANIFEST)
        manifest = parse_manifest(data)
    except MalformedError as error:
        work.failed(Dimension.INTEGRITY, "capture.manifest", "malformed", reason=reason_of(error))
        return work.verdict(None)
    _manifest(work, data, bond)
    _names(work, manifest)
    contents = read_contents(work, reader, manifest, data)
    if contents is None:
        return work.verdict(manifest)
    work.withheld = contents.withheld
    check_files(work, reader, manifest, contents)
    check_records(work, reader, manifest, contents)
    opened = check_opened(work, reader, manifest, contents)
    _started(work, reader, manifest)
    marks, first = _marks(work, reader, manifest)
    check_streams(work, reader, marks, manifest.begun, manifest.ended)
    acted = _actions(work, reader, manifest, marks)
    _environment(work, reader, manifest)
    _result(work, manifest)
    _count(work, tally)
    check_journals(work, reader, manifest, marks)
    check_told(work, reader, manifest, marks)
    check_contents(work, manifest, acted)
    check_course(work, reader, manifest, marks)
    check_limits(work, manifest)
    kept = check_private(work, reader, manifest, secrets)
    check_report(work, reader, manifest, press)
    check_servers(work, reader, first or manifest.begun, roots)
    if key_log is None:
        key_log = kept
    if key_log is None and opened and KEYLOG in contents.opened:
        key_log = read(reader, KEYLOG, MAX_KEYLOG)
    check_decryption(work, reader, manifest, key_log, spool, job)
    return work.verdict(manifest)


def _manifest(work: Work, data: bytes, bond: Bond | None) -> None:
    """The statement commits to this manifest."""
    if bond is None:
        work.unknown(Dimension.INTEGRITY, "capture.manifest", "alone")
    elif bond.manifest is None:
        work.unknown(Dimension.INTEGRITY, "capture.manifest", "no_statement")
    elif bond.manifest.matches(DigestPair.of(data)):
        work.passed(Dimension.INTEGRITY, "capture.manifest")
    else:
        work.failed(Dimension.INTEGRITY, "capture.manifest", "other")


def _names(work: Work, manifest: Manifest) -> None:
    """Files of the exhibit beside the WACZ bear the names that they have inside it: a picture is of the page it says."""
    if work.bond is None or not work.bond.files:
        return
    inside = {item.name: item.digests for item in manifest.files}
    beside = [item for item in work.bond.files if not item[0].lower().endswith(_SUFFIX)]
    for name, digests in beside:
        if inside.get(name) != digests:
            work.failed(Dimension.INTEGRITY, "capture.names", "other", name=name)
            return
    work.passed(Dimension.INTEGRITY, "capture.names", count=len(beside))


def _started(work: Work, reader: WaczReader, manifest: Manifest) -> None:
    """The leaf ``capture.started`` is the one referred to, comes before, and commits to ``started.json``."""
    check = "capture.started"
    try:
        document, leaf_bytes = read(reader, STARTED, MAX_STARTED), read(reader, STARTED_LEAF, MAX_LEAF)
        started, leaf = parse_started(document), parse_leaf(leaf_bytes)
    except MalformedError as error:
        work.failed(Dimension.INTEGRITY, check, "malformed", reason=reason_of(error))
        return
    bond = work.bond
    digest = leaf_hash(leaf_bytes)
    commitment = leaf.facts.get("commitment")
    if (
        leaf.type is not LeafType.CAPTURE_STARTED
        or digest != manifest.started
        or started.id != manifest.id
        or commitment != DigestPair.of(document).to_json()
        or started.environment != manifest.before
    ):
        work.failed(Dimension.INTEGRITY, check, "other")
    elif bond is not None and bond.started is not None and bond.started != digest:
        work.failed(Dimension.INTEGRITY, check, "not_referred")
    elif bond is not None and bond.seq is not None and bond.log == leaf.log and leaf.seq >= bond.seq:
        work.failed(Dimension.INTEGRITY, check, "order")
    elif bond is None or bond.started is None:
        work.unknown(Dimension.INTEGRITY, check, "alone", at=started.at)
    else:
        work.passed(Dimension.INTEGRITY, check, at=started.at)


def _marks(work: Work, reader: WaczReader, manifest: Manifest) -> tuple[list[Mark], datetime | None]:
    """Every mark is about this capture; each token covers its mark. The marks, and the first time that a token shows."""
    marks: list[Mark] = []
    try:
        started = sha256(read(reader, STARTED, MAX_STARTED))
        for item in manifest.marks:
            mark = parse_mark(read(reader, item.name, MAX_MARK))
            if mark.started != started:
                work.failed(Dimension.INTEGRITY, "capture.marks", "other", name=item.name)
                return [], None
            marks.append(mark)
    except MalformedError as error:
        work.failed(Dimension.INTEGRITY, "capture.marks", "malformed", reason=reason_of(error))
        return [], None
    return marks, _tokens(work, reader, manifest)


def _tokens(work: Work, reader: WaczReader, manifest: Manifest) -> datetime | None:
    """Tokens over the marks: how many hold, and the first and last time they show.

    They tell how the capture went; that it existed, the exhibit's own token shows. Only a false one speaks against that.
    """
    statuses: list[Status] = []
    moments: list[datetime] = []
    missing = 0
    for index, item in enumerate(manifest.marks[:MAX_TOKENS]):
        if not item.token:
            missing += 1
            continue
        try:
            token = read(reader, token_name(index), RESPONSE_LIMIT)
            imprint = sha256(read(reader, item.name, MAX_MARK))
        except MalformedError:
            statuses.append(Status.FAILED)
            continue
        verdict = verify_token(
            token, hash_oid=oids.SHA256, imprint=imprint, trust=token_trust(work.trust), now=work.now,
            proof_of_existence=None if work.bond is None else work.bond.existed,
        )  # fmt: skip
        statuses.append(verdict.status)
        work.caveats.extend(verdict.caveats)
        if verdict.facts is not None:
            moments.append(verdict.facts.gen_time)
    facts: dict[str, Parameter] = {"count": len(statuses), "missing": missing}
    if moments:
        facts |= {"first": format_moment(min(moments)), "last": format_moment(max(moments))}
    status = worst(statuses)
    if not statuses:
        work.unknown(Dimension.ENVIRONMENT, "capture.tokens", "none", missing=missing)
    elif status is Status.PASSED:
        reason = "some" if missing else "right"
        work.add(Dimension.ENVIRONMENT, "capture.tokens", Status.PASSED, reason, Vouches.AUTHORITY, **facts)
    elif status is Status.FAILED:
        work.failed(Dimension.TIME, "capture.tokens", "wrong", **facts)
    else:
        work.unknown(Dimension.ENVIRONMENT, "capture.tokens", "unknown", **facts)
    return min(moments, default=None)


def _actions(
    work: Work, reader: WaczReader, manifest: Manifest, marks: Sequence[Mark]
) -> tuple[Action, ...] | None:
    """The action log is one chain that ends where manifest and last mark say; its lines, None when they cannot be read."""
    check = "capture.actions"
    if ACTIONS in work.withheld:
        work.unknown(Dimension.INTEGRITY, check, "withheld")
        return None
    try:
        log = verify_actions(read(reader, ACTIONS, _MAX_SMALL) if ACTIONS in reader.evidence else b"")
    except MalformedError as error:
        work.failed(Dimension.INTEGRITY, check, "malformed", reason=reason_of(error))
        return None
    heads = {item.number - 1: item.previous for item in log.actions} | {len(log.actions): log.head}
    expected = [(manifest.actions, manifest.head), *((mark.actions, mark.head) for mark in marks)]
    wrong = log.broken is not None or len(log.actions) != manifest.actions
    if wrong or any(heads.get(count) != head for count, head in expected):
        work.failed(Dimension.INTEGRITY, check, "differs")
    else:
        work.passed(Dimension.INTEGRITY, check, count=manifest.actions)
    return log.actions


def _environment(work: Work, reader: WaczReader, manifest: Manifest) -> None:
    """The environment reports are those committed to; what they say is the desk's word."""
    check = "capture.environment"
    bond = work.bond
    if bond is not None and bond.environment is not None and bond.environment != manifest.before:
        work.failed(Dimension.INTEGRITY, check, "other")
        return
    counts: dict[Outcome, int] = dict.fromkeys(Outcome, 0)
    for name, digests in (
        ("environment-before.json", manifest.before),
        ("environment-after.json", manifest.after),
    ):
        if digests is None:
            continue
        if name in work.withheld:
            work.unknown(Dimension.ENVIRONMENT, check, "withheld", name=name)
            return
        try:
            data = read(reader, name, _MAX_SMALL)
            report = parse_environment(data)
        except MalformedError as error:
            work.failed(Dimension.INTEGRITY, check, "malformed", reason=reason_of(error))
            return
        if not digests.matches(DigestPair.of(data)):
            work.failed(Dimension.INTEGRITY, check, "other")
            return
        for outcome in Outcome:
            counts[outcome] += report.count(outcome)
    facts: dict[str, Parameter] = {outcome.value: count for outcome, count in counts.items()}
    if counts[Outcome.FAIL]:
        status, reason = Status.FAILED, "failed"
    elif counts[Outcome.WARN] or counts[Outcome.UNCHECKED] or manifest.after is None:
        status, reason = Status.UNDETERMINED, "doubtful"
    else:
        status, reason = Status.PASSED, "right"
    work.add(Dimension.ENVIRONMENT, check, status, reason, Vouches.DESK, **facts)


def _result(work: Work, manifest: Manifest) -> None:
    """How the capture came out, as the desk says."""
    status = Status.PASSED if manifest.result is CaptureResult.COMPLETE else Status.UNDETERMINED
    work.add(
        Dimension.ENVIRONMENT, "capture.result", status, manifest.result.value, Vouches.DESK,
        pages=len(manifest.pages), reasons=len(manifest.reasons), begun=format_moment(manifest.begun),
        ended=format_moment(manifest.ended),
    )  # fmt: skip


def _count(work: Work, tally: CaptureTally | None) -> None:
    """How many captures there were besides: the desk's word by its log, and nothing that a file alone shows."""
    check = "capture.count"
    if tally is None:
        work.unknown(Dimension.ENVIRONMENT, check, "unseen")
        return
    work.add(
        Dimension.ENVIRONMENT, check, Status.UNDETERMINED, "told", Vouches.DESK, started=tally.started,
        sealed=tally.sealed, abandoned=tally.abandoned, unsealed=tally.unsealed, logs=tally.logs, leaves=tally.leaves,
    )  # fmt: skip
