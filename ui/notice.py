"""The two boxes of the program: a notice of an error, and a question."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from evidence_desk.errors import EvidenceDeskError
from evidence_desk.texts import Language, error_sentences
from ui.language import Tongue
from ui.look import tokens
from ui.look.icons import pixmap
from ui.look.look import Look

_WIDTH = 480
_WORDS = _WIDTH - 3 * tokens.XL - tokens.L


class _Box(QDialog):
    """Icon, words, buttons; gone when closed."""

    def __init__(self, parent: QWidget | None, tongue: Tongue, look: Look, icon: str, role: str) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFixedWidth(_WIDTH)
        self._tongue = tongue
        tongue.changed.connect(self._fit)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(tokens.XL, tokens.XL, tokens.XL, tokens.L)
        outer.setSpacing(tokens.L)
        row = QHBoxLayout()
        row.setSpacing(tokens.L)
        picture = QLabel()
        picture.setPixmap(
            pixmap(icon, getattr(look.colors, role), size=tokens.XL, ratio=self.devicePixelRatioF())
        )
        picture.setAlignment(Qt.AlignmentFlag.AlignTop)
        row.addWidget(picture)
        self.words = QVBoxLayout()
        self.words.setSpacing(tokens.S)
        row.addLayout(self.words, 1)
        outer.addLayout(row)
        self.buttons = QDialogButtonBox()
        outer.addWidget(self.buttons)

    def setVisible(self, visible: bool) -> None:
        """As high as its words need at its width, before it is shown: Qt's layouts guess too little for long ones."""
        if visible and not self.isVisible():
            self._fit()
        super().setVisible(visible)

    def _fit(self) -> None:
        for label in self.findChildren(QLabel):
            if label.wordWrap() and label.text():
                label.ensurePolished()
                label.setFixedHeight(label.heightForWidth(_WORDS))
        self.resize(_WIDTH, self.minimumSizeHint().height())

    def add_words(self, role: str) -> QLabel:
        """A paragraph below the others."""
        label = QLabel()
        label.setWordWrap(True)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        if role:
            label.setProperty("role", role)
        self.words.addWidget(label)
        return label

    def add_button(self, code: str, role: QDialogButtonBox.ButtonRole, look: str = "") -> QPushButton:
        """A button with a sentence of ours; `look` is main or danger."""
        button = QPushButton()
        if look:
            button.setProperty(look, True)  # before it is styled
        self._tongue.bind(button, button.setText, code)
        self.buttons.addButton(button, role)
        return button


class Notice(_Box):
    """What happened, what to do next; the code and its facts can be copied for support (no evidence in them)."""

    def __init__(self, parent: QWidget | None, tongue: Tongue, look: Look, error: EvidenceDeskError) -> None:
        super().__init__(parent, tongue, look, "triangle-alert", "failed")
        self._error = error
        self._what, self._next = self.add_words("heading"), self.add_words("")
        tongue.bind(self, self.setWindowTitle, "ui.error.title")
        copy = self.add_button("ui.copy_details", QDialogButtonBox.ButtonRole.ActionRole)
        copy.clicked.connect(self._copy)
        close = self.add_button("ui.close", QDialogButtonBox.ButtonRole.AcceptRole, "main")
        close.setDefault(True)
        close.setFocus()
        close.clicked.connect(self.accept)
        tongue.changed.connect(self._say)
        self._say()

    def _say(self) -> None:
        what, then = self._tongue.error(self._error)
        self._what.setText(what)
        self._next.setText(then)
        self._next.setVisible(bool(then))

    def _copy(self) -> None:
        clipboard = QGuiApplication.clipboard()
        if clipboard is not None:
            english = error_sentences(self._error, Language.EN)[0]
            clipboard.setText(f"{self._what.text()}\n{english}\n{self._error}")


class Question(_Box):
    """A question with the word of the deed on its button; cancel is the default for what is dangerous."""

    def __init__(
        self,
        parent: QWidget | None,
        tongue: Tongue,
        look: Look,
        code: str,
        action: str,
        facts: Mapping[str, str | int],
        *,
        dangerous: bool = False,
    ) -> None:
        super().__init__(
            parent,
            tongue,
            look,
            "triangle-alert" if dangerous else "circle-question-mark",
            "warning" if dangerous else "accent",
        )
        tongue.bind(self, self.setWindowTitle, "ui.question.title")
        label = self.add_words("")
        tongue.bind(label, label.setText, code, **facts)
        self._line: QLineEdit | None = None
        self._required = False
        cancel = self.add_button("ui.cancel", QDialogButtonBox.ButtonRole.RejectRole)
        self._deed = self.add_button(
            action, QDialogButtonBox.ButtonRole.AcceptRole, "danger" if dangerous else "main"
        )
        safe = cancel if dangerous else self._deed
        safe.setDefault(True)
        safe.setFocus()  # Enter presses what has the keyboard
        cancel.clicked.connect(self.reject)
        self._deed.clicked.connect(self.accept)

    def ask(self, text: str, *, secret: bool, required: bool) -> None:
        """Add a line to type into."""
        self._line = QLineEdit(text)
        if secret:
            self._line.setEchoMode(QLineEdit.EchoMode.Password)
        self._tongue.bind(self._line, self._line.setAccessibleName, "ui.question.answer")
        self._required = required
        self._line.textChanged.connect(self._on_typed)
        self.words.addWidget(self._line)
        self._line.setFocus()
        self._deed.setDefault(True)  # nothing is typed by chance
        self._on_typed(text)

    @property
    def text(self) -> str:
        """What was typed."""
        return "" if self._line is None else self._line.text()

    def _on_typed(self, text: str) -> None:
        self._deed.setEnabled(bool(text.strip()) or not self._required)
