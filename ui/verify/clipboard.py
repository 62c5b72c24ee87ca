"""What the clipboard or a drop carries for this page: files, a picture, or a short text; bounded before use."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QImage

from evidence_desk.errors import MalformedError
from evidence_desk.services.question import MAX_TEXT
from ui.verify.picture import check_size
from ui.widgets.panels import paths_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """One of these; nothing at all when empty."""

    paths: tuple[Path, ...] = ()
    text: str = ""
    picture: QImage | None = None


def carried(data: QMimeData | None) -> Carried:
    """What is carried. A local file goes before its picture, a picture before its text.

    Raises:
        MalformedError: ``question.too_long`` for a text that can be no number, digest or code; ``malformed.picture``.
    """
    if data is None:
        return Carried()
    paths = paths_of(data)
    if paths:
        return Carried(paths=tuple(paths))
    if data.hasImage():
        picture = data.imageData()
        if isinstance(picture, QImage):
            check_size(picture)
            return Carried(picture=picture)
    if data.hasText():
        text = data.text()
        if len(text) > MAX_TEXT:
            raise MalformedError("question.too_long", limit=MAX_TEXT)
        return Carried(text=text.strip())
    return Carried()


def is_welcome(data: QMimeData | None) -> bool:
    """Whether something could be taken from it; reads nothing."""
    return data is not None and (data.hasUrls() or data.hasImage() or data.hasText())
