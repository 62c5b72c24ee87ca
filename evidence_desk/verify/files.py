"""Verify what a person puts before us: recognizes the kind of each file and judges it. Reads local files, nothing else.

The same function serves ``evidence-verify``, ``evidence-desk verify`` and, later, the window and the portal.
"""

from __future__ import annotations

import json
import re
import stat
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Final, assert_never, cast

from cryptography.hazmat.primitives import hashes

from evidence_desk.core.digests import PairHasher
from evidence_desk.core.job import Job
from evidence_desk.core.package.zip_writer import CHUNK
from evidence_desk.core.proof import MAX_PROOF_FILE
from evidence_desk.core.statement import MAX_DISCLOSURES, MAX_STATEMENT
from evidence_desk.core.trust import MANIFEST, MAX_FILE, MAX_MANIFEST, Trust, parse_trust
from evidence_desk.core.verdict import (
    CERTIFICATE_POLICY,
    DATA_POLICY,
    TOKEN_POLICY,
    Caveat,
    Dimension,
    Finding,
    Status,
    Verdict,
    Vouches,
)
from evidence_desk.crypto import oids
from evidence_desk.crypto.suites import DIGESTS
from evidence_desk.errors import MalformedError, UnreadableError
from evidence_desk.verify.captured import is_capture, look_into
from evidence_desk.verify.court import check_networks
from evidence_desk.verify.exhibit import ExhibitInput, GivenFile, verify_exhibit
from evidence_desk.verify.package import verify_package
from evidence_desk.verify.time_proof import token_trust
from tsa.response import RESPONSE_LIMIT, parse_response, parse_token
from tsa.verify import verify_response, verify_token

MAX_PDF: Final = 256 * 1024 * 1024
_NUMBERED: Final = re.compile(r"proof(-[0-9]{3})\.json")


class InputKind(StrEnum):
    """Kinds of file that can be judged by themselves."""

    CERTIFICATE = "certificate"
    PACKAGE = "package"
    PROOF = "proof"
    TOKEN = "token"  # noqa: S105 - the name of a kind
    RESPONSE = "response"
    CAPTURE = "capture"
    """A web capture (WACZ) by itself; as an original of an exhibit it is judged with that."""


class Originals:
    """Files given beside the evidence; hashed once, when first asked for."""

    def __init__(self, paths: Sequence[Path], job: Job, given: tuple[GivenFile, ...] | None = None) -> None:
        self.paths = tuple(paths)
        self._job = job
        self._given = given  # when they were hashed before

    @property
    def given(self) -> tuple[GivenFile, ...]:
        """Size and digest pair of each.

        Raises:
            UnreadableError: ``input.missing``, ``input.unreadable``.
        """
        if self._given is None:
            self._given = tuple(hash_original(path, self._job) for path in self.paths)
        return self._given


@dataclass(frozen=True, slots=True, kw_only=True)
class InputVerdict:
    """Verdict on one path."""

    path: Path
    kind: InputKind
    verdict: Verdict


def read_trust(folder: Path) -> Trust:
    """Trust roots from a folder with trust.json.

    Raises:
        UnreadableError: ``trust.missing``. MalformedError: ``malformed.trust``, ``malformed.court_trust``…
    """

    def read(name: str) -> bytes:
        return read_bounded(folder / name, MAX_FILE)

    manifest = folder / MANIFEST
    if not manifest.is_file():
        raise UnreadableError("trust.missing", path=str(folder))
    return check_networks(parse_trust(read_bounded(manifest, MAX_MANIFEST), read))


def verify_path(path: Path, *, originals: Originals, trust: Trust, now: datetime, job: Job) -> InputVerdict:
    """Recognize and judge one file; what is broken inside a recognized kind is a failed finding.

    Raises:
        UnreadableError: ``input.missing``, ``input.unreadable``.
        MalformedError: ``verify.unrecognized`` (exit status 65).
    """
    kind = recognize(path)
    try:
        verdict = _judge(path, kind, originals, trust, now, job)
    except MalformedError as error:
        verdict = Verdict(policy=_POLICIES[kind], findings=(_broken(error),))
    except OSError as error:
        raise _unreadable(path, error) from error
    return InputVerdict(path=path, kind=kind, verdict=with_root_caveat(verdict, trust))


_POLICIES: Final = {
    InputKind.PACKAGE: DATA_POLICY,
    InputKind.CERTIFICATE: CERTIFICATE_POLICY,
    InputKind.PROOF: DATA_POLICY,
    InputKind.TOKEN: TOKEN_POLICY,
    InputKind.RESPONSE: TOKEN_POLICY,
    InputKind.CAPTURE: DATA_POLICY,
}


