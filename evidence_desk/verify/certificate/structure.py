"""Reads a certificate's PDF objects and allows only what our certificates are made of (an allow-list, not a search).

Anything else (scripts, forms, layers, images, extra annotations, other filters) could show a reader something that
text extraction does not see.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pikepdf
from pikepdf import Name

from evidence_desk.errors import MalformedError
from evidence_desk.verify.certificate.bounds import MAX_OBJECTS, check_bounds

MAX_PAGES: Final = 20_000
_MAX_ATTACHMENTS: Final = 20_000
_ROOT: Final = frozenset(
    [
        "/AF",
        "/AcroForm",
        "/DSS",
        "/Extensions",
        "/Lang",
        "/Metadata",
        "/Names",
        "/OutputIntents",
        "/Pages",
        "/Perms",
        "/Type",
        "/Version",
        "/ViewerPreferences",
    ]
)
_PAGE: Final = frozenset(["/Annots", "/Contents", "/MediaBox", "/Parent", "/Resources", "/Rotate", "/Type"])
_FORM: Final = frozenset(["/Fields", "/SigFlags"])
_WIDGET: Final = frozenset(["/AP", "/F", "/FT", "/Lock", "/P", "/Rect", "/Subtype", "/T", "/Type", "/V"])
_APPEARANCE: Final = frozenset(
    ["/BBox", "/Filter", "/FormType", "/Length", "/Resources", "/Subtype", "/Type"]
)
_FONT: Final = frozenset(["/BaseFont", "/DescendantFonts", "/Encoding", "/Subtype", "/ToUnicode", "/Type"])
_OPERATORS: Final = frozenset(
    [
        "B*",
        "BT",
        "ET",
        "Q",
        "RG",
        "S",
        "T*",
        "TL",
        "Td",
        "Tf",
        "Tj",
        "Tm",
        "cm",
        "f",
        "f*",
        "l",
        "m",
        "n",
        "q",
        "re",
        "rg",
        "w",
    ]
)
_PRINT_ONLY: Final = frozenset({4, 132})
"""Annotation flags of the seal: Print, with or without Locked; never Hidden, Invisible or NoView."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """What the file holds.

    Attributes:
        attachments: name → bytes, from the name tree.
        seal: a one-page PDF showing the appearance of the signature field, b"" when there is none.
    """

    pages: int
    attachments: Mapping[str, bytes]
    seal: bytes


def read_structure(pdf: bytes) -> Structure:
    """Parse and check.

    Raises:
        MalformedError: ``malformed.pdf`` when it is no sound PDF, ``certificate.structure.wrong`` {what} when it
            holds something a certificate must not hold.
    """
    check_bounds(pdf)
    try:
        with pikepdf.open(io.BytesIO(pdf), suppress_warnings=True, attempt_recovery=False) as document:
            _undamaged(document)
            _streams(document)
            _catalog(document.Root)
            fields = _fields(document.Root)
            _pages(document, fields)
            return Structure(
                pages=len(document.pages),
                attachments=_attachments(document.Root),
                seal=_seal(fields),
            )
    except MalformedError:
        raise
    except (
        pikepdf.PdfError,
        pikepdf.ForeignObjectError,
        ValueError,
        TypeError,
        AttributeError,
        KeyError,
        IndexError,
        RuntimeError,
        NotImplementedError,
        OverflowError,
    ) as error:
        raise MalformedError("malformed.pdf", reason=type(error).__name__) from error


def _undamaged(document: pikepdf.Pdf) -> None:
    if document.is_encrypted or document.get_warnings():
        raise MalformedError("malformed.pdf", reason="damaged")


def _wrong(what: str) -> MalformedError:
    return MalformedError("certificate.structure.wrong", what=what)


def _only(container: Any, allowed: frozenset[str], what: str) -> None:
    for key in container.keys():  # noqa: SIM118 - pikepdf dictionaries iterate differently
        if key not in allowed:
            raise _wrong(f"{what} {key}"[:80])


def _streams(document: pikepdf.Pdf) -> None:
    """Only plain or Flate streams without parameters."""
    if len(document.objects) > MAX_OBJECTS:
        raise MalformedError("malformed.pdf", reason="objects")
    for item in document.objects:
        if isinstance(item, pikepdf.Stream):
            kind = item.get("/Filter")
            if isinstance(kind, pikepdf.Array) and len(kind) == 1:
                kind = kind[0]
            if (kind is not None and kind != Name.FlateDecode) or "/DecodeParms" in item or "/F" in item:
                raise _wrong("filter")


def _catalog(root: Any) -> None:
    _only(root, _ROOT, "catalog")
    if "/Names" in root:
        _only(root.Names, frozenset({"/EmbeddedFiles"}), "names")
    if "/AcroForm" in root:
        _only(root.AcroForm, _FORM, "form")


def _fields(root: Any) -> list[Any]:
    return list(root.AcroForm.get("/Fields", [])) if "/AcroForm" in root else []


def _pages(document: pikepdf.Pdf, fields: list[Any]) -> None:
    if not 0 < len(document.pages) <= MAX_PAGES:
        raise MalformedError("malformed.pdf", reason="pages")
    known = {field.objgen for field in fields}
    seen: set[tuple[int, int]] = set()
    fonts: set[tuple[int, int]] = set()
    for page in document.pages:
        _only(page.obj, _PAGE, "page")
        if int(page.obj.get("/Rotate", 0)) or not isinstance(page.obj.get("/Contents"), pikepdf.Stream):
            raise _wrong("page")
        _resources(page.obj.Resources, fonts)
        _operators(page.obj)
        for annotation in page.obj.get("/Annots", []):
            if annotation.objgen not in known or annotation.objgen in seen:
                raise _wrong("annotation")
            seen.add(annotation.objgen)
    for field in fields:
        _only(field, _WIDGET, "field")
        if field.get("/FT") != Name.Sig or field.get("/Subtype") != Name.Widget:
            raise _wrong("field")


def _resources(resources: Any, fonts: set[tuple[int, int]]) -> None:
    _only(resources, frozenset({"/Font", "/ProcSet"}), "resources")
    for key in resources.get("/Font", {}).keys():  # noqa: SIM118
        font = resources.Font[key]
        if font.objgen in fonts and font.objgen != (0, 0):
            continue
        fonts.add(font.objgen)
        _only(font, _FONT, "font")
        if font.get("/Subtype") != Name.Type0 or font.get("/Encoding") != Name("/Identity-H"):
            raise _wrong("font")
        if "/ToUnicode" not in font or "/FontFile2" not in font.DescendantFonts[0].FontDescriptor:
            raise _wrong("font")


def _operators(content: Any) -> None:
    for instruction in pikepdf.parse_content_stream(content):
        if str(instruction.operator) not in _OPERATORS:
            raise _wrong(f"operator {instruction.operator}"[:40])


def _attachments(root: Any) -> dict[str, bytes]:
    result: dict[str, bytes] = {}
    for name, specification in _name_tree(root):
        stream = specification.EF.F
        if name in result or str(specification.get("/UF", name)) != name or str(specification.F) != name:
            raise _wrong("attachment name")
        result[name] = bytes(stream.read_bytes())
    return result


def _name_tree(root: Any) -> Iterator[tuple[str, Any]]:
    """Flat name tree as we write it (ISO 32000-2 §7.9.6); kids are refused."""
    if "/Names" not in root or "/EmbeddedFiles" not in root.Names:
        return
    tree = root.Names.EmbeddedFiles
    _only(tree, frozenset({"/Names"}), "name tree")
    entries = tree.Names
    if len(entries) > 2 * _MAX_ATTACHMENTS or len(entries) % 2:
        raise _wrong("attachments")
    for at in range(0, len(entries), 2):
        yield str(entries[at]), entries[at + 1]


def _seal(fields: list[Any]) -> bytes:
    """The visible field's appearance as a page of its own; document timestamps must be invisible."""
    visible = [field for field in fields if _is_visible(field)]
    if not visible:
        return b""
    if len(visible) > 1:
        raise _wrong("field")
    field = visible[0]
    form = field.AP.N
    _only(field.AP, frozenset({"/N"}), "appearance")
    _only(form, _APPEARANCE, "appearance")
    if int(field.get("/F", 0)) not in _PRINT_ONLY:
        raise _wrong("field")
    _resources(form.Resources, set())
    _operators(form)
    page = pikepdf.new()
    page.add_blank_page(page_size=(600, 300))
    page.pages[0].obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Seal=page.copy_foreign(form)))
    page.pages[0].obj.Contents = page.make_stream(b"q 1 0 0 1 20 20 cm /Seal Do Q")
    out = io.BytesIO()
    page.save(out)
    return out.getvalue()


def _is_visible(field: Any) -> bool:
    left, bottom, right, top = (float(value) for value in field.Rect)
    return right > left and top > bottom
