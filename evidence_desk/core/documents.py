"""The documents beside the certificate, as data: 来源和制作经过说明, 证据目录, 保管记录, 取证笔录, 清洁性检查报告. Pure.

They print the same `certificate.Exhibit` as a certificate does. What nobody recorded is empty here and printed as such.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from evidence_desk.core.capture.environment import EnvironmentReport
from evidence_desk.core.certificate.model import CaseFacts, DemoReason, Exhibit
from evidence_desk.core.digests import DigestPair

RECHECKS = frozenset({"rechecked", "damaged", "missing"})
"""Actions of custody that are outcomes of a re-check 复核."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imprint:
    """What every document says of its own making.

    Attributes:
        made: by the desk's clock, UTC.
        demo: why it is marked 演示/非第三方; empty when nothing in it is a demo.
        program: name and version.
    """

    made: datetime
    case: CaseFacts = field(default_factory=CaseFacts)
    demo: tuple[DemoReason, ...] = ()
    program: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceStatement:
    """来源和制作经过说明 of exhibits of one case (证据规定 art. 23)."""

    imprint: Imprint
    exhibits: tuple[Exhibit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogEntry:
    """One line of 证据目录; `pages` are the first and last page in the bundle, 1-based, None without pages there."""

    exhibit: Exhibit
    pages: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """证据目录, in the order of filing; `paged` tells whether it belongs to a bundle with page numbers."""

    imprint: Imprint
    entries: tuple[CatalogEntry, ...]
    paged: bool = False


class Standing(StrEnum):
    """What carries a custody event.

    LOGGED: its leaf commits to it. NETWORK: the court network accepted it. PENDING: it waits for its leaf.
    UNCOMPARED: its leaf is in a log from before a restore, of which not every event is held.
    """

    LOGGED = "logged"
    NETWORK = "network"
    PENDING = "pending"
    UNCOMPARED = "uncompared"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustodyLine:
    """One event in the life of an exhibit.

    Attributes:
        at: UTC; by the desk's clock, but ``timestamped`` by the authority's and ``anchored`` by header H+1.
        operator, details: as told by who did it; details are named facts without salts.
        origin, seq, leaf_hash: the log entry that commits to the event, when there is one.
    """

    at: datetime
    action: str
    standing: Standing
    operator: str = ""
    details: tuple[tuple[str, str | int], ...] = ()
    origin: str = ""
    seq: int | None = None
    leaf_hash: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExhibitCustody:
    """保管记录 of one exhibit, oldest event first; `earlier_log`: it was sealed in a log from before a restore."""

    exhibit: Exhibit
    lines: tuple[CustodyLine, ...]
    earlier_log: bool = False

    @property
    def rechecks(self) -> tuple[CustodyLine, ...]:
        """Outcomes of re-checks."""
        return tuple(line for line in self.lines if line.action in RECHECKS)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustodyRecord:
    """保管记录 of exhibits of one case."""

    imprint: Imprint
    exhibits: tuple[ExhibitCustody, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Obtained:
    """How one exhibit came into the desk.

    Attributes:
        by_capture: it was recorded from the web by this program; else files were sealed.
        capture, environment: digests of manifest and cleanliness report that the statement names, None when it names none.
    """

    exhibit: Exhibit
    by_capture: bool = False
    capture: DigestPair | None = None
    environment: DigestPair | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObtainingRecord:
    """取证笔录 of exhibits of one case."""

    imprint: Imprint
    exhibits: tuple[Obtained, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedEnvironment:
    """An environment report with the digests of its file."""

    report: EnvironmentReport
    digests: DigestPair


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureBegun:
    """The capture that a cleanliness report belongs to, as ``started.json`` settled it: 16 bytes, and UTC."""

    id: bytes
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleanliness:
    """清洁性检查报告 of one capture; `exhibit` once it is registered, None for a check that was not made.

    With `capture` it tells of case and capture only what the capture's first leaf commits to.
    """

    imprint: Imprint
    before: CheckedEnvironment | None
    after: CheckedEnvironment | None
    exhibit: Exhibit | None = None
    capture: CaptureBegun | None = None


CaseDocument = SourceStatement | Catalog | CustodyRecord | ObtainingRecord
