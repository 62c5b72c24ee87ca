"""Numbers and times as people read them; the same in every language."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from evidence_desk.core.certificate import beijing_text

_UNITS: Final = ("B", "KB", "MB", "GB", "TB")
_STEP: Final = 1024


def file_size(size: float) -> str:
    """Bytes with a unit, three digits: ``4.1 GB``."""
    for unit in _UNITS:
        if size < _STEP or unit == _UNITS[-1]:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"
        size /= _STEP
    return ""


def duration(seconds: int) -> str:
    """Seconds as ``m:ss`` or ``h:mm:ss``."""
    minutes, rest = divmod(max(seconds, 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def local_time(moment: datetime | None) -> str:
    """Beijing time to the second, as certificates print it first; empty for none."""
    return "" if moment is None else beijing_text(moment)
