"""ASiCEvidenceRecordManifest (ETSI EN 319 162-1 §4.4.3.2 and Annex A.4): what an evidence record covers.

One canonical form. The parser reads that form with one expression a line, writes it again and compares; no XML
processor ever sees the bytes, so entities, DTDs and namespace tricks have nothing to work on.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

from evidence_desk.core.package.names import check_name, refuse
from evidence_desk.errors import MalformedError

MAX_MANIFEST: Final = 64 << 20
_HEAD: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<asic:ASiCManifest xmlns:asic="http://uri.etsi.org/02918/v1.2.1#" '
    'xmlns:ds="http://www.w3.org/2000/09/xmldsig#">\n'
)
_FOOT: Final = "</asic:ASiCManifest>\n"
_REFERENCE: Final = '<asic:SigReference URI="{}" MimeType="application/octet-stream"/>\n'
_OBJECT: Final = (
    '<asic:DataObjectReference URI="{}">'
    '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>'
    "<ds:DigestValue>{}</ds:DigestValue></asic:DataObjectReference>\n"
)
_OBJECT_LINE: Final = re.compile(
    re.escape(_OBJECT)
    .replace(r"\{\}", "([A-Za-z0-9%/._~-]{1,1024})", 1)
    .replace(r"\{\}", "([A-Za-z0-9+/]{43}=)")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectReference:
    """One object of a record: name in the container and SHA-256."""

    name: str
    sha256: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceManifest:
    """The record's name in the container and its objects, in the order written."""

    record: str
    objects: tuple[ObjectReference, ...]

    def encode(self) -> bytes:
        """Canonical bytes; URIs are percent-encoded UTF-8 (RFC 3986 §2.5)."""
        lines = [_HEAD, _REFERENCE.format(quote(self.record))]
        lines += [
            _OBJECT.format(quote(item.name), base64.b64encode(item.sha256).decode()) for item in self.objects
        ]
        return "".join([*lines, _FOOT]).encode("ascii")


def manifest_name(number: int) -> str:
    """Name of the manifest of record `number`, counted from 1."""
    return f"META-INF/ASiCEvidenceRecordManifest{number:03d}.xml"


def record_name(number: int) -> str:
    """Name of evidence record `number`, counted from 1."""
    return f"META-INF/evidencerecord{number:03d}.ers"


def build_manifest(number: int, objects: Iterable[ObjectReference]) -> EvidenceManifest:
    """Manifest of record `number`."""
    return EvidenceManifest(record=record_name(number), objects=tuple(objects))


def parse_manifest(data: bytes, number: int) -> EvidenceManifest:
    """Read the manifest of record `number`.

    Raises:
        MalformedError: ``malformed.too_large``, or ``malformed.package`` with reason ``manifest``.
    """
    if len(data) > MAX_MANIFEST:
        raise MalformedError("malformed.too_large", what="manifest", limit=MAX_MANIFEST)
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError as error:
        raise refuse("manifest", manifest_name(number)) from error
    lines = text.removeprefix(_HEAD).removesuffix(_FOOT).splitlines(keepends=True)
    matches = [_OBJECT_LINE.fullmatch(line) for line in lines[1:]]
    objects = tuple(_reference(match) for match in matches if match)
    manifest = build_manifest(number, objects)
    if not objects or len({item.name for item in objects}) != len(objects) or manifest.encode() != data:
        raise refuse("manifest", manifest_name(number))
    return manifest


def _reference(match: re.Match[str]) -> ObjectReference:
    try:
        name = check_name(unquote(match[1], errors="strict"))
    except UnicodeDecodeError as error:
        raise refuse("manifest") from error
    return ObjectReference(name=name, sha256=base64.b64decode(match[2]))
