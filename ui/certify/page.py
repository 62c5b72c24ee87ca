"""The page itself: issuing in three steps; drafts for the second person; issued certificates; keys and persons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from PySide6.QtWidgets import QStackedWidget, QTabWidget

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.errors import EvidenceDeskError
from evidence_desk.services import browse
from evidence_desk.services.browse import CaseSummary
from evidence_desk.services.confirm import Draft
from evidence_desk.services.persons import Unlocked
from ui.certify.choose import ChooseStep
from ui.certify.drafting import Order
from ui.certify.issued import IssuedTab
from ui.certify.issuing import Issue, Target
from ui.certify.office import Office, read_office
from ui.certify.office_tab import OfficeTab
from ui.certify.pending import Pending, drop, hand_over, keep, pending
from ui.certify.results import ResultStep
from ui.certify.review import ReviewDialog
from ui.certify.sign import SignStep
from ui.certify.waiting import WaitingTab
from ui.certify.work import issue_work
from ui.context import Context
from ui.interpreter import load
from ui.page import Page, PageName
from ui.plain import plain
from ui.tasks import Lane

_TABS: Final = ("issue", "waiting", "issued", "office")
Start = Callable[[Target], None]
Known = tuple[list[CaseSummary], Office, tuple[Pending, ...]]


class CertifyPage(Page):
    """See the package."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, PageName.CERTIFY)
        self.work = issue_work(context)
        self.office: Office | None = None
        self.choose = ChooseStep(context)
        self.sign = SignStep(context)
        self.result = ResultStep(context, self.work)
        self.steps = QStackedWidget()
        for step in (self.choose, self.sign, self.result):
            self.steps.addWidget(step)
        self.waiting = WaitingTab(context)
        self.issued = IssuedTab(context)
        self.keys = OfficeTab(context, self.work.pin)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        for tab in (self.steps, self.waiting, self.issued, self.keys):
            self.tabs.addTab(tab, "")
        self.body.addWidget(self.tabs, 1)
        self._connect()
        context.tasks.run(Lane.CPU, lambda _job: load("reports.issuer"), owner=self, done=lambda _: None)
        if self.work.working or self.work.issue is not None:
            self.result.show_running()
            self.steps.setCurrentWidget(self.result)

    # --- the frame's --------------------------------------------------------------------------------------------

    def shown(self) -> None:
        """Read cases, keys, persons and drafts anew."""

        def work(session: Session, _job: Job) -> Known:
            return list(browse.case_summaries(session.desk)), read_office(session), pending(session)

        if self.context.desk.session is not None:
            self.context.desk.run(work, owner=self, done=self._on_known, lane=Lane.READ)

    def show_item(self, item: object) -> None:
        """Exhibits, by their leaf hashes, to be certified."""
        if isinstance(item, list) and item and all(isinstance(leaf, bytes) for leaf in item):
            self.tabs.setCurrentWidget(self.steps)
            if not self.work.working:
                self._to_choose()
                self.choose.choose(item)

    def leave(self) -> None:
        """A run that is paused would keep the vault open; what was issued stays."""
        self.work.hold()
        self.sign.clear()

    # --- building -----------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        context = self.context
        self.choose.ready.connect(self._on_ready)
        self.choose.case_changed.connect(self.issued.show_case)
        self.choose.signer_wanted.connect(lambda: self.tabs.setCurrentWidget(self.keys))
        self.sign.back_wanted.connect(lambda: self.steps.setCurrentWidget(self.choose))
        self.sign.failed.connect(self._on_undrafted)
        self.sign.accepted.connect(self._on_accepted)
        self.result.again.connect(self._to_choose)
        self.work.began.connect(self._on_began)
        self.work.ended.connect(self._on_ended)
        self.waiting.review_wanted.connect(self._on_review)
        self.waiting.drop_wanted.connect(self._on_drop)
        self.keys.changed.connect(self.shown)
        self.issued.set_operator(lambda: self.choose.operator.name)
        context.desk.changed.connect(self._on_desk_changed)
        context.tongue.follow(self, self._say)
        context.tongue.bind(self.tabs, self.tabs.setAccessibleName, "ui.page.certify")

    def _on_known(self, known: Known) -> None:
        cases, self.office, items = known
        self.choose.show_office(self.office)
        self.choose.set_cases(cases)
        self.sign.show_office(self.office)
        self.keys.show_office(self.office)
        self.waiting.show_items(items)
        self.issued.reload()
        self._say()
        self._tell_waiting()

    def _tell_waiting(self) -> None:
        """Once a program and vault, what an earlier one left."""
        folder, count = self.context.desk.folder, sum(not item.reason for item in self.waiting.items)
        if count and self.work.told != folder:
            self.context.messages.inform(
                "ui_certify.waiting.left", count=count, tab=self.context.tongue.say("ui_certify.tab.waiting")
            )
        self.work.told = folder

    def _on_desk_changed(self) -> None:
        if self.context.desk.session is not None and self.isVisible():
            self.shown()

    def _say(self) -> None:
        say = self.context.tongue.say
        waiting = sum(not item.reason for item in self.waiting.items)
        for at, name in enumerate(_TABS):
            text = say(f"ui_certify.tab.{name}")
            self.tabs.setTabText(at, f"{text} ({waiting})" if name == "waiting" and waiting else text)

    # --- issuing ------------------------------------------------------------------------------------------------

    def _to_choose(self) -> None:
        self.work.forget()
        self.sign.clear()
        self.choose.model.clear_checked()
        self.steps.setCurrentWidget(self.choose)

    def _on_ready(self, order: Order) -> None:
        self.steps.setCurrentWidget(self.sign)
        self.sign.show_order(order)

    def _on_undrafted(self, error: EvidenceDeskError) -> None:
        self.sign.clear()
        self.steps.setCurrentWidget(self.choose)
        self.choose.failed(error)

    def _on_accepted(self, order: Order) -> None:
        if self.office is not None and self.office.two_person:
            self._hand_over(order)
        else:
            self._where(
                len(order.groups), self._number(order), lambda target: self.work.issue_alone(order, target)
            )

    def _number(self, order: Order) -> str:
        shown = self.sign.shown
        return shown.draft.certificate.number if shown is not None and len(order.groups) == 1 else ""

    def _where(self, count: int, number: str, then: Start) -> None:
        """Ask for the file, or for the folder of many."""
        if count == 1:
            name = f"{number or '存证证书'}.pdf"
            self.context.messages.save_as(
                name, lambda path: then(Target(path=path, folder=False)), code="ui_certify.save"
            )
        else:
            self.context.messages.open_folder(
                lambda path: then(Target(path=path, folder=True)), code="ui_certify.save_folder"
            )

    def _on_began(self) -> None:
        self.sign.clear()
        self.tabs.setCurrentWidget(self.steps)
        self.steps.setCurrentWidget(self.result)

    def _on_ended(self, outcome: Issue | None) -> None:
        if outcome is None:
            self._to_choose()

    # --- two persons --------------------------------------------------------------------------------------------

    def _hand_over(self, order: Order) -> None:
        def done(item: Pending) -> None:
            self.context.messages.inform(
                "ui_certify.handed_over", count=len(item.order.groups), name=item.order.operator
            )
            self._to_choose()
            self.tabs.setCurrentWidget(self.waiting)

        self.context.desk.run(
            lambda session, job: hand_over(session, order, job), owner=self, done=done,
            title="ui_certify.work.draft", changes=True,
        )  # fmt: skip

    def _on_review(self, item: Pending) -> None:
        if self.office is None or self.work.working:
            return
        dialog = ReviewDialog(self.context, item, self.office)
        dialog.confirmed.connect(lambda drafts, second: self._on_confirmed(item, drafts, second))
        dialog.rejected_with.connect(lambda name, why: self._on_rejected(item, name, why))
        dialog.open()

    def _on_confirmed(self, item: Pending, drafts: tuple[Draft, ...], second: Unlocked) -> None:
        self._where(
            len(drafts),
            drafts[0].certificate.number,
            lambda target: self.work.issue_confirmed(item, drafts, second, target),
        )

    def _on_rejected(self, item: Pending, name: str, why: str) -> None:
        back = replace(item, rejected_by=name, reason=why)
        self.context.desk.run(
            lambda session, _job: keep(session, back), owner=self,
            done=lambda _: self.context.messages.inform("ui_certify.rejected", name=item.order.operator),
            changes=True,
        )  # fmt: skip

    def _on_drop(self, item: Pending) -> None:
        self.context.messages.confirm(
            "ui_certify.waiting.drop.sure", action="ui_certify.waiting.drop", accepted=lambda: self._forget(item),
            dangerous=True, case=plain(item.case_number),
        )  # fmt: skip

    def _forget(self, item: Pending) -> None:
        self.context.desk.run(
            lambda session, _job: drop(session, item), owner=self, done=lambda _: self.shown()
        )
