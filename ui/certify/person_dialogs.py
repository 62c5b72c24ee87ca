"""Enrolling a person with his own credential, and changing the passphrase of one."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QLineEdit, QRadioButton

from evidence_desk.bootstrap import persons as office_persons
from evidence_desk.bootstrap.files import read_input
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.confirmation import MAX_TEXT, Officer
from evidence_desk.core.job import Job
from evidence_desk.core.person import OfficePerson
from evidence_desk.services import persons
from ui.certify.dialogs import Sheet
from ui.context import Context
from ui.start.passphrase_field import CapsHint, PassphraseField
from ui.widgets.buttons import button
from ui.widgets.form import Form
from ui.widgets.labels import words

_P12_LIMIT: Final = 1 << 20
_LEAST: Final = 8


class EnrollDialog(Sheet):
    """Name, role, how identified; a demo credential made here, or one the person brings along."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, "ui_certify.enroll.title", "ui_certify.enroll.do")
        self._path: Path | None = None
        self.say("ui_certify.enroll.about", "secondary")
        form = Form(context)
        self.name, self.role, self.identification = QLineEdit(), QLineEdit(), QLineEdit()
        for code, field in (
            ("name", self.name),
            ("role", self.role),
            ("identification", self.identification),
        ):
            field.setMaxLength(MAX_TEXT)
            form.add(f"ui_certify.enroll.{code}", field)
        self.body.addWidget(form)
        self.demo, self.own = QRadioButton(), QRadioButton()
        group = QButtonGroup(self)
        for box, code in ((self.demo, "ui_certify.enroll.demo"), (self.own, "ui_certify.enroll.own")):
            context.tongue.bind(box, box.setText, code)
            group.addButton(box)
            self.body.addWidget(box)
        self.demo.setChecked(True)
        row = QHBoxLayout()
        self.choose = button(context, "ui_certify.review.file", self._on_file, icon="folder-open")
        self.choose.setAutoDefault(False)
        self.file = QLabel()
        row.addWidget(self.choose)
        row.addWidget(self.file, 1)
        self.body.addLayout(row)
        secrets = Form(context)
        self.passphrase, self.again = PassphraseField(context), PassphraseField(context)
        secrets.add("ui_certify.enroll.passphrase", self.passphrase)
        secrets.add("ui_certify.enroll.again", self.again)
        self.body.addWidget(secrets)
        self.body.addWidget(CapsHint(context, self.passphrase, self.again))
        self.hint = words(context, role="secondary")
        self.body.addWidget(self.hint)
        self.demo.toggled.connect(lambda _on: self._on_kind())
        self._on_kind()
        self.watch(self.name, self.passphrase, self.again)
        self.name.setFocus()

    def complete(self) -> bool:
        """A name, and a credential with its passphrase."""
        named = bool(self.name.text().strip())
        if self.own.isChecked():
            return named and self._path is not None
        typed = self.passphrase.text()
        return named and len(typed) >= _LEAST and typed == self.again.text()

    def act(self) -> None:
        """Enroll beside the window."""
        officer = Officer(
            name=self.name.text().strip(), role=self.role.text().strip(), identification=self.identification.text().strip(),
        )  # fmt: skip
        secret, path = self.passphrase.text(), self._path if self.own.isChecked() else None

        def work(session: Session, _job: Job) -> OfficePerson:
            if path is None:
                return office_persons.enroll_demo(session, officer, secret)
            key = office_persons.pkcs12_key(read_input(path, _P12_LIMIT), secret)
            return office_persons.enroll_given(session, officer, key)

        def done(person: OfficePerson) -> None:
            self._busy = False
            self.context.messages.inform("ui_certify.enrolled", name=person.name)
            self.accept()

        self.begin()
        self.context.desk.run(work, owner=self, done=done, failed=self.failed)

    def _on_kind(self) -> None:
        own = self.own.isChecked()
        self.choose.setEnabled(own)
        self.file.setEnabled(own)
        self.again.setEnabled(not own)
        self.context.tongue.bind(
            self.hint, self.hint.setText, "ui_certify.enroll.own.hint" if own else "ui_certify.enroll.demo.hint",
            least=_LEAST,
        )  # fmt: skip
        self.check()

    def _on_file(self) -> None:
        def chosen(paths: list[Path]) -> None:
            self._path = paths[0]
            self.file.setText(paths[0].name)
            self.check()

        self.context.messages.open_files(
            chosen, code="ui_certify.review.file", pattern="PKCS#12 (*.p12 *.pfx)"
        )


class PassphraseDialog(Sheet):
    """A new passphrase for a kept credential; the person types the old one."""

    def __init__(self, context: Context, person: OfficePerson) -> None:
        super().__init__(context, "ui_certify.passphrase.title", "ui_certify.passphrase.do")
        self._person = person
        self.say("ui_certify.passphrase.about", name=person.name)
        form = Form(context)
        self.old, self.new, self.again = (PassphraseField(context) for _ in range(3))
        for code, field in (("old", self.old), ("new", self.new), ("again", self.again)):
            form.add(f"ui_certify.passphrase.{code}", field)
        self.body.addWidget(form)
        self.body.addWidget(CapsHint(context, self.old, self.new, self.again))
        self.say("ui_certify.enroll.demo.hint", "secondary", least=_LEAST)
        self.watch(self.old, self.new, self.again)
        self.old.setFocus()

    def complete(self) -> bool:
        """The old one, and twice the same new one."""
        new = self.new.text()
        return bool(self.old.text()) and len(new) >= _LEAST and new == self.again.text()

    def act(self) -> None:
        """Change it beside the window."""
        person, old, new = self._person, self.old.text(), self.new.text()

        def work(session: Session, _job: Job) -> None:
            persons.change_passphrase(office_persons.person_keys(session, None), person, old, new)

        self.begin()
        self.context.desk.run(work, owner=self, done=partial(self._done, person.name), failed=self.failed)

    def _done(self, name: str, _result: None) -> None:
        self._busy = False
        self.context.messages.inform("ui_certify.passphrase.changed", name=name)
        self.accept()
