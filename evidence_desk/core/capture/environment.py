"""Environment report 清洁性检查: what was checked on the machine before and after a capture, with raw outputs. Pure.

`environment/1`, canonical JSON, docs/spec/capture-environment.md. Nothing here is summed into one answer; what was not run
is *unchecked*, never *pass*. The list of processes is private: only its digests are here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from evidence_desk.core.digests import DigestPair

VERSION: Final = "environment/1"
MAX_KEPT: Final = 64 * 1024
"""Bytes of one raw output that the report keeps."""
MAX_VALUE: Final = 1_000
"""Characters of one value of a fact or parameter."""
MAX_VALUES: Final = 512
"""Values of one fact."""
MAX_TARGETS: Final = 64
STOPPED: Final = -1
"""Exit code of a command that was stopped at its time limit."""
JUMP_MS: Final = 2_000
"""Difference between elapsed wall time and elapsed uptime from which the clock is said to have jumped."""

Parameter = str | int


class When(StrEnum):
    """Before or after the capture."""

    BEFORE = "before"
    AFTER = "after"


class Outcome(StrEnum):
    """Outcome of one check: 通过 / 警告 / 未通过 / 未检查."""

    PASS = "pass"  # noqa: S105 - an outcome
    WARN = "warn"
    FAIL = "fail"
    UNCHECKED = "unchecked"


class Check(StrEnum):
    """Every check, in the order of the report."""

    CLOCK = "clock"
    ZONE = "zone"
    HOSTS = "hosts"
    PROXY = "proxy"
    DNS = "dns"
    ANSWERS = "answers"
    ADAPTERS = "adapters"
    ROUTES = "routes"
    REACH = "reach"
    TRACE = "trace"
    ROOTS = "roots"
    INTERCEPTION = "interception"
    PROCESSES = "processes"
    MACHINE = "machine"
    REMOTE = "remote"
    INJECTION = "injection"
    ANTIVIRUS = "antivirus"
    SYSTEM = "system"
    UPDATES = "updates"
    PROGRAM = "program"
    DISK = "disk"
    PROFILE = "profile"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why an outcome is what it is: key of a sentence in ``texts`` with its facts."""

    code: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """What one command or call gave.

    Attributes:
        ran: command line, file or call, as it was run.
        exit_code: of a command, `STOPPED` when it ran out of time; None when it is no command.
        kept: the output, at most its first `MAX_KEPT` bytes; empty when private.
        size: bytes of the whole output; digests: over the whole output.
        attachment: name of the private file that holds the whole output, None when it is not private.
        masked: passwords in it were replaced by ``***`` before anything was digested.
    """

    ran: str
    kept: bytes
    size: int
    digests: DigestPair
    exit_code: int | None = None
    attachment: str | None = None
    masked: bool = False

    @property
    def cut(self) -> bool:
        """Whether the report holds less than the whole output."""
        return len(self.kept) < self.size


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One check.

    Attributes:
        reasons: at least one.
        facts: what was found, by name; `compare` works on these.
        duration_ms: how long it ran.
    """

    check: Check
    outcome: Outcome
    reasons: tuple[Reason, ...]
    facts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    raws: tuple[Raw, ...] = ()
    duration_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A host that the capture is going to ask, as the plan spells it."""

    host: str
    port: int = 443

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentReport:
    """All checks of one moment.

    Attributes:
        system: ``linux``, ``windows`` or the platform's own name.
        started, finished: by the machine's own clock, UTC, cut to milliseconds.
        uptime_ms: the machine's monotonic clock at `started`; tells a clock jump from elapsed time.
        demo: names of demonstration authorities (演示/非第三方) that were asked for the time.
    """

    when: When
    system: str
    started: datetime
    finished: datetime
    uptime_ms: int
    targets: tuple[str, ...]
    items: tuple[Item, ...]
    demo: tuple[str, ...] = ()

    def count(self, outcome: Outcome) -> int:
        """How many checks have this outcome."""
        return sum(item.outcome is outcome for item in self.items)

    def item(self, check: Check) -> Item | None:
        """One check, None when the report has it not."""
        return next((item for item in self.items if item.check is check), None)

    def fact(self, check: Check, name: str) -> tuple[str, ...]:
        """Values of one fact, none when there is no such."""
        item = self.item(check)
        return () if item is None else item.facts.get(name, ())


class Change(StrEnum):
    """What differs between two reports."""

    OUTCOME = "outcome"
    FACT = "fact"
    CLOCK = "clock"
    """The wall clock moved otherwise than the machine's own uptime."""
    RESTART = "restart"
    TARGETS = "targets"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One difference; `name` is the fact's, `before` and `after` only the values that the other side has not."""

    change: Change
    check: Check | None
    name: str
    before: tuple[str, ...]
    after: tuple[str, ...]


