"""The page Status 状态: how this desk stands, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from evidence_desk.bootstrap.health import (
    Area,
    Fact,
    authorities_health,
    local_health,
    network_health,
)
from evidence_desk.bootstrap.networking import BroughtUp, bring_up
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.errors import EvidenceDeskError
from evidence_desk.services.recheck import RecheckOutcome, recheck
from evidence_desk.services.timestamp import TimestampOutcome, timestamp
from evidence_desk.vault.backup import backup
from ui.context import Context
from ui.look import tokens
from ui.page import Page, PageName, scrolled
from ui.status.diagnostics import DiagnosticsCard
from ui.status.rows import AreaCard
from ui.status.work import WorkCard
from ui.tasks import Lane
from ui.widgets.buttons import button
from ui.widgets.panels import Banner


class StatusPage(Page):
    """See the module. What is known is shown at once; others are asked only when the user says so."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, PageName.STATUS)
        self._remote: dict[Area, tuple[Fact, ...]] = {}
        row = QHBoxLayout()
        self.check = button(context, "ui_status.check", self._on_check, icon="refresh-cw")
        context.tongue.bind(self.check, self.check.setToolTip, "ui_status.check.tip")
        row.addWidget(self.check)
        row.addStretch(1)
        self.body.addLayout(row)
        self._none = Banner(context)
        self._none.set("neutral", "lock", "ui_status.locked")
        self.body.addWidget(self._none)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, tokens.S, 0)
        column.setSpacing(tokens.M)
        self.work = WorkCard(context)
        column.addWidget(self.work)
        self.cards = {area: AreaCard(context, area, self._buttons(area)) for area in Area}
        for card in self.cards.values():
            column.addWidget(card)
        column.addWidget(DiagnosticsCard(context))
        column.addStretch(1)
        self.body.addWidget(scrolled(content), 1)
        for signal in (context.desk.opened, context.desk.locked, context.desk.changed):
            signal.connect(self.shown)

    def shown(self) -> None:
        """Show what is known without asking anyone."""
        opened = self.context.desk.session is not None
        self._none.setVisible(not opened)
        self.check.setEnabled(opened)
        for card in self.cards.values():
            card.setVisible(opened)
        if opened:
            self.context.desk.run(
                lambda session, _: local_health(session), owner=self, done=self._on_local, lane=Lane.READ
            )
        else:
            self._remote.clear()
            for card in self.cards.values():
                card.show_facts(())

    # --- facts ------------------------------------------------------------------------------------------------

    def _on_local(self, facts: tuple[Fact, ...]) -> None:
        for area, card in self.cards.items():
            known = [fact for fact in facts if fact.area is area]
            remote = self._remote.get(area, ())
            if remote:  # what was asked says more than that something is configured
                known = [fact for fact in known if not fact.code.endswith((".configured", ".joined"))]
            card.show_facts((*known, *remote))

    def _on_check(self) -> None:
        self.check.setEnabled(False)

        def work(session: Session, _job: Job) -> tuple[Fact, ...]:
            return (*authorities_health(session), *network_health(session))

        self.context.desk.run(
            work, owner=self, done=self._on_checked, failed=self._on_failed, lane=Lane.NET, title="ui_status.check"
        )  # fmt: skip

    def _on_checked(self, facts: Sequence[Fact]) -> None:
        self._remote = {area: tuple(fact for fact in facts if fact.area is area) for area in Area}
        self.shown()

    def _on_failed(self, error: EvidenceDeskError) -> None:
        self.check.setEnabled(True)
        self.context.tasks.on_unhandled(error)

    # --- deeds ------------------------------------------------------------------------------------------------

    def _buttons(self, area: Area) -> list[QWidget]:
        context = self.context
        match area:
            case Area.AUTHORITIES:
                return [self._to_settings(), button(context, "ui_status.do.timestamp", self._on_timestamp)]
            case Area.NETWORK:
                return [self._to_settings()]
            case Area.RETENTION:
                return [self._to_settings("keeping")]
            case Area.OUTBOX:
                return [button(context, "ui_status.do.anchor", self._on_anchor)]
            case Area.BACKUP:
                return [button(context, "ui_status.do.backup", self._on_backup)]
            case Area.RECHECK:
                return [button(context, "ui_status.do.recheck", self._on_recheck)]
            case _:
                return []

    def _to_settings(self, tab: str | None = None) -> QWidget:
        def go() -> None:
            self.wanted.emit(PageName.SETTINGS, tab)

        return button(self.context, "ui_status.do.settings", go, flat=True)

    def _on_timestamp(self) -> None:
        def told(outcome: TimestampOutcome) -> None:
            self.context.messages.inform("ui_status.timestamp.done", count=len(outcome.exhibits))

        self.context.desk.run(
            lambda session, job: timestamp(session.desk, session.authorities, job=job),
            owner=self, done=told, title="ui.work.timestamp", changes=True,
        )  # fmt: skip

    def _on_anchor(self) -> None:
        def told(done: BroughtUp) -> None:
            outcome = done.anchored
            if outcome.waiting:
                self.context.messages.inform("ui_status.anchor.waiting", count=outcome.waiting)
            else:
                self.context.messages.inform("ui_status.anchor.done", size=outcome.size)

        self.context.desk.run(
            lambda session, job: bring_up(session, wait=True, secret=None, job=job),
            owner=self, done=told, lane=Lane.NET, title="ui.work.anchor", changes=True,
        )  # fmt: skip

    def _on_backup(self) -> None:
        session = self.context.desk.session
        if session is None:
            return

        def chosen(path: Path) -> None:
            self.context.desk.run(
                lambda session, job: backup(session.vault, path, job=job), owner=self, lane=Lane.CPU,
                done=lambda _: self.context.messages.inform("ui_status.backup.done", path=str(path)),
                title="ui_status.do.backup", changes=True,
            )  # fmt: skip

        day = session.clock.now().strftime("%Y%m%d")
        self.context.messages.save_as(f"evidence-desk-{day}.backup", chosen)

    def _on_recheck(self) -> None:
        def work(session: Session, job: Job) -> list[RecheckOutcome]:
            return recheck(session.desk, list(session.vault.exhibits.exhibits()), job=job)

        def told(outcomes: list[RecheckOutcome]) -> None:
            damaged = sum(bool(item.damaged) for item in outcomes)
            total = sum(not item.erased for item in outcomes)
            if damaged:
                self.context.messages.inform("ui_status.recheck.damaged", count=damaged)
            else:
                self.context.messages.inform("ui_status.recheck.done", count=total, total=total)

        self.context.desk.run(work, owner=self, done=told, title="ui_status.do.recheck", changes=True)
