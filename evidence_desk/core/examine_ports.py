"""Port of an examination: who reads QR codes out of pictures and scans."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO, Protocol

from evidence_desk.core.job import Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What was found on the pages of a picture or PDF.

    Attributes:
        texts: content of every QR code, each once, in the order of the pages; whatever it says.
        read: pages that were looked at, of `pages`.
    """

    texts: tuple[str, ...]
    read: int
    pages: int


class CodeReader(Protocol):
    """Reads QR codes."""

    def read(self, source: BinaryIO, job: Job) -> Scan | None:
        """Codes in a picture or PDF; None when it is neither, or is too large or broken to be drawn."""
        ...
