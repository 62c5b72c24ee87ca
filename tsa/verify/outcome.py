"""What the verification of a token answers, and short makers of findings."""

from __future__ import annotations

from dataclasses import dataclass

from evidence_desk.core.verdict import Caveat, Dimension, Finding, Parameter, Status, Vouches, worst
from tsa.response import TokenFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenVerdict:
    """Findings on one token; `facts` is None when it could not be read."""

    findings: tuple[Finding, ...]
    facts: TokenFacts | None
    caveats: tuple[Caveat, ...] = ()

    @property
    def status(self) -> Status:
        """Worst of all findings."""
        return worst(item.status for item in self.findings)


def passed(
    check: str, *, code: str = "passed", vouches: Vouches = Vouches.COMPUTATION, **facts: Parameter
) -> Finding:
    """A passed finding; its code is ``{check}.{code}``."""
    return _finding(check, Status.PASSED, code, vouches, facts)


def failed(check: str, code: str, **facts: Parameter) -> Finding:
    """A failed finding; its code is ``{check}.{code}``."""
    return _finding(check, Status.FAILED, code, Vouches.COMPUTATION, facts)


def unknown(check: str, code: str, **facts: Parameter) -> Finding:
    """An undetermined finding; its code is ``{check}.{code}``."""
    return _finding(check, Status.UNDETERMINED, code, Vouches.NOBODY, facts)


def _finding(check: str, status: Status, code: str, vouches: Vouches, facts: dict[str, Parameter]) -> Finding:
    return Finding(
        dimension=Dimension.INTEGRITY if check == "token.imprint" else Dimension.TIME,
        check=check,
        status=status,
        code=f"{check}.{code}",
        parameters=facts,
        who_vouches=vouches,
    )
