"""Findings of one verification of a capture, as they come, and reading its files."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from evidence_desk.core.capture.manifest import Manifest
from evidence_desk.core.trust import Trust
from evidence_desk.core.verdict import (
    Caveat,
    Finding,
    unique_caveats,
)
from evidence_desk.errors import MalformedError
from evidence_desk.verify.captured import Bond
from evidence_desk.verify.findings import Findings
from evidence_desk.wacz.read import WaczReader


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureVerdict:
    """Findings on one capture; `manifest` is None when it could not be read."""

    findings: tuple[Finding, ...]
    caveats: tuple[Caveat, ...] = ()
    manifest: Manifest | None = None


@dataclass(slots=True)
class Work(Findings):
    """Findings of one verification.

    Attributes:
        withheld: files that a disclosure copy leaves out, and says so.
    """

    bond: Bond | None
    trust: Trust
    now: datetime
    withheld: frozenset[str] = frozenset()
    findings: list[Finding] = field(default_factory=list)
    caveats: list[Caveat] = field(default_factory=list)

    def verdict(self, manifest: Manifest | None) -> CaptureVerdict:
        """All of it."""
        return CaptureVerdict(
            findings=tuple(self.findings), caveats=unique_caveats(self.caveats), manifest=manifest
        )


def read(reader: WaczReader, name: str, limit: int) -> bytes:
    """A whole file. MalformedError."""
    if reader.evidence.get(name, 0) > limit:
        raise MalformedError("malformed.too_large", what=name, limit=limit)
    with reader.open(name) as stream:
        return stream.read()


def reason_of(error: MalformedError) -> str:
    """Why something was refused, in a word."""
    return str(error.parameters.get("reason", error.code))
