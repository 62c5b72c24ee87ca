"""Sentences of the area capture, en."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "malformed.stream": "This recorded stream is not well-formed.",
    "malformed.stream.advice": "Use the complete capture; if it came from a package, verify the package again.",
    "malformed.connections": "The index of connections is not well-formed ({reason}).",
    "malformed.connections.advice": "Use the complete capture; if it came from a package, verify the package again.",
    "bug.chunk": "Internal fault: a chunk has {size} bytes.",
    "bug.chunk.advice": "Save the diagnostics and contact support.",
}
