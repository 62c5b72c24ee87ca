"""Diagnostics for support: versions, an outline of the settings, recent error codes. Never evidence, names or keys."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt

from evidence_desk.bootstrap.diagnosis import Installation
from evidence_desk.bootstrap.files import written
from evidence_desk.bootstrap.health import local_health
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.core.moment import format_moment
from evidence_desk.court.protocol.history import DEMO_PREFIX
from ui.context import Context
from ui.tasks import Lane
from ui.widgets.buttons import button
from ui.widgets.labels import words
from ui.widgets.panels import Card


def diagnostics(session: Session | None, context: Context) -> dict[str, Any]:
    """What is saved. Facts of health are given by code alone: their parameters may name folders or offices."""
    preferences = context.preferences.value
    document: dict[str, Any] = {
        "v": "diagnostics/1",
        "utc": format_moment(datetime.now(UTC)),
        "installation": {**asdict(Installation())},
        "preferences": {
            "language": preferences.language.value, "scheme": preferences.scheme.value, "scale": preferences.scale,
            "idle_minutes": preferences.idle_minutes, "role": preferences.role.value if preferences.role else None,
        },
        "errors": [{"at": format_moment(at), "code": code} for at, code in context.tasks.recent_errors],
    }  # fmt: skip
    if session is not None:
        document["vault"] = {
            "log_size": session.desk.log.size,
            "authorities": [item.kind.value for item in session.settings],
            "networks": [{"demo": item.chain_id.startswith(DEMO_PREFIX), "gateways": len(item.gateways)} for item in session.networks],
            "health": [{"area": fact.area.value, "level": fact.level.value, "code": fact.code} for fact in local_health(session)],
        }  # fmt: skip
    return document


class DiagnosticsCard(Card):
    """Says what is saved, and saves it."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.body.addWidget(words(context, "ui_status.diagnostics", role="heading"))
        self.body.addWidget(words(context, "ui_status.diagnostics.about", role="secondary"))
        save = button(context, "ui_status.diagnostics.save", self._on_save, icon="save")
        self.body.addWidget(save, 0, Qt.AlignmentFlag.AlignLeft)

    def _on_save(self) -> None:
        day = datetime.now(UTC).strftime("%Y%m%d")
        self._context.messages.save_as(f"evidence-desk-diagnostics-{day}.json", self._save)

    def _save(self, path: Path) -> None:
        session = self._context.desk.session

        def work(_job: Job) -> None:
            text = json.dumps(diagnostics(session, self._context), ensure_ascii=False, indent=1)
            with written(path, force=True) as stream:  # the dialog asked before a file is replaced
                stream.write(text.encode())

        self._context.tasks.run(
            Lane.READ, work, owner=self,
            done=lambda _: self._context.messages.inform("ui_status.diagnostics.saved", path=str(path)),
        )  # fmt: skip
