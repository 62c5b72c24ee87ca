"""Pictures of a page below each other, drawn at the size of the zoom. Decoded beside the window, within a bound."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from PySide6.QtCore import QBuffer, QByteArray, QSize, Qt, Signal
from PySide6.QtGui import QImage, QImageReader, QKeyEvent, QPixmap, QWheelEvent
from PySide6.QtWidgets import QLabel, QScrollArea, QVBoxLayout, QWidget

from evidence_desk.core.job import Job
from evidence_desk.errors import EvidenceDeskError, MalformedError
from ui.context import Context
from ui.tasks import Lane, Running

FIT: Final = 0
ZOOMS: Final = (25, 50, 75, 100, 150, 200)
"""Percent of the pictures' own size."""
_MOST: Final = 40_000_000
"""Pixels drawn in all: beyond, it is drawn smaller."""
_LARGEST: Final = 400_000_000
"""Pixels that a picture may claim to have."""
_FORMATS: Final = (b"png", b"jpeg", b"gif", b"webp", b"bmp")

Loader = Callable[[], Sequence[bytes]]


class PictureView(QScrollArea):
    """Signals: `zoom_changed` by key or wheel, `drawn` when the pictures are there (False when they cannot be read)."""

    zoom_changed = Signal(int)
    drawn = Signal(bool)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._zoom = FIT
        self._load: Loader | None = None
        self._task: Running[list[QImage]] | None = None
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumHeight(120)
        self._content = QWidget()
        self._content.setObjectName("scrolled")
        self._column = QVBoxLayout(self._content)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignHCenter)
        self.setWidget(self._content)
        self.labels: list[QLabel] = []
        context.tongue.bind(self, self.setAccessibleName, "ui_capture.view.picture")

    def show_pictures(self, load: Loader | None) -> None:
        """Show what `load` gives (called in a worker); None for nothing."""
        self._load = load
        self.verticalScrollBar().setValue(0)
        self._draw()

    @property
    def zoom(self) -> int:
        """Percent, or `FIT`."""
        return self._zoom

    def set_zoom(self, zoom: int) -> None:
        """Draw anew at another size."""
        if zoom != self._zoom:
            self._zoom = zoom
            self._draw()
            self.zoom_changed.emit(zoom)

    def step_zoom(self, by: int) -> None:
        """One size larger or smaller."""
        at = ZOOMS.index(self._zoom) if self._zoom in ZOOMS else 2
        self.set_zoom(ZOOMS[max(0, min(len(ZOOMS) - 1, at + by))])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Ctrl with plus, minus and zero."""
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if control and event.key() in {Qt.Key.Key_Plus, Qt.Key.Key_Equal}:
            self.step_zoom(1)
        elif control and event.key() == Qt.Key.Key_Minus:
            self.step_zoom(-1)
        elif control and event.key() == Qt.Key.Key_0:
            self.set_zoom(FIT)
        else:
            super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Ctrl and the wheel."""
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.step_zoom(1 if event.angleDelta().y() > 0 else -1)
            event.accept()
            return
        super().wheelEvent(event)

    def _draw(self) -> None:
        if self._task is not None:
            self._task.cancel()
        load, zoom, ratio = self._load, self._zoom, self.devicePixelRatioF()
        wide = max(100, self.viewport().width() - 2)
        if load is None:
            self._show([], ratio)
            return

        def work(job: Job) -> list[QImage]:
            return decoded(load(), zoom, int(wide * ratio), ratio, job)

        def done(images: list[QImage]) -> None:
            if load is self._load:
                self._show(images, ratio)
                self.drawn.emit(True)

        def failed(error: EvidenceDeskError) -> None:
            if load is self._load and isinstance(error, MalformedError):
                self._show([], ratio)
                self.drawn.emit(False)

        self._task = self._context.tasks.run(Lane.CPU, work, owner=self, done=done, failed=failed)

    def _show(self, images: Sequence[QImage], ratio: float) -> None:
        for label in self.labels:
            self._column.removeWidget(label)
            label.deleteLater()
        self.labels = []
        for image in images:
            label = QLabel()
            pixmap = QPixmap.fromImage(image)
            pixmap.setDevicePixelRatio(ratio)
            label.setPixmap(pixmap)
            self._column.addWidget(label)
            self.labels.append(label)


def decoded(pictures: Sequence[bytes], zoom: int, wide: int, ratio: float, job: Job) -> list[QImage]:
    """Pictures at a zoom (percent, or fitting `wide` device pixels).

    Raises:
        MalformedError: ``malformed.capture_picture``.
    """
    sizes = [_size(data) for data in pictures]
    scale = (
        min(1.0, wide / max((size.width() for size in sizes), default=1))
        if zoom == FIT
        else zoom / 100 * ratio
    )
    pixels = sum(size.width() * size.height() for size in sizes) * scale * scale
    if pixels > _MOST:
        scale *= (_MOST / pixels) ** 0.5
    images: list[QImage] = []
    for data, size in zip(pictures, sizes, strict=True):
        job.step("view", len(images), len(pictures))
        images.append(
            _image(data, QSize(max(1, round(size.width() * scale)), max(1, round(size.height() * scale))))
        )
    return images


def _reader(data: bytes) -> tuple[QImageReader, QBuffer]:
    buffer = QBuffer()
    buffer.setData(QByteArray(data))
    buffer.open(QBuffer.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer)
    reader.setDecideFormatFromContent(True)
    return reader, buffer


def _size(data: bytes) -> QSize:
    reader, _buffer = _reader(data)
    size = reader.size()
    if (
        bytes(reader.format().data()) not in _FORMATS
        or not size.isValid()
        or not 0 < size.width() * size.height() <= _LARGEST
    ):
        raise MalformedError("malformed.capture_picture")
    return size


def _image(data: bytes, size: QSize) -> QImage:
    reader, _buffer = _reader(data)
    image = reader.read()
    if image.isNull():
        raise MalformedError("malformed.capture_picture")
    if image.size() == size:
        return image
    return image.scaled(
        size, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
    )
