"""What a check is given: the machine, the targets, and the things that only the caller can ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from evidence_desk.capture.environment.machine import Machine
from evidence_desk.core.capture.environment import (
    Check,
    Item,
    Outcome,
    Raw,
    Reason,
    Target,
    When,
    because,
    worst,
)
from evidence_desk.core.digests import DigestPair

NTP_SERVERS: Final = ("ntp.ntsc.ac.cn", "ntp.aliyun.com", "ntp.tencent.com", "time.windows.com")
"""Servers asked unless others are configured: National Time Service Center, Aliyun, Tencent, Microsoft."""
Resolve = Callable[[str], Sequence[str]]
"""Addresses of a name; OSError or one of our errors when there are none."""
Keep = Callable[[str, bytes], None]
"""Takes a private output under its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorityClock:
    """An RFC 3161 authority as a clock.

    Attributes:
        ask: asks for a token over any digest, verifies it and gives its genTime and what else there is to record.
        demo: a demonstration: it runs on this machine's clock and does not count.
    """

    name: str
    ask: Callable[[], datetime]
    demo: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockSources:
    """Clocks to compare with; ``host`` or ``host:port`` of NTP servers."""

    ntp: tuple[str, ...] = NTP_SERVERS
    authorities: tuple[AuthorityClock, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramFacts:
    """The running program: name, version, digests over its files, versions of its components."""

    name: str
    version: str
    digests: DigestPair
    components: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Everything the checks of one report work on.

    Attributes:
        rest: how many more targets there are than a report checks.
        resolvers: independent resolvers by name, beside the system's own.
        folder: where the capture is written, None when not known yet.
        profile: names in the browser's profile folder, None when nobody listed it.
        earlier: the private list of processes of the check before, for the one after.
        keep: takes private outputs; without it only their digests stay.
    """

    when: When
    targets: tuple[Target, ...]
    clocks: ClockSources
    rest: int = 0
    machine: Machine = field(default_factory=Machine)
    resolvers: Mapping[str, Resolve] = field(default_factory=dict)
    folder: Path | None = None
    profile: Sequence[str] | None = None
    program: ProgramFacts | None = None
    earlier: bytes | None = None
    keep: Keep | None = None


@dataclass(slots=True)
class Findings:
    """Collects what a check finds; the outcome is the worst of its parts."""

    check: Check
    outcomes: list[Outcome] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)
    facts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    raws: list[Raw] = field(default_factory=list)

    def tell(self, outcome: Outcome, *reasons: Reason) -> None:
        """One part's outcome, with why."""
        self.outcomes.append(outcome)
        self.reasons.extend(reasons)

    def tell_rest(self, around: Surroundings) -> None:
        """Targets beyond the limit are unchecked, and that is told."""
        if around.rest:
            self.tell(Outcome.UNCHECKED, because("environment.targets_rest", count=around.rest))

    def item(self) -> Item:
        """The finished item; worst reasons keep the order they were told in."""
        return Item(
            check=self.check, outcome=worst(self.outcomes), reasons=tuple(self.reasons), facts=dict(self.facts),
            raws=tuple(self.raws),
        )  # fmt: skip