def _judge(
    path: Path, kind: InputKind, originals: Originals, trust: Trust, now: datetime, job: Job
) -> Verdict:
    match kind:
        case InputKind.PACKAGE:
            return _package(path, originals, trust, now, job)
        case InputKind.CERTIFICATE:
            return _certificate(path, originals, trust, now)
        case InputKind.PROOF:
            return _proof(path, originals, trust, now)
        case InputKind.TOKEN | InputKind.RESPONSE:
            return _token(path, originals, trust, now, kind)
        case InputKind.CAPTURE:
            return _capture(path, trust, now, job)
        case _:
            assert_never(kind)


def _broken(error: MalformedError) -> Finding:
    """A file of a known kind that is too large or otherwise not to be read as such."""
    return Finding(
        dimension=Dimension.INTEGRITY, check="input.form", status=Status.FAILED, code="input.form.wrong",
        parameters={"reason": str(error.parameters.get("reason", error.code))},
    )  # fmt: skip


def recognize(path: Path) -> InputKind:
    """Kind of a file by its first bytes, never by its name.

    Raises:
        MalformedError: ``verify.unrecognized``. UnreadableError: ``input.missing``, ``input.unreadable``.
    """
    try:
        with open_regular(path) as stream:
            head = stream.read(1024)
    except OSError as error:
        raise _unreadable(path, error) from error
    if is_capture(head):
        return InputKind.CAPTURE
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return InputKind.PACKAGE
    if b"%PDF-" in head:
        return InputKind.CERTIFICATE
    if head.startswith(b"{") and b'"checkpoint"' in head:
        return InputKind.PROOF
    if head.startswith(b"{") and _has_proof_version(path):
        return InputKind.PROOF
    if head[:1] == b"\x30" and len(head) > 12:
        return _der_kind(head)
    raise MalformedError("verify.unrecognized", path=path.name)


def hash_original(path: Path, job: Job) -> GivenFile:
    """Size and both digests of an original given beside the evidence.

    Raises:
        UnreadableError: ``input.missing``, ``input.unreadable``.
    """
    hasher = PairHasher()
    try:
        total = path.stat().st_size
        with open_regular(path) as stream:
            while chunk := stream.read(CHUNK):
                hasher.update(chunk)
                job.step("hash", hasher.size, total)
    except OSError as error:
        raise _unreadable(path, error) from error
    digests = hasher.digest()
    return GivenFile(
        label=path.name,
        size=hasher.size,
        sha256=digests.sha256,
        sm3=digests.sm3,
        open=lambda: open_regular(path),
    )


def _has_proof_version(path: Path) -> bool:
    """A proof whose members come in another order is still a (broken) proof."""
    try:
        value = json.loads(read_bounded(path, MAX_PROOF_FILE))
    except (ValueError, RecursionError, MalformedError):
        return False
    return isinstance(value, dict) and str(value.get("v", "")).startswith("proof/")


def _der_kind(head: bytes) -> InputKind:
    """TimeStampResp begins with a SEQUENCE (PKIStatusInfo), ContentInfo with an OBJECT IDENTIFIER."""
    length = head[1]
    inner = head[2 + (length & 0x7F if length & 0x80 else 0) :][:1]
    return InputKind.TOKEN if inner == b"\x06" else InputKind.RESPONSE


def _package(path: Path, originals: Originals, trust: Trust, now: datetime, job: Job) -> Verdict:
    with open_regular(path) as stream:
        return verify_package(stream, trust=trust, now=now, job=job, originals=originals.given, spool=spool)


def _capture(path: Path, trust: Trust, now: datetime, job: Job) -> Verdict:
    findings, caveats = look_into(
        [lambda: open_regular(path)], None, trust=trust, now=now, job=job, spool=spool
    )
    return Verdict(policy=DATA_POLICY, findings=findings, caveats=caveats)


def _certificate(path: Path, originals: Originals, trust: Trust, now: datetime) -> Verdict:
    from evidence_desk.verify.certified import verify_certified  # noqa: PLC0415 - PDF libraries load slowly

    outcome = verify_certified(
        read_bounded(path, MAX_PDF), files=originals.given, trust=trust, now=now, spool=spool
    )
    return Verdict(policy=CERTIFICATE_POLICY, findings=outcome.findings, caveats=outcome.caveats)


