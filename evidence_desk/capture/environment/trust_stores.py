"""What the trust stores of a system hold, by origin."""

from __future__ import annotations

from dataclasses import dataclass

from evidence_desk.core.capture.environment import Raw, Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Roots:
    """Root certificates, DER.

    Attributes:
        shipped: of the distribution, or of Microsoft's list. added: (where, certificate) of what else is trusted here.
        gaps: what could not be read. doubts: signs that shipped files are not as they were installed.
    """

    shipped: tuple[bytes, ...]
    added: tuple[tuple[str, bytes], ...]
    raws: tuple[Raw, ...]
    gaps: tuple[Reason, ...] = ()
    doubts: tuple[Reason, ...] = ()
