"""The court network, the demo network of this machine, the proxy."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPlainTextEdit

from evidence_desk.bootstrap.networking import Joined, choose_network, register_desk
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.court.protocol.history import DEMO_PREFIX
from evidence_desk.errors import EvidenceDeskError
from evidence_desk.settings import NetworkSetting, load_proxy
from ui.context import Context
from ui.demo_network import NODES
from ui.settings.tab import SettingsTab
from ui.tasks import Lane
from ui.widgets.buttons import button
from ui.widgets.form import Form
from ui.widgets.labels import IconLabel, words

_GATEWAYS_HEIGHT = 88


class NetworkTab(SettingsTab):
    """See the module."""

    name: ClassVar[str] = "network"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.trust: Path | None = None
        self._joined_card()
        self._join_card()
        self._demo_card()
        self._proxy_card()
        self.column.addStretch(1)
        context.demo.changed.connect(self._on_demo)

    def read(self) -> None:
        """Network and proxy of the open vault."""
        if self.context.desk.session is None:  # locked while the demo network was being joined
            return
        self.context.desk.run(
            lambda session, _: (session.networks, load_proxy(session.vault.exhibits)),
            owner=self, done=self._on_read, lane=Lane.READ,
        )  # fmt: skip
        self._on_demo()

    def forget(self) -> None:
        """Nor what was typed for it."""
        self._on_read(((), ""))
        self.gateways.clear()
        self.trust = None
        self.context.tongue.bind(self._trust, self._trust.setText, "ui_settings.network.trust.none")

    # --- cards --------------------------------------------------------------------------------------------------

    def _joined_card(self) -> None:
        card = self.card("ui_settings.network", inside=True)
        self.joined = words(self.context)
        card.body.addWidget(self.joined)
        self.mark = IconLabel(self.context)
        self.mark.set("triangle-alert", "warning", "ui.demo")
        card.body.addWidget(self.mark)
        self.list = words(self.context, role="secondary")
        card.body.addWidget(self.list)

    def _join_card(self) -> None:
        card = self.card("ui_settings.network.join", about="ui_settings.network.join.about", inside=True)
        form = Form(self.context)
        self.gateways = QPlainTextEdit()
        self.gateways.setTabChangesFocus(True)
        self.gateways.setMaximumHeight(_GATEWAYS_HEIGHT)
        form.add("ui_settings.network.gateways", self.gateways)
        card.body.addWidget(form)
        self._trust = words(self.context, "ui_settings.network.trust.none", role="secondary")
        row = QHBoxLayout()
        row.addWidget(button(self.context, "ui_settings.network.trust", self._on_trust, icon="folder"))
        row.addWidget(self._trust, 1)
        card.body.addLayout(row)
        deeds = QHBoxLayout()
        deeds.addWidget(
            button(self.context, "ui_settings.network.join.do", self._on_join, icon="link", main=True)
        )
        deeds.addStretch(1)
        card.body.addLayout(deeds)

    def _demo_card(self) -> None:
        card = self.card("ui_settings.demo", about="ui_settings.demo.about", inside=True)
        row = QHBoxLayout()
        self.start = button(self.context, "ui_settings.demo.start", self._on_start, icon="play")
        self.stop = button(self.context, "ui_settings.demo.stop", self._on_stop, icon="x")
        self.state = words(self.context, role="secondary")
        for widget in (self.start, self.stop):
            row.addWidget(widget)
        row.addWidget(self.state, 1)
        card.body.addLayout(row)

    def _proxy_card(self) -> None:
        card = self.card("ui_settings.proxy", about="ui_settings.proxy.about", inside=True)
        form = Form(self.context)
        self.proxy = QLineEdit()
        self.proxy.setPlaceholderText("http://proxy.example:8080")
        form.add("ui_settings.proxy.url", self.proxy)
        card.body.addWidget(form)
        row = QHBoxLayout()
        row.addWidget(button(self.context, "ui_settings.proxy.set", self._on_proxy))
        row.addStretch(1)
        card.body.addLayout(row)

    # --- what is so ---------------------------------------------------------------------------------------------

    def _on_read(self, found: tuple[tuple[NetworkSetting, ...], str]) -> None:
        networks, proxy = found
        self.proxy.setText(proxy)
        present = networks[0] if networks else None
        self.mark.setVisible(present is not None and present.chain_id.startswith(DEMO_PREFIX))
        if present is None:
            self.context.tongue.bind(self.joined, self.joined.setText, "health.network.none")
            self.list.clear()
            self.list.hide()
            return
        code = "health.network.joined" if present.gateways else "health.network.offline"
        self.context.tongue.bind(
            self.joined, self.joined.setText, code, chain=present.chain_id, count=len(present.gateways)
        )
        self.list.setText("\n".join(present.gateways))
        self.list.setVisible(bool(present.gateways))

    def _on_demo(self) -> None:
        demo = self.context.demo
        state = "running" if demo.running else "starting" if demo.starting else "stopped"
        self.context.tongue.bind(self.state, self.state.setText, f"ui_settings.demo.{state}", count=NODES)
        self.start.setEnabled(state == "stopped")
        self.stop.setEnabled(state != "stopped")

    # --- deeds --------------------------------------------------------------------------------------------------

    def _on_trust(self) -> None:
        self.context.messages.open_folder(self._set_trust, code="ui_settings.network.trust")

    def _set_trust(self, folder: Path) -> None:
        self.trust = folder
        self.context.tongue.bind(
            self._trust, self._trust.setText, "ui_settings.network.trust.chosen", folder=str(folder)
        )

    def _on_join(self) -> None:
        gateways, trust = self.gateways.toPlainText().split(), self.trust

        def work(session: Session, job: Job) -> Joined:
            choose_network(session, gateways or None, trust)
            return register_desk(session, job=job)

        self.context.desk.run(
            work, owner=self, done=self._on_joined, lane=Lane.NET, title="ui.work.join", changes=True
        )

    def _on_joined(self, joined: Joined) -> None:
        self.context.messages.inform(
            f"ui_settings.network.{joined.registration.status}", chain=joined.registration.chain_id
        )
        self.read()

    def _on_start(self) -> None:
        self.context.demo.start(done=self._on_demo_joined, failed=self._on_failed)

    def _on_demo_joined(self) -> None:
        self.context.messages.inform("ui_settings.demo.joined")
        self.read()

    def _on_stop(self) -> None:
        self.context.demo.stop(self._on_demo)

    def _on_failed(self, error: EvidenceDeskError) -> None:
        self.context.tasks.on_unhandled(error)

    def _on_proxy(self) -> None:
        url = self.proxy.text().strip()
        self.context.desk.run(
            lambda session, _: session.set_proxy(url), owner=self,
            done=lambda _: self.context.messages.inform("ui_settings.proxy.done"),
        )  # fmt: skip
