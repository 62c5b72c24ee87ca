"""Tells, when a vault is opened, that nobody is known to have its recovery key."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from evidence_desk.settings import load_key_unseen
from ui.context import Context
from ui.tasks import Lane


def remind(context: Context, parent: QWidget) -> None:
    """Ask for a new recovery key when the vault just opened remembers that nobody has the one it was made with."""

    def accepted() -> None:
        from ui.start.new_key import NewKeyDialog  # noqa: PLC0415 - with the vault's code

        NewKeyDialog(context, parent).open()

    def done(unseen: bool) -> None:
        if unseen:
            context.messages.confirm(
                "ui_start.unseen",
                action="ui_start.unseen.do",
                accepted=accepted,
            )

    if context.desk.session is not None:
        context.desk.run(
            lambda session, _job: load_key_unseen(session.vault.exhibits),
            owner=parent, done=done, lane=Lane.READ,
        )  # fmt: skip
