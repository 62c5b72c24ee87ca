"""What an exhibit says of the web capture it holds, and finding that capture among its files."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Final

from evidence_desk.core.capture.manifest import MANIFEST, MAX_MANIFEST
from evidence_desk.core.digests import DigestPair, PairHasher
from evidence_desk.core.job import Job
from evidence_desk.core.trust import Trust
from evidence_desk.core.verdict import Caveat, Dimension, Finding, Status, Vouches
from evidence_desk.errors import MalformedError

Spool = Callable[[], BinaryIO]
"""Makes an anonymous file ("w+b"), gone when closed."""
_HEAD: Final = 4096
_PIECE: Final = 1 << 20
_CONTAINER: Final = b"PK\x03\x04"
_FIRST_ENTRY: Final = b"archive/data.warc.gz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bond:
    """What a proven exhibit says of its capture.

    Attributes:
        manifest, environment: digests in its statement.
        started: leaf hash that its own leaf refers to.
        existed: earliest time at which the exhibit is proven to have existed.
        log, seq: of the exhibit's own leaf, which must come after the one it refers to.
        files: names and digests of its files, as far as its statement discloses them.
    """

    manifest: DigestPair | None
    environment: DigestPair | None
    started: bytes | None
    existed: datetime | None = None
    log: str | None = None
    seq: int | None = None
    files: tuple[tuple[str, DigestPair], ...] = ()


def is_capture(head: bytes) -> bool:
    """Whether a file that begins so is a WACZ as we write them: its archive comes first."""
    return head.startswith(_CONTAINER) and _FIRST_ENTRY in head[:64]


def is_copy_of(opener: Callable[[], BinaryIO], manifest: DigestPair) -> bool:
    """Whether a file says that it is a disclosure copy, and holds the manifest with these digests.

    Whether the rest of it is what that manifest lists, `look_into` tells.
    """
    with opener() as stream:
        if not is_capture(stream.read(_HEAD)):
            return False
        from evidence_desk.wacz.read import WaczReader  # noqa: PLC0415 - only captures need it

        try:
            reader = WaczReader(stream)
            if not reader.redacted:
                return False
            with reader.open(MANIFEST) as inner:
                return manifest.matches(DigestPair.of(inner.read(MAX_MANIFEST + 1)))
        except MalformedError:
            return False


def look_into(
    files: Sequence[Callable[[], BinaryIO]],
    bond: Bond | None,
    *,
    trust: Trust,
    now: datetime,
    job: Job,
    spool: Spool | None = None,
) -> tuple[tuple[Finding, ...], tuple[Caveat, ...]]:
    """Findings on the captures among the files of an exhibit (one, and copies of it); undetermined when there is none.

    Without a bond each is judged by itself.
    """
    findings: list[Finding] = []
    caveats: list[Caveat] = []
    beside: list[Callable[[], BinaryIO]] = []
    inside: set[DigestPair] = set()
    for opener in files:
        with opener() as stream:
            if not is_capture(stream.read(_HEAD)):
                beside.append(opener)
                continue
            stream.seek(0)
            from evidence_desk.verify.capture import verify_capture  # noqa: PLC0415 - only captures need it

            outcome = verify_capture(stream, bond=bond, trust=trust, now=now, job=job, spool=spool)
            findings += outcome.findings
            caveats += outcome.caveats
            if outcome.manifest is not None:
                inside |= {item.digests for item in outcome.manifest.files}
    if findings:
        if bond is not None and inside and beside:
            findings.append(_beside(beside, inside))
        return tuple(findings), tuple(caveats)
    missing = Finding(
        dimension=Dimension.ENVIRONMENT, check="capture.environment", status=Status.UNDETERMINED,
        code="capture.environment.not_given", who_vouches=Vouches.NOBODY,
    )  # fmt: skip
    return (missing,), ()


def _beside(files: Sequence[Callable[[], BinaryIO]], inside: Collection[DigestPair]) -> Finding:
    """Pictures and papers that lie beside a capture, so that they can be looked at, are those inside it."""
    strange = sum(_digests(opener) not in inside for opener in files)
    return Finding(
        dimension=Dimension.INTEGRITY, check="capture.beside", status=Status.FAILED if strange else Status.PASSED,
        code="capture.beside.other" if strange else "capture.beside.right",
        parameters={"count": strange or len(files)}, who_vouches=Vouches.COMPUTATION,
    )  # fmt: skip


def _digests(opener: Callable[[], BinaryIO]) -> DigestPair:
    hasher = PairHasher()
    with opener() as stream:
        while piece := stream.read(_PIECE):
            hasher.update(piece)
    return hasher.digest()
