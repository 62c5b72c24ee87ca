"""Makes a PDF into PDF/A-3b with attachments (ISO 19005-3): output intent, XMP, associated files, clean catalog."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import Final
from xml.sax.saxutils import escape

import pikepdf
from pikepdf import Array, Dictionary, Name, String

from evidence_desk.paths import asset

PRODUCER: Final = "Evidence Desk"


class Relationship(StrEnum):
    """AFRelationship (ISO 32000-2 §7.11.3): what an attachment is to the document."""

    DATA = "Data"
    SOURCE = "Source"
    SUPPLEMENT = "Supplement"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """One attached file."""

    data: bytes
    media_type: str
    relationship: Relationship = Relationship.SUPPLEMENT
    description: str = ""


@cache
def _profile() -> bytes:
    return asset("color", "sRGB.icc").read_bytes()


def finish(
    pdf: bytes,
    *,
    title: str,
    language: str,
    created: datetime,
    attachments: Mapping[str, Attachment],
) -> bytes:
    """PDF/A-3b bytes; the same input gives the same output.

    `created` (UTC) is the date in the metadata; names of `attachments` are ASCII.
    """
    with pikepdf.open(io.BytesIO(pdf)) as document:
        root = document.Root
        for key in ("/Outlines", "/PageMode", "/OpenAction"):
            if key in root:
                del root[key]
        for page in document.pages:
            if "/Trans" in page.obj:
                del page.obj["/Trans"]
        root.Lang = String("zh-CN" if language == "zh" else "en")
        root.ViewerPreferences = Dictionary(DisplayDocTitle=True)
        _output_intent(document)
        _attach(document, attachments, created)
        if "/Info" in document.trailer:
            del document.trailer["/Info"]
        metadata = document.make_stream(_xmp(title, created).encode("utf-8"))
        metadata.Type, metadata.Subtype = Name.Metadata, Name.XML
        root.Metadata = metadata
        out = io.BytesIO()
        document.save(
            out,
            min_version="1.7",
            object_stream_mode=pikepdf.ObjectStreamMode.disable,
            compress_streams=True,
            fix_metadata_version=False,
            deterministic_id=True,
        )
    return out.getvalue()


def _output_intent(document: pikepdf.Pdf) -> None:
    profile = document.make_stream(_profile())
    profile.N = 3
    intent = Dictionary(
        Type=Name.OutputIntent,
        S=Name.GTS_PDFA1,
        OutputConditionIdentifier=String("sRGB"),
        Info=String("sRGB IEC61966-2.1"),
        DestOutputProfile=profile,
    )
    document.Root.OutputIntents = Array([intent])


def _attach(document: pikepdf.Pdf, attachments: Mapping[str, Attachment], created: datetime) -> None:
    """Name tree and AF array; names sorted as the tree demands (ISO 32000-2 §7.9.6)."""
    if not attachments:
        return
    names, associated = Array(), Array()
    date = f"D:{created.astimezone(UTC):%Y%m%d%H%M%S}Z"
    for name, attachment in sorted(attachments.items()):
        stream = document.make_stream(attachment.data)
        stream.Type = Name.EmbeddedFile
        stream.Subtype = Name("/" + attachment.media_type)
        stream.Params = Dictionary(Size=len(attachment.data), ModDate=String(date))
        specification = document.make_indirect(
            Dictionary(
                Type=Name.Filespec,
                F=String(name),
                UF=String(name),
                AFRelationship=Name("/" + attachment.relationship.value),
                EF=Dictionary(F=stream, UF=stream),
                Desc=String(attachment.description or name),
            )
        )
        names.append(String(name))
        names.append(specification)
        associated.append(specification)
    document.Root.Names = Dictionary(EmbeddedFiles=Dictionary(Names=names))
    document.Root.AF = associated


def _xmp(title: str, created: datetime) -> str:
    date = f"{created.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
        'xmlns:pdf="http://ns.adobe.com/pdf/1.3/">'
        "<pdfaid:part>3</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>"
        f'<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{escape(title)}</rdf:li></rdf:Alt></dc:title>'
        f"<xmp:CreateDate>{date}</xmp:CreateDate><xmp:ModifyDate>{date}</xmp:ModifyDate>"
        f"<xmp:CreatorTool>{PRODUCER}</xmp:CreatorTool><pdf:Producer>{PRODUCER}</pdf:Producer>"
        "</rdf:Description></rdf:RDF></x:xmpmeta>\n"
        '<?xpacket end="w"?>'
    )
