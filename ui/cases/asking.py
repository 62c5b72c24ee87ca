"""Questions to the vault in the reading lane, answered only while it is open."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import QObject

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from ui.context import Context
from ui.tasks import Done, Failed, Lane, Running

T = TypeVar("T")


def ask(
    context: Context,
    owner: QObject,
    work: Callable[[Session, Job], T],
    done: Done[T],
    failed: Failed | None = None,
) -> Running[T] | None:
    """Read; None, and nothing is done, when the vault is locked (a late callback may still ask)."""
    if context.desk.session is None:
        return None

    def answered(answer: T) -> None:
        if context.desk.session is not None:
            done(answer)

    return context.desk.run(work, owner=owner, done=answered, failed=failed, lane=Lane.READ)
