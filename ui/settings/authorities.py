"""Timestamp authorities: the list in the order they are asked, add, try out, remove."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from evidence_desk.bootstrap.authorities import (
    add_authority,
    prefer_authority,
    remove_authority,
    try_authority,
)
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.core.rows import TimestampReply
from evidence_desk.settings import AuthorityKind, AuthoritySetting
from ui.context import Context
from ui.look import tokens
from ui.settings.tab import SettingsTab
from ui.tasks import Lane
from ui.widgets.buttons import button
from ui.widgets.form import Form
from ui.widgets.labels import IconLabel, words
from ui.widgets.panels import clear
from ui.words import local_time


class AuthoritiesTab(SettingsTab):
    """See the module."""

    name: ClassVar[str] = "authorities"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        card = self.card("ui_settings.authorities", about="ui_settings.authorities.about", inside=True)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(tokens.S)
        card.body.addLayout(self._rows)
        self._add_card()
        self.column.addStretch(1)

    def read(self) -> None:
        """The list of the open vault."""
        self.context.desk.run(
            lambda session, _: session.settings, owner=self, done=self._on_read, lane=Lane.READ
        )

    def forget(self) -> None:
        """Nor what was typed for it."""
        clear(self._rows)
        self._clear_fields()

    def _add_card(self) -> None:
        card = self.card("ui_settings.authority.add", inside=True)
        form = Form(self.context)
        self.url, self.title, self.policy, self.crl = QLineEdit(), QLineEdit(), QLineEdit(), QLineEdit()
        form.add("ui_settings.authority.url", self.url)
        form.add("ui_settings.authority.name", self.title)
        form.add("ui_settings.authority.policy", self.policy)
        form.add("ui_settings.authority.crl", self.crl)
        self.url.setPlaceholderText("https://")
        card.body.addWidget(form)
        self.roots: list[Path] = []
        self._roots = words(self.context, "ui_settings.authority.roots.none", role="secondary")
        row = QHBoxLayout()
        row.addWidget(button(self.context, "ui_settings.authority.roots", self._on_roots, icon="file"))
        row.addWidget(self._roots, 1)
        card.body.addLayout(row)
        self.last = QCheckBox()
        self.context.tongue.bind(self.last, self.last.setText, "ui_settings.authority.last")
        card.body.addWidget(self.last)
        deeds = QHBoxLayout()
        self.add = button(self.context, "ui_settings.authority.add.do", self._on_add, icon="plus", main=True)
        self.add.setEnabled(False)
        self.url.textChanged.connect(lambda text: self.add.setEnabled(bool(text.strip())))
        deeds.addWidget(self.add)
        deeds.addStretch(1)
        card.body.addLayout(deeds)

    # --- list ---------------------------------------------------------------------------------------------------

    def _on_read(self, settings: tuple[AuthoritySetting, ...]) -> None:
        clear(self._rows)
        if not settings:
            self._rows.addWidget(words(self.context, "ui_settings.authorities.none", role="warning"))
        for place, item in enumerate(settings):
            self._rows.addWidget(self._row(item, first=place == 0))

    def _row(self, item: AuthoritySetting, *, first: bool) -> QWidget:
        widget = QWidget()
        row = QHBoxLayout(widget)
        row.setContentsMargins(0, 0, 0, 0)
        told = QVBoxLayout()
        told.setSpacing(2)
        name = words(self.context)
        name.setText(item.name)
        told.addWidget(name)
        about = words(self.context, role="secondary")
        self.context.tongue.follow(about, lambda: about.setText(self._about(item)))
        told.addWidget(about)
        row.addLayout(told, 1)
        if item.kind is AuthorityKind.EMBEDDED:
            mark = IconLabel(self.context)
            mark.set("triangle-alert", "warning", "ui.demo")
            told.addWidget(mark, 0, Qt.AlignmentFlag.AlignLeft)
        if item.kind is not AuthorityKind.RETIRED:
            if not first:
                row.addWidget(
                    button(
                        self.context,
                        "ui_settings.authority.first",
                        lambda: self._on_first(item.name),
                        flat=True,
                    )
                )
            row.addWidget(button(self.context, "ui_settings.authority.try", lambda: self._on_try(item.name)))
            row.addWidget(
                button(
                    self.context,
                    "ui_settings.authority.remove",
                    lambda: self._on_remove(item.name),
                    danger=True,
                )
            )
        return widget

    def _about(self, item: AuthoritySetting) -> str:
        say = self.context.tongue.say
        parts = [say(f"authority_setting.kind.{item.kind.value}"), item.url]
        parts.append(say(f"authority_setting.{'trusted' if item.roots else 'untrusted'}"))
        return " · ".join(part for part in parts if part)

    # --- deeds --------------------------------------------------------------------------------------------------

    def _on_roots(self) -> None:
        self.context.messages.open_files(self._set_roots, code="ui_settings.authority.roots")

    def _set_roots(self, paths: list[Path]) -> None:
        self.roots = paths
        names = ", ".join(path.name for path in paths)
        code = "ui_settings.authority.roots.chosen" if paths else "ui_settings.authority.roots.none"
        self.context.tongue.bind(self._roots, self._roots.setText, code, names=names)

    def _on_add(self) -> None:
        url, name, policy = (line.text().strip() for line in (self.url, self.title, self.policy))
        crl, roots, last = self.crl.text().split(), tuple(self.roots), self.last.isChecked()

        def work(session: Session, _job: Job) -> AuthoritySetting:
            return add_authority(session, url, name=name, trust=roots, policy=policy, crl_urls=crl, last=last)

        self.context.desk.run(work, owner=self, done=self._on_added, changes=True)

    def _on_added(self, setting: AuthoritySetting) -> None:
        self._clear_fields()
        self.context.messages.inform("ui_settings.authority.added", name=setting.name)
        self.read()

    def _clear_fields(self) -> None:
        for line in (self.url, self.title, self.policy, self.crl):
            line.clear()
        self._set_roots([])

    def _on_first(self, name: str) -> None:
        self.context.desk.run(
            lambda session, _: prefer_authority(session, name), owner=self, done=lambda _: self.read(), changes=True
        )  # fmt: skip

    def _on_try(self, name: str) -> None:
        def told(reply: TimestampReply) -> None:
            self.context.messages.inform(
                "ui_settings.authority.answered", name=reply.authority, time=local_time(reply.gen_time),
                milliseconds=int(reply.transport.get("round_trip_ms", 0)),
            )  # fmt: skip

        self.context.desk.run(
            lambda session, _: try_authority(session, name), owner=self, done=told, lane=Lane.NET,
            title="ui_settings.authority.try",
        )  # fmt: skip

    def _on_remove(self, name: str) -> None:
        def do() -> None:
            self.context.desk.run(
                lambda session, _: remove_authority(session, name), owner=self, done=lambda _: self.read(), changes=True
            )  # fmt: skip

        self.context.messages.confirm(
            "ui_settings.authority.remove.ask", action="ui_settings.authority.remove", accepted=do, dangerous=True, name=name
        )  # fmt: skip
