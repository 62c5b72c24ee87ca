"""Copies what a page draws with (resources) out of a foreign PDF, object by object, and nothing that acts.

Only what is reachable from resources is copied: scripts, forms, links, embedded files and actions hang elsewhere. Where
a hostile file makes them reachable, they are replaced by null.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from decimal import Decimal
from typing import Final

import pikepdf

from reports.bundle.problem import Reason, UnprintableError
from reports.bundle.writer import PdfWriter

MOST_STREAM: Final = 256 << 20
"""Greatest encoded size in bytes of one stream, as it is held in memory."""
_DEEPEST: Final = 60
_EVERY: Final = 500
"""Objects between two looks at the job."""
_DROPPED_TYPES: Final = frozenset(
    {
        "/Action", "/Annot", "/Catalog", "/Page", "/Pages", "/Template", "/Filespec", "/F", "/EmbeddedFile", "/Sig",
        "/Metadata", "/OBJR", "/StructTreeRoot", "/StructElem", "/Outlines", "/Thread", "/Bead", "/SigRef", "/Rendition",
        "/Sound", "/3D", "/MediaClip", "/RichMediaContent", "/XRef", "/ObjStm",
    }
)  # fmt: skip
_DROPPED_ACTIONS: Final = frozenset(
    {
        "/JavaScript", "/Launch", "/URI", "/GoTo", "/GoToR", "/GoToE", "/GoToDp", "/SubmitForm", "/ResetForm", "/ImportData",
        "/Hide", "/Named", "/Rendition", "/Movie", "/Sound", "/SetOCGState", "/Trans", "/GoTo3DView", "/RichMediaExecute",
    }
)  # fmt: skip
_DROPPED_KEYS: Final = frozenset(
    {
        "/AA", "/AF", "/Alternates", "/EF", "/F", "/FDecodeParms", "/FFilter", "/JS", "/LastModified", "/Length", "/Measure",
        "/Metadata", "/OC", "/OPI", "/OpenAction", "/PS", "/PieceInfo", "/PtData", "/Ref", "/StructParent", "/StructParents",
    }
)  # fmt: skip
"""Of stream dictionaries: parts that act, refer to other files, or belong to what is not copied."""


_SHOWN_WHEN_ON: Final = frozenset({"/AllOn", "/AnyOn"})


class HiddenError(ValueError):
    """Content that shows or hides by a rule which a copy cannot carry along."""


class Copier:
    """Copies from one source document; what pages share is copied once.

    After an error it must not be used again: what it was about to write is missing.
    """

    def __init__(self, writer: PdfWriter, step: Callable[[], None]) -> None:
        self._writer = writer
        self._step = step
        self._numbers: dict[tuple[int, int], int] = {}
        self._waiting: deque[tuple[int, pikepdf.Object]] = deque()

    def copied(self, value: object) -> bytes:
        """Serialized `value`, with everything that it refers to written.

        Raises:
            UnprintableError: too deep, or a stream too large.
            HiddenError: what is shown depends on layers that are off.
        """
        text = self._value(value, 0)
        done = 0
        while self._waiting:
            number, item = self._waiting.popleft()
            self._write(number, item)
            done += 1
            if done % _EVERY == 0:
                self._step()
        return text

    def _write(self, number: int, item: pikepdf.Object) -> None:
        if not isinstance(item, pikepdf.Stream):
            self._writer.write(number, self._direct(item, 0))
            return
        _refuse_hidden(item.stream_dict.get("/OC"))
        entries = b" ".join(
            b"%b %b" % (_name(key), self._value(value, 1))
            for key, value in item.stream_dict.items()
            if key not in _DROPPED_KEYS
        )
        self._writer.write_stream(number, entries, raw_bytes(item))

    def _value(self, value: object, depth: int) -> bytes:
        if isinstance(value, pikepdf.Object) and value.is_indirect:
            if _acts(value):
                return b"null"
            number = self._numbers.get(value.objgen)
            if number is None:
                number = self._numbers[value.objgen] = self._writer.reserve()
                self._waiting.append((number, value))
            return b"%d 0 R" % number
        return self._direct(value, depth)

    def _direct(self, value: object, depth: int) -> bytes:
        if depth > _DEEPEST:
            raise UnprintableError(Reason.BROKEN)
        match value:
            case None:
                return b"null"
            case bool():
                return b"true" if value else b"false"
            case int():
                return b"%d" % value
            case float() | Decimal():
                return f"{value:f}".encode("ascii")
            case pikepdf.Dictionary():
                if _acts(value):
                    return b"null"
                _refuse_hidden(value)
                inner = (b"%b %b" % (_name(key), self._value(item, depth + 1)) for key, item in value.items())
                return b"<< %b >>" % b" ".join(inner)
            case pikepdf.Array():
                return b"[%b]" % b" ".join(self._value(item, depth + 1) for item in value.as_list())
            case pikepdf.Name() | pikepdf.String():
                return value.unparse(resolved=True)
            case _:
                return b"null"  # stray operators of a damaged file too


def raw_bytes(stream: pikepdf.Object) -> bytes:
    """Encoded bytes of a stream, decrypted; bounded."""
    length: object = stream.stream_dict.get("/Length")
    if isinstance(length, int) and length > MOST_STREAM:
        raise UnprintableError(Reason.TOO_LARGE)
    data = stream.read_raw_bytes()
    if len(data) > MOST_STREAM:
        raise UnprintableError(Reason.TOO_LARGE)
    return data


def _name(key: str) -> bytes:
    return pikepdf.Name(key).unparse()


def _refuse_hidden(value: object) -> None:
    """HiddenError for a membership dictionary that hides where its layers are on (ISO 32000-2 §8.11.2.2)."""
    if isinstance(value, pikepdf.Dictionary) and str(value.get("/Type", "")) == "/OCMD":
        rule = value.get("/P", pikepdf.Name.AnyOn)
        if "/VE" in value or str(rule) not in _SHOWN_WHEN_ON:
            raise HiddenError


def _acts(value: pikepdf.Object) -> bool:
    """Whether it is an action, an annotation, an embedded file, or part of the document's own tree."""
    if isinstance(value, pikepdf.Stream):
        value = value.stream_dict
    elif not isinstance(value, pikepdf.Dictionary):
        return False
    kind, action = value.get("/Type"), value.get("/S")
    return (isinstance(kind, pikepdf.Name) and str(kind) in _DROPPED_TYPES) or (
        isinstance(action, pikepdf.Name) and str(action) in _DROPPED_ACTIONS
    )
