"""First step: who uses the program, its language and look."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QButtonGroup, QComboBox, QHBoxLayout, QLabel, QRadioButton, QVBoxLayout

from evidence_desk.texts import Language
from ui.context import Context
from ui.look import icons, tokens
from ui.look.tokens import Scheme
from ui.preferences import Role
from ui.start.step import Step
from ui.widgets.form import Form
from ui.widgets.labels import words
from ui.widgets.panels import Card

_ICONS = {Role.LAWYER: "stamp", Role.NOTARY: "file-pen-line", Role.JUDGE: "shield-check"}
_LANGUAGES = {Language.ZH: "简体中文", Language.EN: "English"}


class WhoStep(Step):
    """Everything chosen here takes effect at once."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, "ui_start.who")
        self.roles: dict[Role, QRadioButton] = {}
        self._pictures: dict[Role, QLabel] = {}
        self._group = QButtonGroup(self)
        for role in Role:
            self.body.addWidget(self._choice(role))
        self.language = QComboBox()
        for language, name in _LANGUAGES.items():
            self.language.addItem(name, language)
        self.scheme = QComboBox()
        for scheme in Scheme:
            self.scheme.addItem("", scheme)
        form = Form(context, columns=2)
        form.add("ui_start.language", self.language)
        form.add("ui_start.scheme", self.scheme)
        self.body.addWidget(form)
        self.language.setCurrentIndex(self.language.findData(context.tongue.language))
        self.scheme.setCurrentIndex(self.scheme.findData(context.look.scheme))
        self.language.activated.connect(self._on_language)
        self.scheme.activated.connect(self._on_scheme)
        context.tongue.changed.connect(self._say)
        context.look.changed.connect(self._paint)
        self.roles[context.preferences.value.role or Role.LAWYER].setChecked(True)
        self._group.buttonToggled.connect(lambda *_: self.changed.emit())
        self._say()
        self._paint()

    @property
    def role(self) -> Role:
        """Who was chosen."""
        return next(role for role, button in self.roles.items() if button.isChecked())

    def entered(self) -> None:
        """The choice has the keyboard."""
        self.roles[self.role].setFocus()

    def _choice(self, role: Role) -> Card:
        context = self.context
        code = f"ui_start.role.{role.value}"
        card = Card()
        card.body.setContentsMargins(tokens.M, tokens.S, tokens.M, tokens.S)
        row = QHBoxLayout()
        row.setSpacing(tokens.M)
        picture = QLabel()
        self._pictures[role] = picture
        row.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout()
        column.setSpacing(0)
        radio = QRadioButton()
        context.tongue.bind(radio, radio.setText, code)
        context.tongue.bind(radio, radio.setAccessibleDescription, f"{code}.text")
        self._group.addButton(radio)
        self.roles[role] = radio
        column.addWidget(radio)
        column.addWidget(words(context, f"{code}.text", role="secondary"))
        row.addLayout(column, 1)
        card.body.addLayout(row)
        return card

    def _on_language(self) -> None:
        self.context.choose_language(Language(self.language.currentData()))  # Qt gives a plain str back

    def _on_scheme(self) -> None:
        self.context.choose_scheme(Scheme(self.scheme.currentData()))

    def _say(self) -> None:
        for at, scheme in enumerate(Scheme):
            self.scheme.setItemText(at, self.context.tongue.say(f"ui_start.scheme.{scheme.value}"))

    def _paint(self) -> None:
        color = self.context.look.colors.accent
        for role, picture in self._pictures.items():
            picture.setPixmap(
                icons.pixmap(_ICONS[role], color, size=tokens.XL, ratio=self.devicePixelRatioF())
            )