def _proof(path: Path, originals: Originals, trust: Trust, now: datetime) -> Verdict:
    """A proof beside its statement.json and disclosures.json in the same folder, where they lie there."""
    outcome = verify_exhibit(
        ExhibitInput(
            proof=read_bounded(path, MAX_PROOF_FILE),
            statement=beside(path, "statement", MAX_STATEMENT),
            disclosures=beside(path, "disclosures", MAX_DISCLOSURES),
            files=originals.given,
        ),
        trust=trust,
        now=now,
        spool=spool,
    )
    return Verdict(policy=DATA_POLICY, findings=outcome.findings, caveats=outcome.caveats)


def beside(path: Path, what: str, limit: int) -> bytes | None:
    """``statement.json`` of a ``proof.json``, ``statement-001.json`` of a ``proof-001.json`` saved from a certificate.

    Raises:
        MalformedError: ``malformed.too_large``. UnreadableError: as `open_regular`.
    """
    neighbor = companion(path, what)
    return read_bounded(neighbor, limit) if neighbor.is_file() else None


def companion(proof: Path, what: str) -> Path:
    """Where the ``statement`` or the ``disclosures`` of a proof lie when they were saved beside it."""
    numbered = _NUMBERED.fullmatch(proof.name)
    return proof.with_name(f"{what}{numbered[1] if numbered else ''}.json")


def _token(path: Path, originals: Originals, trust: Trust, now: datetime, kind: InputKind) -> Verdict:
    """A bare token over one given file; without the file, or with several, the imprint stays undetermined."""
    data = read_bounded(path, RESPONSE_LIMIT)
    try:
        token = data if kind is InputKind.TOKEN else parse_response(data).token
        facts = parse_token(token) if token is not None else None
    except MalformedError:
        facts = None
    hash_oid, imprint = (facts.hash_oid, facts.imprint) if facts else (oids.SHA256, b"")
    given = originals.paths[0] if len(originals.paths) == 1 else None
    if given is not None and hash_oid in DIGESTS:
        imprint = _digest(given, hash_oid)
    verify = verify_token if kind is InputKind.TOKEN else verify_response
    outcome = verify(data, hash_oid=hash_oid, imprint=imprint, trust=token_trust(trust), now=now)
    findings = [item for item in outcome.findings if given is not None or item.check != "token.imprint"]
    if given is None:
        findings.append(
            Finding(
                dimension=Dimension.INTEGRITY, check="token.imprint", status=Status.UNDETERMINED,
                code="token.imprint.several_data" if originals.paths else "token.imprint.no_data",
                who_vouches=Vouches.NOBODY,
            )
        )  # fmt: skip
    return Verdict(policy=TOKEN_POLICY, findings=tuple(findings), caveats=outcome.caveats)


def _digest(path: Path, hash_oid: str) -> bytes:
    """Digest of a file under the token's own algorithm, one of `DIGESTS`."""
    hasher = hashes.Hash(DIGESTS[hash_oid].primitive)
    with open_regular(path) as stream:
        while chunk := stream.read(CHUNK):
            hasher.update(chunk)
    return hasher.finalize()


def with_root_caveat(verdict: Verdict, trust: Trust) -> Verdict:
    """Roots outside the shipped bundle are said, with their fingerprint."""
    if not trust.fingerprint:
        return verdict
    caveat = Caveat(code="trust.given", parameters={"fingerprint": trust.fingerprint})
    return Verdict(policy=verdict.policy, findings=verdict.findings, caveats=(*verdict.caveats, caveat))


def spool() -> BinaryIO:
    """An anonymous file for what is decoded, in the system's place for temporary files; gone when closed."""
    return cast("BinaryIO", tempfile.TemporaryFile("w+b"))


def open_regular(path: Path) -> BinaryIO:
    """A regular file for reading; opening a pipe would wait for ever.

    Raises:
        UnreadableError: ``input.missing``, ``input.unreadable``, ``input.not_regular``.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise UnreadableError("input.not_regular", path=path.name)
        return path.open("rb")
    except OSError as error:
        raise _unreadable(path, error) from error
    except ValueError as error:  # a null character in a typed path
        raise UnreadableError("input.missing", path=path.name) from error


def read_bounded(path: Path, limit: int) -> bytes:
    """A whole file of at most `limit` bytes.

    Raises:
        MalformedError: ``malformed.too_large``. UnreadableError: as `open_regular`.
    """
    try:
        with open_regular(path) as stream:
            data = stream.read(limit + 1)
    except OSError as error:
        raise _unreadable(path, error) from error
    if len(data) > limit:
        raise MalformedError("malformed.too_large", what=path.name, limit=limit)
    return data


def _unreadable(path: Path, error: OSError) -> UnreadableError:
    code = "input.missing" if isinstance(error, FileNotFoundError) else "input.unreadable"
    return UnreadableError(code, path=path.name, reason=error.strerror or type(error).__name__)
