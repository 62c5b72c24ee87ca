"""What can be done with a file, by its first bytes first and its name second."""

from __future__ import annotations

from enum import Enum, auto
from pathlib import PurePosixPath
from typing import Final

HEAD: Final = 2048
"""Bytes to look at."""
_PICTURES: Final = (
    b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"GIF87a", b"GIF89a",
)  # fmt: skip
_TEXTS: Final = frozenset(
    (
        ".txt", ".text", ".csv", ".tsv", ".htm", ".html", ".xhtml", ".shtml", ".xml", ".json", ".jsonl", ".ndjson", ".log",
        ".md", ".markdown", ".rst", ".ini", ".cfg", ".conf", ".toml", ".yaml", ".yml", ".properties", ".srt", ".vtt", ".ass",
        ".lrc", ".vcf", ".ics", ".mbox", ".sql", ".css", ".js", ".ts", ".py", ".java", ".c", ".h", ".cpp", ".cs", ".go", ".php",
        ".sh", ".bat", ".ps1", ".svg", ".tex", ".nfo", ".diff", ".patch", ".pem", ".asc", ".warcinfo", ".har",
    )
)  # fmt: skip


class Kind(Enum):
    """Ways of printing."""

    PDF = auto()
    PICTURE = auto()
    MAIL = auto()
    TEXT = auto()
    OTHER = auto()


def kind_of(name: str, media_type: str, head: bytes) -> Kind:
    """How to print a file with this name and these first bytes (`HEAD` of them)."""
    suffix = PurePosixPath(name.lower()).suffix
    if head.lstrip().startswith(b"%PDF-"):
        return Kind.PDF
    if _is_picture(head):
        return Kind.PICTURE
    if suffix == ".pdf" or media_type == "application/pdf":
        return Kind.PDF
    if suffix == ".eml" or media_type == "message/rfc822":
        return Kind.MAIL
    if suffix in _TEXTS or media_type.startswith("text/"):
        return Kind.TEXT
    if not suffix and head and not any(byte < 32 and byte not in b"\t\n\f\r" for byte in head):
        return Kind.TEXT
    return Kind.OTHER


def _is_picture(head: bytes) -> bool:
    return (
        head.startswith(_PICTURES)
        or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")
        or (head[:2] == b"BM" and head[6:10] == b"\0\0\0\0")
    )
