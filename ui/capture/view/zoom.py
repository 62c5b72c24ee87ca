"""The row of zoom buttons above a `PictureView`."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QComboBox, QHBoxLayout

from ui.capture.view.pictures import FIT, ZOOMS, PictureView
from ui.context import Context
from ui.look import tokens
from ui.widgets.buttons import icon_button


class ZoomRow(QHBoxLayout):
    """Smaller, percent, larger; right-aligned, what stands left is the caller's."""

    def __init__(self, context: Context, view: PictureView) -> None:
        super().__init__()
        self._context, self._view = context, view
        self.setSpacing(tokens.XS)
        self.box = QComboBox()
        self.box.setFixedWidth(112)
        self.box.addItem("", FIT)
        for percent in ZOOMS:
            self.box.addItem(f"{percent}%", percent)
        context.tongue.bind(self.box, self.box.setAccessibleName, "ui_certify.zoom")
        context.tongue.bind(self.box, lambda text: self.box.setItemText(0, text), "ui_certify.zoom.fit")
        self.box.currentIndexChanged.connect(lambda _: view.set_zoom(self.box.currentData() or FIT))
        view.zoom_changed.connect(self._on_zoom)
        self.addStretch(1)
        self.addWidget(icon_button(context, "ui_certify.smaller", "zoom-out", lambda: view.step_zoom(-1)))
        self.addWidget(self.box)
        self.addWidget(icon_button(context, "ui_certify.larger", "zoom-in", lambda: view.step_zoom(1)))

    def _on_zoom(self, zoom: int) -> None:
        with QSignalBlocker(self.box):
            self.box.setCurrentIndex(max(0, self.box.findData(zoom)))
