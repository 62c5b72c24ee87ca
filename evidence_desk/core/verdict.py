"""The verdict model: findings by dimension, summed under a named policy. Sentences live in ``texts``.

Unknown is *undetermined*, never *passed*. Demo roots and self-supplied roots are caveats, shown beside the findings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum


class Status(StrEnum):
    """Outcome of one check: 通过 / 未通过 / 无法判断."""

    PASSED = "passed"
    FAILED = "failed"
    UNDETERMINED = "undetermined"


class Dimension(StrEnum):
    """What a check speaks about; the dimensions are answered apart."""

    INTEGRITY = "integrity"
    TIME = "time"
    SIGNER = "signer"
    LOG = "log"
    COURT = "court"
    ENVIRONMENT = "environment"
    ORIGINAL = "original"


class Vouches(StrEnum):
    """On whose word a finding rests."""

    COMPUTATION = "computation"
    AUTHORITY = "authority"
    DESK = "desk"
    COURT_NETWORK = "court_network"
    SIGNER = "signer"
    CERTIFICATE_AUTHORITY = "certificate_authority"
    """Of servers that a capture shows."""
    USER = "user"
    NOBODY = "nobody"


Parameter = str | int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One check and its outcome.

    Attributes:
        check: what was checked, e.g. ``"token.signature"``; stable identifier.
        code: reason, key of the explanation in ``texts``, e.g. ``"token.signature.wrong"``.
        parameters: facts for the explanation (never file content).
        who_vouches: on whose word the outcome rests.
    """

    dimension: Dimension
    check: str
    status: Status
    code: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    who_vouches: Vouches = Vouches.COMPUTATION


@dataclass(frozen=True, slots=True, kw_only=True)
class Caveat:
    """Something a reader must know beside the findings, e.g. 演示/非第三方; key of ``texts``."""

    code: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)


def unique_caveats(caveats: Iterable[Caveat]) -> tuple[Caveat, ...]:
    """Each caveat once, in the order of their first appearance."""
    result: list[Caveat] = []
    for caveat in caveats:
        if caveat not in result:
            result.append(caveat)
    return tuple(result)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Which dimensions are summed into the overall answer (docs/spec/verdict.md).

    Attributes:
        required: must have passed; a dimension without findings is undetermined.
        refuting: not required, but a *failed* finding (a false signature or path, not a missing one) fails the whole.
    """

    name: str
    required: frozenset[Dimension]
    refuting: frozenset[Dimension] = frozenset({Dimension.LOG, Dimension.COURT})


DATA_POLICY = Policy(name="data/1", required=frozenset({Dimension.INTEGRITY, Dimension.TIME}))
PACKAGE_POLICY = Policy(
    name="package/1",
    required=frozenset({Dimension.INTEGRITY, Dimension.TIME}),
    refuting=frozenset({Dimension.LOG, Dimension.COURT, Dimension.SIGNER}),
)
"""A package with a certificate inside: a false certificate must not travel under the answer on the data."""
CERTIFICATE_POLICY = Policy(
    name="certificate/1", required=frozenset({Dimension.INTEGRITY, Dimension.TIME, Dimension.SIGNER})
)
TOKEN_POLICY = Policy(name="token/1", required=frozenset({Dimension.INTEGRITY, Dimension.TIME}))
LOOKUP_POLICY = Policy(name="lookup/1", required=frozenset({Dimension.INTEGRITY, Dimension.COURT}))
"""A file that bears no proof itself: the court network is asked whether it holds an entry about exactly this file."""


class ExitStatus(int, Enum):
    """Exit codes of the verifying commands."""

    PASSED = 0
    FAILED = 1
    UNDETERMINED = 2
    USAGE = 64
    UNRECOGNIZED = 65


def worst(statuses: Iterable[Status]) -> Status:
    """Failed over undetermined over passed; undetermined when there is nothing to sum."""
    seen = set(statuses)
    if Status.FAILED in seen:
        return Status.FAILED
    if Status.UNDETERMINED in seen or not seen:
        return Status.UNDETERMINED
    return Status.PASSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """All findings on one input and what they sum to under `policy`."""

    policy: Policy
    findings: tuple[Finding, ...]
    caveats: tuple[Caveat, ...] = ()

    def dimension(self, dimension: Dimension) -> Status:
        """Worst status of one dimension; undetermined when nothing was checked."""
        return worst(item.status for item in self.findings if item.dimension is dimension)

    @property
    def overall(self) -> Status:
        """Sum of the dimensions that the policy requires, refuted by a failure in those it names."""
        refuted = any(
            item.status is Status.FAILED and item.dimension in self.policy.refuting for item in self.findings
        )
        if refuted:
            return Status.FAILED
        return worst(self.dimension(dimension) for dimension in self.policy.required)

    def exit_status(self, *, strict: bool) -> ExitStatus:
        """Exit code; `strict` turns caveats on a passed verdict into undetermined."""
        exits = {
            Status.FAILED: ExitStatus.FAILED,
            Status.UNDETERMINED: ExitStatus.UNDETERMINED,
            Status.PASSED: ExitStatus.UNDETERMINED if strict and self.caveats else ExitStatus.PASSED,
        }
        return exits[self.overall]
