"""Folders, and when backups, re-checks and old cases are called to mind. Nothing is deleted by any of it."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Final

from PySide6.QtWidgets import QHBoxLayout, QSpinBox

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.settings import MAX_DAYS, MAX_YEARS, Retention, load_retention, save_retention
from ui.context import Context
from ui.settings.tab import SettingsTab
from ui.tasks import Lane
from ui.widgets.buttons import button
from ui.widgets.form import Form
from ui.widgets.labels import DigestLabel

_LEAST: Final = {"backup_days": 1, "recheck_days": 1, "keep_years": 0}
_MOST: Final = {"backup_days": MAX_DAYS, "recheck_days": MAX_DAYS, "keep_years": MAX_YEARS}


class KeepingTab(SettingsTab):
    """See the module."""

    name: ClassVar[str] = "keeping"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._folders_card()
        self._retention_card()
        self.column.addStretch(1)

    def read(self) -> None:
        """The reminders of the open vault."""
        self.context.desk.run(
            lambda session, _: load_retention(session.vault.exhibits),
            owner=self,
            done=self._show,
            lane=Lane.READ,
        )

    def forget(self) -> None:
        """As in a new vault."""
        self._show(Retention())

    def _folders_card(self) -> None:
        card = self.card("ui_settings.folders", about="ui_settings.folders.about")
        form = Form(self.context)
        self.home = form.add("ui_settings.folders.home", DigestLabel(self.context))
        card.body.addWidget(form)
        row = QHBoxLayout()
        self.choose = button(self.context, "ui_settings.folders.choose", self._on_choose)
        self.clear = button(self.context, "ui_settings.folders.clear", lambda: self._set_home(""))
        for widget in (self.choose, self.clear):
            row.addWidget(widget)
        row.addStretch(1)
        card.body.addLayout(row)
        self._set_home(self.context.preferences.value.home)

    def _retention_card(self) -> None:
        context = self.context
        card = self.card("ui_settings.retention", about="ui_settings.retention.about", inside=True)
        form = Form(context)
        self.fields: dict[str, QSpinBox] = {}
        for name in _LEAST:
            self.fields[name] = form.add(f"ui_settings.retention.{name}", self._number(name))
        context.tongue.bind(
            self.fields["keep_years"],
            self.fields["keep_years"].setSpecialValueText,
            "ui_settings.retention.never",
        )
        card.body.addWidget(form)
        row = QHBoxLayout()
        self.save = button(context, "ui_settings.retention.save", self._on_save)
        row.addWidget(self.save)
        row.addStretch(1)
        card.body.addLayout(row)
        self.forget()

    def _number(self, name: str) -> QSpinBox:
        field = QSpinBox(minimum=_LEAST[name], maximum=_MOST[name])
        unit = name.rpartition("_")[2]

        def say(text: str) -> None:
            field.setSuffix(f" {text}")

        self.context.tongue.bind(field, say, f"ui_settings.retention.{unit}")
        return field

    def _on_choose(self) -> None:
        self.context.messages.open_folder(lambda folder: self._set_home(str(folder)))

    def _set_home(self, folder: str) -> None:
        if folder != self.context.preferences.value.home:
            self.context.preferences.change(home=folder)
        self.home.set(str(Path(folder)) if folder else "—")
        self.clear.setEnabled(bool(folder))

    def _show(self, retention: Retention) -> None:
        for name, field in self.fields.items():
            field.setValue(getattr(retention, name))

    def _on_save(self) -> None:
        wanted = Retention(**{name: field.value() for name, field in self.fields.items()})

        def work(session: Session, _job: Job) -> None:
            with session.vault.exclusive(), session.vault.transaction():
                save_retention(session.vault.exhibits, wanted)

        self.context.desk.run(
            work, owner=self, done=lambda _: self.context.messages.inform("ui_settings.retention.done"), lane=Lane.VAULT,
            changes=True,
        )  # fmt: skip
