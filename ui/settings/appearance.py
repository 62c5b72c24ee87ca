"""Language, colors, scale, role, notifications."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from PySide6.QtWidgets import QCheckBox, QComboBox

from evidence_desk.texts import Language
from ui.context import Context
from ui.look.tokens import SCALES, Scheme
from ui.preferences import Role
from ui.settings.tab import SettingsTab
from ui.widgets.form import Form
from ui.widgets.labels import words


class AppearanceTab(SettingsTab):
    """Every change holds at once, but the scale, which Qt takes at the start."""

    name: ClassVar[str] = "appearance"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        value = context.preferences.value
        card = self.card("ui_settings.tab.appearance")
        form = Form(context)
        self.language = self._choice(
            form, "ui_settings.language", [item.value for item in Language], value.language.value
        )
        self.scheme = self._choice(
            form, "ui_settings.scheme", [item.value for item in Scheme], value.scheme.value
        )
        self.scale = self._choice(form, "ui_settings.scale", [str(item) for item in SCALES], str(value.scale))
        roles = ["none", *(item.value for item in Role)]
        self.role = self._choice(form, "ui_settings.role", roles, value.role.value if value.role else "none")
        card.body.addWidget(form)
        self._restart = words(context, "ui_settings.scale.restart", role="warning")
        self._restart.hide()
        card.body.addWidget(self._restart)
        self.notify = QCheckBox()
        context.tongue.bind(self.notify, self.notify.setText, "ui_settings.notify")
        self.notify.setChecked(value.notify)
        card.body.addWidget(self.notify)
        self.column.addStretch(1)
        context.tongue.follow(self, self._say)
        self.language.activated.connect(self._on_language)
        self.scheme.activated.connect(self._on_scheme)
        self.scale.activated.connect(self._on_scale)
        self.role.activated.connect(self._on_role)
        self.notify.toggled.connect(lambda on: context.preferences.change(notify=on))

    def _choice(self, form: Form, code: str, values: Sequence[str], chosen: str) -> QComboBox:
        box = QComboBox()
        for value in values:
            box.addItem(value, value)
        box.setCurrentIndex(list(values).index(chosen))
        return form.add(code, box)

    def _say(self) -> None:
        say = self.context.tongue.say
        named = ((self.language, "language"), (self.scheme, "scheme"), (self.role, "role"))
        for box, kind in named:
            for place in range(box.count()):
                box.setItemText(place, say(f"ui_settings.{kind}.{box.itemData(place)}"))
        for place in range(self.scale.count()):
            self.scale.setItemText(place, f"{self.scale.itemData(place)} %")

    def _on_language(self) -> None:
        self.context.choose_language(Language(self.language.currentData()))

    def _on_scheme(self) -> None:
        self.context.choose_scheme(Scheme(self.scheme.currentData()))

    def _on_scale(self) -> None:
        self.context.preferences.change(scale=int(self.scale.currentData()))
        self._restart.show()

    def _on_role(self) -> None:
        chosen = self.role.currentData()
        self.context.preferences.change(role=None if chosen == "none" else Role(chosen))
