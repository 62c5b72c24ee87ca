"""What a copy will leave out and open, in full; and what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from PySide6.QtWidgets import QVBoxLayout, QWidget

from evidence_desk.services.capture_disclose import Disclosed
from evidence_desk.services.disclosure_preview import Preview
from ui.capture.sayings import say_file
from ui.capture.view.tab import TextPane
from ui.context import Context
from ui.look import tokens
from ui.plain import plain
from ui.widgets.labels import DigestLabel, words
from ui.widgets.panels import Banner
from ui.words import file_size

_WIDEST = 300


class PreviewPanel(QWidget):
    """One preview."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._preview: Preview | None = None
        self.banner = Banner(context)
        self.secrets = words(context, "ui_capture.disclose.secrets.warning", role="warning")
        self.look = words(context, "capture_disclose.look", role="secondary")
        self.list = TextPane(context, "ui_capture.disclose.list")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(tokens.M)
        for widget in (self.banner, self.secrets):
            column.addWidget(widget)
        column.addWidget(self.list, 1)
        column.addWidget(self.look)
        context.tongue.follow(self, self._say)

    def show_preview(self, preview: Preview) -> None:
        """Show this one."""
        self._preview = preview
        self.banner.set(
            "neutral", "info", "ui_capture.disclose.preview", files=len(preview.files), records=preview.records,
            kept=preview.kept, opened=len(preview.opened),
        )  # fmt: skip
        self.secrets.setVisible(bool(preview.opened))
        self.look.setVisible(bool(preview.files or preview.records))
        self._say()

    def _say(self) -> None:
        if self._preview is not None:
            self.list.setPlainText("\n".join(self._lines(self._preview)))

    def _lines(self, preview: Preview) -> Iterator[str]:
        say = self._context.tongue.say
        if preview.files:
            yield say("ui_capture.disclose.list.files")
        for item in preview.files:
            why = say(f"ui_capture.disclose.why.{item.why.value}")
            yield f"  {say('ui_capture.disclose.list.why', what=self._named(item.name), why=why)}"
        if preview.targets:
            yield say("ui_capture.disclose.list.records")
        for target in preview.targets:
            why = say(f"ui_capture.disclose.why.{target.why.value}")
            shown = say(
                "ui_capture.disclose.list.address", address=plain(target.address, _WIDEST), count=target.count
            )
            yield f"  {say('ui_capture.disclose.list.why', what=shown, why=why)}"
        rest = preview.records - sum(target.count for target in preview.targets)
        if rest:
            yield f"  {say('ui_capture.more', count=rest)}"
        if preview.opened:
            yield say("ui_capture.disclose.list.opened")
        for name in preview.opened:
            yield f"  {self._named(name)}"

    def _named(self, name: str) -> str:
        kind = say_file(self._context.tongue, name)
        return f"{plain(name)} — {kind}" if kind else plain(name)


class DonePanel(QWidget):
    """The copy that was written."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.banner = Banner(context)
        self.about = words(context)
        self._context = context
        self.digest = DigestLabel(context)
        self.opened = words(context, role="warning")
        self.look = words(context, "capture_disclose.look", role="secondary")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(tokens.M)
        for widget in (self.banner, self.about, self.digest, self.opened, self.look):
            column.addWidget(widget)
        column.addStretch(1)

    def show_done(self, done: Disclosed, path: Path) -> None:
        """Show it."""
        redaction, bind = done.redaction, self._context.tongue.bind
        self.banner.set(
            "passed", "circle-check", "capture_disclose.done", path=str(path), files=len(redaction.files),
            records=len(redaction.records), opened=len(redaction.opened),
        )  # fmt: skip
        bind(self.about, self.about.setText, "ui_capture.disclose.digest", size=file_size(done.size))
        self.digest.set(done.sha256.hex())
        bind(self.opened, self.opened.setText, "capture_disclose.opened", names=", ".join(redaction.opened))
        self.opened.setVisible(bool(redaction.opened))
        self.look.setVisible(bool(redaction.files or redaction.records))