def kept(data: bytes) -> bytes:
    """The part of an output that a report keeps; UTF-8 text is cut between characters."""
    head = data[:MAX_KEPT]
    if len(head) == len(data):
        return head
    whole = head[: len(head) - _torn(head)]
    try:
        whole.decode("utf-8")
    except UnicodeDecodeError:
        return head
    return whole


def _torn(head: bytes) -> int:
    """Bytes of an unfinished UTF-8 sequence at the end."""
    for back in range(1, min(4, len(head)) + 1):
        byte = head[-back]
        if byte & 0xC0 != 0x80:
            length = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2 if byte >= 0xC0 else 1
            return back if length > back else 0
    return 0


def raw_output(
    ran: str,
    data: bytes,
    *,
    exit_code: int | None = None,
    attachment: str | None = None,
    masked: bool = False,
) -> Raw:
    """Record of an output; with `attachment` the report keeps only its size and digests."""
    return Raw(
        ran=short(ran), kept=b"" if attachment else kept(data), size=len(data), digests=DigestPair.of(data),
        exit_code=exit_code, attachment=attachment, masked=masked,
    )  # fmt: skip


def because(code: str, **parameters: Parameter) -> Reason:
    """A reason with its facts, texts cut to `MAX_VALUE`."""
    return Reason(
        code=code,
        parameters={
            name: short(value) if isinstance(value, str) else value for name, value in parameters.items()
        },
    )


def short(text: str) -> str:
    """Text that fits a fact or parameter: no lone surrogates, at most `MAX_VALUE` characters."""
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text if len(text) <= MAX_VALUE else f"{text[: MAX_VALUE - 1]}…"


def values(found: Iterable[str], *, ordered: bool = False) -> tuple[str, ...]:
    """Values of a fact: each once, sorted unless `ordered`, at most `MAX_VALUES` (the rest is counted in a last one)."""
    unique = [short(value) for value in dict.fromkeys(found)]
    if not ordered:
        unique.sort()
    if len(unique) <= MAX_VALUES:
        return tuple(unique)
    return (*unique[: MAX_VALUES - 1], f"+{len(unique) - MAX_VALUES + 1}")


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """Fail over warn over unchecked over pass; unchecked when there is nothing."""
    seen = set(outcomes)
    for outcome in (Outcome.FAIL, Outcome.WARN, Outcome.UNCHECKED):
        if outcome in seen:
            return outcome
    return Outcome.PASS if seen else Outcome.UNCHECKED


def compare(before: EnvironmentReport, after: EnvironmentReport) -> tuple[Difference, ...]:
    """What differs between the reports of one capture, in the order of the checks.

    Outcomes and facts are compared; measures that always vary (milliseconds, free space) stand in reasons and are not.
    """
    return (
        *_moved(before, after),
        *(found for check in Check for found in _differences(before, after, check)),
    )


def _moved(before: EnvironmentReport, after: EnvironmentReport) -> Iterable[Difference]:
    wall = round((after.started - before.started).total_seconds() * 1000)
    if after.uptime_ms < before.uptime_ms:
        yield _difference(
            Change.RESTART, None, "uptime_ms", (str(before.uptime_ms),), (str(after.uptime_ms),)
        )
    elif abs(wall - (after.uptime_ms - before.uptime_ms)) > JUMP_MS:
        run = after.uptime_ms - before.uptime_ms
        yield _difference(Change.CLOCK, None, "elapsed_ms", (str(run),), (str(wall),))
    if before.targets != after.targets:
        yield _difference(Change.TARGETS, None, "targets", before.targets, after.targets)


def _differences(before: EnvironmentReport, after: EnvironmentReport, check: Check) -> Iterable[Difference]:
    old, new = before.item(check), after.item(check)
    outcomes = tuple(() if item is None else (item.outcome.value,) for item in (old, new))
    if outcomes[0] != outcomes[1]:
        yield _difference(Change.OUTCOME, check, "outcome", outcomes[0], outcomes[1])
    was, now = ({} if item is None else item.facts for item in (old, new))
    for name in sorted({*was, *now}):
        if was.get(name, ()) != now.get(name, ()):
            yield _difference(Change.FACT, check, name, was.get(name, ()), now.get(name, ()))


def _difference(
    change: Change, check: Check | None, name: str, before: Sequence[str], after: Sequence[str]
) -> Difference:
    gone = tuple(value for value in before if value not in set(after))
    come = tuple(value for value in after if value not in set(before))
    if not gone and not come:  # the same values in another order
        gone, come = tuple(before), tuple(after)
    return Difference(change=change, check=check, name=name, before=gone, after=come)
