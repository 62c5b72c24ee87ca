"""Signing key, two-person mode and persons: everything that is set up once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from evidence_desk.bootstrap import persons as office_persons
from evidence_desk.bootstrap.demo import use_demo_signer
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.core.person import CredentialKind, OfficePerson
from evidence_desk.crypto.x509 import load_certificate
from evidence_desk.services import persons
from ui.certify.office import Office, SignerFacts
from ui.certify.person_dialogs import EnrollDialog, PassphraseDialog
from ui.certify.pin import PinAsker
from ui.certify.signer_dialogs import FileSignerDialog, TokenSignerDialog
from ui.context import Context
from ui.look import tokens
from ui.page import scrolled
from ui.plain import plain
from ui.widgets.buttons import button
from ui.widgets.labels import DigestLabel, IconLabel, words
from ui.widgets.panels import Card, clear
from ui.words import local_time

_FACTS: Final = ("name", "subject", "issuer", "root", "valid", "place")


class OfficeTab(QWidget):
    """See the module. Signal: `changed` after anything here was changed."""

    changed = Signal()

    def __init__(self, context: Context, pin: PinAsker) -> None:
        super().__init__()
        self._context = context
        self._pin = pin
        self.office: Office | None = None
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, tokens.M, tokens.S, 0)
        column.setSpacing(tokens.M)
        for card in (self._signer_card(), self._mode_card(), self._person_card()):
            column.addWidget(card)
        column.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolled(content))
        context.tongue.follow(self, self._say)

    def show_office(self, office: Office) -> None:
        """Show how certificates are issued here."""
        self.office = office
        self._list_persons()
        self._say()

    # --- signing key ------------------------------------------------------------------------------------------

    def _signer_card(self) -> Card:
        context, card = self._context, Card()
        head = QHBoxLayout()
        head.addWidget(words(context, "ui_certify.key", role="heading"), 1)
        self.kind = IconLabel(context)
        head.addWidget(self.kind)
        card.body.addLayout(head)
        grid = QGridLayout()
        grid.setHorizontalSpacing(tokens.M)
        grid.setVerticalSpacing(tokens.XS)
        grid.setColumnStretch(1, 1)
        self.facts: dict[str, QLabel] = {}
        for row, name in enumerate(_FACTS):
            title = words(context, f"ui_certify.key.{name}", role="secondary")
            title.setWordWrap(False)
            self.facts[name] = words(context)
            grid.addWidget(title, row, 0)
            grid.addWidget(self.facts[name], row, 1)
        title = words(context, "ui_certify.key.digest", role="secondary")
        title.setWordWrap(False)
        self.digest = DigestLabel(context)
        grid.addWidget(title, len(_FACTS), 0)
        grid.addWidget(self.digest, len(_FACTS), 1)
        card.body.addLayout(grid)
        self.use_file = button(context, "ui_certify.key.file", self._on_file, icon="key-round")
        self.use_token = button(context, "ui_certify.key.token", self._on_token, icon="hard-drive")
        self.leave_token = button(context, "ui_certify.key.leave", self._on_leave)
        self.use_demo = button(context, "ui_certify.key.demo", self._on_demo)
        for pair in ((self.use_file, self.use_token), (self.leave_token, self.use_demo)):
            deeds = QHBoxLayout()
            for deed in pair:
                deeds.addWidget(deed)
            deeds.addStretch(1)
            card.body.addLayout(deeds)
        return card

    def _on_file(self) -> None:
        self._open(FileSignerDialog(self._context))

    def _on_token(self) -> None:
        self._open(TokenSignerDialog(self._context, self._pin))

    def _on_leave(self) -> None:
        self._sure("ui_certify.key.leave.sure", "ui_certify.key.leave", _leave, "ui_certify.key.changed")

    def _on_demo(self) -> None:
        self._sure(
            "ui_certify.key.demo.sure", "ui_certify.key.demo", use_demo_signer, "ui_certify.key.changed"
        )

    # --- two-person mode --------------------------------------------------------------------------------------

    def _mode_card(self) -> Card:
        context, card = self._context, Card()
        head = QHBoxLayout()
        head.addWidget(words(context, "ui_certify.mode", role="heading"), 1)
        self.mode = IconLabel(context)
        head.addWidget(self.mode)
        card.body.addLayout(head)
        card.body.addWidget(words(context, "ui_certify.mode.about", role="secondary"))
        self.switch = button(context, "ui_certify.mode.on", self._on_switch, icon="users")
        row = QHBoxLayout()
        row.addWidget(self.switch)
        row.addStretch(1)
        card.body.addLayout(row)
        return card

    def _on_switch(self) -> None:
        if self.office is None:
            return
        on = not self.office.two_person
        which = "on" if on else "off"

        def work(session: Session) -> None:
            office_persons.set_two_person(session, on=on)

        self._sure(
            f"ui_certify.mode.{which}.sure", f"ui_certify.mode.{which}", work, f"ui_certify.mode.{which}.done"
        )

    # --- persons ----------------------------------------------------------------------------------------------

    def _person_card(self) -> Card:
        context, card = self._context, Card()
        head = QHBoxLayout()
        head.addWidget(words(context, "ui_certify.persons", role="heading"), 1)
        self.enroll = button(context, "ui_certify.persons.enroll", self._on_enroll, icon="user-plus")
        head.addWidget(self.enroll)
        card.body.addLayout(head)
        card.body.addWidget(words(context, "ui_certify.persons.about", role="secondary"))
        self._rows = QVBoxLayout()
        self._rows.setSpacing(tokens.S)
        card.body.addLayout(self._rows)
        return card

    def _list_persons(self) -> None:
        clear(self._rows)
        everybody = () if self.office is None else self.office.persons
        if not everybody:
            self._rows.addWidget(words(self._context, "ui_certify.persons.none", role="secondary"))
        for person in everybody:
            self._rows.addWidget(self._person(person))

    def _person(self, person: OfficePerson) -> QWidget:
        context, line = self._context, QWidget()
        row = QHBoxLayout(line)
        row.setContentsMargins(0, 0, 0, 0)
        column = QVBoxLayout()
        column.setSpacing(0)
        name = words(context)
        name.setText(plain(f"{person.name}  {person.role}".strip()))
        column.addWidget(name)
        demo = persons.credential_facts(person.certificate).demo
        kind = "demo" if demo else person.kind.value
        until = load_certificate(person.certificate).not_after.date().isoformat()
        column.addWidget(words(context, f"ui_certify.persons.{kind}", role="secondary", until=until))
        row.addLayout(column, 1)
        if person.retired is not None:
            state = IconLabel(context)
            state.set("ban", "secondary", "ui_certify.persons.retired", at=local_time(person.retired))
            row.addWidget(state)
            return line
        if person.kind is CredentialKind.KEPT:
            change = button(
                context, "ui_certify.persons.passphrase", lambda: self._on_passphrase(person), flat=True
            )
            context.tongue.bind(
                change, change.setAccessibleName, "ui_certify.persons.passphrase.of", name=person.name
            )
            row.addWidget(change)
        retire = button(context, "ui_certify.persons.retire", lambda: self._on_retire(person), danger=True)
        context.tongue.bind(
            retire, retire.setAccessibleName, "ui_certify.persons.retire.of", name=person.name
        )
        row.addWidget(retire)
        return line

    def _on_enroll(self) -> None:
        self._open(EnrollDialog(self._context))

    def _on_passphrase(self, person: OfficePerson) -> None:
        PassphraseDialog(self._context, person).open()

    def _on_retire(self, person: OfficePerson) -> None:
        def work(session: Session) -> None:
            persons.retire(session.desk, office_persons.person_keys(session, None), person)

        self._sure(
            "ui_certify.persons.retire.sure", "ui_certify.persons.retire", work, "ui_certify.persons.retire.done",
            name=person.name,
        )  # fmt: skip

    # --- shared -----------------------------------------------------------------------------------------------

    def _open(self, dialog: EnrollDialog | FileSignerDialog | TokenSignerDialog) -> None:
        dialog.accepted.connect(self.changed)
        dialog.open()

    def _sure(
        self, question: str, action: str, work: Callable[[Session], None], told: str, **facts: str | int
    ) -> None:
        """Ask, do, tell."""

        def do(session: Session, _job: Job) -> None:
            work(session)

        def done(_result: None) -> None:
            self._context.messages.inform(told, **facts)
            self.changed.emit()

        def accepted() -> None:
            self._context.desk.run(do, owner=self, done=done)

        self._context.messages.confirm(
            question, action=action, accepted=accepted, refused=None, dangerous=True, **facts
        )

    def _say(self) -> None:
        office = self.office
        if office is None:
            return
        self._say_signer(office.signer)
        bind = self._context.tongue.bind
        if office.two_person:
            self.mode.set("users", "passed", "ui_certify.mode.is_on")
        else:
            self.mode.set("user", "text", "ui_certify.mode.is_off")
        bind(
            self.switch,
            self.switch.setText,
            "ui_certify.mode.off" if office.two_person else "ui_certify.mode.on",
        )

    def _say_signer(self, signer: SignerFacts | None) -> None:
        say = self._context.tongue.say
        if signer is None:
            self.kind.set("triangle-alert", "warning", "ui_certify.signer.none")
            for label in self.facts.values():
                label.setText("—")
            self.digest.set("")
        else:
            if signer.demo:
                self.kind.set("triangle-alert", "warning", "ui_certify.key.is_demo")
            else:
                self.kind.set("key-round", "text", "ui_certify.key.is_own")
            place = "ui_certify.key.in_token" if signer.token else "ui_certify.key.in_vault"
            shown = {
                "name": signer.name,
                "subject": signer.subject,
                "issuer": signer.issuer,
                "root": signer.root or say("ui_certify.key.no_root"),
                "valid": f"{local_time(signer.since)} — {local_time(signer.until)}",
                "place": say(place, token=signer.token, serial=signer.serial, module=signer.module),
            }
            for name, text in shown.items():
                self.facts[name].setText(text)
            self.digest.set(signer.sha256.hex())
        self.leave_token.setVisible(signer is not None and bool(signer.token))
        self.use_demo.setVisible(signer is None or (not signer.demo and not signer.token))


def _leave(session: Session) -> None:
    session.signer.leave_token()
