"""What an examination found, as data: verdict, look-ups, how originals were matched, one answer. Sentences are in ``texts``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from evidence_desk.core.digests import DigestPair
from evidence_desk.core.qr_payload import CodePayload
from evidence_desk.core.trust import Trust
from evidence_desk.core.verdict import Dimension, Finding, Status, Verdict, Vouches
from evidence_desk.errors import EvidenceDeskError
from evidence_desk.services.court_query import GatewayFault
from evidence_desk.services.find import Here
from evidence_desk.services.lookup import LookupOutcome
from evidence_desk.services.question import Question
from evidence_desk.verify.answer import Answer, Result, Said, told_as
from evidence_desk.verify.files import InputKind
from evidence_desk.verify.originals import GivenFile

_ORDER = (Status.FAILED, Status.UNDETERMINED, Status.PASSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is put before the program: a file, a typed or scanned text, or a payload that was read already."""

    path: Path | None = None
    text: str = ""
    code: CodePayload | None = None

    @property
    def name(self) -> str:
        """For people: the file's name, or the beginning of the text."""
        if self.path is not None:
            return self.path.name
        return self.text[:200] if self.code is None else self.code.encode()


class Place(StrEnum):
    """Where something is looked up."""

    VAULT = "vault"
    COURT = "court"


class Outcome(StrEnum):
    """What a look-up at one place came to; in a vault «absent» is only what this desk knows."""

    FOUND = "found"
    ABSENT = "absent"
    UNDETERMINED = "undetermined"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceAnswer:
    """One place's answer.

    Attributes:
        why: the outcome in a sentence.
        here: what a vault has. `network`: what the court network was shown to know.
        faults: gateways that were silent or whose answers do not hold.
        error: why nothing could be asked or believed.
    """

    place: Place
    outcome: Outcome
    why: Said
    here: Here = field(default_factory=Here)
    network: LookupOutcome | None = None
    faults: tuple[GatewayFault, ...] = ()
    error: EvidenceDeskError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedUp:
    """One question at every place."""

    question: Question
    vault: PlaceAnswer
    court: PlaceAnswer

    @property
    def places(self) -> tuple[PlaceAnswer, ...]:
        """In the order in which they are told."""
        return (self.vault, self.court)


class Matching(StrEnum):
    """How an original came to be compared."""

    GIVEN = "given"
    TOGETHER = "together"
    BESIDE = "beside"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """An original that was compared with the evidence; `listed_as` is its name there, "" when not disclosed."""

    path: Path
    file: GivenFile
    how: Matching
    listed_as: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One dimension: its status, its findings (failed first, each once), and on whose word they rest."""

    dimension: Dimension
    status: Status
    findings: tuple[Finding, ...]
    vouches: tuple[Vouches, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What was found out about one subject.

    Attributes:
        kind: of evidence; None for any other file, and for texts.
        size, digests: of the file itself; None for texts, and for a file that could not be read.
        number: certificate or evidence number that the subject bears.
        verdict: findings by dimension; for other files and texts those of the look-ups.
        looked_up: questions and their answers: the file or text, and what its QR codes ask.
        notes: sentences beside the answer. `limits`: codes of what is not proven.
        error: why the subject could not be examined at all.
    """

    subject: Subject
    at: datetime
    trust: Trust
    verdict: Verdict
    answer: Answer
    kind: InputKind | None = None
    size: int | None = None
    digests: DigestPair | None = None
    number: str = ""
    looked_up: tuple[LookedUp, ...] = ()
    originals: tuple[Compared, ...] = ()
    notes: tuple[Said, ...] = ()
    limits: tuple[str, ...] = ()
    error: EvidenceDeskError | None = None

    @property
    def result(self) -> Result:
        """What the answer comes to."""
        return self.answer.result

    @property
    def rows(self) -> tuple[Row, ...]:
        """All seven dimensions, in their fixed order."""
        return tuple(_rows(self.verdict))


def _rows(verdict: Verdict) -> Iterator[Row]:
    for dimension in Dimension:
        own = [item for item in verdict.findings if item.dimension is dimension]
        once: dict[object, Finding] = {}
        for item in own:
            once.setdefault(told_as(item), item)
        ordered = sorted(once.values(), key=lambda item: _ORDER.index(item.status))
        yield Row(
            dimension=dimension,
            status=verdict.dimension(dimension),
            findings=tuple(ordered),
            vouches=tuple(dict.fromkeys(item.who_vouches for item in ordered)),
        )
