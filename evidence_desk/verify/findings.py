"""Short makers of findings for verifications that go step by step; a code is always check and reason."""

from __future__ import annotations

from evidence_desk import __version__
from evidence_desk.core.verdict import Dimension, Finding, Parameter, Status, Vouches


class Findings:
    """What a verification adds to its `findings`."""

    __slots__ = ()

    findings: list[Finding]

    def add(
        self, dimension: Dimension, check: str, status: Status, reason: str,
        who: Vouches = Vouches.COMPUTATION, /, **facts: Parameter,
    ) -> None:  # fmt: skip
        """One finding; its code is check and reason."""
        self.findings.append(
            Finding(
                dimension=dimension, check=check, status=status, code=f"{check}.{reason}", parameters=facts,
                who_vouches=who,
            )
        )  # fmt: skip

    def passed(self, dimension: Dimension, check: str, /, **facts: Parameter) -> None:
        """A check that is right."""
        self.add(dimension, check, Status.PASSED, "right", **facts)

    def failed(self, dimension: Dimension, check: str, reason: str, /, **facts: Parameter) -> None:
        """A check that is not."""
        self.add(dimension, check, Status.FAILED, reason, **facts)

    def unknown(self, dimension: Dimension, check: str, reason: str, /, **facts: Parameter) -> None:
        """A check that nobody can decide here."""
        self.add(dimension, check, Status.UNDETERMINED, reason, Vouches.NOBODY, **facts)

    def differs(self, check: str, reason: str, /, *, sealed_by: str, **facts: Parameter) -> None:
        """What this program makes otherwise is a fault where its own version sealed it, else nobody can tell."""
        if sealed_here(sealed_by):
            self.failed(Dimension.INTEGRITY, check, reason, **facts)
        else:
            self.unknown(
                Dimension.ENVIRONMENT, check, "other_program", software=sealed_by[:80], version=__version__
            )


def sealed_here(software: str) -> bool:
    """Whether the program that sealed something is of this version, and so judges as this one does."""
    return software.endswith(f" {__version__}")
