"""Sentences of the area capture, en."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "malformed.capture_started": "The record of how the capture began is not well-formed.",
    "malformed.capture_started.advice": "Use the complete capture; if it came from a package, verify the package again.",
    "malformed.capture_mark": "A mark of the capture is not well-formed.",
    "malformed.capture_mark.advice": "Use the complete capture; if it came from a package, verify the package again.",
    "malformed.capture_manifest": "The manifest of the capture is not well-formed ({reason}).",
    "malformed.capture_manifest.advice": "Use the complete capture; if it came from a package, verify the package again.",
    "capture.unknown": "No such capture is running: {number}.",
    "capture.unknown.advice": "Refresh and try again; it may have been sealed or abandoned.",
    "malformed.stream": "This recorded stream is not well-formed.",
    "malformed.stream.advice": "Use the complete capture; if it came from a package, verify the package again.",
    "malformed.connections": "The index of connections is not well-formed ({reason}).",
    "malformed.connections.advice": "Use the complete capture; if it came from a package, verify the package again.",
    "bug.chunk": "Internal fault: a chunk has {size} bytes.",
    "bug.chunk.advice": "Save the diagnostics and contact support.",
    "capture.address": "“{address}” is not an address that can be visited.",
    "capture.address.advice": "Enter a full address, for example https://www.example.com/, without name and password in it.",
    "malformed.capture_plan": "The plan of the capture is not well-formed ({reason}).",
    "malformed.capture_plan.advice": "Check addresses, limits and window size, then try again; if it came from a package, verify the package again.",
    "malformed.extra_ca": "The file with extra authorities cannot be read.",
    "malformed.extra_ca.advice": "Use X.509 certificates in PEM or DER.",
    "malformed.capture_message": "A message of the capture browser is not well-formed ({kind}).",
    "malformed.capture_message.advice": "Capture again; if it happens again, save the diagnostics and contact support.",
    "bug.workspace_name": "Internal fault: “{name}” cannot name a file of a capture.",
    "bug.workspace_name.advice": "Save the diagnostics and contact support.",
    "bug.workspace_exists": "Internal fault: the capture's file “{name}” is already there.",
    "bug.workspace_exists.advice": "Save the diagnostics and contact support.",
    "capture.no_file": "This capture has no file “{name}”.",
    "capture.no_file.advice": "Make sure that you chose the complete folder or package of the capture.",
}
