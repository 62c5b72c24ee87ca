"""The second person's look at a hand-over: every draft to its last page, then his own credential, or back with a reason."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QBoxLayout, QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from evidence_desk.bootstrap import persons as office_persons
from evidence_desk.bootstrap.files import read_input
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.confirmation import same_person
from evidence_desk.core.job import Job
from evidence_desk.core.person import CredentialKind, OfficePerson
from evidence_desk.errors import EvidenceDeskError
from evidence_desk.services import persons
from evidence_desk.services.confirm import Draft
from evidence_desk.services.persons import Unlocked
from evidence_desk.vault.attempts import remaining
from evidence_desk.vault.person_keys import ATTEMPTS
from ui.certify.dialogs import Sheet
from ui.certify.drafting import Shown, shown
from ui.certify.office import Office
from ui.certify.pending import Pending, Reviewed, review
from ui.certify.preview import Preview
from ui.certify.remarks import RemarkList
from ui.context import Context
from ui.look import tokens
from ui.page import fitting, scrolled
from ui.plain import plain
from ui.start.passphrase_field import CapsHint, PassphraseField
from ui.tasks import Lane
from ui.widgets.buttons import button
from ui.widgets.countdown import Countdown
from ui.widgets.form import Form
from ui.widgets.labels import IconLabel, words
from ui.widgets.panels import Banner

_SIZE: Final = (1080, 760)
_LEAST: Final = (560, 440)
_BESIDE: Final = 340
_NARROW: Final = 760
_P12_LIMIT: Final = 1 << 20
_WRONG: Final = "person.wrong_passphrase"


class ReviewDialog(Sheet):
    """See the module.

    Signals: `confirmed` has the drafts looked at and the credential unlocked for them; `rejected_with` name and reason.
    """

    confirmed = Signal(object, object)
    rejected_with = Signal(str, str)

    def __init__(self, context: Context, item: Pending, office: Office) -> None:
        super().__init__(context, "ui_certify.review.title", "ui_certify.review.confirm")
        self.resize(fitting(self, *_SIZE))
        self.setMinimumSize(*_LEAST)
        self.setSizeGripEnabled(True)
        self.item = item
        self.reviewed: Reviewed | None = None
        self._seen: set[int] = set()
        self._position = 0
        self._undrafted = False
        self._p12: Path | None = None
        self.preview = Preview(context)
        self.remarks = RemarkList(context)
        self.changed = Banner(context)
        self.changed.set("warning", "triangle-alert", "ui_certify.review.changed")
        self.changed.hide()
        self.seen = IconLabel(context)
        self.person = QComboBox()
        self._persons = [one for one in office.active if not same_person(one.name, item.order.operator)]
        for one in self._persons:
            self.person.addItem(plain(f"{one.name}  {one.role}".strip()), one.id)
        self.passphrase = PassphraseField(context)
        self.file = QLabel()
        self.choose = button(context, "ui_certify.review.file", self._on_file, icon="folder-open")
        self.wait = words(context, role="warning")
        self.back = button(context, "ui_certify.review.reject", self._on_reject, icon="undo-2", danger=True)
        self.waiting = Countdown(self, _WRONG)
        self._lay_out()
        self._connect()
        self._on_person()
        self._read()

    # --- drafts -----------------------------------------------------------------------------------------------

    def _read(self) -> None:
        item = self.item
        self.context.desk.run(
            lambda session, job: review(session, item, job), owner=self, done=self._on_reviewed, failed=self._on_undrafted,
            title="ui_certify.work.draft",
        )  # fmt: skip

    def _on_reviewed(self, found: Reviewed) -> None:
        self.reviewed = found
        self.changed.setVisible(not found.same)
        self._say()
        self._show(0)

    def _on_undrafted(self, error: EvidenceDeskError) -> None:
        self._undrafted = True
        self.failed(error)
        self._say()

    def _show(self, position: int) -> None:
        found = self.reviewed
        if found is None:
            return
        self._position = position
        self.preview.show_draft(b"", position, len(found.drafts))
        made = found.drafts[position]
        self.context.desk.run(
            lambda session, _job: shown(session, made), owner=self, done=partial(self._on_shown, position),
            failed=self.failed, lane=Lane.READ,
        )  # fmt: skip

    def _on_shown(self, position: int, made: Shown) -> None:
        if position == self._position and self.reviewed is not None:
            self.preview.show_draft(made.pdf, position, len(self.reviewed.drafts))
            self.remarks.show_remarks(made.remarks)
            self.preview.view.setFocus()

    def _on_end_seen(self) -> None:
        self._seen.add(self._position)
        self._say()

    @property
    def all_seen(self) -> bool:
        """Whether the last page of every draft has been in sight."""
        return self.reviewed is not None and len(self._seen) == len(self.reviewed.drafts)

    # --- building ---------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        context, order = self.context, self.item.order
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._row.setSpacing(tokens.L)
        self._row.addWidget(self.preview, 1)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, tokens.XS, 0)
        column.setSpacing(tokens.M)
        column.addWidget(words(context, "ui_certify.review.about", role="heading", count=len(order.groups)))
        column.addWidget(
            words(
                context,
                "ui_certify.review.first",
                name=plain(order.operator),
                case=plain(self.item.case_number),
            )
        )
        for widget in (self.changed, self.remarks, self.seen):
            column.addWidget(widget)
        column.addWidget(words(context, "ui_certify.review.second", role="heading"))
        column.addWidget(words(context, "ui_certify.review.own", role="secondary"))
        self._none = words(context, "ui_certify.review.nobody", role="warning")
        column.addWidget(self._none)
        self._none.setVisible(not self._persons)
        form = Form(context)
        form.add("ui_certify.review.person", self.person)
        form.add("ui_certify.review.passphrase", self.passphrase)
        column.addWidget(form)
        given = QHBoxLayout()
        given.addWidget(self.choose)
        given.addWidget(self.file, 1)
        column.addLayout(given)
        column.addWidget(CapsHint(context, self.passphrase))
        column.addWidget(self.wait)
        column.addStretch(1)
        self.side = scrolled(content)
        self._row.addWidget(self.side)
        self.body.addLayout(self._row, 1)
        self.feet.insertWidget(0, self.back)
        self.back.setAutoDefault(False)
        self.choose.setAutoDefault(False)

    def _connect(self) -> None:
        self.preview.draft_wanted.connect(self._show)
        self.preview.view.end_seen.connect(self._on_end_seen)
        self.person.currentIndexChanged.connect(lambda _index: self._on_person())
        self.watch(self.passphrase)
        self.waiting.changed.connect(self._say)
        self.context.tongue.follow(self, self._say)

    def resizeEvent(self, event: object) -> None:
        """Side by side, or one above the other."""
        super().resizeEvent(event)  # type: ignore[arg-type]
        narrow = self.width() < _NARROW
        self._row.setDirection(
            QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        )
        self.side.setMinimumWidth(0 if narrow else _BESIDE)
        self.side.setMaximumWidth(16_777_215 if narrow else _BESIDE)
        self.side.setMaximumHeight(220 if narrow else 16_777_215)

    # --- the second person ------------------------------------------------------------------------------------

    @property
    def second(self) -> OfficePerson | None:
        """The person chosen."""
        at = self.person.currentIndex()
        return self._persons[at] if 0 <= at < len(self._persons) else None

    def complete(self) -> bool:
        """All pages seen, a person chosen, his credential given, no wait left."""
        second = self.second
        given = second is not None and (second.kind is CredentialKind.KEPT or self._p12 is not None)
        secret = bool(self.passphrase.text()) or self._p12 is not None
        return self.all_seen and given and secret and self.waiting.left <= 0

    def act(self) -> None:
        """Unlock the credential; the drafts looked at are what it signs."""
        second, path, secret = self.second, self._p12, self.passphrase.text()
        if second is None or self.reviewed is None or not self.complete():
            return

        def work(session: Session, _job: Job) -> Unlocked:
            if second.kind is CredentialKind.GIVEN and path is not None:
                data = read_input(path, _P12_LIMIT)
                return persons.unlock_given(second, office_persons.pkcs12_key(data, secret))
            return persons.unlock(office_persons.person_keys(session, None), second, secret)

        self.begin()
        self.context.desk.run(
            work, owner=self, done=partial(self._on_unlocked, self.reviewed.drafts), failed=self._on_refused
        )

    def _on_unlocked(self, drafts: tuple[Draft, ...], second: Unlocked) -> None:
        self._busy = False
        self.confirmed.emit(drafts, second)
        self.accept()

    def _on_refused(self, error: EvidenceDeskError) -> None:
        self.failed(error)
        self.passphrase.selectAll()
        self.passphrase.setFocus()
        if self.waiting.refused(error):
            self.context.desk.run(
                lambda session, _job: remaining(session.vault.folder, name=ATTEMPTS), owner=self,
                done=self.waiting.at_least, failed=lambda _error: None, lane=Lane.READ,
            )  # fmt: skip

    def _on_person(self) -> None:
        second = self.second
        given = second is not None and second.kind is CredentialKind.GIVEN
        self.choose.setVisible(given)
        self.file.setVisible(given)
        self._p12 = None
        self.passphrase.forget()
        self._say()

    def _on_file(self) -> None:
        def chosen(paths: list[Path]) -> None:
            self._p12 = paths[0]
            self.file.setText(paths[0].name)
            self._say()

        self.context.messages.open_files(
            chosen, code="ui_certify.review.file", pattern="PKCS#12 (*.p12 *.pfx)"
        )

    def _on_reject(self) -> None:
        second = self.second
        name = "" if second is None else second.name

        def reasoned(why: str) -> None:
            self.rejected_with.emit(name, why.strip())
            self.reject()

        self.context.messages.ask_text(
            "ui_certify.review.why", action="ui_certify.review.reject", accepted=reasoned
        )

    # --- words ------------------------------------------------------------------------------------------------

    def _say(self) -> None:
        found = self.reviewed
        if found is None and self._undrafted:
            self.seen.set("circle-x", "failed", "ui_certify.review.none")
        elif found is None:
            self.seen.set("refresh-cw", "secondary", "ui_certify.verifying")
        elif self.all_seen:
            self.seen.set("circle-check", "passed", "ui_certify.review.seen")
        else:
            self.seen.set(
                "eye", "warning", "ui_certify.review.unseen", done=len(self._seen), total=len(found.drafts)
            )
        self.wait.setVisible(self.waiting.left > 0)
        self.wait.setText(self.context.tongue.say("ui_certify.review.wait", seconds=self.waiting.seconds))
        self.check()
